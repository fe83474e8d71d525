"""Standardised mean differences between groups.

References
----------
Austin PC (2009) Balance diagnostics for comparing the distribution of baseline covariates. Stat Med
28:3083-3107. Yang D, Dalton JE (2012) A unified approach to measuring the effect size between two
groups using SAS. SAS Global Forum 335.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["smd_categorical", "smd_numeric"]


def smd_numeric(x: np.ndarray, y: np.ndarray) -> float:
    """``(mean x - mean y) / sqrt((var x + var y) / 2)``, signed.

    NaN if a group has fewer than two values; 0 or infinite if both groups are constant.
    """
    if min(len(x), len(y)) < 2:
        return math.nan
    (mean_x, variance_x), (mean_y, variance_y) = _moments(x), _moments(y)
    return _ratio(mean_x - mean_y, math.sqrt((variance_x + variance_y) / 2.0))


def smd_categorical(first: np.ndarray, second: np.ndarray) -> float:
    """Mahalanobis distance of the level shares, the first level left out; never negative.

    Parameters
    ----------
    first, second : ndarray of int, shape (levels,)
        Counts of each level in the two groups.

    Returns
    -------
    float
        For two levels ``|p1 - p2| / sqrt((p1 q1 + p2 q2) / 2)``. Levels that neither group has are
        left out. NaN if a group is empty.
    """
    used = (first + second) > 0
    if first.sum() == 0 or second.sum() == 0:
        return math.nan
    p = (first[used] / first.sum())[1:]
    q = (second[used] / second.sum())[1:]
    covariance = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2.0
    difference = p - q
    if len(difference) == 0:
        return 0.0
    if len(difference) == 1:
        return _ratio(abs(float(difference[0])), math.sqrt(float(covariance[0, 0])))
    if np.linalg.matrix_rank(covariance) < len(difference):
        # The groups share no level: some difference has no spread at all.
        inside = covariance @ np.linalg.pinv(covariance) @ difference
        if not np.allclose(inside, difference, atol=1e-12):
            return math.inf
    return math.sqrt(max(0.0, float(difference @ np.linalg.pinv(covariance) @ difference)))


def _moments(values: np.ndarray) -> tuple[float, float]:
    """Mean and variance; of equal values without the rounding of their sum."""
    if np.ptp(values) == 0.0:
        return float(values[0]), 0.0
    return float(np.mean(values)), float(np.var(values, ddof=1))


def _ratio(difference: float, spread: float) -> float:
    if spread > 0.0:
        return difference / spread
    return 0.0 if difference == 0.0 else math.copysign(math.inf, difference)
