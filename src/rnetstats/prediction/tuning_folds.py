"""Folds in which the amount of shrinkage is chosen by cross-validation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.copies import copies
from rnetstats.formula.variables import Floats

__all__ = ["Folds", "deal_folds"]


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """Patients dealt into folds, several times over.

    Attributes
    ----------
    place : int array of shape (repeats, n), or (repeats, folds, n)
        The fold of each row; or how many of a row's patients lie in each fold.
    rng : Generator
        Of the folds of resampled patients.
    """

    place: NDArray[np.intp]
    rng: np.random.Generator

    @property
    def count(self) -> int:
        """How many folds there are."""
        return int(self.place.max()) + 1 if self.place.ndim == 2 else self.place.shape[1]

    def whole(self) -> list[NDArray[Any]]:
        """Return the folds of all rows, one array a repeat."""
        return list(self.place) if self.place.ndim == 2 else list(self.place[:, :, None, :])

    def among(self, counts: Floats) -> list[NDArray[Any]]:
        """Return the folds of resampled patients (b, n), of the first repeat alone.

        Copies of a row stay together; of a row that stands for several patients each copy is one
        of them.
        """
        if self.place.ndim == 2:
            return [self.place[0]]
        held = self.place[0].T / np.maximum(self.place[0].sum(axis=0), 1)[:, None]
        held[held.sum(axis=1) == 0.0, 0] = 1.0  # a row of nobody is never drawn
        drawn = self.rng.multinomial(counts.astype(np.int64), held)
        return [np.moveaxis(drawn, -1, 0).astype(np.float64)]


def deal_folds(
    rng: np.random.Generator,
    y: Floats,
    folds: int,
    repeats: int,
    *,
    freq: Floats | None = None,
    cluster: NDArray[np.integer] | None = None,
) -> Folds:
    """Deal patients into folds at random, each outcome apart.

    Parameters
    ----------
    y : array of shape (n,)
        0 or 1.
    freq : array of shape (n,), optional
        How many patients each row stands for: they are dealt one by one.
    cluster : int array of shape (n,), optional
        Clusters are dealt whole, those in which somebody has the event apart.
    """
    if cluster is not None:
        code = np.unique(cluster, return_inverse=True)[1].ravel()
        outcome = np.zeros(int(code.max()) + 1)
        np.maximum.at(outcome, code, y)
        return Folds(_dealt(rng, outcome, folds, repeats)[:, code], rng)
    if freq is None or bool((freq == 1.0).all()):
        return Folds(_dealt(rng, y, folds, repeats), rng)
    row = copies(freq)
    held = np.zeros((repeats, folds, len(y)), dtype=np.intp)
    for repeat, place in enumerate(_dealt(rng, y[row], folds, repeats)):
        np.add.at(held[repeat], (place, row), 1)
    return Folds(held, rng)


def _dealt(rng: np.random.Generator, y: Floats, folds: int, repeats: int) -> NDArray[np.intp]:
    """The fold of each row (repeats, n)."""
    dealt = np.empty((repeats, len(y)), dtype=np.intp)
    for repeat in range(repeats):
        for outcome in (0.0, 1.0):
            rows = rng.permutation(np.flatnonzero(y == outcome))
            dealt[repeat, rows] = (np.arange(len(rows)) + rng.integers(folds)) % folds
    return dealt
