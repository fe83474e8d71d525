"""Patients with a treatment and one measured confounder, drawn from a law that is known.

A confounder present at the start of follow-up makes both treatment and recurrence more likely.
Hazards of recurrence are proportional in the confounder and in the treatment; the treatment acts
from the moment it is given. Death and the end of follow-up depend on nothing, so that a censoring
by either is independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm

from rnetstats.simulation.hazards import inverse

__all__ = [
    "DEATH",
    "FOLLOW_UP",
    "LEVELS",
    "SHAPE",
    "Arrays",
    "Delay",
    "Scene",
    "draw_patients",
    "draw_subdistribution",
    "treatment_hazard",
    "treatment_share",
]

Floats = NDArray[np.float64]
Arrays = dict[str, Floats]

LEVELS = (0.6, 0.4)
"""Shares of patients without and with the confounder."""

SHAPE = 1.2
"""Of the Weibull law of the time to recurrence."""

DEATH = -np.log(0.9) / 60.0
"""Hazard of death a month: 90 % alive at 60 months."""

FOLLOW_UP = (36.0, 132.0)
"""The end of follow-up is uniform between these months: patients enrolled over eight years."""


@dataclass(frozen=True)
class Delay:
    """Months until treatment without the confounder: log-normal for a share, never for the rest."""

    median: float
    spread: float
    share: float


@dataclass(frozen=True)
class Scene:
    """One kind of cohort.

    Attributes
    ----------
    truth : str
    patients : int
    recurrences : float
        Expected in a cohort.
    log_hazard_ratio : float
        Of recurrence, treated against not.
    delay : Delay or None
        None for a treatment chosen at the start of follow-up.
    confounding : float
        Log hazard ratio of recurrence, with the confounder against without.
    choice : float
        Log hazard ratio of treatment during follow-up, or log odds ratio of the choice at the
        start, with the confounder against without.
    """

    truth: str
    patients: int
    recurrences: float
    log_hazard_ratio: float
    delay: Delay | None = None
    confounding: float = float(np.log(2.0))
    choice: float = float(np.log(2.0))

    @property
    def levels(self) -> Floats:
        """Log hazard ratios (2,) of the confounder's levels."""
        return np.array([0.0, self.confounding])


def treatment_share(scene: Scene) -> Floats:
    """Probability (2,) of the treatment at the start, at each level of the confounder."""
    return np.asarray(expit(-0.6 + scene.choice * np.arange(2)))


def treatment_hazard(scene: Scene, time: Floats) -> Floats:
    """Cumulative hazard of treatment (2, k) at times (k,), at each level of the confounder."""
    assert scene.delay is not None
    delay = scene.delay
    with np.errstate(divide="ignore"):
        given = delay.share * norm.cdf((np.log(time) - np.log(delay.median)) / delay.spread)
    return np.asarray(np.exp(scene.choice * np.arange(2))[:, None] * -np.log1p(-given))


def _treatment_times(scene: Scene, level: NDArray[np.intp], rng: np.random.Generator) -> Floats:
    """Draw times of treatment (n,), infinite for never."""
    waiting, uniform = rng.standard_exponential(level.size), rng.random(level.size)
    if scene.delay is None:
        return np.where(uniform < treatment_share(scene)[level], 0.0, np.inf)
    delay = scene.delay
    given = -np.expm1(-waiting * np.exp(-scene.choice * level)) / delay.share
    times = delay.median * np.exp(delay.spread * norm.ppf(np.minimum(given, 1.0)))
    return np.where(given < 1.0, times, np.inf)


def draw_patients(scene: Scene, log_rate: float, rng: np.random.Generator) -> Arrays:
    """Draw one cohort.

    Parameters
    ----------
    scene : Scene
    log_rate : float
        Log of the cumulative hazard of recurrence at month 1, untreated and without the
        confounder.
    rng : numpy Generator

    Returns
    -------
    dict of (n,) arrays
        ``x`` the confounder, ``months`` of follow-up, ``recurrence`` 0/1, ``code`` 0 end of
        follow-up, 1 recurrence, 2 death, and ``treated_at`` in months, missing for patients not
        treated during their follow-up; of a choice at the start ``treated`` 0/1.
    """
    n = scene.patients
    level = (rng.random(n) < LEVELS[1]).astype(np.intp)
    treated_at = _treatment_times(scene, level, rng)
    eta = log_rate + scene.levels[level]
    factor = np.full(n, np.exp(scene.log_hazard_ratio))
    recurs = inverse(rng.standard_exponential(n), eta, SHAPE, treated_at, factor)
    dies = rng.standard_exponential(n) / DEATH
    ends = rng.uniform(*FOLLOW_UP, size=n)
    months = np.minimum(np.minimum(recurs, dies), ends)
    code = np.where(recurs <= months, 1.0, np.where(dies <= months, 2.0, 0.0))
    found = {"x": level.astype(float), "months": months, "code": code}
    found["recurrence"] = (code == 1.0).astype(float)
    if scene.delay is None:
        found["treated"] = np.isfinite(treated_at).astype(float)
    else:
        found["treated_at"] = np.where(treated_at < months, treated_at, np.nan)
    return found


def draw_subdistribution(scene: Scene, share: float, rng: np.random.Generator) -> Arrays:
    """Draw one cohort in which hazards of the *subdistribution* of recurrence are proportional.

    The incidence of recurrence is 1 - (1 - share (1 - exp(-t / 40)))^h with h the product of both
    ratios; who never recurs dies at a constant rate.

    Returns
    -------
    dict of (n,) arrays
        ``x, treated, months, code`` as of :func:`draw_patients`, the treatment being chosen at
        the start.

    References
    ----------
    Fine JP, Gray RJ (1999). A proportional hazards model for the subdistribution of a competing
    risk. Journal of the American Statistical Association 94:496-509.
    """
    n = scene.patients
    level = (rng.random(n) < LEVELS[1]).astype(np.intp)
    treated = (rng.random(n) < treatment_share(scene)[level]).astype(float)
    ratio = np.exp(scene.levels[level] + scene.log_hazard_ratio * treated)
    ever = -np.expm1(ratio * np.log1p(-share))
    uniform = rng.random(n)
    first = uniform < ever
    inner = -np.expm1(np.log1p(-np.minimum(uniform, ever)) / ratio) / share
    with np.errstate(divide="ignore"):
        recurs = -SUBDISTRIBUTION_MONTHS * np.log1p(-np.minimum(inner, 1.0))
    dies = rng.standard_exponential(n) / DEATH
    event = np.where(first, recurs, dies)
    ends = rng.uniform(*FOLLOW_UP, size=n)
    code = np.where(event > ends, 0.0, np.where(first, 1.0, 2.0))
    months = np.minimum(event, ends)
    return {"x": level.astype(float), "treated": treated, "months": months, "code": code}


SUBDISTRIBUTION_MONTHS = 40.0
"""Mean time to recurrence of those who ever recur, untreated and without the confounder, about."""
