"""Cox regression of many replicates at once, by maximum likelihood or Firth's penalty."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.blocks import block_size, covariance_of, joined, part_of, with_rows
from rnetstats.kernels.conditioning import Turned, conditioned
from rnetstats.kernels.cox_design import CoxDesign, build_design
from rnetstats.kernels.cox_exact import ExactCoxLikelihood
from rnetstats.kernels.cox_likelihood import CoxLikelihood
from rnetstats.kernels.cox_lost import lost_columns
from rnetstats.kernels.cox_penalised import maximise_penalised
from rnetstats.kernels.cox_weights import cox_weights
from rnetstats.kernels.firth import half_log_det, without
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.memory import keep_freed_memory
from rnetstats.kernels.newton import LOST_TERM, OK, BoolArray, FloatArray, IntArray, maximise
from rnetstats.kernels.risksets import RiskSets, prepare

__all__ = ["CoxFit", "CoxLikelihood", "cox_likelihood", "fit_cox", "prepare"]


@dataclass(frozen=True, eq=False)
class CoxFit:
    """Cox fits of B replicates, p columns each.

    Attributes
    ----------
    coef : array of shape (B, p)
        A lost column has coefficient 0.
    log_likelihood, log_likelihood_null : arrays of shape (B,)
        Log partial likelihood at the estimate, without the penalty, and with all coefficients
        zero.
    log_likelihood_penalized : array of shape (B,) or None
        None for maximum likelihood.
    information : array of shape (B, p, p)
        At the estimate, of all columns, with that of the prior, if any.
    free, lost : bool arrays of shape (B, p)
        Columns that were estimated; columns on which the replicate's risk sets say nothing.
    status : int array of shape (B,)
        See :data:`rnetstats.kernels.newton.STATUS_TEXT`.
    inverse : array of shape (B, p, p) or None
        The covariance, where the information of the columns as given has too few digits for it.
    """

    coef: FloatArray
    log_likelihood: FloatArray
    log_likelihood_penalized: FloatArray | None
    log_likelihood_null: FloatArray
    information: FloatArray
    free: BoolArray
    lost: BoolArray
    status: IntArray
    inverse: FloatArray | None = None

    @property
    def covariance(self) -> FloatArray:
        """Inverse information (B, p, p); zero for a coordinate that was not estimated."""
        return covariance_of(self.information, self.free) if self.inverse is None else self.inverse


def fit_cox(
    X: ArrayLike,
    sets: RiskSets,
    *,
    freq: ArrayLike | None = None,
    case: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    ties: str = "efron",
    firth: bool = False,
    prior: LogF | None = None,
    start: ArrayLike | None = None,
    free: ArrayLike | None = None,
    design: CoxDesign | None = None,
) -> CoxFit:
    """Fit B Cox regressions.

    Parameters
    ----------
    X : array of shape (n, p), shared by the replicates, or (B, n, p)
        Without a constant column.
    sets : RiskSets
        From :func:`rnetstats.kernels.risksets.prepare`.
    freq : array of shape (n,) or (B, n), optional
        Whole numbers: how often each row stands in the replicate, in Efron's ties too.
    case : array of shape (n,) or (B, n), optional
        Sampling weights; a term of Efron's likelihood has the mean weight of the tied events.
    offset : array of shape (n,), optional
        Added to the linear predictor.
    ties : {"efron", "breslow", "exact"}
        Exact is the discrete likelihood, for one fit by maximum likelihood.
    firth : bool
        Firth's penalty; maximum likelihood otherwise.
    prior : LogF, optional
        Log-F priors, in place of Firth's penalty.
    start : array of shape (p,) or (B, p), optional
        By default zero, and for several replicates of one data set its own estimate.
    free : bool array of shape (p,) or (B, p), optional
        Columns to estimate; the others keep their start value. A penalty is that of all columns.
    design : CoxDesign, optional
        What `build_design` made of a shared X, where several fits share it.

    Returns
    -------
    CoxFit
        Replicates in the order given. A column on which a replicate's risk sets say nothing is
        fixed at 0 there (status ``LOST_TERM``); a monotone likelihood is ``DIVERGED`` under
        maximum likelihood.

    Raises
    ------
    ValueError
        If there is no event, or a combination of options is asked for that does not exist.

    Notes
    -----
    Columns that nearly determine each other (a spline of a skewed variable) are fitted in others
    that do not, see :mod:`rnetstats.kernels.conditioning`, and everything is turned back.

    References
    ----------
    Cox DR (1972). Regression models and life-tables. JRSS B 34:187-220.
    Heinze G, Schemper M (2001). A solution to the problem of monotone likelihood in Cox
    regression. Biometrics 57:114-119.
    """
    if not sets.n_times:
        msg = "no event: there is no partial likelihood"
        raise ValueError(msg)
    keep_freed_memory()
    columns, counts, sampling = _columns(X), _optional(freq), _optional(case)
    size = _replicates(columns, counts, sampling, start, free)
    everywhere = (size, columns.shape[-1])
    begin = None if start is None else np.broadcast_to(_array(start), everywhere)
    chosen = np.ones(everywhere, dtype=bool)
    if free is not None:
        chosen &= np.asarray(free, dtype=bool)
    data = {"freq": counts, "case": sampling, "offset": offset, "ties": ties, "firth": firth}
    held, turned = np.flatnonzero(~chosen.all(axis=0)), None
    if (chosen == chosen[:1]).all():  # beside their means, which say nothing here
        centred = columns - columns.mean(axis=-2, keepdims=True)
        turned = conditioned(centred, held)
    if turned is None:
        return _fit(columns, sets, begin, chosen, {**data, "prior": prior}, design)
    inward = None if prior is None else prior.turned(turned.turn)
    fit = _fit_turned(turned, sets, begin, chosen, {**data, "prior": inward})
    mixed = turned.mixes(fit.lost, held)
    if mixed.any():
        other = _fit(columns, sets, begin, chosen, {**data, "prior": prior}, design)
        other = replace(other, inverse=other.covariance)
        fit = with_rows(fit, other, mixed)
    return fit


def _fit_turned(
    turned: Turned,
    sets: RiskSets,
    start: FloatArray | None,
    free: BoolArray,
    data: dict[str, Any],
) -> CoxFit:
    """Fit in other columns, and turn the results back."""
    begin = None if start is None else turned.inward(start)
    fit = _fit(turned.X, sets, begin, free, data)
    coef = turned.outward(fit.coef)
    return replace(
        fit,
        coef=np.where(free, coef, 0.0 if start is None else start),
        information=turned.information(fit.information),
        inverse=turned.covariance(fit.covariance),
    )


def _fit(
    X: FloatArray,
    sets: RiskSets,
    start: FloatArray | None,
    free: BoolArray,
    data: dict[str, Any],
    design: CoxDesign | None = None,
) -> CoxFit:
    """Fit block by block, in these columns."""
    size = len(free)
    if design is None and X.ndim == 2:
        design = build_design(X, sets, batch=size > 1)
    if start is None and size > 1 and X.ndim == 2 and free.all():
        sampling = data["case"]
        same = sampling if sampling is None or sampling.ndim == 1 else None
        bare = {**data, "freq": None, "case": same}
        whole = _fit(X, sets, None, free[:1], bare)
        start = np.broadcast_to(whole.coef, free.shape) if whole.status[0] == OK else None
    begin = np.zeros(free.shape) if start is None else start
    step = block_size(sets.rows.size)
    parts = []
    for at in range(0, size, step):
        rows = slice(at, min(at + step, size))
        own = {name: part_of(data[name], rows) for name in ("freq", "case")}
        likelihood = cox_likelihood(
            X[rows] if design is None else X, sets, **{**data, **own}, design=design
        )
        parts.append(_fit_block(likelihood, begin[rows], free[rows]))
    return joined(parts)


def cox_likelihood(
    X: ArrayLike,
    sets: RiskSets,
    *,
    freq: ArrayLike | None = None,
    case: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    ties: str = "efron",
    firth: bool = False,
    prior: LogF | None = None,
    design: CoxDesign | None = None,
) -> CoxLikelihood:
    """Build the likelihood that `fit_cox` maximises: for profiles, tests and residuals.

    Parameters
    ----------
    X, sets, freq, case, offset, ties, firth, prior
        As in `fit_cox`.
    design : CoxDesign, optional
        What `build_design` made of X, to spare its making.

    Returns
    -------
    CoxLikelihood
        Call it with coefficients (A, p) of the columns as given and replicate numbers (A,).
    """
    if ties not in {"efron", "breslow", "exact"}:
        msg = f"ties must be 'efron', 'breslow' or 'exact', not {ties!r}"
        raise ValueError(msg)
    if firth and prior is not None:
        msg = "Firth's penalty and a prior are not combined"
        raise ValueError(msg)
    if design is None:
        design = build_design(_columns(X), sets, batch=False)
    shift = _optional(offset)
    kept = None if shift is None else sets.sort(shift)
    weights = cox_weights(sets, _optional(freq), _optional(case))
    if ties == "exact":
        if firth or prior is not None or case is not None:
            msg = (
                "the exact likelihood takes neither Firth's penalty nor priors nor sampling weights"
            )
            raise ValueError(msg)
        return ExactCoxLikelihood(design, sets, weights, offset=kept)
    return CoxLikelihood(
        design, sets, weights, offset=kept, efron=ties == "efron", firth=firth, prior=prior
    )


def _fit_block(likelihood: CoxLikelihood, start: FloatArray, free: BoolArray) -> CoxFit:
    size = len(start)
    everyone, scale = np.arange(size), likelihood.scale
    plain = likelihood.unpenalised(start * scale, everyone)
    null = likelihood.null_log_likelihood() if start.any() else plain[0]
    lost = lost_columns(likelihood, plain[2])
    if lost is not None:
        free, start = free & ~lost, np.where(lost, 0.0, start)
        likelihood.leave_out(lost)
    if likelihood.firth:
        fit = maximise_penalised(likelihood, start * scale, free)
    else:
        first = plain if lost is None and likelihood.prior is None else None
        fit = maximise(likelihood.scaled, start * scale, free=free, first=first, concave=True)
    penalised = likelihood.firth or likelihood.prior is not None
    value = log_likelihood = fit.log_likelihood
    if likelihood.firth:
        with np.errstate(invalid="ignore"):  # both infinite, where a fit has failed far out
            log_likelihood = value - half_log_det(without(fit.information, lost))
        value = value + likelihood.log_scale(everyone)
    if likelihood.prior is not None:
        log_likelihood = value - likelihood.prior.log_density(fit.coef / scale)
    status = fit.status
    if lost is not None:
        status = np.where((status == OK) & lost.any(axis=1), LOST_TERM, status)
    return CoxFit(
        coef=fit.coef / scale,
        log_likelihood=log_likelihood,
        log_likelihood_penalized=value if penalised else None,
        log_likelihood_null=null if len(null) == size else np.broadcast_to(null, (size,)),
        information=fit.information * (scale[:, :, None] * scale[:, None, :]),
        free=free,
        lost=np.zeros_like(free) if lost is None else lost,
        status=status,
    )


def _replicates(
    X: FloatArray,
    freq: FloatArray | None,
    case: FloatArray | None,
    start: ArrayLike | None,
    free: ArrayLike | None,
) -> int:
    sizes = [len(X)] if X.ndim == 3 else [1]
    given = [np.asarray(a) for a in (freq, case, start, free) if a is not None]
    return max(sizes + [len(a) for a in given if a.ndim == 2])


def _columns(X: ArrayLike) -> FloatArray:
    """The design; that of a single replicate without its axis."""
    columns = _array(X)
    return columns[0] if columns.ndim == 3 and len(columns) == 1 else columns


def _array(values: ArrayLike) -> FloatArray:
    return np.asarray(values, dtype=np.float64)


def _optional(values: ArrayLike | None) -> FloatArray | None:
    return None if values is None else _array(values)
