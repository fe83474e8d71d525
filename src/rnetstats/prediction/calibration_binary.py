"""Numbers of calibration for a binary outcome: in the large, line, scores and tests.

References
----------
Cox DR (1958). Two further applications of a model for binary regression. Biometrika 45:562-565.
Debray TPA et al. (2017). A guide to systematic review and meta-analysis of prediction model
performance. BMJ 356:i6460. (Standard error of log O/E.)
Garwood F (1936). Fiducial limits for the Poisson distribution. Biometrika 28:437-442.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from rnetstats._core.distributions import chi_square_p, normal_quantile, two_sided_p
from rnetstats.errors import DataError, rows_text
from rnetstats.kernels.calibration import (
    brier,
    brier_scaled,
    calibration_in_the_large,
    calibration_line,
    log_likelihoods,
    spiegelhalter,
)
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.kernels.roc import auc
from rnetstats.prediction.calibration_curve import Smoother, SplineBasis
from rnetstats.prediction.calibration_levels import FEWEST_EVENTS

__all__ = ["binary_measures", "observed_expected", "refuse_contradictions"]

SPLINE_TEST = "a spline against the ideal line"

Floats = NDArray[np.float64]

_KNOTS = 4


def refuse_contradictions(
    wrong: NDArray[np.bool_], risk: Floats, label: str, positions: NDArray[np.intp]
) -> None:
    """Raise where an outcome is impossible under its risk of exactly 0 or 1.

    Raises
    ------
    DataError
    """
    if not wrong.any():
        return
    first = abs(risk[wrong][0])  # -0 is 0
    what = "had the event" if first == 0.0 else "did not have the event"
    raise DataError(
        f"{label!r} gives a risk of exactly {first:g} to patients who {what} "
        f"({rows_text([int(p) + 1 for p in positions[wrong]])}, counted from 1). Their logit is "
        "infinite, so that neither slope nor likelihood exists, and nothing is clipped in "
        "silence: move such risks off 0 and 1 yourself, as in risk.clip(0.001, 0.999), and say so."
    )


def binary_measures(
    y: Floats, risk: Floats, freq: Floats | None, conf_level: float
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the measures of one model by name, and its tests, a row each.

    Undefined ones are NaN: the slope of identical risks or without both outcomes, scaled scores
    without both outcomes. Under separation the slope is infinite.
    """
    weight = np.ones(len(y)) if freq is None else freq
    n, events, expected = float(weight.sum()), float(weight @ y), float(weight @ risk)
    z = normal_quantile(conf_level)
    large = calibration_in_the_large(y, risk, freq)
    intercept, error = float(large.intercept[0]), float(np.sqrt(large.variance[0]))
    line = calibration_line(y, risk, freq)
    slope, joint = float(line.slope[0]), float(line.intercept[0])
    joint_error, slope_error = np.sqrt(line.covariance[0].diagonal())
    like = log_likelihoods(y, risk, freq)
    recalibrated = _line_log_likelihood(y, risk, weight, joint, slope)
    spiegel = float(spiegelhalter(y, risk, freq)[0])
    ratio = observed_expected(events, expected, n, conf_level)
    measures = {
        "intercept": intercept,
        "slope": slope,
        "joint_intercept": joint,
        "brier": float(brier(y, risk, freq)[0]),
        "brier_scaled": float(brier_scaled(y, risk, freq)[0]),
        "nagelkerke_r2": float(like.nagelkerke[0]),
        "spiegelhalter_z": spiegel,
        "spiegelhalter_p": float(two_sided_p(spiegel)),
        "intercept_std_error": error,
        "intercept_low": intercept - z * error,
        "intercept_high": intercept + z * error,
        "slope_std_error": float(slope_error),
        "slope_low": slope - z * slope_error if np.isfinite(slope) else np.nan,
        "slope_high": slope + z * slope_error if np.isfinite(slope) else np.nan,
        "joint_std_error": float(joint_error),
        "joint_low": joint - z * joint_error,
        "joint_high": joint + z * joint_error,
        **ratio,
        "mean_observed": events / n,
        "mean_predicted": expected / n,
        "brier_null": events / n * (1.0 - events / n),
        "nagelkerke_r2_recalibrated": float(like.nagelkerke_of(np.array([recalibrated]))[0]),
        "cox_snell_r2": float(like.cox_snell[0]),
        "mcfadden_r2": float(like.mcfadden[0]),
        "auc": float(auc(y, risk, freq)[0]),
        "log_likelihood": float(like.risk[0]),
        "log_likelihood_null": float(like.null[0]),
        "n": n,
        "n_events": events,
    }
    shifted = _line_log_likelihood(y, risk, weight, intercept, 1.0)
    steps = (float(like.risk[0]), shifted, recalibrated)
    return measures, [*_tests(steps, spiegel), _spline_test(y, risk, freq, float(like.risk[0]))]


def _line_log_likelihood(
    y: Floats, risk: Floats, weight: Floats, intercept: float, slope: float
) -> float:
    """Log-likelihood of a recalibrated risk; 0 under complete separation, else NaN without it."""
    if np.isinf(slope):
        ends = np.sign(slope) * risk
        return 0.0 if ends[y == 0.0].max() < ends[y == 1.0].min() else float("nan")
    if not (np.isfinite(intercept) and np.isfinite(slope)):
        return 0.0 if np.isinf(intercept) and np.isfinite(slope) else float("nan")
    inner = (risk > 0.0) & (risk < 1.0)
    lp = intercept + slope * np.log(risk[inner] / (1.0 - risk[inner]))
    sign = np.where(y[inner] > 0.0, 1.0, -1.0)
    return float(-weight[inner] @ np.logaddexp(0.0, -sign * lp))


def _tests(steps: tuple[float, float, float], spiegel: float) -> list[dict[str, Any]]:
    as_is, shifted, free = steps
    pairs = (
        ("intercept 0, given slope 1", 2.0 * (shifted - as_is), 1),
        ("slope 1, given a free intercept", 2.0 * (free - shifted), 1),
        ("intercept 0 and slope 1", 2.0 * (free - as_is), 2),
    )
    rows = [
        {
            "test": name,
            "statistic": max(value, 0.0) if np.isfinite(value) else np.nan,
            "df": df,
            "p_value": float(chi_square_p(max(value, 0.0), df)) if np.isfinite(value) else np.nan,
            "method": "likelihood ratio",
        }
        for name, value, df in pairs
    ]
    score = {"test": "Spiegelhalter", "statistic": spiegel, "df": np.nan}
    return [*rows, score | {"p_value": float(two_sided_p(spiegel)), "method": "normal, two-sided"}]


def _spline_test(y: Floats, risk: Floats, freq: Floats | None, as_is: float) -> dict[str, Any]:
    """Likelihood ratio of a restricted cubic spline of the logit against the risks as they are."""
    row: dict[str, Any] = {"test": SPLINE_TEST, "statistic": np.nan, "df": np.nan}
    row |= {"p_value": np.nan, "method": f"likelihood ratio, rcs with {_KNOTS} knots"}
    inner = (risk > 0.0) & (risk < 1.0)
    events = y[inner].sum()
    if 0 < events < inner.sum() and np.isfinite(as_is):
        weight = None if freq is None else freq[inner]
        lp = np.log(risk[inner] / (1.0 - risk[inner]))
        X = SplineBasis(lp, weight, Smoother("rcs", 1.0, knots=_KNOTS))(lp)
        fit = fit_logistic(X, y[inner], freq=weight)
        if fit.status[0] in (OK, LOST_TERM):
            statistic = max(2.0 * (float(fit.log_likelihood[0]) - as_is), 0.0)
            df = X.shape[1] - int(fit.lost[0].sum())
            row |= {"statistic": statistic, "df": df, "p_value": float(chi_square_p(statistic, df))}
    return row


def observed_expected(
    events: float, expected: float, n: float, conf_level: float
) -> dict[str, float]:
    """Return O/E with limits on the log scale; with fewer than 5 events exact (Poisson) ones."""
    if expected <= 0.0:
        return dict.fromkeys(("oe", "oe_low", "oe_high", "oe_log_std_error"), np.nan)
    ratio = events / expected
    error = float(np.sqrt((1.0 - events / n) / events)) if events > 0.0 else np.nan
    if events < FEWEST_EVENTS:
        tail = 0.5 - conf_level / 2.0
        lower = float(gammaincinv(events, tail)) / expected if events > 0.0 else 0.0
        upper = float(gammaincinv(events + 1.0, 1.0 - tail)) / expected
        return {"oe": ratio, "oe_low": lower, "oe_high": upper, "oe_log_std_error": error}
    reach = normal_quantile(conf_level) * error
    return {
        "oe": ratio,
        "oe_low": ratio * np.exp(-reach),
        "oe_high": ratio * np.exp(reach),
        "oe_log_std_error": error,
    }
