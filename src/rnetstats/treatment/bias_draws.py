"""Draws of a bias analysis: the classification, and with it corrected tables.

References
----------
MacLehose RF, Gustafson P (2012). Is probabilistic bias analysis approximately Bayesian?
Epidemiology 23:151-158.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from rnetstats._core.random import CHUNK, chunk_generators
from rnetstats.treatment.bias_matrix import Cells, Classified, corrected, measure_of
from rnetstats.treatment.bias_priors import Prior

__all__ = ["BiasModel", "Drawn", "draw_counts", "draw_shares", "table_of_shares"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BiasModel:
    """What is misclassified, and the priors of its classification in both groups."""

    misclassified: str
    groups: tuple[str, str]
    sensitivity: tuple[Prior, Prior | None]
    specificity: tuple[Prior, Prior | None]
    correlation: float

    def classified(self, z: Floats) -> Classified:
        """Turn standard normal numbers (k, 4) into sensitivities and specificities.

        Where a group has a prior of its own, its normal number is correlated with the other's.
        """
        rest = np.sqrt(1.0 - self.correlation**2)
        found = []
        for (first, second), (i, j) in zip(
            (self.sensitivity, self.specificity), ((0, 1), (2, 3)), strict=True
        ):
            one = first.quantile(ndtr(z[:, i]))
            if second is None:
                found.append((one, one))
                continue
            mixed = self.correlation * z[:, i] + rest * z[:, j]
            found.append((one, second.quantile(ndtr(mixed))))
        return Classified(found[0], found[1])


@dataclass(frozen=True)
class Drawn:
    """Draws, arrays (k,): the classification, and the estimate under systematic and total error.

    An estimate is missing where the draw is impossible or the estimate is not defined; ``possible``
    tells the two apart for systematic error, ``possible_total`` for total error.
    """

    by: Classified
    systematic: Floats
    total: Floats
    possible: NDArray[np.bool_]
    possible_total: NDArray[np.bool_]


def draw_counts(cells: Cells, model: BiasModel, measure: str, draws: int, seed: int) -> Drawn:
    """Correct a table of counts by each draw of the classification.

    Systematic error takes the observed shares as they are. Total error draws them from the
    posterior under Jeffreys' prior first: the law of a corrected table then has the variance that
    misclassified data leave, which is larger than that of a table of the same counts.
    """
    z = np.empty((draws, 4))
    shares = np.empty((3, draws))
    for rows, generator in chunk_generators(seed, draws):
        size = rows.stop - rows.start
        z[rows] = generator.standard_normal((CHUNK, 4))[:size]
        shares[:, rows] = draw_shares(cells, model.misclassified, generator)[:, :size]
    by = model.classified(z)
    true, possible = corrected(cells, by, model.misclassified)
    sampled, possible_total = corrected(
        table_of_shares(shares, model.misclassified), by, model.misclassified
    )
    return Drawn(
        by=by,
        systematic=np.where(possible, measure_of(true, measure), np.nan),
        total=np.where(possible_total, measure_of(sampled, measure), np.nan),
        possible=possible,
        possible_total=possible_total,
    )


def draw_shares(cells: Cells, misclassified: str, generator: np.random.Generator) -> Floats:
    """Draw one chunk of the shares behind a table, by their posterior under Jeffreys' prior.

    Parameters
    ----------
    cells : Cells of numbers
        As observed.
    misclassified : {"exposure", "outcome"}
    generator : Generator

    Returns
    -------
    array of shape (3, CHUNK)
        Share recorded positive in the first and in the second group, and share of the first group.
    """
    a, b, c, d = (float(part) for part in cells)
    laws = ((a, c), (b, d), (a + c, b + d))
    if misclassified == "outcome":
        laws = ((a, b), (c, d), (a + b, c + d))
    return np.array([generator.beta(yes + 0.5, no + 0.5, CHUNK) for yes, no in laws])


def table_of_shares(shares: Floats, misclassified: str) -> Cells:
    """The observed tables with drawn shares (3, k), of all patients together 1."""
    first, second, whole = shares
    if misclassified == "exposure":
        return Cells(
            whole * first, (1 - whole) * second, whole * (1 - first), (1 - whole) * (1 - second)
        )
    return Cells(
        whole * first, whole * (1 - first), (1 - whole) * second, (1 - whole) * (1 - second)
    )
