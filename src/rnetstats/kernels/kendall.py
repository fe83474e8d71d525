"""Kendall's rank correlation: its score, the exact null distribution and the variance with ties."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["inversion_distribution", "kendall_score", "kendall_variance"]

Floats: TypeAlias = NDArray[np.float64]


def kendall_score(x: ArrayLike, y: ArrayLike) -> float:
    """Return the concordant less the discordant pairs of two series of n numbers."""
    first, second = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    signs = np.sign(first[:, None] - first) * np.sign(second[:, None] - second)
    return float(np.triu(signs, 1).sum())


def kendall_variance(x: ArrayLike, y: ArrayLike) -> float:
    """Return the variance of the score if the series are independent, ties as they are.

    References
    ----------
    Kendall MG (1970) Rank Correlation Methods, 4th edition. Griffin, London, section 4.
    """
    n = float(np.size(x))
    t, u = (np.unique(np.asarray(z), return_counts=True)[1].astype(float) for z in (x, y))
    linear = n * (n - 1) * (2 * n + 5)
    linear -= (t * (t - 1) * (2 * t + 5)).sum() + (u * (u - 1) * (2 * u + 5)).sum()
    total = linear / 18.0
    if n > 2:
        thrice = (t * (t - 1) * (t - 2)).sum() * (u * (u - 1) * (u - 2)).sum()
        total += thrice / (9.0 * n * (n - 1) * (n - 2))
    if n > 1:
        total += (t * (t - 1)).sum() * (u * (u - 1)).sum() / (2.0 * n * (n - 1))
    return float(total)


def inversion_distribution(n: int) -> Floats:
    """Return the probabilities of 0, 1, ..., n(n-1)/2 discordant pairs of n untied numbers.

    Element by element: the i-th of a random order has 0 to i - 1 greater ones before it, each
    number equally likely.
    """
    shares = np.ones(1)
    for size in range(2, n + 1):
        padded = np.concatenate([shares, np.zeros(size - 1)])
        sums = np.cumsum(padded)
        sums[size:] -= sums[:-size].copy()
        shares = sums / size
    return np.asarray(shares)
