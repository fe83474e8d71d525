"""One patient's latent course: follow-up, death, salvage, and the hazard of recurrence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from rnetstats.simulation.copula import Columns, linear_predictor
from rnetstats.simulation.enrolment import administrative, enrolment_day
from rnetstats.simulation.hazards import cumulative, inverse
from rnetstats.simulation.recipe import MONTH_DAYS, Effects, Recipe

__all__ = [
    "UNIFORMS",
    "Constants",
    "Course",
    "FollowUp",
    "death_months",
    "delay_days",
    "follow_up",
    "loss_months",
    "salvage_and_hazard",
    "salvage_chances",
]

Array = NDArray[np.float64]

UNIFORMS = ("enrolment", "loss", "death", "salvage", "radical", "delay")
"""The uniforms that one course takes, besides its covariates."""


@dataclass(frozen=True)
class Constants:
    """What the recipe leaves to be solved: the enrolment shift and five intercepts."""

    shift: float
    death: float
    margin: float
    salvage: float
    radical: float
    recurrence: float


@dataclass(frozen=True)
class FollowUp:
    """Day of enrolment, latent times to censoring and to death in months (n,)."""

    day: NDArray[np.int64]
    censoring: Array
    death: Array

    @property
    def end(self) -> Array:
        """Months to the earlier of the two."""
        return np.minimum(self.censoring, self.death)


@dataclass(frozen=True)
class Course:
    """Latent salvage and the hazard of recurrence that changes at it (n,).

    ``kind`` is 0 for none, 1 endoscopic, 2 radical; ``change`` is infinite without salvage.
    """

    kind: NDArray[np.int64]
    days: Array
    eta: Array
    change: Array
    factor: Array
    shape: float

    def risk(self, end: Array | float) -> Array:
        """Return P(recurrence by ``end`` months), death aside."""
        return np.asarray(-np.expm1(-self.hazard(end)))

    def hazard(self, end: Array | float) -> Array:
        """Return the cumulative hazard of recurrence at ``end`` months."""
        return cumulative(end, self.eta, self.shape, self.change, self.factor)

    def time(self, risk: Array) -> Array:
        """Return the month at which the risk of recurrence reaches ``risk``."""
        return inverse(-np.log1p(-risk), self.eta, self.shape, self.change, self.factor)


def loss_months(recipe: Recipe, uniform: Array) -> Array:
    """Return latent months to loss to follow-up."""
    return np.asarray(-np.log1p(-uniform) / recipe.calendar.loss)


def death_months(recipe: Recipe, intercept: float, columns: Columns, uniform: Array) -> Array:
    """Return latent months to death."""
    eta = intercept + linear_predictor(recipe, recipe.death, columns, uniform.size)
    return np.asarray((-np.log1p(-uniform) * np.exp(-eta)) ** (1.0 / recipe.death_shape))


def follow_up(
    recipe: Recipe, shift: float, death: Array, uniforms: Mapping[str, Array]
) -> FollowUp:
    """Place patients on the calendar and censor them."""
    day = enrolment_day(uniforms["enrolment"], shift, recipe.calendar)
    lost = loss_months(recipe, uniforms["loss"])
    return FollowUp(day, np.minimum(administrative(day, recipe.calendar), lost), death)


def delay_days(recipe: Recipe, uniform: Array) -> Array:
    """Return whole days to salvage: log-normal by moments, rounded up."""
    variance = np.log1p((recipe.delay_sd / recipe.delay_mean) ** 2)
    months = np.exp(np.log(recipe.delay_mean) - 0.5 * variance + np.sqrt(variance) * ndtri(uniform))
    return np.asarray(np.ceil(months * MONTH_DAYS))


def salvage_chances(
    recipe: Recipe, constants: Constants, columns: Columns, n: int
) -> tuple[Array, Array]:
    """Return P(salvage given a positive margin) and P(radical given salvage), (n,) each."""
    return (
        expit(constants.salvage + linear_predictor(recipe, recipe.salvage, columns, n)),
        expit(constants.radical + linear_predictor(recipe, recipe.radical, columns, n)),
    )


def salvage_and_hazard(
    recipe: Recipe,
    effects: Effects,
    constants: Constants,
    columns: Columns,
    *,
    margin: Array,
    uniforms: Mapping[str, Array],
) -> Course:
    """Decide salvage among the margin-positive, and the hazard of recurrence that follows.

    Parameters
    ----------
    recipe, effects, constants : Recipe, Effects, Constants
    columns : mapping of (n,) arrays
        Latent covariates.
    margin : (n,) array of 0 and 1
    uniforms : mapping of (n,) arrays
        ``salvage``, ``radical`` and ``delay``.
    """
    n = margin.size
    indicated, radical = salvage_chances(recipe, constants, columns, n)
    treated = (margin > 0) & (uniforms["salvage"] < indicated)
    kind = np.where(treated, 1 + (uniforms["radical"] < radical), 0)
    days = np.where(treated, delay_days(recipe, uniforms["delay"]), np.inf)
    known = {**columns, "margin_positive": margin}
    eta = constants.recurrence + linear_predictor(recipe, recipe.recurrence, known, n)
    eta = eta + linear_predictor(recipe, effects.recurrence, known, n)
    factor = np.exp(np.array([0.0, effects.endoscopic, effects.radical]))[kind]
    return Course(kind, days, eta, days / MONTH_DAYS, factor, recipe.recurrence_shape)
