"""A contrast of two arms that knows its one-sided limits and P values at any margin.

Three kinds: normal, square-and-add (MOVER) from limits of each arm, and score. Every P agrees with
the limits: the one-sided P of a margin is below ``alpha`` exactly if the one-sided limit at
``alpha`` does not reach it.

References
----------
Zou GY, Donner A (2008). Construction of confidence limits about effect measures: a general
approach. Stat Med 27:1693-1702 (MOVER). Farrington CP, Manning G (1990). Test statistics and
sample size formulae for comparative binomial trials with null hypothesis of non-zero risk
difference or non-unity relative risk. Stat Med 9:1447-1454.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from scipy.special import ndtr, ndtri

from rnetstats.kernels.bracketed import bracketed_root
from rnetstats.survival.mover import difference_limits
from rnetstats.tables.two_proportions import miettinen_nurminen_limits, score_z

__all__ = ["Arm", "Contrast", "ScoreDifference", "SquareAndAdd", "normal_arm"]

Pair = tuple[float, float]

_LEAST = 1e-12  # smallest one-sided P that the inversion of limits tells apart from 0


class Contrast(Protocol):
    """What is asked of every contrast; all on the scale of the measure, new less reference."""

    @property
    def method(self) -> str:
        """The name of the limits."""

    @property
    def estimate(self) -> float:
        """The difference (or log ratio)."""

    def limits(self, alpha: float) -> Pair:
        """Lower and upper limit, each one-sided at ``alpha``."""

    def p_above(self, value: float) -> float:
        """One-sided P against "the contrast is ``value`` or less"."""

    def p_below(self, value: float) -> float:
        """One-sided P against "the contrast is ``value`` or more"."""


@dataclass(frozen=True)
class Arm:
    """One arm: its estimate, and its limits as a function of the one-sided level."""

    estimate: float
    limits: Callable[[float], Pair]


def normal_arm(estimate: float, std_error: float) -> Arm:
    """An arm whose estimate is normal."""

    def limits(alpha: float) -> Pair:
        half = float(-ndtri(alpha)) * std_error
        return estimate - half, estimate + half

    return Arm(estimate, limits)


@dataclass(frozen=True)
class SquareAndAdd:
    """Difference of two arms from limits of each; of two normal arms, the normal limits."""

    new: Arm
    reference: Arm
    method: str

    @property
    def estimate(self) -> float:
        """New less reference."""
        return self.new.estimate - self.reference.estimate

    def limits(self, alpha: float) -> Pair:
        """Square-and-add limits."""
        new = (self.new.estimate, *self.new.limits(alpha))
        reference = (self.reference.estimate, *self.reference.limits(alpha))
        return difference_limits(new, reference)

    def p_above(self, value: float) -> float:
        """Invert the lower limit; 1 where not even the limit at 0.5 lies above ``value``."""
        return self._inverted(lambda alpha: self.limits(alpha)[0] - value)

    def p_below(self, value: float) -> float:
        """Invert the upper limit."""
        return self._inverted(lambda alpha: value - self.limits(alpha)[1])

    @staticmethod
    def _inverted(room: Callable[[float], float]) -> float:
        """The level at which the limit reaches the value: ``room`` rises with the level."""
        if room(0.5) <= 0.0:
            return 1.0
        if room(_LEAST) > 0.0:
            return 0.0
        found = bracketed_root(lambda log: room(math.exp(log)), math.log(_LEAST), math.log(0.5))
        return math.exp(found)


@dataclass(frozen=True)
class ScoreDifference:
    """Risk difference by Miettinen and Nurminen's score (Farrington and Manning's P)."""

    x_new: int
    n_new: int
    x_reference: int
    n_reference: int
    method: str = "score (Miettinen-Nurminen)"

    @property
    def _counts(self) -> tuple[int, int, int, int]:
        return self.x_new, self.n_new, self.x_reference, self.n_reference

    @property
    def estimate(self) -> float:
        """New less reference."""
        return self.x_new / self.n_new - self.x_reference / self.n_reference

    def limits(self, alpha: float) -> Pair:
        """Score limits."""
        low, high = miettinen_nurminen_limits(*self._counts, 1.0 - 2.0 * alpha)
        return float(low), float(high)

    def p_above(self, value: float) -> float:
        """Upper tail of the score at ``value``."""
        return float(ndtr(-score_z(*self._counts, value)))

    def p_below(self, value: float) -> float:
        """Lower tail of the score at ``value``."""
        return float(ndtr(score_z(*self._counts, value)))
