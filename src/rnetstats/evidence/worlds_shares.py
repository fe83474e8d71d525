"""How much of the time at risk one of two groups may hold for its events to be too many.

Without an effect each of a number of events falls in group 1 with the probability q that it is of
those at risk. The log-rank (score) statistic of ``events`` among ``total`` is then
``(events - total q) / sqrt(total q (1 - q))`` when q is about constant.

References
----------
Wilson EB (1927) J Am Stat Assoc 22:209-212. Clopper CJ, Pearson ES (1934) Biometrika 26:404-413.
Peto R, Peto J (1972) J R Stat Soc A 135:185-207.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, bdtrc, ndtr, ndtri

from rnetstats.tables.proportion_limits import clopper_pearson_limits, wilson_limits

__all__ = ["binomial_p", "logrank_z", "share_at_which", "share_curve", "share_exact"]


def share_at_which(events: ArrayLike, total: ArrayLike, *, level: float = 0.05) -> np.ndarray:
    """Return the largest share of follow-up at which ``events`` of ``total`` are too many.

    The log-rank statistic reaches the two-sided point z of the level at the smaller root q of
    ``(events - total q)^2 = z^2 total q (1 - q)``, the lower limit of Wilson's interval.

    Returns
    -------
    ndarray
        0 where no share is small enough.
    """
    return np.asarray(wilson_limits(events, total, 1.0 - level)[0])


def share_exact(events: ArrayLike, total: ArrayLike, *, level: float = 0.05) -> np.ndarray:
    """Return the same share by the exact binomial tail of half the level."""
    return np.asarray(clopper_pearson_limits(events, total, 1.0 - level)[0])


def logrank_z(events: ArrayLike, total: ArrayLike, share: ArrayLike) -> np.ndarray:
    """Return the log-rank statistic; positive where group 1 has more events than its share."""
    a, n, q = (np.asarray(x, dtype=float) for x in (events, total, share))
    variance = n * q * (1.0 - q)
    return np.asarray((a - n * q) / np.sqrt(np.where(variance > 0.0, variance, np.inf)))


def share_curve(events: ArrayLike, total: ArrayLike, shares: ArrayLike) -> np.ndarray:
    """Return the two-sided log-rank P at each share of follow-up held by group 1."""
    return np.asarray(2.0 * ndtr(-np.abs(logrank_z(events, total, shares))), dtype=float)


def binomial_p(events: ArrayLike, total: ArrayLike, share: float) -> np.ndarray:
    """Return the exact two-sided P, twice the smaller tail, at a share."""
    a, n = np.broadcast_arrays(np.asarray(events, dtype=float), np.asarray(total, dtype=float))
    upper = np.where(a > 0, bdtrc(np.maximum(a - 1.0, 0.0), n.astype(int), share), 1.0)
    return np.asarray(np.minimum(2.0 * np.minimum(bdtr(a, n.astype(int), share), upper), 1.0))


def two_sided_z(level: float) -> float:
    """Return the normal quantile of a two-sided level."""
    return float(-ndtri(level / 2.0))
