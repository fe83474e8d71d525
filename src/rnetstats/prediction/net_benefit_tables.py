"""Tables of decision curves: every number, differences, and what they mean for patients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import OptionError, closest
from rnetstats.prediction.decision import TREAT_ALL, Curves, Decision
from rnetstats.prediction.net_benefit_bands import Bands

__all__ = [
    "COLUMNS",
    "check_thresholds",
    "corrected_rows",
    "curve_table",
    "difference_table",
    "impact_table",
    "known_model",
    "one_difference",
]

Floats = NDArray[np.float64]

COLUMNS = (
    "model",
    "threshold",
    "tp_rate",
    "fp_rate",
    "net_benefit",
    "standardized_net_benefit",
    "interventions_avoided",
    "conf_low",
    "conf_high",
    "curve",
    "n_positive",
    "n_events",
    "harm",
)
_LIMITS = {"standardized": "standardized_net_benefit", "tp": "tp_rate", "positive": "positive_rate"}


def curve_table(
    decision: Decision,
    point: Curves,
    found: Bands | None,
    names: tuple[str, ...],
    kinds: tuple[str, ...],
    per: float,
) -> pd.DataFrame:
    """Every strategy at every threshold: the columns of the result, then limits of the rest."""
    k = len(decision.thresholds)
    gain = point.net_benefit[:, 0]
    scale = _scale(decision.thresholds, per)
    columns: dict[str, Any] = {
        "model": np.repeat(np.array(names, dtype=object), k),
        "threshold": np.tile(decision.thresholds, len(names)),
        "tp_rate": point.tp_rate[:, 0].ravel(),
        "fp_rate": point.fp_rate[:, 0].ravel(),
        "net_benefit": gain.ravel(),
        "standardized_net_benefit": point.standardized[:, 0].ravel(),
        "interventions_avoided": ((gain - gain[0]) * scale).ravel(),
        "conf_low": np.nan,
        "conf_high": np.nan,
        "curve": np.repeat(np.array(kinds, dtype=object), k),
        "n_positive": point.n_positive[:, 0].ravel(),
        "n_events": point.n_events[:, 0].ravel(),
        "harm": np.repeat(np.append([0.0, 0.0], decision.harm), k),
    }
    for short in (*_LIMITS, "avoided"):
        columns |= {f"{short}_low": np.nan, f"{short}_high": np.nan}
    if found is not None:
        columns["conf_low"], columns["conf_high"] = found.limits["net_benefit"].reshape(2, -1)
        for short, name in _LIMITS.items():
            low, high = found.limits[name].reshape(2, -1)
            columns |= {f"{short}_low": low, f"{short}_high": high}
        low, high = _avoided_limits(found, len(names), k) * scale
        columns |= {"avoided_low": low.ravel(), "avoided_high": high.ravel()}
    return pd.DataFrame(columns)


def _scale(thresholds: Floats, per: float) -> Floats:
    """Interventions spared by one unit of net benefit; undefined at 0, where they cost nothing."""
    with np.errstate(divide="ignore"):
        odds = np.where(thresholds > 0.0, thresholds / (1.0 - thresholds), np.nan)
    return per / odds


def _avoided_limits(found: Bands, s: int, k: int) -> Floats:
    """Limits (2, s, k) of the gain over treating all; for treat all itself it is 0."""
    whole = np.zeros((2, s, k))
    whole[:, 0, ~found.enough[0]] = np.nan
    for j in range(1, s):
        low, high = found.differences[0, j]
        whole[:, j] = 0.0 - high, 0.0 - low
    return whole


def difference_table(
    thresholds: Floats, point: Curves, found: Bands | None, names: tuple[str, ...]
) -> pd.DataFrame:
    """Differences of net benefit of all pairs, models first: the first less the second."""
    order = [*range(2, len(names)), 0, 1]
    parts = []
    for place, i in enumerate(order):
        for j in order[place + 1 :]:
            low, high = np.full((2, len(thresholds)), np.nan)
            if found is not None:
                low, high = found.differences[min(i, j), max(i, j)]
                low, high = (low, high) if i < j else (0.0 - high, 0.0 - low)
            part = {
                "model": names[i],
                "versus": names[j],
                "threshold": thresholds,
                "difference": point.net_benefit[i, 0] - point.net_benefit[j, 0],
                "conf_low": low,
                "conf_high": high,
            }
            parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def one_difference(table: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """The rows of one pair, turned round if need be."""
    names = list(dict.fromkeys([*table["model"], *table["versus"]]))
    for name in (first, second):
        known_model(name, names)
    if first == second:
        raise OptionError(f"A difference is between two strategies; {first!r} was named twice.")
    part = table[(table["model"] == first) & (table["versus"] == second)]
    if len(part):
        return part.reset_index(drop=True)
    part = table[(table["model"] == second) & (table["versus"] == first)].reset_index(drop=True)
    turned: dict[str, Any] = {
        "model": first,
        "versus": second,
        "difference": 0.0 - part["difference"],
        "conf_low": 0.0 - part["conf_high"],
        "conf_high": 0.0 - part["conf_low"],
    }
    return part.assign(**turned)


def known_model(name: str, names: list[str]) -> str:
    """Return the name of a strategy that the result holds, or say which it holds."""
    if name not in names:
        listed = ", ".join(repr(each) for each in names)
        raise OptionError(
            f"There is no strategy {name!r} here, only {listed}.{closest(name, names)}"
        )
    return name


def impact_table(curves: pd.DataFrame, population: float) -> pd.DataFrame:
    """Of so many patients, how many are at high risk, and how many of them have the event.

    A curve of which net benefit alone was corrected has no such numbers, and no rows.
    """
    curves = curves[(curves["curve"] != "corrected") | curves["tp_rate"].notna()]
    table = curves[["model", "curve", "threshold"]].copy()
    table["n_high_risk"] = population * (curves["tp_rate"] + curves["fp_rate"])
    table["n_high_risk_low"] = population * curves["positive_low"]
    table["n_high_risk_high"] = population * curves["positive_high"]
    table["n_with_event"] = population * curves["tp_rate"]
    table["n_with_event_low"] = population * curves["tp_low"]
    table["n_with_event_high"] = population * curves["tp_high"]
    table["population"] = population
    return table.reset_index(drop=True)


def check_thresholds(given: Floats, own: Floats) -> None:
    """Refuse thresholds other than those of the result, naming the first that differs."""
    if given.shape != own.shape:
        raise OptionError(f"thresholds= needs {own.size} values, those of the result, ascending.")
    apart = ~np.isclose(given, own, rtol=1e-9, atol=1e-12)
    if apart.any():
        at = int(np.argmax(apart))
        raise OptionError(
            f"The corrected curve is of other thresholds: number {at + 1} is {given[at]:.10g}, "
            f"that of the result {own[at]:.10g} (they ascend). Correct it at the result's own."
        )


def corrected_rows(
    curves: pd.DataFrame, model: str, arrays: dict[str, Floats], per: float
) -> pd.DataFrame:
    """Rows of a curve corrected for optimism, as ``curve`` "corrected".

    ``arrays`` holds ``net_benefit`` or both rates, and limits if there are some. What was not
    corrected is missing: counts belong to the apparent curve.
    """
    everybody = curves[curves["model"] == TREAT_ALL]
    own = curves[(curves["model"] == model) & (curves["curve"] != "corrected")]
    rows = own.reset_index(drop=True).copy()
    levels = rows["threshold"].to_numpy(float)
    numbers = [name for name in rows.columns if name.endswith(("_low", "_high"))]
    rows[[*numbers, "tp_rate", "fp_rate", "n_positive", "n_events"]] = np.nan
    rows["curve"] = "corrected"
    rows = rows.assign(**arrays)
    if "net_benefit" not in arrays:
        cost = arrays["fp_rate"] * levels / (1.0 - levels)
        rows["net_benefit"] = arrays["tp_rate"] - cost - rows["harm"]
    gain = rows["net_benefit"].to_numpy(float)
    rows["standardized_net_benefit"] = gain / everybody["tp_rate"].to_numpy(float)
    avoided = gain - everybody["net_benefit"].to_numpy(float)
    rows["interventions_avoided"] = avoided * _scale(levels, per)
    return rows
