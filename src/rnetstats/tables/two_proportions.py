"""Risk difference and risk ratio of two independent groups, for arrays of counts.

Every function takes events and sizes of group 1 and group 2; differences are group 1 less group 2,
ratios group 1 over group 2.

References
----------
Newcombe RG (1998) Interval estimation for the difference between independent proportions. Stat
Med 17:873-890. Miettinen O, Nurminen M (1985) Comparative analysis of two rates. Stat Med
4:213-226. Agresti A, Caffo B (2000) Am Stat 54:280-288. Katz D et al. (1978) Biometrics 34:469-474.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from rnetstats._core.distributions import normal_quantile
from rnetstats.tables.proportion_limits import Pair, wilson_limits

__all__ = [
    "agresti_caffo_limits",
    "katz_limits",
    "miettinen_nurminen_limits",
    "newcombe_limits",
    "score_z",
    "wald_difference_limits",
]


def _shares(x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike) -> list[np.ndarray]:
    return [
        np.array(v) for v in np.broadcast_arrays(*(np.asarray(a, float) for a in (x1, n1, x2, n2)))
    ]


def newcombe_limits(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    conf_level: float = 0.95,
    *,
    continuity: bool = False,
) -> Pair:
    """Risk difference: square-and-add from Wilson limits (Newcombe's methods 10 and 11)."""
    a, m, c, n = _shares(x1, n1, x2, n2)
    low1, high1 = wilson_limits(a, m, conf_level, continuity=continuity)
    low2, high2 = wilson_limits(c, n, conf_level, continuity=continuity)
    p1, p2 = a / m, c / n
    difference = p1 - p2
    below = np.hypot(p1 - low1, high2 - p2)
    above = np.hypot(high1 - p1, p2 - low2)
    return difference - below, difference + above


def wald_difference_limits(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, conf_level: float = 0.95
) -> Pair:
    """Risk difference: normal limits, for comparison; of no use where a group has no events."""
    a, m, c, n = _shares(x1, n1, x2, n2)
    p1, p2 = a / m, c / n
    half = normal_quantile(conf_level) * np.sqrt(p1 * (1 - p1) / m + p2 * (1 - p2) / n)
    return p1 - p2 - half, p1 - p2 + half


def agresti_caffo_limits(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, conf_level: float = 0.95
) -> Pair:
    """Risk difference: normal limits after one event and one non-event more in each group."""
    a, m, c, n = _shares(x1, n1, x2, n2)
    low, high = wald_difference_limits(a + 1, m + 2, c + 1, n + 2, conf_level)
    return np.maximum(low, -1.0), np.minimum(high, 1.0)


def katz_limits(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, conf_level: float = 0.95
) -> Pair:
    """Risk ratio: normal limits of its logarithm; NaN where a group has no events."""
    a, m, c, n = _shares(x1, n1, x2, n2)
    usable = (a > 0) & (c > 0)
    a, c = np.where(usable, a, np.nan), np.where(usable, c, np.nan)
    centre = np.log(a / m) - np.log(c / n)
    half = normal_quantile(conf_level) * np.sqrt(1 / a - 1 / m + 1 / c - 1 / n)
    return np.exp(centre - half), np.exp(centre + half)


def _restricted_difference(
    a: np.ndarray, m: np.ndarray, c: np.ndarray, n: np.ndarray, delta: np.ndarray
) -> Pair:
    """Maximum-likelihood risks under ``p1 - p2 = delta`` (the root of a cubic, by arc cosine)."""
    total = m + n
    l2 = (m + 2 * n) * delta - total - (a + c)
    l1 = (n * delta - total - 2 * c) * delta + a + c
    l0 = c * delta * (1 - delta)
    q = l2**3 / (3 * total) ** 3 - l1 * l2 / (6 * total**2) + l0 / (2 * total)
    inner = np.maximum(l2**2 / (3 * total) ** 2 - l1 / (3 * total), 0.0)
    p = np.sqrt(inner)
    cosine = np.divide(q, p**3, out=np.zeros_like(q), where=p > 1e-100)
    angle = (np.pi + np.arccos(np.clip(cosine, -1.0, 1.0))) / 3.0
    p2 = np.clip(
        2 * p * np.cos(angle) - l2 / (3 * total), np.maximum(0, -delta), np.minimum(1, 1 - delta)
    )
    return p2 + delta, p2


def _restricted_ratio(
    a: np.ndarray, m: np.ndarray, c: np.ndarray, n: np.ndarray, ratio: np.ndarray
) -> Pair:
    """Maximum-likelihood risks under ``p1 = ratio * p2`` (the smaller root of a quadratic)."""
    total = m + n
    half = ratio * (m + c) + a + n
    root = np.sqrt(np.maximum(half**2 - 4 * ratio * total * (a + c), 0.0))
    p2 = 2 * (a + c) / (half + root)
    p2 = np.clip(p2, 0.0, np.minimum(1.0, 1.0 / ratio))
    return ratio * p2, p2


def score_z(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    value: ArrayLike,
    *,
    measure: str = "difference",
) -> np.ndarray:
    """Miettinen and Nurminen's score statistic of a hypothetical difference or ratio.

    Parameters
    ----------
    value : array-like
        The hypothetical risk difference (in (-1, 1)) or risk ratio (positive).
    measure : {"difference", "ratio"}
        What ``value`` is.

    Returns
    -------
    ndarray
        Standard normal under the hypothesis; positive where the observed measure is larger. The
        variance is the restricted one times N / (N - 1).
    """
    a, m, c, n = _shares(x1, n1, x2, n2)
    v = np.broadcast_to(np.asarray(value, dtype=float), a.shape)
    if measure == "difference":
        p1, p2 = _restricted_difference(a, m, c, n, v)
        distance = a / m - c / n - v
        variance = p1 * (1 - p1) / m + p2 * (1 - p2) / n
    else:
        p1, p2 = _restricted_ratio(a, m, c, n, v)
        distance = a / m - v * c / n
        variance = p1 * (1 - p1) / m + v**2 * p2 * (1 - p2) / n
    variance = np.maximum(variance, 0.0) * (m + n) / (m + n - 1.0)
    safe = np.where(variance > 0, variance, 1.0)
    z = np.where(variance > 0, distance / np.sqrt(safe), np.copysign(np.inf, distance))
    return np.where(np.abs(distance) < 1e-15, 0.0, z)


def miettinen_nurminen_limits(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    conf_level: float = 0.95,
    *,
    measure: str = "difference",
) -> Pair:
    """Score limits of the risk difference or ratio, valid with empty cells.

    All values whose score statistic is within the normal quantile; the ratio's limits are 0 or
    infinite where a group has no events, and both where neither has.
    """
    a, m, c, n = _shares(x1, n1, x2, n2)
    z = normal_quantile(conf_level)

    if measure == "difference":
        estimate = a / m - c / n

        def at(t: np.ndarray) -> np.ndarray:
            return score_z(a, m, c, n, t)

        low = _bisect(lambda t: at(t) - z, np.full_like(a, -1.0), estimate)
        high = _bisect(lambda t: at(t) + z, estimate, np.full_like(a, 1.0))
        return low, high

    def at_log(t: np.ndarray) -> np.ndarray:
        return score_z(a, m, c, n, np.exp(t), measure="ratio")

    with np.errstate(divide="ignore", invalid="ignore"):
        centre = np.log(a / m) - np.log(c / n)
    start = np.where(np.isfinite(centre), centre, 0.0)
    far = 60.0 + np.abs(start)
    low = np.exp(_bisect(lambda t: at_log(t) - z, -far, np.where(c > 0, start, far)))
    high = np.exp(_bisect(lambda t: at_log(t) + z, np.where(a > 0, start, -far), far))
    return np.where(a > 0, low, 0.0), np.where(c > 0, high, np.inf)


def _bisect(
    function: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Roots of a decreasing function, one an entry, to the last digit."""
    low, high = np.array(low, dtype=float), np.array(high, dtype=float)
    for _ in range(90):
        middle = 0.5 * (low + high)
        above = function(middle) > 0.0
        low = np.where(above, middle, low)
        high = np.where(above, high, middle)
    return np.asarray(0.5 * (low + high))
