"""Boxes of 2x2 tables: fixed events in both groups, ranges of their absence.

A search over millions of tables leaves out whole boxes that provably hold none that is wanted.
With ``a`` and ``c`` events among ``a + b`` and ``c + d`` patients,

* the signed root of Pearson's chi-square (positive where group 2 has the larger risk) rises with b
  and falls with d. Write D = cb - ad, F = b + d and N for all patients. Where D > 0, its logarithm
  has the derivative ``1/N + 2c/D - 1/(a + b) - 1/F`` with respect to b, which is at least 1/N,
  because ``D <= cb`` and both ``a + b`` and F are at least b; with respect to d it is
  ``1/N - 2a/D - 1/(c + d) - 1/F < 0``. Where D < 0 the groups change their places;
* so does that of Yates: with ``D - N/2`` for D the second term is ``2(c - 1/2)/(D - N/2)``, still
  at least 2/b;
* the chance of as few events in group 1 falls with b and rises with d, because the hypergeometric
  distribution is stochastically ordered in both.

The values at two corners of a box therefore bound those of all its tables.

References
----------
Lehmann EL, Romano JP (2005) Testing Statistical Hypotheses. 3rd edn. Springer. Section 3.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from rnetstats.kernels.newton import BoolArray, FloatArray, IntArray
from rnetstats.kernels.two_by_two import pearson_z, yates_z
from rnetstats.kernels.two_by_two_fisher import fisher_two_sided, tail_bounds

__all__ = ["Boxes", "Wanted", "meets", "prints"]

CHUNK = 1 << 15  # tables looked at together: their columns stay in the cache
_LEAF = 64  # tables of a box that is not divided further
_CLOSE = 1e-6  # more than the error of a bound from log factorials
_EDGE = 1e-9  # P values this close to the edge of a rounding are taken as printing so


@dataclass(frozen=True, eq=False)
class Wanted:
    """P values that are looked for: from ``p_low`` to ``p_high`` by any of ``tests``.

    Attributes
    ----------
    tests : tuple of str
        Of ``"pearson"``, ``"yates"``, ``"fisher"``; empty when P is not known.
    p_low, p_high : float
    z_low, z_high : float
        The same as absolute normal quantiles; ``z_high`` belongs to ``p_low``.
    log_factorial : array
        Up to the largest total.
    """

    tests: tuple[str, ...]
    p_low: float
    p_high: float
    z_low: float
    z_high: float
    log_factorial: FloatArray


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes of tables, each field an int array of shape (m,).

    Attributes
    ----------
    a, c : int array
        Events of group 1 and of group 2.
    b_low, b_high, d_low, d_high : int array
        Ranges of the non-events, both ends included.
    """

    a: IntArray
    b_low: IntArray
    b_high: IntArray
    c: IntArray
    d_low: IntArray
    d_high: IntArray

    def __len__(self) -> int:
        return self.a.size

    def take(self, rows: IntArray | BoolArray) -> Boxes:
        """Some of the boxes."""
        return Boxes(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    def joined(self, other: Boxes) -> Boxes:
        """These boxes, then others."""
        pairs = {f.name: (getattr(self, f.name), getattr(other, f.name)) for f in fields(self)}
        return Boxes(**{name: np.concatenate(pair) for name, pair in pairs.items()})

    @property
    def tables(self) -> IntArray:
        """How many tables each box holds."""
        return (self.b_high - self.b_low + 1) * (self.d_high - self.d_low + 1)

    def within(self, most: int) -> Boxes:
        """The boxes cut to what can hold tables of at most so many patients."""
        room = most - self.a - self.c
        b_high = np.minimum(self.b_high, room - self.d_low)
        d_high = np.minimum(self.d_high, room - self.b_low)
        cut = Boxes(self.a, self.b_low, b_high, self.c, self.d_low, d_high)
        return cut.take((b_high >= self.b_low) & (d_high >= self.d_low))

    def halves(self) -> Boxes:
        """Each box cut in two across its longer side."""
        wide = self.b_high - self.b_low >= self.d_high - self.d_low
        b_mid = np.where(wide, (self.b_low + self.b_high) // 2, self.b_high)
        d_mid = np.where(wide, self.d_high, (self.d_low + self.d_high) // 2)
        first = Boxes(self.a, self.b_low, b_mid, self.c, self.d_low, d_mid)
        b_low = np.where(wide, b_mid + 1, self.b_low)
        d_low = np.where(wide, self.d_low, d_mid + 1)
        return first.joined(Boxes(self.a, b_low, self.b_high, self.c, d_low, self.d_high))

    def large(self) -> BoolArray:
        """Which boxes are worth cutting in two."""
        return self.tables > _LEAF

    def chunks(self) -> Iterator[tuple[IntArray, IntArray, IntArray, IntArray]]:
        """All tables, box after box, in chunks of ``a, b, c, d``."""
        counts = self.tables
        ends = np.cumsum(counts)
        width = self.d_high - self.d_low + 1
        for start in range(0, int(ends[-1]) if len(self) else 0, CHUNK):
            stop = min(start + CHUNK, int(ends[-1]))
            first, last = np.searchsorted(ends, [start, stop - 1], side="right")
            edges = np.append(start, np.clip(ends[first : last + 1], start, stop))
            box = np.repeat(np.arange(first, last + 1), edges[1:] - edges[:-1])
            place = np.arange(start, stop) - (ends - counts)[box]
            row = place // width[box]
            column = place - row * width[box]
            yield self.a[box], self.b_low[box] + row, self.c[box], self.d_low[box] + column


def meets(boxes: Boxes, wanted: Wanted) -> BoolArray:
    """Which boxes may hold a table with a wanted P; those left out provably hold none."""
    high = boxes.a, boxes.b_high, boxes.c, boxes.d_low  # largest z, fewest events in group 1
    low = boxes.a, boxes.b_low, boxes.c, boxes.d_high
    found = np.zeros(len(boxes), dtype=bool)
    for name, statistic in (("pearson", pearson_z), ("yates", yates_z)):
        if name in wanted.tests:
            least, most = statistic(*low), statistic(*high)
            away = np.maximum(np.maximum(least, -most), 0.0)
            furthest = np.maximum(np.abs(least), np.abs(most))
            found |= (away <= wanted.z_high * (1 + _EDGE)) & (
                furthest >= wanted.z_low * (1 - _EDGE)
            )
    if "fisher" in wanted.tests:
        at_high = tail_bounds(*high, wanted.log_factorial)
        at_low = tail_bounds(*low, wanted.log_factorial)
        least = np.minimum(at_high.lower_least, at_low.upper_least)
        tail = np.minimum(at_low.lower_most, at_high.upper_most)
        sum_of_all = (boxes.a + boxes.c + 1) * tail
        reach = sum_of_all * (1 + _CLOSE) >= wanted.p_low
        found |= (least * (1 - _CLOSE) <= wanted.p_high) & reach
    return found


def prints(a: IntArray, b: IntArray, c: IntArray, d: IntArray, wanted: Wanted) -> BoolArray:
    """Which tables have a wanted P by which test, shape (tests, m)."""
    testable = (a + c > 0) & (b + d > 0)
    found = np.zeros((len(wanted.tests), a.size), dtype=bool)
    for row, name in enumerate(wanted.tests):
        if name == "fisher":
            found[row] = _fisher_prints(a, b, c, d, wanted)
        else:
            z = np.abs((pearson_z if name == "pearson" else yates_z)(a, b, c, d))
            inside = (z >= wanted.z_low * (1 - _EDGE)) & (z <= wanted.z_high * (1 + _EDGE))
            found[row] = inside & testable
    return found


def _fisher_prints(a: IntArray, b: IntArray, c: IntArray, d: IntArray, wanted: Wanted) -> BoolArray:
    """Bounds first; only tables that they leave open are worked out."""
    bounds = tail_bounds(a, b, c, d, wanted.log_factorial)
    least = np.maximum(bounds.point, np.minimum(bounds.lower_least, bounds.upper_least))
    most = np.minimum((np.minimum(a + b, a + c) + 1) * bounds.point, 1.0)
    inside = (least * (1 - _CLOSE) >= wanted.p_low) & (most * (1 + _CLOSE) <= wanted.p_high)
    outside = (least * (1 - _CLOSE) > wanted.p_high) | (most * (1 + _CLOSE) < wanted.p_low)
    open_rows = np.flatnonzero(~inside & ~outside)
    p = fisher_two_sided(
        a[open_rows], b[open_rows], c[open_rows], d[open_rows], wanted.log_factorial
    )
    fits = (p >= wanted.p_low * (1 - _EDGE)) & (p <= wanted.p_high * (1 + _EDGE))
    inside[open_rows] = fits
    return np.asarray(inside)
