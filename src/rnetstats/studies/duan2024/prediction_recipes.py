"""How the prediction models are made, as recipes that every resample repeats.

Four ways of making a model of a positive margin, judged on the same patients:

- *printed*: the four printed predictors at their printed cut-offs, taken as fixed beforehand;
- *repeated*: cut-offs searched (Youden), candidates screened one by one (P <= .05), the rest
  together in one model, all of it repeated in every resample;
- *smooth*: the same predictors as they were measured, splines for NLR and size, nothing selected;
- *before*: the smooth model without the resection method: what is known before it is chosen.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from rnetstats.prediction.recipe import Recipe, recipe
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.margin_models import OTHER_FACTORS, MarginModels

__all__ = ["WAYS", "candidates_of", "recipes_of"]

WAYS = {
    "printed": "Printed predictors and cut-offs, fixed",
    "repeated": "The study’s steps repeated: cut-offs searched, candidates screened",
    "smooth": "The four predictors as measured (splines), none selected",
    "before": "Known before the resection: location, NLR, size (splines)",
}


def _printed_columns(models: MarginModels) -> tuple[str, ...]:
    return tuple(p.column for p in models.used)


def candidates_of(models: MarginModels, attempts: Attempts) -> tuple[str, ...]:
    """Return what the repeated screening chooses from; the same patients in every model."""
    frame, found = models.complete, list(_printed_columns(models))
    for name in OTHER_FACTORS:
        if name not in frame.columns:
            continue
        missing = int(frame[name].isna().sum())
        if missing:
            attempts.skip(
                f"{name} as a candidate of the repeated selection",
                f"{missing} of {len(frame)} values are missing",
            )
        elif frame[name].nunique() > 1:
            found.append(name)
    return tuple(found)


def recipes_of(
    models: MarginModels, candidates: tuple[str, ...], attempts: Attempts
) -> dict[str, Recipe]:
    """Describe each way; one whose terms do not vary is left out."""
    cut = {p.column: p.cutoff for p in models.used if p.cutoff is not None}
    searched = {
        name: "youden" for name in ("nlr", "size_mm") if models.complete[name].nunique() > 1
    }
    names = tuple(dict.fromkeys((*candidates, *searched)))
    smooth = [_smooth(models.complete, name) for name in _printed_four(models.complete)]
    before = [term for term in smooth if term != "method"]
    plans: dict[str, tuple[list[str], dict[str, Any]]] = {
        "printed": (list(_printed_columns(models)), {"cut": cut or None}),
        "repeated": (list(names), {"cut": searched or None, "select": "univariable"}),
        "smooth": (smooth, {}),
        "before": (before, {}),
    }
    made = {}
    for way, (terms, options) in plans.items():
        if not terms:
            attempts.skip(f"Model “{WAYS[way]}”", "no predictor varies")
            continue
        found = attempts.run(
            f"Model “{WAYS[way]}”",
            lambda t=terms, o=options: recipe("margin_positive ~ " + " + ".join(t), **o),  # type: ignore[misc]
        )
        if found is not None:
            made[way] = found
    return made


def _printed_four(frame: pd.DataFrame) -> list[str]:
    """The columns of the four printed predictors that vary, as measured."""
    names = ("method", "lower_rectum", "nlr", "size_mm")
    return [name for name in names if frame[name].nunique() > 1]


def _smooth(frame: pd.DataFrame, name: str) -> str:
    """Return the term of a column: a spline where it has values enough."""
    numeric = name in ("nlr", "size_mm")
    return f"rcs({name}, 3)" if numeric and frame[name].nunique() >= 10 else name
