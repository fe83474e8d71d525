"""A model that gives absolute risks, made of a logistic or a Cox fit."""

from __future__ import annotations

from typing import Any

from rnetstats._core.options import choice, level
from rnetstats._core.random import resolve_seed
from rnetstats.errors import OptionError
from rnetstats.prediction.from_cox import cox_fields
from rnetstats.prediction.from_logistic import logistic_fields
from rnetstats.prediction.model import RiskModel
from rnetstats.prediction.resamples import few_resamples, resample_count
from rnetstats.regression.cox_result import CoxResult
from rnetstats.regression.logistic import LogisticResult

__all__ = ["RiskModel", "risk_model"]

MAX_RESAMPLES = 10_000


def risk_model(
    fit: LogisticResult | CoxResult,
    *,
    horizon: float | None = None,
    intercept: str = "flic",
    resamples: int = 0,
    seed: int | None = None,
    conf_level: float = 0.95,
) -> RiskModel:
    """Make a model of absolute risk of a fit.

    Parameters
    ----------
    fit : LogisticResult or CoxResult
    horizon : float, optional
        For a Cox fit: the time by which the risk is meant.
    intercept : {"flic", "flac", "model"}
        For a logistic fit. Firth's penalty draws risks towards one half: FLIC keeps the slopes
        and re-estimates the intercept, so that the mean risk is the observed share; FLAC
        re-estimates all; ``"model"`` keeps the fit as it is.
    resamples : int
        Bootstrap resamples of the whole fit (FLIC or FLAC, or the baseline hazard, included) for
        percentile limits of the risk; 0 for Wald limits.
    seed : int, optional
    conf_level : float

    Returns
    -------
    RiskModel

    Raises
    ------
    DataNotKeptError
        If the fit was read back from JSON.
    ConvergenceError
        If a coefficient is infinite, or most resamples have no estimate.
    OptionError
        If a Cox fit has no horizon or one beyond follow-up, or a logistic fit has one.
    TooFewEventsError
        If there is no event by the horizon, or fewer than 5 for limits by resampling.

    Notes
    -----
    Limits are of the risk given the model's form; they do not know of terms or cut-offs that were
    chosen on the same data. ``validate()`` of a ``recipe()`` does. With few events percentiles are
    too narrow: at 10 events among 527 patients limits of 95 % covered 89 % of the time in a
    simulation (Wald limits 95 to 98 %), at 300 events among 800 they covered 94 to 95 %.

    References
    ----------
    Puhr R, Heinze G, Nold M, Lusa L, Geroldinger A (2017). Firth's logistic regression with rare
    events: accurate effect estimates and predictions? Stat Med 36:2302-2317.

    Examples
    --------
    >>> import rnetstats as rn
    >>> fit = rn.logistic(rn.load_cohort("duan2024"), "margin_positive ~ nlr + size_mm")
    >>> model = rn.risk_model(fit)
    >>> patients = {"nlr": [2.0, 5.0], "size_mm": [8.0, 60.0]}
    >>> model.predict(patients, outside="flag")[["risk", "reason"]].round(2)
       risk                            reason
    0  0.33
    1   NaN  size_mm is 60, outside 1 to 19.5
    """
    choice("intercept", intercept, ("flic", "flac", "model"))
    conf_level = level(conf_level)
    resample_count(resamples)
    if resamples > MAX_RESAMPLES:
        raise OptionError(
            f"resamples={resamples} is more than {MAX_RESAMPLES}, which a model keeps."
        )
    drawn = resolve_seed(seed) if resamples else None
    options: dict[str, Any] = {"resamples": resamples, "conf_level": conf_level}
    if isinstance(fit, LogisticResult):
        if horizon is not None:
            raise OptionError("A logistic fit has no time axis: leave horizon out, or fit cox().")
        fields = logistic_fields(fit, intercept=intercept, resamples=resamples, seed=drawn)
        options["intercept"] = intercept
    elif isinstance(fit, CoxResult):
        if intercept != "flic":
            raise OptionError("A Cox fit has no intercept; leave intercept= out.")
        fields = cox_fields(fit, horizon=horizon, resamples=resamples, seed=drawn)
    else:
        raise OptionError(
            f"risk_model() takes a fit of logistic() or cox(), not {type(fit).__name__}. "
            "RiskModel.from_estimator() takes anything with predict_proba, "
            "RiskModel.from_coefficients() published numbers."
        )
    fields["notes"] = (*fields["notes"], *few_resamples(resamples))
    return RiskModel(**fields, seed=drawn, options=options)
