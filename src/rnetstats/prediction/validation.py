"""Validation of a model, or of the whole recipe that made it, by resampling or on other data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame, is_synthetic_data
from rnetstats._core.options import choice, level, positive_int, real
from rnetstats._core.random import resolve_seed
from rnetstats.errors import DataError, OptionError, TooFewEventsError
from rnetstats.kernels.newton import IntArray
from rnetstats.prediction.centres import centre_folds, centre_frame
from rnetstats.prediction.corrected import corrected_curve, corrected_table
from rnetstats.prediction.external import validate_external
from rnetstats.prediction.inclusion import inclusion_frame
from rnetstats.prediction.judges import Judge, judge_of
from rnetstats.prediction.recipe import Recipe
from rnetstats.prediction.refit import Refit, Refitted, refit_of_fit
from rnetstats.prediction.refit_callable import CallableRefit
from rnetstats.prediction.resampling_schemes import Runs, bootstrap, cross_validate, folds_of
from rnetstats.prediction.validation_result import ValidationResult
from rnetstats.regression.cox import CoxResult
from rnetstats.regression.logistic import LogisticResult

__all__ = ["refit_of", "validate"]

Floats = NDArray[np.float64]
_FEW = 5  # events below which resampling limits are not given
_SMALL = 20
_GRID = 41


def validate(
    model: Any,
    data: Data | None = None,
    *,
    resamples: int = 1000,
    method: str = "boot",
    external: Data | None = None,
    by: str | None = None,
    folds: int = 10,
    time: float | None = None,
    indices: Sequence[str] | None = None,
    thresholds: Any = None,
    intercept: str = "flic",
    conf_level: float = 0.95,
    progress: bool = False,
    seed: int | None = None,
) -> ValidationResult:
    """Estimate how a model performs in patients who did not help to make it.

    Parameters
    ----------
    model : LogisticResult, CoxResult, Recipe, RiskModel or callable
        A fit keeps its design in every resample, as rms does. A recipe (of :func:`recipe`) is
        repeated whole: imputation, cut-offs, selection, knots, shrinkage. A callable takes a
        DataFrame and returns a RiskModel. A RiskModel itself can only be judged on other data.
    data : DataFrame, optional
        What a recipe or callable works on; a fit has its own.
    resamples : int
        Bootstrap resamples; for cross-validation the number of fits, in ``resamples / folds``
        repetitions.
    method : {"boot", "632", "cv", "internal-external"}
        Optimism by the bootstrap (Harrell), .632 (Efron), repeated cross-validation, or leaving
        out one centre of ``by`` at a time.
    external : DataFrame, optional
        Other patients: the model is judged on them as it is.
    by : str, optional
        The column of centres.
    folds : int
    time : float, optional
        For a survival model the horizon of risks, in the units of the data. Without it only
        indices of the linear predictor are given.
    indices : sequence of str, optional
        The indices wanted, and nothing else; by default all, and the calibration curve.
    thresholds : sequence of float, optional
        For net benefit; by default .01 to .99, and none where ``indices`` are named.
    intercept : {"flic", "model"}
        Firth's risks are too large on average when events are rare: by default the intercept is
        re-estimated in every resample.
    conf_level : float
    progress : bool
        Show a progress bar.
    seed : int, optional
        The same seed gives the same resamples, whatever else is asked for.

    Returns
    -------
    ValidationResult

    Raises
    ------
    OptionError
        If an option does not suit the model, or the model cannot be repeated.
    DataError
        If there are no data, or a centre is missing.
    TooFewEventsError
        If no resample gives a model.

    Notes
    -----
    Every index of a resample is computed with the same definition as the apparent one. Limits
    shift the percentiles of the index in the resamples by the optimism; with fewer than 5 events
    (or non-events) there are none. Resamples without a model are left out and counted.

    References
    ----------
    Harrell FE, Lee KL, Mark DB (1996). Multivariable prognostic models. Statistics in Medicine
    15:361-387.
    Steyerberg EW, Harrell FE (2016). Prediction models need appropriate internal,
    internal-external, and external validation. J Clin Epidemiol 69:245-247.
    Noma H et al. (2021). Statistics in Medicine 40:5691-5701.
    """
    choice("method", method, ("boot", "632", "cv", "internal-external"))
    choice("intercept", intercept, ("flic", "model"))
    level(conf_level)
    positive_int("resamples", resamples, minimum=2)
    positive_int("folds", folds, minimum=2)
    limits = _thresholds(thresholds)
    seed = resolve_seed(seed)
    if time is not None:
        time = real("time", time, low=0.0, closed=False)
    options = {
        "resamples": resamples,
        "method": "external" if external is not None else method,
        "by": by,
        "folds": folds,
        "time": time,
        "intercept": intercept,
        "conf_level": conf_level,
    }
    if external is not None:
        return validate_external(
            model, external, indices=indices, thresholds=limits, options=options, seed=seed
        )
    refit = refit_of(model, data, time, intercept)
    judge = judge_of(refit.outcome, refit.horizon, indices)
    whole = refit.original()
    if not whole.usable[0]:
        raise TooFewEventsError(
            "The model cannot be made from these data (separated, or without events), so that "
            "there is nothing to validate; penalty='firth' keeps estimates finite."
        )
    if method == "internal-external" and by is None:
        raise OptionError("method='internal-external' leaves centres out: name their column, by=.")
    grid = _grid(judge, whole) if indices is None else np.empty(0)
    wanted = judge.has_curves and (indices is None or thresholds is not None)
    limits = limits if wanted else np.empty(0)
    bar = _progress(progress, resamples)
    common: dict[str, Any] = {
        "seed": seed,
        "grid": grid,
        "thresholds": limits,
        "progress": bar,
    }
    centres: dict[str, Any] = {}
    if method in ("boot", "632"):
        runs = bootstrap(refit, judge, resamples=resamples, left_out=method == "632", **common)
    else:
        assigned = _folds(refit, judge, data, method, by, folds, resamples, seed)
        runs = cross_validate(refit, judge, assigned[0], **common)
        if method == "internal-external":
            centres = centre_frame(refit, judge, assigned[0][0], assigned[1], seed)
    if not len(runs.training):
        raise TooFewEventsError(
            f"None of {resamples} resamples gave a model; there are too few events for it."
        )
    return _result(
        refit,
        judge,
        whole,
        runs,
        centres,
        synthetic=_synthetic(model, data),
        options=options,
        seed=seed,
        thresholds=limits,
        grid=grid,
    )


def refit_of(model: Any, data: Data | None, time: float | None, intercept: str) -> Refit:
    """Return what makes the model again."""
    if isinstance(model, (LogisticResult, CoxResult)):
        return refit_of_fit(model, horizon=time, intercept=intercept)
    if isinstance(model, Recipe):
        if data is None:
            raise DataError("A recipe needs data: validate(recipe, data).")
        return model.refit(data, horizon=time)
    if hasattr(model, "predict") and hasattr(model, "fingerprint"):
        raise OptionError(
            "A RiskModel holds no patients, so that it cannot be made again in resamples. Give "
            "the fit or the recipe that made it, or other patients by external=."
        )
    if callable(model):
        if data is None:
            raise DataError("A callable needs data: validate(function, data).")
        return CallableRefit(model, data, horizon=time)
    raise OptionError(
        f"validate() takes a fit of logistic() or cox(), a recipe, a RiskModel (with external=) "
        f"or a callable, not a {type(model).__name__}."
    )


def _folds(
    refit: Refit,
    judge: Judge,
    data: Data | None,
    method: str,
    by: str | None,
    folds: int,
    resamples: int,
    seed: int,
) -> tuple[IntArray, tuple[str, ...]]:
    """Return the fold of each patient (R, n), and the centres' names."""
    if method == "internal-external":
        assert by is not None
        codes, names = centre_folds(refit, data, by)
        return codes[None, :], names
    if folds > refit.n:
        raise OptionError(f"folds={folds} exceeds the {refit.n} patients.")
    return folds_of(judge.events, folds, max(1, resamples // folds), seed), ()


def _thresholds(thresholds: Any) -> Floats:
    if thresholds is None:
        return np.arange(1, 100) / 100.0
    values = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    if values.ndim != 1 or not ((values > 0.0) & (values < 1.0)).all():
        raise OptionError(
            "thresholds are probabilities above 0 and below 1: at 0 everybody is treated, at 1 a "
            "false positive would outweigh everything."
        )
    return np.unique(values)


def _grid(judge: Judge, whole: Refitted) -> Floats:
    """Predicted risks over the central 98 % of patients."""
    if not judge.has_curves:
        return np.empty(0)
    low, high = np.quantile(whole.risk[0], [0.01, 0.99])
    return np.linspace(low, high, _GRID) if high > low else np.empty(0)


def _progress(wanted: bool, total: int) -> Callable[[int], object] | None:
    if not wanted:
        return None
    from tqdm.auto import tqdm

    bar = tqdm(total=total, desc="validate", unit="resample", leave=False)

    def advance(done: int) -> None:
        bar.update(done - bar.n)
        if done >= total:
            bar.close()

    return advance


def _synthetic(model: Any, data: Data | None) -> bool:
    return bool(getattr(model, "synthetic", False)) or (
        data is not None and is_synthetic_data(as_frame(data))
    )


def _result(
    refit: Refit,
    judge: Judge,
    whole: Refitted,
    runs: Runs,
    centres: dict[str, Any],
    *,
    synthetic: bool,
    options: dict[str, Any],
    seed: int,
    thresholds: Floats,
    grid: Floats,
) -> ValidationResult:
    method = options["method"]
    events = float(judge.events.sum())
    fewest = min(events, refit.n - events)
    apparent = judge.indices(whole.risk, whole.predictor, None)[0]
    table = corrected_table(
        judge.names,
        apparent,
        runs,
        method=method,
        conf_level=options["conf_level"],
        limits=fewest >= _FEW,
    )
    curve: dict[str, Any] = {}
    if grid.size:
        first = judge.curve(whole.risk, None, grid)[0]
        curve = {
            "predicted": grid,
            "apparent": first,
            "corrected": corrected_curve(first, runs.curve_training, runs.curve_test, method),
        }
    benefit: dict[str, Any] = {}
    if thresholds.size:
        first = judge.net_benefit(whole.risk, None, thresholds)[0]
        everybody = judge.net_benefit(np.ones((1, refit.n)), None, thresholds)[0]
        benefit = {
            "threshold": thresholds,
            "apparent": first,
            "corrected": corrected_curve(first, runs.benefit_training, runs.benefit_test, method),
            "treat_all": everybody,
            "treat_none": np.zeros(thresholds.size),
        }
    done = len(runs.training)
    return ValidationResult(
        table=table,
        summary={
            "method": method,
            "n": refit.n,
            "n_events": int(events),
            "resamples": done + (runs.failed if method in ("boot", "632") else 0),
            "n_failed": runs.failed,
            "n_lost_term": runs.lost,
            "horizon": refit.horizon,
            "design": "fixed" if refit.fixed else "repeated",
        },
        calibration_table=curve,
        benefit_table=benefit,
        centre_table=centres,
        inclusion_table=inclusion_frame(whole.choices, runs.choices),
        replicates={"training": runs.training, "test": runs.test},
        notes=_notes(refit, judge, table, runs, method, fewest),
        options={"formula": refit.formula, **options},
        seed=seed,
        synthetic=synthetic,
    )


def _notes(
    refit: Refit, judge: Judge, table: dict[str, Any], runs: Runs, method: str, fewest: float
) -> tuple[str, ...]:
    """Say what was repeated, what failed and what has no limits."""
    notes = list(refit.notes)
    if refit.fixed:
        notes.append(
            "The design was held fixed: if terms, cut-offs or knots were chosen on these data, "
            "the true optimism is larger. A recipe repeats those choices in every resample."
        )
    else:
        notes.append("Every resample repeated the whole recipe.")
    if runs.failed:
        notes.append(f"{runs.failed} resamples gave no model and were left out.")
    if runs.lost:
        notes.append(
            f"{runs.lost} resamples lost a level or a column of the design, which then "
            "contributed nothing to their predictions."
        )
    if fewest < _FEW:
        notes.append(
            f"With {fewest:g} patients of the rarer outcome there are no resampling limits."
        )
    if method != "boot":
        notes.append("Limits are given with method='boot' alone.")
    elif fewest >= _FEW:
        notes.append(
            "Calibration slope, intercept and U have no limits: each resample's own fit brings "
            "them to their ideal, so that they do not vary there."
        )
    if refit.n < _SMALL:
        notes.append(f"{refit.n} patients are too few to validate any model.")
    short = [
        f"{name} ({count})"
        for name, count in zip(table["index"], table["n_runs"], strict=True)
        if count < len(runs.training)
    ]
    if short:
        notes.append(
            f"Of {len(runs.training)} resamples fewer have a value of {', '.join(short)}: it is "
            "undefined where predictions are all alike or separate the outcomes."
        )
    if not judge.has_curves:
        notes.append("Without time= there is no calibration or net benefit, which need a horizon.")
    return tuple(notes)
