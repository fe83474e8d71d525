"""Drawing the latent arrays of one cohort, with totals fixed or free."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from rnetstats.errors import OptionError
from rnetstats.simulation.conditional import conditional_bernoulli
from rnetstats.simulation.copula import linear_predictor, marginals
from rnetstats.simulation.course import (
    UNIFORMS,
    Course,
    FollowUp,
    death_months,
    follow_up,
    loss_months,
    salvage_and_hazard,
)
from rnetstats.simulation.enrolment import solve_shift
from rnetstats.simulation.population import Targets, solve_constants
from rnetstats.simulation.recipe import Recipe

__all__ = ["Latent", "draw_latent"]

Array = NDArray[np.float64]
_STREAMS = ("covariates", *UNIFORMS, "margin", "recurrence", "time", "missing")


@dataclass(frozen=True, eq=False)
class Latent:
    """Everything behind one cohort, unrounded, as arrays (n,).

    ``recurrence_months`` is the latent time of every patient, seen or not; ``seen`` says whether
    it comes before the end of follow-up.
    """

    columns: dict[str, Array]
    margin: NDArray[np.bool_]
    follow_up: FollowUp
    course: Course
    seen: NDArray[np.bool_]
    recurrence_months: Array
    shift: float
    streams: dict[str, np.random.Generator]

    @property
    def free_months(self) -> Array:
        """Months to the first of recurrence, death and end of follow-up."""
        return np.where(self.seen, self.recurrence_months, self.follow_up.end)


def _open_uniform(rng: np.random.Generator, n: int) -> Array:
    """Return n uniforms above 0, so that their logits are finite."""
    return np.maximum(rng.random(n), 2.0**-54)


def _method_counts(recipe: Recipe, n: int) -> NDArray[np.int64]:
    """Return the method counts of a fixed cohort of n patients (largest remainders)."""
    counts = np.array([count for _, count in recipe.totals.method], dtype=float)
    shares = counts * (n / counts.sum())
    whole = np.floor(shares).astype(np.int64)
    order = np.argsort(-(shares - whole), kind="stable")
    whole[order[: n - int(whole.sum())]] += 1
    return np.asarray(whole)


def draw_latent(
    recipe: Recipe,
    truth: str,
    targets: Targets,
    seed: int,
    *,
    fixed: bool,
    split: tuple[int, int] | None = None,
) -> Latent:
    """Draw one cohort's latent arrays.

    With fixed totals the order is: method, enrolment (shifted once, so that the median follow-up
    is right), censoring, latent death and salvage; then exactly the wanted recurrences by
    conditional Bernoulli trials, and their times from the law truncated at the end of follow-up.
    Every component has its own stream: the same seed gives the same covariates under each truth.

    Parameters
    ----------
    recipe : Recipe
    truth : str
    targets : Targets
    seed : int
    fixed : bool
        Totals met exactly, or in expectation.
    split : (int, int), optional
        Recurrences among positive and among negative margins (fixed totals only).

    Returns
    -------
    Latent

    Raises
    ------
    OptionError
        If ``split`` contradicts the totals.
    """
    effects = recipe.truth(truth)
    constants = solve_constants(recipe, truth, targets)
    n = targets.patients
    children = np.random.SeedSequence(seed).spawn(len(_STREAMS))
    streams = {
        name: np.random.default_rng(child) for name, child in zip(_STREAMS, children, strict=True)
    }
    counts = {"method": _method_counts(recipe, n)} if fixed else None
    normals = streams["covariates"].standard_normal((n, len(recipe.variables)))
    columns = marginals(recipe, normals, counts)
    uniforms = {name: _open_uniform(streams[name], n) for name in UNIFORMS}

    death = death_months(recipe, constants.death, columns, uniforms["death"])
    shift = constants.shift
    if fixed:
        lost = loss_months(recipe, uniforms["loss"])
        target = recipe.totals.median_follow_up
        shift = solve_shift(uniforms["enrolment"], lost, death, recipe.calendar, target)
    followed = follow_up(recipe, shift, death, uniforms)

    risk = expit(constants.margin + linear_predictor(recipe, effects.margin, columns, n))
    if fixed:
        margin = conditional_bernoulli(risk, targets.margin_positive, streams["margin"])
    else:
        margin = streams["margin"].random(n) < risk
    course = salvage_and_hazard(
        recipe, effects, constants, columns, margin=margin.astype(float), uniforms=uniforms
    )
    p = course.risk(followed.end)
    if fixed:
        seen = _allot(p, margin, targets.recurrences, split, streams["recurrence"])
    else:
        seen = streams["recurrence"].random(n) < p
    u = _open_uniform(streams["time"], n)
    months = course.time(np.where(seen, u * p, p + u * (1.0 - p)))
    months = np.where(seen, np.minimum(months, followed.end), np.maximum(months, followed.end))
    return Latent(columns, margin, followed, course, seen, months, shift, streams)


def _allot(
    risk: Array,
    margin: NDArray[np.bool_],
    total: int,
    split: tuple[int, int] | None,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Say who recurs: ``total`` in all, or ``split`` among positive and negative margins."""
    if split is None:
        return conditional_bernoulli(risk, total, rng)
    if sum(split) != total or min(split) < 0:
        raise OptionError(
            f"split={split!r} must be two whole numbers of at least 0 that sum to the "
            f"{total} recurrences: (among positive margins, among negative margins)."
        )
    seen = np.zeros(risk.size, dtype=bool)
    for group, events, kind in zip((margin, ~margin), split, ("positive", "negative"), strict=True):
        if events > group.sum():
            raise OptionError(
                f"split={split!r} asks for {events} recurrences among {group.sum()} patients with "
                f"a {kind} margin."
            )
        seen[group] = conditional_bernoulli(risk[group], events, rng)
    return seen
