"""External validation: a model as it is, judged on patients who did not help to make it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnetstats._core.frame import Data
from rnetstats._core.random import chunk_generators
from rnetstats.errors import DataError, OptionError, TooFewEventsError
from rnetstats.kernels.links import cloglog, logit
from rnetstats.kernels.percentiles import percentile_limits
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.prediction.corrected import enough_runs
from rnetstats.prediction.judged import Judged, is_risk_model, judge
from rnetstats.prediction.judges import Judge, judge_of
from rnetstats.prediction.refit import Floats
from rnetstats.prediction.refit_fixed import refit_of_fit
from rnetstats.prediction.risk_model import risk_model
from rnetstats.prediction.validation_notes import curve_note, external_notes
from rnetstats.prediction.validation_result import ValidationResult
from rnetstats.prediction.validation_tables import FEW, benefit_table, curve_table, risk_grid
from rnetstats.regression.cox_result import CoxResult
from rnetstats.regression.logistic import LogisticResult

__all__ = ["validate_external"]

_GRID = 41


def validate_external(
    model: Any,
    data: Data,
    *,
    indices: Sequence[str] | None,
    thresholds: Floats,
    options: dict[str, Any],
    seed: int,
) -> ValidationResult:
    """Judge a model on other patients; see :func:`rnetstats.validate`.

    ``corrected`` is the index on these patients, with percentile limits over resampled patients;
    ``apparent`` is that on the data of the fit, where the fit still has them.

    Raises
    ------
    OptionError
        If the model cannot be judged without being made again.
    """
    if not (isinstance(model, (LogisticResult, CoxResult)) or is_risk_model(model)):
        raise OptionError(
            "external= judges a model as it is: give a fit or a RiskModel (a recipe's is "
            "recipe.fit(data))."
        )
    horizon = options["time"] if options["time"] is not None else getattr(model, "horizon", None)
    outcome = getattr(model, "outcome", "") or ""
    if not outcome:
        raise OptionError("The model does not say what its outcome is; give outcome= to it.")
    read = _judged(_right_on_average(model, options["intercept"]), data, outcome, horizon)
    scale = judge_of(read.outcome, horizon, indices)
    risk, predictor = _predictions(model, read, data, outcome)
    found = scale.indices(risk, predictor, None)[0]
    drawn = _resampled(scale, risk, predictor, options["resamples"], seed)
    n_runs = (~np.isnan(drawn)).sum(axis=0)
    low = high = np.full(len(found), np.nan)
    if scale.rarer >= FEW:
        enough = enough_runs(n_runs, len(drawn))
        low, high = np.where(enough, percentile_limits(drawn, options["conf_level"]), np.nan)
    apparent, unknown = _apparent(model, horizon, options["intercept"], scale.names)
    table = {
        "index": scale.names,
        "apparent": apparent,
        "training": np.full(len(found), np.nan),
        "test": found,
        "optimism": apparent - found,
        "corrected": found,
        "conf_low": low,
        "conf_high": high,
        "mcse": np.full(len(found), np.nan),
        "n_runs": n_runs,
    }
    benefit = benefit_table(scale, risk, thresholds if scale.has_curves else np.empty(0), np.array)
    grid = risk_grid(scale, risk, _GRID)
    curve = curve_table(scale, risk, grid, np.array)
    without = curve_note(grid, curve) if scale.has_curves else ""
    return ValidationResult(
        table=table,
        summary={
            "method": "external",
            "n": read.n,
            "n_events": int(scale.events.sum()),
            "resamples": options["resamples"],
            "n_failed": 0,
            "n_lost_term": 0,
            "horizon": horizon,
            "design": "fixed",
        },
        calibration_table=curve,
        benefit_table=benefit,
        centre_table={},
        inclusion_table={},
        replicates={"test": drawn},
        notes=external_notes(read, scale, table, options["resamples"], unknown, without, benefit),
        options={
            "formula": read.formula,
            **options,
            "same_patients": read.apparent["model"],
        },
        seed=seed,
        synthetic=read.synthetic,
    )


def _predictions(model: Any, read: Judged, data: Data, outcome: str) -> tuple[Floats, Floats]:
    """Return the risks and linear predictors (1, n) of the rows judged."""
    if isinstance(model, CoxResult):
        if read.horizon is None:
            return read.risk, read.risk
        scores = judge(data, f"{outcome} ~ 1", models={"model": model}, scale="score")
        return read.risk, scores.risk
    return read.risk, cloglog(read.risk) if read.outcome.y is None else logit(read.risk)


def _judged(model: Any, data: Data, outcome: str, horizon: float | None) -> Judged:
    scale = "score" if isinstance(model, CoxResult) and horizon is None else "risk"
    return judge(data, f"{outcome} ~ 1", models={"model": model}, scale=scale, horizon=horizon)


def _resampled(scale: Judge, risk: Floats, predictor: Floats, resamples: int, seed: int) -> Floats:
    """Indices (B, k) of resampled patients, the predictions as they are."""
    n = risk.shape[1]
    parts = []
    for part, rng in chunk_generators(seed, resamples):
        counts = bootstrap_counts(rng, n, part.stop - part.start).astype(np.float64)
        shape = (len(counts), n)
        shared = np.broadcast_to(risk, shape), np.broadcast_to(predictor, shape)
        parts.append(scale.indices(*shared, counts))
    return np.concatenate(parts)


def _right_on_average(model: Any, intercept: str) -> Any:
    """Return Firth's fit with its intercept re-estimated (FLIC), if that was asked for."""
    firth = isinstance(model, LogisticResult) and model.options["penalty"] == "firth"
    if firth and intercept == "flic" and model.engine is not None:
        return risk_model(model)
    return model


def _apparent(
    model: Any, horizon: float | None, intercept: str, names: tuple[str, ...]
) -> tuple[Floats, str]:
    """Return the indices on the data of the fit; missing, and why, where they are not known."""
    missing = np.full(len(names), np.nan)
    if getattr(model, "engine", None) is None:
        return missing, "the model does not keep the patients that it was made from."
    try:
        refit = refit_of_fit(model, horizon=horizon, intercept=intercept)
        judge = judge_of(refit.outcome, refit.horizon, names)
    except (OptionError, DataError, TooFewEventsError) as problem:
        return missing, str(problem)
    whole = refit.original()
    return np.asarray(judge.indices(whole.risk, whole.predictor, None)[0]), ""
