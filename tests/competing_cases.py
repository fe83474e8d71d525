"""Inputs of the competing-risks reference cases, as the scripts that made them derived them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from support import golden, read


def prepared(reference: dict[str, Any]) -> pd.DataFrame:
    """The data of a case with what was derived."""
    data = read(reference["data"])
    if reference["data"] == "mgus2.csv":
        progressed = data["pstat"] == 1
        data["etime"] = np.where(progressed, data["ptime"], data["futime"])
        data["etype"] = np.where(progressed, 1, np.where(data["death"] == 1, 2, 0))
        data["male"] = (data["sex"] == "M").astype(int)
    return data


def cases_with(field: str) -> list[str]:
    """The ids of the cases whose values have a field."""
    return [c["id"] for c in golden("competing") if field in c["values"]]


def random_rows(seed: int, n: int, *, groups: int = 2, causes: int = 2) -> pd.DataFrame:
    """Tied, censored rows with a code, a group and a covariate."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "t": rng.integers(1, 12, n).astype(float),
            "code": rng.integers(0, causes + 1, n),
            "g": np.resize([f"g{k}" for k in range(groups)], n),
            "x": rng.normal(size=n).round(2),
            "s": rng.integers(0, 2, n),
            "w": rng.integers(1, 4, n),
        }
    )
