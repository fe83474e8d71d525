"""Numbers of calibration of a risk by a time, under censoring and competing causes.

References
----------
McLernon DJ, Giardiello D, Van Calster B et al. (2023). Assessing performance and clinical
usefulness in prediction models with survival outcomes. Ann Intern Med 176:105-114.
van Geloven N, Giardiello D, Bonneville EF et al. (2022). BMJ 377:e069249.
Kattan MW, Gerds TA (2018). The index of prediction accuracy. Diagn Progn Res 2:7.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.distributions import chi_square_p, normal_quantile, two_sided_p
from rnetstats.formula.splines import restricted_basis, restricted_knots
from rnetstats.kernels.ipcw_auc import ipcw_auc
from rnetstats.kernels.ipcw_brier import ipcw_brier
from rnetstats.kernels.pseudo_values import pseudo_values
from rnetstats.prediction.calibration_groups import group_codes
from rnetstats.prediction.calibration_times import Times
from rnetstats.prediction.pseudo_regression import cloglog, pseudo_regression
from rnetstats.prediction.survival_curve import cloglog_cox

__all__ = ["survival_groups", "survival_measures", "survival_tests"]

_KNOTS = 4
_EVENTS_PER_PARAMETER = 10
_WORDS = {
    "oe": "O/E",
    "brier": "Brier score",
    "brier_scaled": "scaled Brier score",
    "auc": "AUC",
    "observed_std_error": "standard error of the observed risk",
}

Floats = NDArray[np.float64]


def survival_measures(
    times: Times, risk: Floats, conf_level: float
) -> tuple[dict[str, Any], list[str]]:
    """Return the measures of one model by name, and notes."""
    z = normal_quantile(conf_level)
    weight = times.weight
    notes: list[str] = []
    n, mean = float(weight.sum()), float(weight @ risk / weight.sum())
    observed, error, low, high = times.limits(conf_level)
    scores, errors = ipcw_brier(
        times.stop,
        times.code,
        np.vstack([risk, np.full(len(risk), observed)]),
        times.horizon,
        times.freq,
        cause=times.cause,
    )
    ipa = 1.0 - scores[0] / scores[1] if scores[1] > 0.0 else np.nan
    auc, auc_error = ipcw_auc(
        times.stop, times.code, risk, times.horizon, times.freq, cause=times.cause
    )
    measures = {
        "brier": float(scores[0]),
        "brier_scaled": float(ipa),
        "oe": observed / mean if mean > 0.0 else np.nan,
        "oe_low": low / mean if mean > 0.0 else np.nan,
        "oe_high": high / mean if mean > 0.0 else np.nan,
        "observed_risk": observed,
        "observed_std_error": error,
        "observed_low": low,
        "observed_high": high,
        "mean_predicted": mean,
        "brier_std_error": float(errors[0]),
        "brier_null": float(scores[1]),
        "ipa": float(ipa),
        "auc": auc,
        "auc_std_error": auc_error,
        "n": n,
        "n_events": float(weight @ times.event),
    }
    undefined = [word for name, word in _WORDS.items() if np.isnan(measures[name])]
    if undefined:
        notes.append(
            f"undefined (missing): {', '.join(undefined)}. They need a mean risk above 0, events "
            "by the horizon and patients followed past it, an observed risk below 1"
        )
    inner = (risk > 0.0) & (risk < 1.0)
    lines = _lines(times, risk, inner, notes)
    for name in ("intercept", "slope"):
        value, spread = lines[name], lines[f"{name}_std_error"]
        lines[f"{name}_low"], lines[f"{name}_high"] = value - z * spread, value + z * spread
    return measures | lines, notes


def _lines(
    times: Times, risk: Floats, inner: NDArray[np.bool_], notes: list[str]
) -> dict[str, float]:
    """Intercept in the large, slope and joint intercept on the complementary log-log scale."""
    names = ("intercept", "slope", "joint_intercept", "intercept_std_error", "slope_std_error")
    found = dict.fromkeys(names, float("nan"))
    if not (times.event & inner).any():
        notes.append("no event by the horizon: neither intercept nor slope exists")
        return found
    values = pseudo_values(times.stop, times.code, times.horizon, times.freq, cause=times.cause)[
        inner
    ]
    lp = cloglog(risk[inner])
    freq = None if times.freq is None else times.freq[inner]
    ones = np.ones((len(lp), 1))
    large = pseudo_regression(ones, values, freq, offset=lp)
    if large is not None:
        found["intercept"] = float(large[0][0])
        found["intercept_std_error"] = float(np.sqrt(large[1][0, 0]))
    if np.ptp(lp) <= 1e-12 * max(1.0, float(np.abs(lp).max())):
        notes.append("the risks are all the same: the slope is undefined")
        return found
    both = pseudo_regression(np.column_stack([ones, lp]), values, freq)
    if both is not None:
        found["joint_intercept"] = float(both[0][0])
        if times.competing:
            found["slope"] = float(both[0][1])
            found["slope_std_error"] = float(np.sqrt(both[1][1, 1]))
    if not times.competing:
        fit = cloglog_cox(times, lp, inner, "cll")
        if fit is not None:
            row = fit.to_frame().iloc[0]
            found["slope"], error = float(row["coef"]), float(row["std_error"])
            found["slope_std_error"] = error if np.isfinite(row["coef"]) else float("nan")
    if not np.isfinite(found["slope"]):
        notes.append("the slope has no finite estimate (the risks separate the events)")
    if not (np.isfinite(found["intercept"]) and np.isfinite(found["joint_intercept"])):
        notes.append("a regression on pseudo-values did not settle: its intercept is missing")
    return found


def survival_tests(times: Times, risk: Floats, measures: dict[str, Any]) -> list[dict[str, Any]]:
    """Return Wald tests, a row each: intercept 0, slope 1, both, and a spline.

    A joint test takes ten events a parameter, or it is not made: with fewer it rejects right
    risks too often.
    """
    rows = []
    for name, null in (("intercept", 0.0), ("slope", 1.0)):
        error = float(measures[f"{name}_std_error"])
        z = (float(measures[name]) - null) / error if error > 0.0 else float("nan")
        row = {"test": f"{name} {null:g}", "statistic": z, "df": 1}
        rows.append(row | {"p_value": float(two_sided_p(z)), "method": "Wald"})
    inner = (risk > 0.0) & (risk < 1.0)
    lp, freq = cloglog(risk[inner]), None if times.freq is None else times.freq[inner]
    values = pseudo_values(times.stop, times.code, times.horizon, times.freq, cause=times.cause)
    line = np.column_stack([np.ones(len(lp)), lp])
    knots = restricted_knots(lp, _KNOTS, freq) if len(lp) else np.zeros(_KNOTS)
    wide = line
    if (np.diff(knots) > 0.0).all():
        wide = np.column_stack([np.ones(len(lp)), restricted_basis(lp, knots)])
    possible = bool((times.event & inner).any()) and np.ptp(lp) > 1e-12
    for test, X in (("intercept 0 and slope 1", line), ("a spline against the ideal line", wide)):
        enough = possible and measures["n_events"] >= _EVENTS_PER_PARAMETER * X.shape[1]
        fit = pseudo_regression(X, values[inner], freq) if enough else None
        row = {"test": test, "statistic": np.nan, "df": X.shape[1], "p_value": np.nan}
        if fit is not None and np.linalg.cond(fit[1]) < 1e14:
            gap = fit[0] - np.eye(X.shape[1])[1]
            statistic = float(gap @ np.linalg.solve(fit[1], gap))
            row |= {"statistic": statistic, "p_value": float(chi_square_p(statistic, X.shape[1]))}
        rows.append(row | {"method": "Wald, pseudo-values, robust variance"})
    return rows


def survival_groups(times: Times, risk: Floats, groups: int, conf_level: float) -> pd.DataFrame:
    """Return a row a group of similar risk.

    Returns
    -------
    DataFrame
        ``group, low, high`` (its risks), ``n, n_events`` (by the horizon), ``mean_predicted,
        observed`` (Kaplan-Meier, or Aalen-Johansen), ``conf_low, conf_high, std_error``. Past a
        group's last time its last value is carried on.
    """
    code = group_codes(risk, times.freq, groups)
    weight, rows = times.weight, []
    for k in range(int(code.max()) + 1):
        here = code == k
        observed, error, low, high = times.limits(conf_level, here)
        rows.append(
            {
                "group": k + 1,
                "low": float(risk[here].min()),
                "high": float(risk[here].max()),
                "n": float(weight[here].sum()),
                "n_events": float(weight[here] @ times.event[here]),
                "mean_predicted": float(weight[here] @ risk[here] / weight[here].sum()),
                "observed": observed,
                "conf_low": low,
                "conf_high": high,
                "std_error": error,
            }
        )
    return pd.DataFrame(rows)
