"""Shrinkage of slopes as a step of a recipe, in many replicates at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, xlogy

from rnetstats.kernels.calibration_line import calibration_line
from rnetstats.kernels.cox import CoxFit, fit_cox
from rnetstats.kernels.logistic import LogisticFit
from rnetstats.kernels.newton import LOST_TERM, OK, IntArray
from rnetstats.kernels.risksets import RiskSets

__all__ = ["INNER", "shrunken"]

Floats = NDArray[np.float64]

INNER = 50
"""Resamples within each replicate for shrinkage by the bootstrap."""


def shrunken(
    method: str,
    fit: LogisticFit | CoxFit,
    X: Floats,
    events: Floats,
    counts: Floats,
    seeds: IntArray,
    *,
    df: int,
    refit: Callable[[Floats, Floats, NDArray[np.intp]], LogisticFit | CoxFit],
    sets: RiskSets | None,
) -> Floats:
    """Return the shrunken slopes (B, p) of fitted models.

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
        ``(counts, X, rows) -> fit``.
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
        factor = _heuristic(fit, events, counts, df)
    else:
        factor = np.array(
            [
                _resampled(b, X, events, counts[b], int(seed), refit, sets)
                for b, seed in enumerate(seeds)
            ]
        )
    return np.asarray(slopes * np.clip(factor, 0.0, 1.0)[:, None])


def _heuristic(fit: LogisticFit | CoxFit, events: Floats, counts: Floats, df: int) -> Floats:
    if isinstance(fit, CoxFit):
        null = fit.log_likelihood_null
    else:
        total = counts.sum(axis=1)
        share = counts @ events / total
        null = total * (xlogy(share, share) + xlogy(1.0 - share, 1.0 - share))
    ratio = 2.0 * (fit.log_likelihood - null)
    return np.where(ratio > df, 1.0 - df / np.maximum(ratio, 1e-300), 0.0)


def _resampled(
    b: int,
    X: Floats,
    events: Floats,
    counts: Floats,
    seed: int,
    refit: Callable[[Floats, Floats, NDArray[np.intp]], LogisticFit | CoxFit],
    sets: RiskSets | None,
) -> float:
    """Mean calibration slope, on the rows of one replicate, of models of its resamples."""
    rng = np.random.default_rng(seed)
    total = int(counts.sum())
    rows = np.repeat(np.arange(counts.size), counts.astype(np.intp))
    drawn = rows[rng.integers(0, total, size=(INNER, total))]
    again = np.array([np.bincount(part, minlength=counts.size) for part in drawn], dtype=float)
    columns = X[b] if X.ndim == 3 else X
    both = again @ events > 0
    if sets is None:
        both &= again @ (1.0 - events) > 0
    again = again[both]
    fit = refit(again, columns, np.arange(len(again)))
    good = np.isin(fit.status, (OK, LOST_TERM))
    if not good.any():
        return float("nan")
    if sets is None:
        line = calibration_line(events, expit(fit.coef[good] @ _with_one(columns).T), counts)
        slopes = line.slope[np.isfinite(line.slope)]
    else:
        eta = fit.coef[good] @ columns.T
        again_fit = fit_cox(eta[:, :, None] - eta.mean(), sets, freq=counts, start=np.ones(1))
        slopes = again_fit.coef[again_fit.status == OK, 0]
    return float(slopes.mean()) if slopes.size else float("nan")


def _with_one(columns: Floats) -> Floats:
    return np.column_stack([np.ones(len(columns)), columns])
