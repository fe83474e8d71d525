"""External validation: a model as it is, judged on patients who did not help to make it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import logit

from rnetstats._core.frame import Data
from rnetstats._core.random import CHUNK, chunk_generators
from rnetstats.errors import OptionError
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.prediction.judged import Judged, judge
from rnetstats.prediction.judges import Judge, judge_of
from rnetstats.prediction.refit import Floats, refit_of_fit
from rnetstats.prediction.risk_model import risk_model
from rnetstats.prediction.validation_result import ValidationResult
from rnetstats.regression.cox import CoxResult
from rnetstats.regression.logistic import LogisticResult

__all__ = ["validate_external"]

_FEW = 5
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
    horizon = options["time"]
    if not (isinstance(model, (LogisticResult, CoxResult)) or hasattr(model, "fingerprint")):
        raise OptionError(
            "external= judges a model as it is: give a fit or a RiskModel (a recipe's is "
            "recipe.fit(data))."
        )
    if horizon is None:
        horizon = getattr(model, "horizon", None)
    outcome = getattr(model, "outcome", "") or ""
    if not outcome:
        raise OptionError("The model does not say what its outcome is; give outcome= to it.")
    read = _judged(_right_on_average(model, options["intercept"]), data, outcome, horizon)
    scale = judge_of(read.outcome, horizon, indices)
    risk = read.risk if read.freq is None else np.repeat(read.risk, read.freq.astype(int), axis=1)
    if isinstance(model, CoxResult):
        scores = judge(data, f"{outcome} ~ 1", models={"model": model}, scale="score")
        predictor = scores.risk
    else:
        inside = np.clip(risk, 1e-12, 1.0 - 1e-12)
        predictor = logit(inside) if read.outcome.y is not None else np.log(-np.log1p(-inside))
    if horizon is None and isinstance(model, CoxResult):
        risk = predictor
    found = scale.indices(risk, predictor, None)[0]
    drawn = _resampled(scale, risk, predictor, options["resamples"], seed)
    events = float(scale.events.sum())
    fewest = min(events, read.n - events)
    low = high = np.full(len(found), np.nan)
    if fewest >= _FEW:
        tail = 0.5 * (1.0 - options["conf_level"])
        low, high = (_quantile(drawn, share) for share in (tail, 1.0 - tail))
    apparent = _apparent(model, horizon, options["intercept"], scale.names)
    has = scale.has_curves
    ends = np.quantile(risk[0], [0.01, 0.99])
    grid = np.linspace(ends[0], ends[1], _GRID) if has else np.empty(0)
    curve = scale.curve(risk, None, grid)[0] if has else np.empty(0)
    k = thresholds if has else np.empty(0)
    everybody = np.ones((1, read.n))
    return ValidationResult(
        table={
            "index": scale.names,
            "apparent": apparent,
            "training": np.full(len(found), np.nan),
            "test": found,
            "optimism": apparent - found,
            "corrected": found,
            "conf_low": low,
            "conf_high": high,
            "mcse": np.full(len(found), np.nan),
            "n_runs": np.isfinite(drawn).sum(axis=0),
        },
        summary={
            "method": "external",
            "n": read.n,
            "n_events": int(events),
            "resamples": options["resamples"],
            "n_failed": 0,
            "n_lost_term": 0,
            "horizon": horizon,
            "design": "fixed",
        },
        calibration_table={"predicted": grid, "apparent": curve, "corrected": curve} if has else {},
        benefit_table={
            "threshold": k,
            "apparent": scale.net_benefit(risk, None, k)[0],
            "corrected": scale.net_benefit(risk, None, k)[0],
            "treat_all": scale.net_benefit(everybody, None, k)[0],
            "treat_none": np.zeros(k.size),
        }
        if has
        else {},
        centre_table={},
        inclusion_table={},
        replicates={"test": drawn},
        notes=_notes(read, fewest),
        options={"formula": read.formula, **options},
        seed=seed,
        synthetic=read.synthetic,
    )


def _judged(model: Any, data: Data, outcome: str, horizon: float | None) -> Judged:
    scale = "score" if isinstance(model, CoxResult) and horizon is None else "risk"
    return judge(data, f"{outcome} ~ 1", models={"model": model}, scale=scale, horizon=horizon)


def _resampled(scale: Judge, risk: Floats, predictor: Floats, resamples: int, seed: int) -> Floats:
    """Indices (B, k) of resampled patients, the predictions as they are."""
    n = risk.shape[1]
    parts = []
    for part, rng in chunk_generators(seed, resamples):
        counts = bootstrap_counts(rng, n, CHUNK)[: part.stop - part.start].astype(np.float64)
        shape = (len(counts), n)
        shared = np.broadcast_to(risk, shape), np.broadcast_to(predictor, shape)
        parts.append(scale.indices(*shared, counts))
    return np.concatenate(parts)


def _quantile(values: Floats, share: float) -> Floats:
    have = np.isfinite(values)
    found = np.full(values.shape[1], np.nan)
    for j in np.flatnonzero(have.any(axis=0)):
        found[j] = np.quantile(values[have[:, j], j], share)
    return found


def _right_on_average(model: Any, intercept: str) -> Any:
    """Return Firth's fit with its intercept re-estimated (FLIC), if that was asked for."""
    firth = isinstance(model, LogisticResult) and model.options["penalty"] == "firth"
    if firth and intercept == "flic" and model.engine is not None:
        return risk_model(model)
    return model


def _apparent(model: Any, horizon: float | None, intercept: str, names: tuple[str, ...]) -> Floats:
    """Return the indices on the data of the fit, missing where it no longer has them."""
    if getattr(model, "engine", None) is None:
        return np.full(len(names), np.nan)
    refit = refit_of_fit(model, horizon=horizon, intercept=intercept)
    whole = refit.original()
    judge = judge_of(refit.outcome, refit.horizon, names)
    return np.asarray(judge.indices(whole.risk, whole.predictor, None)[0])


def _notes(read: Judged, fewest: float) -> tuple[str, ...]:
    notes = [*read.notes, "The model was judged as it is; limits resample the patients."]
    if read.apparent["model"]:
        notes.append(
            "These are the very patients that the model was made from: this is its apparent "
            "performance, not an external validation."
        )
    if fewest < _FEW:
        notes.append(
            f"With {fewest:g} patients of the rarer outcome there are no resampling limits."
        )
    elif fewest < 100:
        notes.append(
            f"There are {fewest:g} patients of the rarer outcome; an external validation needs "
            "about 100 or more to tell a calibration slope (Collins, Ogundimu & Altman 2016)."
        )
    return tuple(notes)
