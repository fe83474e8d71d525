"""Exact conditional distributions of a logistic model's sufficient statistics.

With integer covariates the likelihood depends on the data through ``t = X'y``. Given all of ``t``
but one entry, what remains is a one-parameter family of counts, free of the other coefficients.
Its weights are counted by going through the covariate patterns one by one (multivariate shift
algorithm), keeping only sums from which the observed values can still be reached.

References
----------
Hirji KF, Mehta CR, Patel NR (1987) Computing distributions for exact logistic regression. JASA
82:1110-1117. Mehta CR, Patel NR (1995) Exact logistic regression: theory and examples. Stat Med
14:2143-2160.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["conditional_weights", "patterns"]

Array = np.ndarray

_IN_ALL = 2  # sums formed over all patterns, of those that may be kept at once: what takes the time


def patterns(X: Array, y: Array, count: Array) -> tuple[Array, Array, Array]:
    """Return the distinct rows of ``X``, how often each occurs, and the statistics ``X'y``.

    Parameters
    ----------
    X : int array of shape (n, p)
    y : 0/1 array of shape (n,)
    count : int array of shape (n,)
        Frequency weights.

    Returns
    -------
    distinct : int array of shape (c, p)
    size : int array of shape (c,)
    observed : int array of shape (p,)
    """
    distinct, which = np.unique(X, axis=0, return_inverse=True)
    size = np.bincount(which.ravel(), weights=count, minlength=len(distinct)).astype(np.int64)
    return distinct, size, X.T @ (y * count)


def conditional_weights(
    distinct: Array, size: Array, observed: Array, j: int, budget: int
) -> tuple[int, Array] | None:
    """Return the family of statistic ``j`` given all the others.

    Parameters
    ----------
    distinct, size, observed
        As from :func:`patterns`; the intercept's column of ones stands among the others.
    j : int
        The statistic that is free.
    budget : int
        Sums kept at once, at most; :data:`_IN_ALL` times as many may be formed in all.

    Returns
    -------
    (low, log_weight) or None
        ``log_weight`` of the consecutive values ``low, low + 1, ...``, minus infinity where a
        value is impossible; None if the budget does not suffice.
    """
    order = np.lexsort(np.abs(np.delete(distinct, j, axis=1)).T)[::-1]
    distinct, size = distinct[order], size[order]
    others = np.flatnonzero(np.arange(distinct.shape[1]) != j)
    part = distinct * size[:, None]
    # what the patterns still to come can add to each sum, at least and at most
    least = np.vstack([np.cumsum(np.minimum(part, 0)[::-1], axis=0)[::-1], np.zeros_like(part[:1])])
    most = np.vstack([np.cumsum(np.maximum(part, 0)[::-1], axis=0)[::-1], np.zeros_like(part[:1])])
    sums = np.zeros((1, distinct.shape[1]), dtype=np.int64)
    log_weight = np.zeros(1)
    formed = 0
    for c, (pattern, n) in enumerate(zip(distinct, size, strict=True)):
        formed += len(sums) * (int(n) + 1)
        if formed > _IN_ALL * budget:
            return None
        k = np.arange(n + 1)
        grown = (sums[:, None, :] + k[None, :, None] * pattern).reshape(-1, sums.shape[1])
        weight = (log_weight[:, None] + _log_binomial(int(n))[None, :]).ravel()
        short = observed[others] - grown[:, others]
        reach = ((short >= least[c + 1, others]) & (short <= most[c + 1, others])).all(axis=1)
        sums, log_weight = _merged(grown[reach], weight[reach])
        if len(sums) > budget:
            return None
    low, high = int(sums[:, j].min()), int(sums[:, j].max())
    if high - low >= 20 * budget:
        return None
    full = np.full(high - low + 1, -np.inf)
    full[sums[:, j] - low] = log_weight
    return low, full


def _log_binomial(n: int) -> Array:
    """``log C(n, k)`` for k = 0 to n."""
    log_factorial = np.array([math.lgamma(i + 1.0) for i in range(n + 1)])
    return np.asarray(log_factorial[n] - log_factorial - log_factorial[::-1])


def _merged(sums: Array, log_weight: Array) -> tuple[Array, Array]:
    """Add up the weights of equal sums."""
    low = sums.min(axis=0)
    span = sums.max(axis=0) - low + 1
    if math.prod(span.tolist()) < 2**63:
        keys = (sums - low) @ np.concatenate([[1], np.cumprod(span[:-1])])
    else:  # one number a sum would overflow
        keys = np.unique(sums, axis=0, return_inverse=True)[1].ravel()
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    top = np.full(len(first), -np.inf)
    np.maximum.at(top, which, log_weight)
    added = np.bincount(which, weights=np.exp(log_weight - top[which]), minlength=len(first))
    return sums[first], top + np.log(added)
