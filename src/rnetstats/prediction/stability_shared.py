"""The models of resamples, kept: a validation and a stability analysis ask for the same ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.frame import Data
from rnetstats.kernels.newton import IntArray
from rnetstats.prediction.recipe import Recipe
from rnetstats.prediction.refit import Refit, Refitted

__all__ = ["KeepingRecipe", "keeping"]

Floats = NDArray[np.float64]
Again = Callable[[Floats, IntArray], Refitted]


class KeepingRecipe(Recipe):
    """A recipe that does not make the same model of the same resample of the same table twice.

    With the same seed :func:`rnetstats.validate` and :func:`rnetstats.stability` draw the same
    resamples, of which stability needs the first ones.
    """

    def refit(self, data: Data, *, horizon: float | None = None) -> Refit:
        """Return what makes the model again; for the table of the last call the same object."""
        last = self.__dict__.get("_last")
        if last is not None and last[0] is data and last[1] == horizon:
            found: Refit = last[2]
            return found
        refit = super().refit(data, horizon=horizon)
        refit.again = keeping(refit.again)  # type: ignore[method-assign, assignment]
        object.__setattr__(self, "_last", (data, horizon, refit))
        return refit


def keeping(again: Again) -> Again:
    """Return ``again`` with its answers kept: the first replicates of one are not made anew."""
    kept: list[tuple[Floats, IntArray, Refitted]] = []

    def kept_or_made(counts: Floats, seeds: IntArray) -> Refitted:
        for old_counts, old_seeds, made in kept:
            size = len(seeds)
            if np.array_equal(old_seeds[:size], seeds) and np.array_equal(
                old_counts[:size], counts
            ):
                return _first(made, size)
        made = again(counts, seeds)
        kept.append((counts, seeds, made))
        return made

    return kept_or_made


def _first(made: Refitted, size: int) -> Refitted:
    """Return the first replicates."""
    parts: dict[str, Any] = {
        name: part[:size] for name, part in vars(made).items() if isinstance(part, np.ndarray)
    }
    choices = {name: values[:size] for name, values in made.choices.items()}
    return replace(made, **parts, choices=choices)
