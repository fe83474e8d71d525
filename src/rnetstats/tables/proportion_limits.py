"""Limits of one proportion in closed form, for arrays of counts.

References
----------
Brown LD, Cai TT, DasGupta A (2001) Interval estimation for a binomial proportion. Stat Sci
16:101-133. Newcombe RG (1998) Two-sided confidence intervals for the single proportion. Stat Med
17:857-872. Clopper CJ, Pearson ES (1934) Biometrika 26:404-413.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainccinv, betaincinv, ndtri

__all__ = [
    "Pair",
    "agresti_coull_limits",
    "clopper_pearson_limits",
    "jeffreys_limits",
    "wald_limits",
    "wilson_limits",
]

Pair: TypeAlias = tuple[np.ndarray, np.ndarray]


def _floats(events: ArrayLike, n: ArrayLike) -> Pair:
    return np.asarray(events, dtype=float), np.asarray(n, dtype=float)


def _z(conf_level: float) -> float:
    return float(ndtri(0.5 + conf_level / 2.0))


def clopper_pearson_limits(events: ArrayLike, n: ArrayLike, conf_level: float = 0.95) -> Pair:
    """Exact central limits: beta quantiles, 0 without events and 1 without non-events."""
    x, size = _floats(events, n)
    alpha = (1.0 - conf_level) / 2.0
    low = betaincinv(np.maximum(x, 0.5), size - x + 1.0, alpha)
    high = betainccinv(x + 1.0, np.maximum(size - x, 0.5), alpha)
    return np.where(x > 0, low, 0.0), np.where(x < size, high, 1.0)


def wilson_limits(
    events: ArrayLike, n: ArrayLike, conf_level: float = 0.95, *, continuity: bool = False
) -> Pair:
    """Score limits (Wilson 1927), on request with continuity correction.

    The correction is ``min(1/2, |x - n/2|)``, as in R's ``prop.test``, which removes it at x = n/2.
    """
    x, size = _floats(events, n)
    z = _z(conf_level)
    y = np.minimum(0.5, np.abs(x - size / 2.0)) if continuity else np.zeros_like(x)
    p = x / size
    shift = z**2 / (2.0 * size)
    scale = 1.0 + z**2 / size

    def side(sign: float) -> np.ndarray:
        q = p + sign * y / size
        inner = np.maximum(q * (1.0 - q) / size + z**2 / (4.0 * size**2), 0.0)
        return np.asarray((q + shift + sign * z * np.sqrt(inner)) / scale)

    low = np.where(x == 0, 0.0, np.maximum(side(-1.0), 0.0))
    high = np.where(x == size, 1.0, np.minimum(side(1.0), 1.0))
    return low, high


def jeffreys_limits(
    events: ArrayLike, n: ArrayLike, conf_level: float = 0.95, *, closed_ends: bool = False
) -> Pair:
    """Equal-tailed limits of the posterior under Jeffreys' prior, Beta(1/2, 1/2).

    With ``closed_ends`` the lower limit is 0 without events and the upper 1 without non-events
    (Brown, Cai & DasGupta), which coverage needs there.
    """
    x, size = _floats(events, n)
    alpha = (1.0 - conf_level) / 2.0
    low = betaincinv(x + 0.5, size - x + 0.5, alpha)
    high = betaincinv(x + 0.5, size - x + 0.5, 1.0 - alpha)
    if closed_ends:
        low, high = np.where(x > 0, low, 0.0), np.where(x < size, high, 1.0)
    return np.asarray(low), np.asarray(high)


def agresti_coull_limits(events: ArrayLike, n: ArrayLike, conf_level: float = 0.95) -> Pair:
    """Wald limits after adding z^2/2 events and as many non-events; may leave [0, 1]."""
    x, size = _floats(events, n)
    z = _z(conf_level)
    return wald_limits(x + z**2 / 2.0, size + z**2, conf_level)


def wald_limits(events: ArrayLike, n: ArrayLike, conf_level: float = 0.95) -> Pair:
    """Normal limits, for comparison with other programs: of no use for small counts."""
    x, size = _floats(events, n)
    p = x / size
    half = _z(conf_level) * np.sqrt(p * (1.0 - p) / size)
    return p - half, p + half
