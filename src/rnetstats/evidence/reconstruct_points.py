"""Digitised points of survival curves: read, checked, and cleaned of the noise of digitising."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import DataError
from rnetstats.formatting import fmt_count, fmt_number
from rnetstats.formula.variables import read_variable

__all__ = ["CleanCurve", "clean_curve", "is_percent", "number_column"]

Floats = NDArray[np.float64]

_BEFORE = 0.05  # of the curve's length: how far before 0 a point may stand by a slip of the hand


@dataclass(frozen=True)
class CleanCurve:
    """One arm's curve from (0, 1) on; arrays have shape (k,).

    Attributes
    ----------
    time, survival : array
        Times rise or are equal (at most two points a time), survival never rises.
    given : int
        Points before cleaning.
    notes : tuple of str
        What cleaning changed.
    """

    time: Floats
    survival: Floats
    given: int
    notes: tuple[str, ...]


def number_column(frame: pd.DataFrame, name: str, use: str) -> Floats:
    """Return a column of numbers, none of them missing.

    Raises
    ------
    ColumnError
        If there is no such column, or it does not hold numbers.
    DataError
        If a number is missing.
    """
    values = read_variable(frame, name).numbers(use)
    if np.isnan(values).any():
        row = int(np.flatnonzero(np.isnan(values))[0]) + 1
        raise DataError(f"Column {name!r} is missing in row {row}; remove the row or fill it in.")
    return values


def is_percent(survival: Floats, percent: bool | None, tolerance: float) -> bool:
    """Say whether survival is in per cent: as told, or if a value is well above 1.

    Raises
    ------
    DataError
        If a value is above the scale, or below 0.
    """
    told = percent if percent is not None else bool(survival.max() > 1.0 + tolerance)
    full = 100.0 if told else 1.0
    over = survival > full * (1.0 + tolerance)
    if over.any():
        row = int(np.flatnonzero(over)[0])
        hint = "" if told else " Survival in per cent? Say percent=True."
        raise DataError(
            f"Survival is {survival[row]:g} in row {row + 1} of the points, above {full:g}.{hint}"
        )
    below = survival < -full * tolerance
    if below.any():
        row = int(np.flatnonzero(below)[0])
        raise DataError(f"Survival is {survival[row]:g} in row {row + 1} of the points, below 0.")
    return told


def clean_curve(
    time: Floats, survival: Floats, rows: NDArray[np.intp], name: str, tolerance: float
) -> CleanCurve:
    """Clean one arm's points.

    Points before time 0, and at it if they lie within the tolerance of 1, are replaced by (0, 1);
    rises within the tolerance are levelled to the value before; of several points at one time the
    highest and the lowest are kept.

    Parameters
    ----------
    time, survival : array, shape (k,)
        As digitised, survival as a share of 1.
    rows : array, shape (k,)
        Row numbers from 1, for messages.
    name : str
        The arm, as messages begin: empty or ``"A: "``.
    tolerance : float
        Largest rise that is noise.

    Raises
    ------
    DataError
        For fewer than two points, times out of order or well before 0, a curve that rises.
    """
    _check(time, survival, rows, name, tolerance)
    notes = []
    level = np.clip(survival, 0.0, 1.0)
    start = (time < 0.0) | ((time == 0.0) & (level >= 1.0 - tolerance))
    moved = int(np.count_nonzero(start & ((time < 0.0) | (level < 1.0))))
    if moved:
        notes.append(f"{name}{_points(moved)} at or before time 0 replaced by (0, 1).")
    times = np.append(0.0, time[~start])
    given = np.append(1.0, level[~start])
    falling = np.minimum.accumulate(given)
    rises = falling < given
    if rises.any():
        largest = fmt_number(float(np.max(given - falling)), 4)
        count = int(np.count_nonzero(rises))
        notes.append(
            f"{name}{_points(count)} lay above an earlier one (by {largest} at most) and "
            f"{'was' if count == 1 else 'were'} lowered to it."
        )
    inner = np.zeros(len(times), dtype=bool)
    inner[1:-1] = (times[1:-1] == times[:-2]) & (times[1:-1] == times[2:])
    if inner.any():
        count = int(np.count_nonzero(inner))
        notes.append(f"{name}{_points(count)} between two others at the same time left out.")
    return CleanCurve(times[~inner], falling[~inner], len(time), tuple(notes))


def _points(count: int) -> str:
    return f"{fmt_count(count)} point{'' if count == 1 else 's'}"


def _check(
    time: Floats, survival: Floats, rows: NDArray[np.intp], name: str, tolerance: float
) -> None:
    if len(time) < 2:
        raise DataError(f"{name}A curve needs two points at least; there is {len(time)}.")
    back = np.flatnonzero(np.diff(time) < 0.0)
    if back.size:
        at = back[0] + 1
        raise DataError(
            f"{name}The times are not in order: {time[at]:g} in row {rows[at]} of the points "
            f"comes after {time[at - 1]:g}. Sort the points along the curve."
        )
    if time[-1] <= 0.0:
        raise DataError(f"{name}No point lies after time 0.")
    if time[0] < -_BEFORE * time[-1]:
        raise DataError(
            f"{name}Time {time[0]:g} in row {rows[0]} of the points lies well before 0; "
            "set the axes of the digitised figure again."
        )
    rise = survival - np.minimum.accumulate(survival)
    at = int(np.argmax(rise > tolerance))
    if rise[at] > tolerance:
        raise DataError(
            f"{name}The curve rises to {survival[at]:g} at time {time[at]:g} (row {rows[at]} of "
            f"the points), {fmt_number(float(rise[at]), 4)} above an earlier point. Correct the "
            f"point, or raise tolerance= (now {tolerance:g}) if that is noise."
        )
