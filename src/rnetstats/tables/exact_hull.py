"""The hull of the values that a two-tailed exact test does not reject.

Below the estimate ``p(theta) = P(K >= count) + P(K <= other)``, where ``other`` steps up by one at
each break. Between breaks p falls, then rises (1 - p is the probability of an interval of counts),
so that a piece is settled by its ends. Over a run of pieces the first tail is largest, and the
second has most counts, at the run's end, while theta favours the second most at its start: this
bounds p from above and, with the ends exchanged, from below. Runs that the bounds settle are never
looked into, so that thousands of pieces cost a few.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rnetstats.kernels.bracketed import bracketed_root
from rnetstats.tables.exact_family import CountFamily, solve
from rnetstats.tables.exact_tail import centre, tail_limit

__all__ = ["blaker_break", "hull_limit", "minlike_break"]

_SLACK = 1.0 + 1e-12
"""The bounds of a run are widened by the rounding of sums, so that no piece is lost by it."""

Break = Callable[[CountFamily, int, int], float]


def minlike_break(family: CountFamily, count: int, other: int) -> float:
    """The theta at which ``other`` is as likely as ``count``."""
    weight = family.log_weight
    gain = weight[other - family.low] - weight[count - family.low]
    return float(gain / (count - other))


def blaker_break(family: CountFamily, count: int, other: int) -> float:
    """The theta at which ``P(K <= other) = P(K >= count)``."""
    at, to = count - family.low, other - family.low

    def excess(theta: float) -> float:
        p = family.pmf(theta)
        upper, lower = p[at:].sum(), p[: to + 1].sum()
        return math.log(max(upper, 1e-300)) - math.log(max(lower, 1e-300))

    return solve(excess, minlike_break(family, count, other), 0.1 * centre(family, count)[1])


def hull_limit(
    family: CountFamily, count: int, alpha: float, next_break: Break, start: float
) -> tuple[float, bool]:
    """The smallest theta that is not rejected, and whether a larger one below the estimate is.

    The search begins where the tail ``P(K >= count)`` is ``start``, and ends where it is alpha.
    """
    if count == family.low:
        return -math.inf, False
    top = tail_limit(family, count, alpha)
    pieces = _Pieces(family, count, alpha, next_break, tail_limit(family, count, start), top)
    first, last = pieces.holding(pieces.here), pieces.holding(top)
    found = pieces.first_kept(first, last)
    if found is None:
        return top, False
    other, limit = found
    return limit, pieces.dips(other, last, limit)


@dataclass(frozen=True)
class _Pieces:
    """The pieces between ``here`` and ``top``, each named by its ``other``."""

    family: CountFamily
    count: int
    alpha: float
    next_break: Break
    here: float
    top: float
    _breaks: dict[int, float] = field(default_factory=dict)

    def edge(self, other: int) -> float:
        """The theta at which ``other`` joins the second tail."""
        if other >= self.count:
            return math.inf
        if other not in self._breaks:
            self._breaks[other] = self.next_break(self.family, self.count, other)
        return self._breaks[other]

    def holding(self, theta: float) -> int:
        """The largest ``other`` whose break lies at or below ``theta`` (``low - 1`` if none)."""
        below, above = self.family.low - 1, self.count
        while above - below > 1:
            middle = (below + above) // 2
            if self.edge(middle) <= theta:
                below = middle
            else:
                above = middle
        return below

    def start(self, other: int) -> float:
        """Where a piece begins."""
        return self.here if other < self.family.low else max(self.here, self.edge(other))

    def end(self, other: int) -> float:
        """Where a piece ends."""
        return min(self.edge(other + 1), self.top)

    def tails(self, at_upper: float, other: int, at_lower: float) -> float:
        """``P(K >= count)`` at one theta and ``P(K <= other)`` at another."""
        upper = self.family.upper_tail(self.count, at_upper)
        return upper + self.family.lower_tail(other, at_lower)

    def first_kept(self, first: int, last: int) -> tuple[int, float] | None:
        """The first theta with p of alpha or more in a run of pieces, and its piece."""
        low, high = self.start(first), self.end(last)
        if high <= low or self.tails(high, last, low) * _SLACK < self.alpha:
            return None
        if first < last:
            middle = (first + last) // 2
            return self.first_kept(first, middle) or self.first_kept(middle + 1, last)

        def excess(theta: float) -> float:
            return self.tails(theta, first, theta) - self.alpha

        if excess(low) > 0.0:
            return first, low
        if excess(high) >= 0.0:
            return first, bracketed_root(excess, low, high)
        return None

    def dips(self, first: int, last: int, limit: float) -> bool:
        """Whether p is clearly below alpha somewhere in a run of pieces, beyond ``limit``."""
        low, high = max(self.start(first), limit), self.end(last)
        if high <= low or self.tails(low, first, high) >= self.alpha * _SLACK:
            return False
        if first < last:
            middle = (first + last) // 2
            return self.dips(first, middle, limit) or self.dips(middle + 1, last, limit)

        lowest = self.lowest(first, low, high)
        return self.tails(lowest, first, lowest) < self.alpha - 1e-9

    def lowest(self, other: int, low: float, high: float) -> float:
        """Where in a piece p is smallest: there the counts between the tails mean what all mean.

        P of those counts has the slope ``P (E(K | between) - E(K))``, which changes sign once.
        """
        counts = np.arange(len(self.family.log_weight), dtype=float)
        between = slice(other + 1 - self.family.low, self.count - self.family.low)

        def above(theta: float) -> float:
            p = self.family.pmf(theta)
            return float(p @ counts - p[between] @ counts[between] / p[between].sum())

        if other + 1 >= self.count or above(low) >= 0.0:
            return low
        return high if above(high) <= 0.0 else bracketed_root(above, low, high, tolerance=1e-9)
