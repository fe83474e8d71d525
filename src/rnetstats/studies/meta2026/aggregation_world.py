"""Worlds of studies from which crude and within-study comparisons are drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from rnetstats._core.options import positive_int, real
from rnetstats._core.random import CHUNK, chunk_generators
from rnetstats.errors import OptionError
from rnetstats.evidence.facts import FactSheet

__all__ = ["AggregationWorld", "aggregation_world", "binomial_quantiles", "draw_world"]

Floats: TypeAlias = NDArray[np.float64]

_SIZES = 0.8  # standard deviation of the logarithm of a study's size
_FEWEST = 4  # patients of a study
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


@dataclass(frozen=True)
class AggregationWorld:
    """A world of studies from which crude and within-study comparisons are drawn.

    Attributes
    ----------
    studies, comparative, salvage_only : int
        Studies in all, those with both arms, and those that only salvaged; the rest only observed.
    patients : float
        Patients expected in all.
    observed_risk : float
        Risk of recurrence expected over all patients under observation.
    within_or : float
        Odds ratio of salvage against observation, the same in every study.
    between_or : float
        Odds ratio of a centre that salvages everybody against one that salvages nobody, for the
        same treatment: their patients, definitions and follow-up. The log odds are linear in the
        share salvaged.
    heterogeneity : float
        Standard deviation of what else the studies' log odds differ by.
    """

    studies: int
    comparative: int
    salvage_only: int
    patients: float
    observed_risk: float
    within_or: float = 1.0
    between_or: float = 1.0
    heterogeneity: float = 0.0

    def __post_init__(self) -> None:
        positive_int("studies", self.studies)
        positive_int("comparative", self.comparative)
        positive_int("salvage_only", self.salvage_only, minimum=0)
        if self.comparative + self.salvage_only > self.studies:
            raise OptionError(
                f"comparative={self.comparative} and salvage_only={self.salvage_only} are more "
                f"than the {self.studies} studies."
            )
        real("patients", self.patients, low=_FEWEST * self.studies)
        real("observed_risk", self.observed_risk, low=0.0, high=1.0, closed=False)
        real("within_or", self.within_or, low=0.0, closed=False)
        real("between_or", self.between_or, low=0.0, closed=False)
        real("heterogeneity", self.heterogeneity, low=0.0)


def aggregation_world(sheet: FactSheet) -> AggregationWorld:
    """Return a world in the shape of the meta-analysis.

    From the printed figures: the studies behind the crude rates, those that compare the arms, the
    patients (in proportion to the studies), the risk under observation. Chosen: that half of the
    studies with one arm only salvaged.

    Parameters
    ----------
    sheet : FactSheet
        Of the meta-analysis.
    """
    studies, comparative = sheet["crude_studies"].count, sheet["comparative_studies"].count
    return AggregationWorld(
        studies=studies,
        comparative=comparative,
        salvage_only=(studies - comparative) // 2,
        patients=sheet["incomplete_cases"].number * studies / sheet["studies"].number,
        observed_risk=sheet["crude_observation"].number / 100.0,
    )


def draw_world(world: AggregationWorld, replicates: int, seed: int) -> tuple[Floats, ...]:
    """Events and patients of both arms, (replicates, studies); the comparative studies first."""
    mean = world.patients / world.studies
    start = _start(world)
    single = world.studies - world.comparative
    fixed = np.arange(single) < world.salvage_only
    parts: list[tuple[Floats, ...]] = []
    for rows, rng in chunk_generators(seed, replicates):
        shape = (CHUNK, world.studies)
        sizes = np.exp(_SIZES * rng.standard_normal(shape) - _SIZES**2 / 2.0)
        n = np.maximum(_FEWEST, np.rint(mean * sizes))
        share = np.concatenate(
            [rng.uniform(0.1, 0.9, (CHUNK, world.comparative)), np.tile(fixed, (CHUNK, 1))], axis=1
        )
        own = world.heterogeneity * rng.standard_normal(shape)
        n1 = np.rint(n * share)
        n1[:, : world.comparative] = np.clip(n1, 1, n - 1)[:, : world.comparative]
        logit = start + math.log(world.between_or) * share + own
        chances = rng.uniform(size=(2, *shape))
        a = binomial_quantiles(chances[0], n1, expit(logit + math.log(world.within_or)))
        c = binomial_quantiles(chances[1], n - n1, expit(logit))
        kept = rows.stop - rows.start
        parts.append(tuple(x[:kept] for x in (a, n1, c, n - n1)))
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def binomial_quantiles(chance: Floats, n: Floats, p: Floats) -> Floats:
    """Binomial counts by inversion, so that more risk is never fewer events."""
    found = np.zeros_like(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        term = np.where(n > 0, np.exp(n * np.log1p(-p)), 1.0)
        total = term.copy()
        for k in range(int(n.max())):
            beyond = (chance > total) & (found == k) & (k < n)
            if not beyond.any():
                break
            found = found + beyond
            term = term * (n - k) / (k + 1.0) * p / (1.0 - p)
            total = total + np.maximum(term, 0.0)
    return found


def _start(world: AggregationWorld) -> float:
    """Log odds at which the risk under observation, over all patients, is as wanted."""
    single = world.studies - world.comparative - world.salvage_only
    shares = np.append(np.linspace(0.1, 0.9, 33), 0.0)
    patients = np.append(np.full(33, world.comparative / 33.0), single) * (1.0 - shares)
    spread = world.heterogeneity * _NODES

    def risk(start: float) -> float:
        logit = start + math.log(world.between_or) * shares[:, None] + spread
        mean = (expit(logit) * _WEIGHTS).sum(axis=1) / _WEIGHTS.sum()
        return float((patients * mean).sum() / patients.sum()) - world.observed_risk

    return float(brentq(risk, -60.0, 60.0, xtol=1e-12))
