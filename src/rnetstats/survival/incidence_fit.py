"""From coded rows to incidence curves with limits, counts, and the reasons for gaps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnetstats.survival.competing_rows import CompetingRows
from rnetstats.survival.incidence import Incidence, incidence
from rnetstats.survival.incidence_limits import BOUND, eventless_bound, incidence_limits
from rnetstats.survival.rows import emptied_notes

__all__ = ["INCIDENCE_COLUMNS", "IncidenceOptions", "IncidenceTables", "fit_incidence"]

INCIDENCE_COLUMNS = (
    "group",
    "cause",
    "time",
    "n_risk",
    "n_event",
    "n_censor",
    "incidence",
    "std_error",
    "conf_low",
    "conf_high",
    "method",
)

_EVENTLESS = {
    True: f"so that the limits are 0 and the {BOUND} (exact, other events taken as censored).",
    False: "and with late entry or a jackknife variance no bound is defined: there are no limits.",
}
_FEW = 5
_ALL = 1.0 - 1e-12  # an incidence this high counts as everybody's


@dataclass(frozen=True)
class IncidenceOptions:
    """How variances and limits are made."""

    variance: str
    ci: str
    conf_level: float


@dataclass(frozen=True)
class IncidenceTables:
    """What :func:`fit_incidence` gives.

    Attributes
    ----------
    curves : DataFrame
        :data:`INCIDENCE_COLUMNS`, a row for each group, cause and distinct stop time.
    event_free : DataFrame
        ``group, time, n_risk, n_event, n_censor, survival``, events of all causes.
    counts : DataFrame
        ``group, cause, n, n_events, first_high``, the last the limit before the first time.
    entries : DataFrame or None
        ``group, time, n_enter`` where rows enter late.
    notes : tuple of str
    """

    curves: pd.DataFrame
    event_free: pd.DataFrame
    counts: pd.DataFrame
    entries: pd.DataFrame | None
    notes: tuple[str, ...]


def fit_incidence(rows: CompetingRows, options: IncidenceOptions) -> IncidenceTables:
    """Estimate every group's curves.

    Causes that were not asked for are estimated beside the others and not shown.
    """
    curves, free, counts, entries = [], [], [], []
    notes: list[str] = []
    for place, group in enumerate(rows.labels):
        here = rows.group == place
        start = None if rows.start is None else rows.start[here]
        weights = rows.counts[here]
        found = incidence(
            rows.stop[here],
            rows.code[here],
            len(rows.causes),
            start=start,
            weights=weights,
            variance=options.variance,
            cluster=None if rows.cluster is None else rows.cluster[here],
        )
        free.append(_event_free(group, found))
        bound = _bound(rows, found, options, float(weights.sum()))
        for code in rows.asked:
            cause = rows.causes[code - 1]
            curve = _curve(found, code - 1, options, bound)
            curve.insert(0, "cause", cause)
            curve.insert(0, "group", group)
            curves.append(curve)
            n_events = float(found.n_event[code - 1].sum())
            counts.append((group, cause, _count(weights.sum()), _count(n_events), bound[0]))
            notes += _gap_notes(rows, group, cause, curve, options)
        notes += emptied_notes(
            group, found.time, found.event_free, then="no incidence rises any more"
        )
        if start is not None:
            entries.append(_entries(group, start, weights))
    columns = ["group", "cause", "n", "n_events", "first_high"]
    notes += _early_note(curves)
    return IncidenceTables(
        curves=pd.concat(curves, ignore_index=True),
        event_free=pd.concat(free, ignore_index=True),
        counts=pd.DataFrame(counts, columns=columns),
        entries=pd.concat(entries, ignore_index=True) if entries else None,
        notes=tuple(notes),
    )


def _bound(
    rows: CompetingRows, found: Incidence, options: IncidenceOptions, total: float
) -> np.ndarray:
    """Upper limits of an incidence without events yet, before the first time and at each."""
    if rows.start is not None or options.variance == "jackknife":
        return np.full(len(found.time) + 1, np.nan)
    left = found.n_risk - found.n_event.sum(axis=0) - found.n_censor
    n_risk, n_left = np.append(total, found.n_risk), np.append(total, left)
    return eventless_bound(n_risk, n_left, options.conf_level)


def _curve(
    found: Incidence, cause: int, options: IncidenceOptions, bound: np.ndarray
) -> pd.DataFrame:
    value, variance = found.incidence[cause], found.variance[cause]
    low, high = incidence_limits(value, variance, options.ci, options.conf_level)
    bounded = (value <= 0.0) & np.isfinite(bound[1:])
    undefined = (value >= _ALL) | ~(found.n_event[cause] > 0.0).any()
    method = np.where(np.isfinite(low), options.ci, "")
    return pd.DataFrame(
        {
            "time": found.time,
            "n_risk": found.n_risk,
            "n_event": found.n_event[cause],
            "n_censor": found.n_censor,
            "incidence": value,
            "std_error": np.where(undefined, np.nan, np.sqrt(variance)),
            "conf_low": np.where(bounded, 0.0, low),
            "conf_high": np.where(bounded, bound[1:], high),
            "method": np.where(bounded, BOUND, method),
        }
    )


def _event_free(group: str, found: Incidence) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": group,
            "time": found.time,
            "n_risk": found.n_risk,
            "n_event": found.n_event.sum(axis=0),
            "n_censor": found.n_censor,
            "survival": found.event_free,
        }
    )


def _entries(group: str, start: np.ndarray, weights: np.ndarray) -> pd.DataFrame:
    time, slot = np.unique(start, return_inverse=True)
    entered = np.bincount(slot, weights, len(time)).astype(float)
    return pd.DataFrame({"group": group, "time": time, "n_enter": entered})


def _count(number: float) -> int | float:
    return int(number) if float(number).is_integer() else float(number)


def _early_note(curves: list[pd.DataFrame]) -> list[str]:
    """Say what the limits are before a curve's first event."""
    seen = [c for c in curves if c["n_event"].any() and c["incidence"].iloc[0] <= 0.0]
    if not seen:
        return []
    if any(c["method"].eq(BOUND).any() for c in seen):
        return [f"Before a curve's first event its limits are 0 and the {BOUND}."]
    return ["Before its first event a curve has no limits."]


def _gap_notes(
    rows: CompetingRows, group: str, cause: str, curve: pd.DataFrame, options: IncidenceOptions
) -> list[str]:
    """Say where a curve's limits are bounds or missing, and why; and where events are few."""
    meaning = rows.meaning[cause]
    said = cause if meaning == cause else f"{cause} ({meaning})"
    name = f"{group}, {said}"
    events = float(curve["n_event"].sum())
    if not events:
        bounded = curve["method"].eq(BOUND).any()
        return [f"{name}: no event, {_EVENTLESS[bool(bounded)]}"]
    notes = []
    ended = np.flatnonzero(curve["incidence"] >= _ALL)
    if ended.size:
        notes.append(
            f"{name}: the incidence reaches 1 at {curve['time'].iloc[ended[0]]:g}; no limits are "
            "defined from there."
        )
    if events < _FEW:
        noun = "event" if events == 1.0 else "events"
        notes.append(
            f"{name}: {events:g} {noun}; {options.ci} limits rest on a normal approximation, which "
            "is rough with so few."
        )
    return notes
