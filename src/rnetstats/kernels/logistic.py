"""Logistic regression of many replicates at once, by maximum likelihood or Firth's penalty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.blocks import block_size, covariance_of, joined, part_of
from rnetstats.kernels.firth import half_log_det, without
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.memory import keep_freed_memory
from rnetstats.kernels.newton import (
    LOST_TERM,
    OK,
    BoolArray,
    FloatArray,
    IntArray,
    NewtonFit,
    maximise,
)
from rnetstats.kernels.rank import lost_columns

__all__ = ["LogisticFit", "fit_logistic", "hat_values", "row_scores"]

_CHEAP_STEPS = 8  # what converges in these, linearly, gains nothing from second derivatives


@dataclass(frozen=True)
class LogisticFit:
    """Logistic fits of B replicates, p columns each.

    Attributes
    ----------
    coef : array of shape (B, p)
        A lost column has coefficient 0.
    log_likelihood : array of shape (B,)
        Without the penalty.
    log_likelihood_penalized : array of shape (B,)
        With it; under maximum likelihood the same as `log_likelihood`.
    information : array of shape (B, p, p)
        X'WX at the estimate.
    free, lost : bool arrays of shape (B, p)
        Columns that were estimated; columns that the replicate's rows do not determine.
    status, iterations : int arrays of shape (B,)
        See :data:`rnetstats.kernels.newton.STATUS_TEXT`.
    """

    coef: FloatArray
    log_likelihood: FloatArray
    log_likelihood_penalized: FloatArray
    information: FloatArray
    free: BoolArray
    lost: BoolArray
    status: IntArray
    iterations: IntArray

    @property
    def covariance(self) -> FloatArray:
        """Inverse information (B, p, p); zero for a coordinate that was not estimated."""
        return covariance_of(self.information, self.free)


def fit_logistic(
    X: ArrayLike,
    y: ArrayLike,
    *,
    freq: ArrayLike | None = None,
    case: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    firth: bool = False,
    start: ArrayLike | None = None,
    free: ArrayLike | None = None,
) -> LogisticFit:
    """Fit B logistic regressions.

    Parameters
    ----------
    X : array of shape (n, p), shared by the replicates, or (B, n, p)
        The intercept is a column.
    y : array of shape (n,) or (B, n)
        0 or 1.
    freq : array of shape (n,) or (B, n), optional
        Whole numbers: how often each row stands in the replicate.
    case : array of shape (n,) or (B, n), optional
        Sampling weights.
    offset : array of shape (n,) or (B, n), optional
        Added to the linear predictor.
    firth : bool
        Firth's penalty; maximum likelihood otherwise.
    start : array of shape (p,) or (B, p), optional
        By default zero, and for several replicates of one data set its own estimate.
    free : bool array of shape (p,) or (B, p), optional
        Columns to estimate; the others keep their start value. A penalty is that of all columns.

    Returns
    -------
    LogisticFit
        Replicates in the order given. A column that a replicate's rows do not determine is fixed
        at 0 there (status ``LOST_TERM``); separated data are ``DIVERGED`` under maximum
        likelihood.

    References
    ----------
    Firth D (1993). Bias reduction of maximum likelihood estimates. Biometrika 80:27-38.
    Heinze G, Schemper M (2002). A solution to the problem of separation in logistic regression.
    Statistics in Medicine 21:2409-2419.
    """
    keep_freed_memory()
    design, outcome = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    weights = _total_weights(freq, case)
    shift = None if offset is None else np.asarray(offset, dtype=float)
    n, p = design.shape[-2:]
    size = max(
        [design.shape[0] if design.ndim == 3 else 1]
        + [len(part) for part in (outcome, weights, shift) if part is not None and part.ndim == 2]
        + [len(part) for part in map(np.asarray, (start, free)) if part.ndim == 2]
    )
    if start is None and free is None and size > 1 and design.ndim == 2 and outcome.ndim == 1:
        whole = fit_logistic(design, outcome, firth=firth)
        start = whole.coef[0] if whole.status[0] == OK else None
    begin = np.broadcast_to(0.0 if start is None else np.asarray(start, dtype=float), (size, p))
    chosen = np.broadcast_to(True if free is None else np.asarray(free, dtype=bool), (size, p))
    step = block_size(n)
    parts = []
    for at in range(0, size, step):
        rows = slice(at, min(at + step, size))
        data = {"weights": part_of(weights, rows), "offset": part_of(shift, rows), "firth": firth}
        block = design[rows] if design.ndim == 3 else design
        parts.append(_fit_block(block, part_of(outcome, rows), begin[rows], chosen[rows], data))
    return joined(parts)


def hat_values(
    X: FloatArray, fitted: FloatArray, covariance: FloatArray, case: FloatArray | None = None
) -> FloatArray:
    """Diagonal of the hat matrix, each that of one replicated row.

    Parameters
    ----------
    X : array of shape (n, p)
    fitted : array of shape (n,)
        Probabilities.
    covariance : array of shape (p, p)
        Inverse of X'WX.
    case : array of shape (n,), optional
        Sampling weights.

    Returns
    -------
    array of shape (n,)
    """
    spread = fitted * (1.0 - fitted) * (1.0 if case is None else case)
    return np.asarray(spread * np.einsum("ij,ij->i", X @ covariance, X))


def row_scores(
    X: FloatArray, y: FloatArray, fitted: FloatArray, case: FloatArray | None = None
) -> FloatArray:
    """Each row's part of the score, x (y - p), times its sampling weight.

    Parameters
    ----------
    X : array of shape (n, p)
    y, fitted : arrays of shape (n,)
    case : array of shape (n,), optional

    Returns
    -------
    array of shape (n, p)
        Of one replicated row; see :func:`rnetstats.kernels.sandwich.sandwich`.
    """
    residual = y - fitted
    return X * (residual if case is None else case * residual)[:, None]


def _fit_block(
    X: FloatArray, y: FloatArray, start: FloatArray, free: BoolArray, data: dict[str, Any]
) -> LogisticFit:
    likelihood = LogisticLikelihood(X, y, **data)
    everyone = np.arange(len(start))
    begin = start * likelihood.scale
    first = _from_one_point(likelihood, begin)
    lost = lost_columns(likelihood.X, likelihood.weights, first[2])
    if lost is not None:
        free, begin = free & ~lost, np.where(lost, 0.0, begin)
        likelihood = LogisticLikelihood(X, y, lost=lost, **data)
        first = likelihood.scaled_expected(begin, everyone)
    scale = likelihood.scale
    fit = _ascend(likelihood, begin, free, first)
    value = log_likelihood = fit.log_likelihood
    information = fit.information
    if likelihood.firth:
        information = likelihood.expected(fit.coef, everyone)
        log_likelihood = value - half_log_det(without(information, lost))
        value = value + likelihood.log_scale(everyone)
    status = fit.status
    if lost is not None:
        status = np.where((status == OK) & lost.any(axis=1), LOST_TERM, status)
    return LogisticFit(
        coef=fit.coef / scale,
        log_likelihood=log_likelihood,
        log_likelihood_penalized=value,
        information=information * (scale[:, :, None] * scale[:, None, :]),
        free=np.array(free),
        lost=np.zeros_like(free) if lost is None else lost,
        status=status,
        iterations=fit.iterations,
    )


def _from_one_point(
    likelihood: LogisticLikelihood, begin: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Evaluate at the start; probabilities once, where replicates differ by their weights alone."""
    weights = likelihood.weights
    same = weights is not None and len(weights) == len(begin) and bool((begin == begin[0]).all())
    return likelihood.scaled_expected(begin[:1] if same else begin, np.arange(len(begin)))


def _ascend(
    likelihood: LogisticLikelihood,
    begin: FloatArray,
    free: BoolArray,
    first: tuple[FloatArray, FloatArray, FloatArray],
) -> NewtonFit:
    """Maximise; with the penalty first by cheap steps, which most replicates need few of."""
    if not likelihood.firth:
        return maximise(likelihood.scaled, begin, free=free, first=first)
    cheap = likelihood.scaled if len(begin) == 1 else likelihood.scaled_expected
    fit = maximise(cheap, begin, free=free, first=first, max_iter=_CHEAP_STEPS, retry=False)
    left = np.flatnonzero(fit.status != OK)
    if len(left):

        def rest(gamma: FloatArray, index: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
            return likelihood.scaled_observed(gamma, left[index])

        more = maximise(rest, fit.coef[left], free=free[left])
        more.iterations[:] += fit.iterations[left]
        fit.replace(left, more)
    return fit


def _total_weights(freq: ArrayLike | None, case: ArrayLike | None) -> FloatArray | None:
    given = [np.asarray(part, dtype=float) for part in (freq, case) if part is not None]
    if not given:
        return None
    return given[0] if len(given) == 1 else given[0] * given[1]
