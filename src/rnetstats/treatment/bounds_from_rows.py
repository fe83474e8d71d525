"""Bounds from patient rows: each group's events, person-time and survival."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame, is_synthetic, label_of
from rnetstats.errors import DataError, FormulaError
from rnetstats.formula.groups import GroupFrame, group_frame
from rnetstats.kernels.same_times import as_observed
from rnetstats.survival.bpcp import beta_product_limits
from rnetstats.survival.curve_tables import time_points
from rnetstats.treatment.bounds import Followed

__all__ = ["followed_rows"]

Floats = NDArray[np.float64]


def followed_rows(
    data: Data,
    formula: str,
    times: float | Sequence[float] | None,
    missing: str,
    conf_level: float,
) -> tuple[list[Followed], str, tuple[str, ...], bool]:
    """Read each group of a formula: what is known of each, their column, notes, whether synthetic.

    Raises
    ------
    FormulaError
        For late entry, strata or clusters, and for times without ``Surv``.
    DataError
        If a group has no time at risk.
    """
    frame = as_frame(data)
    read = group_frame(frame, formula, kind="either", missing=missing)
    if read.strata is not None or read.cluster is not None:
        raise FormulaError(f"strata() and cluster() have no meaning in {formula!r}: write groups.")
    outcome = read.outcome
    if outcome.start is not None:
        raise FormulaError("Bounds count follow-up from time 0: write Surv(time, event).")
    if outcome.stop is None and times is not None:
        raise FormulaError(f"times= needs a time: write Surv(time, event), not {outcome.name!r}.")
    points = None
    if outcome.stop is not None:
        points = time_points(float(np.median(outcome.stop)) if times is None else times)
        points = as_observed(points, outcome.stop)
    parts = [_one(read, code, points, conf_level) for code in range(len(read.groups.labels))]
    named = ", ".join(label_of(frame, name) for name in read.groups.columns)
    return parts, named, (*read.notes, *_notes(read)), is_synthetic(frame)


def _one(read: GroupFrame, code: int, points: Floats | None, conf_level: float) -> Followed:
    mine, label = read.groups.codes == code, read.groups.labels[code]
    outcome = read.outcome
    event = outcome.event if outcome.y is None else outcome.y == 1.0
    assert event is not None
    empty = pd.DataFrame()
    n, events = int(mine.sum()), int(event[mine].sum())
    if outcome.stop is None or points is None:
        return Followed(label, n, events, None, False, empty)
    stop = outcome.stop[mine]
    if not stop.sum() > 0.0:
        raise DataError(f"Group {label!r} has no person-time: all its times are 0.")
    survival = _survival(stop, event[mine], points, conf_level)
    return Followed(label, n, events, float(stop.sum()), False, survival)


def _survival(
    stop: Floats, event: NDArray[np.bool_], points: Floats, conf_level: float
) -> pd.DataFrame:
    """Kaplan-Meier survival with beta product limits, one-sided ones from below."""
    grid = np.union1d(stop, points)
    ordered = np.sort(stop)
    n_risk = (len(stop) - np.searchsorted(ordered, grid, side="left")).astype(float)
    n_left = (len(stop) - np.searchsorted(ordered, grid, side="right")).astype(float)
    n_event = np.bincount(np.searchsorted(grid, stop[event]), minlength=len(grid)).astype(float)
    factor = np.divide(n_event, n_risk, out=np.zeros(len(grid)), where=n_risk > 0)
    curve = np.cumprod(1.0 - factor)
    place = np.searchsorted(grid, points)
    rows = []
    for sides, inner in (("two-sided", conf_level), ("one-sided", 2.0 * conf_level - 1.0)):
        low, high = beta_product_limits(n_risk, n_event, n_left, conf_level=inner)
        for time, k in zip(points, place, strict=True):
            top = float(high[k]) if sides == "two-sided" else 1.0
            rows.append((sides, float(time), int(n_left[k]), float(curve[k]), float(low[k]), top))
    columns = ["sides", "time", "n", "estimate", "conf_low", "conf_high"]
    return pd.DataFrame(rows, columns=columns).sort_values("time", kind="stable")


def _notes(read: GroupFrame) -> list[str]:
    notes = [f"The endpoint is {read.outcome.name}."]
    if read.outcome.stop is not None:
        notes.append(
            "The bound on the risk is that of an event within each patient's own follow-up, "
            "whatever its length; survival at a time is bounded apart. n beside survival counts "
            "the patients still watched after the time."
        )
    return notes
