"""Inputs of the reference cases of discrimination, as the script that made them derives them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from support import golden, read

_TIMES = {
    "troc_rnet_a_size_competing": [24.05, 60.05, 90.05],
    "troc_mgus2_mspike_competing": [60.5, 120.5],
}


def ids_with(field: str) -> list[str]:
    """Cases whose values have a field."""
    return [case["id"] for case in golden("discrimination") if field in case["values"]]


def prepared(case: dict[str, Any]) -> pd.DataFrame:
    """The data of a case with the columns that its spec names."""
    data = read(case["data"])
    if "aSAH" in case["data"]:
        data = data.assign(y=(data["outcome"] == "Poor").astype(int))
    if "lung" in case["data"]:
        data = data.assign(dead=(data["status"] == 2).astype(int))
    if "mgus2" in case["data"]:
        data = data[data["mspike"].notna()]
        progressed = data["pstat"] == 1
        data = data.assign(
            etime=np.where(progressed, data["ptime"], data["futime"]),
            etype=np.where(progressed, 1, np.where(data["death"] == 1, 2, 0)),
        )
    for name in case.get("spec", {}).values():
        if isinstance(name, str) and name.startswith("minus_"):
            data = data.assign(**{name: -data[name.removeprefix("minus_")]})
    return data


def horizons(case: dict[str, Any]) -> list[float]:
    """The times of a case; those of competing risks stand in the script alone."""
    return list(case["values"].get("times") or _TIMES[case["id"]])
