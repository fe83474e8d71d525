"""A large reference population, and the intercepts that make totals right in expectation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, ndtri
from scipy.stats import qmc

from rnetstats.errors import RnetError
from rnetstats.simulation.copula import linear_predictor, marginals
from rnetstats.simulation.course import (
    UNIFORMS,
    Constants,
    Course,
    FollowUp,
    death_months,
    follow_up,
    loss_months,
    salvage_and_hazard,
)
from rnetstats.simulation.enrolment import solve_shift
from rnetstats.simulation.recipe import Recipe

__all__ = ["Targets", "margin_risk", "points", "solve_constants", "targets_of"]

Array = NDArray[np.float64]
_LOG2_POINTS = 14


@dataclass(frozen=True)
class Targets:
    """Size of a cohort and its totals: met exactly, or in expectation."""

    patients: int
    margin_positive: int
    recurrences: int


def targets_of(
    recipe: Recipe, patients: int | None = None, recurrences: int | None = None
) -> Targets:
    """Return the recipe's totals, or those of a larger cohort or one with more recurrences.

    Margin-positive patients and recurrences grow with the cohort; ``recurrences`` overrides.
    """
    base = recipe.totals
    n = base.patients if patients is None else patients
    scale = n / base.patients
    events = round(base.recurrences * scale) if recurrences is None else recurrences
    return Targets(n, round(base.margin_positive * scale), events)


@dataclass(frozen=True, eq=False)
class Points:
    """Quasi-random points standing for the recipe's infinite population."""

    columns: dict[str, Array]
    uniforms: dict[str, Array]
    n: int


@lru_cache(maxsize=4)
def points(recipe: Recipe) -> Points:
    """Return the first 2**14 points of Sobol's sequence, moved off zero by half a cell."""
    d = len(recipe.variables)
    sobol = qmc.Sobol(d + len(UNIFORMS), scramble=False).random_base2(_LOG2_POINTS)
    cube = sobol + 0.5 / sobol.shape[0]
    uniforms = {name: cube[:, d + j].copy() for j, name in enumerate(UNIFORMS)}
    return Points(marginals(recipe, ndtri(cube[:, :d])), uniforms, sobol.shape[0])


def _intercept(eta: Array, share: float, weight: Array | None = None) -> float:
    """Return a so that the (weighted) mean of expit(a + eta) is ``share``."""

    def excess(a: float) -> float:
        return float(np.average(expit(a + eta), weights=weight)) - share

    return _solved(excess, -60.0, 60.0, f"A share of {share:.3g}")


def _log_rate(hazard: Array, target: float, weight: Array | None = None) -> float:
    """Return a so that the (weighted) mean of 1 - exp(-exp(a) * hazard) is ``target``."""

    def excess(a: float) -> float:
        return float(np.average(-np.expm1(-np.exp(a) * hazard), weights=weight)) - target

    return _solved(excess, -60.0, 20.0, f"A risk of {target:.3g}")


def _solved(excess: Callable[[float], float], low: float, high: float, what: str) -> float:
    """Return the root of a rising function."""
    if not excess(low) <= 0.0 <= excess(high):
        raise RnetError(
            f"{what} is met by no intercept: the recipe's coefficients or times are too extreme."
        )
    return float(brentq(excess, low, high, xtol=1e-12))


@lru_cache(maxsize=4)
def _common(recipe: Recipe) -> tuple[float, float, Array]:
    """Return the enrolment shift, the intercept of death, and latent deaths of the points."""
    pop = points(recipe)
    eta = linear_predictor(recipe, recipe.death, pop.columns, pop.n)
    unit = np.exp(eta) * recipe.death_months**recipe.death_shape
    intercept = _log_rate(unit, 1.0 - recipe.death_survival)
    death = death_months(recipe, intercept, pop.columns, pop.uniforms["death"])
    shift = solve_shift(
        pop.uniforms["enrolment"],
        loss_months(recipe, pop.uniforms["loss"]),
        np.full(pop.n, np.inf),
        recipe.calendar,
        recipe.totals.median_follow_up,
    )
    return shift, intercept, death


@lru_cache(maxsize=32)
def solve_constants(recipe: Recipe, truth: str, targets: Targets) -> Constants:
    """Solve the enrolment shift and all intercepts for totals right in expectation.

    Parameters
    ----------
    recipe : Recipe
    truth : str
        Name of the truth.
    targets : Targets
        Only shares matter: margin-positive and recurrences per patient.

    Returns
    -------
    Constants
    """
    pop, effects = points(recipe), recipe.truth(truth)
    shift, death, _ = _common(recipe)
    eta = linear_predictor(recipe, effects.margin, pop.columns, pop.n)
    margin = _intercept(eta, targets.margin_positive / targets.patients)
    positive = expit(margin + eta)
    indication = linear_predictor(recipe, recipe.salvage, pop.columns, pop.n)
    salvage = _intercept(indication, recipe.salvage_share, positive)
    radical = _intercept(
        linear_predictor(recipe, recipe.radical, pop.columns, pop.n),
        recipe.radical_share,
        positive * expit(salvage + indication),
    )
    known = Constants(shift, death, margin, salvage, radical, 0.0)
    end = reference_follow_up(recipe).end
    hazards = [course.hazard(end) for course in both_margins(recipe, truth, known)]
    recurrence = _log_rate(
        np.concatenate(hazards),
        targets.recurrences / targets.patients,
        np.concatenate([1.0 - positive, positive]),
    )
    return replace(known, recurrence=recurrence)


def reference_follow_up(recipe: Recipe) -> FollowUp:
    """Return the follow-up of the points."""
    shift, _, death = _common(recipe)
    return follow_up(recipe, shift, death, points(recipe).uniforms)


def both_margins(recipe: Recipe, truth: str, constants: Constants) -> tuple[Course, Course]:
    """Return the points' courses with a negative and with a positive margin."""
    pop, effects = points(recipe), recipe.truth(truth)

    def course(margin: Callable[[int], Array]) -> Course:
        return salvage_and_hazard(
            recipe, effects, constants, pop.columns, margin=margin(pop.n), uniforms=pop.uniforms
        )

    return course(np.zeros), course(np.ones)


def margin_risk(recipe: Recipe, truth: str, constants: Constants) -> Array:
    """Return each point's probability of a positive margin."""
    pop = points(recipe)
    terms = recipe.truth(truth).margin
    return np.asarray(expit(constants.margin + linear_predictor(recipe, terms, pop.columns, pop.n)))
