"""Risk sets of right-censored and (start, stop] data: one sort, shared by all replicates.

Rows are sorted by stratum and falling stop time, so that the risk set of an event time is a
running sum. The event times of a stratum are *columns* 0, 1, ... in falling order of time; a row
joins at the column of the last event time that it reaches and, with late entry, leaves again at
the column of the first event time at or before its entry. Rows that leave come last, and are
summed apart. Intervals are (start, stop]: a row is not at risk at its own entry time. Rows at risk
at no event time are dropped: they cannot matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnetstats.kernels.intervals import Intervals, build_intervals

__all__ = ["RiskSets", "prepare"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_MANY = 1 << 15


@dataclass(frozen=True, eq=False)
class RiskSets:
    """The sorted layout of one data set of n rows, m of them ever at risk at one of E event times.

    Attributes
    ----------
    n
        Number of rows given.
    rows
        (m,) positions of the kept rows: those that stay, then those that leave, both by the
        column where they join.
    times, strata
        (E,) event times, falling within each stratum, and the stratum code of each.
    stratum_bounds
        (S + 1,) first column of each stratum that has events, and E.
    joins, leaves
        (m,) column at which each kept row joins, and the column before which it leaves.
    join_columns, join_bounds
        Columns at which rows join that stay, and the first of these rows for each.
    intervals
        Of the rows that leave, or None.
    deaths, death_columns, death_bounds
        (D,) kept rows that end in an event, by column; (D,) their columns; (E,) first of each.
    """

    n: int
    rows: Ints
    times: Floats
    strata: Ints
    stratum_bounds: Ints
    joins: Ints
    leaves: Ints
    join_columns: Ints
    join_bounds: Ints
    intervals: Intervals | None
    deaths: Ints
    death_columns: Ints
    death_bounds: Ints

    @property
    def n_times(self) -> int:
        """Number of event times, counted within strata."""
        return self.times.size

    @property
    def tied(self) -> bool:
        """Whether two rows of one stratum have an event at the same time."""
        return self.deaths.size > self.times.size

    def sort(self, values: NDArray[np.float64]) -> Floats:
        """Values (..., n) of all rows as (..., m) of the kept rows, in their order."""
        return values.take(self.rows, axis=-1)

    @cached_property
    def n_staying(self) -> int:
        """Number of kept rows that stay until their stratum ends."""
        return self.rows.size - (0 if self.intervals is None else self.intervals.row_bounds.size)

    @cached_property
    def segments(self) -> list[tuple[int, int]]:
        """First row and the one after the last, of the rows that join at each column and stay."""
        return list(pairwise([*self.join_bounds.tolist(), self.n_staying]))

    def risk_sums(self, values: Floats) -> Floats:
        """Sum of values (..., m) over each risk set, (..., E)."""
        return self.add_leavers(self.accumulate(self.join_sums(values)), values)

    def join_sums(self, values: Floats) -> Floats:
        """Sum of values (..., m) over the rows that join at each column and stay, (..., E)."""
        staying = values[..., : self.n_staying]
        if self.join_columns.size == self.n_times:
            sums: Floats = np.add.reduceat(staying, self.join_bounds, axis=-1)
            return sums
        sums = np.zeros((*values.shape[:-1], self.n_times))
        if self.join_columns.size:
            sums[..., self.join_columns] = np.add.reduceat(staying, self.join_bounds, axis=-1)
        return sums

    def add_leavers(self, sums: Floats, values: Floats) -> Floats:
        """Add to sums (..., E) the values (..., m) of rows at risk that leave again."""
        if self.intervals is not None:
            sums += self.intervals.column_sums(values[..., self.n_staying :])
        return sums

    def death_sums(self, values: Floats) -> Floats:
        """Sum of values (..., D) of the event rows over each event time, (..., E)."""
        if not self.tied:
            return values
        sums: Floats = np.add.reduceat(values, self.death_bounds, axis=-1)
        return sums

    def accumulate(self, values: Floats) -> Floats:
        """Running sum (..., E) within each stratum from the latest event time to the earliest."""
        return _running_sum(values, self.stratum_bounds)

    def accumulate_forward(self, values: Floats) -> Floats:
        """Running sum (..., E) within each stratum from the earliest event time to the latest."""
        bounds = self.stratum_bounds
        if bounds.size > 2:
            bounds = (self.n_times - bounds)[::-1]
        return _running_sum(values[..., ::-1], bounds)[..., ::-1]

    def spread(self, steps: Floats) -> Floats:
        """Per row (..., m), the sum of steps (..., E) over the times at which it was at risk."""
        forward = self.accumulate_forward(steps)
        if self.intervals is None:
            return forward.take(self.joins, axis=-1)
        stay = self.n_staying
        sums = np.empty((*steps.shape[:-1], self.rows.size))
        sums[..., :stay] = np.take(forward, self.joins[:stay], axis=-1)
        sums[..., stay:] = self.intervals.row_sums(steps)
        return sums


def prepare(
    start: ArrayLike | None,
    stop: ArrayLike,
    event: ArrayLike,
    strata: ArrayLike | None = None,
) -> RiskSets:
    """Sort survival data into risk sets.

    Parameters
    ----------
    start
        (n,) entry times, or None when all rows enter before the first event.
    stop
        (n,) end of follow-up, in any unit of time.
    event
        (n,) true where the row ends in the event.
    strata
        (n,) integer codes, or None.

    Returns
    -------
    RiskSets
        The layout; without any event it has no columns and no rows.

    Raises
    ------
    ValueError
        If lengths differ, a time is not finite, or a start is not before its stop.
    """
    data = _checked(start, stop, event, strata)
    times, column_strata, joins, leaves, ends = _columns(data)
    rows = np.flatnonzero(joins < leaves)
    leaver = leaves < ends
    rows = rows[_stable_order(joins[rows] + times.size * leaver[rows], 2 * times.size)]
    joins, leaves = joins[rows], leaves[rows]
    stay = rows.size - int(np.count_nonzero(leaver[rows]))
    join_bounds = _firsts(joins[:stay])
    deaths = np.flatnonzero(data.event[rows])
    if stay < rows.size:
        deaths = deaths[np.argsort(joins[deaths], kind="stable")]
    return RiskSets(
        n=data.stop.size,
        rows=rows,
        times=times,
        strata=column_strata,
        stratum_bounds=np.append(_firsts(column_strata), times.size),
        joins=joins,
        leaves=leaves,
        join_columns=joins[:stay][join_bounds],
        join_bounds=join_bounds,
        intervals=build_intervals(joins[stay:], leaves[stay:], times.size)
        if stay < rows.size
        else None,
        deaths=deaths,
        death_columns=joins[deaths],
        death_bounds=_firsts(joins[deaths]),
    )


class _Data(NamedTuple):
    start: Floats | None
    stop: Floats
    event: NDArray[np.bool_]
    strata: Ints | None


def _checked(
    start: ArrayLike | None, stop: ArrayLike, event: ArrayLike, strata: ArrayLike | None
) -> _Data:
    ends = np.asarray(stop, dtype=np.float64)
    happened = np.asarray(event).astype(bool)
    begins = None if start is None else np.asarray(start, dtype=np.float64)
    codes = None if strata is None else np.asarray(strata)
    for name, values in (("event", happened), ("strata", codes), ("start", begins)):
        if values is not None and values.shape != ends.shape:
            msg = f"{name} has shape {values.shape}, stop has {ends.shape}"
            raise ValueError(msg)
    if not np.isfinite(ends).all() or (begins is not None and np.isnan(begins).any()):
        msg = "times must be finite numbers"
        raise ValueError(msg)
    if begins is not None and not (begins < ends).all():
        msg = f"start is not before stop in {int((begins >= ends).sum())} rows"
        raise ValueError(msg)
    return _Data(begins, ends, happened, None if codes is None else codes.astype(np.intp))


def _columns(data: _Data) -> tuple[Floats, Ints, Ints, Ints, Ints]:
    """Event times and their strata; per row, where it joins, leaves and its stratum ends.

    Times are replaced by their rank, and stratum and falling rank by one integer key.
    """
    ends_in_event = np.sort(data.stop[data.event])
    distinct = ends_in_event[_firsts(ends_in_event)]
    size = distinct.size
    if data.strata is None and data.start is None:
        joins = size - _search(distinct, data.stop, "right")
        ends = np.full(joins.size, size)
        return distinct[::-1], np.zeros(size, dtype=np.intp), joins, ends, ends
    width = size + 1
    strata = np.zeros(data.stop.size, dtype=np.intp) if data.strata is None else data.strata

    def key(moments: Floats) -> Ints:
        reached = _search(distinct, moments, "right")
        return strata * width + (width - reached)

    row_keys = key(data.stop)
    event_keys = np.sort(row_keys[data.event])
    column_keys = event_keys[_firsts(event_keys)]
    column_strata = (column_keys - 1) // width
    times = distinct[width - 1 - (column_keys - column_strata * width)]
    joins = _search(column_keys, row_keys, "left")
    ends = np.searchsorted(column_strata, strata, side="right")
    leaves = ends if data.start is None else _search(column_keys, key(data.start), "left")
    return times, column_strata, joins, leaves, ends


def _firsts(values: NDArray[Any]) -> Ints:
    """Place of the first of each run of equal values."""
    new = np.ones(values.size, dtype=bool)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return new.nonzero()[0]


def _stable_order(keys: Ints, most: int) -> Ints:
    """Order of whole numbers from 0 to `most`; small ones are sorted by their digits."""
    if most < 1 << 15:
        return keys.astype(np.int16).argsort(kind="stable")
    return keys.argsort(kind="stable")


def _search(values: NDArray[Any], wanted: NDArray[Any], side: Literal["left", "right"]) -> Ints:
    """As `np.searchsorted`; many are looked up in order, which spares the cache."""
    if wanted.size < _MANY:
        return values.searchsorted(wanted, side=side)
    order = np.argsort(wanted, kind="stable")
    places = np.empty(wanted.size, dtype=np.intp)
    places[order] = np.searchsorted(values, wanted[order], side=side)
    return places


def _running_sum(values: Floats, bounds: Ints) -> Floats:
    """Running sum of (..., E) that begins anew at each bound.

    A running sum over all strata less its value at the stratum's start would lose digits; so it
    runs stratum by stratum or, where strata are many and short, by the place in the stratum.
    """
    if bounds.size <= 2:
        return values.cumsum(axis=-1)
    lengths = np.diff(bounds)
    sums = values.copy()
    if lengths.size <= lengths.max():
        for a, b in pairwise(bounds):
            np.cumsum(values[..., a:b], axis=-1, out=sums[..., a:b])
        return sums
    for place in range(1, int(lengths.max())):
        here = bounds[:-1][lengths > place] + place
        sums[..., here] += sums[..., here - 1]
    return sums
