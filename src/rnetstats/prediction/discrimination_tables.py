"""Rows of a discrimination: estimates with limits, and all pairs of models."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.kernels.percentiles import percentile_limits
from rnetstats.prediction.auc_indices import Index
from rnetstats.prediction.auc_limits import AucLimits, auc_limits
from rnetstats.prediction.judged import Judged
from rnetstats.prediction.nested_models import NestedTest, nested_notes, nested_test
from rnetstats.prediction.paired_tests import DIFFERENCE, wald_of

__all__ = ["Settings", "estimate_rows", "pair_rows"]

Floats = NDArray[np.float64]

_APPARENT = " (apparent)"


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of the limits: their scale, their level, bootstrap replicates of each index."""

    ci: str
    conf_level: float
    draws: tuple[Floats, ...] = ()  # of each index, (B, m)


def estimate_rows(
    judged: Judged, indices: list[Index], settings: Settings
) -> tuple[pd.DataFrame, list[str]]:
    """Tabulate each index of each model.

    Returns
    -------
    frame : DataFrame
        ``model, index, time, controls, estimate, std_error, conf_low, conf_high, n, n_events,
        n_controls, method``.
    notes : list of str
    """
    rows, notes = [], []
    size = float(judged.n if judged.freq is None else judged.freq.sum())
    for j, label in enumerate(judged.labels):
        constant = bool(np.ptp(judged.risk[j]) == 0.0)
        for i, index in enumerate(indices):
            value, error = float(index.value[j]), _root(index.covariance[j, j])
            limits = auc_limits(
                value,
                error,
                pairs=index.pairs,
                constant=constant,
                method=index.method,
                ci=settings.ci,
                conf_level=settings.conf_level,
            )
            if settings.draws and not limits.note:
                error, limits = _bootstrap(settings.draws[i][:, j], settings)
            if limits.high < 0.5:
                notes.append(
                    f"{label}, {_named(index)} lies below 0.5: higher predictions go with fewer "
                    "events. Is the sign right?"
                )
            if limits.note:
                notes.append(f"{label}, {_named(index)}: {limits.note}")
            rows.append(
                {
                    "model": label,
                    "index": index.name,
                    "time": index.time,
                    "controls": index.controls,
                    "estimate": value,
                    "std_error": error,
                    "conf_low": limits.low,
                    "conf_high": limits.high,
                    "n": size,
                    "n_events": index.cases,
                    "n_controls": index.controls_n,
                    "method": limits.method + (_APPARENT if judged.apparent[label] else ""),
                }
            )
    return pd.DataFrame(rows), notes


def pair_rows(
    judged: Judged, indices: list[Index], settings: Settings
) -> tuple[pd.DataFrame, list[str]]:
    """Compare all pairs of models by each index.

    Returns
    -------
    frame : DataFrame
        ``model, versus, index, time, controls, difference, std_error, conf_low, conf_high,
        statistic, p_value, method``.
    notes : list of str
    """
    rows: list[dict[str, object]] = []
    notes: list[str] = []
    tests: list[NestedTest] = []
    for a, b in combinations(range(len(judged.labels)), 2):
        first, second = judged.labels[a], judged.labels[b]
        nested = nested_test(judged, first, second)
        if nested is not None:
            tests.append(nested)
        for i, index in enumerate(indices):
            row: dict[str, object] = {
                "model": first,
                "versus": second,
                "index": index.name,
                "time": index.time,
                "controls": index.controls,
                "difference": float(index.value[a] - index.value[b]),
            }
            if nested is not None:
                rows.append({**row, **nested.cells})
                continue
            test, note = _paired(index, a, b, settings, i)
            if judged.apparent[first] or judged.apparent[second]:
                test["method"] = f"{test['method']}{_APPARENT}"
            if note:
                notes.append(f"{first} against {second}, {_named(index)}: {note}")
            rows.append({**row, **test})
    return pd.DataFrame(rows, columns=list(_PAIR_COLUMNS)), [*nested_notes(tests), *notes]


_PAIR_COLUMNS = ("model", "versus", "index", "time", "controls", *DIFFERENCE)


def _paired(
    index: Index, a: int, b: int, settings: Settings, i: int
) -> tuple[dict[str, float | str], str]:
    """Return the test of one difference, and what is to be said about it."""
    difference, covariance = float(index.value[a] - index.value[b]), index.covariance
    scale = float(covariance[a, a] + covariance[b, b])
    variance = scale - 2.0 * float(covariance[a, b])
    method = f"paired {index.method}"
    if settings.draws:
        draws = settings.draws[i]
        variance, method = float(np.nanvar(draws[:, a] - draws[:, b], ddof=1)), "paired bootstrap"
    error = 0.0 if variance <= 1e-13 * scale else _root(variance)
    found: dict[str, float | str]
    if np.isnan(difference) or np.isnan(error):
        found = {"std_error": error, "method": f"{method}: not estimable"}
        return found, "the difference has no standard error and no P."
    if error == 0.0:
        found = {"std_error": 0.0, "method": method}
        if abs(difference) >= 1e-12:
            return found, "the variance of the difference is 0; no P is given."
        found |= {"conf_low": difference, "conf_high": difference, "statistic": 0.0, "p_value": 1.0}
        return found, "the variance of the difference is 0; the predictions order all pairs alike."
    return {**wald_of(difference, error, settings.conf_level), "method": method}, ""


def _bootstrap(draws: Floats, settings: Settings) -> tuple[float, AucLimits]:
    """Percentile limits over the replicates in which the index exists."""
    known = draws[~np.isnan(draws)]
    if known.size < 2:
        nothing = float("nan")
        note = "it exists in no resample."
        return nothing, AucLimits(nothing, nothing, "bootstrap: not estimable", note)
    low, high = percentile_limits(known, settings.conf_level)
    return float(known.std(ddof=1)), AucLimits(float(low), float(high), "bootstrap percentile")


def _root(variance: float) -> float:
    """Root of a variance that rounding may have put below 0."""
    return float("nan") if np.isnan(variance) else float(np.sqrt(max(variance, 0.0)))


def _named(index: Index) -> str:
    where = f" at {index.time:g}" if index.name == "AUC(t)" else ""
    return f"{index.name}{where}" + (f" ({index.controls})" if index.controls else "")
