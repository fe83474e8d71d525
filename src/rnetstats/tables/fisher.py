"""Fisher's exact test for millions of 2x2 tables at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from rnetstats._core.options import choice
from rnetstats.errors import BudgetError, DataError
from rnetstats.tables.exact_inference import TIE

__all__ = ["ALTERNATIVES", "fisher_p", "log_factorials"]

ALTERNATIVES = ("two-sided", "central", "mid-p", "less", "greater")
_CHUNK = 1_000_000
_LARGEST = 1 << 24  # factorials of which a table is kept


@lru_cache(maxsize=4)
def _log_factorial_table(size: int) -> np.ndarray:
    table = np.zeros(size + 1, dtype=np.longdouble)
    table[1:] = np.cumsum(np.log(np.arange(1, size + 1, dtype=np.longdouble)))
    table.setflags(write=False)
    return table


def log_factorials(largest: int) -> np.ndarray:
    """``log(k!)`` for k = 0 to at least ``largest``, in extended precision where there is any.

    Raises
    ------
    BudgetError
        Above 16 million.
    """
    if largest >= _LARGEST:
        raise BudgetError(
            f"Exact probabilities of tables are worked out up to {_LARGEST - 1:,} patients, not "
            f"{int(largest):,}: at that size normal limits (a regression, say) are as good."
        )
    return _log_factorial_table(1 << max(int(largest), 255).bit_length())


def fisher_p(
    a: ArrayLike, b: ArrayLike, c: ArrayLike, d: ArrayLike, *, alternative: str = "two-sided"
) -> np.ndarray:
    """P values of Fisher's exact test, for arrays of tables ``[[a, b], [c, d]]``.

    Every distinct set of margins is worked out once, so that all tables of a study (say every
    number of events in two groups of fixed sizes) cost little more than their distributions.

    Parameters
    ----------
    a, b, c, d : array-like of int
        Cell counts, broadcast against each other. Groups are rows, events the first column.
    alternative : {"two-sided", "central", "mid-p", "less", "greater"}
        ``two-sided`` sums all tables no more likely than the observed one; ``central`` is twice
        the smaller tail and ``mid-p`` the same with half the observed table's probability;
        ``less`` and ``greater`` are one-sided, about the odds ratio of row 1 against row 2.

    Returns
    -------
    ndarray
        P values, of the broadcast shape.

    Raises
    ------
    DataError
        If a count is negative, not whole or not finite.

    References
    ----------
    Fisher RA (1935) The logic of inductive inference. J R Stat Soc 98:39-82.
    """
    choice("alternative", alternative, ALTERNATIVES)
    cells = np.broadcast_arrays(*(_counts(x) for x in (a, b, c, d)))
    shape = cells[0].shape
    w, x, y, z = (cell.ravel() for cell in cells)
    if w.size == 0:
        return np.empty(shape)
    margins = np.stack([w + x, y + z, w + y])
    distinct, which = _unique_columns(margins)
    low = np.maximum(0, distinct[2] - distinct[1])
    length = np.minimum(distinct[0], distinct[2]) - low + 1
    result = np.empty(w.size)
    order = np.argsort(which, kind="stable")
    bounds = np.searchsorted(which[order], np.arange(distinct.shape[1] + 1))
    for first, last in _blocks(length):
        start, p = _distributions(distinct[:, first:last], low[first:last], length[first:last])
        values = _SUMS[alternative](p, start, length[first:last])
        rows = order[bounds[first] : bounds[last]]
        at = start[which[rows] - first] + w[rows] - low[which[rows]]
        result[rows] = values[at]
    return np.minimum(result, 1.0).reshape(shape)


def _counts(values: ArrayLike) -> np.ndarray:
    given = np.asarray(values)
    if given.dtype.kind in "iu":
        counts = given.astype(np.int64)
    else:
        real = np.asarray(given, dtype=float)
        if not np.isfinite(real).all() or (real != np.floor(real)).any():
            raise DataError("Cell counts must be whole numbers without missing values.")
        counts = real.astype(np.int64)
    if (counts < 0).any():
        raise DataError("Cell counts must not be negative.")
    return counts


def _unique_columns(margins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct columns, and which of them each column is."""
    base = int(margins.max()) + 1
    if base > 2_000_000:  # three numbers of 21 bits fill a key
        distinct, which = np.unique(margins, axis=1, return_inverse=True)
        return distinct, which.ravel()
    keys, which = np.unique(
        (margins[0] * base + margins[1]) * base + margins[2], return_inverse=True
    )
    rest, third = np.divmod(keys, base)
    return np.stack([rest // base, rest % base, third]), which.ravel()


def _blocks(length: np.ndarray) -> Iterator[tuple[int, int]]:
    """Ranges of margins whose distributions together hold about a million probabilities."""
    block = np.cumsum(length) // _CHUNK
    edges = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(length)]
    yield from pairwise(edges)


def _distributions(
    margins: np.ndarray, low: np.ndarray, length: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Hypergeometric probabilities of all margins, end to end, and where each starts."""
    start = np.cumsum(length) - length
    n1, n2, events = (np.repeat(margin, length) for margin in margins)
    k = np.arange(int(length.sum())) - np.repeat(start - low, length)
    lf = log_factorials(int(margins[0].max() + margins[1].max()))
    log_p = -(lf[k] + lf[n1 - k] + lf[events - k] + lf[n2 - events + k])
    log_p -= np.repeat(np.maximum.reduceat(log_p, start), length)
    p = np.exp(log_p.astype(float))
    p /= np.repeat(np.add.reduceat(p, start), length)
    return start, p


def _running(p: np.ndarray, start: np.ndarray, length: np.ndarray) -> np.ndarray:
    """Cumulative sums within each distribution, small terms kept exact (no differences)."""
    total = np.array(p)
    position = np.arange(len(p)) - np.repeat(start, length)
    step = 1
    while step < int(length.max()):
        inside = np.flatnonzero(position >= step)
        total[inside] = total[inside] + total[inside - step]
        step *= 2
    return total


def _lower(p: np.ndarray, start: np.ndarray, length: np.ndarray) -> np.ndarray:
    return _running(p, start, length)


def _upper(p: np.ndarray, start: np.ndarray, length: np.ndarray) -> np.ndarray:
    mirrored = len(p) - start - length
    return _running(p[::-1], mirrored[::-1], length[::-1])[::-1]


def _central(p: np.ndarray, start: np.ndarray, length: np.ndarray) -> np.ndarray:
    smaller = np.minimum(_lower(p, start, length), _upper(p, start, length))
    return np.asarray(2.0 * smaller)


def _mid(p: np.ndarray, start: np.ndarray, length: np.ndarray) -> np.ndarray:
    return np.asarray(_central(p, start, length) - p)


def _minlike(p: np.ndarray, start: np.ndarray, length: np.ndarray) -> np.ndarray:
    """For each count the sum over all counts that are no more likely."""
    owner = np.repeat(np.arange(len(length)), length)
    order = np.lexsort((p, owner))
    ranked = p[order]
    total = _running(ranked, start, length)
    # Equal probabilities differ in their last digits: each takes the sum up to its last near-equal.
    new = np.empty(len(p), dtype=bool)
    new[0] = True
    new[1:] = (ranked[1:] > ranked[:-1] * TIE) | (np.diff(owner) > 0)
    last = np.append(np.flatnonzero(new)[1:] - 1, len(p) - 1)
    values = np.empty(len(p))
    values[order] = total[last[np.cumsum(new) - 1]]
    return values


_SUMS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "two-sided": _minlike,
    "central": _central,
    "mid-p": _mid,
    "less": _lower,
    "greater": _upper,
}
