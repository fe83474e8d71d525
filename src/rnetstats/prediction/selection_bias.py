"""What the selection of terms does to their coefficients, over resamples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.percentiles import percentiles
from rnetstats.prediction.inclusion import SELECTED

__all__ = ["GlobalModel", "selection_frame"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GlobalModel:
    """The model of all candidates, neither selected nor shrunken.

    Attributes
    ----------
    terms, levels : tuples of q str
        Of each candidate column, without the intercept.
    coef, std_error : arrays of shape (q,)
        Missing where maximum likelihood has no finite estimates.
    comparable : bool array of shape (q,)
        False for the columns of splines whose knots every resample places anew.
    """

    terms: tuple[str, ...]
    levels: tuple[str, ...]
    coef: Floats
    std_error: Floats
    comparable: NDArray[np.bool_]


def selection_frame(
    model: GlobalModel,
    original: Floats,
    slopes: Floats,
    chosen: Mapping[str, Floats],
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the columns of :meth:`ValidationResult.selection`, and what is to be said of them.

    Parameters
    ----------
    model : GlobalModel
    original : array of shape (q,)
        Coefficients that the recipe gives on the data, 0 for those left out.
    slopes : array of shape (B, q)
        Those of the resamples; missing where a resample lost the column.
    chosen : mapping of str to array of shape (B,)
        Among others, 1 or 0 for each term, by :data:`rnetstats.prediction.inclusion.SELECTED`.

    References
    ----------
    Heinze G, Wallisch C, Dunkler D (2018). Variable selection: a review and recommendations for
    the practicing statistician. Biometrical Journal 60:431-449.
    """
    rows = []
    for j in np.flatnonzero(model.comparable):
        term, reference = model.terms[j], float(model.coef[j])
        kept = chosen[SELECTED + term] > 0.0
        known = np.isfinite(slopes[:, j])
        values, own = slopes[known, j], slopes[known & kept, j]
        middle = percentiles(values, (0.5, 0.025, 0.975))
        spread = np.sqrt(np.mean((values - reference) ** 2)) if values.size else np.nan
        rows.append(
            {
                "term": term,
                "level": model.levels[j],
                "global_coef": reference,
                "std_error": float(model.std_error[j]),
                "frequency": float(kept.mean()) if kept.size else np.nan,
                "coef": float(original[j]),
                "conditional_bias": 100.0 * (float(own.mean()) / reference - 1.0)
                if own.size and reference != 0.0
                else np.nan,
                "rmsd_ratio": float(spread) / float(model.std_error[j]),
                "median": float(middle[0]),
                "low": float(middle[1]),
                "high": float(middle[2]),
            }
        )
    table = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
    return table, tuple(_notes(model, slopes, rows))


def _notes(model: GlobalModel, slopes: Floats, rows: list[dict[str, Any]]) -> list[str]:
    notes = []
    if not model.comparable.all():
        terms = dict.fromkeys(
            term for term, same in zip(model.terms, model.comparable, strict=True) if not same
        )
        notes.append(
            f"selection() leaves out {', '.join(terms)}: knots move, and coefficients with them."
        )
    if rows and not np.isfinite(model.coef).all():
        notes.append(
            "The global model of all candidates has no finite estimates (separation), so that "
            "selection() has neither bias nor RMSD ratio; penalty='firth' gives them."
        )
        return notes
    never = [
        f"{row['term']} {row['level']}".strip() for row in rows if np.isnan(row["conditional_bias"])
    ]
    if never:
        notes.append(f"Never selected, so without conditional bias: {', '.join(never)}.")
    lost = int(np.isnan(slopes[:, model.comparable]).any(axis=1).sum())
    if lost:
        notes.append(f"selection() leaves out coefficients that {lost} resamples lost.")
    return notes
