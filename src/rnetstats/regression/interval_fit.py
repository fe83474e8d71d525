"""Fitting a proportional-hazards model to interval-censored times: checks, fit, summary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnetstats.errors import (
    ConvergenceError,
    DataError,
    FormulaError,
    OptionError,
    TooFewEventsError,
)
from rnetstats.formula.design import ModelFrame
from rnetstats.kernels.interval_cox import CoxIntervals, cox_intervals
from rnetstats.kernels.interval_weibull import WeibullIntervals, weibull_intervals
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.newton import OK, Evaluate, NewtonFit, maximise
from rnetstats.regression.coefficients import Inference
from rnetstats.regression.engine import Engine
from rnetstats.regression.fitting import (
    check_converged,
    check_parameters,
    finite_everywhere,
    model_covariance,
    with_infinities,
)
from rnetstats.regression.interval_recession import cox_recession, weibull_recession
from rnetstats.regression.penalty import Strength, prior_name, prior_of, unpenalised
from rnetstats.regression.recession import Recession
from rnetstats.regression.variables import outcome_name

__all__ = ["IntervalFitted", "build_engine", "fit_frame", "interval_notes", "summarise"]


@dataclass(frozen=True, eq=False)
class IntervalFitted:
    """A fit of the coefficients with the counts behind it.

    Attributes
    ----------
    likelihood : callable
        :func:`weibull_intervals` or :func:`cox_intervals`.
    options : dict
        What it takes beside the design.
    profile : WeibullIntervals or CoxIntervals
        The likelihood at the design, without a prior.
    fit : NewtonFit
        Of the coefficients, the baseline profiled out.
    separation : Recession
        What is infinite under maximum likelihood.
    event : bool array of shape (n,)
    counts : dict
    notes : tuple of str
    """

    likelihood: Callable[..., Evaluate]
    options: dict[str, Any]
    profile: WeibullIntervals | CoxIntervals
    fit: NewtonFit
    separation: Recession
    prior: LogF | None
    event: np.ndarray
    counts: dict[str, int]
    notes: tuple[str, ...]

    @property
    def n_events(self) -> float:
        """Patients who are not right-censored."""
        return float(self.counts["n_events"])


def fit_frame(frame: ModelFrame, model: str, penalty: str | None, m: Strength) -> IntervalFitted:
    """Fit the frame's model, looking for infinite estimates first.

    Raises
    ------
    TooFewEventsError, ConvergenceError, DataError, FormulaError, OptionError
    """
    left, right = _ends(frame, model)
    X, event = frame.design.X, np.isfinite(right)
    counts = _counts(frame, left, right)
    _check(frame, counts)
    notes = check_parameters(X.shape[1], counts["n_events"], "events", penalty)
    separation = _separation(frame, model, left, right)
    prior = prior_of(frame, m)
    if prior is not None and separation.kind != "none":
        free = np.flatnonzero(unpenalised(prior, X.shape[1]))
        lost = [frame.design.columns[j].name for j in free if separation.direction[j] != "finite"]
        if lost:
            raise ConvergenceError(
                f"Without a prior, {', '.join(lost)} stay infinite (the likelihood is monotone): "
                "name their terms in m, or leave m out for a prior on every term."
            )
    build: Callable[..., Any] = weibull_intervals if model == "weibull" else cox_intervals
    options: dict[str, Any] = {
        "left": left,
        "right": right,
        "freq": frame.freq_weights,
        "offset": frame.offset,
        "prior": prior,
    }
    if model == "cox" and not len(cox_intervals(X, left=left, right=right).before.T):
        raise TooFewEventsError(
            "Nobody is known to be free of the event at a time by which another has it: the "
            "intervals do not say who came first, and there is no hazard ratio to estimate."
        )
    scale = np.where(X.std(axis=0) > 0.0, X.std(axis=0), 1.0)
    scaled = {**options, "prior": None if prior is None else prior.turned(np.diag(1.0 / scale))}
    fit = maximise(build(X / scale, **scaled), np.zeros((1, X.shape[1])))
    left_over = finite_everywhere(X.shape[1]) if prior is not None else separation
    check_converged(frame, int(fit.status[0]), left_over, penalty)
    return IntervalFitted(
        likelihood=build,
        options=options,
        profile=build(X, **{**options, "prior": None}),
        fit=_unscaled(fit, scale),
        separation=separation,
        prior=prior,
        event=event,
        counts=counts,
        notes=notes,
    )


def _unscaled(fit: NewtonFit, scale: np.ndarray) -> NewtonFit:
    """Return a fit on columns divided by a scale as one on the columns themselves."""
    information = fit.information * np.outer(scale, scale)
    return NewtonFit(
        coef=fit.coef / scale,
        log_likelihood=fit.log_likelihood,
        score=fit.score * scale,
        information=information,
        status=fit.status,
        iterations=fit.iterations,
    )


def _ends(frame: ModelFrame, model: str) -> tuple[np.ndarray, np.ndarray]:
    outcome = frame.outcome
    assert outcome is not None
    assert outcome.left is not None
    assert outcome.right is not None
    zero = outcome.right == 0.0
    if model == "weibull" and zero.any():
        raise DataError(
            f"{int(zero.sum())} rows have the event at time 0, where a Weibull model has none: "
            "leave these patients out, or count from an earlier origin."
        )
    return outcome.left, outcome.right


def _counts(frame: ModelFrame, left: np.ndarray, right: np.ndarray) -> dict[str, int]:
    weight = np.ones(frame.n) if frame.freq_weights is None else frame.freq_weights
    event, exact, early = np.isfinite(right), left == right, left == 0.0
    kinds = {
        "n": np.ones(frame.n, dtype=bool),
        "n_events": event,
        "n_exact": exact,
        "n_left": event & early & ~exact,
        "n_interval": event & ~early & ~exact,
        "n_right": ~event,
    }
    return {name: int(weight @ flags) for name, flags in kinds.items()}


def _check(frame: ModelFrame, counts: dict[str, int]) -> None:
    if frame.strata is not None or frame.cluster is not None:
        raise FormulaError(
            "interval_regression() takes no strata() or cluster(); write strata as a term, C(x)."
        )
    if not counts["n_events"]:
        raise TooFewEventsError(
            f"All {frame.n} rows used are right-censored: no hazard ratio can be estimated from "
            f"{outcome_name(frame)}. exact_rate() gives a bound on the rate."
        )
    if frame.design.X.shape[1] == 0:
        raise OptionError(
            "A regression needs a term: for '~ 1' turnbull() estimates survival without one."
        )


def _separation(frame: ModelFrame, model: str, left: np.ndarray, right: np.ndarray) -> Recession:
    X = frame.design.X - frame.design.X.mean(axis=0)
    if model == "cox":
        return cox_recession(X, left, right)
    found, shape = weibull_recession(X, left, right)
    if shape:
        raise ConvergenceError(
            "The Weibull shape is infinite: all events lie in intervals that share a time, and "
            "nobody is known to be free of it after that, so that nothing says how long they take. "
            "Use model='cox', or compare proportions at that time by exact_table()."
        )
    return found


def build_engine(frame: ModelFrame, fitted: IntervalFitted, m: Strength) -> Engine:
    """Bind the fit to its rows."""
    fit, p = fitted.fit, frame.design.X.shape[1]
    effective = finite_everywhere(p) if fitted.prior is not None else fitted.separation
    information = fit.information[0]
    covariance = np.full((p, p), np.nan)
    if effective.kind == "none":
        covariance = np.linalg.inv(information)
    covariance = model_covariance(information, covariance, effective)
    return Engine(
        frame=frame,
        likelihood=fitted.likelihood,
        likelihood_options=fitted.options,
        firth=False,
        wald=False,
        robust="",
        coef=with_infinities(fit.coef[0], effective),
        reached=fit.coef[0],
        covariance=covariance,
        model_covariance=covariance,
        value=float(fit.log_likelihood[0]),
        prior_name="" if fitted.prior is None else prior_name(m),
    )


def summarise(
    frame: ModelFrame, fitted: IntervalFitted, engine: Engine, found: Inference
) -> dict[str, Any]:
    """Return the row of ``glance()``."""
    df, at_zero = found.df, np.zeros((2, len(engine.reached)))
    at_zero[0] = engine.reached
    value, null = fitted.profile(at_zero, np.zeros(2, dtype=np.int64))[0]
    baseline = 2 if isinstance(fitted.profile, WeibullIntervals) else 0
    plain, n_events = not engine.penalised, fitted.n_events
    return {
        **fitted.counts,
        "n_missing": frame.n_missing,
        "df": df,
        "events_per_parameter": n_events / df,
        "log_likelihood": float(value),
        "log_likelihood_penalized": engine.value if engine.penalised else np.nan,
        "log_likelihood_null": float(null),
        "aic": -2.0 * float(value) + 2.0 * (df + baseline) if plain else np.nan,
        "bic": -2.0 * float(value) + float(np.log(n_events)) * (df + baseline) if plain else np.nan,
        "statistic": found.statistic,
        "p_value": found.p_value,
        "test": engine.test_method,
        "converged": bool(fitted.fit.status[0] == OK),
        "separation": fitted.separation.kind,
    }


def interval_notes(frame: ModelFrame, fitted: IntervalFitted) -> tuple[str, ...]:
    """Say what was dropped, and what has no finite estimate."""
    if fitted.separation.kind == "none":
        return frame.notes
    columns = frame.design.columns
    lost = [j for j, word in enumerate(fitted.separation.direction) if word != "finite"]
    names = ", ".join(columns[j].name for j in lost)
    end = (
        "They are infinite: read the finite limit, or use penalty='log-f'."
        if fitted.prior is None
        else "The log-F priors keep the estimates finite."
    )
    without = _levels_without_events(frame, fitted.event)
    why = f" No event among the rows with {', '.join(without)}." if without else ""
    said = f"The likelihood is monotone: maximum likelihood has no finite estimate for {names}."
    return (*frame.notes, f"{said}{why} {end}")


def _levels_without_events(frame: ModelFrame, event: np.ndarray) -> list[str]:
    """Name 0/1 columns of which one value has no event."""
    found = []
    for column, values in zip(frame.design.columns, frame.design.X.T, strict=True):
        for level in (0.0, 1.0):
            mine = values == level
            if ((values == 0.0) | (values == 1.0)).all() and not event[mine].any():
                found.append(f"{column.name} = {level:g}")
    return found
