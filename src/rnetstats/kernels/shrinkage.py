"""Uniform shrinkage of regression coefficients: its factor, and what becomes of the intercept.

References
----------
van Houwelingen JC, le Cessie S (1990). Predictive value of statistical models. Statistics in
Medicine 9:1303-1325.
Copas JB (1983). Regression, prediction and shrinkage. JRSS B 45:311-354.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.flic import flic_intercept
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.newton import OK, FloatArray
from rnetstats.kernels.risksets import RiskSets

__all__ = [
    "cox_recalibration_slopes",
    "heuristic_shrinkage",
    "recalibration_slopes",
    "shrunken",
]


def heuristic_shrinkage(
    log_likelihood: ArrayLike, log_likelihood_null: ArrayLike, df: ArrayLike
) -> FloatArray:
    """Return (chi2 - df) / chi2 of the likelihood-ratio statistic, (B,); at least 0.

    Parameters
    ----------
    log_likelihood, log_likelihood_null : arrays of shape (B,)
        Maximised, of the model and of the intercept alone.
    df : number or array of shape (B,)
        Coefficients without the intercept (those that were candidates, if some were selected).
    """
    chi2 = 2.0 * (np.asarray(log_likelihood, float) - np.asarray(log_likelihood_null, float))
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.where(chi2 > 0.0, 1.0 - np.asarray(df, float) / chi2, 0.0)
    return np.where(np.isnan(chi2), np.nan, np.clip(factor, 0.0, 1.0))


def shrunken(
    X: ArrayLike,
    y: ArrayLike,
    coef: ArrayLike,
    factor: ArrayLike,
    *,
    freq: ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> FloatArray:
    """Multiply slopes (B, p) by a factor each (B,), the intercept re-estimated, (B, p).

    The mean risk is then the observed share of events.
    """
    slopes = np.array(np.atleast_2d(np.asarray(coef, dtype=float)))
    slopes[:, 1:] *= np.atleast_1d(np.asarray(factor, dtype=float))[:, None]
    slopes[:, 0] = flic_intercept(X, y, slopes, freq=freq, offset=offset)
    return slopes


def recalibration_slopes(
    X: ArrayLike,
    y: ArrayLike,
    coef: ArrayLike,
    *,
    freq: ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> FloatArray:
    """Return the slope of y on each linear predictor X b, in the same data for all, (B,).

    Parameters
    ----------
    X : array of shape (n, p)
    y : array of shape (n,)
    coef : array of shape (B, p)
        NaN rows give NaN.
    freq : array of shape (n,), optional
        Frequency weights of the data on which the slopes are estimated.
    offset : array of shape (n,), optional
        Kept as it is beside the predictor.
    """
    design, given = np.asarray(X, dtype=float), np.atleast_2d(np.asarray(coef, dtype=float))
    usable = np.isfinite(given).all(axis=1)
    predictor = np.where(usable[:, None], given, 0.0) @ design.T
    columns = np.stack([np.ones_like(predictor), predictor], axis=2)
    fit = fit_logistic(columns, y, freq=freq, offset=offset)
    return np.where(usable & (fit.status == OK), fit.coef[:, 1], np.nan)


def cox_recalibration_slopes(
    X: ArrayLike,
    sets: RiskSets,
    coef: ArrayLike,
    *,
    freq: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    ties: str = "efron",
) -> FloatArray:
    """Return the slope of a Cox regression on each linear predictor X b, in the same data, (B,).

    Parameters
    ----------
    X : array of shape (n, p)
    sets : RiskSets
    coef : array of shape (B, p)
        NaN rows give NaN.
    freq : array of shape (n,), optional
    offset : array of shape (n,), optional
        Kept as it is beside the predictor.
    ties : {"efron", "breslow"}
    """
    design, given = np.asarray(X, dtype=float), np.atleast_2d(np.asarray(coef, dtype=float))
    usable = np.isfinite(given).all(axis=1)
    predictor = np.where(usable[:, None], given, 0.0) @ design.T
    centred = predictor - predictor.mean(axis=1, keepdims=True)
    fit = fit_cox(centred[:, :, None], sets, freq=freq, offset=offset, ties=ties)
    return np.where(usable & (fit.status == OK), fit.coef[:, 0], np.nan)
