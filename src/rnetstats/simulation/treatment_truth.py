"""What each method tends to in an unlimited cohort of a scene, by numerical integration.

Everything rests on who is untreated, or treated, and free of recurrence at each time. Sums over a
fine grid take each interval's mass of events at its middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from rnetstats.simulation.treatment_cohort import (
    DEATH,
    FOLLOW_UP,
    LEVELS,
    SHAPE,
    SUBDISTRIBUTION_MONTHS,
    Scene,
    treatment_hazard,
    treatment_share,
)

__all__ = ["World", "least_false", "subdistribution_share", "world_of"]

Floats = NDArray[np.float64]

_STEP = 0.02  # months


def least_false(at_risk: Floats, events: Floats, design: Floats) -> Floats:
    """Log hazard ratios (p,) that a Cox model tends to.

    Parameters
    ----------
    at_risk, events : arrays of shape (c, k)
        Of c kinds of patients: probability of being at risk in each interval of time, and of an
        event in it.
    design : array of shape (c, p)

    References
    ----------
    Struthers CA, Kalbfleisch JD (1986). Misspecified proportional hazard models. Biometrika
    73:363-369.
    """
    coef = np.zeros(design.shape[1])
    total = events.sum(axis=0)
    for _ in range(50):
        held = at_risk * np.exp(design @ coef)[:, None]
        shares = np.divide(held, held.sum(axis=0), out=np.zeros(held.shape), where=total > 0.0)
        mean = design.T @ shares
        score = design.T @ events.sum(axis=1) - mean @ total
        squares = np.einsum("cp,cq,ck,k->pq", design, design, shares, total)
        step = np.linalg.solve(squares - (mean * total) @ mean.T, score)
        coef = coef + step
        if np.abs(step).max() < 1e-12:
            break
    return coef


@dataclass(frozen=True, eq=False)
class World:
    """A scene at a rate of recurrence; times are the grid (k + 1,), intervals between them (k,)."""

    scene: Scene
    log_rate: float

    @cached_property
    def time(self) -> Floats:
        """Grid from 0 to the end of follow-up, in months."""
        return np.linspace(0.0, FOLLOW_UP[1], round(FOLLOW_UP[1] / _STEP) + 1)

    @cached_property
    def hazard(self) -> Floats:
        """Cumulative hazard (2, k + 1) of recurrence, untreated, by level of the confounder."""
        rate = np.exp(self.log_rate + self.scene.levels)
        return np.asarray(rate[:, None] * self.time**SHAPE)

    @property
    def ratio(self) -> float:
        """Hazard ratio of the treatment."""
        return float(np.exp(self.scene.log_hazard_ratio))

    @cached_property
    def followed(self) -> Floats:
        """Probability (k + 1,) of being alive and under follow-up."""
        first, last = FOLLOW_UP
        left = np.clip((last - self.time) / (last - first), 0.0, 1.0)
        return np.asarray(left * np.exp(-DEATH * self.time))

    @cached_property
    def untreated(self) -> Floats:
        """Probability (2, k + 1) of being untreated and free of recurrence."""
        if self.scene.delay is None:
            return (1.0 - treatment_share(self.scene))[:, None] * np.exp(-self.hazard)
        return np.asarray(np.exp(-self.hazard - treatment_hazard(self.scene, self.time)))

    @cached_property
    def treated(self) -> Floats:
        """Probability (2, k + 1) of being treated and free of recurrence."""
        fall = np.exp(-self.ratio * self.hazard)
        if self.scene.delay is None:
            return treatment_share(self.scene)[:, None] * fall
        begun = -np.diff(np.exp(-treatment_hazard(self.scene, self.time)), axis=1)
        middle = 0.5 * (self.hazard[:, :-1] + self.hazard[:, 1:])
        total = np.zeros(fall.shape)
        np.cumsum(begun * np.exp((self.ratio - 1.0) * middle), axis=1, out=total[:, 1:])
        return np.asarray(fall * total)

    def place(self, time: float) -> int:
        """Place of a time on the grid."""
        return round(time / _STEP)

    def _seen(self, free: Floats, ratio: float) -> tuple[Floats, Floats]:
        """At risk and events (2, k) in each interval, of those free of recurrence (2, k + 1)."""
        seen = np.asarray(LEVELS)[:, None] * free * self.followed
        at_risk = 0.5 * (seen[:, :-1] + seen[:, 1:])
        return at_risk, at_risk * ratio * np.diff(self.hazard, axis=1)

    def recurrences(self) -> float:
        """Expected recurrences in a cohort."""
        parts = self._seen(self.untreated, 1.0)[1], self._seen(self.treated, self.ratio)[1]
        return float(self.scene.patients * sum(part.sum() for part in parts))

    def landmark(self, time: float) -> float:
        """Log hazard ratio, adjusted for the confounder, of treated by the landmark or not."""
        at = self.place(time)
        early = self.treated[:, [at]] * np.exp(-self.ratio * (self.hazard - self.hazard[:, [at]]))
        first = self._seen(early, self.ratio)
        still, late = self._seen(self.untreated, 1.0), self._seen(self.treated - early, self.ratio)
        # of each level: not treated by then (still untreated, or treated later), treated by then
        at_risk, events = (np.vstack([still[k] + late[k], first[k]])[:, at:] for k in range(2))
        design = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
        return float(least_false(at_risk, events, design)[0])

    def strategies(self, grace: float) -> Floats:
        """Survival (2, k + 1) if nobody were treated, and if all were by the end of the grace."""
        at = self.place(grace)
        free = self.untreated + self.treated
        fall = np.exp(-self.ratio * (self.hazard - self.hazard[:, [at]]))
        by = np.where(np.arange(self.time.size) <= at, free, free[:, [at]] * fall)
        return np.asarray(np.asarray(LEVELS) @ np.stack([np.exp(-self.hazard), by]))

    def assigned(self) -> Floats:
        """Survival (2, k + 1) if nobody, and if everybody, were treated from the start."""
        both = np.stack([np.exp(-self.hazard), np.exp(-self.ratio * self.hazard)])
        return np.asarray(np.asarray(LEVELS) @ both)

    def observed(self) -> Floats:
        """Survival (2, k + 1) of those who chose no treatment, and treatment, at the start."""
        held = np.asarray(LEVELS) @ np.stack([self.untreated, self.treated])
        return np.asarray(held / held[:, :1])

    def difference(self, survival: Floats, horizon: float, *, mean: bool = False) -> float:
        """Difference of the second from the first curve: in risk, or in restricted mean time."""
        at = self.place(horizon)
        if mean:
            gap = survival[1, : at + 1] - survival[0, : at + 1]
            return float(np.trapezoid(gap, self.time[: at + 1]))
        return float(survival[0, at] - survival[1, at])

    def marginal(self) -> float:
        """Log hazard ratio in a cohort in which the treatment does not depend on the confounder."""
        free = np.exp(-self.hazard), np.exp(-self.ratio * self.hazard)
        cells = [self._seen(part, r) for part, r in zip(free, (1.0, self.ratio), strict=True)]
        at_risk, events = (np.stack([cell[k].sum(axis=0) for cell in cells]) for k in range(2))
        return float(least_false(at_risk, events, np.array([[0.0], [1.0]]))[0])

    def incidence(self, horizon: float) -> float:
        """Cumulative incidence of recurrence, death competing, of those who chose treatment."""
        at = self.place(horizon)
        held = np.asarray(LEVELS) @ self.treated
        survival = held / held[0]
        alive = np.exp(-DEATH * 0.5 * (self.time[1:] + self.time[:-1]))
        return float((-np.diff(survival) * alive)[:at].sum())


@lru_cache
def world_of(scene: Scene) -> World:
    """Return the world in which a scene has the recurrences it expects."""

    def excess(log_rate: float) -> float:
        return World(scene, log_rate).recurrences() - scene.recurrences

    return World(scene, float(brentq(excess, -20.0, -1.0, xtol=1e-10)))


@lru_cache
def subdistribution_share(scene: Scene) -> float:
    """Return the share at which :func:`.draw_subdistribution` expects the scene's recurrences."""
    first, last = FOLLOW_UP
    time = np.linspace(0.0, last, round(last / _STEP) + 1)
    left = np.clip((last - time) / (last - first), 0.0, 1.0)
    chosen = treatment_share(scene)
    cells = np.asarray(LEVELS) * np.stack([1.0 - chosen, chosen])
    ratio = np.exp(scene.levels + scene.log_hazard_ratio * np.array([[0.0], [1.0]]))

    def excess(share: float) -> float:
        inner = 1.0 + share * np.expm1(-time / SUBDISTRIBUTION_MONTHS)
        mass = -np.diff(inner ** ratio[:, :, None], axis=-1) * 0.5 * (left[1:] + left[:-1])
        return float(scene.patients * (cells[:, :, None] * mass).sum() - scene.recurrences)

    return float(brentq(excess, 1e-6, 1.0 - 1e-6, xtol=1e-12))
