"""Validation of a model, or of the whole recipe that made it, by resampling or on other data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rnetstats._core.frame import Data, as_frame, is_synthetic_data
from rnetstats._core.options import choice, draw_count, level, positive_int, real
from rnetstats._core.random import resolve_seed
from rnetstats.errors import OptionError, TooFewEventsError
from rnetstats.kernels.newton import IntArray
from rnetstats.prediction.centres import centre_folds, centre_frame
from rnetstats.prediction.external import validate_external
from rnetstats.prediction.judges import Judge, judge_of
from rnetstats.prediction.progress import progress_bar
from rnetstats.prediction.refit import Refit
from rnetstats.prediction.resampling_schemes import Runs, bootstrap, cross_validate, folds_of
from rnetstats.prediction.validated import validated
from rnetstats.prediction.validation_result import ValidationResult
from rnetstats.prediction.validation_rows import made_of_all, refit_of
from rnetstats.prediction.validation_tables import inner_thresholds, risk_grid

__all__ = ["validate"]

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
        DataFrame and returns a RiskModel; an error of this package in a resample counts as no
        model, any other is passed on. A RiskModel itself can only be judged on other data.
    data : DataFrame, optional
        What a recipe or callable works on. A fit has its own rows; given here, they must be the
        same.
    resamples : int
        Bootstrap resamples; for cross-validation the number of fits, in ``resamples / folds``
        repetitions.
    method : {"boot", "632", "cv", "internal-external"}
        Optimism by the bootstrap (Harrell), .632 (Efron), repeated cross-validation, or leaving
        out one centre of ``by`` at a time. Clusters of a fit are drawn, and left out, whole.
    external : DataFrame, optional
        Other patients: the model is judged on them as it is.
    by : str, optional
        The column of centres, for "internal-external".
    folds : int
        Of cross-validation.
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
    ColumnError, DataError
        If there are no data, they cannot be used, or are others than a fit was made from, a centre
        is missing, or nobody is followed past the horizon.
    TooFewEventsError
        If there is no event by the horizon, or no resample gives a model.

    Notes
    -----
    Every index of a resample is computed with the same definition as the apparent one. A recipe
    that imputes is judged on the values it imputed itself where it is apparent (the mean over its
    imputations), and in a test on values imputed by all patients, anew for each test; ``mcse``
    holds the error of both. Cross-validation judges the predictions of all folds together,
    not fold by fold. Limits shift the percentiles of the index in the resamples by the optimism;
    they lean to the flattering side and hold the truth less often than they say
    (``docs/corrected_limits.md``). With fewer than 5 events (or non-events) there are none, nor for
    an index without a value in more than 5 % of the resamples. Resamples without a model are left
    out and counted. ICI and its kin rest on lowess (at a horizon on a Cox regression on a spline),
    :func:`rnetstats.calibration` on the smoother that it is asked for: compare within one of the
    two.

    References
    ----------
    Harrell FE, Lee KL, Mark DB (1996). Multivariable prognostic models. Statistics in Medicine
    15:361-387.
    Steyerberg EW, Harrell FE (2016). Prediction models need appropriate internal,
    internal-external, and external validation. J Clin Epidemiol 69:245-247.
    Noma H et al. (2021). Statistics in Medicine 40:5691-5701.

    Examples
    --------
    The cut-off is searched again in every resample, which is why little is left of the slope.

    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> whole = rn.recipe("margin_positive ~ nlr + lvi", cut={"nlr": "youden"})
    >>> found = rn.validate(whole, cohort, resamples=20, seed=1, indices=["auc", "slope"])
    >>> found.to_frame()[["index", "apparent", "optimism", "corrected"]].round(2)
       index  apparent  optimism  corrected
    0    auc      0.55      0.03       0.52
    1  slope      1.02      0.42       0.60
    """
    _check(method, intercept, by, external)
    conf_level = level(conf_level)
    resamples = draw_count("resamples", resamples, minimum=2)
    folds = positive_int("folds", folds, minimum=2)
    limits = inner_thresholds(thresholds)
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
    whole = made_of_all(refit, seed)
    with_curve = judge.has_curves and indices is None
    wanted = judge.has_curves and (indices is None or thresholds is not None)
    common: dict[str, Any] = {
        "seed": seed,
        "grid": risk_grid(judge, whole.as_trained[0], _GRID) if with_curve else np.empty(0),
        "thresholds": limits if wanted else np.empty(0),
    }
    dealt = _dealt(refit, judge, data, options, seed)
    runs = _runs(refit, judge, dealt, options, common, progress=progress)
    found = validated(
        refit,
        judge,
        whole,
        runs,
        options=options,
        **common,
        no_curve=with_curve and not common["grid"].size,
    )
    if dealt is not None and dealt[1]:
        table, missing = centre_frame(refit, judge, dealt[0][0], dealt[1], seed)
        found = replace(found, centre_table=table, notes=(*found.notes, *missing))
    drawn = data is not None and is_synthetic_data(as_frame(data))
    return replace(found, synthetic=bool(getattr(model, "synthetic", False)) or drawn)


def _runs(
    refit: Refit,
    judge: Judge,
    dealt: tuple[IntArray, tuple[str, ...]] | None,
    options: dict[str, Any],
    common: dict[str, Any],
    *,
    progress: bool,
) -> Runs:
    """Repeat the model in every resample, or outside every fold."""
    resamples = options["resamples"]
    fits = resamples if dealt is None else dealt[0].shape[0] * (int(dealt[0].max()) + 1)
    with progress_bar(progress, fits, "validate") as step:
        if dealt is None:
            left_out = options["method"] == "632"
            runs = bootstrap(
                refit, judge, resamples=resamples, left_out=left_out, progress=step, **common
            )
        else:
            runs = cross_validate(refit, judge, dealt[0], progress=step, **common)
    if not len(runs.training):
        raise TooFewEventsError(
            f"None of {resamples} resamples gave a model; there are too few events for it."
            if dealt is None
            else "In every repetition the patients outside some fold (or centre) gave no model; "
            "there are too few events, or all are in one place."
        )
    return runs


def _check(method: str, intercept: str, by: str | None, external: Data | None) -> None:
    choice("method", method, ("boot", "632", "cv", "internal-external"))
    choice("intercept", intercept, ("flic", "model"))
    centres = method == "internal-external"
    if external is not None and (centres or by is not None):
        raise OptionError("external= judges the model as it is; leave by= and method= out.")
    if centres and by is None:
        raise OptionError("method='internal-external' leaves centres out: name their column, by=.")
    if by is not None and not centres:
        raise OptionError(f"by={by!r} belongs to method='internal-external'.")
    if by is not None and not isinstance(by, str):
        raise OptionError(f"by= names a column, not {by!r}.")


def _dealt(
    refit: Refit, judge: Judge, data: Data | None, options: dict[str, Any], seed: int
) -> tuple[IntArray, tuple[str, ...]] | None:
    """Return the fold of each patient (R, n) and the centres' names; None for the bootstrap."""
    if options["method"] == "internal-external":
        codes, names = centre_folds(refit, data, options["by"])
        return codes[None, :], names
    if options["method"] != "cv":
        return None
    folds = options["folds"]
    repeats = max(1, options["resamples"] // folds)
    return folds_of(judge.events, folds, repeats, seed, refit.cluster), ()
