"""Weighted means, variances and standardised differences of two arms.

References
----------
Austin PC (2009). Balance diagnostics for comparing the distribution of baseline covariates between
treatment groups in propensity-score matched samples. Statistics in Medicine 28:3083-3107.
"""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.newton import BoolArray, FloatArray

__all__ = ["arm_moments", "standardised_difference"]


def arm_moments(
    columns: FloatArray, weights: FloatArray, freq: FloatArray, binary: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Weighted mean and variance of each column in one arm.

    Parameters
    ----------
    columns : array of shape (n, p)
        Of the arm's rows.
    weights, freq : arrays of shape (n,)
        Real weights, and how often each row stands in the data.
    binary : bool array of shape (p,)
        Columns of 0 and 1, whose variance is p (1 - p).

    Returns
    -------
    mean, variance : arrays of shape (p,)
        The variance of other columns has the factor n / (n - 1), with n the number of patients;
        missing for a single one.
    """
    share = weights * freq / (weights @ freq)
    apart = columns - columns[0]  # equal values have their mean, and no variance, to the last digit
    offset = share @ apart
    mean = columns[0] + offset
    square = share @ (apart - offset) ** 2
    n = float(freq.sum())
    inflated = square * n / (n - 1.0) if n > 1.0 else np.full(square.shape, np.nan)
    return mean, np.where(binary, mean * (1.0 - mean), inflated)


def standardised_difference(
    means: tuple[FloatArray, FloatArray], variances: tuple[FloatArray, FloatArray]
) -> FloatArray:
    """(m1 - m0) / sqrt((v1 + v0) / 2), signed, (p,).

    0 where neither means nor values differ, infinite where only the means do.
    """
    difference = means[0] - means[1]
    spread = np.sqrt((variances[0] + variances[1]) / 2.0)
    flat = np.where(difference == 0.0, 0.0, np.copysign(np.inf, difference))
    return np.divide(difference, spread, out=flat, where=~(spread == 0.0))
