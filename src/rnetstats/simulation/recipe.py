"""The recipe of a synthetic cohort, as frozen classes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import log

from rnetstats.errors import OptionError, RnetError, closest

__all__ = [
    "MONTH_DAYS",
    "Calendar",
    "Effects",
    "Recipe",
    "Term",
    "Totals",
    "Variable",
]

MONTH_DAYS = 30.4375
"""Days in a month, everywhere in the package."""


@dataclass(frozen=True)
class Variable:
    """A marginal law: truncated normal, truncated log-normal, or ordered latent levels.

    ``location`` and ``scale`` are those of the normal (or of the logarithm); ``step`` is what
    the recorded value is rounded to.
    """

    name: str
    law: str
    location: float = 0.0
    scale: float = 1.0
    lower: float = 0.0
    upper: float = 0.0
    step: float = 0.0
    levels: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    label: str = ""
    unit: str = ""

    @property
    def normal_ends(self) -> tuple[float, float]:
        """``lower`` and ``upper`` in standard deviations from the middle of the normal."""
        low, high = self.lower, self.upper
        if self.law == "lognormal":
            low, high = log(low), log(high)
        return (low - self.location) / self.scale, (high - self.location) / self.scale


@dataclass(frozen=True)
class Term:
    """One summand of a linear predictor, in latent (unrounded) values.

    An indicator of a level, an indicator of a value above a cut-off, or a slope from ``centre``.
    """

    variable: str
    coefficient: float
    level: str | None = None
    above: float | None = None
    centre: float = 0.0

    @property
    def label(self) -> str:
        """The term in words, e.g. ``'method = ESD'`` or ``'nlr > 4.44'``."""
        if self.level is not None:
            return f"{self.variable} = {self.level}"
        return self.variable if self.above is None else f"{self.variable} > {self.above:g}"


@dataclass(frozen=True)
class Effects:
    """What one truth says: the margin model, the margin's effect on recurrence, salvage."""

    name: str
    label: str
    margin: tuple[Term, ...]
    recurrence: tuple[Term, ...]
    endoscopic: float
    radical: float


@dataclass(frozen=True)
class Totals:
    """The totals a fixed cohort meets exactly and a free one in expectation."""

    patients: int
    margin_positive: int
    recurrences: int
    method: tuple[tuple[str, int], ...]
    median_follow_up: float
    tolerance: float


@dataclass(frozen=True)
class Calendar:
    """Enrolment window, data cut-off, hazard of loss to follow-up (per month)."""

    first: date
    last: date
    cutoff: date
    loss: float


@dataclass(frozen=True, eq=False)
class Recipe:
    """A whole recipe. Compared and hashed by identity: :func:`load_recipe` reads a file once."""

    name: str
    title: str
    prefix: str
    seed: int
    totals: Totals
    calendar: Calendar
    variables: tuple[Variable, ...]
    pairs: tuple[tuple[str, str, float], ...]
    salvage_share: float
    salvage: tuple[Term, ...]
    radical_share: float
    radical: tuple[Term, ...]
    delay_mean: float
    delay_sd: float
    death_months: float
    death_survival: float
    death_shape: float
    death: tuple[Term, ...]
    recurrence_shape: float
    recurrence: tuple[Term, ...]
    missingness: tuple[Term, ...]
    truths: tuple[Effects, ...]
    parameters: tuple[tuple[str, str, str, str], ...]
    """``(name, value, standing, source)`` of every value in the file."""

    def truth(self, name: str) -> Effects:
        """Return the truth called ``name``."""
        for effects in self.truths:
            if isinstance(name, str) and effects.name == name:
                return effects
        known = [effects.name for effects in self.truths]
        raise OptionError(
            f"truth={name!r} is not allowed; choose one of {', '.join(map(repr, known))}."
            + closest(str(name), known)
        )

    def variable(self, name: str) -> Variable:
        """Return the variable called ``name``."""
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise RnetError(f"The recipe {self.name!r} has no variable {name!r}.")
