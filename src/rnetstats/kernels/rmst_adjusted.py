"""Restricted mean survival time by covariates: inverse probability of censoring weighting.

Each patient whose ``min(T, tau)`` is known has the weight 1/G of the group's censoring curve there,
and the estimating equations of a linear or log-linear mean are solved with these weights. The
variance takes in that G is estimated.

References
----------
Tian L, Zhao L, Wei LJ. Predicting the restricted mean event time with the subject's baseline
covariates in survival analysis. Biostatistics 2014;15:222-33.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MeanRegression", "Truncated", "mean_regression", "truncate"]

Floats = NDArray[np.float64]

_STEPS = 100
_CLOSE = 1e-12


@dataclass(frozen=True, eq=False)
class Truncated:
    """Times cut at tau (n,), which of them are known, and their weights."""

    time: Floats
    known: NDArray[np.bool_]
    weight: Floats
    group: NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class MeanRegression:
    """Coefficients (p,) and their covariance (p, p)."""

    coef: Floats
    covariance: Floats
    converged: bool


def truncate(
    stop: Floats, event: NDArray[np.bool_], group: NDArray[np.intp], tau: float
) -> Truncated:
    """Cut times at tau and weigh what is known by 1/G, G the censoring curve of the row's group."""
    time = np.minimum(stop, tau)
    known = event | (stop >= tau)
    weight = np.zeros(len(time))
    for code in np.unique(group):
        rows = np.flatnonzero(group == code)
        grid, place = np.unique(time[rows], return_inverse=True)
        lost = np.bincount(place, ~known[rows], len(grid))
        n_risk = len(rows) - np.searchsorted(np.sort(time[rows]), grid, side="left")
        curve = np.cumprod(1.0 - lost / n_risk)[place]
        weight[rows] = np.divide(1.0, curve, out=np.zeros(len(rows)), where=known[rows])
    return Truncated(time, known, weight, group)


def mean_regression(X: Floats, target: Floats, cut: Truncated, *, log: bool) -> MeanRegression:
    """Regress a target on columns, with a linear or a log-linear mean.

    Parameters
    ----------
    X : array of shape (n, p)
    target : array of shape (n,)
        The truncated time, or the time lost.
    cut : Truncated
    log : bool

    Returns
    -------
    MeanRegression
        ``converged`` is False where the equations have no single, finite solution.
    """
    size = np.sqrt(np.mean(X**2, axis=0))
    # Orthogonal columns, so that neither units nor means far from zero cost digits.
    Z, back = np.linalg.qr(X / size)
    back = np.linalg.inv(back) / size[:, None]
    coef, converged = _solve(Z, target, cut.weight, log=log)
    mean = np.exp(Z @ coef) if log else Z @ coef
    slope = mean if log else np.ones(len(mean))
    score = Z * (cut.weight * (target - mean))[:, None]
    influence = score + _censoring_part(score, cut)
    information = (Z.T * slope) @ Z
    half = back @ np.linalg.lstsq(information, influence.T, rcond=None)[0]
    return MeanRegression(back @ coef, half @ half.T, converged)


def _solve(Z: Floats, target: Floats, weight: Floats, *, log: bool) -> tuple[Floats, bool]:
    """Newton's method; one step where the mean is linear."""
    known = weight > 0.0
    if np.linalg.matrix_rank(Z[known]) < Z.shape[1]:
        return np.zeros(Z.shape[1]), False
    if not log:
        return np.asarray(np.linalg.solve((Z.T * weight) @ Z, Z.T @ (weight * target))), True
    coef = np.zeros(Z.shape[1])
    start = np.log(max(float(weight @ target) / float(weight.sum()), np.finfo(float).tiny))
    coef = np.linalg.lstsq(Z, np.full(len(Z), start), rcond=None)[0]
    for _ in range(_STEPS):
        mean = np.exp(np.minimum(Z @ coef, 700.0))
        score = Z.T @ (weight * (target - mean))
        move = np.linalg.lstsq((Z.T * (weight * mean)) @ Z, score, rcond=None)[0]
        furthest = float(np.abs(Z @ move).max())
        coef = coef + move * min(1.0, 2.0 / max(furthest, 1e-300))
        if furthest < _CLOSE:
            return coef, True
    return coef, False


def _censoring_part(score: Floats, cut: Truncated) -> Floats:
    """What the estimation of each group's censoring curve adds to the influences (n, p).

    A censored row adds the mean score of those still at risk at its time; every row loses such
    means at the censorings that it was exposed to.
    """
    added = np.zeros_like(score)
    for code in np.unique(cut.group):
        rows = np.flatnonzero(cut.group == code)
        grid, place = np.unique(cut.time[rows], return_inverse=True)
        sums = np.zeros((len(grid), score.shape[1]))
        np.add.at(sums, place, score[rows])
        n_risk = np.cumsum(np.bincount(place, minlength=len(grid))[::-1])[::-1]
        mean = np.cumsum(sums[::-1], axis=0)[::-1] / n_risk[:, None]
        lost = np.bincount(place, ~cut.known[rows], len(grid))
        drift = np.cumsum(mean * (lost / n_risk)[:, None], axis=0)
        added[rows] = np.where(cut.known[rows], 0.0, 1.0)[:, None] * mean[place] - drift[place]
    return added
