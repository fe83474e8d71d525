"""Shrinking a model for prediction, uniformly or by ridge; how shaky the amount is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.options import choice, draw_count, positive_int
from rnetstats._core.random import resolve_seed
from rnetstats.errors import ConvergenceError, OptionError, TooFewEventsError
from rnetstats.formula.variables import Floats
from rnetstats.kernels.ridge import PENALTIES
from rnetstats.prediction.model import RiskModel
from rnetstats.prediction.numbers import numbers_of
from rnetstats.prediction.resamples import patient_counts
from rnetstats.prediction.risk_model import risk_model
from rnetstats.prediction.shrinkable import Shrinkable, shrinkable
from rnetstats.prediction.shrinkage_notes import shrinkage_notes
from rnetstats.prediction.shrinkage_result import ShrinkageResult
from rnetstats.prediction.tuning import METHODS, Tuned
from rnetstats.prediction.tuning_folds import Folds
from rnetstats.regression.cox_result import CoxResult
from rnetstats.regression.logistic import LogisticResult

__all__ = ["ShrinkageResult", "shrink"]

_CV_PENALTIES: Floats = 10.0 ** np.linspace(0.0, 4.0, 17)
_FEWEST = 5


def shrink(
    fit: LogisticResult | CoxResult,
    *,
    method: str = "heuristic",
    horizon: float | None = None,
    penalties: Iterable[float] | None = None,
    folds: int = 10,
    repeats: int = 5,
    resamples: int = 200,
    seed: int | None = None,
    conf_level: float = 0.95,
) -> ShrinkageResult:
    """Shrink a logistic or Cox model's coefficients for prediction.

    Parameters
    ----------
    fit : LogisticResult or CoxResult
        Its rows and design are used; its coefficients where a factor multiplies them.
    method : {"heuristic", "bootstrap", "ridge-aic", "ridge-cv"}
        A factor by van Houwelingen and le Cessie, (chi2 - df) / chi2 of the likelihood-ratio
        statistic of maximum likelihood; a factor that is the mean recalibration slope of
        bootstrap models in the data; a ridge penalty by AIC, or by cross-validation (of a Cox
        model of its partial likelihood, Verweij and van Houwelingen 1993).
    horizon : float, optional
        Of a Cox fit, which needs one: the time of the risks, in the units of the data.
    penalties : iterable of float, optional
        To choose from. They multiply half the squares of the coefficients of columns divided by
        their standard deviation (divisor n - 1), dummy columns of a factor included: the
        reference level matters to a ridge.
    folds, repeats : int
        Of cross-validation, the outcomes dealt apart: patient by patient where a row stands for
        several (``freq_weights``), clusters whole.
    resamples : int
        Bootstrap resamples in which the amount is chosen anew (and, with ``"bootstrap"``, from
        which the factor comes).
    seed : int, optional
    conf_level : float
        Of the limits of the risk, percentiles over the resamples, all of the shrinking repeated
        ("bootstrap" keeps its factor).

    Returns
    -------
    ShrinkageResult
        ``model`` is a RiskModel. The intercept is re-estimated, so that the mean risk is the
        observed share; of a Cox model the baseline hazard.

    Raises
    ------
    ConvergenceError
        If the data are separated and the heuristic factor, which rests on maximum likelihood, is
        asked for; or if most resamples fail.
    OptionError, TooFewEventsError
        If an option is not allowed, or there are fewer than 5 of the rarer outcome (of a time,
        events).

    References
    ----------
    van Houwelingen JC, le Cessie S (1990). Predictive value of statistical models. Stat Med
    9:1303-1325.
    le Cessie S, van Houwelingen JC (1992). Ridge estimators in logistic regression. Appl Stat
    41:191-201.
    Verweij PJM, van Houwelingen HC (1993). Cross-validation in survival analysis. Stat Med
    12:2305-2314.
    Van Calster B, van Smeden M, De Cock B, Steyerberg EW (2020). Regression shrinkage methods for
    clinical prediction models do not guarantee improved performance. Stat Methods Med Res
    29:3166-3178.
    Riley RD, Snell KIE, Martin GP, et al. (2021). Penalization and shrinkage methods produced
    unreliable clinical prediction models especially when sample size was small. J Clin Epidemiol
    132:88-96.

    Examples
    --------
    >>> import rnetstats as rn
    >>> fit = rn.logistic(rn.load_cohort("duan2024"), "margin_positive ~ nlr + size_mm")
    >>> found = rn.shrink(fit, method="heuristic", resamples=20, seed=1)
    >>> found.to_frame()[["term", "coef", "shrunken"]].round(2)
              term  coef  shrunken
    0  (Intercept) -1.15     -0.92
    1          nlr  0.13      0.07
    2      size_mm  0.03      0.01
    """
    choice("method", method, METHODS)
    folds = positive_int("folds", folds, minimum=2)
    repeats = draw_count("repeats", repeats)
    resamples = draw_count("resamples", resamples, minimum=20)
    if not isinstance(fit, LogisticResult | CoxResult):
        raise OptionError(f"shrink() takes a fit of logistic() or cox(), not {type(fit).__name__}.")
    base = risk_model(fit, horizon=horizon, intercept="flic", conf_level=conf_level)
    given = shrinkable(fit, base)
    _check(given, folds, method)
    drawn = resolve_seed(seed)
    rng = np.random.default_rng(np.random.SeedSequence([drawn, 1]))
    shared: dict[str, Any] = {"penalties": _levels(penalties, method)}
    dealt = given.deal(rng, folds, repeats) if method == "ridge-cv" else None
    slopes = None
    if method == "bootstrap":
        slopes = _slopes(given, resamples, drawn)
        shared["factor"] = float(np.clip(np.nanmean(slopes), 0.0, 1.0))
    whole = given.tune(method, None, **shared, folds=None if dealt is None else dealt.whole())
    if not np.isfinite(whole.coef).all():
        raise ConvergenceError(
            "The data are separated: the heuristic factor rests on maximum likelihood, which has "
            "no estimate. Use method='bootstrap' with penalty='firth', or a ridge."
        )
    parts = []
    for counts in patient_counts(given.engine.frame, resamples, drawn):
        held = np.asarray(counts, dtype=float)
        among = None if dealt is None else dealt.among(held)
        part = given.tune(method, held, **shared, folds=among)
        parts.append((part, given.hazards(part.coef, held)))
    return _result(fit, base, given, method, whole, parts, slopes, drawn, dealt)


def _check(given: Shrinkable, folds: int, method: str) -> None:
    if given.rarer < _FEWEST:
        raise TooFewEventsError(
            f"{given.rarer:g} {given.rare}: with fewer than {_FEWEST}, no amount of shrinkage can "
            "be estimated."
        )
    if method == "ridge-cv" and given.rarer < folds:
        raise OptionError(f"folds={folds} is too many: only {given.rarer:g} {given.rare}.")


def _levels(penalties: Iterable[float] | None, method: str) -> Floats:
    if penalties is None:
        return _CV_PENALTIES if method == "ridge-cv" else PENALTIES
    levels = np.unique(numbers_of("penalties", penalties))
    if levels.ndim != 1 or levels.size < 2 or not np.isfinite(levels).all() or levels[0] < 0:
        raise OptionError("penalties must be at least two different numbers, none negative.")
    return levels


def _slopes(given: Shrinkable, resamples: int, seed: int) -> Floats:
    """Recalibration slopes, in the data, of models fitted in resamples (B,)."""
    slopes = np.concatenate(
        [
            given.slopes(np.asarray(counts, dtype=float))
            for counts in patient_counts(given.engine.frame, resamples, seed)
        ]
    )
    if np.isfinite(slopes).mean() < 0.5:
        raise ConvergenceError(
            "Most resamples have no estimate (separation); fit with penalty='firth'."
        )
    return slopes


def _result(
    fit: LogisticResult | CoxResult,
    base: RiskModel,
    given: Shrinkable,
    method: str,
    whole: Tuned,
    parts: list[tuple[Tuned, Floats | None]],
    slopes: Floats | None,
    seed: int,
    dealt: Folds | None,
) -> ShrinkageResult:
    coef, amount = whole.coef[0], float(whole.amount[0])
    draws = np.concatenate([part.coef for part, _ in parts])
    hazards = [hazard for _, hazard in parts if hazard is not None]
    amounts = slopes if slopes is not None else np.concatenate([part.amount for part, _ in parts])
    usable = np.isfinite(draws).all(axis=1)
    notes = list(shrinkage_notes(method, amount, amounts, usable, whole))
    before = fit.coefficients["coef"].to_numpy(dtype=float)
    table = fit.coefficients[["term", "level"]].assign(coef=before, shrunken=coef)
    with np.errstate(divide="ignore", invalid="ignore"):
        table["ratio"] = np.where(before != 0.0, coef / before, np.nan)
    what = f"ridge, penalty {amount:.4g}" if "ridge" in method else f"slopes times {amount:.4g}"
    options = {"method": method, "resamples": len(draws), "conf_level": base.conf_level}
    if dealt is not None:
        options["folds"] = dealt.count
    enough = usable.mean() >= 0.5 and given.limits
    if not given.limits:
        notes.append("No limits of the risk: fewer than five events by the horizon.")
    model = replace(
        base,
        **given.fields(coef),
        covariance=None,
        draws=draws[usable] if enough else None,
        draw_hazard=np.concatenate(hazards)[usable] if enough and hazards else None,
        method=f"{base.method}; shrunken ({method}: {what})",
        limits=f"bootstrap percentiles, {len(draws)} resamples, the shrinkage repeated"
        if enough
        else "none",
        seed=seed,
        notes=(*base.notes, *notes),
        options={**base.options, "resamples": len(draws), "shrink": method},
    )
    resample = np.arange(1, len(amounts) + 1)
    return ShrinkageResult(
        table=table.reset_index(drop=True),
        model=model,
        amount=amount,
        df=float(whole.df[0]),
        tuning=pd.DataFrame({"resample": resample, "amount": amounts}),
        notes=tuple(notes),
        seed=seed,
        options=options,
        synthetic=fit.synthetic,
    )
