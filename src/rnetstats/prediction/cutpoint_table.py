"""The chosen cut-off as a row of numbers: groups, events and accuracy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from rnetstats.kernels.roc import auc
from rnetstats.prediction.cutpoint_rows import CutpointInput, CutpointRows
from rnetstats.prediction.cutpoint_search import Plan, Search, case_weights, counted_events

__all__ = ["result_table"]


def result_table(
    read: CutpointInput, plan: Plan, found: Search, p_method: str, tested: dict[str, float]
) -> pd.DataFrame:
    """Return one row: the cut-off, the groups that it forms and its P value."""
    rows, youden = read.rows, plan.method == "youden"
    up = found.sign > 0
    low = rows.x < found.cut if youden and up else rows.x <= found.cut
    events = rows.freq * counted_events(rows, plan)
    sides = {">=": ">=", "<=": "<="} if youden else {">=": ">", "<=": "<="}
    sign = sides[">=" if up else "<="]
    values: dict[str, Any] = {
        "marker": read.marker,
        "method": plan.method,
        "rule": f"{read.marker} {sign} {found.cut:.10g}",
        "estimate": found.cut,
        "midpoint": found.midpoint,
        "statistic": found.statistic,
        "p_value": tested["p_value"],
        "p_method": p_method,
        "n": float(rows.freq.sum()),
        "n_events": float(events.sum()),
        "n_below": float(rows.freq[low].sum()),
        "n_above": float(rows.freq[~low].sum()),
        "events_below": float(events[low].sum()),
        "events_above": float(events[~low].sum()),
    }
    values |= {name: value for name, value in tested.items() if name != "p_value"}
    if youden:
        values |= _accuracy(rows, plan, found, low)
    return pd.DataFrame([values])


def _accuracy(rows: CutpointRows, plan: Plan, found: Search, low: np.ndarray) -> dict[str, float]:
    """Sensitivity and specificity of the chosen rule, and of a binary outcome the rest."""
    positive = ~low if found.sign > 0 else low
    cases, controls = (part[0] for part in case_weights(rows, plan))
    hit, spared = float(cases @ positive), float(controls @ ~positive)
    values = {"sensitivity": hit / cases.sum(), "specificity": spared / controls.sum()}
    if rows.y is not None:
        values["accuracy"] = (hit + spared) / rows.freq.sum()
        values["auc"] = float(auc(rows.y, found.sign * rows.x, rows.freq)[0])
        values["prevalence"] = cases.sum() / rows.freq.sum()
    return values
