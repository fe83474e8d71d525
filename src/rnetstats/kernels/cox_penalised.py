"""Maximising Cox's penalised likelihood.

Newton's method with the information in the place of the penalised score's own derivative gets
near in steps that shrink by a constant factor, which is small where events are many. Where it is
not, the derivative is taken numerically: Newton's method then ends in a few steps. A single fit
begins with it, and carries it along.
"""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.bent import bent, differenced
from rnetstats.kernels.cox_likelihood import CoxLikelihood
from rnetstats.kernels.firth import without
from rnetstats.kernels.newton import (
    OK,
    BoolArray,
    Evaluate,
    FloatArray,
    IntArray,
    NewtonFit,
    maximise,
    solve_symmetric,
)

_PATIENCE = 25  # steps with the information
_MORE = 6  # further ones, once the decrement is nil
_NIL = 1e-12  # a step, in columns of standard deviation 1
_DIFFERENCE = 1e-4


def maximise_penalised(likelihood: CoxLikelihood, start: FloatArray, free: BoolArray) -> NewtonFit:
    """Maximise Firth's penalised likelihood of B replicates.

    Parameters
    ----------
    likelihood
        With the penalty.
    start
        (B, p) coefficients of the scaled columns.
    free
        (B, p) coefficients to estimate.

    Returns
    -------
    NewtonFit
        With the information of the likelihood without the penalty.
    """
    evaluate: Evaluate = likelihood.scaled
    alone = len(start) == 1
    if alone:
        evaluate = bent(evaluate, differenced(evaluate, start[0]))
    fit = maximise(evaluate, start, free=free, max_iter=_PATIENCE)
    slow = np.flatnonzero(fit.status != OK)
    slow = np.union1d(slow, _go_on(evaluate, fit, free))
    if alone:
        _write(likelihood.scaled, fit, np.zeros(1, dtype=np.int64))
    if not slow.size:
        return fit

    def observed(gamma: FloatArray, index: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        return _with_observed_information(likelihood, gamma, slow[index])

    begin = np.where(np.isfinite(fit.coef[slow]), fit.coef[slow], start[slow])
    again = maximise(observed, begin, free=free[slow])
    fit.coef[slow], fit.status[slow] = again.coef, again.status
    fit.iterations[slow] += again.iterations
    _write(likelihood.scaled, fit, slow)
    return fit


def _go_on(evaluate: Evaluate, fit: NewtonFit, free: BoolArray) -> IntArray:
    """Take more steps until they are nil; the replicates whose steps do not end."""
    index = np.flatnonzero(fit.status == OK)
    for _ in range(_MORE):
        score = np.where(free[index], fit.score[index], 0.0)
        step, _ = solve_symmetric(without(fit.information[index], ~free[index]), score)
        moving = np.abs(step).max(axis=1, initial=0.0) > _NIL
        index = index[moving]
        if not index.size:
            break
        fit.coef[index] += step[moving]
        _write(evaluate, fit, index)
    return index


def _write(evaluate: Evaluate, fit: NewtonFit, index: IntArray) -> None:
    value, score, information = evaluate(fit.coef[index], index)
    fit.log_likelihood[index], fit.score[index] = value, score
    fit.information[index] = information


def _with_observed_information(
    likelihood: CoxLikelihood, gamma: FloatArray, index: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Value, score and the negative derivative of the score by central differences.

    Where that is not positive definite, far from the maximum, the information serves instead.
    """
    value, score, information = likelihood.scaled(gamma, index)
    size, p = gamma.shape
    steps = _DIFFERENCE * np.vstack((np.eye(p), -np.eye(p)))
    points = (gamma[:, None] + steps).reshape(-1, p)
    slopes = likelihood.scaled(points, np.repeat(index, 2 * p))[1].reshape(size, 2, p, p)
    with np.errstate(invalid="ignore"):  # infinite so far out: not usable
        observed = (slopes[:, 1] - slopes[:, 0]) / (2 * _DIFFERENCE)
        observed = 0.5 * (observed + observed.swapaxes(1, 2))
    usable = np.where(np.isfinite(observed), observed, -np.inf).min(axis=(1, 2)) > -np.inf
    lowest = np.linalg.eigvalsh(np.where(usable[:, None, None], observed, -np.eye(p)))[:, 0]
    known = np.isfinite(information).all(axis=(1, 2), keepdims=True)  # not so far out either
    curved = lowest > 1e-3 * np.linalg.eigvalsh(np.where(known, information, 0.0))[:, 0]
    return value, score, np.where(curved[:, None, None], observed, information)
