"""A cohort's detection times moved to the visits of a sparser schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats._core.options import real
from rnetstats.errors import DataError, FormulaError, RnetError, TooFewEventsError
from rnetstats.formula.variables import read_variable
from rnetstats.kernels.same_times import as_observed
from rnetstats.regression.cox import cox
from rnetstats.regression.interval import interval_regression
from rnetstats.survival.rows import SurvivalRows, group_rows, refuse_strata
from rnetstats.survival.visits import Visits, group_schedules, last_visits_without
from rnetstats.treatment.schedule_result import ScheduleRegridResult

__all__ = ["regrid"]

Floats = NDArray[np.float64]

OBSERVED = "as observed"
INTERVALS = "interval-censored, Cox with log-F(1, 1)"


@dataclass(frozen=True, eq=False)
class _Moved:
    """The rows on another schedule, and what happened to the detections, arrays (n,)."""

    rows: SurvivalRows
    shift: Floats
    lost: NDArray[np.bool_]


def regrid(
    data: Data,
    formula: str,
    *,
    visits: Visits,
    until: str | float | None,
    conf_level: float,
    missing: str,
) -> ScheduleRegridResult:
    """Compare the groups as observed, and with detections moved to the sparsest schedule."""
    frame = as_frame(data)
    rows, info = group_rows(frame, formula, missing=missing)
    refuse_strata(rows)
    if rows.start is not None or rows.cluster is not None:
        raise FormulaError("Visits are counted from time 0, one row a patient: Surv(time, event).")
    if len(rows.labels) < 2:
        raise DataError("Schedules are compared between groups: write them after '~'.")
    if not rows.event.any():
        raise TooFewEventsError("No row has the event: there is no detection to move.")
    end = _ends(frame, info.positions, rows, until)
    last = float(np.append(end[np.isfinite(end)], rows.stop).max())
    compared = np.append(rows.stop, end[np.isfinite(end)])
    schedules = group_schedules(visits, rows.labels, _reach(visits, last), compared)
    target = int(np.argmin([_frequency(times, rows.stop.max()) for times in schedules]))
    named = rows.labels[target]
    other = [label for label in rows.labels if label != named]
    rest = other[0] if len(other) == 1 else "the others"
    moved = _move(rows, schedules[target], np.ones(len(rows.stop), dtype=bool), end)
    others = _move(rows, schedules[target], rows.group != target, end)
    analyses = {
        OBSERVED: rows,
        f"{rest} on the visits of {named}": others.rows,
        f"all on the visits of {named}": moved.rows,
    }
    tables = [_cox_table(name, part, conf_level) for name, part in analyses.items()]
    found, trouble = _interval_table(rows, schedules, conf_level)
    tables += [] if found is None else [found]
    return ScheduleRegridResult(
        table=pd.concat(tables, ignore_index=True),
        shifts=_shifts(rows, others),
        labels=info.labels,
        n_missing=info.n_missing,
        synthetic=is_synthetic(frame),
        notes=(
            *info.notes,
            f"Detections of {rest} were moved to the first visit of {named} at or after, those "
            f"of every group in the row 'all on the visits of {named}'. Patients without the event "
            "keep their time.",
            *_end_notes(until, others),
            "The endpoint counts what a visit can find; an event that comes to light by itself, "
            "such as death, has no visit and must not be moved.",
            *trouble,
        ),
        options={
            "formula": formula,
            "visits": {
                label: [float(t) for t in times if t <= rows.stop.max()]
                for label, times in zip(rows.labels, schedules, strict=True)
            },
            "until": until,
            "conf_level": conf_level,
            "missing": missing,
        },
    )


def _reach(visits: Visits, last: float) -> float:
    """Return a time by which every regular schedule has a visit after the last detection."""
    given = visits.values() if isinstance(visits, Mapping) else (visits,)
    steps = [float(step) for step in given if isinstance(step, Real) and np.isfinite(float(step))]
    return max([2.0 * last, *(last + step for step in steps)])


def _frequency(times: Floats, last: float) -> int:
    return int(np.count_nonzero(times <= last))


def _ends(
    frame: pd.DataFrame, positions: NDArray[np.intp], rows: SurvivalRows, until: str | float | None
) -> Floats:
    """Return when each patient's follow-up could have ended, (n,)."""
    if until is None:
        return np.where(rows.event, np.inf, rows.stop)
    if isinstance(until, str):
        variable = read_variable(frame, until)
        ends = variable.numbers("an end of follow-up")[positions]
    else:
        ends = np.full(len(rows.stop), real("until", until, low=0.0))
    ends = as_observed(ends, rows.stop)
    wrong = ~(ends >= rows.stop) & rows.event
    if wrong.any():
        raise DataError(
            f"until= is missing or before the detection in {int(wrong.sum())} rows, the first of "
            f"them row {int(positions[np.flatnonzero(wrong)[0]]) + 1}."
        )
    return ends


def _move(rows: SurvivalRows, grid: Floats, mine: NDArray[np.bool_], end: Floats) -> _Moved:
    """Move detections to the next visit; those after the end of follow-up are censored there."""
    place = np.searchsorted(grid, rows.stop, side="left")
    following = np.append(grid, np.inf)[place]
    chosen = mine & rows.event
    lost = chosen & (following > end)
    later = np.where(chosen, np.where(lost, end, following), rows.stop)
    if np.isinf(later).any():
        raise DataError(
            "A detection lies after the last visit of the sparser schedule; give later visits."
        )
    event = rows.event & ~lost
    shift = np.where(chosen & ~lost, later - rows.stop, 0.0)
    return _Moved(replace(rows, stop=later, event=event), shift, lost)


def _cox_table(name: str, rows: SurvivalRows, conf_level: float) -> pd.DataFrame:
    """Return the Firth Cox table of one analysis."""
    if not rows.event.any():
        raise TooFewEventsError(
            f"No detection is left ({name}): all fall after the end of follow-up that until= gives."
        )
    fit = cox(_as_data(rows), "Surv(time, event) ~ group", conf_level=conf_level)
    return _levels(name, fit.to_frame(), rows, rows.event)


def _interval_table(
    rows: SurvivalRows, schedules: list[Floats], conf_level: float
) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
    """Return the interval-censored table: each detection since the visit planned before it."""
    frame = _as_data(rows)
    frame["left"] = last_visits_without(rows, schedules)
    frame["right"] = np.where(rows.event, rows.stop, np.inf)
    try:
        fit = interval_regression(
            frame,
            "Interval(left, right) ~ group",
            model="cox",
            penalty="log-f",
            conf_level=conf_level,
        )
    except RnetError as trouble:
        return None, (f"The interval-censored comparison is missing: {trouble}",)
    return _levels(INTERVALS, fit.to_frame(), rows, rows.event), ()


def _as_data(rows: SurvivalRows) -> pd.DataFrame:
    codes = [int(code) for code in rows.group]
    group = pd.Categorical.from_codes(codes, categories=pd.Index(rows.labels))
    event = rows.event.astype(int)
    return pd.DataFrame({"time": rows.stop, "event": event, "group": group})


def _levels(
    name: str, table: pd.DataFrame, rows: SurvivalRows, event: NDArray[np.bool_]
) -> pd.DataFrame:
    """Return one analysis' rows, with the counts of both groups beside the estimate."""
    n = np.bincount(rows.group, minlength=len(rows.labels))
    events = np.bincount(rows.group, weights=event, minlength=len(rows.labels)).astype(int)
    found: list[dict[str, Any]] = []
    for code, row in enumerate(table.to_dict("records"), start=1):
        found.append(
            {
                "analysis": name,
                "level": rows.labels[code],
                "reference": rows.labels[0],
                "n": int(n[code]),
                "n_events": int(events[code]),
                "reference_n": int(n[0]),
                "reference_events": int(events[0]),
                **{k: row[k] for k in ("measure", "estimate", "conf_low", "conf_high", "p_value")},
                "method": row["method"],
            }
        )
    return pd.DataFrame(found)


def _shifts(rows: SurvivalRows, moved: _Moved) -> pd.DataFrame:
    found = []
    for code, label in enumerate(rows.labels):
        mine = (rows.group == code) & rows.event
        shift = moved.shift[mine & ~moved.lost]
        found.append(
            {
                "group": label,
                "n_events": int(mine.sum()),
                "n_moved": int(np.count_nonzero(shift > 1e-9)),
                "mean_shift": float(shift.mean()) if shift.size else 0.0,
                "largest_shift": float(shift.max()) if shift.size else 0.0,
                "n_lost": int((moved.lost & (rows.group == code)).sum()),
            }
        )
    return pd.DataFrame(found)


def _end_notes(until: str | float | None, moved: _Moved) -> tuple[str, ...]:
    if until is None:
        return (
            "Every patient with the event is taken to have come to the later visit; until= (the "
            "possible follow-up) censors those whose follow-up would have ended before it.",
        )
    lost = int(moved.lost.sum())
    if lost == 1:
        return ("1 detection falls after the end of follow-up and is censored there.",)
    return (f"{lost} detections fall after the end of follow-up and are censored there.",)
