"""What a model of interval-censored times says beyond hazard ratios: survival, time ratios."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from rnetstats._core.distributions import chi_square_p, normal_quantile
from rnetstats._core.schema import coefficient_frame
from rnetstats.kernels.interval_cox import CoxIntervals
from rnetstats.kernels.interval_weibull import WeibullIntervals
from rnetstats.kernels.newton import OK
from rnetstats.regression.engine import Engine
from rnetstats.regression.times import times_until

__all__ = [
    "cox_baseline",
    "cox_survival",
    "moments_of",
    "time_ratio_frame",
    "weibull_baseline",
    "weibull_survival",
]

_WIDEST = 60.0  # standard errors


def moments_of(times: float | Sequence[float], last: float) -> np.ndarray:
    """Check the times at which survival is asked for: up to the last visit."""
    return times_until(times, last, "the last visit is")


def weibull_baseline(profile: WeibullIntervals, engine: Engine) -> dict[str, Any]:
    """Return ``intercept, shape, log_time, centre`` and the covariance of (a, k, b).

    The cumulative hazard is exp(intercept + shape (log t - log_time) + (x - centre) b).
    """
    fit = profile.baseline(engine.reached[None, :], np.zeros(1, dtype=np.int64))
    a, k = fit.coef[0, :2]
    information = fit.information[0].copy()
    if engine.prior is not None:
        information[2:, 2:] += engine.prior.evaluate(engine.reached[None, :])[2][0]
    separated = engine.separated
    covariance = np.full_like(information, np.nan) if separated else np.linalg.inv(information)
    variance = float(np.nan if separated else covariance[1, 1])
    return {
        "intercept": float(a),
        "shape": float(k),
        "shape_std_error": float(np.sqrt(variance)),
        "log_time": profile.shift,
        "centre": _centre(engine),
        "covariance": covariance,
    }


def _centre(engine: Engine) -> np.ndarray:
    weight = engine.patient_weights
    return np.asarray(weight @ engine.X / weight.sum())


def cox_baseline(profile: CoxIntervals, engine: Engine) -> dict[str, Any]:
    """Return the jumps: ``left, right, jump`` at the mean of the columns, and ``centre``."""
    jumps = profile.baseline(engine.reached)
    size = np.append(jumps.size, np.inf) if profile.certain else jumps.size
    kept = size > 1e-12 * max(float(jumps.size.max(initial=0.0)), 1e-300)
    return {
        "left": profile.left[kept],
        "right": profile.right[kept],
        "jump": size[kept],
        "centre": profile.centre,
        "excess": jumps.excess,
    }


def weibull_survival(
    baseline: dict[str, Any],
    coef: np.ndarray,
    X: np.ndarray,
    offset: np.ndarray,
    moments: np.ndarray,
    conf_level: float,
) -> dict[str, np.ndarray]:
    """Return survival (m, k) of new patients with limits on the log cumulative hazard's scale."""
    centred = X - baseline["centre"]
    with np.errstate(divide="ignore"):
        log_time = np.log(moments) - baseline["log_time"]
    known = np.where(np.isfinite(log_time), log_time, 0.0)
    eta = (centred @ coef + offset + baseline["intercept"])[:, None]
    log_hazard = eta + baseline["shape"] * known
    rows = np.concatenate(
        [
            np.ones((len(X), len(moments), 1)),
            np.broadcast_to(known, (len(X), len(moments)))[:, :, None],
            np.broadcast_to(centred[:, None, :], (len(X), len(moments), X.shape[1])),
        ],
        axis=2,
    )
    error = np.sqrt(np.einsum("mki,ij,mkj->mk", rows, baseline["covariance"], rows))
    reach = normal_quantile(conf_level) * error
    start = np.isneginf(log_time)
    hazard = np.where(start, 0.0, np.exp(log_hazard))
    survival = np.exp(-hazard)
    return {
        "survival": survival,
        "risk": -np.expm1(-hazard),
        "std_error": np.where(start, 0.0, survival * hazard * error),
        "conf_low": np.where(start, 1.0, np.exp(-np.exp(log_hazard + reach))),
        "conf_high": np.where(start, 1.0, np.exp(-np.exp(log_hazard - reach))),
    }


def cox_survival(
    baseline: dict[str, Any],
    coef: np.ndarray,
    X: np.ndarray,
    offset: np.ndarray,
    moments: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return the bounds of survival (m, k) of new patients."""
    risk = np.exp((X - baseline["centre"]) @ coef + offset)[:, None]
    least, most = _hazard_bounds(baseline, moments)
    low, high = np.exp(-risk * most), np.exp(-risk * least)
    return {"survival_low": low, "survival_high": high}


def _hazard_bounds(baseline: dict[str, Any], moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the least and the largest cumulative baseline hazard at given times."""
    left, right, jump = (np.asarray(baseline[name]) for name in ("left", "right", "jump"))
    hazard = np.append(0.0, np.cumsum(jump))
    gone = np.searchsorted(right, moments, side="right")
    begun = np.maximum(np.searchsorted(left, moments, side="left"), gone)
    return hazard[gone], hazard[begun]


def time_ratio_frame(
    profile: WeibullIntervals,
    engine: Engine,
    table: dict[str, Any],
    baseline: dict[str, Any],
    conf_level: float,
) -> pd.DataFrame:
    """Return time ratios exp(-b / k) with profile-likelihood limits, in the shared schema."""
    shape, coef = baseline["shape"], -engine.reached / baseline["shape"]
    covariance = baseline["covariance"]
    drop = 0.5 * normal_quantile(conf_level) ** 2
    low, high, error = (np.empty(len(coef)) for _ in range(3))
    for j, g in enumerate(coef):
        slope = np.zeros(len(covariance))
        slope[2 + j], slope[1] = -1.0 / shape, -g / shape
        error[j] = np.sqrt(slope @ covariance @ slope)

        begin = np.concatenate([[baseline["intercept"], shape], np.delete(engine.reached, j)])

        def fall(x: float, j: int = j, begin: np.ndarray = begin) -> float:
            return engine.value - _held_time_ratio(profile, j, x, begin) - drop

        low[j], high[j] = (_root(fall, float(g), side * error[j]) for side in (-1.0, 1.0))
    statistic = np.asarray(table["statistic"], dtype=float)
    with np.errstate(over="ignore"):
        ratio, ratio_low, ratio_high = np.exp(coef), np.exp(low), np.exp(high)
    return coefficient_frame(
        {
            **table,
            "measure": ["TR"] * len(coef),
            "estimate": ratio,
            "conf_low": ratio_low,
            "conf_high": ratio_high,
            "coef": coef,
            "std_error": error,
            "p_value": chi_square_p(statistic, 1),
        }
    )


def _held_time_ratio(profile: WeibullIntervals, j: int, ratio: float, begin: np.ndarray) -> float:
    """Maximise the likelihood with the log time ratio of column j held, from (a, k, other b)."""
    x = profile.X[:, j]
    others = np.delete(np.arange(profile.X.shape[1]), j)
    moved = replace(
        profile,
        X=profile.X[:, others],
        log_left=np.where(profile.has_left, profile.log_left - ratio * x, 0.0),
        log_right=np.where(profile.has_right, profile.log_right - ratio * x, 0.0),
    )
    fit = moved.fit_all(start=begin)
    if fit.status[0] != OK:
        return float("nan")
    # the density of a time that was seen is that of the time itself, not of the moved one
    return float(fit.log_likelihood[0] - ratio * (profile.freq[0] * profile.exact) @ x)


def _root(fall: Callable[[float], float], start: float, step: float) -> float:
    """Find where the likelihood has fallen far enough, walking outward by standard errors."""
    inner, outer = start, start + 1.5 * step
    while abs(outer - start) <= _WIDEST * abs(step):
        here = fall(outer)
        if np.isnan(here):
            return float("nan")
        if here >= 0.0:
            return float(brentq(fall, inner, outer, xtol=1e-11, rtol=1e-12))
        inner, outer = outer, outer + step
    return float("nan")
