"""Wald's statistics of sets of coefficients."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["wald_statistic", "wald_statistics"]

_SINGULAR = 1e-10  # smallest eigenvalue of a correlation matrix that is inverted


def wald_statistics(
    coef: np.ndarray, covariance: np.ndarray, columns: Sequence[Sequence[int]]
) -> np.ndarray:
    """Return b' V^-1 b of sets of coefficients; see :func:`wald_statistic`."""
    return np.array([wald_statistic(coef, covariance, part) for part in columns])


def wald_statistic(coef: np.ndarray, covariance: np.ndarray, columns: Sequence[int]) -> float:
    """Return b' V^-1 b of some coefficients.

    Missing where an estimate or its variance is, and where V is singular: a cluster-robust
    variance has no more dimensions than there are clusters.
    """
    if len(columns) == 1:
        (j,) = columns
        own, variance = float(coef[j]), float(covariance[j, j])
        if not (math.isfinite(own) and 0.0 < variance < math.inf):
            return math.nan
        z = own / math.sqrt(variance)
        return z * z
    part = list(columns)
    b, block = coef[part], covariance[part][:, part]
    square = block.diagonal()
    if not (np.isfinite(block).all() and np.isfinite(b).all() and square.min() > 0.0):
        return math.nan
    error = np.sqrt(square)
    values, axes = np.linalg.eigh(block / (error[:, None] * error))
    if values[0] < _SINGULAR:
        return math.nan
    along = (b / error) @ axes
    return float(along @ (along / values))
