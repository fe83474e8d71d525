"""Fitting a Fine-Gray model to a frame: checks, the fit, its covariance and its summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnetstats.errors import FormulaError, OptionError
from rnetstats.formula.design import ModelFrame
from rnetstats.formula.outcome import Outcome
from rnetstats.kernels.concordance import concordance
from rnetstats.kernels.cox import CoxFit, fit_cox
from rnetstats.kernels.fine_gray import fit_fine_gray, staying
from rnetstats.kernels.fine_gray_influence import FittedFineGray, fitted_fine_gray, row_scores
from rnetstats.kernels.fine_gray_likelihood import FineGrayLikelihood
from rnetstats.kernels.newton import OK
from rnetstats.regression.coefficients import Inference
from rnetstats.regression.engine import Engine
from rnetstats.regression.fitting import (
    check_converged,
    check_parameters,
    finite_everywhere,
    model_covariance,
    refuse_lost_columns,
    sandwich_covariance,
    with_infinities,
)
from rnetstats.regression.maxima import highest_of_hazards
from rnetstats.regression.recession import Recession, monotone_likelihood

__all__ = [
    "FineGrayFitted",
    "at_estimate",
    "build_engine",
    "event_counts",
    "fit_frame",
    "infinite",
    "limits_notes",
    "summarise",
]

_FEW = 20  # events of the cause, below which a note warns of the sandwich variance


@dataclass(frozen=True, eq=False)
class FineGrayFitted:
    """A converged (or monotone) fit; ``code`` (n,) is 1 for the cause and 2 for any other."""

    code: np.ndarray
    stop: np.ndarray
    fit: CoxFit
    separation: Recession
    censoring: str
    n: float
    n_events: float
    n_competing: float
    notes: tuple[str, ...]


def _outcome(frame: ModelFrame) -> Outcome:
    outcome = frame.outcome
    assert outcome is not None
    assert outcome.stop is not None
    assert outcome.cause_codes is not None
    return outcome


def fit_frame(frame: ModelFrame, penalty: str | None, censoring: str) -> FineGrayFitted:
    """Fit the frame's model, looking for a monotone likelihood on the way.

    Raises
    ------
    FormulaError
        With late entry or strata.
    TooFewEventsError, ConvergenceError, DataError, OptionError
    """
    outcome, X = _outcome(frame), frame.design.X
    _refuse(frame, outcome)
    stop, causes = np.asarray(outcome.stop), np.asarray(outcome.cause_codes)
    code = np.where(causes == outcome.cause, 1, np.where(causes > 0, 2, 0))
    counts = np.ones(frame.n) if frame.freq_weights is None else frame.freq_weights
    n_events = float(counts @ (code == 1))
    notes = check_parameters(X.shape[1], n_events, "events", penalty)
    sets = staying(stop, code)
    plain = fit_cox(X, sets, freq=frame.freq_weights, offset=frame.offset, ties="breslow")
    refuse_lost_columns(frame, plain.lost[0])
    separation = finite_everywhere(X.shape[1])
    if plain.status[0] != OK:
        beyond = np.where(code == 2, 2.0 * stop.max() + 1.0, stop)
        separation = monotone_likelihood(X, None, beyond, code == 1)
    rows: dict[str, Any] = {
        "freq": frame.freq_weights,
        "offset": frame.offset,
        "censoring": censoring,
    }
    start = plain.coef[0] if plain.status[0] == OK else None
    if penalty == "firth":
        found = highest_of_hazards(
            lambda columns: FineGrayLikelihood(columns, stop, code, **rows, firth=True),
            lambda begin: fit_fine_gray(X, stop, code, **rows, firth=True, start=begin),
            X,
            code == 1,
            n_events,
            start,
            frame.weights,
        )
        fit, notes = found.fit, (*notes, *found.notes)
    else:
        fit = fit_fine_gray(X, stop, code, **rows, start=start)
    check_converged(frame, int(fit.status[0]), separation, penalty)
    return FineGrayFitted(
        code=code,
        stop=stop,
        fit=fit,
        separation=separation,
        censoring=censoring,
        n=float(counts.sum()),
        n_events=n_events,
        n_competing=float(counts @ (code == 2)),
        notes=notes,
    )


def _refuse(frame: ModelFrame, outcome: Outcome) -> None:
    if outcome.start is not None:
        raise FormulaError(
            "Fine and Gray's model takes no late entry, Surv(start, stop, code): its weights would "
            "have to undo truncation too. cox(cause=...) takes it."
        )
    if frame.strata is not None:
        columns = ", ".join(frame.strata.columns)
        raise FormulaError(
            f"Fine and Gray's model takes no strata({columns}); write the columns as terms."
        )
    if frame.design.X.shape[1] == 0:
        raise OptionError("A Fine-Gray model needs a term; cumulative_incidence() takes '~ 1'.")


def event_counts(frame: ModelFrame) -> dict[str, int]:
    """How many patients had each event, the cause of interest first, and how many none."""
    outcome = _outcome(frame)
    codes = np.asarray(outcome.cause_codes)
    counts = np.bincount(codes, frame.freq_weights, len(outcome.causes) + 1)
    order = sorted(range(1, len(counts)), key=lambda code: code != outcome.cause)
    found = {outcome.causes[code - 1]: int(counts[code]) for code in order}
    return {**found, "censored": int(counts[0])}


def few_events_note(fitted: FineGrayFitted) -> tuple[str, ...]:
    """Warn of Wald limits on a sandwich variance where events are few."""
    if fitted.n_events >= _FEW:
        return ()
    said = "is 1 event" if fitted.n_events == 1.0 else f"are {fitted.n_events:g} events"
    return (
        f"There {said} of the cause: with so few the sandwich variance tends to be too small, and "
        "Wald limits too narrow; compare ci='profile'.",
    )


def build_engine(
    frame: ModelFrame, fitted: FineGrayFitted, penalty: str | None, variance: str, *, wald: bool
) -> Engine:
    """Bind the fit to its rows, for Wald inference with the sandwich variance.

    A coefficient that is infinite under maximum likelihood has no Wald limits, penalised or not:
    the sandwich sees next to no spread where a level has no event.
    """
    fit, firth = fitted.fit, penalty == "firth"
    effective = finite_everywhere(fit.coef.shape[1]) if firth else fitted.separation
    reached = fit.coef[0]
    inverse = model_covariance(fit.information[0], fit.covariance[0], effective)
    options: dict[str, Any] = {
        "stop": fitted.stop,
        "code": fitted.code,
        "freq": frame.freq_weights,
        "offset": frame.offset,
        "firth": firth,
        "censoring": fitted.censoring,
    }
    covariance, name = inverse, ""
    if wald and np.isfinite(inverse).any():
        point = fitted_fine_gray(FineGrayLikelihood(frame.design.X, **options), reached)
        scores = row_scores(point, weights_known=variance == "weights-known")
        covariance = sandwich_covariance(frame, inverse, scores)
        name = "sandwich" if frame.cluster is None else "cluster-robust"
        name += ", weights known" if variance == "weights-known" else ""
        lost = infinite(fitted.separation)
        covariance = np.where(lost[:, None] | lost, np.nan, covariance)
    value = fit.log_likelihood if not firth else fit.log_likelihood_penalized
    assert value is not None
    return Engine(
        frame=frame,
        likelihood=FineGrayLikelihood,
        likelihood_options=options,
        firth=firth,
        wald=wald,
        robust=name,
        coef=with_infinities(reached, effective),
        reached=reached,
        covariance=covariance,
        model_covariance=inverse,
        value=float(value[0]),
    )


def infinite(separation: Recession) -> np.ndarray:
    """Which coefficients (p,) are infinite under maximum likelihood."""
    return np.array([word != "finite" for word in separation.direction], dtype=bool)


def limits_notes(
    frame: ModelFrame, fitted: FineGrayFitted, found: Inference, penalty: str | None, *, wald: bool
) -> tuple[str, ...]:
    """Say which limits and tests are missing and why, or on what they rest."""
    if not wald:
        return (
            "Profile limits take the weights for the competing events as known numbers of "
            "patients; the sandwich variance, ci='wald', does not.",
            *found.notes,
        )
    lost = infinite(fitted.separation)
    if not lost.any():
        return (*few_events_note(fitted), *found.notes)
    if penalty is None:
        return (
            "Infinite coefficients have no Wald limits or P: ci='profile' gives the finite limit.",
            *few_events_note(fitted),
        )
    names = ", ".join(frame.design.columns[j].name for j in np.flatnonzero(lost))
    return (
        f"No Wald limits, P or joint test is given for {names}: a sandwich variance is nearly nil "
        "where a level has no event. ci='profile' gives limits of the penalised likelihood.",
        *few_events_note(fitted),
    )


def at_estimate(engine: Engine) -> FittedFineGray:
    """Evaluate the model at its estimate, for baselines and influences."""
    options = {**engine.likelihood_options, "firth": False}
    return fitted_fine_gray(FineGrayLikelihood(engine.X, **options), engine.reached)


def summarise(
    frame: ModelFrame, fitted: FineGrayFitted, engine: Engine, found: Inference
) -> dict[str, Any]:
    """Return the row of ``glance()``."""
    df = found.df
    return {
        "n": int(fitted.n),
        "n_missing": frame.n_missing,
        "n_events": int(fitted.n_events),
        "n_competing": int(fitted.n_competing),
        "df": df,
        "events_per_parameter": fitted.n_events / df,
        "log_likelihood": float(fitted.fit.log_likelihood[0]),
        "log_likelihood_penalized": engine.value if engine.firth else np.nan,
        "log_likelihood_null": float(fitted.fit.log_likelihood_null[0]),
        "aic": np.nan,  # the likelihood is a pseudo-likelihood
        "bic": np.nan,
        "statistic": found.statistic,
        "p_value": found.p_value,
        "concordance": _concordance(frame, fitted, engine.reached),
        "test": engine.test_method,
        "converged": bool(fitted.fit.status[0] == OK),
        "separation": fitted.separation.kind,
    }


def _concordance(frame: ModelFrame, fitted: FineGrayFitted, coef: np.ndarray) -> float:
    """Concordance in which competing events never come to the event (Wolbers et al. 2009)."""
    predictor = frame.design.X @ coef
    if frame.offset is not None:
        predictor = predictor + frame.offset
    beyond = np.where(fitted.code == 2, 2.0 * fitted.stop.max() + 1.0, fitted.stop)
    return concordance(beyond, fitted.code == 1, predictor, freq=frame.freq_weights).concordance
