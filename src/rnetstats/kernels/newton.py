"""Safeguarded Newton ascent of many concave log-likelihoods at once.

Each replicate converges, diverges or fails by itself: a finished one is written down and taken
out of the batch, so that its result does not depend on the others beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "DIVERGED",
    "FAILED",
    "LOST_TERM",
    "OK",
    "STATUS_TEXT",
    "Evaluate",
    "FloatArray",
    "NewtonFit",
    "maximise",
    "rows_of",
    "solve_symmetric",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
AnyArray = TypeVar("AnyArray", FloatArray, BoolArray)

OK, LOST_TERM, DIVERGED, FAILED = 0, 1, 2, 3
STATUS_TEXT = ("ok", "lost_term", "diverged", "failed")

Evaluate = Callable[[FloatArray, IntArray], tuple[FloatArray, FloatArray, FloatArray]]
"""``(beta (A, p), index (A,)) -> (log-likelihood (A,), score (A, p), information (A, p, p))``.

``index`` names, in increasing order, the replicates to which the rows of ``beta`` belong.
"""

_RUNNING = -1
_MAX_HALVINGS = 20
_CHANGE = 1e-12  # relative change of the log-likelihood
_DECREMENT = 1e-18  # score' I^-1 score
_FLAT_STEP = 1e-4  # a step this long at a zero decrement: the likelihood is flat
_TAIL_DECREMENT = 1e-8  # below it, equal steps in a row are those of an exponential tail
_TAIL_STEPS = 4
_OFF_SADDLE = 0.1  # along the direction in which the likelihood rises
_TAIL_BEGINS = 1e-2  # decrement below which equal steps are taken for the tail's


@dataclass(frozen=True)
class NewtonFit:
    """Where each replicate ended.

    Attributes
    ----------
    coef, score : arrays of shape (B, p)
    log_likelihood : array of shape (B,)
    information : array of shape (B, p, p)
        Of all coordinates, those held fixed included.
    status : int array of shape (B,)
        ``OK``, ``DIVERGED`` or ``FAILED``.
    iterations : int array of shape (B,)
    """

    coef: FloatArray
    log_likelihood: FloatArray
    score: FloatArray
    information: FloatArray
    status: IntArray
    iterations: IntArray

    def replace(self, rows: IntArray, other: NewtonFit) -> None:
        """Put the replicates of another fit in the place of some of this one."""
        for name, values in vars(self).items():
            values[rows] = getattr(other, name)


def maximise(
    evaluate: Evaluate,
    start: FloatArray,
    *,
    free: BoolArray | None = None,
    first: tuple[FloatArray, FloatArray, FloatArray] | None = None,
    max_iter: int = 100,
    retry: bool = True,
    concave: bool = False,
) -> NewtonFit:
    """Maximise B log-likelihoods by Newton's method with step halving.

    A replicate has converged when the relative change of its log-likelihood is below 1e-12 and
    score' I^-1 score below 1e-18; one more step is then made. It has diverged when its steps do
    not shrink while the decrement vanishes: in the exponential tail of a separated likelihood
    each Newton step is as long as the one before. What fails is tried once more, alone, from
    zero. Columns are expected to be scaled to order one.

    Parameters
    ----------
    evaluate : Evaluate
        Returns log-likelihood, score and information for the given replicates.
    start : array of shape (B, p)
    free : bool array of shape (B, p), optional
        Coordinates that are not free keep their start value.
    first : tuple of arrays, optional
        What `evaluate` returns for all replicates at `start`, where it is known.
    max_iter : int
        Newton steps, each of at most 20 halvings.
    retry : bool
        Whether to try what failed once more.
    concave : bool
        Whether the log-likelihoods are concave everywhere: in an exponential tail, as many steps
        as lead to its end are then taken at once.

    Returns
    -------
    NewtonFit
    """
    start = np.asarray(start, dtype=float)
    size, p = start.shape
    mask = None if free is None or bool(np.all(free)) else np.broadcast_to(free, (size, p))
    fit = NewtonFit(
        coef=start.copy(),
        log_likelihood=np.full(size, np.nan),
        score=np.full((size, p), np.nan),
        information=np.full((size, p, p), np.nan),
        status=np.full(size, FAILED),
        iterations=np.zeros(size, dtype=np.int64),
    )
    everyone = np.arange(size)
    first = first or evaluate(start, everyone)
    _ascend(evaluate, _Points.at(start, everyone, first, mask), max_iter, fit, concave)
    for row in np.flatnonzero(fit.status == FAILED):
        _leave_saddle(evaluate, fit, np.array([row]), mask, max_iter)
    for row in np.flatnonzero(fit.status == FAILED) if retry else ():
        alone = np.array([row])
        zero = np.zeros((1, p)) if mask is None else np.where(mask[alone], 0.0, start[alone])
        now = _Points.at(zero, alone, evaluate(zero, alone), mask)
        _ascend(evaluate, now, max_iter, fit, False)
    return fit


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


def rows_of(array: AnyArray, index: IntArray) -> AnyArray:
    """Return the rows of replicates in increasing order; a single row belongs to all of them."""
    return array if len(array) in {1, len(index)} else array[index]


@dataclass
class _Points:
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
    ) -> _Points:
        far = np.full(len(index), np.inf)
        tail = np.zeros(len(index), dtype=np.int64)
        return cls(index, beta, *found, None if free is None else free[index], far, far, far, tail)

    def stuck(self) -> IntArray:
        """Why it goes no further: the likelihood is flat in the direction of a step, or unknown."""
        flat = (np.abs(self.decrement) < _TAIL_DECREMENT) & (self.length > _FLAT_STEP)
        return np.where(flat, DIVERGED, FAILED)

    def keep(self, rows: BoolArray) -> _Points:
        parts: list[Any] = [None if part is None else part[rows] for part in vars(self).values()]
        return _Points(*parts)


@np.errstate(over="ignore", invalid="ignore")  # a step towards infinity is halved
def _ascend(evaluate: Evaluate, now: _Points, max_iter: int, fit: NewtonFit, concave: bool) -> None:
    """Run the replicates to their end, writing into `fit` as each arrives."""
    for iteration in range(1, max_iter + 1):
        decrement, length = now.decrement, now.length
        step, verdict = _judge(now)
        if concave and iteration > 2:
            step *= _tail_steps(now, decrement, length)[:, None]
        arrived = verdict != _RUNNING
        if arrived.any():
            # The last step is below 1e-9 standard errors: what was found before it stays true.
            now.beta = now.beta + np.where((verdict == OK)[:, None], step, 0.0)
            _record(fit, now, arrived, verdict[arrived], iteration)
            if arrived.all():
                return
            now, step = now.keep(~arrived), step[~arrived]
        moved = _move(evaluate, now, step)
        if not moved.all():
            _record(fit, now, ~moved, now.stuck()[~moved], iteration)
            if not moved.any():
                return
            now = now.keep(moved)
    _record(fit, now, np.ones(len(now.index), dtype=bool), now.stuck(), max_iter)


def _leave_saddle(
    evaluate: Evaluate, fit: NewtonFit, alone: IntArray, free: BoolArray | None, max_iter: int
) -> None:
    """Where a replicate ended on a saddle, go on to the higher of the maxima on its two sides."""
    information, score = fit.information[alone], fit.score[alone]
    if free is not None:
        score = np.where(free[alone], score, 0.0)
        both = free[alone][:, :, None] & free[alone][:, None, :]
        information = np.where(both, information, np.eye(score.shape[1]))
    finite = np.isfinite(information).all() and np.isfinite(score).all()
    if not finite or np.abs(score).max(initial=0.0) > _FLAT_STEP:
        return
    values, vectors = np.linalg.eigh(information[0])
    if values[0] > -1e-8 * values[-1]:
        return
    saddle, best = fit.coef[alone], fit.log_likelihood[alone]
    for side in (-_OFF_SADDLE, _OFF_SADDLE):
        trial = NewtonFit(**{name: part.copy() for name, part in vars(fit).items()})
        beta = saddle + side * vectors[:, 0]
        now = _Points.at(beta, alone, evaluate(beta, alone), free)
        _ascend(evaluate, now, max_iter, trial, False)
        if trial.status[alone] == OK and trial.log_likelihood[alone] > best:
            best = trial.log_likelihood[alone]
            fit.replace(alone, NewtonFit(**{k: part[alone] for k, part in vars(trial).items()}))


def _judge(now: _Points) -> tuple[FloatArray, IntArray]:
    """Newton's step from here, and whether it is the last one."""
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
    verdict = np.where(singular, DIVERGED, _RUNNING)
    near = np.abs(decrement) < _TAIL_DECREMENT
    if near.any():
        long = length > _FLAT_STEP
        in_tail = near & long & (decrement < 0.6 * now.decrement) & (length > 0.8 * now.length)
        now.tail = np.where(in_tail, now.tail + 1, 0)
        settled = (np.abs(decrement) < _DECREMENT) & (
            np.abs(now.change) <= _CHANGE * (np.abs(now.value) + 0.1)
        )
        verdict[settled & ~singular] = OK
        if settled.any():
            verdict[settled] = np.where(_definite(information[settled]), verdict[settled], FAILED)
        verdict[(now.tail >= _TAIL_STEPS) | (settled & long)] = DIVERGED
    now.decrement, now.length = decrement, length
    return step, verdict


def _tail_steps(now: _Points, decrement: FloatArray, length: FloatArray) -> FloatArray:
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


def _uphill(matrices: FloatArray, score: FloatArray) -> FloatArray:
    """Newton's step with each eigenvalue of the information taken as positive."""
    values, vectors = np.linalg.eigh(matrices)
    size = np.abs(values)
    size = np.maximum(size, 1e-8 * size.max(axis=1, keepdims=True))
    turned = (score[:, None, :] @ vectors)[:, 0, :] / size
    return np.asarray((vectors @ turned[:, :, None])[:, :, 0])


def _definite(matrices: FloatArray) -> BoolArray:
    """Whether no eigenvalue is negative beyond rounding: a saddle is not a maximum."""
    try:
        np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        values = np.linalg.eigvalsh(matrices)
        return np.asarray(values[:, 0] > -1e-8 * values[:, -1])
    return np.ones(len(matrices), dtype=bool)


def _move(evaluate: Evaluate, now: _Points, step: FloatArray) -> BoolArray:
    """Move each replicate along its step, halved until the likelihood does not fall."""
    beta = now.beta + step
    value, score, information = evaluate(beta, now.index)
    floor = now.value - _CHANGE * (np.abs(now.value) + 0.1)
    moved: BoolArray = (value >= floor) & (value < np.inf)  # False for what is not a number
    if not moved.all():
        beta, value, score, information = (
            np.array(part) for part in (beta, value, score, information)
        )
        for halving in range(1, _MAX_HALVINGS + 1):
            rows = np.flatnonzero(~moved)
            beta[rows] = now.beta[rows] + step[rows] * 0.5**halving
            value[rows], score[rows], information[rows] = evaluate(beta[rows], now.index[rows])
            moved = (value >= floor) & (value < np.inf)
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
    now: _Points,
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


def _record(
    fit: NewtonFit,
    now: _Points,
    rows: BoolArray,
    status: IntArray,
    iteration: int,
) -> None:
    index = now.index[rows]
    fit.coef[index] = now.beta[rows]
    fit.log_likelihood[index] = now.value[rows]
    fit.score[index] = now.score[rows]
    fit.information[index] = now.information[rows]
    fit.status[index] = status
    fit.iterations[index] = iteration
