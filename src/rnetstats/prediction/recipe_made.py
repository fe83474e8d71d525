"""What a recipe made in many replicates: coefficients, terms, cut-offs and knots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats.prediction.inclusion import SELECTED
from rnetstats.prediction.recipe_steps import Learned

__all__ = ["Made", "choices_of", "columns_of", "slopes_of"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Made:
    """Models of B replicates.

    Attributes
    ----------
    coef : array of shape (B, q)
        Of the intercept (logistic) and all candidate columns; 0 for those left out.
    kept : bool array of shape (B, T)
    places : tuple of slices
        Columns of each term, without the intercept.
    learned : Learned
    usable, lost : bool arrays of shape (B,)
    """

    coef: Floats
    kept: Flags
    places: tuple[slice, ...]
    learned: Learned
    usable: Flags
    lost: Flags


def columns_of(places: tuple[slice, ...], terms: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the places of the columns of some terms."""
    if not terms.size:
        return np.empty(0, dtype=np.intp)
    return np.concatenate([np.arange(places[t].start, places[t].stop) for t in terms])


def slopes_of(made: Made, *, selected: bool, intercept: bool) -> Floats | None:
    """Return the coefficients of all candidates, 0 if left out, missing if lost."""
    if not selected:
        return None
    slopes = np.array(made.coef[:, 1:] if intercept else made.coef)
    widths = [place.stop - place.start for place in made.places]
    kept = np.repeat(made.kept, widths, axis=1)
    slopes[made.lost[:, None] & kept & (slopes == 0.0)] = np.nan
    return slopes


def choices_of(made: Made, names: tuple[str, ...], *, selected: bool) -> dict[str, Floats]:
    """Return cut-offs, knots and, if terms are selected, 1 or 0 for each, as arrays (B,)."""
    found = made.learned.choices()
    if selected:
        for t, name in enumerate(names):
            found[SELECTED + name] = made.kept[:, t].astype(np.float64)
    return found
