"""The flexible curve of calibration at a horizon: pseudo-values smoothed, or a Cox regression.

References
----------
Austin PC, Harrell FE, van Klaveren D (2020). Graphical calibration curves and the integrated
calibration index (ICI) for survival models. Statistics in Medicine 39:2714-2742.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.distributions import normal_quantile
from rnetstats.errors import RnetError
from rnetstats.formula.splines import restricted_basis, restricted_knots
from rnetstats.kernels.pseudo_values import pseudo_values
from rnetstats.prediction.calibration_curve import LOCAL, Curve, Smoother, grid_of, smooth
from rnetstats.prediction.calibration_spline import straight_note
from rnetstats.prediction.calibration_times import Times
from rnetstats.prediction.pseudo_regression import cloglog, pseudo_regression, risk_of
from rnetstats.regression.cox import cox
from rnetstats.regression.cox_result import CoxResult

__all__ = ["cloglog_cox", "survival_curve"]

Floats = NDArray[np.float64]


def survival_curve(times: Times, risk: Floats, how: Smoother, conf_level: float) -> Curve:
    """Return observed against predicted risk by the horizon.

    "loess" and "lowess" smooth pseudo-values. "cloglog" and "rcs" are Cox regressions on
    log(-log(1 - risk)), straight or as a restricted cubic spline; with competing causes
    regressions of pseudo-values with that link.
    """
    values = pseudo_values(times.stop, times.code, times.horizon, times.freq, cause=times.cause)
    if how.name in LOCAL:
        return smooth(values, risk, times.freq, how, conf_level, pseudo=True)
    at, fitted = grid_of(risk), risk.astype(np.float64).copy()
    inner = (risk > 0.0) & (risk < 1.0)
    open_ = (at > 0.0) & (at < 1.0)
    missing = np.full(at.shape, np.nan)
    if not inner.any():
        return Curve(at, at.copy(), missing, missing, fitted)
    lp, points = cloglog(risk[inner]), cloglog(at[open_])
    freq = None if times.freq is None else times.freq[inner]
    knots = restricted_knots(lp, how.knots, freq) if how.name == "rcs" else None
    if knots is not None and not (np.diff(knots) > 0.0).all():
        knots = None
    found = (
        _pseudo_curve(values[inner], lp, points, knots, freq, conf_level)
        if times.competing
        else _cox_curve(times, lp, points, knots, inner, conf_level)
    )
    if found is None:
        fitted[inner] = np.nan
        note = f"The {how.name} curve does not exist for these risks; smoother='loess' has one."
        return Curve(at, missing, missing, missing, fitted, (note,))
    observed, low, high = at.copy(), missing.copy(), missing.copy()
    fitted[inner], observed[open_], low[open_], high[open_] = found
    return Curve(at, observed, low, high, fitted, straight_note(how, lp, knots))


def _cox_curve(
    times: Times,
    lp: Floats,
    points: Floats,
    knots: Floats | None,
    inner: NDArray[np.bool_],
    conf_level: float,
) -> tuple[Floats, Floats, Floats, Floats] | None:
    if knots is None and np.ptp(lp) <= 1e-12 * max(1.0, float(np.abs(lp).max())):
        level, _, least, most = times.limits(conf_level, inner)
        flat = np.ones(len(points))
        return np.full(len(lp), level), flat * level, flat * least, flat * most
    term = "cll"
    if knots is not None:
        term = f"rcs(cll, knots=[{', '.join(repr(float(k)) for k in knots)}])"
    fit = cloglog_cox(times, lp, inner, term)
    if fit is None or not np.isfinite(fit.to_frame()["coef"]).all():
        return None
    everyone = pd.DataFrame({"cll": np.concatenate([lp, points])})
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = fit.survival(everyone, [min(times.horizon, float(times.stop[inner].max()))])
        risk = found["risk"].to_numpy()
        # limits at the level asked for, on the scale of the cumulative hazard
        survival = 1.0 - risk[len(lp) :]
        reach = normal_quantile(conf_level) * found["std_error"].to_numpy()[len(lp) :] / survival
        low = 1.0 - np.minimum(survival * np.exp(reach), 1.0)
        high = 1.0 - survival * np.exp(-reach)
    if not np.isfinite(risk).all():
        return None
    return risk[: len(lp)], risk[len(lp) :], low, high


def _pseudo_curve(
    values: Floats,
    lp: Floats,
    points: Floats,
    knots: Floats | None,
    freq: Floats | None,
    conf_level: float,
) -> tuple[Floats, Floats, Floats, Floats] | None:
    def design(x: Floats) -> Floats:
        columns = x[:, None] if knots is None else restricted_basis(x, knots)
        return np.column_stack([np.ones(len(x)), columns])

    same = np.ptp(lp) <= 1e-12 * max(1.0, float(np.abs(lp).max()))
    X, at = (design(lp)[:, :1], design(points)[:, :1]) if same else (design(lp), design(points))
    fit = pseudo_regression(X, values, freq)
    if fit is None:
        return None
    eta = at @ fit[0]
    reach = normal_quantile(conf_level) * np.sqrt(np.einsum("ij,jk,ik->i", at, fit[1], at))
    return risk_of(X @ fit[0]), risk_of(eta), risk_of(eta - reach), risk_of(eta + reach)


def cloglog_cox(times: Times, lp: Floats, rows: NDArray[np.bool_], term: str) -> CoxResult | None:
    """Cox regression on the complementary log-log of the risk, by maximum likelihood."""
    data = pd.DataFrame(
        {"time": times.stop[rows], "event": (times.code[rows] > 0).astype(int), "cll": lp}
    )
    freq = None if times.freq is None else times.freq[rows]
    formula = f"Surv(time, event) ~ {term}"
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # nearly separated
            return cox(data, formula, penalty=None, ci="wald", freq_weights=freq)
    except RnetError:
        return None
