"""The inputs of a threshold analysis: each a number or a range, all from the caller."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from rnetstats.errors import OptionError
from rnetstats.studies.management.threshold_model import (
    Floats,
    hazard_of,
    threshold_probability,
)

__all__ = ["MORTALITY", "QUANTITIES", "Given", "Inputs", "Quantity", "read_range"]

MORTALITY = ("death_rate", "death_probability", "life_expectancy")


@dataclass(frozen=True)
class Quantity:
    """What an input is, and which way the threshold goes with it."""

    label: str
    unit: str
    high: float
    rises: bool
    low_open: bool = False
    high_open: bool = False


QUANTITIES: dict[str, Quantity] = {
    "death_rate": Quantity("Deaths from other causes", "a year", math.inf, True, True, True),
    "death_probability": Quantity(
        "Death from other causes within a year", "probability", 1.0, True, True, True
    ),
    "life_expectancy": Quantity(
        "Life expectancy without the tumour", "years", math.inf, False, True, True
    ),
    "operative_mortality": Quantity("Operative mortality", "probability", 1.0, True),
    "utility_loss": Quantity("Utility lost after surgery", "share of each later year", 1.0, True),
    "efficacy": Quantity("Residuals that surgery removes", "share", 1.0, False),
    "fatal": Quantity(
        "A residual under surveillance becomes fatal", "probability", 1.0, False, high_open=True
    ),
}


@dataclass(frozen=True)
class Given:
    """An input's range and central value; all three equal where one number was given."""

    low: float
    central: float
    high: float
    middle_chosen: bool = False

    @property
    def ranges(self) -> bool:
        """Whether it is more than one number."""
        return self.high > self.low


@dataclass(frozen=True)
class Inputs:
    """All inputs of a threshold analysis.

    Attributes
    ----------
    given : mapping
        By name, in the order of :data:`QUANTITIES`.
    fatal_within, horizon : float
        Years.
    """

    given: Mapping[str, Given]
    fatal_within: float
    horizon: float

    @property
    def mortality(self) -> str:
        """The form in which mortality from other causes was given."""
        return next(name for name in MORTALITY if name in self.given)

    def threshold(self, values: Mapping[str, Any]) -> Floats:
        """Return the threshold at these values of all inputs; arrays broadcast together."""
        other = np.asarray(values[self.mortality], dtype=float)
        if self.mortality == "life_expectancy":
            rate = 1.0 / other
        else:
            rate = hazard_of(other, 1.0) if self.mortality == "death_probability" else other
        return threshold_probability(
            death_rate=rate,
            residual_rate=hazard_of(values["fatal"], self.fatal_within),
            efficacy=values["efficacy"],
            operative_mortality=values["operative_mortality"],
            utility_loss=values["utility_loss"],
            horizon=self.horizon,
        )

    def central(self) -> dict[str, float]:
        """Return the central value of each input."""
        return {name: given.central for name, given in self.given.items()}

    def corner(self, *, highest: bool) -> dict[str, float]:
        """Return the values within the ranges that make the threshold highest, or lowest."""
        return {
            name: given.high if QUANTITIES[name].rises is highest else given.low
            for name, given in self.given.items()
        }


def read_range(name: str, value: Any) -> Given:
    """Return an input as its range: a number, (low, high) or (low, central, high).

    Raises
    ------
    OptionError
        If it is none of these, not in order, or outside what the input can be.
    """
    about = QUANTITIES[name]
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str | bytes):
        numbers = [_number(name, one, about) for one in value]
        if len(numbers) not in (2, 3):
            raise OptionError(
                f"{name} has {len(numbers)} numbers; give one, (low, high) or (low, central, high)."
            )
        if numbers != sorted(numbers):
            raise OptionError(f"{name}={tuple(numbers)} is not in order, from low to high.")
        low, high = numbers[0], numbers[-1]
        central = numbers[1] if len(numbers) == 3 else (low + high) / 2.0
        return Given(low, central, high, middle_chosen=len(numbers) == 2 and high > low)
    number = _number(name, value, about)
    return Given(number, number, number)


def _number(name: str, value: Any, about: Quantity) -> float:
    real = isinstance(value, Real) and not isinstance(value, bool)
    if not real or not math.isfinite(float(value)):
        raise OptionError(f"{name} must be a number or a range of numbers, not {value!r}.")
    number = float(value)
    below = number < 0.0 or (about.low_open and number == 0.0)
    above = number > about.high or (about.high_open and number == about.high)
    if below or above:
        edge = "above 0" if about.low_open else "at least 0"
        top = ""
        if about.high < math.inf:
            top = f" and {'below' if about.high_open else 'at most'} {about.high:g}"
        hint = " Write 0.05 for 5 %." if above and about.high == 1.0 and number <= 100.0 else ""
        raise OptionError(f"{name} must be {edge}{top} ({about.unit}), not {value!r}.{hint}")
    return number
