"""Neighbourhoods of local regression: the distinct values of a variable, windows and weights.

References
----------
Cleveland WS (1979). Robust locally weighted regression and smoothing scatterplots. J Am Stat
Assoc 74:829-836.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.newton import FloatArray, IntArray

__all__ = ["Distinct", "distinct", "tricube", "window_width"]


@dataclass(frozen=True, eq=False)
class Distinct:
    """The distinct values of a variable, k of them, ascending.

    Attributes
    ----------
    x, count : arrays of shape (k,)
        Value, and how many rows have it.
    place : int array of shape (n,)
        The value of each row.
    """

    x: FloatArray
    count: FloatArray
    place: IntArray

    def mean(self, y: ArrayLike, freq: ArrayLike | None = None) -> FloatArray:
        """Mean of y (n,) at each value, (k,)."""
        values = np.asarray(y, dtype=np.float64)
        weights = values if freq is None else values * np.asarray(freq)
        return np.asarray(np.bincount(self.place, weights, len(self.x)) / self.count)


def distinct(x: ArrayLike, freq: ArrayLike | None = None) -> Distinct:
    """Group rows by their value.

    Parameters
    ----------
    x : array of shape (n,)
    freq : array of shape (n,), optional
        Whole numbers above 0: each row counts so often.

    Returns
    -------
    Distinct
    """
    values, place = np.unique(np.asarray(x, dtype=np.float64), return_inverse=True)
    weights = None if freq is None else np.asarray(freq, dtype=np.float64)
    count = np.bincount(place, weights, len(values)).astype(np.float64)
    return Distinct(values, count, place)


def tricube(distance: FloatArray, h: FloatArray) -> FloatArray:
    """Weights (m, k) of distances (m, k) in windows of half-width h (m,)."""
    wide = h[:, None]
    if (h > 0.0).all():
        ratio = distance / wide
    else:
        alone = np.where(distance > 0.0, 1.0, 0.0)  # in a window without width
        ratio = np.divide(distance, wide, out=alone, where=wide > 0.0)
    np.clip(ratio, 0.0, 1.0, out=ratio)
    left = 1.0 - ratio * ratio * ratio  # a product is many times as fast as a power
    return np.asarray(left * left * left)


def window_width(x: FloatArray, cumulative: FloatArray, points: FloatArray, q: float) -> FloatArray:
    """Distance from each point to its q-th nearest row.

    The q nearest rows are neighbours in order. Of the windows that begin at each value and hold q
    rows, the one whose middle is next to the point is the narrowest around it.

    Parameters
    ----------
    x, cumulative : arrays of shape (k,)
        Ascending values, and how many rows there are up to each.
    points : array of shape (m,)
    q : float

    Returns
    -------
    array of shape (m,)
    """
    before = np.append(0.0, cumulative[:-1])
    begins = np.flatnonzero(before + q <= cumulative[-1])
    left, right = x[begins], x[np.searchsorted(cumulative, before[begins] + q)]
    after = np.searchsorted(left + right, 2.0 * points)
    width = np.full(len(points), np.inf)
    for window in (after - 1, after):
        inside = (window >= 0) & (window < len(begins))
        chosen = np.clip(window, 0, len(begins) - 1)
        reach = np.maximum(points - left[chosen], right[chosen] - points)
        width = np.where(inside, np.minimum(width, reach), width)
    return width
