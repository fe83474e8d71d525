"""Survival of groups at fixed times: estimates, limits by several methods, contrasts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.distributions import normal_quantile, two_sided_p
from rnetstats.errors import DataError
from rnetstats.kernels.same_times import as_observed
from rnetstats.survival.bpcp import beta_product_limits
from rnetstats.survival.limits import transformed_limits
from rnetstats.survival.mover import Bounds, difference_limits, ratio_limits, square_and_add_p
from rnetstats.survival.product_limit import ProductLimit, at_risk, log_survival_influence
from rnetstats.survival.rmst_fit import difference_error
from rnetstats.survival.rows import SurvivalRows

__all__ = ["FEW", "Point", "alike", "contrast_records", "group_record", "points_at", "resolve_ci"]

Floats = NDArray[np.float64]

FEW = 5  # events in an arm below which the automatic choice is the beta product limits
_NAN = float("nan")
_ALIKE = 1.0 - 1e-12  # a correlation that leaves a difference of equal estimates no error
_UNKNOWN = {"conf_low": _NAN, "conf_high": _NAN, "p_value": _NAN, "method": "none"}
_METHODS = {"plain": "Greenwood", "log-log": "log-log", "bpcp": "beta product"}


@dataclass(frozen=True, eq=False)
class Point:
    """One group at one time; ``counts`` (3, k) holds at risk, events, left at times up to it.

    ``shared`` is the covariance of its log survival with the first group's: 0 unless a cluster has
    rows in both.
    """

    label: str
    time: float
    n: float
    n_risk: float
    n_events: float
    survival: float
    log_variance: float
    counts: Floats
    shared: float = 0.0

    @property
    def std_error(self) -> float:
        """Greenwood's, on the survival scale; missing without events and at survival 0."""
        known = self.n_events > 0.0 and self.log_variance > 1e-20
        return self.survival * float(np.sqrt(self.log_variance)) if known else _NAN

    def bounds(self, ci: str, conf_level: float, scale: str) -> Bounds:
        """Return estimate and limits of survival or of the risk."""
        if ci == "bpcp":
            low, high = (
                float(limit[-1])
                for limit in beta_product_limits(*self.counts, conf_level=conf_level)
            )
        elif not np.isfinite(self.std_error):
            low = high = _NAN
        else:
            arrays = np.array([self.survival]), np.array([self.log_variance])
            low, high = (float(v[0]) for v in transformed_limits(*arrays, ci, conf_level))
        if scale == "survival":
            return self.survival, low, high
        return 1.0 - self.survival, 1.0 - high, 1.0 - low


def points_at(rows: SurvivalRows, times: Floats) -> list[list[Point]]:
    """Estimate every group at every time: a list a time, groups within.

    Raises
    ------
    DataError
        If a time lies past a group's follow-up.
    """
    curves = [rows.of_group(code).curve() for code in range(len(rows.labels))]
    seen = as_observed(times, rows.stop)
    _check_follow_up(curves, rows.labels, seen)
    found = []
    for asked, t in zip(times.tolist(), seen.tolist(), strict=True):
        shared = _shared(rows, t)
        found.append(
            [
                replace(
                    _point(rows.of_group(k), rows.labels[k], curve, t),
                    time=asked,
                    shared=float(shared[k]),
                )
                for k, curve in enumerate(curves)
            ]
        )
    return found


def _shared(rows: SurvivalRows, time: float) -> Floats:
    """Return the covariance of each group's log survival with the first group's, (groups,)."""
    if rows.cluster is None:
        return np.zeros(len(rows.labels))
    parts = (rows.of_group(code) for code in range(len(rows.labels)))
    return rows.shared(
        [
            log_survival_influence(p.stop, p.event, time, start=p.start, weights=p.weights)
            for p in parts
        ]
    )


def _check_follow_up(curves: list[ProductLimit], labels: tuple[str, ...], times: Floats) -> None:
    ends = {
        label: float(curve.time[-1])
        for curve, label in zip(curves, labels, strict=True)
        if curve.survival[-1] > 0.0
    }
    for label, end in ends.items():
        late = times[times > end]
        if late.size:
            raise DataError(
                f"times={late[0]:g} lies past the follow-up of group {label!r}, which ends at "
                f"{end:.10g}; the largest time for all groups is {min(ends.values()):.10g}."
            )


def _point(part: SurvivalRows, label: str, curve: ProductLimit, time: float) -> Point:
    m = int(np.searchsorted(curve.time, time, side="right"))
    total = curve.n_risk[0]
    counts = np.array(
        [
            np.append(total, curve.n_risk[:m]),
            np.append(0.0, curve.n_event[:m]),
            np.append(curve.n_risk, 0.0)[: m + 1],
        ]
    )
    weight = float(len(part.stop) if part.weights is None else part.weights.sum())
    return Point(
        label=label,
        time=time,
        n=weight,
        n_risk=float(at_risk(np.array([time]), part.stop, part.start, part.weights)[0]),
        n_events=float(curve.n_event[:m].sum()),
        survival=float(curve.survival[m - 1]) if m else 1.0,
        log_variance=float(curve.log_variance[m - 1]) if m else 0.0,
        counts=counts,
    )


def resolve_ci(ci: str, points: list[Point], *, exact: bool) -> str:
    """Return the method for one time: the automatic choice depends on the events by then.

    ``exact`` says whether the beta product limits are defined for the rows.
    """
    if ci != "auto":
        return ci
    few = any(point.n_events < FEW or point.survival <= 0.0 for point in points)
    return "bpcp" if few and exact else "log-log"


def group_record(point: Point, ci: str, conf_level: float, scale: str) -> dict[str, object]:
    """Return one group's row at one time."""
    estimate, low, high = point.bounds(ci, conf_level, scale)
    return {
        "group": point.label,
        "time": point.time,
        "n": point.n,
        "n_risk": point.n_risk,
        "n_events": point.n_events,
        "measure": scale,
        "estimate": estimate,
        "std_error": point.std_error,
        "conf_low": low,
        "conf_high": high,
        "method": _METHODS[ci] if np.isfinite(low) else "none",
    }


def contrast_records(
    points: list[Point], ci: str, conf_level: float, scale: str
) -> list[dict[str, object]]:
    """Compare each group with the first at one time: difference and ratio."""
    first, records = points[0], []
    for point in points[1:]:
        names = {"group": point.label, "reference": first.label, "time": point.time}
        found = (_wald if ci == "plain" else _squares)(point, first, ci, conf_level, scale)
        if ci == "log-log":
            found.append(_hazards(point, first, conf_level))
        records += [
            {**names, **record, **(_UNKNOWN if alike(point, first) else {})} for record in found
        ]
    return records


def alike(a: Point, b: Point) -> bool:
    """Say whether the clusters of two groups err alike, so that a contrast seems without error."""
    return _correlation(a, b) > _ALIKE


def _record(
    measure: str, numbers: tuple[float, float, float], p_value: float, method: str
) -> dict[str, object]:
    estimate, low, high = numbers
    known = bool(np.isfinite(p_value))
    return {
        "measure": measure,
        "estimate": estimate,
        "conf_low": low if known else _NAN,
        "conf_high": high if known else _NAN,
        "p_value": p_value,
        "method": method if known else "none",
    }


def _ratio(a: float, b: float) -> float:
    if b > 0.0:
        return a / b
    return float("inf") if a > 0.0 else _NAN


def _wald(a: Point, b: Point, ci: str, conf_level: float, scale: str) -> list[dict[str, object]]:
    """Normal limits with Greenwood's variance; a ratio on the log scale."""
    z = normal_quantile(conf_level)
    one, two = (point.bounds(ci, conf_level, scale)[0] for point in (a, b))
    errors, covariance = (a.std_error, b.std_error), a.survival * b.survival * a.shared
    gap, error = one - two, difference_error(errors, covariance)
    numbers = gap, gap - z * error, gap + z * error
    found = [_record(f"{scale} difference", numbers, float(two_sided_p(gap / error)), "Greenwood")]
    ratio = _ratio(one, two)
    if not (np.isfinite(ratio) and ratio > 0.0):
        return [*found, _record(f"{scale} ratio", (ratio, _NAN, _NAN), _NAN, "")]
    log = float(np.log(ratio))
    error = difference_error((errors[0] / one, errors[1] / two), covariance / (one * two))
    numbers = ratio, float(np.exp(log - z * error)), float(np.exp(log + z * error))
    p_value = float(two_sided_p(log / error))
    return [*found, _record(f"{scale} ratio", numbers, p_value, "Greenwood, log scale")]


def _squares(a: Point, b: Point, ci: str, conf_level: float, scale: str) -> list[dict[str, object]]:
    """Square and add the limits of the two groups; one P serves difference and ratio."""
    one, two = (point.bounds(ci, conf_level, scale) for point in (a, b))
    ratio = _ratio(one[0], two[0])
    if not np.isfinite([*one, *two]).all():
        empty = [(one[0] - two[0], _NAN, _NAN), (ratio, _NAN, _NAN)]
        names = (f"{scale} difference", f"{scale} ratio")
        return [_record(name, part, _NAN, "") for name, part in zip(names, empty, strict=True)]
    tied = _correlation(a, b)
    p_value = square_and_add_p(
        lambda level: (a.bounds(ci, level, scale), b.bounds(ci, level, scale)), tied
    )
    method = f"square and add, {_METHODS[ci]} limits"
    gap = (one[0] - two[0], *difference_limits(one, two, tied))
    found = [_record(f"{scale} difference", gap, p_value, method)]
    return [
        *found,
        _record(f"{scale} ratio", (ratio, *ratio_limits(one, two, tied)), p_value, method),
    ]


def _correlation(a: Point, b: Point) -> float:
    """Return the correlation of two groups' estimates: 0 unless they share clusters."""
    size = float(np.sqrt(a.log_variance * b.log_variance))
    return a.shared / size if a.shared and size > 0.0 else 0.0


def _hazards(a: Point, b: Point, conf_level: float) -> dict[str, object]:
    """Ratio of cumulative hazards, -log S, on the complementary log-log scale."""
    inside = all(0.0 < point.survival < 1.0 for point in (a, b))
    if not inside:
        return _record("cumulative hazard ratio", (_NAN, _NAN, _NAN), _NAN, "")
    logs = [np.log(point.survival) for point in (a, b)]
    gap = float(np.log(logs[0] / logs[1]))
    one, two = (np.sqrt(p.log_variance) / log for p, log in zip((a, b), logs, strict=True))
    error = difference_error((float(one), float(two)), a.shared / float(logs[0] * logs[1]))
    reach = normal_quantile(conf_level) * error
    numbers = tuple(float(np.exp(gap + side * reach)) for side in (0.0, -1.0, 1.0))
    p_value = float(two_sided_p(gap / error)) if error > 0.0 else _NAN
    return _record(
        "cumulative hazard ratio",
        (numbers[0], numbers[1], numbers[2]),
        p_value,
        "Wald, complementary log-log",
    )
