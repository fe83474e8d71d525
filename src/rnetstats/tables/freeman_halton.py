"""The exact test of an r x c table with fixed margins, by meeting in the middle.

The columns are cut into two halves. Every filling of the first is listed once, with its row sums
(its node) and its log probability. A node fixes the row sums of the second half, whose fillings are
worked out node by node (two columns or fewer) or listed too. The tables no more likely than the
observed one are then counted by comparing the two lists of a node, so that the work is that of the
halves and not that of all tables.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from rnetstats.errors import BudgetError
from rnetstats.tables.fisher import log_factorials

__all__ = ["BUDGET", "LOG_TIE", "freeman_halton_p"]

BUDGET = 10_000_000
"""Half tables that are listed at most (about ten seconds)."""
LOG_TIE = 1e-7
"""Log probabilities no further apart count as equal."""
_CHUNK = 2_000_000
_CHEAP = 0.1
"""Work of a filling that is only compared, never listed."""

Futures = Callable[[np.ndarray], np.ndarray]


class _Cut(NamedTuple):
    """The table (or its transpose), the columns of its two halves, and the work of that."""

    table: np.ndarray
    left: list[int]
    right: list[int]
    work: float


def freeman_halton_p(table: np.ndarray, *, budget: int = BUDGET) -> float:
    """Sum of the probabilities of all tables no more likely than the observed one.

    Parameters
    ----------
    table : ndarray of int, shape (r, c)
        Counts, no empty row or column.
    budget : int
        Most fillings of half a table to be listed (ten that are only compared count as one).

    Returns
    -------
    float
        The P value.

    Raises
    ------
    BudgetError
        If the halves hold more than ``budget`` fillings.

    References
    ----------
    Freeman GH, Halton JH (1951) Note on an exact treatment of contingency, goodness of fit and
    other problems of significance. Biometrika 38:141-149.
    """
    cut = _best_cut(table)
    rows, columns = cut.table.sum(axis=1), cut.table.sum(axis=0)
    if float(np.prod(rows + 1.0)) > 9e18 or cut.work > 20.0 * budget:
        raise _over(budget)
    lf = log_factorials(int(rows.sum())).astype(float)
    used, past = _fillings(rows, columns[cut.left], lf, budget)
    base = np.cumprod([1, *(rows[:-1] + 1).tolist()])
    if len(cut.right) <= 2:
        futures = _compared(rows, columns[cut.right], lf)
    else:
        futures = _listed(base, *_fillings(rows, columns[cut.right], lf, budget))
    constant = lf[rows].sum() + lf[columns].sum() - lf[rows.sum()]
    observed = constant - lf[cut.table].sum() + LOG_TIE
    return min(1.0, _sum_nodes(used, past + constant, rows, base, futures, observed))


def _best_cut(table: np.ndarray) -> _Cut:
    """The cut of the table or of its transpose that costs the least."""
    cuts = []
    for turned in (table, table.T):
        rows, columns = turned.sum(axis=1), turned.sum(axis=0)
        order = np.argsort(columns).tolist()
        ways = {j: _compositions_count(rows, int(columns[j])) for j in order}
        for left in _halves(order):
            right = [j for j in order if j not in left]
            listed = math.prod(ways[j] for j in left)
            if len(right) > 2:
                work = listed + math.prod(ways[j] for j in right)
            else:
                nodes = min(listed, _compositions_count(rows, int(columns[left].sum())))
                work = listed + _CHEAP * nodes * (ways[right[0]] if len(right) == 2 else 1.0)
            cuts.append(_Cut(turned, left, right, work))
    return min(cuts, key=lambda cut: cut.work)


def _halves(columns: list[int]) -> Iterator[list[int]]:
    """Ways to take some of the columns for the first half (all ways if there are few)."""
    if len(columns) > 10:
        yield from (columns[:size] for size in range(1, len(columns)))
        return
    for size in range(1, len(columns)):
        yield from (list(chosen) for chosen in combinations(columns, size))


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
    rows: np.ndarray, columns: np.ndarray, lf: np.ndarray, budget: int
) -> tuple[np.ndarray, np.ndarray]:
    """All fillings of some columns that leave no row above its sum.

    Returns
    -------
    used : ndarray, shape (fillings, r)
        Row sums.
    log_p : ndarray, shape (fillings,)
        Minus the sum of the log factorials of the cells.
    """
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
    return used, log_p


def _compared(rows: np.ndarray, columns: np.ndarray, lf: np.ndarray) -> Futures:
    """Fillings of one or two columns, given what is left of each row."""
    if len(columns) == 1:
        return lambda left: np.array([-lf[left].sum()])
    ways = np.ascontiguousarray(_compositions(rows, int(columns[0])).T)
    weight = -lf[ways].sum(axis=0)

    def futures(left: np.ndarray) -> np.ndarray:
        rest = left[:, None] - ways
        fits = (rest >= 0).all(axis=0)
        return np.asarray(weight[fits] - lf[rest[:, fits]].sum(axis=0))

    return futures


def _listed(base: np.ndarray, used: np.ndarray, log_p: np.ndarray) -> Futures:
    """Fillings of any columns, all listed, given what is left of each row."""
    key = used @ base
    order = np.argsort(key, kind="stable")
    key, log_p = key[order], log_p[order]

    def futures(left: np.ndarray) -> np.ndarray:
        wanted = left @ base
        low, high = np.searchsorted(key, [wanted, wanted + 1])
        return np.asarray(log_p[low:high])

    return futures


def _sum_nodes(
    used: np.ndarray,
    past: np.ndarray,
    rows: np.ndarray,
    base: np.ndarray,
    futures: Futures,
    limit: float,
) -> float:
    """Sum of the probabilities of all joined tables whose log probability is at most ``limit``."""
    key = used @ base
    order = np.argsort(key, kind="stable")
    _, starts = np.unique(key[order], return_index=True)
    ends = np.append(starts[1:], len(order))
    sums = []
    for begin, end in zip(starts, ends, strict=True):
        members = order[begin:end]
        sums.append(_sum_node(past[members], futures(rows - used[members[0]]), limit))
    return math.fsum(sums)


def _sum_node(past: np.ndarray, future: np.ndarray, limit: float) -> float:
    """The same for the fillings of one node."""
    if past.min() + future.min() > limit:
        return 0.0
    top = float(future.max())
    weight = np.exp(future - top)
    if past.max() + top <= limit:
        return float(np.exp(past + top).sum() * weight.sum())
    if len(past) <= 10:
        below = np.array([weight[future <= limit - p].sum() for p in past])
    else:
        order = np.argsort(future)
        running = np.append(0.0, np.cumsum(weight[order]))
        below = running[np.searchsorted(future[order], limit - past, side="right")]
    return float(np.exp(past + top) @ below)


def _over(budget: int) -> BudgetError:
    return BudgetError(
        f"The exact test of this table would list more than {budget:,} half tables. "
        'Use method="monte-carlo" (with resamples= and seed=), or raise budget=.'
    )
