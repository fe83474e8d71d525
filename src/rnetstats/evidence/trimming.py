"""Trimming a funnel: how many of its most extreme studies have no counterpart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnetstats.errors import ConvergenceError
from rnetstats.evidence.meta_options import PoolOptions
from rnetstats.kernels.meta_pool import inverse_variance
from rnetstats.kernels.meta_tau2 import tau_squared

__all__ = ["ESTIMATORS", "Trimmed", "trim"]

Floats: TypeAlias = NDArray[np.float64]

ESTIMATORS = ("L0", "R0", "Q0")
_MOST_ROUNDS = 100


@dataclass(frozen=True)
class Trimmed:
    """What trimming found.

    Attributes
    ----------
    count : int
        Studies taken to be missing.
    error : float
        Its standard error before rounding; missing where Q0 finds all but half a study missing.
    centre : float
        Effect pooled without the trimmed studies.
    rounds : int
    cycled : bool
        Whether the rounds went in a circle, and the larger count was taken.
    """

    count: int
    error: float
    centre: float
    rounds: int
    cycled: bool


def _centre(y: Floats, v: Floats, how: PoolOptions) -> float:
    between = tau_squared(y, v, how.tau2) if isinstance(how.tau2, str) else how.tau2
    return float(inverse_variance(y, v, between).estimate)


def trim(y: Floats, v: Floats, how: PoolOptions, estimator: str) -> Trimmed:
    """Trim from the right, effects ascending, until the count settles.

    Parameters
    ----------
    y, v : (k,)
        Effects, ascending, and their variances.
    how : PoolOptions
        How the centre is found.
    estimator : {"L0", "R0", "Q0"}

    Raises
    ------
    ConvergenceError
        If the count does not settle.
    """
    k, count, seen = len(y), 0, [0]
    for rounds in range(1, _MOST_ROUNDS + 1):
        centre = _centre(y[: k - count], v[: k - count], how)
        raw = _missing(y - centre, estimator)
        after = min(max(0, round(raw)), k - 1)
        if after == count:
            return Trimmed(count, _count_error(raw, k, estimator), centre, rounds, False)
        if after in seen:  # rounds in a circle: the largest count of the circle, and stop
            count = max(seen[seen.index(after) :])
            centre = _centre(y[: k - count], v[: k - count], how)
            return Trimmed(count, _count_error(raw, k, estimator), centre, rounds, True)
        seen.append(after)
        count = after
    raise ConvergenceError(
        f"The number of missing studies does not settle in {_MOST_ROUNDS} rounds."
    )


def _missing(distance: Floats, estimator: str) -> float:
    """Estimate the missing studies from the signed distances to the centre."""
    k = len(distance)
    ranks = np.empty(k)
    ranks[np.argsort(np.abs(distance), kind="stable")] = np.arange(1.0, k + 1.0)
    if estimator == "R0":
        return float(k - ranks[distance < 0.0].max(initial=0.0) - 1.0)
    above = float(ranks[distance > 0.0].sum())
    if estimator == "L0":
        return (4.0 * above - k * (k + 1.0)) / (2.0 * k - 1.0)
    return k - 0.5 - math.sqrt(max(0.0, 2.0 * k**2 - 4.0 * above + 0.25))


def _count_error(raw: float, k: int, estimator: str) -> float:
    """Standard error of the count before rounding, with as many missing as were found."""
    if estimator == "R0":
        return math.sqrt(2.0 * max(0.0, raw) + 2.0)
    c = max(0.0, raw)
    rank_sum = (
        k * (k + 1.0) * (2.0 * k + 1.0)
        + 10.0 * c**3
        + 27.0 * c**2
        + 17.0 * c
        - 18.0 * k * c**2
        - 18.0 * k * c
        + 6.0 * k**2 * c
    ) / 24.0
    error = math.sqrt(max(0.0, rank_sum))
    if estimator == "L0":
        return 4.0 * error / (2.0 * k - 1.0)
    left = abs(k - 0.5 - c)
    return 2.0 * error / left if left > 1e-9 else math.nan
