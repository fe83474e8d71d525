"""Times that differ by rounding alone are one time: those of the data, and those asked for.

0.1 + 0.2 and 0.3 are one time, though a computer holds two numbers. Times of the data that are as
close as that were merged into the earliest of them, so that a time asked for, such as the largest
of a column, must be taken for the one that the data hold.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["as_observed", "merged_times", "one_time"]

Floats = NDArray[np.float64]

_ROUNDING = 1e-10  # times this close to each other, relatively, are one time


def merged_times(times: list[Floats]) -> list[Floats]:
    """Return times, those that differ by rounding alone as the earliest of them.

    Parameters
    ----------
    times : list of arrays
        Not negative. All are merged with each other.

    Returns
    -------
    list of arrays
        The list itself where all times differ by more.
    """
    values = np.sort(times[0] if len(times) == 1 else np.concatenate(times))
    gap = np.diff(values)
    if not ((gap > 0.0) & (gap <= _ROUNDING * values[1:])).any():
        return times
    values = np.unique(values)
    close = np.diff(values) <= _ROUNDING * values[1:]
    place = np.where(np.append(False, close), 0, np.arange(values.size))
    first = values[np.maximum.accumulate(place)]
    return [np.asarray(first[np.searchsorted(values, time)]) for time in times]


def as_observed(asked: ArrayLike, observed: ArrayLike) -> Floats:
    """Return times asked for, each as the observed time from which only rounding parts it.

    Parameters
    ----------
    asked : array of shape (m,), or a number
        Not negative; NaN and infinity stay.
    observed : array of shape (n,)
        The times of the data, merged.

    Returns
    -------
    array of shape (m,) or ()
        Times that lie apart from every observed one are as they were: one beyond follow-up stays
        beyond it.
    """
    times, found = np.asarray(asked, dtype=float), np.unique(np.asarray(observed, dtype=float))
    place = np.searchsorted(found, times)
    result = times
    for neighbour in (place - 1, place):
        near = found[np.clip(neighbour, 0, found.size - 1)]
        result = np.where(one_time(near, times), near, result)
    return np.asarray(result)


def one_time(first: Any, second: Any) -> Any:
    """Say whether times are the same, but for rounding; arrays or numbers."""
    later = np.maximum(first, second)
    with np.errstate(invalid="ignore"):  # infinite times
        close = np.abs(np.subtract(first, second)) <= _ROUNDING * later
    return np.isfinite(later) & close
