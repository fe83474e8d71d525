"""Shrinkage of slopes as a step of a recipe, in many replicates at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

from rnetstats.kernels.cox import CoxFit
from rnetstats.kernels.cox_ridge import ridge_cox, ridge_cox_deviance
from rnetstats.kernels.links import with_intercept
from rnetstats.kernels.logistic import LogisticFit
from rnetstats.kernels.newton import LOST_TERM, OK, IntArray
from rnetstats.kernels.ridge import PENALTIES, best, ridge_deviance, ridge_logistic
from rnetstats.kernels.risksets import RiskSets
from rnetstats.kernels.shrinkage import (
    cox_recalibration_slopes,
    heuristic_shrinkage,
    recalibration_slopes,
)

__all__ = ["INNER", "ridge_slopes", "shrunken_slopes"]

Floats = NDArray[np.float64]
Fit = LogisticFit | CoxFit

INNER = 50
"""Resamples within each replicate for shrinkage by the bootstrap."""
_FOLDS = 10


def shrunken_slopes(
    method: str,
    fit: Fit,
    X: Floats,
    events: Floats,
    counts: Floats,
    seeds: IntArray,
    *,
    df: int,
    refit: Callable[[Floats, Floats], Fit],
    sets: RiskSets | None,
) -> Floats:
    """Return uniformly shrunken slopes (B, p) of fitted models.

    Parameters
    ----------
    method : {"heuristic", "bootstrap"}
        (LR - df) / LR, the degrees of freedom those of all candidates; or the mean slope of
        resampled models on the data they were drawn from.
    fit : LogisticFit or CoxFit
    X : array of shape (n, p) or (B, n, p)
        Without intercept.
    events : array of shape (n,)
    counts : array of shape (B, n)
    seeds : int array of shape (B,)
    df : int
    refit : callable
        ``(counts, X) -> fit``.
    sets : RiskSets or None
        Of a survival model.

    References
    ----------
    van Houwelingen JC, Le Cessie S (1990). Predictive value of statistical models. Statistics in
    Medicine 9:1303-1325.
    Steyerberg EW et al. (2001). Application of shrinkage techniques in logistic regression
    analysis: a case study. Statistica Neerlandica 55:76-88.
    """
    slopes = fit.coef[:, 1:] if sets is None else fit.coef
    if method == "heuristic":
        factor = heuristic_shrinkage(fit.log_likelihood, _null(fit, events, counts), df)
    else:
        factor = np.array(
            [
                _resampled(X[b] if X.ndim == 3 else X, events, counts[b], int(seed), refit, sets)
                for b, seed in enumerate(seeds)
            ]
        )
    return np.asarray(slopes * np.clip(factor, 0.0, 1.0)[:, None])


def ridge_slopes(
    method: str,
    X: Floats,
    events: Floats,
    counts: Floats,
    seeds: IntArray,
    *,
    sets: RiskSets | None = None,
) -> Floats:
    """Return ridge slopes (B, p), the penalty of each replicate by AIC or cross-validation.

    Parameters
    ----------
    method : {"ridge-aic", "ridge-cv"}
    X, events, counts, seeds, sets
        As for :func:`shrunken_slopes`.

    References
    ----------
    le Cessie S, van Houwelingen JC (1992). Ridge estimators in logistic regression. Applied
    Statistics 41:191-201.
    Verweij PJM, van Houwelingen HC (1993). Cross-validation in survival analysis. Statistics in
    Medicine 12:2305-2314.
    """
    design = with_intercept(X) if sets is None else X
    first = 1 if sets is None else 0
    if sets is None:
        fit = ridge_logistic(design, events, PENALTIES, freq=counts)
    else:
        fit = ridge_cox(design, sets, PENALTIES, freq=counts)
    if method == "ridge-aic":
        return fit.at(fit.by_aic())[:, first:]
    folds = np.array([np.random.default_rng(s).permutation(events.size) % _FOLDS for s in seeds])
    if sets is not None and design.ndim == 2:
        return fit.at(best(ridge_cox_deviance(design, sets, folds, PENALTIES, freq=counts)))
    place = np.empty(len(counts), dtype=np.int64)
    for b, fold in enumerate(folds):
        columns = design[b] if design.ndim == 3 else design
        if sets is None:
            deviance = ridge_deviance(columns, events, fold, PENALTIES, freq=counts[b])
        else:
            deviance = ridge_cox_deviance(columns, sets, fold, PENALTIES, freq=counts[b])
        place[b] = best(deviance)[0]
    return fit.at(place)[:, first:]


def _null(fit: Fit, events: Floats, counts: Floats) -> Floats:
    if isinstance(fit, CoxFit):
        return fit.log_likelihood_null
    total = counts.sum(axis=1)
    share = counts @ events / total
    return np.asarray(total * (xlogy(share, share) + xlogy(1.0 - share, 1.0 - share)))


def _resampled(
    X: Floats,
    events: Floats,
    counts: Floats,
    seed: int,
    refit: Callable[[Floats, Floats], Fit],
    sets: RiskSets | None,
) -> float:
    """Mean calibration slope, on the rows of one replicate, of models of its resamples."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(np.arange(counts.size), counts.astype(np.intp))
    drawn = rows[rng.integers(0, rows.size, size=(INNER, rows.size))]
    again = np.array([np.bincount(part, minlength=counts.size) for part in drawn], dtype=float)
    some = again @ events > 0
    if sets is None:
        some &= again @ (1.0 - events) > 0
    if not some.any():
        return float("nan")
    fit = refit(again[some], X)
    coef = fit.coef[np.isin(fit.status, (OK, LOST_TERM))]
    if not len(coef):  # every resample is separated
        return float("nan")
    if sets is None:
        slopes = recalibration_slopes(with_intercept(X), events, coef, freq=counts)
    else:
        slopes = cox_recalibration_slopes(X, sets, coef, freq=counts)
    known = slopes[np.isfinite(slopes)]
    return float(known.mean()) if known.size else float("nan")
