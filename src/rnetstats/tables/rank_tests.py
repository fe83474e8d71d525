"""Rank tests of two or more groups, and of pairs; exact given the ties that there are.

References
----------
Wilcoxon F (1945) Biometrics Bull 1:80-83. Kruskal WH, Wallis WA (1952) JASA 47:583-621. Hodges JL,
Lehmann EL (1963) Ann Math Stat 34:598-611. Streitberg B, Roehmel J (1986) Exact distributions for
permutations and rank tests: an introduction to some recently published algorithms. Stat Softw
Newsl 12:10-17.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr

from rnetstats._core.options import choice, level
from rnetstats.errors import BudgetError, DataError
from rnetstats.kernels.subset_sums import countable, subset_sums, work
from rnetstats.tables.test_result import TestResult
from rnetstats.tables.two_groups import finite_values

__all__ = ["hodges_lehmann", "kruskal_wallis", "signed_rank_test", "wilcoxon_test"]

_BUDGET = 3_000_000_000  # additions, some four seconds
_METHODS = ("normal", "exact")


def _two(x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    return finite_values(x, "The first group", 1), finite_values(y, "The second group", 1)


def _midranks(values: np.ndarray) -> np.ndarray:
    """Rank of each value, from 1; equal values share the mean of their ranks."""
    _, place, size = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(size) - (size - 1) / 2.0)[place]


def _tie_sum(ranks: np.ndarray) -> float:
    """Sum of ``t^3 - t`` over the sets of tied values."""
    _, size = np.unique(ranks, return_counts=True)
    return float((size.astype(float) ** 3 - size).sum())


def _normal_p(distance: float, variance: float, continuity: bool) -> float:
    if variance <= 0.0:
        return 1.0
    correction = math.copysign(0.5, distance) if continuity and distance else 0.0
    return min(1.0, float(2.0 * ndtr(-abs(distance - correction) / math.sqrt(variance))))


def wilcoxon_test(
    x: ArrayLike,
    y: ArrayLike,
    *,
    method: str = "normal",
    continuity: bool = True,
    conf_level: float = 0.95,
) -> TestResult:
    """Wilcoxon rank-sum (Mann-Whitney) test.

    Parameters
    ----------
    x, y : array-like
        The two groups.
    method : {"normal", "exact"}
        ``"normal"`` with the variance corrected for ties; ``"exact"`` is the permutation
        distribution of the midranks, ties as they are: P is the share of rank sums at least as far
        from their mean as the observed one.
    continuity : bool
        Continuity correction of the normal version.
    conf_level : float
        Of the limits of the shift.

    Returns
    -------
    TestResult
        ``W``, the rank sum of the first group less ``m (m + 1) / 2``; with the exact P the shift
        of Hodges and Lehmann, and its exact limits where there are no ties.

    Raises
    ------
    BudgetError
        If the exact distribution would take too long.
    """
    choice("method", method, _METHODS)
    a, b = _two(x, y)
    m, n = len(a), len(b)
    ranks = _midranks(np.concatenate([a, b]))
    w = float(ranks[:m].sum() - m * (m + 1) / 2.0)
    if method == "exact":
        tied = len(np.unique(ranks)) < m + n
        name = f"Wilcoxon rank-sum, exact ({'given ties' if tied else 'no ties'})"
        p = _rank_sum_p(ranks, m)
        shift = hodges_lehmann(a, b, conf_level=conf_level)
        return TestResult(name, w, (), p, "location shift", *shift)
    total = m + n
    variance = m * n / 12.0 * (total + 1.0 - _tie_sum(ranks) / (total * (total - 1.0)))
    p = _normal_p(w - m * n / 2.0, variance, continuity)
    name = "continuity correction" if continuity else "no continuity correction"
    return TestResult(f"Wilcoxon rank-sum, {name}", w, (), p)


def _rank_sum_p(ranks: np.ndarray, m: int) -> float:
    """Share of the rank sums of ``m`` of the ranks that are as far from their mean as observed."""
    halves = 1.0 if (ranks == np.rint(ranks)).all() else 2.0  # midranks may end in a half
    whole = np.rint(halves * ranks).astype(np.int64)
    first, share = _sums(whole, m)
    centre = m * whole.sum() / len(ranks)
    far = np.abs(first + np.arange(share.size) - centre) >= abs(whole[:m].sum() - centre) - 1e-9
    return min(1.0, float(share[far].sum()))


def _sums(scores: np.ndarray, take: int) -> tuple[int, np.ndarray]:
    """The smallest sum of ``take`` of the scores, and the share of each from there on."""
    fewer = min(take, len(scores) - take)
    if not countable(len(scores), fewer) or work(scores, fewer) > _BUDGET:
        raise BudgetError(
            f"The exact rank-sum distribution of {len(scores)} values takes too long; "
            'use method="normal".'
        )
    return subset_sums(scores, [take])[take]


def hodges_lehmann(
    x: ArrayLike, y: ArrayLike, *, conf_level: float = 0.95
) -> tuple[float, float, float]:
    """Shift between two groups: the median of all differences, with exact limits.

    Parameters
    ----------
    x, y : array-like
        Two groups.
    conf_level : float
        Level that the limits at least have.

    Returns
    -------
    tuple of float
        Estimate, lower and upper limit; the limits are missing where values are tied.
    """
    a, b = _two(x, y)
    m, n = len(a), len(b)
    differences = np.sort((a[:, None] - b[None, :]).ravel())
    estimate = float(np.median(differences))
    if len(np.unique(np.concatenate([a, b]))) < m + n:
        return estimate, math.nan, math.nan
    below = np.cumsum(_sums(np.arange(1, m + n + 1), min(m, n))[1])
    alpha = 1.0 - level(conf_level)
    cut = max(1, int(np.searchsorted(below, alpha / 2.0)))
    if below[0] > alpha / 2.0:  # too few values for limits of this level
        return estimate, -math.inf, math.inf
    return estimate, float(differences[cut - 1]), float(differences[m * n - cut])


def signed_rank_test(
    x: ArrayLike, y: ArrayLike, *, method: str = "normal", continuity: bool = True
) -> TestResult:
    """Wilcoxon signed-rank test of paired values; pairs without a difference are left out.

    Parameters
    ----------
    x, y : array-like of equal length
        Pairs.
    method : {"normal", "exact"}
        As in :func:`wilcoxon_test`.
    continuity : bool
        Continuity correction of the normal version.

    Returns
    -------
    TestResult
        ``V``, the rank sum of the positive differences.
    """
    choice("method", method, _METHODS)
    a, b = _two(x, y)
    if len(a) != len(b):
        raise DataError(f"Paired values need equal lengths, not {len(a)} and {len(b)}.")
    difference = (a - b)[a != b]
    n = len(difference)
    if n == 0:
        raise DataError("No pair differs: there is nothing to rank.")
    ranks = _midranks(np.abs(difference))
    v = float(ranks[difference > 0].sum())
    dropped = f", {len(a) - n} equal pairs left out" if n < len(a) else ""
    if method == "exact":
        return TestResult(f"signed-rank, exact{dropped}", v, (), _signed_rank_p(ranks, v))
    variance = n * (n + 1) * (2 * n + 1) / 24.0 - _tie_sum(ranks) / 48.0
    p = _normal_p(v - n * (n + 1) / 4.0, variance, continuity)
    name = "continuity correction" if continuity else "no continuity correction"
    return TestResult(f"signed-rank, {name}{dropped}", v, (), p)


def _signed_rank_p(ranks: np.ndarray, v: float) -> float:
    doubled = np.rint(2.0 * ranks).astype(np.int64)
    total = int(doubled.sum())
    if len(doubled) * total > _BUDGET:
        raise BudgetError('The exact signed-rank distribution takes too long; use method="normal".')
    share = np.zeros(total + 1)
    share[0] = 1.0
    for score in doubled.tolist():
        moved = np.zeros_like(share)
        moved[score:] = share[: total + 1 - score]
        share = 0.5 * (share + moved)
    far = np.abs(np.arange(total + 1) - total / 2.0) >= abs(2.0 * v - total / 2.0) - 1e-9
    return min(1.0, float(share[far].sum()))


def kruskal_wallis(groups: Sequence[ArrayLike]) -> TestResult:
    """Kruskal-Wallis test, corrected for ties, chi-square approximation."""
    arrays = [finite_values(group, f"Group {i + 1}", 1) for i, group in enumerate(groups)]
    if len(arrays) < 2:
        raise DataError("At least two groups are needed.")
    ranks = _midranks(np.concatenate(arrays))
    n = len(ranks)
    if np.ptp(ranks) == 0:
        raise DataError("All values are equal: there is nothing to rank.")
    ends = np.cumsum([len(a) for a in arrays])[:-1]
    parts = np.split(ranks, ends)
    h = 12.0 / (n * (n + 1.0)) * sum(part.sum() ** 2 / len(part) for part in parts) - 3.0 * (n + 1)
    h /= 1.0 - _tie_sum(ranks) / (float(n) ** 3 - n)
    df = len(arrays) - 1
    return TestResult("Kruskal-Wallis", float(h), (float(df),), float(chdtrc(df, h)))
