"""Large-sample limits of survival estimators in the reference population, by integration.

An estimator that is fitted to a misspecified model still has a limit (its least-false value).
Here expected numbers at risk and expected events are integrated over a grid of months; the
Kaplan-Meier curve, the Aalen-Johansen incidence and the Cox coefficient follow from them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from rnetstats.simulation.copula import linear_predictor
from rnetstats.simulation.course import Constants, delay_days, salvage_chances
from rnetstats.simulation.population import both_margins, margin_risk, points
from rnetstats.simulation.recipe import MONTH_DAYS, Recipe

__all__ = ["ENDPOINTS", "GROUPS", "Limits", "Process", "cox_limit", "limits"]

Array = NDArray[np.float64]

ENDPOINTS = ("recurrence", "dfs", "os")
MARGINS = ("negative", "positive")
GROUPS = (
    *MARGINS,
    "none now",
    "endoscopic now",
    "radical now",
    "none naive",
    "endoscopic naive",
    "radical naive",
)
"""Margin groups; current salvage, and salvage as finally recorded, among the positive."""


@dataclass(frozen=True)
class Process:
    """Expected number at risk at the grid's edges (K + 1,), events between them (K,)."""

    edges: Array
    at_risk: Array
    events: Array

    def __add__(self, other: Process) -> Process:
        return Process(self.edges, self.at_risk + other.at_risk, self.events + other.events)

    @property
    def middle(self) -> Array:
        """Number at risk in the middle of each interval."""
        return 0.5 * (self.at_risk[1:] + self.at_risk[:-1])

    def survival(self, month: float) -> float:
        """Return the limit of the Kaplan-Meier curve at ``month``."""
        upto = self.edges[1:] <= month + 1e-9
        rate = self.events[upto] / np.maximum(self.middle[upto], 1e-300)
        return float(np.exp(-rate.sum()))

    def restricted_mean(self, month: float) -> float:
        """Return the area below the limit of the Kaplan-Meier curve up to ``month``."""
        hazard = np.concatenate([[0.0], np.cumsum(self.events / np.maximum(self.middle, 1e-300))])
        upto = self.edges <= month + 1e-9
        return float(np.trapezoid(np.exp(-hazard[upto]), self.edges[upto]))


@dataclass(frozen=True)
class Limits:
    """Processes by endpoint and group, per patient of the whole cohort."""

    processes: dict[tuple[str, str], Process]
    incidence: dict[str, Array]
    edges: Array

    def process(self, endpoint: str, group: str) -> Process:
        """Return one process."""
        return self.processes[endpoint, group]

    def cumulative_incidence(self, group: str, month: float) -> float:
        """Return P(recurrence by ``month`` before death) in a margin group."""
        return float(np.interp(month, self.edges, self.incidence[group]))


def cox_limit(first: Process, second: Process) -> float:
    """Return the limit of the log hazard ratio of ``second`` against ``first``.

    References
    ----------
    Struthers CA, Kalbfleisch JD (1986). Misspecified proportional hazard models. Biometrika 73,
    363-369.
    """

    def score(beta: float) -> float:
        weighted = second.middle * np.exp(beta)
        share = weighted / np.maximum(first.middle + weighted, 1e-300)
        return float(np.sum(second.events - (first.events + second.events) * share))

    return float(brentq(score, -20.0, 20.0, xtol=1e-10))


def _edges(recipe: Recipe) -> Array:
    span = (recipe.calendar.cutoff - recipe.calendar.first).days / MONTH_DAYS
    early = np.arange(0.0, 6.0, 0.2)
    return np.concatenate([early, np.arange(6.0, span, 1.0), [span]])


def _uncensored(recipe: Recipe, shift: float, month: Array) -> Array:
    """Return P(still under follow-up at ``month``), death and recurrence aside."""
    calendar = recipe.calendar
    window = (calendar.last - calendar.first).days + 1
    span = (calendar.cutoff - calendar.first).days
    fraction = np.clip((span - month * MONTH_DAYS) / window, 1e-15, 1.0 - 1e-15)
    inside = np.where(fraction >= 1.0 - 1e-12, 1.0, expit(logit(fraction) - shift))
    return np.asarray(inside * np.exp(-calendar.loss * month))


@dataclass(frozen=True)
class _State:
    """The points in both margin groups, at one time or another.

    Sorted by margin, then by kind of salvage, then by its time: who has had salvage by a month is
    then a few slices.
    """

    weight: Array
    starts: NDArray[np.int64]
    rate: Array
    turn: Array
    change: Array
    factor: Array
    shape: float
    death_rate: Array
    death_shape: float

    def recurrence_free(self, month: float | Array) -> Array:
        units = np.power(month, self.shape)
        late = np.maximum(units - self.turn, 0.0)
        return np.asarray(np.exp(-self.rate * (np.minimum(units, self.turn) + self.factor * late)))

    def alive(self, month: float | Array) -> Array:
        return np.asarray(np.exp(-self.death_rate * np.power(month, self.death_shape)))

    def salvaged(self, month: float) -> NDArray[np.int64]:
        """Return the rows where endoscopic and radical salvage by ``month`` end: shape (2,)."""
        ends = (*self.starts[3:], self.change.size)
        return np.array(
            [
                first + np.searchsorted(self.change[first:last], month, side="right")
                for first, last in zip(self.starts[2:], ends, strict=True)
            ]
        )


def _drawn(recipe: Recipe, truth: str, constants: Constants) -> _State:
    """Return the points in both margin groups, each with the salvage that its uniforms give."""
    courses = both_margins(recipe, truth, constants)
    pi = margin_risk(recipe, truth, constants)
    return _sorted(
        recipe,
        constants,
        weight=np.concatenate([1.0 - pi, pi]),
        group=np.concatenate([c.kind + positive for positive, c in enumerate(courses)]),
        change=np.concatenate([c.change for c in courses]),
        eta=np.concatenate([c.eta for c in courses]),
        factor=np.concatenate([c.factor for c in courses]),
    )


def _shared(recipe: Recipe, truth: str, constants: Constants) -> _State:
    """Return each point in every group, by its probability: no group rests on few points."""
    pop, effects = points(recipe), recipe.truth(truth)
    pi = margin_risk(recipe, truth, constants)
    salvage, radical = salvage_chances(recipe, constants, pop.columns, pop.n)
    negative, positive = both_margins(recipe, truth, constants)
    delay = delay_days(recipe, pop.uniforms["delay"]) / MONTH_DAYS
    shares = (1.0 - salvage, salvage * (1.0 - radical), salvage * radical)
    return _sorted(
        recipe,
        constants,
        weight=np.concatenate([1.0 - pi, *(pi * share for share in shares)]),
        group=np.repeat(np.arange(4), pop.n),
        change=np.concatenate([np.full(2 * pop.n, np.inf), delay, delay]),
        eta=np.concatenate([negative.eta, np.tile(positive.eta, 3)]),
        factor=np.repeat(np.exp([0.0, 0.0, effects.endoscopic, effects.radical]), pop.n),
    )


def _sorted(
    recipe: Recipe,
    constants: Constants,
    *,
    weight: Array,
    group: NDArray[np.int64],
    change: Array,
    eta: Array,
    factor: Array,
) -> _State:
    """Sort copies of all points; group is 0 negative, 1 none, 2 endoscopic, 3 radical salvage."""
    pop = points(recipe)
    death = constants.death + linear_predictor(recipe, recipe.death, pop.columns, pop.n)
    order = np.lexsort((change, group))
    change = change[order]
    return _State(
        weight=(weight / pop.n)[order],
        starts=np.searchsorted(group[order], [0, 1, 2, 3]),
        rate=np.exp(eta)[order],
        turn=change**recipe.recurrence_shape,
        change=change,
        factor=factor[order],
        shape=recipe.recurrence_shape,
        death_rate=np.exp(np.tile(death, weight.size // pop.n))[order],
        death_shape=recipe.death_shape,
    )


class _Tally:
    """Adds up what each group has at risk and what happens in it, edge by edge."""

    def __init__(self, state: _State, edges: Array, uncensored: Array) -> None:
        self.state, self.edges, self.uncensored = state, edges, uncensored
        first = int(state.starts[2])
        at = state.change[first:]
        kept = (
            np.interp(at, edges, uncensored) * state.alive(np.append(np.zeros(first), at))[first:]
        )
        free = state.recurrence_free(np.append(np.zeros(first), at))[first:]
        # what salvage still to come will reach, summed from each row to the last of its kind
        self.ahead = {
            "recurrence": self._tails(kept * free * state.weight[first:]),
            "os": self._tails(kept * state.weight[first:]),
        }
        self.ahead["dfs"] = self.ahead["recurrence"]

    def _tails(self, mass: Array) -> Array:
        return np.append(np.cumsum(mass[::-1])[::-1], 0.0)

    def _groups(self, month: float, held: Array, endpoint: str, *, counting: bool) -> Array:
        """Split ``held`` (N,) over the groups; naive groups look ahead to salvage."""
        s = self.state
        mass = s.weight * held
        negative, positive, endoscopic, radical = s.starts.tolist()
        done = s.salvaged(month)
        parts = (negative, positive, endoscopic, done[0], radical, done[1], mass.size)
        sums = [mass[i:j].sum() for i, j in pairwise(parts)]
        now = np.array([sums[1] + sums[3] + sums[5], sums[2], sums[4]])
        ahead = np.zeros(3)
        if not counting:
            tail, base = self.ahead[endpoint], endoscopic
            ahead[1] = tail[done[0] - base] - tail[radical - base]
            ahead[2] = tail[done[1] - base]
            ahead[0] = -ahead[1] - ahead[2]
        return np.concatenate([[sums[0], sum(sums[1:])], now, now + ahead])

    def run(self) -> Limits:
        """Walk over the edges and collect every process."""
        s, edges = self.state, self.edges
        free = [s.recurrence_free(month) for month in edges]
        alive = [s.alive(month) for month in edges]
        risk = np.stack([self._held(k, free[k], alive[k]) for k in range(edges.size)], axis=2)
        pairs = [(k, free[k - 1 : k + 1], alive[k - 1 : k + 1]) for k in range(1, edges.size)]
        events = np.stack([self._happened(*pair) for pair in pairs], axis=2)
        processes = {
            (endpoint, group): Process(edges, risk[e, j], events[e, j])
            for e, endpoint in enumerate(ENDPOINTS)
            for j, group in enumerate(GROUPS)
        }
        first = int(s.starts[1])
        recurred = np.array(
            [
                [p[:first].sum(), p[first:].sum()]
                for p in (s.weight * _recurred(f, a) for _, f, a in pairs)
            ]
        )
        total = np.array([s.weight[:first].sum(), s.weight[first:].sum()])
        curves = np.vstack([np.zeros(2), np.cumsum(recurred / total, axis=0)])
        incidence = dict(zip(MARGINS, curves.T, strict=True))
        return Limits(processes, incidence, edges)

    def _held(self, k: int, free: Array, alive: Array) -> Array:
        """Return what is at risk at edge ``k``: (endpoints, groups)."""
        both = free * alive
        held = {"recurrence": both, "dfs": both, "os": alive}
        month, seen = self.edges[k], self.uncensored[k]
        return np.stack([self._groups(month, held[e] * seen, e, counting=False) for e in ENDPOINTS])

    def _happened(self, k: int, free: list[Array], alive: list[Array]) -> Array:
        """Return the events between edges ``k - 1`` and ``k``: (endpoints, groups)."""
        middle = 0.5 * (self.edges[k] + self.edges[k - 1])
        seen = 0.5 * (self.uncensored[k] + self.uncensored[k - 1])
        happened = {
            "recurrence": _recurred(free, alive),
            "dfs": free[0] * alive[0] - free[1] * alive[1],
            "os": alive[0] - alive[1],
        }
        return np.stack(
            [self._groups(middle, happened[e] * seen, e, counting=True) for e in ENDPOINTS]
        )


def _recurred(free: list[Array], alive: list[Array]) -> Array:
    """Return P(recurrence in the interval, alive then), point by point."""
    return np.asarray((free[0] - free[1]) * 0.5 * (alive[0] + alive[1]))


@lru_cache(maxsize=16)
def limits(recipe: Recipe, truth: str, constants: Constants) -> Limits:
    """Integrate all processes of one truth.

    A point has one salvage, which one in eleven of the positive have as radical: too few points for
    a ratio between kinds of salvage (3 % off). Those groups take every point by its probability.
    """
    edges = _edges(recipe)
    uncensored = _uncensored(recipe, constants.shift, edges)
    found = _Tally(_drawn(recipe, truth, constants), edges, uncensored).run()
    shared = _Tally(_shared(recipe, truth, constants), edges, uncensored).run()
    by_salvage = {key: p for key, p in shared.processes.items() if key[1] not in MARGINS}
    return replace(found, processes=found.processes | by_salvage)
