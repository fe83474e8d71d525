"""Predictions of many replicates in ascending order, each with its outcome and its weight.

What rests on the order of the predictions (an area under the curve, a smooth curve) shares one
sort. A bootstrap replicate lacks a third of the rows: these are left out first, and everything
after the sort has so much less to do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.newton import BoolArray, FloatArray, IntArray

__all__ = ["Ordered", "in_order", "mean_difference", "pick"]

_KEY_BITS = 12  # of a key for the place in its row; with more, values near each other share a key


@dataclass(frozen=True, eq=False)
class Ordered:
    """The rows of B replicates by ascending prediction, m places each.

    Attributes
    ----------
    x, y, w : arrays of shape (B, m)
        Prediction, outcome and weight. A replicate of fewer rows than places has its largest
        prediction in the places that are left, with weight 0; no other weight is 0.
    n : int
        Rows of the data, those that a replicate lacks included.
    tied : bool
        Whether some replicate may have two rows of one prediction; False is certain.
    alike : bool
        Whether every weight is 1.
    """

    x: FloatArray
    y: FloatArray
    w: FloatArray
    n: int
    tied: bool
    alike: bool

    def ties(self) -> BoolArray:
        """Whether each row but the first has the prediction of the one before it (B, m - 1)."""
        return np.asarray((self.x[:, 1:] == self.x[:, :-1]) & (self.w[:, 1:] > 0.0))

    def part(self, rows: slice) -> Ordered:
        """Some of the replicates."""
        return Ordered(self.x[rows], self.y[rows], self.w[rows], self.n, self.tied, self.alike)


def in_order(y: ArrayLike, score: ArrayLike, freq: ArrayLike | None = None) -> Ordered:
    """Sort the rows of each replicate.

    Parameters
    ----------
    y : array of shape (n,)
    score : array of shape (n,) or (B, n)
        Below infinity.
    freq : array of shape (n,) or (B, n), optional
        Whole numbers; rows with zero are left out.

    Returns
    -------
    Ordered
    """
    outcome = np.asarray(y, dtype=np.float64)
    scores = np.atleast_2d(np.asarray(score, dtype=np.float64))
    weight = np.ones((1, outcome.size))
    if freq is not None:
        weight = np.atleast_2d(np.asarray(freq, dtype=np.float64))
        lacking = weight == 0.0
        if lacking.any():
            return _with_gaps(outcome, scores, weight, lacking)
    x, places, tied = _lined_up(scores)
    alike = freq is None or bool((weight == 1.0).all())
    if freq is None:
        w = weight
    elif len(weight) == 1:
        w = weight[0][places]
    else:
        w = weight[:, places[0]] if len(places) == 1 else pick(weight, places)
    shape = (max(len(scores), len(weight)), outcome.size)
    x, ordered, w = (np.broadcast_to(part, shape) for part in (x, outcome.take(places), w))
    return Ordered(x, ordered, w, outcome.size, tied, alike)


def _with_gaps(
    y: FloatArray, scores: FloatArray, weight: FloatArray, lacking: BoolArray
) -> Ordered:
    """Sort rows of which some are lacking: these go behind the others, and as far as can be out."""
    shape = (max(len(scores), len(weight)), y.size)
    scores, weight = np.broadcast_to(scores, shape), np.broadcast_to(weight, shape)
    x, places, tied = _lined_up(scores, np.broadcast_to(lacking, shape))
    return Ordered(x, y.take(places), pick(weight, places), y.size, tied, False)


def _lined_up(
    values: FloatArray, lacking: BoolArray | None = None
) -> tuple[FloatArray, IntArray, bool]:
    """Ascending values of each row (B, n), their places in it, both (B, m), and `Ordered.tied`.

    The bits of a float, read as a whole number, order as the float does (of a negative one the
    other way round). In short rows the last few of them give way to the value's place: to sort
    numbers takes half the time of finding their order. Rows with values that differ in no other
    bits are sorted again.
    """
    n = values.shape[1]
    bits = max(n - 1, 0).bit_length()
    if bits > _KEY_BITS:
        return *_by_order(values, lacking), True
    read, sign = np.ascontiguousarray(values).view(np.int64), np.int64(-1 << 63)
    keys = read ^ (sign if values.min(initial=0.0) >= 0.0 else (read >> 63) | sign)
    if lacking is not None:
        keys |= -lacking.astype(np.int64)
    low = np.int64((1 << bits) - 1)
    keys &= ~low
    keys |= np.arange(n)
    keys.view(np.uint64).sort(axis=1)
    held = np.full(len(values), n) if lacking is None else n - np.count_nonzero(lacking, axis=1)
    m = max(1, int(held.max(initial=0)))
    places: IntArray = keys[:, :m] & low
    x = pick(values, places)
    if lacking is not None:
        np.copyto(x, _highest(x, held), where=np.arange(m) >= held[:, None])
    level = x[:, 1:] <= x[:, :-1]
    # each place that is left repeats the one before it, but for the first of a replicate
    if np.count_nonzero(level) == np.minimum(m - held, m - 1).sum():
        return x, places, False
    again = (x[:, 1:] < x[:, :-1]).any(axis=1)
    if again.any():
        missing = None if lacking is None else lacking[again]
        x[again], places[again] = _by_order(values[again], missing, m)
    return x, places, True


def _by_order(
    values: FloatArray, lacking: BoolArray | None, m: int | None = None
) -> tuple[FloatArray, IntArray]:
    """Do the same by finding the order of the values, m of each row."""
    if lacking is None:
        places = np.argsort(values, axis=1)
        return pick(values, places), places
    known = np.where(lacking, np.inf, values)
    held = values.shape[1] - np.count_nonzero(lacking, axis=1)
    wide = max(1, int(held.max())) if m is None else m
    places = np.argsort(known, axis=1)[:, :wide]
    x = pick(known, places)
    return np.minimum(x, _highest(x, held), out=x), places


def _highest(x: FloatArray, held: IntArray) -> FloatArray:
    """Last of the values that a row holds (B, 1), 0 where it holds none."""
    return np.where(held[:, None] > 0, pick(x, np.maximum(held - 1, 0)[:, None]), 0.0)


def pick(rows: FloatArray, places: IntArray) -> FloatArray:
    """Values (b, m) at places (b, m) of rows (b, k)."""
    flat = places + rows.shape[1] * np.arange(len(rows))[:, None]
    found: FloatArray = np.take(rows, flat, mode="clip")  # all are inside: no check of them first
    return found


def mean_difference(x: FloatArray, w: FloatArray) -> FloatArray:
    """Mean absolute difference of two different rows, ascending values and weights (B, m)."""
    running = np.cumsum(w, axis=1)
    total = running[:, -1]
    # A row is above those before it and below those after it.
    place = 2.0 * running - w - total[:, None]
    place *= w
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 2.0 * np.vecdot(place, x) / (total * (total - 1.0))
    return np.where(total > 1.0, found, np.nan)
