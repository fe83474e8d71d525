"""One-parameter exponential families of counts: the common ground of every exact method.

A family is ``P(K = k) = w(k) exp(k theta) / sum_j w(j) exp(j theta)`` on consecutive counts k. With
theta the log odds ratio it is the 2x2 table with fixed margins, with theta = logit(p) the binomial,
with theta = log(mean) the Poisson distribution. Tests and limits need nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import gammainccinv

from rnetstats.errors import BudgetError, ConvergenceError, DataError
from rnetstats.kernels.bracketed import bracketed_root

__all__ = [
    "MOST_COUNTS",
    "CountFamily",
    "binomial_family",
    "hypergeometric_family",
    "poisson_family",
    "solve",
]

MOST_COUNTS = 20_000_000
"""Counts of a family at most: their probabilities fill a few hundred megabytes."""


@dataclass(frozen=True)
class CountFamily:
    """Counts ``low, low + 1, ...`` with log weights.

    Attributes
    ----------
    low : int
        The smallest count.
    log_weight : ndarray, shape (k,)
        ``log w`` of each count, up to a constant.
    """

    low: int
    log_weight: np.ndarray

    @property
    def high(self) -> int:
        """The largest count."""
        return self.low + len(self.log_weight) - 1

    @cached_property
    def _from_mode(self) -> np.ndarray:
        """Each count's distance from the one of largest weight."""
        return np.arange(len(self.log_weight), dtype=float) - int(np.argmax(self.log_weight))

    def pmf(self, theta: float) -> np.ndarray:
        """Probabilities of all counts at ``theta``, shape (k,)."""
        log_p = self.log_weight + theta * self._from_mode
        p: np.ndarray = np.exp(log_p - log_p.max())
        p /= p.sum()
        return p

    def upper_tail(self, count: int, theta: float) -> float:
        """``P(K >= count)``."""
        return float(self.pmf(theta)[max(count - self.low, 0) :].sum())

    def lower_tail(self, count: int, theta: float) -> float:
        """``P(K <= count)``."""
        return float(self.pmf(theta)[: max(count - self.low + 1, 0)].sum())

    def mean(self, theta: float) -> float:
        """``E(K)``."""
        p = self.pmf(theta)
        return float(self.low + p @ np.arange(len(p)))

    def reflected(self) -> CountFamily:
        """The family of ``-K`` with parameter ``-theta``: lower limits become upper ones."""
        return CountFamily(-self.high, self.log_weight[::-1])

    def checked(self, count: int) -> int:
        """Return ``count`` if the family can take it."""
        if not self.low <= count <= self.high:
            raise DataError(f"A count of {count} is impossible here ({self.low} to {self.high}).")
        return count

    def mle(self, count: int) -> float:
        """The theta at which ``E(K) = count``; infinite at the ends, NaN if all theta serve."""
        if self.low == self.high:
            return math.nan
        if count in (self.low, self.high):
            return -math.inf if count == self.low else math.inf
        return solve(lambda theta: self.mean(theta) - count, 0.0)


def binomial_family(n: int) -> CountFamily:
    """Successes of ``n`` trials; theta = logit(p)."""
    if n > MOST_COUNTS:
        raise BudgetError(
            f"Exact limits go through all counts from 0 to {n:,}, which are too many; groups this "
            "large need no exact method."
        )
    k = np.arange(n)
    return CountFamily(0, _cumulative(np.log((n - k) / (k + 1.0))))


def hypergeometric_family(n1: int, n2: int, events: int) -> CountFamily:
    """Events in group 1 of a 2x2 table with all margins fixed; theta = log odds ratio.

    Parameters
    ----------
    n1, n2 : int
        Sizes of the two groups.
    events : int
        Events in both groups together.
    """
    low, high = max(0, events - n2), min(n1, events)
    k = np.arange(low, high, dtype=float)
    ratio = (n1 - k) * (events - k) / ((k + 1.0) * (n2 - events + k + 1.0))
    return CountFamily(low, _cumulative(np.log(ratio)))


def poisson_family(count: int, tail: float) -> CountFamily:
    """Poisson counts; theta = log(mean); cut off where no mean that matters puts probability.

    Parameters
    ----------
    count : int
        The observed count.
    tail : float
        Means up to the upper limit of one-sided level ``1 - tail`` for ``count`` are covered.

    Raises
    ------
    BudgetError
        If they are more than 20 million.
    """
    largest = float(gammainccinv(count + 1.0, tail))
    high = math.ceil(largest + 12.0 * math.sqrt(largest) + 60.0)
    if high > MOST_COUNTS:
        raise BudgetError(
            f"A Poisson distribution with a mean of {largest:,.0f} has too many counts to go "
            "through one by one; counts this large need no exact method."
        )
    return CountFamily(0, _cumulative(-np.log(np.arange(1.0, high + 1.0))))


def _cumulative(log_ratio: np.ndarray) -> np.ndarray:
    """Log weights from the logs of successive ratios, summed outward from the largest weight.

    The logs near the mode are small, so that the sum keeps full precision where it matters.
    """
    mode = int(np.count_nonzero(log_ratio > 0.0))
    right = np.cumsum(log_ratio[mode:])
    left = -np.cumsum(log_ratio[:mode][::-1])[::-1]
    return np.concatenate([left, [0.0], right])


def solve(function: Callable[[float], float], start: float, step: float = 1.0) -> float:
    """Root of an increasing function, bracketed by doubling steps away from ``start``.

    Raises
    ------
    ConvergenceError
        If the function has one sign within a distance of about 10^6.
    """
    low = high = start
    if function(start) < 0.0:
        while function(high) < 0.0:
            low, high, step = high, high + step, 2.0 * step
            _in_range(step)
    else:
        while function(low) > 0.0:
            high, low, step = low, low - step, 2.0 * step
            _in_range(step)
    if low == high:
        return low
    return bracketed_root(function, low, high)


def _in_range(step: float) -> None:
    if step > 1e6:
        raise ConvergenceError("The limit lies beyond every number that could matter.")
