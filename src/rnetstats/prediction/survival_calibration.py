"""Calibration of a risk by a time, under censoring and competing causes.

References
----------
Austin PC, Harrell FE, van Klaveren D (2020). Graphical calibration curves and the integrated
calibration index (ICI) for survival models. Statistics in Medicine 39:2714-2742.
McLernon DJ, Giardiello D, Van Calster B et al. (2023). Assessing performance and clinical
usefulness in prediction models with survival outcomes. Ann Intern Med 176:105-114.
van Geloven N, Giardiello D, Bonneville EF et al. (2022). BMJ 377:e069249.
Kattan MW, Gerds TA (2018). The index of prediction accuracy. Diagn Progn Res 2:7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.distributions import chi_square_p, normal_quantile, two_sided_p
from rnetstats.errors import DataError, RnetError
from rnetstats.formula.outcome import Outcome
from rnetstats.formula.splines import restricted_basis, restricted_knots
from rnetstats.kernels.ipcw_auc import ipcw_auc
from rnetstats.kernels.ipcw_brier import ipcw_brier
from rnetstats.kernels.pseudo_values import pseudo_values, risk_by
from rnetstats.prediction.calibration_curve import LOCAL, Curve, Smoother, grid_of, smooth
from rnetstats.prediction.calibration_groups import group_codes
from rnetstats.prediction.pseudo_regression import cloglog, pseudo_regression, risk_of
from rnetstats.regression.cox import CoxResult, cox
from rnetstats.survival.bpcp import beta_product_limits
from rnetstats.survival.limits import transformed_limits
from rnetstats.survival.product_limit import product_limit

__all__ = [
    "Times",
    "survival_curve",
    "survival_groups",
    "survival_measures",
    "survival_tests",
    "times_of",
]

_KNOTS = 4
_EVENTS_PER_PARAMETER = 10

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Times and causes of the rows judged.

    Attributes
    ----------
    stop, code
        (n,) times, and 0 for censored, else the cause.
    cause
        The code of the event judged.
    competing
        Whether there are other causes.
    horizon
    freq
        (n,) or None.
    """

    stop: Floats
    code: NDArray[np.int64]
    cause: int
    competing: bool
    horizon: float
    freq: Floats | None

    @property
    def weight(self) -> Floats:
        """How many patients each row stands for (n,)."""
        return np.ones(len(self.stop)) if self.freq is None else self.freq

    @property
    def event(self) -> NDArray[np.bool_]:
        """Whether the row had the event judged by the horizon (n,)."""
        return np.asarray((self.code == self.cause) & (self.stop <= self.horizon))

    @property
    def free(self) -> NDArray[np.bool_]:
        """Whether the row is known not to have had the event by the horizon (n,)."""
        other = (self.code > 0) & (self.code != self.cause)
        return np.asarray((self.stop > self.horizon) | other)

    def risk(self, rows: NDArray[np.bool_] | None = None) -> tuple[float, float]:
        """Observed risk of all (or some) rows and its standard error."""
        here = np.ones(len(self.stop), dtype=bool) if rows is None else rows
        weight = self.weight[here]
        return risk_by(self.stop[here], self.code[here], self.horizon, weight, cause=self.cause)

    def limits(
        self, conf_level: float, rows: NDArray[np.bool_] | None = None
    ) -> tuple[float, float, float, float]:
        """Observed risk, standard error and log-log limits; beta product limits at 0 and 1."""
        risk, error = self.risk(rows)
        if 0.0 < risk < 1.0 and np.isfinite(error):
            survival = np.array([1.0 - risk])
            variance = np.array([(error / (1.0 - risk)) ** 2])
            low, high = transformed_limits(survival, variance, "log-log", conf_level)
        else:
            here = np.ones(len(self.stop), dtype=bool) if rows is None else rows
            low, high = self._product_limits(here, conf_level)
        return risk, error, 1.0 - float(high[0]), 1.0 - float(low[0])

    def _product_limits(self, here: NDArray[np.bool_], conf_level: float) -> tuple[Floats, Floats]:
        weight = self.weight[here]
        curve = product_limit(self.stop[here], self.event[here], weights=weight)
        until = curve.time <= self.horizon
        risk, event = curve.n_risk[until], curve.n_event[until]
        left = risk - event - curve.n_censor[until]
        if not risk.size:  # nothing has happened yet: everybody is left
            risk, event, left = (np.array([x]) for x in (weight.sum(), 0.0, weight.sum()))
        low, high = beta_product_limits(risk, event, left, conf_level=conf_level)
        return low[-1:], high[-1:]


def times_of(outcome: Outcome, horizon: float, freq: Floats | None) -> Times:
    """Read times from an outcome.

    Raises
    ------
    DataError
        For late entry, or where nobody is followed up to the horizon.
    """
    if outcome.start is not None:
        raise DataError(
            "Calibration at a time needs follow-up from the start, Surv(time, event): censoring "
            "weights and pseudo-values do not allow for late entry."
        )
    assert outcome.stop is not None
    assert outcome.event is not None
    stop = np.asarray(outcome.stop, dtype=np.float64)
    competing = outcome.cause_codes is not None
    if outcome.cause_codes is None:
        code = outcome.event.astype(np.int64)
    else:
        code = np.asarray(outcome.cause_codes).astype(np.int64)
    last = stop.max()
    if horizon > last and (code[stop == last] == 0).any():
        raise DataError(
            f"Follow-up ends at {last:g} with patients still without an event: nothing is known "
            f"of the risk by time={horizon:g}. Choose an earlier time."
        )
    return Times(stop, code, outcome.cause or 1, competing, horizon, freq)


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
        fit = _cox(times, lp, inner, "cll")
        if fit is not None:
            row = fit.to_frame().iloc[0]
            found["slope"], error = float(row["coef"]), float(row["std_error"])
            found["slope_std_error"] = error if np.isfinite(row["coef"]) else float("nan")
    if not np.isfinite(found["slope"]):
        notes.append("the slope has no finite estimate (the risks separate the events)")
    if not (np.isfinite(found["intercept"]) and np.isfinite(found["joint_intercept"])):
        notes.append("a regression on pseudo-values did not settle: its intercept is missing")
    return found


def _cox(times: Times, lp: Floats, rows: NDArray[np.bool_], term: str) -> CoxResult | None:
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
    return Curve(at, observed, low, high, fitted)


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
    fit = _cox(times, lp, inner, term)
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
