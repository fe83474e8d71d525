"""The exact P value of the two-sample log-rank statistic under relabelling.

The network of stages is walked once. The sums reached are kept one by one while they are few;
where they are too many they are rounded to a grid, the P value lies between two bounds, and the
upper one is reported.

References
----------
Peto R, Peto J. Asymptotically efficient rank invariant test procedures. J R Stat Soc A
1972;135:185-207 (linear scores).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from rnetstats.errors import BudgetError
from rnetstats.survival.logrank_grid import grid_bounds, grid_error, grid_work
from rnetstats.survival.logrank_network import (
    Network,
    Stage,
    chances,
    log_factorials,
    score_variance,
)

__all__ = ["ExactP", "exact_p_value"]

Floats = NDArray[np.float64]
Sums = dict[int, tuple[NDArray[np.int64], Floats]]

_UNIT = 1e-10  # sums closer than this are one
_SAME = 1e-8  # a sum this close below the observed one counts as reaching it
_MOST_SUMS = 400_000  # sums that may be formed at one stage before they are rounded to a grid
_WORK = 2e8  # multiplications of the first grid
_MOST_WORK = 8e9  # and of the finest
_ROUNDS = 4
_DOUBT = 1.3  # times that share may be expected before the attempt is given up
_OPEN = 0.01  # the share of the P value by which its bounds may differ


@dataclass(frozen=True)
class ExactP:
    """A P value, and how far below it the exact one may lie: 0 where every sum was kept."""

    p_value: float
    slack: float


def exact_p_value(parts: list[Network], observed: float) -> ExactP:
    """Return the share of relabellings, within strata, with ``|U| >= |observed|``.

    Parameters
    ----------
    parts : list of Network
        One a stratum.
    observed : float
        Weighted observed less expected events of the second group, summed over strata.

    Raises
    ------
    BudgetError
        If even the finest grid would leave, or leaves, the P value open by more than one part in
        a hundred; what cannot succeed is refused before it is begun.
    """
    parts, largest = _of_largest_weight_one(parts)
    target = abs(observed) / largest - _SAME
    if target <= 0.0:
        return ExactP(1.0, 0.0)
    kept = _every_sum(parts)
    if kept is not None:
        sums, chance = kept
        return ExactP(min(float(chance[np.abs(sums * _UNIT) >= target].sum()), 1.0), 0.0)
    return _between_bounds(parts, target)


def _of_largest_weight_one(parts: list[Network]) -> tuple[list[Network], float]:
    """Divide the weights by the largest, and return it: P is the same, and sums are of size 1.

    With gamma the weights of rare events are powers of a small number.
    """
    largest = max((stage.weight for part in parts for stage in part.stages), default=0.0)
    if largest in (0.0, 1.0):
        return parts, 1.0
    return [
        replace(part, stages=tuple(s._replace(weight=s.weight / largest) for s in part.stages))
        for part in parts
    ], largest


def _between_bounds(parts: list[Network], target: float) -> ExactP:
    """Refine a grid until the bounds are close: their distance falls as the work rises."""
    work, low, high = _first_work(parts, target), 0.0, 1.0
    for _ in range(_ROUNDS):
        low, high = grid_bounds(parts, target, work)
        if high - low <= _OPEN * high:
            return ExactP(high, high - low)
        if work >= _MOST_WORK:
            break
        work = min(work * max(1.3 * (high - low) / (_OPEN * high), 2.0), _MOST_WORK)
    raise BudgetError(
        f"The exact P value lies between {low:.2g} and {high:.2g}; to narrow this further is over "
        "the budget of method='exact'. method='permutation' estimates it by Monte Carlo."
    )


def _first_work(parts: list[Network], target: float) -> float:
    """Return the work that should be enough; refuse before any of it is done if that is too much.

    The rounding of a sum is bounded for every budget. How much of the distribution lies that close
    to the target is taken from the normal law of the same variance, with something in hand: a P
    value that might still be had is tried.
    """
    events = sum(stage.drawn for part in parts for stage in part.stages if stage.weight > 0.0)
    rounded, spent = math.inf, _MOST_WORK
    if grid_work(parts) <= _MOST_WORK:
        rounded, spent = grid_error(parts, _MOST_WORK)
    deviation = math.sqrt(sum(score_variance(part) for part in parts))
    share = _share_within(target / deviation, rounded / deviation)
    if share > _DOUBT * _OPEN:
        raise BudgetError(
            f"The exact P value of {events} events in {sum(part.size for part in parts)} rows is "
            "over the budget of method='exact': too many sums to tell those that reach the "
            "observed one from those that do not. method='permutation' estimates it by Monte Carlo."
        )
    return min(max(1.3 * share / _OPEN * spent, _WORK), _MOST_WORK)


def _share_within(z: float, reach: float) -> float:
    """Of the chance of |Z| >= z - reach, Z normal, the share of |Z| < z + reach."""
    if not math.isfinite(reach):
        return 1.0
    at_least, beyond = (float(log_ndtr(-max(edge, 0.0))) for edge in (z - reach, z + reach))
    return -math.expm1(beyond - at_least)


def _every_sum(parts: list[Network]) -> tuple[NDArray[np.int64], Floats] | None:
    """Return each value of the statistic in units, with its chance; None if there are too many."""
    whole = (np.zeros(1, np.int64), np.ones(1))
    for part in parts:
        log_f = log_factorials(part.size)
        sums: Sums = {part.members: whole}
        for stage in part.stages:
            ways = min(stage.drawn, part.members) + 1
            if sum(len(keys) for keys, _ in sums.values()) * ways > _MOST_SUMS:
                return None
            sums = _advance(sums, stage, log_f)
        whole = _merge(list(sums.values()))
    return whole


def _advance(sums: Sums, stage: Stage, log_f: Floats) -> Sums:
    """Draw one stage's rows from every state."""
    reached: dict[int, list[tuple[NDArray[np.int64], Floats]]] = {}
    members = np.array(list(sums), dtype=np.intp)
    for r, row in zip(sums, chances(stage, members, log_f), strict=True):
        keys, chance = sums[r]
        for x in np.flatnonzero(row):
            gain = round(stage.weight * (x - stage.drawn * r / stage.pool) / _UNIT)
            reached.setdefault(r - int(x), []).append((keys + gain, chance * row[x]))
    return {r: _merge(found) for r, found in reached.items()}


def _merge(found: list[tuple[NDArray[np.int64], Floats]]) -> tuple[NDArray[np.int64], Floats]:
    keys = np.concatenate([part for part, _ in found])
    chance = np.concatenate([part for _, part in found])
    distinct, slot = np.unique(keys, return_inverse=True)
    return distinct, np.bincount(slot, chance).astype(np.float64)
