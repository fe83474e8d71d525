"""Safeguarded Newton ascent of many concave log-likelihoods at once.

Each replicate converges, diverges or fails by itself: a finished one is written down and taken
out of the batch, so that its result does not depend on the others beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from rnetstats.kernels.newton_climb import WORTH, climb_on, still_to_gain
from rnetstats.kernels.newton_search import FEW_HALVINGS, JOINED, Known, shortened
from rnetstats.kernels.newton_steps import (
    DIVERGED,
    FAILED,
    FLAT_STEP,
    HALVINGS,
    LOST_TERM,
    OK,
    RUNNING,
    STATUS_TEXT,
    BoolArray,
    Evaluate,
    FloatArray,
    Found,
    IntArray,
    Points,
    judge,
    move,
    solve_symmetric,
    tail_steps,
)

__all__ = [
    "DIVERGED",
    "FAILED",
    "LOST_TERM",
    "OK",
    "STATUS_TEXT",
    "BoolArray",
    "Evaluate",
    "FloatArray",
    "Found",
    "IntArray",
    "Known",
    "NewtonFit",
    "maximise",
    "rows_of",
    "solve_symmetric",
]

AnyArray = TypeVar("AnyArray", FloatArray, BoolArray)

_OFF_SADDLE = 0.1  # along the direction in which the likelihood rises
_SHORT = 1.0  # a careful step, of columns of order one


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
        ``OK``, ``DIVERGED``, ``FAILED``, or ``JOINED`` of a search.
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
    known: Known | None = None,
) -> NewtonFit:
    """Maximise B log-likelihoods by Newton's method with step halving.

    A replicate has converged when the relative change of its log-likelihood is below 1e-12 and
    score' I^-1 score below 1e-18; one more step is then made. It has diverged when its steps do
    not shrink while the decrement vanishes: in the exponential tail of a separated likelihood
    each Newton step is as long as the one before; or when it settles, if concave, where it is
    flat to rounding in some direction. What fails is tried once more, alone, from zero and with
    short steps: a long one may end where a penalised likelihood has no digits to turn back by.
    Columns are expected to be scaled to order one.

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
        as lead to its end are then taken at once, and where one is flat it has no maximum.
    known : Known, optional
        Of a search for higher maxima, those that are known: an ascent that comes near its own ends
        there, steps are not longer than a search has use for, and what must be halved too often
        is given up.

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
    now = Points.at(start, everyone, first, mask)
    _ascend(evaluate, now, max_iter, fit, concave=concave, known=known)
    for row in np.flatnonzero(fit.status == FAILED):
        _leave_saddle(evaluate, fit, np.array([row]), mask, max_iter)
    for row in np.flatnonzero(fit.status == FAILED) if retry else ():
        alone = np.array([row])
        zero = np.zeros((1, p)) if mask is None else np.where(mask[alone], 0.0, start[alone])
        now = Points.at(zero, alone, evaluate(zero, alone), mask)
        _ascend(evaluate, now, max_iter, fit, concave=concave, careful=True)
    if known is None:
        _to_the_end(evaluate, fit, np.flatnonzero(fit.status == DIVERGED), mask)
    return fit


def _to_the_end(evaluate: Evaluate, fit: NewtonFit, rows: IntArray, free: BoolArray | None) -> None:
    """Where a likelihood without a maximum can still rise, go on; it stays without one."""
    if not len(rows):
        return
    held = None if free is None else free[rows]
    left = still_to_gain(fit.score[rows], fit.information[rows], held) > WORTH
    for row in rows[left]:
        alone = np.array([row])
        found = fit.log_likelihood[alone], fit.score[alone], fit.information[alone]
        mask = None if free is None else free[alone]
        beta, found = climb_on(evaluate, fit.coef[alone], found, alone, mask)
        fit.coef[alone] = beta
        fit.log_likelihood[alone], fit.score[alone], fit.information[alone] = found


def rows_of(array: AnyArray, index: IntArray) -> AnyArray:
    """Return the rows of replicates, each once, in order; a single row belongs to all of them."""
    if len(array) in {1, len(index)}:
        return array
    first, end = (index[0], index[-1] + 1) if len(index) else (0, 0)
    return array[first:end] if end - first == len(index) else array[index]  # neighbours: no copy


@np.errstate(over="ignore", invalid="ignore")  # a step towards infinity is halved
def _ascend(
    evaluate: Evaluate,
    now: Points,
    max_iter: int,
    fit: NewtonFit,
    *,
    concave: bool = False,
    careful: bool = False,
    known: Known | None = None,
) -> None:
    """Run the replicates to their end, writing into `fit` as each arrives.

    ``careful``: take short steps, and in the tail of a concave log-likelihood one after another.
    """
    halvings = HALVINGS if known is None else FEW_HALVINGS
    for iteration in range(1, max_iter + 1):
        decrement, length = now.decrement, now.length
        step, verdict = judge(now, concave=concave)
        if known is not None:
            verdict[known.joined(now.index, now.beta, now.information)] = JOINED
            step = shortened(step)
        if careful:
            step *= np.minimum(1.0, _SHORT / np.maximum(now.length, _SHORT))[:, None]
        elif concave and iteration > 2:
            step *= tail_steps(now, decrement, length)[:, None]
        arrived = verdict != RUNNING
        if arrived.any():
            # The last step is below 1e-9 standard errors: what was found before it stays true.
            now.beta = now.beta + np.where((verdict == OK)[:, None], step, 0.0)
            _record(fit, now, arrived, verdict[arrived], iteration)
            if arrived.all():
                return
            now, step = now.keep(~arrived), step[~arrived]
        moved = move(evaluate, now, step, halvings=halvings)
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
    if not finite or np.abs(score).max(initial=0.0) > FLAT_STEP:
        return
    values, vectors = np.linalg.eigh(information[0])
    if values[0] > -1e-8 * values[-1]:
        return
    saddle, best = fit.coef[alone], fit.log_likelihood[alone]
    for side in (-_OFF_SADDLE, _OFF_SADDLE):
        trial = NewtonFit(**{name: part.copy() for name, part in vars(fit).items()})
        beta = saddle + side * vectors[:, 0]
        now = Points.at(beta, alone, evaluate(beta, alone), free)
        _ascend(evaluate, now, max_iter, trial)
        if trial.status[alone] == OK and trial.log_likelihood[alone] > best:
            best = trial.log_likelihood[alone]
            fit.replace(alone, NewtonFit(**{k: part[alone] for k, part in vars(trial).items()}))


def _record(
    fit: NewtonFit,
    now: Points,
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
