"""Proportional hazards from interval-censored times: Weibull, or any baseline (Cox's model)."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnetstats._core.frame import Data, is_synthetic_data
from rnetstats._core.options import choice, level
from rnetstats.formula.design import model_frame
from rnetstats.formula.terms import Formula
from rnetstats.kernels.interval_cox import CoxIntervals
from rnetstats.regression.coefficients import infer, reference_levels
from rnetstats.regression.engine import Engine
from rnetstats.regression.interval_fit import (
    IntervalFitted,
    build_engine,
    fit_frame,
    interval_notes,
    summarise,
)
from rnetstats.regression.interval_result import IntervalRegressionResult
from rnetstats.regression.interval_survival import cox_baseline, time_ratio_frame, weibull_baseline
from rnetstats.regression.penalty import penalty_options, prior_notes, read_strength
from rnetstats.regression.variables import labels_of, outcome_name, summarise_variables

__all__ = ["IntervalRegressionResult", "interval_regression"]

_NO_LIMITS = (
    "The baseline of model='cox' is estimated at the cube root of n: survival() gives the bounds "
    "that the estimate leaves, without confidence limits."
)


def interval_regression(
    data: Data,
    formula: str | Formula,
    *,
    model: str = "weibull",
    penalty: str | None = None,
    m: float | dict[str, float] | None = None,
    freq_weights: Any = None,
    conf_level: float = 0.95,
    missing: str = "drop",
) -> IntervalRegressionResult:
    """Fit a proportional-hazards regression to interval-censored times.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        Never changed.
    formula : str
        ``"Interval(left, right) ~ a + rcs(b, 4)"``: the event happened in (left, right]. ``right``
        infinite or missing: right-censored at ``left``; ``left`` = ``right``: seen; ``left`` = 0:
        left-censored. ``offset()`` is understood.
    model : {"weibull", "cox"}
        The baseline hazard: Weibull's, or any, estimated by non-parametric maximum likelihood and
        profiled out.
    penalty : {None, "log-f"}
        Maximum likelihood, with an infinite estimate and a finite limit where the likelihood is
        monotone (an arm without events); or log-F(m, m) priors, always finite.
    m : float or dict, optional
        Strength of the priors, 1 if left out; by term in a dict.
    freq_weights : str or array of shape (n,), optional
        Whole numbers: each row stands for so many patients.
    conf_level : float
    missing : {"drop", "raise"}

    Returns
    -------
    IntervalRegressionResult
        Hazard ratios in ``to_frame()``, with profile-likelihood limits and the likelihood-ratio P.
        ``n_events`` counts patients who are not right-censored.

    Raises
    ------
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used.
    TooFewEventsError
        If all rows are right-censored, or maximum likelihood has more terms than events.
    ConvergenceError
        If the maximum was not found, or the Weibull shape is infinite.
    OptionError
        If an option is not allowed.

    Notes
    -----
    Visits may differ between the groups compared, as long as they do not depend on the event (on
    symptoms, say) given the covariates. Exact and right-censored times give Breslow's partial
    likelihood under ``model="cox"``, up to a constant, and the usual Weibull model. AIC and BIC of
    ``model="cox"`` count the coefficients alone; the log-likelihoods of the models have different
    scales and are not compared.

    References
    ----------
    Finkelstein DM (1986). A proportional hazards model for interval-censored failure time data.
    Biometrics 42:845-854. Zeng D, Mao L, Lin DY (2016). Maximum likelihood estimation for
    semiparametric transformation models with interval-censored data. Biometrika 103:253-271. Murphy
    SA, van der Vaart AW (2000). On profile likelihood. JASA 95:449-465.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> formula = "Surv(dfs_months, dfs_event) ~ margin_positive"
    >>> seen = rn.intervals_from_schedule(cohort, formula, visits={0: 12, 1: 6})
    >>> fit = rn.interval_regression(seen, "Interval(left, right) ~ margin_positive")
    >>> fit.to_frame()[["term", "n_events", "estimate", "conf_low", "conf_high"]].round(2)
                  term  n_events  estimate  conf_low  conf_high
    0  margin_positive      72.0      1.34      0.83       2.13
    """
    choice("model", model, ("weibull", "cox"))
    choice("penalty", penalty, (None, "log-f"))
    strength = read_strength(penalty, m)
    conf_level = level(conf_level)
    frame = model_frame(
        data,
        formula,
        kind="interval",
        weights={"freq_weights": freq_weights},
        missing=missing,
        intercept=False,
    )
    fitted = fit_frame(frame, model, penalty, strength)
    engine = build_engine(frame, fitted, strength)
    found = infer(engine, fitted.event, measure="HR", conf_level=conf_level)
    base = _baseline(fitted, engine)
    ends = np.concatenate([fitted.options["left"], fitted.options["right"][fitted.event]])
    return IntervalRegressionResult(
        table=found.table,
        joint_table=found.joint,
        reference_table=reference_levels(engine, fitted.event),
        covariance=engine.covariance,
        summary=summarise(frame, fitted, engine, found),
        spec=frame.design.spec.to_dict(),
        variables=summarise_variables(frame),
        labels=labels_of(data, frame),
        synthetic=is_synthetic_data(data),
        outcome=outcome_name(frame),
        model=model,
        base=base,
        ratios=_ratios(fitted, engine, found.table, base, conf_level),
        last_time=float(ends.max()),
        engine=engine,
        notes=(
            *interval_notes(frame, fitted),
            *prior_notes(frame, fitted.prior, strength),
            *fitted.notes,
            *found.notes,
            *((_NO_LIMITS,) if model == "cox" else ()),
        ),
        options={
            "formula": frame.formula,
            "model": model,
            **penalty_options(penalty, strength),
            "conf_level": conf_level,
            "missing": missing,
        },
    )


def _baseline(fitted: IntervalFitted, engine: Engine) -> dict[str, Any]:
    if isinstance(fitted.profile, CoxIntervals):
        return cox_baseline(fitted.profile, engine)
    return weibull_baseline(fitted.profile, engine)


def _ratios(
    fitted: IntervalFitted,
    engine: Engine,
    table: dict[str, Any],
    base: dict[str, Any],
    conf_level: float,
) -> dict[str, Any]:
    """Return the columns of time ratios, which need the likelihood and thus the rows."""
    if isinstance(fitted.profile, CoxIntervals) or engine.separated or engine.penalised:
        return {}
    frame = time_ratio_frame(fitted.profile, engine, table, base, conf_level)
    return {str(name): frame[name].tolist() for name in frame}
