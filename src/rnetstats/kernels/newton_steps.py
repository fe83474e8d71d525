"""Newton's steps of many log-likelihoods at once: where each leads, and whether it is the last.

What a step is judged by stands here; :mod:`rnetstats.kernels.newton` runs the ascent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DIVERGED",
    "FAILED",
    "FLAT_STEP",
    "HALVINGS",
    "LOST_TERM",
    "OK",
    "RUNNING",
    "STATUS_TEXT",
    "BoolArray",
    "Evaluate",
    "FloatArray",
    "Found",
    "IntArray",
    "Points",
    "judge",
    "move",
    "solve_symmetric",
    "tail_steps",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

OK, LOST_TERM, DIVERGED, FAILED = 0, 1, 2, 3
STATUS_TEXT = ("ok", "lost_term", "diverged", "failed")

Found = tuple[FloatArray, FloatArray, FloatArray]
"""Log-likelihood (A,), score (A, p) and information (A, p, p) at A points."""

Evaluate = Callable[[FloatArray, IntArray], Found]
"""``(beta (A, p), index (A,)) -> (log-likelihood (A,), score (A, p), information (A, p, p))``.

``index`` names, in increasing order, the replicates to which the rows of ``beta`` belong.
"""

RUNNING = -1
HALVINGS = 20
_CHANGE = 1e-12  # relative change of the log-likelihood
_DECREMENT = 1e-18  # score' I^-1 score
FLAT_STEP = 1e-4  # a step this long at a zero decrement: the likelihood is flat
_TAIL_DECREMENT = 1e-8  # below it, equal steps in a row are those of an exponential tail
_TAIL_STEPS = 4
_TAIL_BEGINS = 1e-2  # decrement below which equal steps are taken for the tail's
_WILD = 1e8  # a step this long, of columns of order one, is a division by rounding
_ROUNDING = 1e-12  # least eigenvalue, in units of the largest, along which a step is known
_FLAT = 1e-14  # least eigenvalue of the information in units of its columns: below is rounding
_NOTHING = 1e-13  # a column's own information, in units of the largest: below is rounding
_OWN_SHARE = 1e-10  # a column's pivot in its own information, above which none is that small


@dataclass
class Points:
    """The replicates still running: where they are, and how they came there."""

    index: IntArray
    beta: FloatArray
    value: FloatArray
    score: FloatArray
    information: FloatArray
    free: BoolArray | None
    change: FloatArray
    decrement: FloatArray
    length: FloatArray
    tail: IntArray

    @classmethod
    def at(
        cls,
        beta: FloatArray,
        index: IntArray,
        found: tuple[FloatArray, FloatArray, FloatArray],
        free: BoolArray | None,
    ) -> Points:
        """Put replicates at `beta`, where `evaluate` found likelihood, score and information."""
        far = np.full(len(index), np.inf)
        tail = np.zeros(len(index), dtype=np.int64)
        return cls(index, beta, *found, None if free is None else free[index], far, far, far, tail)

    def stuck(self) -> IntArray:
        """Why it goes no further: the likelihood is flat in the direction of a step, or unknown."""
        flat = (np.abs(self.decrement) < _TAIL_DECREMENT) & (self.length > FLAT_STEP)
        return np.where(flat, DIVERGED, FAILED)

    def keep(self, rows: BoolArray) -> Points:
        """Return those of some rows."""
        parts: list[Any] = [None if part is None else part[rows] for part in vars(self).values()]
        return Points(*parts)


def judge(now: Points, *, concave: bool = False) -> tuple[FloatArray, IntArray]:
    """Newton's step from here, and whether it is the last one.

    A concave log-likelihood that is flat to rounding in some direction has no maximum that could
    be told from its tail.
    """
    score, information = now.score, now.information
    if now.free is not None:
        score = np.where(now.free, score, 0.0)
        both = now.free[:, :, None] & now.free[:, None, :]
        information = np.where(both, information, np.eye(score.shape[1]))
    step, singular = solve_symmetric(information, score)
    decrement = np.vecdot(score, step)
    if decrement.min(initial=0.0) < -_DECREMENT:  # the information is indefinite
        downhill = decrement < -_DECREMENT
        step[downhill] = _uphill(information[downhill], score[downhill])
        decrement = np.vecdot(score, step)
    length = np.abs(step).max(axis=1, initial=0.0)
    if length.max(initial=0.0) > _WILD:
        wild = (length > _WILD) & np.isfinite(information).all(axis=(1, 2))
        step[wild] = _not_along_rounding(information[wild], score[wild])
        decrement[wild] = np.vecdot(score[wild], step[wild])
    verdict = np.where(singular, DIVERGED, RUNNING)
    near = np.abs(decrement) < _TAIL_DECREMENT
    if near.any():
        long = length > FLAT_STEP
        in_tail = near & long & (decrement < 0.6 * now.decrement) & (length > 0.8 * now.length)
        now.tail = np.where(in_tail, now.tail + 1, 0)
        settled = (np.abs(decrement) < _DECREMENT) & (
            np.abs(now.change) <= _CHANGE * (np.abs(now.value) + 0.1)
        )
        verdict[settled & ~singular] = OK
        if settled.any():
            ends = _ends(information[settled], concave)
            verdict[settled] = np.where(ends == OK, verdict[settled], ends)
        verdict[(now.tail >= _TAIL_STEPS) | (settled & long)] = DIVERGED
    now.decrement, now.length = decrement, length
    return step, verdict


def tail_steps(now: Points, decrement: FloatArray, length: FloatArray) -> FloatArray:
    """How many equal steps lead to where a tail is recognised; 1 outside of a tail.

    Each step divides the decrement by the same factor, about e.
    """
    creeping = now.length > 0.8 * length
    many = np.ones(len(creeping))
    if not creeping.any():
        return many
    before = np.where(np.isfinite(decrement), decrement, 0.0)
    creeping &= (now.decrement < 0.6 * before) & (now.decrement > 0.2 * before)
    creeping &= (now.decrement < _TAIL_BEGINS) & (now.decrement > _TAIL_DECREMENT)
    if creeping.any():
        here = now.decrement[creeping]
        left = np.log(here / _TAIL_DECREMENT) / np.log(before[creeping] / here)
        many[creeping] = np.maximum(np.floor(left), 1.0)
    return many


def move(
    evaluate: Evaluate, now: Points, step: FloatArray, *, halvings: int = HALVINGS
) -> BoolArray:
    """Move each replicate along its step, halved until the likelihood does not fall."""
    beta = now.beta + step
    value, score, information = evaluate(beta, now.index)
    floor = now.value - _CHANGE * (np.abs(now.value) + 0.1)
    moved: BoolArray = (value >= floor) & (value < np.inf)  # False for what is not a number
    if not moved.all():
        beta, value, score, information = (
            np.array(part) for part in (beta, value, score, information)
        )
        for halving in range(1, halvings + 1):
            rows = np.flatnonzero(~moved)
            beta[rows] = now.beta[rows] + step[rows] * 0.5**halving
            value[rows], score[rows], information[rows] = evaluate(beta[rows], now.index[rows])
            # a step that was halved until it rounded to nothing would be so for ever
            stands = (now.change[rows] == 0.0) & (beta[rows] == now.beta[rows]).all(axis=1)
            moved[rows] = (value[rows] >= floor[rows]) & (value[rows] < np.inf) & ~stands
            if moved.all():
                break
        stuck = ~moved
        beta[stuck], value[stuck] = now.beta[stuck], now.value[stuck]
        score[stuck], information[stuck] = now.score[stuck], now.information[stuck]
    found = _without_swings(evaluate, now, step, moved, (beta, value, score, information))
    beta, value, score, information = found
    now.change = value - now.value  # not a number where the ascent began outside
    now.beta, now.value, now.score, now.information = beta, value, score, information
    return moved


def _without_swings(
    evaluate: Evaluate,
    now: Points,
    step: FloatArray,
    moved: BoolArray,
    reached: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Go half as far where that is higher and the slope has turned round.

    Where a penalty curves as much as the likelihood, full steps swing about the maximum for ever.
    """
    _, value, score, _ = reached
    swings = moved & (np.vecdot(score, step) < -0.5 * np.abs(np.vecdot(now.score, step)))
    if not swings.any():
        return reached
    rows = np.flatnonzero(swings)
    middle = now.beta[rows] + 0.5 * step[rows]
    found = (middle, *evaluate(middle, now.index[rows]))
    better = found[1] >= value[rows]
    parts = tuple(np.array(part) for part in reached)
    for part, new in zip(parts, found, strict=True):
        part[rows[better]] = new[better]
    return parts[0], parts[1], parts[2], parts[3]


def solve_symmetric(matrices: FloatArray, right: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Solve a stack of systems; a singular one gets a small ridge and is reported.

    Parameters
    ----------
    matrices : array of shape (A, p, p)
    right : array of shape (A, p) or (A, p, k)

    Returns
    -------
    solution : array of the shape of `right`
    singular : bool array of shape (A,)
    """
    singular: BoolArray = np.zeros(len(matrices), dtype=bool)
    solution: FloatArray
    try:
        columns = right if right.ndim == 3 else right[..., None]
        solution = np.asarray(np.linalg.solve(matrices, columns), dtype=float)
        return solution.reshape(right.shape), singular
    except np.linalg.LinAlgError:
        solution = np.zeros_like(right)
    identity = np.eye(right.shape[1])
    for i, (matrix, vector) in enumerate(zip(matrices, right, strict=True)):
        try:
            solution[i] = np.linalg.solve(matrix, vector)
        except np.linalg.LinAlgError:
            singular[i] = True
            ridge = 1e-8 * (np.abs(np.diag(matrix)).max() or 1.0)
            solution[i] = np.linalg.lstsq(matrix + ridge * identity, vector, rcond=None)[0]
    return solution, singular


def _uphill(matrices: FloatArray, score: FloatArray) -> FloatArray:
    """Newton's step with each eigenvalue of the information taken as positive."""
    values, vectors = np.linalg.eigh(matrices)
    size = np.abs(values)
    return _divided(vectors, score, np.maximum(size, 1e-8 * size.max(axis=1, keepdims=True)))


def _not_along_rounding(matrices: FloatArray, score: FloatArray) -> FloatArray:
    """Newton's step without the directions in which the likelihood is flat to rounding.

    A step along them is as long as rounding has it, and so far out no coefficient can be told.
    """
    values, vectors = np.linalg.eigh(matrices)
    return _divided(vectors, score, np.where(values > _ROUNDING * values[:, -1:], values, np.inf))


def _divided(vectors: FloatArray, score: FloatArray, values: FloatArray) -> FloatArray:
    """Step of an information with these eigenvectors and eigenvalues."""
    turned = (score[:, None, :] @ vectors)[:, 0, :] / values
    return np.asarray((vectors @ turned[:, :, None])[:, :, 0])


def _ends(matrices: FloatArray, concave: bool) -> IntArray:
    """What a settled replicate has reached (B,): a maximum, a saddle or, if concave, a flat tail.

    No eigenvalue may be negative beyond rounding; a concave log-likelihood has none that is zero.
    """
    found: IntArray = np.full(len(matrices), OK)
    own = matrices.diagonal(axis1=1, axis2=2)
    nothing = concave & (own.min(axis=1, initial=np.inf) < _NOTHING * own.max(axis=1, initial=0.0))
    found[nothing] = DIVERGED
    try:
        pivots = np.linalg.cholesky(matrices).diagonal(axis1=1, axis2=2) ** 2
        if not concave or (pivots > _OWN_SHARE * own).all():
            return found
    except np.linalg.LinAlgError:
        values = np.linalg.eigvalsh(matrices)
        found[~nothing & ~(values[:, 0] > -1e-8 * values[:, -1])] = FAILED
    if concave:
        size = np.sqrt(np.maximum(own, np.finfo(float).tiny))
        values = np.linalg.eigvalsh(matrices / (size[:, :, None] * size[:, None, :]))
        found[(found == OK) & ~(values[:, 0] > _FLAT * values[:, -1])] = DIVERGED
    return found
