"""Fine and Gray's regression of many replicates at once, by maximum likelihood or Firth's penalty.

References
----------
Fine JP, Gray RJ (1999). A proportional hazards model for the subdistribution of a competing risk.
Journal of the American Statistical Association 94, 496-509.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.blocks import joined
from rnetstats.kernels.conditioning import conditioned
from rnetstats.kernels.cox import CoxFit, prepare
from rnetstats.kernels.cox_likelihood import CoxLikelihood
from rnetstats.kernels.cox_penalised import maximise_penalised
from rnetstats.kernels.fine_gray_likelihood import FineGrayLikelihood
from rnetstats.kernels.firth import half_log_det
from rnetstats.kernels.newton import OK, FloatArray, maximise
from rnetstats.kernels.risksets import RiskSets

__all__ = ["fit_fine_gray", "staying"]

_CELLS = 1 << 19  # of the products of a block of replicates


def staying(stop: ArrayLike, code: ArrayLike) -> RiskSets:
    """Risk sets in which rows with a competing event stay for good: who is compared with whom.

    Columns are lost, and likelihoods monotone, as with these sets, whatever the weights.
    """
    ends, causes = np.asarray(stop, dtype=np.float64), np.asarray(code)
    beyond = 2.0 * ends.max() + 1.0
    return prepare(None, np.where(causes > 1, beyond, ends), causes == 1)


def fit_fine_gray(
    X: ArrayLike,
    stop: ArrayLike,
    code: ArrayLike,
    *,
    freq: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    firth: bool = False,
    censoring: str = "after-events",
    start: ArrayLike | None = None,
) -> CoxFit:
    """Fit B Fine-Gray regressions.

    Parameters
    ----------
    X, stop, code, freq, offset, firth, censoring
        As for :class:`rnetstats.kernels.fine_gray_likelihood.FineGrayLikelihood`.
    start : array of shape (p,), optional
        By default zero, and for several replicates the estimate of the rows as given.

    Returns
    -------
    CoxFit
        Replicates in the order given. A replicate without the event is ``FAILED``.

    Notes
    -----
    Columns that nearly determine each other (a spline of a skewed variable) are fitted in others
    that do not, see :mod:`rnetstats.kernels.conditioning`, and everything is turned back.
    """
    columns = np.asarray(X, dtype=np.float64)
    given = None if start is None else np.asarray(start, dtype=np.float64)
    options: dict[str, Any] = {
        "freq": freq,
        "offset": offset,
        "firth": firth,
        "censoring": censoring,
    }
    turned = conditioned(columns - columns.mean(axis=0))  # beside their means, which say nothing
    if turned is None:
        return _fit(columns, stop, code, given, **options)
    begin = None if given is None else turned.inward(given)
    fit = _fit(turned.X, stop, code, begin, **options)
    return replace(
        fit,
        coef=turned.outward(fit.coef),
        information=turned.information(fit.information),
        inverse=turned.covariance(fit.covariance),
    )


def _fit(
    X: FloatArray,
    stop: ArrayLike,
    code: ArrayLike,
    start: FloatArray | None,
    *,
    freq: ArrayLike | None,
    offset: ArrayLike | None,
    firth: bool,
    censoring: str,
) -> CoxFit:
    """Fit block by block, in these columns."""
    counts = None if freq is None else np.atleast_2d(np.asarray(freq, dtype=np.float64))
    size = 1 if counts is None else len(counts)
    n, p = X.shape
    if start is None and size > 1:
        alike: dict[str, Any] = {"offset": offset, "firth": firth, "censoring": censoring}
        whole = _fit(X, stop, code, None, freq=None, **alike)
        start = whole.coef[0] if whole.status[0] == OK else None
    step = max(1, _CELLS // max(1, n * (1 + p + p * p)))
    parts = []
    for at in range(0, size, step):
        likelihood = FineGrayLikelihood(
            X,
            stop,
            code,
            freq=None if counts is None else counts[at : at + step],
            offset=offset,
            firth=firth,
            censoring=censoring,
        )
        parts.append(_fit_block(likelihood, start))
    return joined(parts)


def _fit_block(likelihood: FineGrayLikelihood, start: FloatArray | None) -> CoxFit:
    size, p = len(likelihood.freq), likelihood.x.shape[1]
    zero = np.zeros((size, p))
    begin = zero if start is None else zero + start * likelihood.scale
    firth, everything = likelihood.firth, np.ones((size, p), dtype=bool)
    if firth:
        # it asks the likelihood for values at scaled coefficients, and for nothing else
        fit = maximise_penalised(cast(CoxLikelihood, likelihood), begin, everything)
        with np.errstate(invalid="ignore"):  # both infinite, where a fit has failed far out
            plain = fit.log_likelihood - half_log_det(fit.information)
    else:
        fit = maximise(likelihood.scaled, begin)
        plain = fit.log_likelihood
    likelihood.firth = False
    null = likelihood.scaled(zero, np.arange(size))[0]
    likelihood.firth = firth
    return CoxFit(
        coef=fit.coef / likelihood.scale,
        log_likelihood=plain,
        log_likelihood_penalized=fit.log_likelihood + likelihood.log_scale if firth else None,
        log_likelihood_null=null,
        information=fit.information * (likelihood.scale[:, None] * likelihood.scale),
        free=everything,
        lost=np.zeros((size, p), dtype=bool),
        status=fit.status,
    )
