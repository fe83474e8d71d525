"""From the rows of a group formula to one curve per group, with limits and the reasons for gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.errors import OptionError
from rnetstats.survival.bpcp import beta_product_limits
from rnetstats.survival.limits import transformed_limits
from rnetstats.survival.product_limit import ProductLimit
from rnetstats.survival.rows import SurvivalRows, emptied_notes

__all__ = ["CURVE_COLUMNS", "CurveOptions", "fit_curves"]

Floats = NDArray[np.float64]

CURVE_COLUMNS = (
    "group",
    "time",
    "n_risk",
    "n_event",
    "n_censor",
    "survival",
    "std_error",
    "conf_low",
    "conf_high",
)


@dataclass(frozen=True)
class CurveOptions:
    """How limits are made."""

    ci: str
    conf_level: float
    mid_p: bool


@dataclass(frozen=True)
class _Limits:
    low: Floats
    high: Floats
    std_error: Floats
    first: tuple[float, float]


def fit_curves(
    rows: SurvivalRows, options: CurveOptions
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None, tuple[str, ...]]:
    """Estimate every group's curve.

    Returns
    -------
    curves : DataFrame
        :data:`CURVE_COLUMNS` and ``hazard, hazard_std_error`` (cumulative), a row for each group's
        distinct stop times.
    groups : DataFrame
        ``group, n, n_events, first_low, first_high``: counts, and limits before the first time.
    entries : DataFrame or None
        ``group, time, n_enter`` where rows enter late.
    notes : tuple of str
    """
    if options.ci == "bpcp":
        _check_bpcp(rows)
    frames, summaries, entries = [], [], []
    notes: list[str] = []
    for code, label in enumerate(rows.labels):
        part = rows.of_group(code)
        estimate = part.curve()
        limits = _limits(estimate, options)
        frames.append(_curve_frame(label, estimate, limits))
        summaries.append(_summary(label, part, estimate, limits))
        if part.start is not None:
            entries.append(_entries(label, part.start, part.weights))
        notes += _gap_notes(label, estimate, options)
    return (
        pd.concat(frames, ignore_index=True),
        pd.DataFrame(summaries),
        pd.concat(entries, ignore_index=True) if entries else None,
        tuple(notes),
    )


def _check_bpcp(rows: SurvivalRows) -> None:
    if rows.start is not None:
        raise OptionError(
            "ci='bpcp' is not defined with late entry, Surv(start, stop, event); "
            "choose 'log-log', 'log' or 'plain'."
        )
    if rows.robust:
        raise OptionError(
            "ci='bpcp' counts patients and takes neither sampling_weights nor cluster(); "
            "choose 'log-log', 'log' or 'plain'."
        )


def _limits(estimate: ProductLimit, options: CurveOptions) -> _Limits:
    none = np.full(len(estimate.time), np.nan)
    eventless = not np.any(estimate.n_event > 0.0)
    error = none if eventless else estimate.std_error
    if options.ci != "bpcp":
        if eventless:
            return _Limits(none, none, none, (np.nan, np.nan))
        low, high = transformed_limits(
            estimate.survival, estimate.log_variance, options.ci, options.conf_level
        )
        return _Limits(low, high, error, (1.0, 1.0))
    total = estimate.n_risk[0]
    low, high = beta_product_limits(
        np.append(total, estimate.n_risk),
        np.append(0.0, estimate.n_event),
        np.append(estimate.n_risk, 0.0),
        conf_level=options.conf_level,
        mid_p=options.mid_p,
    )
    return _Limits(low[1:], high[1:], error, (float(low[0]), float(high[0])))


def _curve_frame(label: str, estimate: ProductLimit, limits: _Limits) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": label,
            "time": estimate.time,
            "n_risk": estimate.n_risk,
            "n_event": estimate.n_event,
            "n_censor": estimate.n_censor,
            "survival": estimate.survival,
            "std_error": limits.std_error,
            "conf_low": limits.low,
            "conf_high": limits.high,
            "hazard": estimate.hazard,
            "hazard_std_error": np.sqrt(estimate.hazard_variance),
        }
    )


def _summary(
    label: str, part: SurvivalRows, estimate: ProductLimit, limits: _Limits
) -> dict[str, object]:
    return {
        "group": label,
        "n": _count(len(part.stop) if part.weights is None else part.weights.sum()),
        "n_events": _count(estimate.n_event.sum()),
        "first_low": limits.first[0],
        "first_high": limits.first[1],
    }


def _count(number: float) -> int | float:
    """A whole number as int; fractions come from weights."""
    return int(number) if float(number).is_integer() else float(number)


def _entries(label: str, start: Floats, weights: Floats | None) -> pd.DataFrame:
    time, slot = np.unique(start, return_inverse=True)
    entered = np.bincount(slot, weights, len(time))
    return pd.DataFrame({"group": label, "time": time, "n_enter": entered.astype(float)})


def _gap_notes(label: str, estimate: ProductLimit, options: CurveOptions) -> list[str]:
    """Say where a group's limits are missing, and why."""
    notes = []
    if not np.any(estimate.n_event > 0.0):
        rest = (
            "; the limits are exact bounds."
            if options.ci == "bpcp"
            else f" and no {options.ci} interval; ci='bpcp' gives bounds."
        )
        return [f"{label}: no event, so there is no standard error{rest}"]
    if options.ci == "log-log" and estimate.survival[0] >= 1.0:
        notes.append(
            f"{label}: log-log limits are not defined before the first event, "
            f"at {estimate.time[estimate.n_event > 0.0][0]:g}."
        )
    if options.ci in ("plain", "log") and estimate.survival[0] >= 1.0:
        notes.append(
            f"{label}: before the first event, at "
            f"{estimate.time[estimate.n_event > 0.0][0]:g}, the {options.ci} limits are 1 to 1. "
            "That is no statement of certainty: Greenwood's variance is 0 there whatever the "
            "number at risk; ci='bpcp' gives bounds."
        )
    ended = np.flatnonzero(estimate.survival <= 0.0)
    if ended.size:
        missing = "standard error" if options.ci == "bpcp" else "standard error or interval"
        notes.append(
            f"{label}: the curve reaches 0 at {estimate.time[ended[0]]:g}; "
            f"no {missing} is defined from there."
        )
    return [*notes, *emptied_notes(label, estimate.time, estimate.survival)]
