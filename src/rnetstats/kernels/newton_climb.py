"""The last part of an ascent without a maximum, where the information is next to singular.

Outcomes separated by a narrow gap leave, far out, only the rows beside it with any weight. They are
often fewer than the coefficients, so that Newton's equations have no single solution any more while
the likelihood may still rise by more than a P value forgives. In the directions that those rows do
tell of, the steps are as good as ever.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["WORTH", "climb_on", "still_to_gain"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Found = tuple[FloatArray, FloatArray, FloatArray]
Evaluate = Callable[[FloatArray, IntArray], Found]

_TOLD = 1e-14  # of the largest eigenvalue of the scaled information: below it is rounding
WORTH = 1e-8  # of log-likelihood: less is not worth a step
_STEPS = 200
_HALVINGS = 30
_ARMIJO = 1e-4  # of the gain that the slope promises


def still_to_gain(score: FloatArray, information: FloatArray, free: BoolArray | None) -> FloatArray:
    """Twice the log-likelihood that one more step promises each replicate (B,); 0 if unknown."""
    known = np.where(np.isfinite(score), score, 0.0)
    return np.asarray(np.vecdot(known, _steps(score, information, free)))


@np.errstate(over="ignore", invalid="ignore")  # a step out of bounds is halved
def climb_on(
    evaluate: Evaluate, beta: FloatArray, found: Found, row: IntArray, free: BoolArray | None
) -> tuple[FloatArray, Found]:
    """Climb from one point (1, p) until no step promises anything, or none keeps its promise."""
    for _ in range(_STEPS):
        value, score, information = found
        step = _steps(score, information, free)
        slope = float(np.vecdot(score, step)[0])
        if not slope > WORTH:
            break
        for halving in range(_HALVINGS):
            share = 0.5**halving
            onward = beta + share * step
            there = evaluate(onward, row)
            if _ARMIJO * share * slope <= there[0][0] - value[0] < np.inf:
                break
        else:
            break
        beta, found = onward, there
    return beta, found


def _steps(score: FloatArray, information: FloatArray, free: BoolArray | None) -> FloatArray:
    """Newton's steps (B, p) in the directions that the information tells of; else 0."""
    known = np.isfinite(score).all(axis=1) & np.isfinite(information).all(axis=(1, 2))
    moves = np.ones(score.shape, dtype=bool) if free is None else free.copy()
    moves[~np.asarray(known)] = False
    score = np.where(moves, score, 0.0)
    information = np.where(moves[:, :, None] & moves[:, None, :], information, 0.0)
    size = np.sqrt(np.maximum(np.diagonal(information, axis1=1, axis2=2), 0.0))
    size = np.where(size > 0.0, size, np.inf)
    values, vectors = np.linalg.eigh(information / (size[:, :, None] * size[:, None, :]))
    told = values > _TOLD * np.maximum(values[:, -1:], np.finfo(float).tiny)
    along = np.einsum("bp,bpk->bk", score / size, vectors)
    along = np.where(told, along / np.where(told, values, 1.0), 0.0)
    return np.asarray(np.einsum("bpk,bk->bp", vectors, along) / size)
