"""Pooled effects with variation between studies, by likelihoods and by inverse variance."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from rnetstats._core.distributions import chi_square_p
from rnetstats.evidence.effect_sizes import from_tables
from rnetstats.evidence.meta_empty import Arms
from rnetstats.evidence.meta_options import PoolOptions
from rnetstats.evidence.meta_pooling import pool_sets
from rnetstats.evidence.rare_rows import EMPTY_ARM, RareRow, informative, wald_row
from rnetstats.kernels.beta_binomial import BetaBinomial, fit_beta_binomial
from rnetstats.kernels.glmm import fit_mixed
from rnetstats.kernels.glmm_heterogeneity import table_heterogeneity
from rnetstats.kernels.glmm_tables import LARGEST_SUPPORT, support, table_model
from rnetstats.kernels.mantel_haenszel import Tables
from rnetstats.kernels.scaled import ScaledFit, ScaledModel
from rnetstats.kernels.scaled_profile import profile_coefficient, restricted_log_likelihood

__all__ = ["beta_binomial_row", "inverse_variance_row", "mixed_row"]

ONE_STUDY = "one study alone tells nothing of variation between studies"
NOT_FINITE = "the likelihood has no maximum at a finite effect and variance"
NO_PROFILE = "profile limits were not found: along the profile the variance has no maximum"
TOO_MANY = "more events than a model for rare ones is made for"
_MOST_EVENTS, _MOST_PATIENTS = 20_000, 300_000  # in an arm of a study


def mixed_row(t: Tables, model: str, conf_level: float) -> RareRow:
    """A binomial-normal model by maximum likelihood, with Wald and profile limits."""
    used = t if model == "UM.RS" else informative(t)
    k = len(used.a)
    if k < 2:
        return RareRow(model, k=k, note=ONE_STUDY)
    if max(used.a.max(), used.c.max()) > _MOST_EVENTS:
        return RareRow(model, k=k, note=TOO_MANY)
    if model == "CM.EL" and support(used) > LARGEST_SUPPORT:
        return RareRow(model, k=k, note="too many events for the exact conditional law")
    mixed, start = table_model(used, model)
    fit = fit_mixed(mixed, start)
    row = _likelihood_row(model, mixed, fit, conf_level, k)
    if not fit.converged:
        return row
    test = table_heterogeneity(used, model, fit)
    return replace(
        row,
        tau2=float(fit.scale[-1] ** 2),
        statistic=test.likelihood_ratio,
        df=float(test.df),
        p_heterogeneity=float(chi_square_p(test.likelihood_ratio, test.df)),
    )


def beta_binomial_row(t: Tables, measure: str, conf_level: float) -> RareRow:
    """The beta-binomial model of Kuss by maximum likelihood."""
    if len(t.a) < 2:
        return RareRow("beta-binomial", k=len(t.a), note=ONE_STUDY)
    if max(t.n1.max(), t.n2.max()) > _MOST_PATIENTS:
        return RareRow("beta-binomial", k=len(t.a), note="too many patients for the exact law")
    model = BetaBinomial(t, measure)
    fit = fit_beta_binomial(model)
    row = _likelihood_row("beta-binomial", model, fit, conf_level, len(t.a))
    gamma = float(fit.scale[0] ** 2)
    return replace(row, rho=gamma / (1.0 + gamma)) if fit.converged else row


def _likelihood_row(
    method: str, model: ScaledModel, fit: ScaledFit, conf_level: float, k: int
) -> RareRow:
    if not fit.converged:
        return RareRow(method, k=k, note=NOT_FINITE)
    coef, std_error = float(fit.coef[0]), math.sqrt(float(fit.cov[0, 0]))
    low, high = profile_coefficient(model, fit, level=conf_level)
    fall = 2.0 * (fit.log_likelihood - restricted_log_likelihood(model, fit))
    return replace(
        wald_row(method, coef, std_error, conf_level, k),
        profile_low=low,
        profile_high=high,
        p_lr=float(chi_square_p(max(fall, 0.0), 1.0)),
        note=NO_PROFILE if math.isnan(low) or math.isnan(high) else "",
    )


def inverse_variance_row(t: Tables, measure: str, conf_level: float) -> RareRow:
    """Inverse variance with REML, 0.5 in zero cells, Hartung-Knapp with its ad-hoc floor."""
    effects = from_tables(measure, t.a, t.n1, t.c, t.n2, correction=0.5)
    used = np.isfinite(effects.coef)
    k = int(used.sum())
    if not k:
        return RareRow("inverse-variance", note="no study gives an effect")
    how = PoolOptions("REML", "hartung-knapp-adhoc", None, conf_level)
    pools = pool_sets(effects.coef[used], effects.variance[used], how)
    arms = Arms(np.stack([t.a, t.c], axis=1)[used], np.stack([t.n1, t.n2], axis=1)[used], False)
    empty = bool(arms.empty()[0])
    if empty:
        pools = pools.without_limits(np.array([True]))
    lim, spread = pools.limits, pools.spread
    return RareRow(
        "inverse-variance",
        coef=float(pools.coef[0]),
        std_error=float(lim.std_error[0]),
        low=float(lim.low[0]),
        high=float(lim.high[0]),
        p_value=float(lim.p_value[0]),
        tau2=float(spread["tau2"][0]),
        statistic=float(spread["q"][0]),
        df=float(spread["q_df"][0]) if k > 1 else math.nan,
        p_heterogeneity=float(spread["q_p"][0]),
        k=k,
        note=EMPTY_ARM if empty else "" if k > 1 else "one study: its own Wald limits",
    )
