"""Normal, chi-square and F probabilities, without the overhead of distribution objects."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import betaincc, chdtrc, ndtr, ndtri

__all__ = ["chi_square_p", "f_p", "normal_quantile", "two_sided_p"]


def normal_quantile(conf_level: float) -> float:
    """Return z such that (-z, z) holds ``conf_level`` of the standard normal law."""
    return float(-ndtri((1.0 - conf_level) / 2.0))


def two_sided_p(z: Any) -> np.ndarray:
    """Return P(|Z| >= |z|) for standard normal Z."""
    return np.asarray(2.0 * ndtr(-np.abs(np.asarray(z, dtype=float))))


def chi_square_p(statistic: Any, df: Any) -> np.ndarray:
    """Return the upper tail of the chi-square law."""
    return np.asarray(chdtrc(np.asarray(df, dtype=float), np.asarray(statistic, dtype=float)))


def f_p(statistic: float, df: float, df_error: float) -> float:
    """Return the upper tail of the F law; infinite ``df_error`` leave a chi-square law.

    By the complement of the beta law: scipy's own F loses digits above 1e8 degrees of freedom, and
    before its release 1.17 calls every value of an infinite number of them certain.
    """
    if np.isinf(df_error):
        return float(chdtrc(df, df * statistic))
    odds = df * statistic / df_error
    share = 1.0 if odds == np.inf else odds / (1.0 + odds)
    return float(betaincc(df / 2.0, df_error / 2.0, share))
