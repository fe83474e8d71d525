"""Imputing a category: Bayesian logistic models that survive perfect prediction.

A few weighted rows are added at one standard deviation to either side of each predictor's mean,
with every outcome: they pull an infinite coefficient back to a finite one and hardly move others.

References
----------
White IR, Daniel R, Royston P (2010). Avoiding bias due to perfect prediction in multiple
imputation of incomplete categorical variables. Comput Stat Data Anal 54:2267-2275.
McCullagh P (1980). Regression models for ordinal data. JRSS B 42:109-142.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from rnetstats.missing.definite import normal_noise, solve_definite

__all__ = ["draw_binary", "draw_nominal", "draw_ordered"]

Floats = NDArray[np.float64]

_STEPS = 50
_CLOSE = 1e-6  # Newton decrement: a thousandth of a standard error, which the draw drowns
_HALVINGS = 12
_DRAWS = 50


@lru_cache(maxsize=256)
def _extra_rows(p: int, levels: int) -> tuple[Floats, Floats, Floats]:
    """Design, outcome and weights of the added rows; their weights add up to p."""
    shift = np.eye(p)[1:] if p > 1 else np.zeros((1, 1))
    X = np.repeat(np.concatenate([shift, -shift]), levels, axis=0)
    X[:, 0] = 1.0
    y = np.tile(np.arange(levels, dtype=float), 2 * len(shift))
    return X, y, np.full(len(y), p / len(y))


def _augmented(
    y: Floats, X: Floats, freq: Floats | None, levels: int
) -> tuple[Floats, Floats, Floats]:
    more, outcome, weight = _extra_rows(X.shape[1], levels)
    own = np.ones(len(y)) if freq is None else freq
    return np.concatenate([y, outcome]), np.vstack([X, more]), np.concatenate([own, weight])


def draw_binary(
    y: Floats,
    X: Floats,
    X_new: Floats,
    freq: Floats | None,
    rng: np.random.Generator,
    memory: dict[str, Any],
) -> Floats:
    """Draw 0 or 1 from a logistic model with coefficients drawn from their posterior.

    Parameters
    ----------
    y : array of shape (n,)
        0 or 1.
    X, X_new : arrays of shape (n, p) and (k, p)
        The first column is 1, the others are standardised.
    freq : array of shape (n,), optional
        Whole numbers: how often each row counts.
    rng : Generator
    memory : dict
        Where the last estimate is kept, to start the next fit from.

    Returns
    -------
    array of shape (k,)
    """
    y, X, weight = _augmented(y, X, freq, 2)
    beta = memory.get("binary", np.zeros(X.shape[1]))
    for _ in range(_STEPS):
        p = expit(X @ beta)
        score = X.T @ (weight * (y - p))
        information = X.T @ (X * (weight * p * (1.0 - p))[:, None])
        step = solve_definite(information, score)
        size = float(np.abs(step).max())
        beta = beta + step * min(1.0, 4.0 / size if size > 0.0 else 1.0)
        if score @ step < _CLOSE:
            break
    memory["binary"] = beta
    drawn = beta + normal_noise(information, rng)
    return np.asarray(rng.random(len(X_new)) < expit(X_new @ drawn), dtype=float)


def draw_nominal(
    y: Floats,
    X: Floats,
    X_new: Floats,
    freq: Floats | None,
    rng: np.random.Generator,
    memory: dict[str, Any],
    levels: int,
) -> Floats:
    """Draw codes 0 to ``levels - 1`` from a multinomial logistic model; see draw_binary."""
    y, X, weight = _augmented(y, X, freq, levels)
    p, K = X.shape[1], levels - 1
    chosen = (y[:, None] == np.arange(1, levels)).astype(float)
    beta = memory.get("nominal", np.zeros((p, K)))
    for _ in range(_STEPS):
        share = _softmax(X @ beta)[:, 1:]
        score = (X.T @ (weight[:, None] * (chosen - share))).T.ravel()
        information = np.empty((K, p, K, p))
        for a in range(K):
            for b in range(a, K):
                spread = weight * share[:, a] * ((a == b) - share[:, b])
                block = X.T @ (X * spread[:, None])
                information[a, :, b], information[b, :, a] = block, block.T
        matrix = information.reshape(K * p, K * p)
        step = solve_definite(matrix, score)
        size = float(np.abs(step).max())
        shrink = min(1.0, 4.0 / size if size > 0.0 else 1.0)
        beta = beta + shrink * step.reshape(K, p).T
        if score @ step < _CLOSE:
            break
    memory["nominal"] = beta
    drawn = beta + normal_noise(matrix, rng).reshape(K, p).T
    return _choose(_softmax(X_new @ drawn), rng)


def draw_ordered(
    y: Floats,
    X: Floats,
    X_new: Floats,
    freq: Floats | None,
    rng: np.random.Generator,
    memory: dict[str, Any],
    levels: int,
) -> Floats:
    """Draw codes 0 to ``levels - 1`` from a proportional-odds model; see draw_binary."""
    y, X, weight = _augmented(y, X, freq, levels)
    code, rows, K = y.astype(np.intp), np.arange(len(y)), levels - 1
    theta = memory.get("ordered")
    if theta is None:
        share = np.cumsum(np.bincount(code, weights=weight, minlength=levels))[:-1] / weight.sum()
        theta = np.concatenate([np.log(share / (1.0 - share)), np.zeros(X.shape[1] - 1)])
    value, slopes, shares = _cumulative(theta, X, K, code, weight)
    for _ in range(_STEPS):
        information = np.einsum("i,ikp,ikq->pq", weight, slopes / shares[:, :, None], slopes)
        score = (weight / shares[rows, code]) @ slopes[rows, code]
        step = solve_definite(information, score)
        for halving in range(_HALVINGS):
            ahead = theta + 0.5**halving * step
            now = _cumulative(ahead, X, K, code, weight)
            if now[0] >= value - 1e-10 * abs(value):
                theta, (value, slopes, shares) = ahead, now
                break
        if score @ step < _CLOSE:
            break
    memory["ordered"] = theta
    for _ in range(_DRAWS):
        drawn = theta + normal_noise(information, rng)
        if (np.diff(drawn[:K]) > 0.0).all():
            break
    else:
        drawn[:K] = np.sort(drawn[:K])
    below = expit(drawn[:K] - (X_new[:, 1:] @ drawn[K:])[:, None])
    return _choose(np.diff(below, axis=1, prepend=0.0, append=1.0), rng)


def _cumulative(
    theta: Floats, X: Floats, K: int, code: NDArray[np.intp], weight: Floats
) -> tuple[float, Floats, Floats]:
    """Log-likelihood, derivatives (n, levels, parameters) and probabilities (n, levels)."""
    n, p = X.shape
    none = np.zeros((n, 1))
    if not (np.diff(theta[:K]) > 0.0).all():
        return -np.inf, np.empty(0), np.empty(0)
    below = expit(theta[:K] - (X[:, 1:] @ theta[K:])[:, None])
    density = below * (1.0 - below)
    shares = np.maximum(np.diff(np.concatenate([none, below, none + 1.0], axis=1)), 1e-12)
    slopes = np.zeros((n, K + 1, K + p - 1))
    for k in range(K):
        slopes[:, k, k] = density[:, k]
        slopes[:, k + 1, k] = -density[:, k]
    edges = np.diff(np.concatenate([none, density, none], axis=1))
    slopes[:, :, K:] = -edges[:, :, None] * X[:, None, 1:]
    value = float(weight @ np.log(shares[np.arange(n), code]))
    return value, slopes, shares


def _softmax(eta: Floats) -> Floats:
    """Probabilities of the reference, whose predictor is 0, and of the others."""
    full = np.concatenate([np.zeros((len(eta), 1)), eta], axis=1)
    size = np.exp(full - full.max(axis=1, keepdims=True))
    return np.asarray(size / size.sum(axis=1, keepdims=True))


def _choose(shares: Floats, rng: np.random.Generator) -> Floats:
    """Draw one column for each row of probabilities."""
    point = rng.random((len(shares), 1))
    return np.asarray((np.cumsum(shares, axis=1)[:, :-1] < point).sum(axis=1), dtype=float)
