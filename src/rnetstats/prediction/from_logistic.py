"""The risk model of a logistic fit: its intercept made right on average, its limits, its domain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from rnetstats.errors import ConvergenceError, OptionError
from rnetstats.formula.variables import Floats
from rnetstats.kernels.blocks import covariance_of
from rnetstats.kernels.flic import fit_flac, flic_intercept
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.prediction.resamples import Draws, Replicates, collect, refuse_few_events
from rnetstats.prediction.source import shared_fields, thin_levels, thin_notes

if TYPE_CHECKING:
    from rnetstats.regression.engine import Engine
    from rnetstats.regression.logistic import LogisticResult

__all__ = ["logistic_fields", "logistic_replicates"]


def logistic_fields(
    fit: LogisticResult, *, intercept: str, resamples: int, seed: int | None
) -> dict[str, Any]:
    """Return the fields of the RiskModel of a logistic fit.

    Raises
    ------
    ConvergenceError
        If a coefficient is infinite.
    OptionError
        If FLAC is asked of a fit without Firth's penalty.
    TooFewEventsError
        If limits by resampling are asked for with fewer than 5 of the rarer outcome.
    """
    engine: Engine = fit._need("engine", "A risk model")
    if engine.separated:
        raise ConvergenceError(
            f"A risk model needs finite coefficients; that of {fit._first_infinite()} is infinite "
            "(separation). Fit with penalty='firth'."
        )
    if intercept == "flac" and not engine.firth:
        raise OptionError("intercept='flac' augments Firth's fit: fit with penalty='firth'.")
    coef, covariance = _estimate(engine, intercept)
    fields = shared_fields(fit, engine, method=_method(engine, intercept))
    summary = fields["summary"]
    X, y, w = engine.X, engine.likelihood_options["y"], engine.patient_weights
    risk = expit(X @ coef + engine.offset)
    summary["event_share"] = float(w @ y / w.sum())
    summary["mean_risk"] = float(w @ risk / w.sum())
    notes = list(fields["notes"])
    if intercept == "model" and engine.firth:
        notes.append(
            f"The intercept is that of Firth's fit: the mean risk is {summary['mean_risk']:.4g} "
            f"where {summary['event_share']:.4g} had the outcome. intercept='flic' corrects this."
        )
    fields |= {"coef": coef, "covariance": covariance, "limits": _limits_name(engine)}
    if resamples:
        rarer = min(summary["n_events"], summary["n"] - summary["n_events"])
        refuse_few_events(rarer, "patients with the rarer outcome")
        assert seed is not None
        draws = _draws(engine, intercept, resamples, seed)
        fields |= {
            "draws": draws.coef,
            "limits": f"bootstrap percentiles, {resamples} resamples of the whole fit, its design "
            "(knots, cut-offs) held fixed",
        }
        notes += draws.notes
    thin = thin_levels(engine, y == 1.0, binary=True)
    notes += thin_notes(thin, None, resampled=bool(resamples))
    fields["thin"] = thin
    return fields | {"notes": tuple(notes)}


def _method(engine: Engine, intercept: str) -> str:
    kind = "Firth's penalised likelihood" if engine.firth else "maximum likelihood"
    kind = f"{engine.prior_name} priors" if engine.prior is not None else kind
    if intercept == "flac":
        return "logistic regression, FLAC (Puhr et al. 2017)"
    if intercept == "model" or not engine.firth:
        return f"logistic regression, {kind}"
    return f"logistic regression, {kind}, intercept by FLIC (Puhr et al. 2017)"


def _limits_name(engine: Engine) -> str:
    variance = f"{engine.robust} variance" if engine.robust else "inverse information"
    return f"Wald on the linear predictor ({variance})"


def _estimate(engine: Engine, intercept: str) -> tuple[Floats, Floats]:
    """Coefficients (p,) and their covariance (p, p), with the intercept that was asked for."""
    frame, firth = engine.frame, engine.firth
    y = engine.likelihood_options["y"]
    weights: dict[str, Any] = {"freq": frame.freq_weights, "case": frame.sampling_weights}
    coef = engine.reached
    if intercept == "flac":
        fit = fit_logistic(
            engine.X, y, **weights, offset=frame.offset, firth=firth, start=engine.reached
        )
        flac = fit_flac(engine.X, y, fit, **weights, offset=frame.offset)
        coef, inverse = flac.coef[0], flac.covariance[0]
    elif intercept == "flic":
        coef = coef.copy()
        coef[0] = flic_intercept(engine.X, y, engine.reached, **weights, offset=frame.offset)[0]
        inverse = _inverse_information(engine, coef)
    else:
        inverse = engine.model_covariance
    if not np.isfinite(coef).all():
        raise ConvergenceError(f"The coefficients by intercept={intercept!r} were not found.")
    return coef, engine.covariance if engine.robust else inverse


def _inverse_information(engine: Engine, coef: Floats) -> Floats:
    eta = engine.X @ coef + engine.offset
    spread = engine.patient_weights * expit(eta) * expit(-eta)
    information = engine.X.T @ (engine.X * spread[:, None])
    if engine.prior is not None:
        information = information + engine.prior.evaluate(coef[None])[2][0]
    free = np.ones((1, len(coef)), dtype=bool)
    return np.asarray(covariance_of(information[None], free)[0])


def _draws(engine: Engine, intercept: str, resamples: int, seed: int) -> Draws:
    frame = engine.frame

    def fit(counts: Floats) -> Replicates:
        return logistic_replicates(
            engine.X,
            engine.likelihood_options["y"],
            counts,
            case=frame.sampling_weights,
            offset=frame.offset,
            firth=engine.firth,
            prior=engine.prior,
            intercept=intercept,
            start=engine.reached,
        )

    return collect(frame, resamples, seed, fit)


def logistic_replicates(
    X: Floats,
    y: Floats,
    counts: Floats,
    *,
    case: Floats | None = None,
    offset: Floats | None = None,
    firth: bool = True,
    prior: LogF | None = None,
    intercept: str = "flic",
    start: Floats | None = None,
) -> Replicates:
    """Repeat a logistic fit, its intercept included, in resamples given by counts (b, n)."""
    fit = fit_logistic(
        X, y, freq=counts, case=case, offset=offset, firth=firth, prior=prior, start=start
    )
    coef, status = np.array(fit.coef), np.array(fit.status)
    if intercept == "flac":
        flac = fit_flac(X, y, fit, freq=counts, case=case, offset=offset)
        coef = flac.coef
        status = np.where(np.isin(status, (OK, LOST_TERM)), flac.status, status)
    elif intercept == "flic":
        found = flic_intercept(X, y, coef, freq=counts, case=case, offset=offset)
        coef[:, 0] = np.where(np.isin(status, (OK, LOST_TERM)), found, np.nan)
    return Replicates(coef, None, status, fit.lost)
