"""Fitted curves beside Kaplan and Meier's, by the groups of a model's first term."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rnetstats.formula.design import ModelFrame
from rnetstats.regression.parametric_laws import FittedLaw, log_cumulative_hazard
from rnetstats.survival.product_limit import product_limit

__all__ = ["fitted_curves"]

_POINTS = 61
_MOST_GROUPS = 6


def fitted_curves(frame: ModelFrame, law: FittedLaw) -> pd.DataFrame:
    """Return ``group, time, kind, survival`` with kind ``observed`` or ``fitted``.

    A group's fitted curve is the mean of those of its patients.
    """
    outcome = frame.outcome
    assert outcome is not None
    assert outcome.stop is not None
    assert outcome.event is not None
    weight = np.ones(frame.n) if frame.freq_weights is None else frame.freq_weights
    codes, names = _groups(frame)
    parts = []
    for code, name in enumerate(names):
        mine = codes == code
        start = None if outcome.start is None else outcome.start[mine]
        curve = product_limit(
            outcome.stop[mine], outcome.event[mine], start=start, weights=weight[mine]
        )
        times = np.linspace(0.0, float(curve.time[-1]), _POINTS)[1:]
        value, _ = log_cumulative_hazard(law, frame.design.X[mine], times)
        fitted = weight[mine] @ np.exp(-np.exp(value)) / weight[mine].sum()
        for kind, at, survival in (
            ("observed", curve.time, curve.survival),
            ("fitted", times, fitted),
        ):
            part = {"time": np.append(0.0, at), "survival": np.append(1.0, survival)}
            parts.append(pd.DataFrame({"group": name, "kind": kind, **part}))
    return pd.concat(parts, ignore_index=True)


def _groups(frame: ModelFrame) -> tuple[np.ndarray, list[str]]:
    """Codes (n,) and names of the groups that the first term makes, or one group of all."""
    everyone = np.zeros(frame.n, dtype=np.intp), ["all"]
    if not frame.design.terms:
        return everyone
    term = frame.design.terms[0]
    block = frame.design.X[:, term.columns]
    values, codes = np.unique(block, axis=0, return_inverse=True)
    if len(values) > _MOST_GROUPS or term.kind in ("spline", "interaction"):
        return everyone
    names = []
    levels = [column.level for column in frame.design.columns[term.start : term.stop]]
    for row in values:
        if term.kind == "factor":
            marked = [name for name, on in zip(levels, row, strict=True) if on]
            names.append(f"{term.name} = {marked[0] if marked else term.reference}")
        else:
            names.append(f"{term.name} = {row[0]:g}")
    return codes.reshape(-1), names
