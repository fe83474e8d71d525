"""The prediction models validated: as printed, with the study's steps repeated, and two others."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.prediction.model import RiskModel
from rnetstats.prediction.recipe import Recipe
from rnetstats.prediction.refit_kept import KeptRefit
from rnetstats.prediction.stability import StabilityResult, stability
from rnetstats.prediction.validation import validate
from rnetstats.prediction.validation_result import ValidationResult
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.margin_models import MarginModels
from rnetstats.studies.duan2024.prediction_recipes import WAYS, candidates_of, recipes_of
from rnetstats.studies.model_verdicts import THRESHOLDS, ModelEvidence
from rnetstats.studies.records import records
from rnetstats.studies.verdicts import MINIMUM

__all__ = [
    "JUDGED",
    "RESAMPLES",
    "PredictionModels",
    "evidence",
    "fit_prediction_models",
]

RESAMPLES = 300
_STABILITY = 100
_INDICES = ("auc", "brier", "brier_scaled", "nagelkerke_r2", "intercept", "slope", "ici")
_GRID = tuple(k / 100 for k in range(1, 100))

JUDGED = {
    "printed": "with the printed cut-offs taken as fixed",
    "repeated": "with every step repeated",
}


@dataclass(frozen=True)
class PredictionModels:
    """The models by way of making them; what the data did not carry is absent.

    Attributes
    ----------
    validations : dict of str to ValidationResult
    model : RiskModel or None
        The printed model with its coefficients estimated here, its performance attached.
    instability : StabilityResult or None
        Of the study's steps repeated, else of the printed model.
    n, n_events : int
        Patients and positive margins that all of it rests on.
    candidates : tuple of str
        The columns that the repeated screening chooses from.
    resamples : int
    alike : tuple of str
        Printed predictors that do not vary in these patients, and are in no model.
    """

    validations: dict[str, ValidationResult]
    model: RiskModel | None
    instability: StabilityResult | None
    n: int
    n_events: int
    candidates: tuple[str, ...]
    resamples: int
    alike: tuple[str, ...] = ()

    @property
    def rarer(self) -> int:
        """Patients of the rarer outcome."""
        return min(self.n_events, self.n - self.n_events)

    def results(self) -> dict[str, Result]:
        """Return what exists, by name."""
        found: dict[str, Any] = {"model": self.model, "model_instability": self.instability}
        found |= {f"model_{way}_validation": made for way, made in self.validations.items()}
        return {name: made for name, made in found.items() if made is not None}


def fit_prediction_models(
    models: MarginModels,
    attempts: Attempts,
    *,
    seed: int,
    resamples: int = RESAMPLES,
    full: bool = True,
) -> PredictionModels:
    """Make and validate the models on the patients with all four predictors known.

    Parameters
    ----------
    models : MarginModels
        For its complete rows, and the predictors that vary.
    attempts : Attempts
    seed : int
        The same resamples for every model.
    resamples : int
    full : bool
        False makes only what the verdict needs.
    """
    frame = models.complete
    events = int(frame["margin_positive"].sum())
    candidates = candidates_of(models, attempts)
    made = PredictionModels({}, None, None, len(frame), events, candidates, resamples, models.alike)
    if made.rarer < MINIMUM:
        attempts.skip(
            "Prediction model",
            f"{events} positive margins among {len(frame)} patients; a model needs at least "
            f"{MINIMUM} with and {MINIMUM} without",
        )
        return made
    recipes = recipes_of(models, candidates, attempts)
    unstable = "repeated" if "repeated" in recipes else "printed"
    remade = cache(lambda: KeptRefit(recipes[unstable].refit(frame)))
    wanted = recipes if full else {way: recipes[way] for way in JUDGED if way in recipes}
    for way, made_by in wanted.items():

        def judged(way: str = way, made_by: Recipe = made_by) -> ValidationResult:
            # the stability analysis needs the models of this validation
            model = remade() if full and way == unstable else made_by
            return _validated(model, frame, way, seed, resamples, full=full)

        found = attempts.run(f"Validation of the model “{WAYS[way]}”", judged)
        if found is not None:
            made.validations[way] = found
    if not full:
        return made
    return replace(
        made,
        model=_saved(recipes, made.validations, frame, attempts, seed),
        instability=_unstable(
            remade if unstable in recipes else None, frame, attempts, seed, resamples
        ),
    )


def _validated(
    model: Recipe | KeptRefit,
    frame: pd.DataFrame,
    way: str,
    seed: int,
    resamples: int,
    *,
    full: bool,
) -> ValidationResult:
    """Validate; the curves only where they are drawn."""
    some: dict[str, Any] = {}
    if not full:
        some = {"indices": ("auc", "slope"), "thresholds": _GRID[9:60]}
    elif way not in JUDGED:
        some = {"indices": _INDICES, "thresholds": _GRID}
    return validate(model, frame, resamples=resamples, seed=seed, **some)


def _saved(
    recipes: dict[str, Recipe],
    validations: dict[str, ValidationResult],
    frame: pd.DataFrame,
    attempts: Attempts,
    seed: int,
) -> RiskModel | None:
    """Return the printed model with its performance, for the nomogram and the file."""
    if "printed" not in recipes:
        return None
    model = attempts.run(
        "Coefficients of the prediction model", lambda: recipes["printed"].fit(frame, seed=seed)
    )
    judged = validations.get("printed")
    if model is None or judged is None:
        return model
    labels = {**model.labels, "lower_rectum": "Lower rectum"}
    notes = [*model.notes, "The performance takes the cut-offs as fixed beforehand."]
    again = validations.get("repeated")
    if again is not None:
        auc = again.corrected("auc")
        notes.append(
            f"With the cut-offs and predictors searched in these patients the AUC in new patients "
            f"would be {auc:.2f}."
        )
    model = replace(model, labels=labels, notes=tuple(notes))
    return attempts.run(
        "Performance of the prediction model",
        lambda: model.with_performance(judged.performance()),
    )


def _unstable(
    remade: Callable[[], KeptRefit] | None,
    frame: pd.DataFrame,
    attempts: Attempts,
    seed: int,
    resamples: int,
) -> StabilityResult | None:
    if remade is None:
        return None
    return attempts.run(
        "Stability of the predictions",
        lambda: stability(remade(), frame, resamples=min(_STABILITY, resamples), seed=seed),
    )


def evidence(models: PredictionModels) -> tuple[ModelEvidence, ...]:
    """Return what the claim on the model's accuracy is judged by."""
    found = []
    for way, reading in JUDGED.items():
        validation = models.validations.get(way)
        if validation is None:
            continue
        by = {row["index"]: row for row in records(validation.to_frame())}
        auc, slope = by["auc"], by["slope"]
        found.append(
            ModelEvidence(
                reading=reading,
                auc=auc["corrected"],
                conf_low=auc["conf_low"],
                conf_high=auc["conf_high"],
                slope=slope["corrected"],
                gain=_gain(validation),
            )
        )
    return tuple(found)


def _gain(validation: ValidationResult) -> float:
    """Return the largest corrected net benefit above the better default."""
    curve = validation.decision_curve()
    if not len(curve):
        return math.nan
    low, high = THRESHOLDS
    part = curve[(curve["threshold"] >= low - 1e-9) & (curve["threshold"] <= high + 1e-9)]
    default = part[["treat_all", "treat_none"]].max(axis=1)
    return float((part["corrected"] - default).max())
