"""Normal and chi-square probabilities, without the overhead of distribution objects."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import chdtrc, ndtr, ndtri

__all__ = ["chi_square_p", "normal_quantile", "two_sided_p"]


def normal_quantile(conf_level: float) -> float:
    """Return z such that (-z, z) holds ``conf_level`` of the standard normal law."""
    return float(-ndtri((1.0 - conf_level) / 2.0))


def two_sided_p(z: Any) -> np.ndarray:
    """Return P(|Z| >= |z|) for standard normal Z."""
    return np.asarray(2.0 * ndtr(-np.abs(np.asarray(z, dtype=float))))


def chi_square_p(statistic: Any, df: Any) -> np.ndarray:
    """Return the upper tail of the chi-square law."""
    return np.asarray(chdtrc(np.asarray(df, dtype=float), np.asarray(statistic, dtype=float)))
