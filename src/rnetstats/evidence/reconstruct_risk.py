"""The at-risk table below a survival curve: read, checked, and fitted to the curve's points."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import DataError
from rnetstats.evidence.reconstruct_points import CleanCurve, number_column

__all__ = ["AtRisk", "at_risk_table", "only_total", "with_points"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AtRisk:
    """One arm's numbers at risk from time 0; arrays have shape (m,)."""

    time: Floats
    number: NDArray[np.intp]
    notes: tuple[str, ...] = ()


def only_total(total: int) -> AtRisk:
    """Return the table of an arm of which the patients at the start alone are known."""
    return AtRisk(np.zeros(1), np.array([total], dtype=np.intp))


def at_risk_table(
    frame: pd.DataFrame, names: dict[str, str], name: str, curve_end: float
) -> AtRisk:
    """Read one arm's numbers at risk.

    Parameters
    ----------
    frame : DataFrame
        The rows of one arm.
    names : dict
        ``risk_time`` and ``n_risk``: the columns.
    name : str
        The arm, as messages begin.
    curve_end : float
        Time of the curve's last point.

    Raises
    ------
    DataError
        If counts are not whole, rise, or begin after time 0; if times are out of order, or beyond
        the curve with patients still at risk.
    """
    time = number_column(frame, names["risk_time"], "the times of the at-risk table")
    number = number_column(frame, names["n_risk"], "numbers at risk")
    wrong = (number < 0.0) | (number != np.round(number)) | ~np.isfinite(number)
    if wrong.any():
        raise DataError(
            f"{name}Numbers at risk are counts; {number[wrong][0]:g} at time {time[wrong][0]:g} "
            "is none."
        )
    if time[0] != 0.0:
        raise DataError(
            f"{name}The at-risk table begins at time {time[0]:g}; the number at time 0, which is "
            "that of all patients, is missing. Add it."
        )
    _check_order(time, number, name)
    beyond = time > curve_end
    if np.any(beyond & (number > 0.0)):
        at = int(np.flatnonzero(beyond & (number > 0.0))[0])
        raise DataError(
            f"{name}{number[at]:g} patients are at risk at time {time[at]:g}, but the curve's last "
            f"point is at {curve_end:g}. Digitise the curve to its end: its last point is where "
            "the last patient leaves."
        )
    notes: tuple[str, ...] = ()
    if beyond.any():
        notes = (f"{name}At-risk times beyond the curve's last point, where it is 0, left out.",)
    return AtRisk(time[~beyond], number[~beyond].astype(np.intp), notes)


def _check_order(time: Floats, number: Floats, name: str) -> None:
    back = np.flatnonzero(np.diff(time) <= 0.0)
    if back.size:
        at = back[0] + 1
        raise DataError(
            f"{name}The times of the at-risk table are not in order: {time[at]:g} comes after "
            f"{time[at - 1]:g}."
        )
    up = np.flatnonzero(np.diff(number) > 0.0)
    if up.size:
        at = up[0] + 1
        raise DataError(
            f"{name}The numbers at risk rise from {number[at - 1]:g} at time {time[at - 1]:g} to "
            f"{number[at]:g} at time {time[at]:g}; nobody joins a risk set later."
        )
    if number[0] < 1.0:
        raise DataError(f"{name}Nobody is at risk at time 0.")


def with_points(curve: CleanCurve, risk: AtRisk) -> tuple[CleanCurve, NDArray[np.bool_]]:
    """Give every interval of the table a point: at its start, as high as the last point before.

    Returns
    -------
    CleanCurve
    array of bool, shape (k,)
        Which points were put in.
    """
    first = np.searchsorted(curve.time, risk.time, side="left")
    empty = np.append(np.diff(first) == 0, False)
    at = first[empty]
    time = np.insert(curve.time, at, risk.time[empty])
    survival = np.insert(curve.survival, at, curve.survival[at - 1])
    added = np.insert(np.zeros(len(curve.time), dtype=bool), at, True)
    return replace(curve, time=time, survival=survival), added
