"""Heterogeneity between studies: Q, I2 both ways, H2, tau2 with its limits, many sets at once."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from rnetstats._core.distributions import chi_square_p, normal_quantile
from rnetstats.evidence.meta_options import PoolOptions
from rnetstats.kernels.meta_pool import projection, studies
from rnetstats.kernels.meta_tau2 import q_profile, tau_squared_error

__all__ = ["heterogeneity", "i2_limits"]

Floats: TypeAlias = NDArray[np.float64]


def heterogeneity(
    y: Floats,
    v: Floats,
    tau2: Floats,
    how: PoolOptions,
    *,
    x: Floats | None = None,
    mask: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """Return the measures of heterogeneity, residual to moderators if there are any.

    Parameters
    ----------
    y, v : (..., k)
    tau2 : (...)
    how : PoolOptions
    x, mask
        As in :func:`rnetstats.kernels.meta_tau2.tau_squared`.

    Returns
    -------
    dict of (...)
        ``tau2, tau2_std_error, tau2_low, tau2_high`` (limits by the Q profile), ``q, q_df, q_p``,
        ``i2, i2_low, i2_high, i2_untruncated`` from Q, ``i2_tau2`` from tau2 and the typical
        variance, ``h, h2`` from Q and ``h2_tau2``. All missing where a set leaves no degree of
        freedom.

    References
    ----------
    Higgins JPT, Thompson SG (2002) Quantifying heterogeneity in a meta-analysis. Stat Med
    21:1539-1558. Viechtbauer W (2007) Confidence intervals for the amount of heterogeneity in
    meta-analysis. Stat Med 26:37-52.
    """
    sets = studies(y, v, x=x, mask=mask)
    df = np.where(sets.df >= 1.0, sets.df, np.nan)
    common = projection(sets, 1.0 / sets.v)
    q = common.quadratic + 0.0 * df
    typical = df / common.trace()
    tails = (1.0 + how.conf_level) / 2.0, (1.0 - how.conf_level) / 2.0
    high, low = (chdtri(np.where(df > 0, df, 1.0), tail) for tail in tails)
    reach = {"x": x, "mask": mask}
    with np.errstate(divide="ignore"):
        untruncated = np.where(q > 0.0, 1.0 - df / q, -np.inf) + 0.0 * df
    i2_low, i2_high = i2_limits(q, df, how.conf_level)
    if isinstance(how.tau2, str):
        error = tau_squared_error(y, v, tau2, how.tau2, **reach)
    else:
        error = np.full_like(q, np.nan)
    known = 0.0 * df
    return {
        "tau2": tau2 + (known if isinstance(how.tau2, str) else 0.0),
        "tau2_std_error": error,
        "tau2_low": q_profile(y, v, low, **reach) + known,
        "tau2_high": q_profile(y, v, high, **reach) + known,
        "q": q,
        "q_df": sets.df,
        "q_p": np.where(np.isnan(q), np.nan, chi_square_p(q, np.where(df > 0, df, 1.0))),
        "i2": np.maximum(untruncated, 0.0),
        "i2_low": i2_low,
        "i2_high": i2_high,
        "i2_untruncated": untruncated,
        "i2_tau2": tau2 / (tau2 + typical),
        "h": np.sqrt(np.maximum(q / df, 1.0)),
        "h2": np.maximum(q / df, 1.0),
        "h2_tau2": tau2 / typical + 1.0,
    }


def i2_limits(q: Floats, df: Floats, conf_level: float) -> tuple[Floats, Floats]:
    """Return test-based limits of I2, missing below 2 degrees of freedom.

    Parameters
    ----------
    q, df : (...)
    conf_level : float

    References
    ----------
    Higgins JPT, Thompson SG (2002), appendix A2.
    """
    fine = df >= 2.0
    n, stat = np.where(fine, df, 2.0), np.where(fine, q, 0.0)
    many = stat > n + 1.0
    safe = np.where(many, stat, n + 2.0)
    with_q = 0.5 * (np.log(safe) - np.log(n)) / (np.sqrt(2.0 * safe) - np.sqrt(2.0 * n - 1.0))
    without = np.sqrt((1.0 - 1.0 / (3.0 * (n - 1.0) ** 2)) / (2.0 * (n - 1.0)))
    error = np.where(many, with_q, without)
    log_h = 0.5 * np.log(np.maximum(stat / n, 1.0))
    z = normal_quantile(conf_level)
    low, high = (
        np.where(fine, -np.expm1(-2.0 * np.maximum(log_h + step, 0.0)), np.nan)
        for step in (-z * error, z * error)
    )
    return low, high
