"""Confidence and prediction intervals of pooled estimates, many sets of studies at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr, stdtrit

from rnetstats._core.distributions import two_sided_p
from rnetstats.evidence.meta_options import PoolOptions

__all__ = ["Limits", "limits_of", "prediction_limits", "t_p_value", "t_quantile"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Limits:
    """Limits and test of coefficients, all of one shape.

    Attributes
    ----------
    std_error, df, statistic, p_value, low, high
        ``df`` is infinite for the normal law.
    """

    std_error: Floats
    df: Floats
    statistic: Floats
    p_value: Floats
    low: Floats
    high: Floats


def t_quantile(df: Floats, conf_level: float) -> Floats:
    """Return the upper quantile of Student's t, of the normal law where df is infinite."""
    upper = (1.0 + conf_level) / 2.0
    finite = np.isfinite(df) & (df > 0)
    found = np.where(finite, stdtrit(np.where(finite, df, 1.0), upper), float(ndtri(upper)))
    return np.where(df > 0, found, np.nan)


def t_p_value(statistic: Floats, df: Floats) -> Floats:
    """Return the two-sided P of Student's t, of the normal law where df is infinite."""
    finite = np.isfinite(df) & (df > 0)
    student = 2.0 * stdtr(np.where(finite, df, 1.0), -np.abs(statistic))
    return np.where(finite, student, two_sided_p(statistic))


def limits_of(coef: Floats, wald: Floats, knapp: Floats, df: Floats, how: PoolOptions) -> Limits:
    """Return the limits of coefficients by the method asked for.

    Parameters
    ----------
    coef : (...)
    wald : (...)
        Standard errors with the weights taken as known.
    knapp : (...)
        Those of Hartung and Knapp.
    df : (...)
        Studies less coefficients; where there are none, the limits are Wald's.
    how : PoolOptions

    References
    ----------
    Knapp G, Hartung J (2003) Improved tests for a random effects meta-regression with a single
    covariate. Stat Med 22:2693-2710. Jackson D et al (2017) The Hartung-Knapp modification for
    random-effects meta-analysis: a useful refinement but are there any residual concerns? Stat
    Med 36:3923-3934.
    """
    plain = _limits(coef, wald, np.full_like(df, np.inf), how.conf_level)
    if how.ci == "wald":
        return plain
    error = np.maximum(knapp, wald) if how.ci == "hartung-knapp-adhoc" else knapp
    student = _limits(coef, error, np.where(df > 0, df, np.nan), how.conf_level)
    other = ~(df > 0)
    if how.ci == "hartung-knapp-wider":
        other = other | (plain.high - plain.low > student.high - student.low)
    return Limits(
        std_error=np.where(other, plain.std_error, student.std_error),
        df=np.where(other, plain.df, student.df),
        statistic=np.where(other, plain.statistic, student.statistic),
        p_value=np.where(other, plain.p_value, student.p_value),
        low=np.where(other, plain.low, student.low),
        high=np.where(other, plain.high, student.high),
    )


def _limits(coef: Floats, error: Floats, df: Floats, conf_level: float) -> Limits:
    """Without spread there is no test: P is missing, the limits are the estimate."""
    half = t_quantile(df, conf_level) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = np.where(error > 0.0, coef / error, np.nan)
    return Limits(error, df, statistic, t_p_value(statistic, df), coef - half, coef + half)


def prediction_limits(
    coef: Floats, wald: Floats, knapp: Floats, tau2: Floats, df: Floats, how: PoolOptions
) -> tuple[Floats, Floats]:
    """Return the limits of the effect in a new study; none below 3 studies.

    Parameters
    ----------
    coef, wald, knapp, df : (...)
        As in :func:`limits_of`; ``df`` below 2 gives no interval.
    tau2 : (...)
    how : PoolOptions

    References
    ----------
    Higgins JPT, Thompson SG, Spiegelhalter DJ (2009) A re-evaluation of random-effects
    meta-analysis. J R Stat Soc A 172:137-159. Partlett C, Riley RD (2017) Random effects
    meta-analysis: coverage performance of 95% confidence and prediction intervals following REML
    estimation. Stat Med 36:301-317.
    """
    if how.prediction is None:
        none = np.full_like(coef, np.nan)
        return none, none
    floor = how.ci == "hartung-knapp-adhoc"
    error = (np.maximum(knapp, wald) if floor else knapp) if how.prediction == "hk" else wald
    freedom = {"hts": df - 1.0, "normal": np.where(df >= 2.0, np.inf, np.nan)}
    used = np.where(df >= 2.0, freedom.get(how.prediction, df), np.nan)
    half = t_quantile(used, how.conf_level) * np.sqrt(tau2 + np.square(error))
    return coef - half, coef + half
