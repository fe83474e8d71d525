"""The random-intercept logistic model of proportions: fit, limits and heterogeneity."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.distributions import chi_square_p
from rnetstats.errors import ConvergenceError
from rnetstats.evidence.meta_heterogeneity import heterogeneity, i2_limits
from rnetstats.evidence.meta_intervals import limits_of, prediction_limits
from rnetstats.evidence.meta_options import PoolOptions
from rnetstats.evidence.meta_pooling import Pools
from rnetstats.evidence.proportions_transforms import TRANSFORMS
from rnetstats.kernels.glmm import WIDEST, MixedModel, fit_mixed
from rnetstats.kernels.glmm_heterogeneity import proportions_heterogeneity
from rnetstats.kernels.glmm_tables import proportions_model
from rnetstats.kernels.newton import maximise
from rnetstats.kernels.scaled import ScaledFit, arrived
from rnetstats.kernels.scaled_profile import profile_scale

__all__ = ["LARGEST_TAU2", "fit_logistic", "logistic_pools"]

Floats: TypeAlias = NDArray[np.float64]

LARGEST_TAU2 = WIDEST**2
"""Variance between series above which the model is said to have no maximum."""

_HALF = 0.5  # for the typical variance of a logit, as series without events have none


def logistic_pools(
    events: Floats, n: Floats, how: PoolOptions, points: int | None
) -> tuple[Pools, Pools]:
    """Fit the model to k series; return its random effects and the common effect.

    Parameters
    ----------
    events, n : (k,)
        Not all without events, nor all without others.
    how : PoolOptions
        A variance that is a number is held; else it is found by maximum likelihood.
    points : int, optional
        Of Gauss-Hermite quadrature; exact integrals by default.

    Raises
    ------
    ConvergenceError
        If the likelihood has no maximum at a finite variance.
    """
    model, start = proportions_model(events, n, points=points)
    fit = fit_logistic(model, start, how.tau2)
    tau2 = float(fit.scale[-1] ** 2)
    spread = _spread(events, n, model, fit, how)
    weights = _information(n, float(fit.coef[0]), tau2)
    random = _pools(fit.coef, fit.cov, tau2, weights, spread, how)
    plain = PoolOptions(0.0, "wald", None, how.conf_level)
    own = _information(n, float(fit.null_coef[0]), 0.0)
    return random, _pools(fit.null_coef, fit.null_cov, 0.0, own, spread, plain)


def fit_logistic(model: MixedModel, start: Floats, tau2: str | float) -> ScaledFit:
    """Maximise the likelihood, with a given variance held.

    Raises
    ------
    ConvergenceError
    """
    fit = fit_mixed(model, start) if isinstance(tau2, str) else _held(model, start, tau2)
    if not fit.converged:
        raise ConvergenceError(
            "The random-intercept logistic model has no maximum at a finite variance between "
            "series, as where each has either no events or events alone. transform='arcsine' "
            "pools such series."
        )
    return fit


def _held(model: MixedModel, start: Floats, tau2: float) -> ScaledFit:
    """The fit with the scale held, and the one without variance."""
    p = model.sizes[0]
    free = np.append(np.ones(p, dtype=bool), False)[None]
    begin = np.append(start, 0.0)[None]
    null = maximise(model.evaluate, begin, free=free)
    begin = np.append(null.coef[0, :p], math.sqrt(tau2))[None]
    fit = maximise(model.evaluate, begin, free=free)
    fine = arrived(null, free) and arrived(fit, free)
    none = np.full((p, p), np.nan)
    covs = [
        np.asarray(np.linalg.inv(f.information[0, :p, :p]), dtype=float) if fine else none
        for f in (fit, null)
    ]
    return ScaledFit(
        coef=fit.coef[0, :p],
        cov=covs[0],
        scale=np.abs(fit.coef[0, p:]),
        log_likelihood=float(fit.log_likelihood[0]) + model.constant,
        null_log_likelihood=float(null.log_likelihood[0]) + model.constant,
        null_coef=null.coef[0, :p],
        null_cov=covs[1],
        converged=fine,
    )


def _pools(
    coef: Floats,
    cov: Floats,
    tau2: float,
    weights: Floats,
    spread: dict[str, Any],
    how: PoolOptions,
) -> Pools:
    """One set; limits by t or normal on the model's own standard error."""
    estimate, error = coef[:1], np.sqrt(cov[0, :1])
    df = np.array([len(weights) - 1.0])
    low, high = prediction_limits(estimate, error, error, np.array([tau2]), df, how)
    return Pools(
        k=np.array([len(weights)]),
        coef=estimate,
        wald=error,
        knapp=error,
        limits=limits_of(estimate, error, error, df, how),
        pi_low=low,
        pi_high=high,
        weights=weights[None],
        spread=spread,
    )


def _information(n: Floats, coef: float, tau2: float) -> Floats:
    """Shares in per cent of the information that series give at the pooled logit."""
    p = TRANSFORMS["logit"].back(np.array(coef))
    own = 1.0 / (1.0 / (n * p * (1.0 - p)) + tau2)
    return np.asarray(100.0 * own / own.sum())


def _spread(
    events: Floats, n: Floats, model: MixedModel, fit: ScaledFit, how: PoolOptions
) -> dict[str, Any]:
    """tau2 with profile limits, the likelihood-ratio and Wald tests, I2 both ways."""
    tau2 = np.array([float(fit.scale[-1] ** 2)])
    low, high = math.nan, math.nan
    if isinstance(how.tau2, str):
        low, high = profile_scale(model, fit, level=how.conf_level)
    test = proportions_heterogeneity(events, n, fit)
    q, df = np.array([test.likelihood_ratio]), np.array([float(test.df)])
    logits = TRANSFORMS["logit"].apply(events, n, _HALF)
    beside = heterogeneity(logits.y, logits.v, tau2[0], how)
    i2_low, i2_high = i2_limits(q, df, how.conf_level)
    h2 = np.maximum(q / df, 1.0)
    return {
        "tau2": tau2,
        "tau2_low": np.array([low**2]),
        "tau2_high": np.array([high**2]),
        "q": q,
        "q_df": df,
        "q_p": np.asarray(chi_square_p(q, df)),
        "q_wald": np.array([test.wald]),
        "i2": 1.0 - 1.0 / h2,
        "i2_low": i2_low,
        "i2_high": i2_high,
        "i2_tau2": np.atleast_1d(beside["i2_tau2"]),
        "h2": h2,
        "h2_tau2": np.atleast_1d(beside["h2_tau2"]),
    }
