"""Pooling sets of studies: estimate, limits, prediction and heterogeneity of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.evidence.meta_heterogeneity import heterogeneity
from rnetstats.evidence.meta_intervals import Limits, limits_of, prediction_limits
from rnetstats.evidence.meta_measures import Measure
from rnetstats.evidence.meta_options import CI_METHODS, PoolOptions
from rnetstats.kernels.meta_pool import inverse_variance
from rnetstats.kernels.meta_tau2 import tau_squared

__all__ = ["Pools", "method_text", "pool_sets", "pools_frame"]

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Pools:
    """B pooled sets of the same k studies.

    Attributes
    ----------
    k : (B,)
        Studies of each set.
    coef, wald, knapp : (B,)
        Estimate, its standard error with known weights, and that of Hartung and Knapp.
    limits : Limits
        By the method asked for.
    pi_low, pi_high : (B,)
    weights : (B, k)
        In per cent.
    spread : dict of (B,)
        What :func:`heterogeneity` gives.
    """

    k: NDArray[np.intp]
    coef: Floats
    wald: Floats
    knapp: Floats
    limits: Limits
    pi_low: Floats
    pi_high: Floats
    weights: Floats
    spread: dict[str, Any]

    def without_limits(self, where: Flags) -> Pools:
        """Take limits, test and prediction from some of the sets, whose estimates stand alone.

        Parameters
        ----------
        where : (B,) of bool
        """

        def left(values: Floats) -> Floats:
            return np.where(where, np.nan, values)

        lim = self.limits
        return replace(
            self,
            limits=replace(
                lim,
                std_error=left(lim.std_error),
                statistic=left(lim.statistic),
                p_value=left(lim.p_value),
                low=left(lim.low),
                high=left(lim.high),
            ),
            pi_low=left(self.pi_low),
            pi_high=left(self.pi_high),
        )


def pool_sets(
    y: Floats, v: Floats, how: PoolOptions, mask: Flags | None = None, tau2: Any = None
) -> Pools:
    """Pool B sets of studies at once.

    Parameters
    ----------
    y, v : (k,)
        Estimates and their sampling variances.
    how : PoolOptions
    mask : (B, k) of bool, optional
        The studies of each set; all of them, as one set, by default.
    tau2 : float or (B,), optional
        Held fixed, whatever ``how`` says.
    """
    held = np.ones((1, len(y)), dtype=bool) if mask is None else mask
    k = held.sum(axis=1)
    if tau2 is None and isinstance(how.tau2, str):
        between = np.asarray(tau_squared(y, v, how.tau2, mask=held))
    else:
        between = np.full(len(held), how.tau2 if tau2 is None else tau2, dtype=float)
    fit = inverse_variance(y, v, between, mask=held)
    coef, wald = fit.estimate, fit.std_error
    factor = fit.q / np.where(fit.df > 0, fit.df, np.nan)
    equal = np.ptp(np.where(held, y, coef[:, None]), axis=1) <= 1e-15 * np.abs(coef)
    knapp = np.where(equal, 0.0, np.sqrt(factor)) * wald
    low, high = prediction_limits(coef, wald, knapp, between, fit.df, how)
    return Pools(
        k=k,
        coef=coef,
        wald=wald,
        knapp=knapp,
        limits=limits_of(coef, wald, knapp, fit.df, how),
        pi_low=low,
        pi_high=high,
        weights=100.0 * fit.weights / fit.weights.sum(axis=1, keepdims=True),
        spread=heterogeneity(y, v, between, how, mask=held),
    )


def method_text(how: PoolOptions, df: float) -> str:
    """Name the method behind a pooled estimate and its limits."""
    if np.isinf(df):
        return f"inverse variance, {how.tau2_text}, Wald"
    words = CI_METHODS["hartung-knapp" if how.ci == "hartung-knapp-wider" else how.ci]
    return f"inverse variance, {how.tau2_text}, {words} t({df:g})"


def pools_frame(pools: Pools, measure: Measure, how: PoolOptions) -> pd.DataFrame:
    """One row a set: estimate and limits on the measure's scale, then the scale of analysis."""
    lim = pools.limits
    return pd.DataFrame(
        {
            "k": pools.k,
            "estimate": measure.back(pools.coef),
            "conf_low": measure.back(lim.low),
            "conf_high": measure.back(lim.high),
            "p_value": lim.p_value,
            "pi_low": measure.back(pools.pi_low),
            "pi_high": measure.back(pools.pi_high),
            "coef": pools.coef,
            "std_error": lim.std_error,
            "std_error_wald": pools.wald,
            "statistic": lim.statistic,
            "df": lim.df,
            **{
                name: pools.spread[name]
                for name in (
                    "tau2",
                    "tau2_low",
                    "tau2_high",
                    "q",
                    "q_df",
                    "q_p",
                    "i2",
                    "i2_tau2",
                    "h2",
                )
            },
            "method": [method_text(how, df) for df in lim.df],
        }
    )
