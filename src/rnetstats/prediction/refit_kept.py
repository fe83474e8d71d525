"""The models of resamples, kept: a validation and a stability analysis ask for the same ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.newton import IntArray
from rnetstats.prediction.refit import Refit, Refitted
from rnetstats.prediction.selection_bias import GlobalModel

__all__ = ["KeptRefit"]

Floats = NDArray[np.float64]


class KeptRefit(Refit):
    """Another refit that keeps the models it made, and takes the first ones of a run from there.

    With the same seed :func:`rnetstats.validate` and :func:`rnetstats.stability` draw the same
    resamples, of which stability needs the first ones: both are given the same kept refit.

    Parameters
    ----------
    refit : Refit
        Makes the models.

    Attributes
    ----------
    kept : list of (counts, seeds, Refitted)
        What was asked for, and the models of it.
    """

    def __init__(self, refit: Refit) -> None:
        self.refit = refit
        self.kept: list[tuple[Floats, IntArray, Refitted]] = []
        self.outcome, self.horizon, self.cluster = refit.outcome, refit.horizon, refit.cluster
        self.positions, self.formula, self.notes = refit.positions, refit.formula, refit.notes
        self.fixed, self.searched = refit.fixed, refit.searched
        self.imputed, self.imputations = refit.imputed, refit.imputations

    def again(self, counts: Floats, seeds: IntArray) -> Refitted:
        """Return the models of the replicates, made only if none are kept; see `Refit.again`."""
        size = len(seeds)
        for old_counts, old_seeds, made in self.kept:
            same = np.array_equal(old_seeds[:size], seeds)
            if same and np.array_equal(old_counts[:size], counts):
                return _first(made, size)
        made = self.refit.again(counts, seeds)
        self.kept.append((counts, seeds, made))
        return made

    def global_model(self) -> GlobalModel | None:
        """Return the model of all candidates, if terms are selected among them."""
        return self.refit.global_model()


def _first(made: Refitted, size: int) -> Refitted:
    """Return the first replicates."""
    parts: dict[str, Any] = {
        name: part[:size] for name, part in vars(made).items() if isinstance(part, np.ndarray)
    }
    choices = {name: values[:size] for name, values in made.choices.items()}
    return replace(made, **parts, choices=choices)
