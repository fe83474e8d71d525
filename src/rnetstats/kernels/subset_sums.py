"""The exact distribution of a sum of m whole-number scores drawn from N without replacement.

References
----------
Streitberg B, Roehmel J (1986). Exact distributions for permutations and rank tests: an
introduction to some recently published algorithms. Statistical Software Newsletter 12, 10-17.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["countable", "subset_sums", "work"]

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_START = 2.0**-960  # numbers of subsets start here rather than at 1, so that there is room
_ROOM = 1980.0  # for 2 to this power of them


def countable(n: int, largest: int) -> bool:
    """Whether the subsets of at most ``largest`` of n scores can be counted without overflow."""
    ways = math.lgamma(n + 1.0) - math.lgamma(largest + 1.0) - math.lgamma(n - largest + 1.0)
    return ways < _ROOM * math.log(2.0)


def work(scores: Whole, largest: int) -> float:
    """Additions that :func:`subset_sums` needs for subsets of at most ``largest`` scores."""
    total = np.concatenate(([0], np.cumsum(np.sort(scores))))
    n, rows = scores.size, 0.0
    for k in range(1, largest + 1):
        before = np.arange(k, n + 1) - 1
        rows += float((total[before] - total[before - k + 1] - total[k - 1] + 1).sum())
    return rows


def subset_sums(scores: Whole, sizes: Iterable[int]) -> dict[int, tuple[int, Floats]]:
    """Probabilities of every sum of m of the scores, all subsets of m being equally likely.

    The shift algorithm: with one more score, the subsets of k scores with the sum s are those
    that were there before and those of k - 1 scores with the sum s less the new score. Subsets
    of more than half of the scores are what their complements leave.

    Parameters
    ----------
    scores
        (N,) whole numbers, of either sign.
    sizes
        Numbers m of scores drawn, each between 0 and N; min(m, N - m) must be :func:`countable`.

    Returns
    -------
    dict
        For each m the smallest sum, and the probabilities of it and of those that follow.
    """
    ordered = np.sort(scores)
    n, total = ordered.size, int(ordered.sum())
    wanted = {int(m) for m in sizes}
    counts = _counts(ordered, max((min(m, n - m) for m in wanted), default=0))
    smallest = np.concatenate(([0], np.cumsum(ordered)))
    found = {}
    for m in wanted:
        k = min(m, n - m)
        share = counts[k] / counts[k].sum()
        low = int(smallest[k])
        found[m] = (low, share) if m == k else (total - low - (share.size - 1), share[::-1])
    return found


def _counts(ordered: Whole, largest: int) -> list[Floats]:
    """Numbers of subsets of k = 0 to ``largest`` scores by sum, from the smallest sum on."""
    low = [0, *np.cumsum(ordered).tolist()]
    high = [0, *np.cumsum(ordered[::-1]).tolist()]
    values = ordered.tolist()
    rows = [np.zeros(high[k] - low[k] + 1) for k in range(largest + 1)]
    rows[0][0] = _START
    for i, value in enumerate(values):
        for k in range(min(i + 1, largest), 0, -1):
            width = low[i] - low[i - k + 1] - low[k - 1] + 1  # sums of k - 1 of the first i
            shift = value - values[k - 1]
            rows[k][shift : shift + width] += rows[k - 1][:width]
    return rows
