"""From replicates to the result of a validation."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats.prediction.corrected import corrected_curve, corrected_table
from rnetstats.prediction.inclusion import agreed_choices, inclusion_frame
from rnetstats.prediction.judges import Judge
from rnetstats.prediction.refit import Refit, Refitted
from rnetstats.prediction.resampling_schemes import Runs
from rnetstats.prediction.selection_bias import selection_frame
from rnetstats.prediction.validation_notes import curve_note, resampling_notes
from rnetstats.prediction.validation_result import ValidationResult
from rnetstats.prediction.validation_tables import FEW, benefit_table, curve_table

__all__ = ["validated"]

Floats = NDArray[np.float64]


def validated(
    refit: Refit,
    judge: Judge,
    whole: Refitted,
    runs: Runs,
    *,
    options: dict[str, Any],
    seed: int,
    thresholds: Floats,
    grid: Floats,
    no_curve: bool,
) -> ValidationResult:
    """Return the result of resampling, without centres.

    Parameters
    ----------
    whole : Refitted
        The model on the data as they are, once for each imputation.
    options : dict
        As resolved; ``method`` and ``conf_level`` are used.
    thresholds, grid : arrays
        Empty where no net benefit, or no calibration curve, is wanted.
    no_curve : bool
        Whether a curve was wanted that cannot be drawn.
    """
    method = options["method"]
    risk, predictor = whole.as_trained  # the apparent is defined as training is in a resample
    table = corrected_table(
        judge.names,
        judge.indices(risk, predictor, None),
        runs,
        method=method,
        conf_level=options["conf_level"],
        limits=judge.rarer >= FEW,
    )

    def correct(training: Floats, test: Floats, apparent: Floats) -> Floats:
        return corrected_curve(apparent, training, test, method)

    benefit = benefit_table(
        judge,
        risk,
        thresholds,
        partial(correct, runs.benefit_training, runs.benefit_test),
    )
    curve = curve_table(judge, risk, grid, partial(correct, runs.curve_training, runs.curve_test))
    wanted = no_curve or grid.size > 0
    # only the optimism needs the curves of training
    curves = (runs.curve_training, runs.curve_test)[0 if method == "boot" else 1 :]
    what = "resamples" if method in ("boot", "632") else "repetitions"
    selected, more = _selection(refit, whole, runs)
    done = len(runs.training)
    return ValidationResult(
        table=table,
        summary={
            "method": method,
            "n": refit.n,
            "n_events": int(judge.events.sum()),
            "resamples": done + (runs.failed if method in ("boot", "632") else 0),
            "n_failed": runs.failed,
            "n_lost_term": runs.lost,
            "horizon": refit.horizon,
            "design": "fixed" if refit.fixed else "repeated",
        },
        calibration_table=curve,
        benefit_table=benefit,
        centre_table={},
        inclusion_table=inclusion_frame(agreed_choices(whole.choices), runs.choices),
        selection_table=selected,
        replicates={"training": runs.training, "test": runs.test},
        notes=(
            *resampling_notes(
                refit,
                judge,
                table,
                method=method,
                runs=done,
                failed=runs.failed,
                lost=runs.lost,
                curve=curve_note(grid, curve, curves, what) if wanted else "",
                benefit=benefit,
            ),
            *more,
            *_alike(whole),
        ),
        options={"formula": refit.formula, **options},
        seed=seed,
    )


def _alike(whole: Refitted) -> tuple[str, ...]:
    """Say that the data gave no model to be corrected."""
    if np.ptp(whole.predictor, axis=1).any():
        return ()
    return (
        "On these data the model tells no patient from another (no term was kept): its AUC or C "
        "is 0.5 by definition. Corrected values take from it the optimism of resamples that did "
        "keep some, and describe no model.",
    )


def _selection(refit: Refit, whole: Refitted, runs: Runs) -> tuple[dict[str, Any], tuple[str, ...]]:
    model = refit.global_model()
    if model is None or runs.slopes is None or whole.slopes is None:
        return {}, ()
    return selection_frame(model, whole.slopes.mean(axis=0), runs.slopes, runs.choices)
