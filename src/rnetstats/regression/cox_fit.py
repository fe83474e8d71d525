"""Fitting a Cox model to a frame: checks, the fit, its covariance and its summary."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.copies import check_tied_events
from rnetstats._core.frame import Data, as_frame, codes_of
from rnetstats.errors import BudgetError, OptionError, TooFewEventsError
from rnetstats.formula.design import ModelFrame
from rnetstats.formula.outcome import Outcome
from rnetstats.formula.tokens import Literal
from rnetstats.kernels.concordance import concordance
from rnetstats.kernels.concordance_many import harrell
from rnetstats.kernels.cox import CoxFit, cox_likelihood, fit_cox
from rnetstats.kernels.cox_design import build_design
from rnetstats.kernels.cox_exact import ExactTooLargeError
from rnetstats.kernels.cox_residuals import fitted_cox, score_residuals
from rnetstats.kernels.leverage import informing_events
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.newton import OK
from rnetstats.kernels.risksets import RiskSets, prepare
from rnetstats.regression.coefficients import Inference
from rnetstats.regression.engine import Engine
from rnetstats.regression.fitting import (
    carrying_weight,
    check_converged,
    check_parameters,
    finite_everywhere,
    model_covariance,
    refuse_lost_columns,
    sandwich_covariance,
    with_infinities,
)
from rnetstats.regression.maxima import highest_of_hazards
from rnetstats.regression.penalty import (
    Strength,
    finite_under,
    prior_name,
    prior_of,
    unpenalised,
)
from rnetstats.regression.recession import Recession, monotone_likelihood
from rnetstats.regression.variables import outcome_name
from rnetstats.regression.workings import Known
from rnetstats.survival.competing_rows import uncensored_note

__all__ = [
    "CoxFitted",
    "build_engine",
    "cause_note",
    "cluster_notes",
    "concordance_frame",
    "fit_frame",
    "summarise",
]


@dataclass(frozen=True, eq=False)
class CoxFitted:
    """A converged (or monotone) fit with its risk sets and counts.

    ``separation`` is that of the data under maximum likelihood; ``effective`` what a penalty leaves
    of it. ``known`` is there if the columns were fitted as given.
    """

    event: np.ndarray
    sets: RiskSets
    fit: CoxFit
    separation: Recession
    effective: Recession
    prior: LogF | None
    n: float
    n_events: float
    notes: tuple[str, ...]
    known: Known | None


def _times(frame: ModelFrame) -> tuple[Outcome, np.ndarray, np.ndarray]:
    outcome = frame.outcome
    assert outcome is not None
    assert outcome.stop is not None
    assert outcome.event is not None
    return outcome, outcome.stop, outcome.event


def _monotone(frame: ModelFrame, X: np.ndarray, ties: str) -> Recession:
    """Which coefficients of some columns (n, q) maximum likelihood makes infinite."""
    outcome, stop, event = _times(frame)
    return monotone_likelihood(
        X,
        outcome.start,
        stop,
        event,
        None if frame.strata is None else frame.strata.codes,
        weights=frame.sampling_weights,
        discrete=ties == "exact",
    )


def _first_fit(maximise: Callable[[], CoxFit]) -> CoxFit:
    """Maximum likelihood, or in words why ties='exact' cannot have it."""
    try:
        return maximise()
    except ExactTooLargeError as refused:
        raise BudgetError(
            f"ties='exact' weighs every choice of the events among those at risk: up to "
            f"{refused.events:,} events at one time among {refused.rows:,} rows are too many. Use "
            "ties='efron', or times as fine as they were recorded."
        ) from None


def fit_frame(frame: ModelFrame, penalty: str | None, ties: str, m: Strength = None) -> CoxFitted:
    """Fit the frame's model, looking for a monotone likelihood on the way.

    Raises
    ------
    TooFewEventsError, ConvergenceError, DataError, OptionError, BudgetError
    """
    outcome, stop, event = _times(frame)
    X, freq = frame.design.X, frame.freq_weights
    n = float(frame.n if freq is None else freq.sum())
    n_events = float(event.sum() if freq is None else freq @ event)
    if ties == "efron":
        check_tied_events(n_events)
    _refuse(frame, event)
    notes = check_parameters(X.shape[1], n_events, "events", penalty)
    strata = None if frame.strata is None else frame.strata.codes
    sets = prepare(outcome.start, stop, event, strata)
    # Tests and limits under a penalty look at many points at once.
    design = build_design(X, sets, batch=penalty is not None)
    options: dict[str, Any] = {
        "freq": freq,
        "case": frame.sampling_weights,
        "offset": frame.offset,
        "ties": ties,
    }
    maximise = partial(fit_cox, X, sets, **options, design=design)
    fit = plain = _first_fit(maximise)
    refuse_lost_columns(frame, plain.lost[0])
    separation = finite_everywhere(X.shape[1])
    if plain.status[0] != OK:
        separation = _monotone(frame, X, ties)
    prior, effective = prior_of(frame, m), separation
    start = plain.coef[0] if plain.status[0] == OK else None
    leverage = None
    if penalty == "firth":
        found = highest_of_hazards(
            lambda columns: cox_likelihood(columns, sets, **options, firth=True),
            lambda begin: maximise(firth=True, start=begin),
            X,
            event,
            informing_events(cox_likelihood(X, sets, **options, design=design)),
            start,
            frame.weights,
        )
        fit, effective = found.fit, finite_everywhere(X.shape[1])
        notes, leverage = (*notes, *found.notes), found.leverage
    elif prior is not None:
        fit = maximise(prior=prior, start=start)
        if separation.kind != "none":
            free = unpenalised(prior, X.shape[1])
            effective = finite_everywhere(X.shape[1])
            if free.any():
                effective = finite_under(free, _monotone(frame, X[:, free], ties))
    check_converged(frame, int(fit.status[0]), effective, penalty)
    known = Known(design, fit.information[0], leverage=leverage) if fit.inverse is None else None
    return CoxFitted(event, sets, fit, separation, effective, prior, n, n_events, notes, known)


def _refuse(frame: ModelFrame, event: np.ndarray) -> None:
    """Refuse data without an event, and a model without a term."""
    if not carrying_weight(frame, event).any():
        idle = "" if frame.sampling_weights is None else " with a weight above 0"
        raise TooFewEventsError(
            f"No row of the {frame.n} used{idle} has the event of {outcome_name(frame)}: no hazard "
            "ratio can be estimated. kaplan_meier(ci='bpcp') and exact_rate() give bounds."
        )
    if frame.design.X.shape[1] == 0:
        raise OptionError("A Cox model needs a term: '~ 1' leaves nothing to estimate.")


def build_engine(
    frame: ModelFrame,
    fitted: CoxFitted,
    penalty: str | None,
    ties: str,
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
    options: dict[str, Any] = {
        "sets": fitted.sets,
        "freq": frame.freq_weights,
        "case": frame.sampling_weights,
        "offset": frame.offset,
        "ties": ties,
        "firth": firth,
        "prior": fitted.prior,
    }
    if robust and ties == "exact":
        raise OptionError("ties='exact' has no sandwich variance; use ties='efron'.")
    if robust and np.isfinite(inverse).any():
        point = fitted_cox(cox_likelihood(frame.design.X, **options), reached)
        scores = score_residuals(point)
        if frame.sampling_weights is not None:
            scores = scores * frame.sampling_weights[:, None]
        covariance = sandwich_covariance(frame, inverse, scores)
    value = (
        fit.log_likelihood if fit.log_likelihood_penalized is None else fit.log_likelihood_penalized
    )
    return Engine(
        frame=frame,
        likelihood=cox_likelihood,
        likelihood_options=options,
        firth=firth,
        wald=wald,
        robust=robust,
        coef=with_infinities(reached, effective),
        reached=reached,
        covariance=covariance,
        model_covariance=inverse,
        value=float(value[0]),
        prior_name="" if fitted.prior is None else prior_name(m),
    )


def summarise(
    frame: ModelFrame, fitted: CoxFitted, engine: Engine, found: Inference
) -> dict[str, Any]:
    """Return the row of ``glance()``."""
    df, value = found.df, float(fitted.fit.log_likelihood[0])
    likelihood = not engine.penalised and frame.sampling_weights is None
    return {
        "n": int(fitted.n),
        "n_missing": frame.n_missing,
        "n_events": int(fitted.n_events),
        "df": df,
        "events_per_parameter": fitted.n_events / df,
        "log_likelihood": value,
        "log_likelihood_penalized": engine.value if engine.penalised else np.nan,
        "log_likelihood_null": float(fitted.fit.log_likelihood_null[0]),
        "aic": -2.0 * value + 2.0 * df if likelihood else np.nan,
        "bic": -2.0 * value + float(np.log(fitted.n_events)) * df if likelihood else np.nan,
        "statistic": found.statistic,
        "p_value": found.p_value,
        "concordance": _concordance(frame, engine.reached),
        "test": engine.test_method,
        "converged": bool(fitted.fit.status[0] == OK),
        "separation": fitted.separation.kind,
        **({} if frame.cluster is None else {"n_clusters": len(frame.cluster.labels)}),
    }


def cluster_notes(frame: ModelFrame) -> tuple[str, ...]:
    """Say of how many clusters, patients mostly, the rows are: counts are of rows."""
    if frame.cluster is None or len(frame.cluster.labels) == frame.n:
        return ()
    each = len(frame.cluster.labels)
    return (
        f"{frame.n} rows of {each} clusters by {frame.cluster.name} (patients, where it names "
        f"them): n counts rows, n_clusters in glance() the {each}.",
    )


def cause_note(data: Data, frame: ModelFrame, censor: Literal) -> tuple[str, ...]:
    """Say which cause's hazard was fitted, and how many other events were censored."""
    outcome = frame.outcome
    if outcome is None or outcome.cause is None or outcome.cause_codes is None:
        return ()
    column, name = outcome.columns[-1], outcome.causes[outcome.cause - 1]
    meaning = codes_of(as_frame(data), column).get(name)
    said = f"{column} = {name}" + (f" ({meaning})" if meaning else "")
    other = (outcome.cause_codes > 0) & (outcome.cause_codes != outcome.cause)
    count = other.sum() if frame.freq_weights is None else frame.freq_weights @ other
    return (
        f"The cause-specific hazard of {said}: {count:g} other events count as censored.",
        *uncensored_note(outcome.cause_codes, outcome.causes, censor),
    )


def concordance_frame(frame: ModelFrame, coef: np.ndarray) -> pd.DataFrame:
    """Return the concordance of coefficients (p,), its standard error and its pairs, in one row."""
    outcome, stop, event = _times(frame)
    found = concordance(
        stop,
        event,
        _predictor(frame, coef),
        start=outcome.start,
        strata=None if frame.strata is None else frame.strata.codes,
        freq=frame.freq_weights,
        case=frame.sampling_weights,
        cluster=None if frame.cluster is None else frame.cluster.codes,
    )
    return pd.DataFrame(
        {
            "concordance": [found.concordance],
            "std_error": found.std_error,
            "concordant": found.concordant,
            "discordant": found.discordant,
            "tied_score": found.tied_score,
            "tied_time": found.tied_time,
            "tied_both": found.tied_both,
        }
    )


def _concordance(frame: ModelFrame, coef: np.ndarray) -> float:
    outcome, stop, event = _times(frame)
    predictor = _predictor(frame, coef)
    strata = None if frame.strata is None else frame.strata.codes
    return float(
        harrell(stop, event, predictor, frame.weights, start=outcome.start, strata=strata)[0]
    )


def _predictor(frame: ModelFrame, coef: np.ndarray) -> np.ndarray:
    predictor = frame.design.X @ coef
    return np.asarray(predictor if frame.offset is None else predictor + frame.offset)
