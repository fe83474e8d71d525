"""Harrell's concordance and Gini's mean difference of many replicates at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.concordance import rows_by_stratum
from rnetstats.kernels.newton import BoolArray, FloatArray
from rnetstats.kernels.ordered import in_order, mean_difference
from rnetstats.kernels.prefix_sums import PrefixSums

__all__ = ["gini_mean_difference", "harrell"]

_CELLS = 1 << 18  # pairs that are looked at one by one

Weights = tuple[FloatArray, FloatArray] | None
"""Of the rows and of the events' pairs; None where all are 1."""

Counter = Callable[[FloatArray, Weights], tuple[float, float]]
"""``(score, weights) -> (concordant pairs, pairs)``, ties half."""


def harrell(
    stop: ArrayLike,
    event: ArrayLike,
    score: ArrayLike,
    freq: ArrayLike | None = None,
    *,
    start: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    pair_weight: ArrayLike | None = None,
) -> FloatArray:
    """Share of comparable pairs in which the higher score has the earlier event; ties count half.

    Parameters
    ----------
    stop, event
        (n,) time and whether it ends in the event; a row censored at the time of an event
        outlives it.
    score
        (n,) or (B, n).
    freq
        (n,) or (B, n), optional: how often each row stands there, or its weight.
    start
        (n,) entry times, optional: a row that enters at the time of an event or later is not
        compared with it.
    strata
        (n,) integer codes, optional; pairs are within strata.
    pair_weight
        (n,) or (B, n), optional: weight of the pairs that an event makes, the same for events at
        one time; 0 leaves them out. Uno's C has the event's inverse squared probability of being
        uncensored.

    Returns
    -------
    array of shape (B,)
        NaN without comparable pairs.

    References
    ----------
    Harrell FE, Lee KL, Mark DB (1996). Multivariable prognostic models. Statistics in Medicine
    15:361-387.
    Uno H, Cai T, Pencina MJ, D'Agostino RB, Wei LJ (2011). On the C-statistics for evaluating
    overall adequacy of risk prediction procedures with censored survival data. Statistics in
    Medicine 30:1105-1117.
    """
    ends, died = np.asarray(stop, dtype=float), np.asarray(event).astype(bool)
    begins = None if start is None else np.asarray(start, dtype=float)
    scores = np.atleast_2d(np.asarray(score, dtype=float))
    counts = np.ones((1, ends.size)) if freq is None else np.atleast_2d(np.asarray(freq, float))
    by_event = np.ones((1, ends.size)) if pair_weight is None else np.atleast_2d(pair_weight)
    plain = freq is None and pair_weight is None
    counters = [
        (rows, _counter(ends[rows], died[rows], None if begins is None else begins[rows]))
        for rows in rows_by_stratum(strata)
    ]
    size = max(len(scores), len(counts), len(by_event))
    found = np.full(size, np.nan)
    for b in range(size):
        x, w, v = scores[b % len(scores)], counts[b % len(counts)], by_event[b % len(by_event)]
        right = pairs = 0.0
        for rows, count in counters:
            concordant, all_pairs = count(x[rows], None if plain else (w[rows], v[rows]))
            right, pairs = right + concordant, pairs + all_pairs
        if pairs > 0:
            found[b] = right / pairs
    return found


def _counter(ends: FloatArray, died: BoolArray, begins: FloatArray | None) -> Counter:
    """What counts the pairs of one stratum."""
    few = np.count_nonzero(died) * ends.size <= _CELLS
    return (_every_pair if few else _sorted_pairs)(ends, died, begins)


def _every_pair(ends: FloatArray, died: BoolArray, begins: FloatArray | None) -> Counter:
    """Look at each pair of an event and a row."""
    cases = np.flatnonzero(died)
    moment = ends[cases, None]
    later = (ends > moment) | ((ends == moment) & ~died)
    if begins is not None:
        later &= begins < moment
    outlived = later.astype(np.float64)

    def count(x: FloatArray, weights: Weights) -> tuple[float, float]:
        score = x[cases, None]
        higher, equal = (score > x) & later, (score == x) & later
        if weights is None:
            right = np.count_nonzero(higher) + 0.5 * np.count_nonzero(equal)
            return right, float(np.count_nonzero(later))
        w, by_event = weights
        own = w[cases] * by_event[cases]
        right = own @ (higher @ w)
        if equal.any():
            right += 0.5 * (own @ (equal @ w))
        return float(right), float(own @ (outlived @ w))

    return count


def _sorted_pairs(ends: FloatArray, died: BoolArray, begins: FloatArray | None) -> Counter:
    """Count pairs in n log n time."""
    cases = np.flatnonzero(died)
    moment = 2 * np.unique(ends, return_inverse=True)[1] + ~died
    last_first = np.argsort(-moment, kind="stable")
    outlive = np.searchsorted(-moment[last_first], -moment[cases])
    # Rows that have not entered by an event are among those that outlive it.
    entering = None if begins is None else np.argsort(-begins, kind="stable")
    absent = None
    if begins is not None and entering is not None:
        absent = np.searchsorted(-begins[entering], -ends[cases], side="right")

    def count(x: FloatArray, weights: Weights) -> tuple[float, float]:
        w, by_event = weights or (np.ones(x.size), np.ones(x.size))
        rank = np.unique(x, return_inverse=True)[1]
        below, equal, above = PrefixSums(rank[last_first], w[last_first]).query(
            outlive, rank[cases]
        )
        if entering is not None and absent is not None:
            gone = PrefixSums(rank[entering], w[entering]).query(absent, rank[cases])
            below, equal, above = below - gone[0], equal - gone[1], above - gone[2]
        own = w[cases] * by_event[cases]
        return float(own @ (below + 0.5 * equal)), float(own @ (below + equal + above))

    return count


def gini_mean_difference(x: ArrayLike, freq: ArrayLike | None = None) -> FloatArray:
    """Mean absolute difference of two different rows.

    Parameters
    ----------
    x
        (n,) or (B, n).
    freq
        (n,) or (B, n) whole numbers, optional.

    Returns
    -------
    array of shape (B,)
        NaN where there are fewer than two rows.

    References
    ----------
    David HA (1968). Gini's mean difference rediscovered. Biometrika 55:573-575.
    """
    values = np.atleast_2d(np.asarray(x, dtype=float))
    rows = in_order(np.zeros(values.shape[1]), values, freq)
    return mean_difference(rows.x, rows.w)
