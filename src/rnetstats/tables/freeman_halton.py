"""The exact test of an r x c table with fixed margins, by meeting in the middle.

The columns are cut into two halves. Every filling of each half is listed once, with its row sums
and its log probability; two halves make a table when their row sums add up to the table's. For
each set of row sums the second half is sorted, so that the tables no more likely than the observed
one are counted by a search instead of one by one. The work is that of the two halves, about the
square root of the number of tables.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from rnetstats._core.random import chunk_generators
from rnetstats.errors import BudgetError
from rnetstats.tables.fisher import log_factorials

__all__ = ["BUDGET", "freeman_halton_p", "monte_carlo_p"]

BUDGET = 20_000_000
"""Fillings of half a table that are listed at most (about ten seconds)."""
_CHUNK = 2_000_000
_LOG_TIE = 1e-7


class _Half(NamedTuple):
    """Fillings of some columns: a key of their row sums, and their log probabilities."""

    key: np.ndarray
    log_p: np.ndarray


def freeman_halton_p(table: np.ndarray, *, budget: int = BUDGET) -> float:
    """Sum of the probabilities of all tables no more likely than the observed one.

    Parameters
    ----------
    table : ndarray of int, shape (r, c)
        Counts, no empty row or column.
    budget : int
        Most fillings of half a table to be listed.

    Returns
    -------
    float
        The P value.

    Raises
    ------
    BudgetError
        If the halves would hold more than ``budget`` fillings.

    References
    ----------
    Freeman GH, Halton JH (1951) Note on an exact treatment of contingency, goodness of fit and
    other problems of significance. Biometrika 38:141-149.
    """
    turned, left = _best_cut(table)
    right = [j for j in range(turned.shape[1]) if j not in left]
    rows, columns = turned.sum(axis=1), turned.sum(axis=0)
    lf = log_factorials(int(turned.sum())).astype(float)
    base = np.cumprod([1, *(rows[:-1] + 1).tolist()])
    if float(np.prod(rows + 1.0)) > 9e18 or _work(rows, columns, left, right) > 50.0 * budget:
        raise _over(budget)
    first = _fillings(rows, columns[left], lf, base, budget)
    second = _fillings(rows, columns[right], lf, base, budget - len(first.key))
    constant = lf[rows].sum() + lf[columns].sum() - lf[turned.sum()]
    first = _Half(first.key, first.log_p + constant)
    observed = constant - lf[turned].sum()
    return min(1.0, _no_more_likely(first, second, int(rows @ base), observed))


def _best_cut(table: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """The table or its transpose, and the columns of the first half, for the least work."""
    best: tuple[float, np.ndarray, list[int]] | None = None
    for turned in (table, table.T):
        rows, columns = turned.sum(axis=1), turned.sum(axis=0)
        order = np.argsort(columns)
        for left in _halves(order.tolist()):
            right = [j for j in order.tolist() if j not in left]
            work = _work(rows, columns, left, right)
            if best is None or work < best[0]:
                best = (work, turned, left)
    assert best is not None
    return best[1], best[2]


def _halves(columns: list[int]) -> Iterator[list[int]]:
    """Ways to take some of the columns for the first half (all ways if there are few)."""
    if len(columns) > 10:
        yield from (columns[:size] for size in range(1, len(columns)))
        return
    for size in range(1, len(columns)):
        yield from (list(chosen) for chosen in combinations(columns, size))


def _work(rows: np.ndarray, columns: np.ndarray, left: list[int], right: list[int]) -> float:
    """An upper bound of the number of fillings of the two halves."""
    return sum(
        float(np.prod([_compositions_count(rows, int(columns[j])) for j in half]))
        for half in (left, right)
    )


def _compositions_count(rows: np.ndarray, total: int) -> float:
    """Ways to spread ``total`` over the rows, no row above its own sum."""
    ways = np.zeros(total + 1)
    ways[0] = 1.0
    for cap in rows:
        running = np.cumsum(ways)
        spread = running.copy()
        spread[cap + 1 :] -= running[: max(total - cap, 0)]
        ways = spread
    return float(ways[total])


def _compositions(rows: np.ndarray, total: int) -> np.ndarray:
    """All ways to spread ``total`` over the rows, shape (ways, r)."""
    parts = np.zeros((1, 0), dtype=np.int64)
    rest = np.array([total])
    for i, cap in enumerate(rows):
        least = np.maximum(0, rest - int(rows[i + 1 :].sum()))
        length = np.minimum(cap, rest) - least + 1
        owner = np.repeat(np.arange(len(rest)), length)
        value = np.arange(len(owner)) - np.repeat(np.cumsum(length) - length, length) + least[owner]
        parts = np.column_stack([parts[owner], value])
        rest = rest[owner] - value
    return parts


def _fillings(
    rows: np.ndarray, columns: np.ndarray, lf: np.ndarray, base: np.ndarray, budget: int
) -> _Half:
    """All fillings of some columns that leave no row above its sum."""
    used = np.zeros((1, len(rows)), dtype=np.int64)
    log_p = np.zeros(1)
    for total in columns:
        ways = _compositions(rows, int(total))
        weight = -lf[ways].sum(axis=1)
        size = max(1, _CHUNK // len(ways))
        grown: list[tuple[np.ndarray, np.ndarray]] = []
        count = 0
        for at in range(0, len(used), size):
            sums = used[at : at + size, None, :] + ways[None, :, :]
            before, way = np.nonzero((sums <= rows).all(axis=2))
            count += len(before)
            if count > budget:
                raise _over(budget)
            grown.append((sums[before, way], log_p[at + before] + weight[way]))
        used = np.concatenate([part[0] for part in grown])
        log_p = np.concatenate([part[1] for part in grown])
    return _Half(used @ base, log_p)


def _no_more_likely(first: _Half, second: _Half, total: int, observed: float) -> float:
    """Sum of ``exp(log_p)`` over all joined tables with log_p at most the observed one's."""
    order = np.lexsort((second.log_p, second.key))
    key, log_p = second.key[order], second.log_p[order]
    chosen = np.argsort(first.key, kind="stable")
    nodes, starts = np.unique(first.key[chosen], return_index=True)
    ends = np.append(starts[1:], len(chosen))
    low = np.searchsorted(key, total - nodes, side="left")
    high = np.searchsorted(key, total - nodes, side="right")
    sums = []
    for begin, end, left, right in zip(starts, ends, low, high, strict=True):
        past = first.log_p[chosen[begin:end]]
        future = log_p[left:right]
        found = np.searchsorted(future, observed + _LOG_TIE - past, side="right")
        top = future[-1]
        running = np.append(0.0, np.cumsum(np.exp(future - top)))
        sums.append(float(np.exp(past + top) @ running[found]))
    return math.fsum(sums)


def _over(budget: int) -> BudgetError:
    return BudgetError(
        f"The exact test of this table would list more than {budget:,} half tables. "
        'Use method="monte-carlo" (with resamples= and seed=), or raise budget=.'
    )


def monte_carlo_p(table: np.ndarray, *, resamples: int, seed: int) -> tuple[float, float]:
    """P value and its Monte Carlo standard error, from random tables with the same margins.

    P is ``(1 + b) / (1 + B)``, with b the number of the B random tables that are no more likely
    than the observed one.
    """
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    lf = log_factorials(int(table.sum())).astype(float)
    observed = -lf[table].sum()
    extreme = 0
    for part, rng in chunk_generators(seed, resamples):
        drawn = _random_tables(rng, rows, columns, 256)
        log_p = -lf[drawn].sum(axis=(1, 2))
        extreme += int((log_p <= observed + _LOG_TIE)[: part.stop - part.start].sum())
    p = (1.0 + extreme) / (1.0 + resamples)
    return p, math.sqrt(p * (1.0 - p) / resamples)


def _random_tables(
    rng: np.random.Generator, rows: np.ndarray, columns: np.ndarray, size: int
) -> np.ndarray:
    """Tables of independence with fixed margins, cell by cell, shape (size, r, c)."""
    drawn = np.zeros((size, len(rows), len(columns)), dtype=np.int64)
    left = np.broadcast_to(columns, (size, len(columns))).copy()
    for i, total in enumerate(rows[:-1]):
        rest = np.full(size, total)
        for j in range(len(columns) - 1):
            others = left[:, j + 1 :].sum(axis=1)
            cell = rng.hypergeometric(left[:, j], others, rest)
            drawn[:, i, j] = cell
            rest = rest - cell
        drawn[:, i, -1] = rest
        left -= drawn[:, i]
    drawn[:, -1] = left
    return drawn
