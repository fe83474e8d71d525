"""Logistic fits block by block: what every replicate's fit goes through."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rnetstats.kernels.bent import bent, carried, curvature
from rnetstats.kernels.blocks import block_size, covariance_of, joined, part_of
from rnetstats.kernels.firth import half_log_det, without
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.logistic_likelihood import LogisticDesign, LogisticLikelihood
from rnetstats.kernels.logistic_start import at_start, near_maximum, nearer
from rnetstats.kernels.newton import (
    LOST_TERM,
    OK,
    BoolArray,
    Evaluate,
    FloatArray,
    Found,
    IntArray,
    NewtonFit,
    maximise,
)
from rnetstats.kernels.rank import lost_columns

__all__ = ["LogisticFit", "fit_blocks"]

_SHARED = ("firth", "prior")  # by all replicates
_TOGETHER = 1024  # replicates of one design in a block: what is kept of each is small
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
        X'WX at the estimate, with that of the prior, if any.
    free, lost : bool arrays of shape (B, p)
        Columns that were estimated; columns that the replicate's rows do not determine.
    status, iterations : int arrays of shape (B,)
        See :data:`rnetstats.kernels.newton.STATUS_TEXT`.
    inverse : array of shape (B, p, p) or None
        The covariance, where the information of the columns as given has too few digits for it.
    bend : array of shape (p, p) or None
        Of a single fit under Firth's penalty, at its start; see :mod:`rnetstats.kernels.bent`.
    """

    coef: FloatArray
    log_likelihood: FloatArray
    log_likelihood_penalized: FloatArray
    information: FloatArray
    free: BoolArray
    lost: BoolArray
    status: IntArray
    iterations: IntArray
    inverse: FloatArray | None = None
    bend: FloatArray | None = None

    @cached_property
    def covariance(self) -> FloatArray:
        """Inverse information (B, p, p); zero for a coordinate that was not estimated."""
        return covariance_of(self.information, self.free) if self.inverse is None else self.inverse


def fit_blocks(
    X: FloatArray,
    y: FloatArray,
    start: FloatArray | None,
    free: BoolArray,
    data: dict[str, Any],
    design: LogisticDesign | None = None,
) -> LogisticFit:
    """Fit all replicates block by block, in these columns.

    Parameters
    ----------
    X : array of shape (n, p) or (B, n, p)
    y : array of shape (n,) or (B, n)
    start : array of shape (B, p) or None
        By default zero, and for several replicates of one data set its own estimate.
    free : bool array of shape (B, p)
    data : dict
        ``weights`` and ``offset``, arrays of shape (n,) or (B, n) or None; ``firth``; ``prior``.
    design : LogisticDesign, optional
        That of X and y, where it is known.

    Returns
    -------
    LogisticFit
    """
    size = len(free)
    if design is None and X.ndim == 2 and y.ndim == 1:
        design = LogisticDesign(X, y)
    if start is None and size > 1 and design is not None and free.all():
        bare = {"weights": None, "offset": None, **{name: data[name] for name in _SHARED}}
        start = _start_of_all(X, y, {**bare, "design": design})
    begin = np.broadcast_to(0.0 if start is None else start, free.shape)
    step = block_size(X.shape[-2]) if design is None else _TOGETHER
    parts = []
    for at in range(0, size, step):
        rows = slice(at, min(at + step, size))
        own = {
            name: part if name in _SHARED else part_of(part, rows) for name, part in data.items()
        }
        block = X[rows] if X.ndim == 3 else X
        outcome = part_of(y, rows)
        parts.append(_fit_block(block, outcome, begin[rows], free[rows], {**own, "design": design}))
    return joined(parts)


def _start_of_all(X: FloatArray, y: FloatArray, data: dict[str, Any]) -> FloatArray | None:
    """The estimate (1, p) of the whole sample, or a point near enough; None without one."""
    near = None
    if not data["firth"] and data["prior"] is None:
        near = near_maximum(LogisticLikelihood(X, y, **data))
    if near is not None:
        return near
    shape = 1, X.shape[-1]
    whole = _fit_block(X, y, np.zeros(shape), np.ones(shape, dtype=bool), data)
    return whole.coef if whole.status[0] == OK else None


def _fit_block(
    X: FloatArray, y: FloatArray, start: FloatArray, free: BoolArray, data: dict[str, Any]
) -> LogisticFit:
    prior: LogF | None = data["prior"]
    likelihood = LogisticLikelihood(X, y, **{**data, "prior": None})
    everyone = np.arange(len(start))
    begin = start * likelihood.scale
    first, near = at_start(likelihood, begin)
    lost = lost_columns(likelihood.X, likelihood.weights, first[2], lambda: likelihood.design.basis)
    moved = near and prior is None and bool(free.all())
    single = len(begin) == 1
    bend = None
    if likelihood.firth and lost is None and moved and not single:
        rows = LogisticLikelihood(X, y, **{**data, "prior": None, "weights": None})
        bend = _bend(rows, begin[:1], rows.expected(begin[:1], everyone[:1]))
    observed = None
    if moved:
        kept = everyone if lost is None else np.flatnonzero(~lost.any(axis=1))
        begin, first, observed = nearer(likelihood, begin, first, kept)
    if lost is not None:
        free, begin = free & ~lost, np.where(lost, 0.0, begin)
        likelihood = LogisticLikelihood(X, y, lost=lost, **{**data, "prior": None})
        first = likelihood.scaled_expected(begin, everyone)
    elif likelihood.firth and single:
        bend = _bend(likelihood, begin, first[2], observed)
    if bend is not None:
        first = (*first[:2], carried(first[2], bend))
    scale = likelihood.scale
    if prior is not None:  # only now: what the rows do not determine is lost, prior or not
        likelihood.prior = prior
        first = prior.add(first, begin, scale)
    fit = _ascend(likelihood, begin, free, first, bend)
    value = log_likelihood = fit.log_likelihood
    information = fit.information
    if likelihood.firth:
        information = likelihood.expected(fit.coef, everyone)
        with np.errstate(invalid="ignore"):  # both infinite, where a fit has failed far out
            log_likelihood = value - half_log_det(without(information, lost))
        value = value + likelihood.log_scale(everyone)
    if prior is not None:
        log_likelihood = value - prior.log_density(fit.coef / scale)
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
        bend=bend if len(begin) == 1 else None,
    )


def _bend(
    likelihood: LogisticLikelihood,
    point: FloatArray,
    information: FloatArray,
    observed: FloatArray | None = None,
) -> FloatArray | None:
    """How the penalty bends the likelihood of one data set at a point (1, p).

    That of its replicates too, nearby: other weights of the rows change little of the ratio.
    """
    if observed is None:
        observed = likelihood.scaled_observed(point, np.zeros(1, dtype=np.int64))[2]
    return curvature(information[0], observed[0])


def _ascend(
    likelihood: LogisticLikelihood,
    begin: FloatArray,
    free: BoolArray,
    first: Found,
    bend: FloatArray | None,
) -> NewtonFit:
    """Maximise; with the penalty first by cheap steps, which most replicates need few of."""
    if not likelihood.firth:
        return maximise(likelihood.scaled, begin, free=free, first=first, concave=True)
    cheap: Evaluate = bent(likelihood.scaled_expected, bend)
    if bend is None and len(begin) == 1:
        cheap = likelihood.scaled
    fit = maximise(cheap, begin, free=free, first=first, max_iter=_CHEAP_STEPS, retry=False)
    left = np.flatnonzero(fit.status != OK)
    if len(left):

        def rest(gamma: FloatArray, index: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
            return likelihood.scaled_observed(gamma, left[index])

        more = maximise(rest, fit.coef[left], free=free[left])
        more.iterations[:] += fit.iterations[left]
        fit.replace(left, more)
    return fit
