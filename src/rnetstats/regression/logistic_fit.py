"""Fitting a logistic model to a frame: checks, the fit, its covariance and its summary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.special import expit

from rnetstats.errors import TooFewEventsError
from rnetstats.formula.design import ModelFrame
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.logistic import (
    LogisticFit,
    fit_logistic,
    ready_logistic,
    row_scores,
)
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import OK
from rnetstats.regression.coefficients import Inference
from rnetstats.regression.engine import Engine
from rnetstats.regression.fitting import (
    carrying_weight,
    check_converged,
    check_parameters,
    model_covariance,
    refuse_far_columns,
    sandwich_covariance,
    with_infinities,
)
from rnetstats.regression.logistic_ways import (
    binary_outcome,
    by_firth,
    by_likelihood,
    by_prior,
    without_terms,
)
from rnetstats.regression.penalty import (
    Strength,
    prior_name,
    prior_of,
)
from rnetstats.regression.recession import Recession
from rnetstats.regression.variables import outcome_name
from rnetstats.regression.workings import Known

__all__ = ["LogisticFitted", "build_engine", "fit_frame", "summarise"]

_FEW_STEPS = 4  # from where a fit's second derivatives were found, for them to be carried on


@dataclass(frozen=True, eq=False)
class LogisticFitted:
    """A converged (or separated) fit with the counts behind it.

    ``separation`` is that of the data under maximum likelihood; ``effective`` what a penalty leaves
    of it. ``known`` is there if the columns were fitted as given.
    """

    y: np.ndarray
    fit: LogisticFit
    separation: Recession
    effective: Recession
    prior: LogF | None
    n: float
    n_events: float
    notes: tuple[str, ...]
    known: Known | None

    @property
    def rarer(self) -> float:
        """Count of the rarer outcome."""
        return min(self.n_events, self.n - self.n_events)


def fit_frame(frame: ModelFrame, penalty: str | None, m: Strength = None) -> LogisticFitted:
    """Fit the frame's model, looking for separation on the way.

    Raises
    ------
    TooFewEventsError, ConvergenceError, DataError
    """
    X, y, freq = frame.design.X, binary_outcome(frame), frame.freq_weights
    n = float(frame.n if freq is None else freq.sum())
    n_events = float(y.sum() if freq is None else freq @ y)
    if not (carrying_weight(frame, y == 1.0).any() and carrying_weight(frame, y == 0.0).any()):
        idle = "" if frame.sampling_weights is None else " with a weight above 0"
        which = "Every row has" if carrying_weight(frame, y == 1.0).any() else "No row has"
        raise TooFewEventsError(
            f"{which} the outcome {outcome_name(frame)!r} among the {frame.n} rows used{idle}: "
            "no odds ratio can be estimated. exact_proportion() and exact_table() give bounds."
        )
    notes = check_parameters(
        X.shape[1] - 1, min(n_events, n - n_events), "rows with the rarer outcome", penalty
    )
    refuse_far_columns(frame)
    ready = ready_logistic(X, y)
    maximise = partial(
        fit_logistic, X, y, freq=freq, case=frame.sampling_weights, offset=frame.offset, ready=ready
    )
    start, prior = without_terms(frame, n_events / n), prior_of(frame, m)
    if penalty == "firth":
        found = by_firth(frame, maximise, start)
    elif prior is not None:
        found = by_prior(frame, maximise, start, prior)
    else:
        found = by_likelihood(frame, maximise, start)
    fit = found.fit
    check_converged(frame, int(fit.status[0]), found.effective, penalty)
    known = None
    if ready.turned is None:
        bend = fit.bend if fit.iterations[0] <= _FEW_STEPS else None
        known = Known(ready.design, fit.information[0], bend, found.leverage)
    return LogisticFitted(
        y=y,
        fit=fit,
        separation=found.separation,
        effective=found.effective,
        prior=prior,
        n=n,
        n_events=n_events,
        notes=(*notes, *found.notes),
        known=known,
    )


def build_engine(
    frame: ModelFrame,
    fitted: LogisticFitted,
    penalty: str | None,
    m: Strength = None,
    *,
    wald: bool,
    robust: str,
) -> Engine:
    """Bind the fit to its rows, with the covariance that was asked for."""
    fit, firth = fitted.fit, penalty == "firth"
    effective = fitted.effective
    reached = fit.coef[0]
    inverse = covariance = model_covariance(fit.information[0], fit.covariance[0], effective)
    if robust:
        predictor = frame.design.X @ reached
        p = expit(predictor if frame.offset is None else predictor + frame.offset)
        scores = row_scores(frame.design.X, fitted.y, p, frame.sampling_weights)
        covariance = sandwich_covariance(frame, inverse, scores)
    return Engine(
        frame=frame,
        likelihood=LogisticLikelihood,
        likelihood_options={
            "y": fitted.y,
            "weights": frame.weights,
            "offset": frame.offset,
            "firth": firth,
            "prior": fitted.prior,
        },
        firth=firth,
        wald=wald,
        robust=robust,
        coef=with_infinities(reached, effective),
        reached=reached,
        covariance=covariance,
        model_covariance=inverse,
        value=float(fit.log_likelihood_penalized[0]),
        prior_name="" if fitted.prior is None else prior_name(m),
    )


def _null_log_likelihood(frame: ModelFrame, fitted: LogisticFitted) -> float:
    """Maximised log-likelihood of the intercept alone (with the offset, if any)."""
    if frame.offset is None and frame.sampling_weights is None:
        share = fitted.n_events / fitted.n
        return fitted.n * float(share * np.log(share) + (1.0 - share) * np.log1p(-share))
    fit = fit_logistic(
        np.ones((frame.n, 1)),
        fitted.y,
        freq=frame.freq_weights,
        case=frame.sampling_weights,
        offset=frame.offset,
        start=without_terms(frame)[:1],
    )
    return float(fit.log_likelihood[0])


def summarise(
    frame: ModelFrame, fitted: LogisticFitted, engine: Engine, found: Inference
) -> dict[str, Any]:
    """Return the row of ``glance()``."""
    df, value = found.df, float(fitted.fit.log_likelihood[0])
    likelihood = not engine.penalised and frame.sampling_weights is None
    return {
        "n": int(fitted.n),
        "n_missing": frame.n_missing,
        "n_events": int(fitted.n_events),
        "df": df,
        "events_per_parameter": fitted.rarer / df if df else np.nan,
        "log_likelihood": value,
        "log_likelihood_penalized": engine.value if engine.penalised else np.nan,
        "log_likelihood_null": _null_log_likelihood(frame, fitted),
        "aic": -2.0 * value + 2.0 * (df + 1) if likelihood else np.nan,
        "bic": -2.0 * value + float(np.log(fitted.n)) * (df + 1) if likelihood else np.nan,
        "statistic": found.statistic,
        "p_value": found.p_value,
        "test": engine.test_method,
        "converged": bool(fitted.fit.status[0] == OK),
        "separation": fitted.separation.kind,
    }
