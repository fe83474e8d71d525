"""All 2x2 tables with given totals, in chunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnetstats.errors import BudgetError
from rnetstats.evidence.worlds_totals import Totals

__all__ = ["Universe"]

_CHUNK = 1 << 16
_MOST_ROWS = 5_000_000
_ROUND = 1.0 + 1e-9


@dataclass(frozen=True, eq=False)
class Universe:
    """Tables by size of group 1 and its events, with a range of events of group 2.

    Attributes
    ----------
    n_1, a, c_low, c_high : int array of shape (m,)
    n : int
    """

    n: int
    n_1: np.ndarray
    a: np.ndarray
    c_low: np.ndarray
    c_high: np.ndarray

    @classmethod
    def of(cls, totals: Totals) -> Universe:
        """Every table with these totals."""
        n = totals.n
        if n > _MOST_ROWS:
            raise BudgetError(f"At most {_MOST_ROWS:,} patients are looked at, not {n:,}.")
        sizes = np.arange(1, n) if totals.n_1 is None else np.array([totals.n_1])
        most = sizes if totals.events is None else np.minimum(sizes, totals.events)
        rows = int((most + 1).sum())
        if rows > _MOST_ROWS:
            raise BudgetError(
                f"Of {n:,} patients there are {rows:,} sizes and events of one group to look at; "
                f"the limit is {_MOST_ROWS:,}. Give the sizes of both groups."
            )
        n_1 = np.repeat(sizes, most + 1)
        a = np.arange(rows) - np.repeat(np.cumsum(most + 1) - (most + 1), most + 1)
        if totals.events is None:
            return cls(n, n_1, a, np.zeros_like(a), n - n_1)
        c = totals.events - a
        possible = c <= n - n_1
        n_1, a, c = n_1[possible], a[possible], c[possible]
        return cls(n, n_1, a, c, c)

    @property
    def tables(self) -> int:
        """How many tables there are."""
        return int(np.maximum(self.c_high - self.c_low + 1, 0).sum())

    def near(self, low: float, high: float) -> Universe:
        """Return the tables whose odds ratio may lie between two values, and their neighbours.

        With k added to every cell, ``c + k = (a + k)(n_2 + 2k) / (a + k + theta (n_1 - a + k))``,
        which falls with theta; both k = 0 and k = 1/2 are allowed for, and one more on each side.
        """
        low_ends: list[np.ndarray] = []
        high_ends: list[np.ndarray] = []
        for k in (0.0, 0.5):
            for theta, ends in ((high, low_ends), (low, high_ends)):
                top, bottom = self.a + k, self.n_1 - self.a + k
                rest = theta * bottom if np.isfinite(theta) else np.where(bottom > 0, np.inf, 0.0)
                under = top + np.where(bottom > 0, rest, 0.0)
                share = np.divide(top, under, out=np.ones(top.shape), where=under > 0)
                ends.append((self.n - self.n_1 + 2 * k) * share - k)
        c_low = np.floor(np.minimum(*low_ends)).astype(np.int64) - 1
        c_high = np.ceil(np.maximum(*high_ends)).astype(np.int64) + 1
        return Universe(
            self.n,
            self.n_1,
            self.a,
            np.maximum(self.c_low, c_low),
            np.minimum(self.c_high, c_high),
        )

    def of_variance(self, low: float, high: float) -> Universe:
        """Leave out rows in which no table's log odds ratio has a variance between two values.

        What group 2 adds to it, ``1/(c + k) + 1/(n_2 - c + k)``, is least at the count nearest to
        half of the group and largest at one end of the range; k is 0 or 1/2.
        """
        keep = np.zeros(self.a.shape, dtype=bool)
        n_2 = self.n - self.n_1
        for k in (0.0, 0.5):
            with np.errstate(divide="ignore"):
                own = 1.0 / (self.a + k) + 1.0 / (self.n_1 - self.a + k)
                middle = np.clip(n_2 / 2.0, self.c_low, np.maximum(self.c_high, self.c_low))
                least, first, last = (
                    1.0 / (c + k) + 1.0 / (n_2 - c + k) for c in (middle, self.c_low, self.c_high)
                )
            most = np.maximum(first, last)
            keep |= (own + least <= high * _ROUND) & (own + most >= low / _ROUND)
        keep &= self.c_low <= self.c_high
        rows = (self.n_1[keep], self.a[keep], self.c_low[keep], self.c_high[keep])
        return Universe(self.n, *rows)

    def chunks(self) -> Iterator[np.ndarray]:
        """Yield tables ``a, b, c, d`` as arrays of shape (4, m)."""
        counts = np.maximum(self.c_high - self.c_low + 1, 0)
        ends = np.cumsum(counts)
        for start in range(0, self.tables, _CHUNK):
            stop = min(start + _CHUNK, self.tables)
            rows = np.searchsorted(ends, np.arange(start, stop), side="right")
            c = self.c_low[rows] + np.arange(start, stop) - (ends - counts)[rows]
            a, n_1 = self.a[rows], self.n_1[rows]
            yield np.stack([a, n_1 - a, c, self.n - n_1 - c])
