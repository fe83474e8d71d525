"""The bound of Hothorn and Lausen on the P value of a maximally selected rank statistic.

A split j is exceeded where its standardised sum of scores is at least the largest one observed.
One of k splits is exceeded with at most the probability of

    the last one + the sum over the others of (split j is exceeded, and j + 1 need not be),

and the same from the first one on. Each of these needs the distribution of one sum of scores
alone, which the shift algorithm gives exactly for whole numbers: what lies so far out that no
scores added to it bring the next split within bounds is left to the next split.

References
----------
Hothorn T, Lausen B (2003). On the exact distribution of maximally selected rank statistics.
Computational Statistics & Data Analysis 43, 121-137.
Worsley KJ (1982). An improved Bonferroni inequality and applications. Biometrika 69, 297-302.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from rnetstats.errors import BudgetError
from rnetstats.kernels.subset_sums import countable, subset_sums, work

__all__ = ["hothorn_lausen_p", "whole_scores"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Truths = NDArray[np.bool_]

_BUDGET = 8e9  # additions of the shift algorithm, some ten seconds
_EQUAL = 1e-11  # relative difference of standardised sums that are the same


def whole_scores(scores: Floats) -> Whole:
    """Whole scores (n,) as they are, halves doubled, others rounded to 0, ..., n.

    Before they are rounded they are shifted and scaled: the same shape, more ties.
    """
    for times in (1, 2):
        if np.array_equal(times * scores, np.rint(times * scores)):
            return np.asarray((times * scores).astype(np.int64))
    above = scores - scores.min()
    if not above.max() > 0.0:
        return np.zeros(scores.size, dtype=np.int64)
    return np.asarray(np.rint(above * scores.size / above.max()).astype(np.int64))


def hothorn_lausen_p(scores: Floats, below: Whole) -> dict[str, float]:
    """Bound the P value of the largest standardised sum of whole-number scores.

    Parameters
    ----------
    scores
        (n,) in the order of the marker.
    below
        (k,) rows in the lower group of each split, ascending.

    Returns
    -------
    dict
        ``p_value``, at least P(a statistic as large or larger), at most 1;
        ``p_hothorn_lausen``, of a larger statistic, as the R package maxstat gives it;
        ``statistic_whole``, the largest statistic of the whole-number scores.

    Raises
    ------
    BudgetError
        If there are too many rows, or too many different sums.
    """
    full, sizes = whole_scores(scores), below.tolist()
    n, given = full.size, _Moments.of_scores(full)
    sums = np.cumsum(full)[below - 1].tolist()
    statistic = max(given.standardised(m, s) for m, s in zip(sizes, sums, strict=True))
    if statistic == 0.0:
        return {"p_value": 1.0, "p_hothorn_lausen": 1.0, "statistic_whole": 0.0}
    above = full - full.min()
    unit = int(np.gcd.reduce(above))
    whole, moments = above // unit, _Moments.of_scores(above, unit)
    drawn = {*sizes, *(m - 1 for m in sizes[1:])}
    _check(whole, max(min(m, n - m) for m in drawn))
    laws = {m: _Law(*law) for m, law in subset_sums(whole, drawn).items()}
    ordered = np.sort(whole)
    least, most = np.cumsum(ordered).tolist(), np.cumsum(ordered[::-1]).tolist()
    splits = [moments.reached(m, statistic) for m in sizes]
    bound = min(_bound(splits, laws, least, most, step) for step in (1, -1))
    printed = bound  # of a single split R gives the exact P, too
    if len(sizes) > 1:
        printed = _published(sizes, laws, moments, most[0], statistic)
    return {
        "p_value": min(bound, 1.0),
        "p_hothorn_lausen": min(max(printed, 0.0), 1.0),
        "statistic_whole": statistic,
    }


@dataclass(frozen=True)
class _Split:
    """A split of m rows: sums of at most ``low`` or at least ``high`` exceed the bounds."""

    m: int
    low: int
    high: int


@dataclass(frozen=True)
class _Moments:
    """Number, sum and sum of squares of the scores, for the moments of a sum of m of them.

    Sums are counted in units, the largest that divides every score.
    """

    n: int
    total: int
    squares: int
    unit: int

    @classmethod
    def of_scores(cls, scores: Whole, unit: int = 1) -> _Moments:
        return cls(scores.size, int(scores.sum()), int(scores @ scores), unit)

    def of(self, m: int) -> tuple[float, float]:
        """Mean and standard deviation of the scores as they are."""
        n = self.n
        variance = m * (n - m) / (n**2 * (n - 1)) * (n * self.squares - self.total**2)
        return m / n * self.total, math.sqrt(variance)

    def standardised(self, m: int, value: int) -> float:
        """Standardised sum without its sign; 0 where all scores are the same."""
        mean, spread = self.of(m)
        return abs(value * self.unit - mean) / spread if spread > 0.0 else 0.0

    def reached(self, m: int, statistic: float) -> _Split:
        """Sums whose statistic is at least as large."""
        mean, spread = (moment / self.unit for moment in self.of(m))
        reach = statistic * spread * (1.0 - _EQUAL)
        return _Split(m, math.floor(mean - reach), math.ceil(mean + reach))

    def passes(self, m: int, values: Whole, statistic: float) -> Truths:
        """Where a sum's statistic is larger in plain floating point, as R compares them."""
        mean, spread = self.of(m)
        return np.asarray(np.abs((values * self.unit - mean) / spread) > statistic)


class _Law:
    """The distribution of a sum."""

    def __init__(self, first: int, share: Floats) -> None:
        self.first, self.size, self.share = first, share.size, share
        self.up = np.concatenate(([0.0], np.cumsum(share)))
        self.down = np.concatenate((np.cumsum(share[::-1])[::-1], [0.0]))

    def at_most(self, value: int) -> float:
        """P(S <= value)."""
        return float(self.up[min(max(value - self.first + 1, 0), self.size)])

    def at_least(self, value: int) -> float:
        """P(S >= value)."""
        return float(self.down[min(max(value - self.first, 0), self.size)])


def _check(whole: Whole, largest: int) -> None:
    if not countable(whole.size, largest) or work(whole, largest) > _BUDGET:
        raise BudgetError(
            f"p_method='hothorn-lausen' is exact for small cohorts; {whole.size} rows with their "
            "scores take its shift algorithm too long. Choose 'lau94', 'exact-gauss' or "
            "'permutation'."
        )


def _bound(
    splits: list[_Split], laws: dict[int, _Law], least: list[int], most: list[int], step: int
) -> float:
    """The improved Bonferroni bound, each split beside the one ``step`` further on."""
    ordered = splits[::-step]
    parts = [laws[s.m].at_most(s.low) + laws[s.m].at_least(s.high) for s in ordered[:1]]
    for other, split in pairwise(ordered):
        added = abs(other.m - split.m) - 1
        ends = [other.low + 1, other.high - 1]  # within bounds at the other split
        moved = (most[added], least[added]) if step > 0 else (-least[added], -most[added])
        first, last = ends[0] - moved[0], ends[1] - moved[1]
        law = laws[split.m]
        lower = law.at_most(split.low) - law.at_most(min(first - 1, split.low))
        upper = law.at_least(split.high) - law.at_least(max(last + 1, split.high))
        parts.append(lower + upper)
    return math.fsum(parts)


def _published(
    sizes: list[int], laws: dict[int, _Law], moments: _Moments, largest: int, statistic: float
) -> float:
    """R's number: exceeding is strict, and a sum of 0 (the smallest scores alone) is left out.

    Of the sums of one score less that are too large themselves it takes off those that are so at
    the split, too, once the largest score is added (the smallest, where they lie above the mean),
    provided that this is the sum of any so many scores.
    """
    parts = [laws[m].share[_large(laws[m], m, moments, statistic)] for m in sizes]
    for m in sizes[1:]:
        law, shorter = laws[m], laws[m - 1]
        sums = shorter.first + np.arange(shorter.size)[_large(shorter, m - 1, moments, statistic)]
        below = sums * moments.unit < moments.of(m - 1)[0]
        moved = sums + np.where(below, largest, 0)
        at = np.clip(moved - law.first, 0, law.size - 1)
        counted = (at == moved - law.first) & (law.share[at] > 0.0)
        counted &= moments.passes(m, moved, statistic)
        parts.append(-shorter.share[sums[counted] - shorter.first])
    return math.fsum(np.concatenate(parts).tolist())


def _large(law: _Law, m: int, moments: _Moments, statistic: float) -> Truths:
    """Which sums of m scores pass the statistic."""
    values = law.first + np.arange(law.size)
    return moments.passes(m, values, statistic) & (values > 0) & (law.share > 0.0)
