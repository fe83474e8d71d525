"""Restricted means of groups with their limits, and the contrasts between them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.distributions import normal_quantile, two_sided_p
from rnetstats.errors import DataError, OptionError
from rnetstats.kernels.rmst import restricted_mean_influence, restricted_means
from rnetstats.survival.bpcp import beta_product_limits
from rnetstats.survival.product_limit import at_risk, product_limit
from rnetstats.survival.rows import SurvivalRows, emptied_notes

__all__ = [
    "CONTRAST_COLUMNS",
    "area_of",
    "contrast_rows",
    "difference_error",
    "group_means",
    "largest_tau",
    "read_tau",
    "shared_by_clusters",
    "whole_numbers",
]

Floats = NDArray[np.float64]

CONTRAST_COLUMNS = (
    "group",
    "reference",
    "measure",
    "estimate",
    "conf_low",
    "conf_high",
    "p_value",
    "method",
)
_FEW = 5
_NAN = float("nan")
_DUST = 1e-12  # of the variance of two independent groups


@dataclass(frozen=True)
class Area:
    """A group's restricted mean; the error is missing where the data show no variation."""

    mean: float
    std_error: float
    n_events: float


def largest_tau(rows: SurvivalRows) -> float:
    """Return the last time up to which every group's curve is known.

    A curve that has reached 0 is known for ever: the smallest last time of the groups that end
    with a censored patient counts, or, where no group does, the largest last time.
    """
    lasts, open_ends = [], []
    for code in range(len(rows.labels)):
        part = rows.of_group(code)
        curve = product_limit(part.stop, part.event, start=part.start, weights=part.weights)
        lasts.append(float(curve.time[-1]))
        if curve.survival[-1] > 0.0:
            open_ends.append(lasts[-1])
    return min(open_ends) if open_ends else max(lasts)


def read_tau(tau: float, largest: float, name: str = "tau") -> float:
    """Return a time in (0, largest].

    Raises
    ------
    OptionError
        If it is not above 0.
    DataError
        If it lies past the largest time that the data allow.
    """
    if tau <= 0.0:
        raise OptionError(f"{name} must be above 0, not {tau:g}.")
    if tau > largest:
        raise DataError(
            f"{name}={tau:g} lies past the time up to which every group's curve is known; the "
            f"largest allowed is {largest:.10g}."
        )
    return tau


def area_of(part: SurvivalRows, tau: float) -> Area:
    """Return one group's restricted mean with the error of the estimator."""
    found = restricted_means(part.stop, part.event, tau, part.weights, start=part.start)
    variance = float(found.variance[0, 0])
    weight = np.ones(len(part.stop)) if part.weights is None else part.weights
    if part.robust:
        influence = _influence(part, tau)
        if part.cluster is not None:
            influence = np.bincount(part.cluster, influence).astype(np.float64)
        variance = float(influence @ influence)
    n_events = float(weight @ (part.event & (part.stop <= tau)))
    mean = float(found.mean[0, 0])
    # rounding dust of a variance that is 0: one patient, or all events at one time
    error = np.sqrt(variance) if variance > (1e-10 * tau) ** 2 else _NAN
    return Area(mean, float(error), n_events)


def _influence(part: SurvivalRows, tau: float) -> Floats:
    """Weighted influence of each row of a group on its restricted mean."""
    weight = np.ones(len(part.stop)) if part.weights is None else part.weights
    found = restricted_mean_influence(part.stop, part.event, tau, part.weights, start=part.start)
    return np.asarray(weight * found)


def shared_by_clusters(rows: SurvivalRows, tau: float) -> Floats:
    """Return the covariance of each group's mean with the first group's, (groups,).

    It is 0 unless a cluster has rows in both.
    """
    if rows.cluster is None:
        return np.zeros(len(rows.labels))
    parts = [rows.of_group(code) for code in range(len(rows.labels))]
    return rows.shared([_influence(part, tau) for part in parts])


def group_means(
    rows: SurvivalRows, tau: float, conf_level: float, ci: str = "wald"
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return a row a group: counts, restricted mean and time lost, limits, and how they were made.

    ``n_events`` counts the events up to ``tau``, on which the numbers rest, and ``n_risk`` those
    still at risk just before it. ``ci="log"`` takes the limits on the log scale of the time lost.
    """
    z = normal_quantile(conf_level)
    table, notes = [], []
    for code, label in enumerate(rows.labels):
        part = rows.of_group(code)
        area = area_of(part, tau)
        method = "Wald, log RMTL" if ci == "log" else "Wald"
        low, high = _limits(area, tau, z, ci)
        if not area.n_events:
            low, high, method, note = _eventless(part, label, tau, conf_level)
        else:
            note = _doubt(label, area, (low, high), tau)
            method = method if np.isfinite(area.std_error) else "none"
        notes += [note] if note else []
        if part.start is not None:
            curve = part.curve()
            notes += emptied_notes(label, curve.time, curve.survival, tau)
        table.append(
            {
                "group": label,
                "n": float(len(part.stop) if part.weights is None else part.weights.sum()),
                "n_events": area.n_events,
                "n_risk": float(at_risk(np.array([tau]), part.stop, part.start, part.weights)[0]),
                "tau": tau,
                "rmst": area.mean,
                "std_error": area.std_error,
                "conf_low": low,
                "conf_high": high,
                "rmtl": tau - area.mean,
                "rmtl_std_error": area.std_error,
                "rmtl_conf_low": tau - high,
                "rmtl_conf_high": tau - low,
                "method": method,
            }
        )
    return whole_numbers(pd.DataFrame(table)), tuple(notes)


def _limits(area: Area, tau: float, z: float, ci: str) -> tuple[float, float]:
    """Return Wald limits of a mean, on its own scale or on the log scale of the time lost."""
    lost = tau - area.mean
    if ci != "log" or lost <= 0.0:
        return area.mean - z * area.std_error, area.mean + z * area.std_error
    with np.errstate(over="ignore"):
        factor = float(np.exp(z * area.std_error / lost))
    # no more than tau can be lost; a missing error stays missing
    low = np.maximum(tau - lost * factor, 0.0)
    return float(low), tau - lost / factor


def whole_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Return counts as integers where none of them is a sum of fractional weights."""
    counts = [name for name in ("n", "n_events", "n_risk") if (table[name] % 1.0 == 0.0).all()]
    return table.astype(dict.fromkeys(counts, "int64"))


def _eventless(
    part: SurvivalRows, label: str, tau: float, conf_level: float
) -> tuple[float, float, str, str]:
    """Bound the mean of a group without events by the integral of the pointwise lower limits.

    With no event each pointwise limit is the lowest survival that the data allow at that time, so
    that the integral lies below every curve of the exact confidence set.
    """
    opening = f"{label}: no event by {tau:g}, so the mean is the whole of tau and has no standard "
    if part.start is not None or part.robust:
        return _NAN, _NAN, "none", opening + "error or interval."
    curve = product_limit(part.stop, part.event, weights=part.weights)
    edges = np.append(curve.time[curve.time < tau], tau)
    left = np.append(curve.n_risk[0], curve.n_risk - curve.n_event - curve.n_censor)
    total = np.full(len(edges), curve.n_risk[0])
    limits, _ = beta_product_limits(
        total, np.zeros(len(edges)), left[: len(edges)], conf_level=conf_level
    )
    low = float(np.sum(limits * np.diff(edges, prepend=0.0)))
    return (
        low,
        tau,
        "beta product bound",
        opening + "error; conf_low is a conservative bound, the integral of the pointwise beta "
        "product lower limits.",
    )


def _doubt(label: str, area: Area, limits: tuple[float, float], tau: float) -> str:
    """Say why a group's Wald limits are missing or weak; empty where they are neither."""
    if not np.isfinite(area.std_error):
        return (
            f"{label}: the estimated variance is 0 (a single patient, or all events at one time), "
            "which is no certainty: standard error and limits are missing."
        )
    words = f"{label}: {area.n_events:g} event{'s' if area.n_events != 1 else ''} by {tau:g}"
    outside = (
        " The Wald limits of its mean leave the range from 0 to tau: display() cuts them there, "
        "and ci='log' gives limits that stay within."
    )
    outside = outside if limits[1] > tau or limits[0] < 0.0 else ""
    if area.n_events < _FEW:
        return (
            f"{words}: the Wald limits and P of its means and contrasts are not to be relied on."
            f"{outside}"
        )
    return f"{words}.{outside}" if outside else ""


def contrast_rows(
    means: pd.DataFrame, tau: float, conf_level: float, shared: Floats
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Compare each group with the first: difference and ratio of means, ratio of times lost.

    ``shared`` are the covariances of :func:`shared_by_clusters`.

    Ratios have limits on the log scale. Where a group has no standard error there are no limits
    and no P; where a group lost no time the ratio of times lost is missing.
    """
    groups = means.to_dict("records")
    table: list[dict[str, object]] = []
    notes: list[str] = []
    for row, covariance in zip(groups[1:], shared[1:].tolist(), strict=True):
        pair = (groups[0], row)
        known = all(np.isfinite(side["std_error"]) for side in pair)
        names = {"group": row["group"], "reference": groups[0]["group"]}
        measures = _measures(pair, covariance)
        for measure, estimate, coef, error in measures:
            numbers = _wald(coef, error, conf_level, ratio=measure != "RMST difference")
            table.append({**names, "measure": measure, "estimate": estimate, **numbers})
        if not known:
            notes.append(
                f"{row['group']} against {groups[0]['group']}: a group has no standard error by "
                f"{tau:g}, so the contrasts have no limits and no P."
            )
        elif np.isnan(measures[0][-1]):
            notes.append(
                f"{row['group']} against {groups[0]['group']}: within clusters the groups err "
                "alike, so that a contrast has an estimated variance of 0, which is no certainty: "
                "its limits and P are missing."
            )
        if min(row["rmtl"], groups[0]["rmtl"]) <= 0.0:
            notes.append(
                f"{row['group']} against {groups[0]['group']}: no time was lost in a group, so the "
                "ratio of times lost (RMTL) is missing."
            )
    frame = pd.DataFrame(table, columns=list(CONTRAST_COLUMNS))
    return frame, tuple(notes)


def _measures(
    pair: tuple[dict[Hashable, Any], dict[Hashable, Any]], covariance: float
) -> list[tuple[str, float, float, float]]:
    """Return measure, estimate, and estimate with error on the scale of its limits."""
    first, second = pair
    errors = first["std_error"], second["std_error"]
    gap = second["rmst"] - first["rmst"]
    found = [("RMST difference", gap, gap, difference_error(errors, covariance))]
    for measure, name in (("RMST ratio", "rmst"), ("RMTL ratio", "rmtl")):
        if min(first[name], second[name]) <= 0.0:
            found.append((measure, _NAN, _NAN, _NAN))
            continue
        ratio = second[name] / first[name]
        relative = errors[0] / first[name], errors[1] / second[name]
        error = difference_error(relative, covariance / (first[name] * second[name]))
        found.append((measure, ratio, float(np.log(ratio)), error))
    return found


def difference_error(errors: tuple[float, float], covariance: float) -> float:
    """Return the standard error of a difference, missing where it is but rounding dust.

    Two groups whose clusters err alike have a difference without an error, which is no certainty.
    """
    variance = errors[0] ** 2 + errors[1] ** 2 - 2.0 * covariance
    dust = _DUST * (errors[0] ** 2 + errors[1] ** 2)
    return float(np.sqrt(variance)) if variance > dust else _NAN


def _wald(coef: float, error: float, conf_level: float, *, ratio: bool) -> dict[str, object]:
    reach = normal_quantile(conf_level) * error
    low, high = coef - reach, coef + reach
    known = bool(np.isfinite(error))
    with np.errstate(over="ignore"):
        return {
            "conf_low": float(np.exp(low)) if ratio else low,
            "conf_high": float(np.exp(high)) if ratio else high,
            "p_value": float(two_sided_p(coef / error)) if known else _NAN,
            "method": ("Wald, log scale" if ratio else "Wald") if known else "none",
        }
