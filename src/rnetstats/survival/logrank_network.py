"""The network of draws behind the permutation distribution of the two-sample log-rank statistic.

Under relabelling, how many of the second group are at risk at each event time and how many of
them fail there come from hypergeometric laws, one after the other: a chain of stages at which some
rows are drawn from those still at risk. The statistic is a sum over the event stages.

References
----------
Mehta CR, Patel NR, Tsiatis AA. Exact significance testing to establish treatment equivalence with
ordered categorical data. Biometrics 1984;40:819-25.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Network", "Stage", "chances", "log_factorials", "network", "score_variance"]

Floats = NDArray[np.float64]


class Stage(NamedTuple):
    """``drawn`` of ``pool`` rows leave; ``weight`` is that of their event time, 0 if censored.

    The first event time has weight 0 too where gamma is above 0: it says nothing.
    """

    pool: int
    drawn: int
    weight: float


@dataclass(frozen=True)
class Network:
    """One stratum: its rows, those of them in the second group, and its stages in order."""

    size: int
    members: int
    stages: tuple[Stage, ...]


def network(
    stop: Floats,
    event: NDArray[np.bool_],
    member: NDArray[np.bool_],
    rho: float,
    gamma: float = 0.0,
) -> Network:
    """Return the network of one stratum without late entry.

    Parameters
    ----------
    stop, event, member : array, shape (n,)
        ``member`` marks the second group.
    rho, gamma : float
        Event times have the weight ``S(t-)^rho (1 - S(t-))^gamma``.
    """
    times, events = np.unique(stop[event], return_counts=True)
    n_risk = len(stop) - np.searchsorted(np.sort(stop), times, side="left")
    survival = 1.0
    before = len(stop)
    stages = []
    for at_risk, failing in zip(n_risk.tolist(), events.tolist(), strict=True):
        if before > at_risk:
            stages.append(Stage(before, before - at_risk, 0.0))
        stages.append(Stage(at_risk, failing, survival**rho * (1.0 - survival) ** gamma))
        survival *= 1.0 - failing / at_risk
        before = at_risk - failing
    return Network(len(stop), int(member.sum()), tuple(stages))


def score_variance(part: Network) -> float:
    """Return the variance of the statistic under relabelling, from the rows' linear scores."""
    hazard, left, squares = 0.0, part.size, 0.0
    for stage in part.stages:
        if stage.weight > 0.0:
            hazard += stage.weight * stage.drawn / stage.pool
        squares += stage.drawn * (stage.weight - hazard) ** 2
        left -= stage.drawn
    squares += left * hazard**2  # the scores sum to 0
    others = part.size - part.members
    return part.members * others * squares / (part.size * max(part.size - 1, 1))


def log_factorials(n: int) -> Floats:
    """Return ``log k!`` for k from 0 to n, shape (n + 1,)."""
    return np.append(0.0, np.cumsum(np.log(np.arange(1, n + 1))))


def chances(stage: Stage, members: NDArray[np.intp], log_f: Floats) -> Floats:
    """Return P(x of the drawn are members | r members at risk), shape (r, x)."""
    pool, drawn = stage.pool, stage.drawn
    r, x = members[:, None], np.arange(drawn + 1)[None, :]
    possible = (x <= r) & (drawn - x <= pool - r)
    x = np.where(possible, x, np.maximum(r - (pool - drawn), 0))  # any that keeps indices valid
    ways = log_f[r] - log_f[x] - log_f[r - x] + log_f[pool - r]
    ways = ways - log_f[drawn - x] - log_f[pool - r - drawn + x]
    total = log_f[pool] - log_f[drawn] - log_f[pool - drawn]
    return np.where(possible, np.exp(ways - total), 0.0)
