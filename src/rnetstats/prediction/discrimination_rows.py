"""From the data to the tables of a discrimination: what is judged, how, and what to say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import Data
from rnetstats._core.options import choice, real
from rnetstats.errors import DataError, OptionError, rows_text
from rnetstats.formula.parser import as_formula, parse_formula
from rnetstats.prediction.auc_indices import binary_indices
from rnetstats.prediction.discrimination_draws import (
    apparent_notes,
    bootstrap_draws,
    draw_notes,
    size_notes,
    uno_notes,
)
from rnetstats.prediction.discrimination_tables import Settings, estimate_rows, pair_rows
from rnetstats.prediction.judged import Judged, judge
from rnetstats.prediction.resamples import few_resamples, resample_count
from rnetstats.prediction.time_indices import time_indices
from rnetstats.regression.cox_result import CoxResult

__all__ = ["Analysis", "analyse", "judged_rows", "usual_times"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """Tables, counts and notes of one discrimination."""

    estimates: pd.DataFrame
    pairs: pd.DataFrame
    n: float
    n_events: float
    notes: tuple[str, ...]


def usual_times(estimates: pd.DataFrame) -> list[float]:
    """Return the horizons of the AUC(t) in a table of estimates."""
    return list(dict.fromkeys(estimates.loc[estimates["index"] == "AUC(t)", "time"]))


def judged_rows(
    data: Data,
    formula: str,
    *,
    models: Mapping[str, Any] | None,
    scale: str,
    time: float | Sequence[float] | None,
    tau: float | None,
    cause: Any,
    censor: Any,
    freq_weights: Any,
    missing: str,
) -> tuple[Judged, tuple[float, ...]]:
    """Read outcome and predictions, and the horizons asked for.

    Without a single horizon a Cox fit has no risk but its linear predictor; the columns beside
    it are then checked here.
    """
    choice("scale", scale, ("risk", "score"))
    times = _horizons(time)
    if tau is not None:
        real("tau", tau, low=0.0, closed=False)
    parsed = as_formula(formula)
    with_times = parsed.outcome is not None and bool(parsed.outcome.times)
    if not with_times and not (time is None and tau is None and cause is None):
        raise OptionError("time=, tau= and cause= belong to an outcome with times, Surv(...).")
    single = times[0] if len(times) == 1 else None
    by_score = scale == "score" or (with_times and single is None)
    judged = judge(
        data,
        formula,
        models=models,
        scale="score" if by_score else "risk",
        horizon=None if by_score else single,
        freq_weights=freq_weights,
        missing=missing,
        censor=censor,
        cause=cause,
    )
    if by_score and scale == "risk":
        _check_risks(judged)
    if by_score:
        _refuse_strata(judged)
    _refuse_missing(judged)
    columns = len(judged.labels) - len(judged.fits)
    steady = [*judged.risk[:columns], *(_steady(row) for row in judged.risk[columns:])]
    return replace(judged, risk=np.array(steady)), times


def _horizons(time: float | Sequence[float] | None) -> tuple[float, ...]:
    if time is None:
        return ()
    given: list[Any] = [time] if np.ndim(time) == 0 else list(np.asarray(time, dtype=object))
    if not given:
        raise OptionError("time=[] names no horizon; leave it out, or give one.")
    found = tuple(real("time", value, low=0.0, closed=False) for value in given)
    return tuple(dict.fromkeys(found))


def _check_risks(judged: Judged) -> None:
    """Refuse columns of risk outside [0, 1], and risks of models outside it."""
    for label, values in zip(judged.labels, judged.risk, strict=True):
        if label in judged.fits:
            continue
        outside = (values < 0.0) | (values > 1.0)
        if outside.any():
            where = rows_text(list(judged.positions[outside] + 1))
            raise DataError(
                f"Column {label!r} holds no risks: {values[outside][0]:g} is outside [0, 1] in "
                f"{where}. A risk is a probability of the event; other scores are judged with "
                "scale='score'."
            )


def _refuse_missing(judged: Judged) -> None:
    """Refuse a model that has no prediction for a patient."""
    for label, values in zip(judged.labels, judged.risk, strict=True):
        lost = ~np.isfinite(values)
        if lost.any():
            where = rows_text(list(judged.positions[lost] + 1))
            raise DataError(f"{label} predicts nothing, or an infinite number, for {where}.")


def _refuse_strata(judged: Judged) -> None:
    """Refuse the linear predictor of a stratified Cox fit, which orders within strata only."""
    for label, model in judged.fits.items():
        if isinstance(model, CoxResult) and parse_formula(model.design.formula).strata:
            raise OptionError(
                f"models[{label!r}] is stratified: its linear predictor does not compare patients "
                "of different strata. Give one horizon, time=, for its risk there."
            )


def _steady(values: Floats) -> Floats:
    """Make predictions equal that differ by rounding alone, as those of equal patients may."""
    order = np.argsort(values)
    ordered = values[order]
    gaps = np.diff(ordered) > 1e-12 * np.maximum(np.abs(ordered[1:]), np.abs(ordered[:-1]))
    first = np.append(0, np.flatnonzero(gaps) + 1)
    level = np.append(0, np.cumsum(gaps))
    found = np.empty_like(values)
    found[order] = ordered[first][level]
    return found


def analyse(
    judged: Judged,
    times: tuple[float, ...],
    tau: float | None,
    options: Mapping[str, Any],
    seed: int | None,
) -> Analysis:
    """Estimate all indices and compare all pairs."""
    resamples = resample_count(options["resamples"])
    if judged.outcome.y is not None:
        indices = binary_indices(judged)
        flags = judged.outcome.y > 0
    else:
        indices = time_indices(judged, times, tau)
        assert judged.outcome.event is not None
        flags = judged.outcome.event
    weight = np.ones(judged.n) if judged.freq is None else judged.freq
    n, n_events = float(weight.sum()), float(weight @ flags)
    settings = Settings(options["ci"], options["conf_level"])
    notes = size_notes(n, indices)
    if resamples:
        settings = replace(settings, draws=bootstrap_draws(judged, indices, resamples, seed))
        notes += [*draw_notes(indices, settings.draws, resamples), *few_resamples(resamples)]
    estimates, said = estimate_rows(judged, indices, settings)
    pairs, compared = pair_rows(judged, indices, settings)
    notes += [*said, *compared, *apparent_notes(judged), *uno_notes(judged, indices)]
    return Analysis(estimates, pairs, n, n_events, tuple(notes))
