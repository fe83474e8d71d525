"""Inputs of the survival reference cases, as the scripts that made them derived them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from support import read


@dataclass
class CurveCase:
    """A Kaplan-Meier case: the data with what was derived, and the formula's parts."""

    data: pd.DataFrame
    times: str
    event: str
    group: str | None
    weights: np.ndarray | None
    start: str | None

    @property
    def formula(self) -> str:
        return f"Surv({self.times}, {self.event}) ~ {self.group or 1}"


def curve_case(reference: dict[str, Any]) -> CurveCase:
    spec, data = reference["spec"], read(reference["data"])
    name = reference["id"]
    start = spec.get("start")
    if name == "rnet_a_delayed_entry":
        entry = np.round(np.minimum(data["dfs_months"] - 0.1, (data["age"] % 7) * 1.5), 1)
        data = data.assign(entry=entry.clip(lower=0.0))
        data = data[data["entry"] < data["dfs_months"]]
        start = "entry"
    weights = None
    if name == "lung_integer_weights":
        weights = (1 + data["age"] % 3).to_numpy(float)
    elif "fractional" in name:
        weights = (0.5 + (data["age"] % 5) / 4).to_numpy(float)
    times = spec["time"] if start is None else f"{start}, {spec['time']}"
    return CurveCase(data, times, spec["event"], spec.get("group"), weights, start)
