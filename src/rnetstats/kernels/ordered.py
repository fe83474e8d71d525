"""Predictions of many replicates in ascending order, each with its outcome and its weight.

What rests on the order of the predictions (an area under the curve, a smooth curve) shares one
sort. A bootstrap replicate lacks a third of the rows: these are left out first, and everything
after the sort has so much less to do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.newton import FloatArray, IntArray

__all__ = ["Ordered", "in_order", "pick"]


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
    """

    x: FloatArray
    y: FloatArray
    w: FloatArray
    n: int

    def part(self, rows: slice) -> Ordered:
        """Some of the replicates."""
        return Ordered(self.x[rows], self.y[rows], self.w[rows], self.n)


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
    weight = np.ones((1, outcome.size)) if freq is None else np.atleast_2d(freq).astype(np.float64)
    lacking = weight == 0.0
    if lacking.any():
        return _with_gaps(outcome, scores, weight, lacking)
    shape = (max(len(scores), len(weight)), outcome.size)
    places = np.argsort(scores, axis=1)
    x, ordered = pick(scores, places), outcome[places]
    if freq is None:
        w = weight
    elif len(weight) == 1:
        w = weight[0][places]
    else:
        w = weight[:, places[0]] if len(places) == 1 else pick(weight, places)
    x, ordered, w = (np.broadcast_to(part, shape) for part in (x, ordered, w))
    return Ordered(x, ordered, w, outcome.size)


def _with_gaps(
    y: FloatArray, scores: FloatArray, weight: FloatArray, lacking: np.ndarray
) -> Ordered:
    """Sort rows of which some are lacking: these go behind the others, and as far as can be out."""
    shape = (max(len(scores), len(weight)), y.size)
    key = np.array(np.broadcast_to(scores, shape))
    np.putmask(key, np.broadcast_to(lacking, shape), np.inf)
    held = np.broadcast_to(y.size - np.count_nonzero(lacking, axis=1), shape[:1])
    places = np.argsort(key, axis=1)[:, : max(1, int(held.max()))]
    x, w = pick(key, places), pick(np.broadcast_to(weight, shape), places)
    highest = pick(x, np.maximum(held - 1, 0)[:, None])
    highest[held == 0] = 0.0
    np.minimum(x, highest, out=x)
    return Ordered(x, y[places], w, y.size)


def pick(rows: FloatArray, places: IntArray) -> FloatArray:
    """Values (b, m) at places (b, m) of rows (b, k)."""
    flat = places + rows.shape[1] * np.arange(len(rows))[:, None]
    found: FloatArray = np.take(rows, flat, mode="clip")  # all are inside: no check of them first
    return found
