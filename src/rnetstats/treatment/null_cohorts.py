"""Simulated cohorts in which treatment does nothing: what every bias is measured in.

Events come at a constant rate; follow-up ends as in the data (a draw from the distribution of its
censoring); each patient is meant to be treated or not, regardless of everything else. Draws are
common to all delays and biases, so that their differences are not chance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.random import chunk_generators
from rnetstats.kernels.censoring import censoring_survival

__all__ = ["FollowUpShape", "NullCohorts", "Sizes", "draw_cohorts", "follow_up_shape"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FollowUpShape:
    """Distribution of the end of follow-up: P(C > t) is a step function.

    Attributes
    ----------
    time : array of shape (k,)
        Where it falls, ascending, above 0.
    left : array of shape (k,)
        P(C > time); 0 at the last.
    """

    time: Floats
    left: Floats

    @property
    def longest(self) -> float:
        """The longest follow-up."""
        return float(self.time[-1])

    def beyond(self, times: Floats) -> Floats:
        """P(C > t), of the shape of `times`."""
        return np.asarray(np.append(1.0, self.left)[np.searchsorted(self.time, times, "right")])

    def draw(self, uniform: Floats) -> Floats:
        """Ends of follow-up from uniform numbers in [0, 1)."""
        return np.asarray(self.time[np.searchsorted(1.0 - self.left, uniform, side="right")])


@dataclass(frozen=True)
class Sizes:
    """How much is simulated."""

    cohorts: int
    patients: int
    seed: int


@dataclass(frozen=True, eq=False)
class NullCohorts:
    """Draws (B, n) of B cohorts of n patients each.

    Attributes
    ----------
    waiting : array of shape (B, n)
        Unit exponential: the cumulative hazard at which the event happens.
    censoring : array of shape (B, n)
        End of follow-up.
    meant : bool array of shape (B, n)
        Patients meant to be treated.
    delay : array of shape (B, n)
        Uniform number that decides when.
    more : arrays of shape (B, n), by name
        Further uniform numbers, for the biases that need them.
    """

    waiting: Floats
    censoring: Floats
    meant: Flags
    delay: Floats
    more: dict[str, Floats]

    def ordered(self, rate: float) -> tuple[NullCohorts, Floats, Flags]:
        """Return the cohorts by rising end of follow-up, that end, and whether it is the event."""
        latent = self.waiting / rate
        stop = np.minimum(latent, self.censoring)
        order = np.argsort(stop, axis=1)

        def part(values: Floats) -> Floats:
            return np.take_along_axis(values, order, axis=1)

        found = replace(
            self,
            waiting=part(self.waiting),
            censoring=part(self.censoring),
            meant=np.take_along_axis(self.meant, order, axis=1),
            delay=part(self.delay),
            more={name: part(values) for name, values in self.more.items()},
        )
        return found, part(stop), np.take_along_axis(latent <= self.censoring, order, axis=1)


def follow_up_shape(stop: Floats, event: Flags) -> FollowUpShape:
    """Estimate the distribution of follow-up by the reverse Kaplan-Meier method.

    What is left after the last time ends there.
    """
    curve = censoring_survival(stop, event)
    left = curve.survival.copy()
    left[-1] = 0.0
    falls = np.diff(left, prepend=1.0) < 0.0
    return FollowUpShape(curve.time[falls], left[falls])


def draw_cohorts(
    shape: FollowUpShape, share: float, sizes: Sizes, more: tuple[str, ...] = ()
) -> NullCohorts:
    """Draw cohorts; a smaller number of them is a prefix of a larger one.

    Parameters
    ----------
    shape : FollowUpShape
    share : float
        Share of patients meant to be treated.
    sizes : Sizes
    more : tuple of str
        Names of the further uniform numbers. They come last, so that the others do not depend
        on them.
    """
    whole = (sizes.cohorts, sizes.patients)
    waiting = np.empty(whole)
    uniform = {name: np.empty(whole) for name in ("censoring", "meant", "delay", *more)}
    for rows, rng in chunk_generators(sizes.seed, sizes.cohorts, 1):
        waiting[rows] = rng.standard_exponential((1, sizes.patients))
        for values in uniform.values():
            values[rows] = rng.random((1, sizes.patients))
    return NullCohorts(
        waiting=waiting,
        censoring=shape.draw(uniform["censoring"]),
        meant=uniform["meant"] < share,
        delay=uniform["delay"],
        more={name: uniform[name] for name in more},
    )
