"""Risk sets of right-censored and (start, stop] data: one sort, shared by all replicates.

Rows are sorted by stratum and falling stop time, so that the risk set of an event time is a
running sum. The event times of a stratum are *columns* 0, 1, ... in falling order of time; a row
joins at the column of the last event time that it reaches and, with late entry, leaves again at
the column of the first event time at or before its entry. Intervals are (start, stop]: a row is
not at risk at its own entry time. Rows at risk at no event time are dropped: they cannot matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class RiskSets:
    """The sorted layout of one data set of n rows, m of them ever at risk at one of E event times.

    Attributes
    ----------
    n
        Number of rows given.
    rows
        (m,) positions of the kept rows, by stratum and falling stop time.
    times, strata
        (E,) event times, falling within each stratum, and the stratum code of each.
    stratum_bounds
        (S + 1,) first column of each stratum that has events, and E.
    joins, join_bounds
        (m,) column at which each kept row joins, never falling; (E,) the first row of each column.
    leavers, leave_columns, leave_bounds
        Kept rows that leave before their stratum ends, in order of the column where they leave;
        the distinct columns, and the first leaver of each.
    deaths, death_columns, death_bounds
        (D,) kept rows that end in an event, by column; (D,) their columns; (E,) first of each.
    """

    n: int
    rows: Ints
    times: Floats
    strata: Ints
    stratum_bounds: Ints
    joins: Ints
    join_bounds: Ints
    leavers: Ints
    leave_columns: Ints
    leave_bounds: Ints
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
        return np.take(values, self.rows, axis=-1)

    def risk_sums(self, values: Floats) -> Floats:
        """Sum of values (..., m) over each risk set, (..., E)."""
        return self.accumulate(self.net_joins(values))

    def net_joins(self, values: Floats) -> Floats:
        """What each column adds to the running sum: its joiners less its leavers, (..., E)."""
        sums: Floats = np.add.reduceat(values, self.join_bounds, axis=-1)
        if self.leavers.size:
            left = np.add.reduceat(values[..., self.leavers], self.leave_bounds, axis=-1)
            sums[..., self.leave_columns] -= left
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
        turned = (self.n_times - self.stratum_bounds)[::-1]
        return _running_sum(values[..., ::-1], turned)[..., ::-1]

    def spread(self, forward: Floats) -> Floats:
        """Per row (..., m), the sum over the event times at which it was at risk.

        `forward` (..., E) is what `accumulate_forward` gave.
        """
        sums: Floats = np.take(forward, self.joins, axis=-1)
        if self.leavers.size:
            counts = np.diff(self.leave_bounds, append=self.leavers.size)
            sums[..., self.leavers] -= forward[..., np.repeat(self.leave_columns, counts)]
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
    kept = np.flatnonzero(joins < leaves)
    rows = kept[np.argsort(joins[kept], kind="stable")]
    joins, leaves, ends = joins[rows], leaves[rows], ends[rows]
    leavers = np.flatnonzero(leaves < ends)
    leavers = leavers[np.argsort(leaves[leavers], kind="stable")]
    leave_columns, leave_bounds = np.unique(leaves[leavers], return_index=True)
    deaths = np.flatnonzero(data.event[rows])
    columns = np.arange(times.size)
    changes = np.flatnonzero(np.diff(column_strata)) + 1
    return RiskSets(
        n=data.stop.size,
        rows=rows,
        times=times,
        strata=column_strata,
        stratum_bounds=np.unique(np.concatenate(([0], changes, [times.size]))),
        joins=joins,
        join_bounds=np.searchsorted(joins, columns),
        leavers=leavers,
        leave_columns=leave_columns,
        leave_bounds=leave_bounds,
        deaths=deaths,
        death_columns=joins[deaths],
        death_bounds=np.searchsorted(joins[deaths], columns),
    )


class _Data(NamedTuple):
    start: Floats | None
    stop: Floats
    event: NDArray[np.bool_]
    strata: Ints


def _checked(
    start: ArrayLike | None, stop: ArrayLike, event: ArrayLike, strata: ArrayLike | None
) -> _Data:
    ends = np.asarray(stop, dtype=np.float64)
    happened = np.asarray(event).astype(bool)
    begins = None if start is None else np.asarray(start, dtype=np.float64)
    codes = np.zeros(ends.shape, dtype=np.intp) if strata is None else np.asarray(strata)
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
    return _Data(begins, ends, happened, codes.astype(np.intp))


def _columns(data: _Data) -> tuple[Floats, Ints, Ints, Ints, Ints]:
    """Event times and their strata; per row, where it joins, leaves and its stratum ends.

    Times are replaced by their rank, and stratum and falling rank by one integer key.
    """
    distinct = np.unique(data.stop[data.event])
    width = distinct.size + 1

    def key(moments: Floats) -> Ints:
        reached: Ints = np.searchsorted(distinct, moments, side="right")
        return data.strata * width + (width - reached)

    row_keys = key(data.stop)
    column_keys = np.unique(row_keys[data.event])
    column_strata = (column_keys - 1) // width
    times = distinct[width - 1 - (column_keys - column_strata * width)]
    joins = np.searchsorted(column_keys, row_keys)
    ends = np.searchsorted(column_strata, data.strata, side="right")
    leaves = ends if data.start is None else np.searchsorted(column_keys, key(data.start))
    return times, column_strata, joins, leaves, ends


def _running_sum(values: Floats, bounds: Ints) -> Floats:
    """Running sum of (..., E) that begins anew at each bound.

    A running sum over all strata less its value at the stratum's start would lose digits; so it
    runs stratum by stratum or, where strata are many and short, by the place in the stratum.
    """
    lengths = np.diff(bounds)
    if lengths.size <= 1:
        return np.cumsum(values, axis=-1)
    sums = values.copy()
    if lengths.size <= lengths.max():
        for a, b in pairwise(bounds):
            np.cumsum(values[..., a:b], axis=-1, out=sums[..., a:b])
        return sums
    for place in range(1, int(lengths.max())):
        here = bounds[:-1][lengths > place] + place
        sums[..., here] += sums[..., here - 1]
    return sums
