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
from rnetstats.evidence.rare_rows import (
    EMPTY_ARM,
    RareRow,
    informative,
    wald_row,
    why_not_finite,
)
from rnetstats.formatting import fmt_count
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
APART = (
    "the studies contradict each other: the likelihood rises with the variation between them "
    "without end, and no limit of a mean effect is finite"
)
NO_PROFILE = "profile limits were not found: along the profile the variance has no maximum"
_MOST_EVENTS, _MOST_PATIENTS = 20_000, 300_000  # in an arm of a study
_FAR_APART = 10.0  # of the scale, where an ascent ended that found no maximum


def mixed_row(t: Tables, model: str, conf_level: float) -> RareRow:
    """A binomial-normal model by maximum likelihood, with Wald and profile limits."""
    used = t if model == "UM.RS" else informative(t)
    k = len(used.a)
    if k < 2:
        return RareRow(model, k=k, note=ONE_STUDY)
    if max(used.a.max(), used.c.max()) > _MOST_EVENTS:
        return RareRow(model, k=k, note=_too_many(_MOST_EVENTS, "events"))
    if model == "CM.EL" and support(used) > LARGEST_SUPPORT:
        return RareRow(model, k=k, note="too many events for the exact conditional law")
    mixed, start = table_model(used, model)
    fit = fit_mixed(mixed, start)
    row = _likelihood_row(model, mixed, fit, conf_level, used, ratio=True)
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
        return RareRow("beta-binomial", k=len(t.a), note=_too_many(_MOST_PATIENTS, "patients"))
    model = BetaBinomial(t, measure)
    fit = fit_beta_binomial(model)
    row = _likelihood_row("beta-binomial", model, fit, conf_level, t, ratio=measure != "RD")
    gamma = float(fit.scale[0] ** 2)
    return replace(row, rho=gamma / (1.0 + gamma)) if fit.converged else row


def _likelihood_row(
    method: str, model: ScaledModel, fit: ScaledFit, conf_level: float, t: Tables, *, ratio: bool
) -> RareRow:
    k = len(t.a)
    if not fit.converged:
        return RareRow(method, k=k, note=_why_no_maximum(t, fit, ratio=ratio))
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


def _why_no_maximum(t: Tables, fit: ScaledFit, *, ratio: bool) -> str:
    """Why a likelihood rises without end: an empty arm, or studies that contradict each other."""
    empty = why_not_finite(t)
    if empty:
        return empty if ratio else EMPTY_ARM
    return APART if fit.scale.max() > _FAR_APART else NOT_FINITE


def _too_many(most: int, what: str) -> str:
    return (
        f"an arm of a study has more than {fmt_count(most)} {what}: models for rare events are not "
        "fitted there, and inverse variance is as good"
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
