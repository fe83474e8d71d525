"""Cut-offs chosen on the data: the best split of a marker in each of many replicates.

References
----------
Lausen B, Schumacher M (1992). Maximally selected rank statistics. Biometrics 48, 73-85.
Hothorn T, Lausen B (2003). On the exact distribution of maximally selected rank statistics.
Computational Statistics & Data Analysis 43, 121-137.
Youden WJ (1950). Index for rating diagnostic tests. Cancer 3, 32-35.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.censoring import censoring_survival, ipcw_weights
from rnetstats.kernels.memory import keep_freed_memory
from rnetstats.kernels.splits import (
    Flags,
    Floats,
    Splits,
    allowed_splits,
    best_of,
    chosen_cut,
    cut_values,
    running_sums,
    splits_of,
)

__all__ = [
    "best_cut",
    "best_cut_survival",
    "horizon_weights",
    "logrank_rank_scores",
    "proportions",
    "standardised_sums",
    "youden_differences",
]

_CELLS = 1 << 16  # numbers of an array of a block, so that they stay in cache


def logrank_rank_scores(stop: ArrayLike, event: ArrayLike, freq: ArrayLike | None = None) -> Floats:
    """Log-rank scores, tied times ranked by the largest rank among them.

    The score of a row is its event less the sum, over the events k with T_k <= T, of
    1 / (N - R_k + 1), R_k being the number of times at most T_k. Without tied times that is the
    Nelson-Aalen estimate; with them it is not.

    Parameters
    ----------
    stop
        (n,) times.
    event
        (n,) whether the event was seen.
    freq
        None, (n,) or (B, n) whole numbers that stand for replicated rows; zero is allowed.

    Returns
    -------
    array of shape (B, n)

    References
    ----------
    Hothorn T, Lausen B (2003). Computational Statistics & Data Analysis 43, 121-137, section 2.
    """
    ends, seen = np.asarray(stop, dtype=np.float64), np.asarray(event, dtype=np.float64)
    copies = _copies(freq, ends.size)
    times = np.unique(ends[seen > 0])
    if not times.size:
        return np.zeros(copies.shape)
    by_time = np.argsort(ends, kind="stable")
    reached = np.searchsorted(ends[by_time], times, side="right") - 1
    ranks = np.cumsum(copies[:, by_time], axis=1)
    cases = np.flatnonzero(seen > 0)
    cases = cases[np.argsort(ends[cases], kind="stable")]
    first = np.searchsorted(ends[cases], times, side="left")
    deaths = np.add.reduceat(copies[:, cases], first, axis=1)
    hazard = np.cumsum(deaths / (ranks[:, -1:] - ranks[:, reached] + 1.0), axis=1)
    passed = np.searchsorted(times, ends, side="right")
    exposure = np.concatenate((np.zeros((len(copies), 1)), hazard), axis=1)[:, passed]
    return np.asarray(seen - exposure)


def standardised_sums(
    splits: Splits, scores: Floats, copies: Floats, below: Floats | None = None
) -> Floats:
    """Sums of scores in the lower group, standardised by their permutation moments.

    Parameters
    ----------
    splits
        Of the marker.
    scores
        (n,), (1, n) or (B, n).
    copies
        (B, n) frequencies.
    below
        (B, k) :func:`running_sums` of ``copies``, if known.

    Returns
    -------
    array of shape (B, k)
        Negative where the lower group has the smaller scores; 0 where all scores are the same.
    """
    below = running_sums(splits, copies) if below is None else below
    total = below[:, -1:]
    weighted = copies * scores
    sums = running_sums(splits, weighted)
    mean = sums[:, -1:] / np.maximum(total, 1.0)
    squares = np.einsum("bn,bn->b", weighted, np.broadcast_to(scores, copies.shape))[:, None]
    spread = squares - total * mean**2
    variance = below * (total - below) / np.maximum(total * (total - 1.0), 1.0) * spread
    usable = variance > 1e-20 * squares * total
    root = np.sqrt(np.where(usable, variance, 1.0))
    return np.where(usable, (sums - below * mean) / root, 0.0)


def youden_differences(splits: Splits, cases: Floats, controls: Floats) -> Floats:
    """Youden's index of x > v, times the weights of cases and of controls.

    Parameters
    ----------
    splits
        Of the marker.
    cases, controls
        (B, n) weight of each row as a case and as a control.

    Returns
    -------
    array of shape (B, k)
        Cases x (controls at or below v) - controls x (cases at or below v): whole numbers for
        frequencies, so that equal indices are equal.
    """
    low_cases, low_controls = running_sums(splits, cases), running_sums(splits, controls)
    return np.asarray(low_cases[:, -1:] * low_controls - low_controls[:, -1:] * low_cases)


def best_cut(
    y: ArrayLike,
    x: ArrayLike,
    freq: ArrayLike | None = None,
    *,
    method: str = "youden",
    direction: str | None = None,
    minprop: float | None = None,
    maxprop: float | None = None,
    report: str = "midpoint",
) -> Floats:
    """The best cut-off of a marker for a binary outcome in each of B replicates.

    Parameters
    ----------
    y
        (n,) outcome, 0 or 1.
    x
        (n,) marker.
    freq
        None, (n,) or (B, n) whole numbers that stand for replicated rows; zero is allowed.
    method
        "youden" (the largest sensitivity + specificity - 1; of equally good cut-offs the median)
        or "maxstat" (the largest standardised statistic; of equally good ones the smallest).
    direction
        ">=", "<=" or None: which side has the more events, for Youden's index; None takes
        whichever side separates better.
    minprop, maxprop
        Shares of the rows that the lower group may hold: 0 and 1 for "youden", 0.1 and 0.9 for
        "maxstat" by default.
    report
        "midpoint" (x > cut and x >= cut are then the same), "below" or "above": see
        :func:`cut_values`.

    Returns
    -------
    array of shape (B,)
        NaN for a replicate with one outcome only, or without any split that is allowed.
    """
    keep_freed_memory()
    outcome = np.asarray(y, dtype=np.float64)
    splits, copies = splits_of(x), _copies(freq, outcome.size)
    low, high = proportions(method, minprop, maxprop)
    found = np.empty(len(copies))
    for rows in _blocks(len(copies), outcome.size):
        part = copies[rows]
        below = running_sums(splits, part)
        allowed = allowed_splits(below, low, high)
        if method == "youden":
            statistic = youden_differences(splits, part * outcome, part * (1.0 - outcome))
        else:
            statistic = standardised_sums(splits, outcome, part, below)
        events = part @ outcome
        allowed &= ((events > 0) & (events < below[:, -1]))[:, None]
        found[rows] = _choose(splits, statistic, allowed, below, method, direction, report, True)
    return found


def best_cut_survival(
    stop: ArrayLike,
    event: ArrayLike,
    x: ArrayLike,
    freq: ArrayLike | None = None,
    *,
    method: str = "maxstat",
    horizon: float | None = None,
    direction: str | None = None,
    minprop: float | None = None,
    maxprop: float | None = None,
    report: str = "midpoint",
) -> Floats:
    """The best cut-off of a marker for a right-censored time in each of B replicates.

    Parameters
    ----------
    stop, event
        (n,) times and whether the event was seen.
    x, freq, direction, minprop, maxprop, report
        As for :func:`best_cut`.
    method
        "maxstat" (log-rank scores, computed anew in each replicate) or "youden": sensitivity and
        specificity for an event by the horizon, weighted by the inverse probability of censoring
        in the replicate.
    horizon
        In the unit of the times; for "youden".

    Returns
    -------
    array of shape (B,)
        NaN for a replicate without an event (for "youden": without cases or controls at the
        horizon), or without any split that is allowed.
    """
    keep_freed_memory()
    ends, seen = np.asarray(stop, dtype=np.float64), np.asarray(event, dtype=bool)
    splits, copies = splits_of(x), _copies(freq, ends.size)
    low, high = proportions(method, minprop, maxprop)
    found = np.empty(len(copies))
    for rows in _blocks(len(copies), ends.size):
        part = copies[rows]
        below = running_sums(splits, part)
        allowed = allowed_splits(below, low, high)
        if method == "youden":
            assert horizon is not None, "Youden's index of a time needs a horizon"
            cases, controls = horizon_weights(ends, seen, horizon, part)
            allowed &= ((cases.sum(axis=1) > 0) & (controls.sum(axis=1) > 0))[:, None]
            statistic = youden_differences(splits, cases, controls)
        else:
            scores = logrank_rank_scores(ends, seen, part)
            allowed &= (part @ seen > 0)[:, None]
            statistic = standardised_sums(splits, scores, part, below)
        found[rows] = _choose(splits, statistic, allowed, below, method, direction, report, False)
    return found


def horizon_weights(
    stop: Floats, event: Flags, horizon: float, copies: Floats
) -> tuple[Floats, Floats]:
    """Weights (B, n) of rows as cases (event by the horizon) and as controls (none by then).

    Rows censored by the horizon count as neither; the others stand for them by the inverse
    probability of being uncensored.
    """
    curve = censoring_survival(stop, event, copies)
    weights = copies * ipcw_weights(stop, event, horizon, curve)
    is_case = event & (stop <= horizon)
    return weights * is_case, weights * ~is_case


def proportions(method: str, minprop: float | None, maxprop: float | None) -> tuple[float, float]:
    """Shares of rows in the lower group: as given, else what the method has by default."""
    low, high = (0.0, 1.0) if method == "youden" else (0.1, 0.9)
    return low if minprop is None else minprop, high if maxprop is None else maxprop


def _choose(
    splits: Splits,
    statistic: Floats,
    allowed: Flags,
    below: Floats,
    method: str,
    direction: str | None,
    report: str,
    counts: bool,
) -> Floats:
    youden = method == "youden"
    size = statistic if youden else np.abs(statistic)
    exact = youden and counts
    best, _ = best_of(size, allowed, direction if youden else ">=", exact)
    return chosen_cut(best, cut_values(splits, below, report), "median" if youden else "first")


def _copies(freq: ArrayLike | None, n: int) -> Floats:
    return np.ones((1, n)) if freq is None else np.atleast_2d(np.asarray(freq, dtype=np.float64))


def _blocks(total: int, n: int) -> list[slice]:
    size = max(1, _CELLS // max(n, 1))
    return [slice(at, at + size) for at in range(0, total, size)]
