"""Log-rank statistics of k groups, and the permutation distribution of linear rank statistics.

With the scores of `logrank_scores` the two-sample log-rank numerator, observed less expected
events of a group, is the sum of that group's scores, and the scores of all rows add up to zero.
Its permutation distribution is then that of the sum of a random subset of fixed size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnetstats.kernels.memory import keep_freed_memory
from rnetstats.kernels.risksets import Floats, RiskSets

__all__ = [
    "LogrankTable",
    "logrank_chi2",
    "logrank_combination",
    "logrank_scores",
    "logrank_table",
    "permutation_sums",
    "subset_sums",
]

_BLOCK = 1 << 17  # keys drawn at once


@dataclass(frozen=True, eq=False)
class LogrankTable:
    """Weighted observed and expected events of k groups and the variance of their differences.

    Attributes
    ----------
    observed, expected
        (k,) sums over event times and strata.
    variance
        (k, k) hypergeometric, of rank k - 1 at most.
    """

    observed: Floats
    expected: Floats
    variance: Floats


def logrank_table(
    sets: RiskSets, group: ArrayLike, n_groups: int, *, rho: float = 0.0, gamma: float = 0.0
) -> LogrankTable:
    """Observed and expected events by group, summed over event times and strata.

    Parameters
    ----------
    sets
        Risk sets, with their strata.
    group
        (n,) codes 0 ... k - 1.
    n_groups
        k.
    rho, gamma
        Each time has the weight S(t-)^rho (1 - S(t-))^gamma, S the Kaplan-Meier estimate of the
        stratum; gamma is not negative.

    Returns
    -------
    LogrankTable

    Raises
    ------
    ValueError
        If rho is negative and S reaches 0 before late entries and their events.

    References
    ----------
    Harrington DP, Fleming TR (1982). A class of rank test procedures for censored survival data.
    Biometrika 69, 553-566. Fleming TR, Harrington DP (1991). Counting Processes and Survival
    Analysis. Wiley, section 7.4 (gamma).
    """
    at_risk, events = _group_sums(sets, group, n_groups)
    n, d = at_risk.sum(axis=0), events.sum(axis=0)
    weight = _weights(sets, n, d, rho, gamma)
    share = at_risk / n
    spread = weight**2 * d * (n - d) / np.maximum(n - 1.0, 1.0)
    variance = -(spread * share) @ share.T
    # shares add up to 1: as the rest of its row the diagonal is 0 where nothing is compared
    np.fill_diagonal(variance, 0.0)
    np.fill_diagonal(variance, -variance.sum(axis=1))
    return LogrankTable((weight * events).sum(axis=1), (weight * d * share).sum(axis=1), variance)


def logrank_combination(
    sets: RiskSets, group: ArrayLike, powers: Sequence[tuple[float, float]]
) -> tuple[Floats, Floats]:
    """Observed less expected events of the second of two groups, under several weights.

    Parameters
    ----------
    sets, group
        As in `logrank_table`; codes 0 and 1.
    powers
        Pairs (rho, gamma), m of them.

    Returns
    -------
    difference, covariance : arrays of shape (m,) and (m, m)
        The statistics share the events, so that their covariance is a sum with both weights.
    """
    at_risk, events = _group_sums(sets, group, 2)
    n, d = at_risk.sum(axis=0), events.sum(axis=0)
    weight = np.array([_weights(sets, n, d, rho, gamma) for rho, gamma in powers])
    share = at_risk[1] / n
    spread = d * (n - d) / np.maximum(n - 1.0, 1.0) * share * (1.0 - share)
    return weight @ (events[1] - d * share), (weight * spread) @ weight.T


def logrank_chi2(table: LogrankTable) -> tuple[float, int]:
    """Quadratic form of the differences, and its degrees of freedom.

    Groups are compared, directly or by way of others, where their differences covary. One group of
    each set of compared groups is redundant; a group that is compared with none has no difference.

    Returns
    -------
    tuple
        Chi-square and degrees of freedom; (nan, 0) if no two groups are compared.
    """
    k = len(table.expected)
    linked = (table.variance != 0.0) | np.eye(k, dtype=bool)
    for _ in range(k.bit_length()):
        linked = linked @ linked
    first = linked.argmax(axis=1)  # of the set that a group belongs to
    free = np.flatnonzero(first < np.arange(k))
    if free.size == 0:
        return float("nan"), 0
    difference = (table.observed - table.expected)[free]
    variance = table.variance[np.ix_(free, free)]
    statistic = float(difference @ np.linalg.lstsq(variance, difference, rcond=None)[0])
    return statistic, int(free.size)


def logrank_scores(sets: RiskSets, *, rho: float = 0.0, gamma: float = 0.0) -> Floats:
    """Score of each row: its weighted event less the hazard that it was exposed to.

    Parameters
    ----------
    sets
        Risk sets; with strata the scores are centred within each.
    rho, gamma
        As in `logrank_table`.

    Returns
    -------
    array of shape (n,)
        Summed over a group: observed less expected events. All scores add up to 0.
    """
    ones = np.ones(sets.rows.size)
    n, d = sets.risk_sums(ones), sets.death_sums(ones[sets.deaths])
    weight = _weights(sets, n, d, rho, gamma)
    kept = -sets.spread(weight * d / n)
    kept[sets.deaths] += weight[sets.death_columns]
    scores = np.zeros(sets.n)
    scores[sets.rows] = kept
    return scores


def permutation_sums(
    rng: np.random.Generator,
    scores: Floats,
    group: ArrayLike,
    draws: int,
    *,
    strata: ArrayLike | None = None,
) -> Floats:
    """Sums of the group's scores under random relabelling, within strata where given.

    Parameters
    ----------
    rng
        Source of the draws.
    scores
        (n,) scores, or (n, q) for several statistics on the same relabellings.
    group
        (n,) true for the rows of the group whose scores are summed.
    draws
        Number of relabellings.
    strata
        (n,) integer codes; labels are exchanged within a stratum only.

    Returns
    -------
    array of shape (draws,) or (draws, q)
    """
    chosen = np.asarray(group).astype(bool)
    if strata is None:
        return subset_sums(rng, scores, int(chosen.sum()), draws)
    codes = np.asarray(strata)
    total = np.zeros((draws, *scores.shape[1:]))
    for code in np.unique(codes):
        rows = codes == code
        total += subset_sums(rng, scores[rows], int(chosen[rows].sum()), draws)
    return total


def subset_sums(rng: np.random.Generator, scores: Floats, size: int, draws: int) -> Floats:
    """Sums over random subsets of fixed size, each subset equally likely.

    The subset is that of the smallest of n random keys. A key carries its row's number in its low
    bits, so that one partial sort finds the rows; ties of the random bits then go to the lower
    number, which is made harmless by numbering the rows at random for each block of draws.

    Parameters
    ----------
    rng
        Source of the draws.
    scores
        (n,) or (n, q).
    size
        Rows in the subset.
    draws
        Number of subsets.

    Returns
    -------
    array of shape (draws,) or (draws, q)
    """
    n = len(scores)
    if size in {0, n}:
        return np.broadcast_to(scores.sum(axis=0) * (size > 0), (draws, *scores.shape[1:])).copy()
    keep_freed_memory()
    fewer = min(size, n - size)
    sums = np.empty((draws, *scores.shape[1:]))
    rows = max(1, _BLOCK // n)
    for begin in range(0, draws, rows):
        part = sums[begin : begin + rows]
        numbered = scores[rng.permutation(n)]
        chosen = _random_rows(rng, n, fewer, len(part))
        np.take(numbered, chosen, axis=0, mode="clip").sum(axis=1, out=part)
    return sums if fewer == size else scores.sum(axis=0) - sums


def _random_rows(rng: np.random.Generator, n: int, size: int, draws: int) -> NDArray[np.intp]:
    """Row numbers (draws, size) of the smallest of n random keys."""
    bits = int(n - 1).bit_length()
    words = rng.bit_generator.random_raw((draws * n + 1) // 2 if bits <= 12 else draws * n)
    if bits <= 12:
        words = words.view(np.uint32)
    keys = words[: draws * n].reshape(draws, n)
    kind = keys.dtype.type
    low = kind((1 << bits) - 1)
    keys &= ~low
    keys |= np.arange(n).astype(kind)
    keys.partition(size - 1, axis=1)
    return (keys[:, :size] & low).astype(np.intp)


def _group_sums(sets: RiskSets, group: ArrayLike, n_groups: int) -> tuple[Floats, Floats]:
    """At risk and events (k, E) of each group at each event time."""
    member = np.asarray(group)[sets.rows] == np.arange(n_groups)[:, None]
    at_risk = sets.risk_sums(member.astype(np.float64))
    return at_risk, sets.death_sums(member[:, sets.deaths].astype(np.float64))


def _weights(sets: RiskSets, n: Floats, d: Floats, rho: float, gamma: float) -> Floats:
    survival = _left_survival(sets, n, d)
    if rho < 0.0 and not survival.all():
        msg = (
            f"with rho = {rho:g} an event has no finite weight: everybody at risk had the event "
            "before others entered, and the curve of all groups together is 0 there; choose rho = "
            "0 or above"
        )
        raise ValueError(msg)
    weight: Floats = survival**rho
    return weight * (1.0 - survival) ** gamma if gamma else weight


def _left_survival(sets: RiskSets, n: Floats, d: Floats) -> Floats:
    """Kaplan-Meier estimate just before each event time (E,), by stratum."""
    factors = 1.0 - d / n
    survival = np.ones_like(n)
    for a, b in zip(sets.stratum_bounds[:-1], sets.stratum_bounds[1:], strict=True):
        steps = factors[a + 1 : b][::-1]  # falling time: the earliest event is the last column
        survival[a : b - 1] = np.cumprod(steps)[::-1]
    return survival
