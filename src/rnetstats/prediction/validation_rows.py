"""What a validation works on: the model made again, its rows, and a horizon within follow-up."""

from __future__ import annotations

from typing import Any

from rnetstats._core.frame import Data
from rnetstats.errors import DataError, OptionError, TooFewEventsError
from rnetstats.prediction.judged import is_risk_model, judge
from rnetstats.prediction.recipe import Recipe
from rnetstats.prediction.refit import Refit, Refitted
from rnetstats.prediction.refit_callable import CallableRefit
from rnetstats.prediction.refit_fixed import refit_of_fit
from rnetstats.regression.cox_result import CoxResult
from rnetstats.regression.logistic import LogisticResult

__all__ = ["made_of_all", "refit_of"]


def refit_of(model: Any, data: Data | None, time: float | None, intercept: str) -> Refit:
    """Return what makes the model again; a :class:`Refit` is that already, horizon and all.

    Raises
    ------
    OptionError
        If the model cannot be made again, or an option does not suit it.
    DataError
        If data are missing, or are not the rows that a fit was made from.
    """
    if isinstance(model, Refit):
        return model
    if isinstance(model, (LogisticResult, CoxResult)):
        refit = refit_of_fit(model, horizon=time, intercept=intercept)
        if data is not None:
            _refuse_other_rows(model, data)
        return refit
    if is_risk_model(model):
        raise OptionError(
            "A RiskModel holds no patients, so that it cannot be made again in resamples. Give "
            "the fit or the recipe that made it, or other patients by external=."
        )
    if not isinstance(model, Recipe) and not callable(model):
        raise OptionError(
            "A fit of logistic() or cox(), a recipe or a callable can be made again in resamples; "
            f"this is of type {type(model).__name__}."
        )
    if intercept != "flic":
        raise OptionError(
            "intercept= is for a fit; a recipe or a callable sets its own intercept in every "
            "resample."
        )
    if data is None:
        raise DataError("A recipe or a callable needs data: validate(recipe, data).")
    if isinstance(model, Recipe):
        return model.refit(data, horizon=time)
    return CallableRefit(model, data, horizon=time)


def made_of_all(refit: Refit, seed: int) -> Refitted:
    """Return the model made from all rows, in each imputation, which must exist.

    Raises
    ------
    TooFewEventsError
        If there is none.
    DataError
        If a column cannot be estimated.
    """
    whole = refit.whole(seed)
    if not whole.usable.all():
        raise TooFewEventsError(
            "The model cannot be made from these data (separated, without events or of one "
            "outcome only, or a cut-off or knot of a recipe cannot be placed), so that there is "
            "nothing to judge; penalty='firth' keeps estimates finite."
        )
    if whole.lost.all():
        raise DataError(
            "A column of the design is constant in these data, or repeats others: it cannot be "
            "estimated. Leave its term out, or choose another cut-off."
        )
    return whole


def _refuse_other_rows(model: LogisticResult | CoxResult, data: Data) -> None:
    """Say so if the data are others than those of the fit, which would be passed over."""
    engine = model._need("engine", "A validation")
    frame = engine.frame
    weights = frame.freq_weights is not None or frame.cluster is not None
    read = judge(data, f"{model.outcome} ~ 1", models={"fit": model}, scale=_scale(model))
    if not read.apparent["fit"] and not (weights and read.n > frame.n):
        raise DataError(
            "data= does not hold the rows that the fit was made from. A fit brings its own rows; "
            "other patients are given by external=."
        )


def _scale(model: LogisticResult | CoxResult) -> str:
    return "score" if isinstance(model, CoxResult) else "risk"
