"""Wald's statistics of sets of coefficients."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["missing_joint_tests", "wald_statistic", "wald_statistics"]

# Smallest eigenvalue of a correlation matrix that is inverted. Rounding leaves some 1e-16 where
# clusters are too few; a spline of a skewed variable with seven knots comes down to 1e-12.
_SINGULAR = 1e-13


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


def missing_joint_tests(names: Sequence[str], variance: str) -> str:
    """Say which joint tests are missing and why; ``variance`` is its name, or empty."""
    reason = (
        f"the {variance} variance has too few dimensions (clusters) for it"
        if variance == "cluster-robust"
        else "the columns nearly determine each other, and their covariance cannot be inverted"
    )
    return f"The joint test of {', '.join(names)} is missing: {reason}."
