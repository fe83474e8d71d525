"""Concordance of a risk score with survival times, in n log n time, with its standard error.

A pair is comparable when one row has an event while the other is still at risk and outlives it; a
row censored at the time of the event outlives it. It is concordant when the row with the event has
the higher score, and counts half where the scores tie. Pairs of two events at one time are not
comparable; they are counted apart.

References
----------
Harrell FE, Califf RM, Pryor DB, Lee KL, Rosati RA (1982). Evaluating the yield of medical tests.
JAMA 247, 2543-2546.
Therneau TM, Watson DA (2015). The concordance statistic and the Cox model. Mayo Clinic technical
report 85. (The standard error is the infinitesimal jackknife.)
Uno H, Cai T, Pencina MJ, D'Agostino RB, Wei LJ (2011). On the C-statistics for evaluating overall
adequacy of risk prediction procedures with censored survival data. Statistics in Medicine 30,
1105-1117. (Pairs weighted by the event's inverse squared probability of being uncensored.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.newton import BoolArray, FloatArray, IntArray
from rnetstats.kernels.prefix_sums import PrefixSums

__all__ = ["Concordance", "concordance", "rows_by_stratum"]

_FEW = 1 << 18
"""Pairs of an event and a row that are looked at one by one."""


@dataclass(frozen=True, eq=False)
class Concordance:
    """Weighted numbers of pairs, their concordance and its standard error.

    Attributes
    ----------
    concordance, std_error
        NaN without comparable pairs.
    concordant, discordant, tied_score
        Comparable pairs.
    tied_time, tied_both
        Pairs of two events at one time, with different and with equal scores.
    influence
        (n,) change of the concordance per unit of a row's weight, times its sampling weight.
    """

    concordance: float
    std_error: float
    concordant: float
    discordant: float
    tied_score: float
    tied_time: float
    tied_both: float
    influence: FloatArray


class _Stratum(NamedTuple):
    """The n rows of a stratum, and which of them have an event that counts, E."""

    start: FloatArray | None
    stop: FloatArray
    event: BoolArray  # a row with any event does not outlive its own time
    score: FloatArray
    weight: FloatArray
    by_event: FloatArray  # weight of the pairs that the row's event makes
    events: IntArray


def concordance(
    stop: ArrayLike,
    event: ArrayLike,
    score: ArrayLike,
    *,
    start: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    freq: ArrayLike | None = None,
    case: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    pair_weight: ArrayLike | None = None,
) -> Concordance:
    """Harrell's concordance: the higher the score, the earlier the event.

    Parameters
    ----------
    stop, event, start, strata
        (n,) as in :func:`rnetstats.kernels.risksets.prepare`; pairs are within strata.
    score
        (n,) predicted risk, or anything that orders as it does.
    freq, case
        (n,) frequencies and sampling weights.
    cluster
        (n,) integer codes; rows of one cluster count as one in the standard error.
    pair_weight
        (n,) weight of the pairs that an event makes, the same for events at one time; 0 leaves
        them out. The standard error takes it as known.

    Returns
    -------
    Concordance
    """
    ends, x = np.asarray(stop, dtype=np.float64), np.asarray(score, dtype=np.float64)
    begins = None if start is None else np.asarray(start, dtype=np.float64)
    died = np.asarray(event).astype(bool)
    copies = np.ones(ends.size) if freq is None else np.asarray(freq, dtype=np.float64)
    sampling = np.ones(ends.size) if case is None else np.asarray(case, dtype=np.float64)
    by_event = np.ones(ends.size) if pair_weight is None else np.asarray(pair_weight, float)
    weight = copies * sampling
    pairs = np.zeros((ends.size, 3))
    ties = np.zeros(2)
    for rows in rows_by_stratum(strata):
        stratum = _Stratum(
            start=None if begins is None else begins[rows],
            stop=ends[rows],
            event=died[rows],
            score=x[rows],
            weight=weight[rows],
            by_event=by_event[rows],
            events=np.flatnonzero(died[rows] & (by_event[rows] > 0)),
        )
        pairs[rows] = _pairs_of_rows(stratum)
        ties += _tied_events(stratum, copies[rows], sampling[rows])
    return _summary(pairs, ties, copies, sampling, cluster)


def rows_by_stratum(strata: ArrayLike | None) -> list[Any]:
    """What picks the rows of each stratum; all of them without strata, and without a copy."""
    if strata is None:
        return [slice(None)]
    codes = np.asarray(strata)
    return [np.flatnonzero(codes == code) for code in np.unique(codes)]


def _summary(
    pairs: FloatArray,
    ties: FloatArray,
    copies: FloatArray,
    sampling: FloatArray,
    cluster: ArrayLike | None,
) -> Concordance:
    """Put the pairs of each row (n, 3) together."""
    totals = 0.5 * (copies * sampling) @ pairs
    concordant, discordant, tied = (float(total) for total in totals)
    comparable = concordant + discordant + tied
    value, error = float("nan"), float("nan")
    influence = np.full(len(pairs), np.nan)
    if comparable > 0:
        value = (concordant + 0.5 * tied) / comparable
        own = pairs[:, 0] + 0.5 * pairs[:, 2]
        influence = sampling * (own - value * pairs.sum(axis=1)) / comparable
        if cluster is None:
            error = float(np.sqrt(copies @ influence**2))
        else:
            sums = np.bincount(np.unique(cluster, return_inverse=True)[1], copies * influence)
            error = float(np.sqrt(sums @ sums))
    return Concordance(
        concordance=value,
        std_error=error,
        concordant=concordant,
        discordant=discordant,
        tied_score=tied,
        tied_time=float(ties[0]),
        tied_both=float(ties[1]),
        influence=influence,
    )


def _pairs_of_rows(rows: _Stratum) -> FloatArray:
    """Weight of the other rows in each row's concordant, discordant and tied pairs, (n, 3)."""
    few = rows.events.size * rows.stop.size <= _FEW
    return _few_pairs(rows) if few else _many_pairs(rows)


def _few_pairs(rows: _Stratum) -> FloatArray:
    """All pairs of an event and a row at once."""
    events, x = rows.events, rows.score
    own, time = x[events, None], rows.stop[events, None]
    comparable = rows.stop > time
    comparable |= (rows.stop == time) & ~rows.event
    if rows.start is not None:
        comparable &= rows.start < time
    kinds = [(0, comparable & (x < own))]
    tied = comparable & (x == own)
    if tied.any():
        kinds.append((2, tied))
    pairs = np.zeros((x.size, 3))
    share = rows.by_event[events, None]
    for column, kind in kinds:
        pairs[:, column] = _of_both(kind * share, events, rows.weight)
    both = _of_both(comparable * share, events, rows.weight)
    pairs[:, 1] = both - pairs[:, 0] - pairs[:, 2]
    return pairs


def _of_both(pairs: FloatArray, events: IntArray, weight: FloatArray) -> FloatArray:
    """Weight of the other row, summed over the pairs (E, n) of each row, (n,)."""
    sums: FloatArray = weight[events] @ pairs
    sums[events] += pairs @ weight
    return sums


def _many_pairs(rows: _Stratum) -> FloatArray:
    """Pairs counted in n log n time."""
    start, stop, events = rows.start, rows.stop, rows.events
    # A censoring outlives an event at its time: times as whole numbers, censorings one up.
    moment = 2 * np.unique(stop, return_inverse=True)[1] + ~rows.event
    rank = np.unique(rows.score, return_inverse=True)[1]
    pairs = np.zeros((stop.size, 3))

    order = np.argsort(-moment, kind="stable")
    outlive = PrefixSums(rank[order], rows.weight[order])
    many = np.searchsorted(-moment[order], -moment[events])
    below, equal, above = outlive.query(many, rank[events])
    if start is not None:
        order = np.argsort(-start, kind="stable")
        absent = PrefixSums(rank[order], rows.weight[order])
        many = np.searchsorted(-start[order], -stop[events], side="right")
        gone = absent.query(many, rank[events])
        below, equal, above = below - gone[0], equal - gone[1], above - gone[2]
    pairs[events] = np.column_stack((below, above, equal)) * rows.by_event[events, None]

    order = events[np.argsort(moment[events], kind="stable")]
    before = PrefixSums(rank[order], rows.weight[order] * rows.by_event[order])
    below, equal, above = before.query(np.searchsorted(moment[order], moment), rank)
    pairs += np.column_stack((above, below, equal))
    if start is not None:
        many = np.searchsorted(stop[order], start, side="right")
        below, equal, above = before.query(many, rank)
        pairs -= np.column_stack((above, below, equal))
    return pairs


def _tied_events(rows: _Stratum, copies: FloatArray, sampling: FloatArray) -> FloatArray:
    """Pairs of events at one time, with different scores and with equal ones, (2,)."""
    events = rows.events
    time, x = rows.stop[events], rows.score[events]
    # Events at one time have one pair weight: its root goes to each of a pair.
    root = np.sqrt(rows.by_event[events])
    weight = rows.weight[events] * root
    by_time = by_both = weight
    ordered = np.sort(time)
    if (ordered[1:] == ordered[:-1]).any():
        when = np.unique(time, return_inverse=True)[1]
        score = np.unique(x, return_inverse=True)[1]
        by_time = np.bincount(when, weight).astype(np.float64)
        both = np.unique(when * x.size + score, return_inverse=True)[1]
        by_both = np.bincount(both, weight).astype(np.float64)
    alone = copies[events] @ (sampling[events] * root) ** 2  # a copy makes no pair with itself
    squares = np.array([by_time @ by_time, by_both @ by_both])
    return np.array([squares[0] - squares[1], squares[1] - alone]) / 2.0
