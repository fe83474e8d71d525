"""Net benefit at a horizon, with censoring and competing events, for a batch of replicates.

The event rate of the positives is their Aalen-Johansen incidence at the horizon (without competing
events, 1 less Kaplan-Meier); times their share it is the rate of true positives. Events are in
columns by time; one table counts rows by the column in which they leave and the thresholds that
they reach, and its running sums are the risk sets of all groups of positives.

References
----------
Vickers AJ, Cronin AM, Elkin EB, Gonen M (2008). Extensions to decision curve analysis, a novel
method for evaluating diagnostic tests, prediction models and molecular markers. BMC Medical
Informatics and Decision Making 8, 53.
Aalen OO, Johansen S (1978). An empirical transition matrix for non-homogeneous Markov chains based
on censored observations. Scandinavian Journal of Statistics 5, 141-150.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnetstats.kernels.net_benefit import (
    NetBenefit,
    benefit,
    from_above,
    group_sums,
    reached,
    weights,
)
from rnetstats.kernels.newton import BoolArray, FloatArray, IntArray
from rnetstats.kernels.ratio import ratio

__all__ = ["net_benefit_at"]

_Array = TypeVar("_Array", IntArray, NDArray[np.number])

_CELLS = 1 << 18  # of a block's table, so that it stays in cache


@dataclass(frozen=True, eq=False)
class _Layout:
    """Rows of survival data by event time up to the horizon.

    ``n_times`` columns; ``leaves`` (n,) counts the event times that a row reaches; ``event`` and
    ``cause`` say which rows end by the horizon in any event, and in the one of interest;
    ``followed`` which are observed up to the horizon.
    """

    n_times: int
    leaves: IntArray
    event: BoolArray
    cause: BoolArray
    followed: BoolArray


def net_benefit_at(
    stop: ArrayLike,
    status: ArrayLike,
    risk: ArrayLike,
    thresholds: ArrayLike,
    horizon: float,
    freq: ArrayLike | None = None,
    *,
    harm: float = 0.0,
) -> NetBenefit:
    """Net benefit for an event by a horizon.

    Parameters
    ----------
    stop
        (n,) end of follow-up.
    status
        (n,) 0 censored, 1 the event, 2 (or more) a competing event.
    risk
        (n,) for all replicates, or (B, n): risk of the event by the horizon.
    thresholds
        (k,) in [0, 1), in any order.
    horizon
        In the unit of ``stop``; what happens at the horizon itself counts.
    freq
        (n,) or (B, n) whole numbers, how often each row stands in a replicate; 0 is allowed.
    harm
        Net benefit that obtaining the prediction costs each patient.

    Returns
    -------
    NetBenefit
        NaN where positives are not followed to the horizon: some were lost before it, and none of
        the others reached it. Where all others had an event, the incidence is complete.
    """
    layout = _layout(np.asarray(stop, dtype=np.float64), np.asarray(status), horizon)
    levels = np.asarray(thresholds, dtype=np.float64)
    ascending = np.sort(levels)
    back = np.searchsorted(ascending, levels)
    places, counted = reached(risk, ascending), weights(freq, layout.leaves.size)
    total = max(len(counted), len(places) if places.ndim == 2 else 1)
    width = max(1, _CELLS // ((layout.n_times + 1) * (levels.size + 1)))
    parts = [
        _block(layout, _part(places, rows), levels.size + 1, _part(counted, rows))
        for rows in (slice(a, a + width) for a in range(0, total, width))
    ]
    rate, n_positive, n_events = (np.concatenate(each) for each in zip(*parts, strict=True))
    with np.errstate(invalid="ignore"):  # a replicate without rows
        share = n_positive / n_positive[:, :1]
    tp_rate, fp_rate = (share * rate)[:, 1:][:, back], (share * (1.0 - rate))[:, 1:][:, back]
    return NetBenefit(
        tp_rate=tp_rate,
        fp_rate=fp_rate,
        net_benefit=benefit(tp_rate, fp_rate, levels, harm),
        prevalence=rate[:, 0],
        n_positive=n_positive[:, 1:][:, back],
        n_events=n_events[:, 1:][:, back],
    )


def _layout(stop: FloatArray, status: NDArray[np.generic], horizon: float) -> _Layout:
    event = (status != 0) & (stop <= horizon)
    times = np.unique(stop[event])
    leaves = np.searchsorted(times, stop, side="right")
    return _Layout(times.size, leaves, event, event & (status == 1), stop >= horizon)


def _part(array: _Array, rows: slice) -> _Array:
    """Rows of a block; what all replicates share, as it is."""
    return array[rows] if array.ndim == 2 and len(array) > 1 else array


def _block(
    layout: _Layout, places: IntArray, size: int, counted: NDArray[np.number]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Incidence, rows and events (b, size) of those at or above each place, the first everybody."""
    columns = layout.n_times

    def table(rows: BoolArray, column: IntArray, height: int) -> FloatArray:
        codes = column[rows] * size + places[..., rows]
        sums = group_sums(codes, height * size, counted[:, rows])
        return from_above(sums.reshape(len(sums), height, size))

    everybody = np.ones(layout.leaves.size, dtype=bool)
    left = table(everybody, layout.leaves, columns + 1)
    n_rows = left.sum(axis=1)
    at_risk = np.cumsum(left[:, :0:-1], axis=1)[:, ::-1]
    last = layout.leaves - 1
    events = table(layout.event, last, columns)
    hazard = ratio(events, at_risk)
    ended = np.prod(1.0 - hazard, axis=1)  # exactly 0 after an event in everybody at risk
    if (layout.cause == layout.event).all():
        causes, rate = events, 1.0 - ended
    else:
        causes = table(layout.cause, last, columns)
        free = np.cumprod(1.0 - hazard[:, :-1], axis=1)
        before = np.concatenate((np.ones_like(hazard[:, :1]), free), axis=1)
        share = ratio(causes, at_risk)
        rate = np.sum(before * share, axis=1)
    followed = table(layout.followed, np.zeros_like(last), 1)[:, 0]
    lost = (followed == 0) & (ended > 0) & (n_rows > 0)
    rate = np.where(lost, np.nan, rate)
    return rate, n_rows, causes.sum(axis=1)
