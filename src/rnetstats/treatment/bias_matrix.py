"""The matrix method: the true 2x2 table behind a misclassified one, for arrays of tables.

``cells`` are exposed events, exposed without, unexposed events, unexposed without. Sensitivity and
specificity are those of the two groups between which they may differ: events and others where the
exposure is misclassified, exposed and unexposed where the outcome is.

References
----------
Barron BA (1977). The effects of misclassification on the estimation of relative risk. Biometrics
33:414-418. Lash TL, Fox MP, Fink AK (2009). Applying Quantitative Bias Analysis to Epidemiologic
Data. Springer, chapter 6.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Cells", "Classified", "corrected", "measure_of", "truth_given_observed"]

Floats = NDArray[np.float64]


class Cells(NamedTuple):
    """The four cells, arrays (k,) or numbers."""

    exposed_events: Floats
    exposed_others: Floats
    unexposed_events: Floats
    unexposed_others: Floats


class Classified(NamedTuple):
    """Sensitivity and specificity in the first and in the second group, arrays (k,)."""

    sensitivity: tuple[Floats, Floats]
    specificity: tuple[Floats, Floats]


def _positives(observed: ArrayLike, total: ArrayLike, se: Floats, sp: Floats) -> Floats:
    """True positives of a group: ``(observed - total (1 - sp)) / (se + sp - 1)``."""
    gain = se + sp - 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (np.asarray(observed) - np.asarray(total) * (1.0 - sp)) / gain
    return np.where(gain > 0.0, found, np.nan)


def corrected(cells: Cells, by: Classified, misclassified: str) -> tuple[Cells, NDArray[np.bool_]]:
    """Return the true cells, and which draws are possible.

    A draw is impossible where the classification would be no better than chance (sensitivity plus
    specificity at most 1), or where a true cell would be negative.
    """
    a, b, c, d = cells
    (se1, se2), (sp1, sp2) = by
    if misclassified == "exposure":
        first, second = _positives(a, a + c, se1, sp1), _positives(b, b + d, se2, sp2)
        true = Cells(first, second, a + c - first, b + d - second)
    else:
        first, second = _positives(a, a + b, se1, sp1), _positives(c, c + d, se2, sp2)
        true = Cells(first, a + b - first, second, c + d - second)
    with np.errstate(invalid="ignore"):
        possible = np.logical_and.reduce([part >= 0.0 for part in true])
    return true, np.asarray(possible)


def measure_of(cells: Cells, measure: str) -> Floats:
    """Return odds ratio, risk ratio or risk difference; missing where it is 0 / 0."""
    a, b, c, d = cells
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "or":
            return np.asarray((a * d) / (b * c))
        exposed, unexposed = a / (a + b), c / (c + d)
        return np.asarray(exposed / unexposed if measure == "rr" else exposed - unexposed)


def truth_given_observed(
    true: Cells, by: Classified, misclassified: str
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Return the probability of a true positive, for observed positives and observed negatives.

    Returns
    -------
    positive, negative : pairs of array (k,)
        In the first and in the second group.
    """
    a, b, c, d = true
    pairs = ((a, c), (b, d)) if misclassified == "exposure" else ((a, b), (c, d))
    positive, negative = [], []
    for (yes, no), se, sp in zip(pairs, by.sensitivity, by.specificity, strict=True):
        with np.errstate(divide="ignore", invalid="ignore"):
            hit = se * yes / (se * yes + (1.0 - sp) * no)
            miss = (1.0 - se) * yes / ((1.0 - se) * yes + sp * no)
        positive.append(np.nan_to_num(hit, nan=0.0))
        negative.append(np.nan_to_num(miss, nan=0.0))
    return (positive[0], positive[1]), (negative[0], negative[1])
