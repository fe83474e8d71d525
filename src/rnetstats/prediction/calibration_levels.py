"""The four levels of calibration in words, each with the rule by which it was judged.

References
----------
Van Calster B, Nieboer D, Vergouwe Y, De Cock B, Pencina MJ, Steyerberg EW (2016). A calibration
hierarchy for risk models was defined: from utopia to empirical data. J Clin Epidemiol 74:167-176.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.formatting import digits_beside, fmt_interval, fmt_number, fmt_p, fmt_percent
from rnetstats.prediction.calibration_curve import Curve

__all__ = ["ENOUGH_EVENTS", "FEWEST_EVENTS", "levels_table", "share_in_band"]

Floats = NDArray[np.float64]

ENOUGH_EVENTS: Final = 200  # and as many without the event, for a flexible curve
FEWEST_EVENTS: Final = 5  # or patients without: below, neither line nor curve is judged
_NOT_JUDGED: Final = "cannot be judged"
_NO_DEPARTURE: Final = "no departure shown"


def share_in_band(curve: Curve, risk: Floats, freq: Floats | None) -> float:
    """Share of patients at whose risk the band holds the ideal line; NaN without a band."""
    known = np.isfinite(curve.low) & np.isfinite(curve.high)
    if not known.any():
        return float("nan")
    at = curve.at[known]
    low, high = np.interp(risk, at, curve.low[known]), np.interp(risk, at, curve.high[known])
    weight = np.ones(len(risk)) if freq is None else freq
    return float(weight @ ((risk >= low) & (risk <= high)) / weight.sum())


def levels_table(measures: dict[str, Any], share: float, conf_level: float) -> pd.DataFrame:
    """Return a row a level.

    Parameters
    ----------
    measures
        Of one model, as in the result's frame; ``weak_p`` is the P of intercept 0 and slope 1,
        ``moderate_p`` that of a spline in the place of the line, each with ``..._test`` in words.
    share
        From :func:`share_in_band`.
    conf_level

    Returns
    -------
    DataFrame
        ``level, meaning, verdict, finding, rule``.
    """
    rows = [
        _mean(measures, conf_level),
        _weak(measures, conf_level),
        _moderate(measures, share, conf_level),
        {
            "level": "strong",
            "meaning": "risks are right for every pattern of the predictors",
            "verdict": _NOT_JUDGED,
            "finding": "no finite sample can show it",
            "rule": "none: strong calibration needs the true model",
        },
    ]
    return pd.DataFrame(rows)


def _mean(m: dict[str, Any], conf_level: float) -> dict[str, str]:
    low, high = m["oe_low"], m["oe_high"]
    if not (np.isfinite(low) and np.isfinite(high)):
        verdict = _NOT_JUDGED
    elif low > 1.0:
        verdict = "departs: risks are too low on average"
    elif high < 1.0:
        verdict = "departs: risks are too high on average"
    else:
        verdict = _NO_DEPARTURE
    return {
        "level": "mean",
        "meaning": "the average risk equals the share with the event",
        "verdict": verdict,
        "finding": f"O/E {fmt_number(m['oe'])} ({_around_one(low, high)}), "
        f"intercept {fmt_number(m['intercept'])}",
        "rule": f"departs if the {100 * conf_level:g} % limits of O/E exclude 1",
    }


def _weak(m: dict[str, Any], conf_level: float) -> dict[str, str]:
    p, slope = m["weak_p"], m["slope"]
    verdict = _NO_DEPARTURE
    if not np.isfinite(p) or _rarer(m) < FEWEST_EVENTS:
        verdict = _NOT_JUDGED
    elif p < 1.0 - conf_level:
        verdict = "departs" + _lean(m)
    return {
        "level": "weak",
        "meaning": "neither over- nor underestimated on average, nor too extreme or too moderate",
        "verdict": verdict,
        "finding": f"slope {fmt_number(slope)} ({_around_one(m['slope_low'], m['slope_high'])}); "
        f"P {_p_beside(p, conf_level)} of intercept and slope together",
        "rule": f"departs if {m['weak_test']} has P < {1.0 - conf_level:.3g}; judged with at least "
        f"{FEWEST_EVENTS} events and as many patients without",
    }


def _around_one(low: float, high: float) -> str:
    """Write limits with digits enough to say whether they exclude 1."""
    ends = [end for end in (low, high) if np.isfinite(end)]
    return fmt_interval(low, high, max((digits_beside(end, 1.0) for end in ends), default=2))


def _p_beside(p: float, conf_level: float) -> str:
    """Write a P value with digits enough to say whether it is below the level of the test."""
    if not np.isfinite(p):
        return fmt_p(p)
    digits = digits_beside(p, round(1.0 - conf_level, 12), digits=3)
    return fmt_p(p) if digits == 3 else fmt_number(p, digits)


def _rarer(m: dict[str, Any]) -> float:
    """How many patients have the rarer outcome."""
    return float(min(m["n_events"], m["n"] - m["n_events"]))


def _lean(m: dict[str, Any]) -> str:
    if m["slope_high"] < 1.0:
        return ": risks are too extreme (slope below 1)"
    if m["slope_low"] > 1.0:
        return ": risks are too moderate (slope above 1)"
    return ""


def _moderate(m: dict[str, Any], share: float, conf_level: float) -> dict[str, str]:
    p, fewer = m["moderate_p"], _rarer(m)
    if not np.isfinite(p) or fewer < FEWEST_EVENTS:
        verdict = _NOT_JUDGED
    elif p < 1.0 - conf_level:
        verdict = "departs"
    else:
        verdict = _NO_DEPARTURE
    if fewer < ENOUGH_EVENTS and verdict == _NO_DEPARTURE:
        verdict += ", but too few events to show much"
    return {
        "level": "moderate",
        "meaning": "among patients given one risk, that share has the event",
        "verdict": verdict,
        "finding": f"ICI {fmt_number(m['ici'], 3)}, Emax {fmt_number(m['emax'], 3)}; the pointwise "
        f"band holds the ideal line for {fmt_percent(share)} of patients; "
        f"P {_p_beside(p, conf_level)} of a spline",
        "rule": f"departs if {m['moderate_test']} has P < {1.0 - conf_level:.3g}; the band is no "
        f"test. It takes some {ENOUGH_EVENTS} events and as many patients without",
    }
