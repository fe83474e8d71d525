"""From visits to intervals: what was found at one visit happened since the visit before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame, column
from rnetstats.errors import DataError, FormulaError, OptionError, closest
from rnetstats.formula.variables import read_variable, row_numbers
from rnetstats.kernels.same_times import as_observed
from rnetstats.survival.rows import SurvivalRows, group_rows, refuse_strata

__all__ = [
    "Visits",
    "group_schedules",
    "intervals_from_schedule",
    "intervals_from_visits",
    "last_visits_without",
]

Floats = NDArray[np.float64]

_MOST = 100_000  # visits
Visits: TypeAlias = float | Sequence[float] | Mapping[Any, float | Sequence[float]]


def intervals_from_visits(data: Data, *, patient: str, time: str, found: str) -> pd.DataFrame:
    """Make intervals from a table of visits, a row a visit.

    Parameters
    ----------
    data : DataFrame or mapping
        A row a visit with a result; visits without one (missing ``found``) are as if not made.
    patient, time, found : str
        Columns: who, when (from the start of follow-up), and whether the event was found (0/1 or
        truth values).

    Returns
    -------
    DataFrame
        A row a patient, in the order of their first rows: ``patient`` under its own name,
        ``left`` (the last visit without the event; 0 if there was none), ``right`` (the first
        visit with it; infinite if there was none) and ``n_visits``, visits up to ``right``.
        For ``Interval(left, right)``.

    Raises
    ------
    DataError
        A time is missing or negative, ``found`` is not 0/1, a patient has two visits at one time
        with different results, or has the event at time 0.
    ColumnError
        A column is absent.

    References
    ----------
    Sun J (2006). The Statistical Analysis of Interval-censored Failure Time Data. Springer,
    chapter 1.

    Examples
    --------
    >>> import rnetstats as rn
    >>> seen = {"id": ["a", "a", "b", "b"], "month": [6, 12, 6, 18], "recurrence": [0, 1, 0, 0]}
    >>> rn.intervals_from_visits(seen, patient="id", time="month", found="recurrence")
      id  left  right  n_visits
    0  a   6.0   12.0         2
    1  b  18.0    inf         2
    """
    frame = as_frame(data)
    who = column(frame, patient)
    if who.isna().any():
        raise DataError(f"{patient!r} is missing in {row_numbers(who.isna().to_numpy())}.")
    when, result = read_variable(frame, time), read_variable(frame, found)
    times, flags = when.numbers("a time"), result.numbers("what was found")
    told = ~np.isnan(flags)
    for wrong, what in (
        (told & np.isnan(times), "missing"),
        (told & (times < 0.0), "negative"),
    ):
        if wrong.any():
            raise DataError(f"The time {time!r} is {what} in {row_numbers(wrong)}.")
    odd = told & (flags != 0.0) & (flags != 1.0)
    if odd.any():
        raise DataError(f"{found!r} must be 0 or 1; it is not in {row_numbers(odd)}.")
    early = told & (flags == 1.0) & (times == 0.0)
    if early.any():
        raise DataError(
            f"The event was there at time 0 in {row_numbers(early)}: such patients were never at "
            "risk; leave them out."
        )
    codes, names = pd.factorize(who)
    if (np.bincount(codes[told], minlength=len(names)) == 0).any():
        lost = names[np.bincount(codes[told], minlength=len(names)) == 0]
        raise DataError(f"{patient} {lost[0]!r} has no visit with a result; leave it out.")
    with_event, without = told & (flags == 1.0), told & (flags == 0.0)
    right = np.full(len(names), np.inf)
    np.minimum.at(right, codes[with_event], times[with_event])
    clash = without & (times == right[codes])
    if clash.any():
        raise DataError(f"Two results contradict each other at one time in {row_numbers(clash)}.")
    before = without & (times < right[codes])
    left = np.zeros(len(names))
    np.maximum.at(left, codes[before], times[before])
    counted = told & (times <= right[codes])
    n_visits = np.bincount(codes[counted], minlength=len(names))
    return pd.DataFrame({patient: names, "left": left, "right": right, "n_visits": n_visits})


def intervals_from_schedule(data: Data, formula: str, *, visits: Visits) -> pd.DataFrame:
    """Make intervals from times of detection and the visits that were planned.

    Parameters
    ----------
    data : DataFrame or mapping
    formula : str
        ``"Surv(time, event) ~ group"``, or ``~ 1``: the time at which the event was found, or at
        which follow-up ended.
    visits : float, sequence of float, or mapping of a group to one of them
        Times of the visits after time 0, or the distance between them.

    Returns
    -------
    DataFrame
        The data with ``left`` and ``right`` added. An event found at t lies after the last
        visit planned before t; a patient without it was known to be free of it at the last
        visit planned by the end of follow-up. Rows with missing values stay out.

    Raises
    ------
    OptionError
        Visits that are not positive and increasing, or given for other groups than those of the
        formula.
    ColumnError, DataError
        The data cannot be used, or have columns ``left`` or ``right`` already.
    FormulaError
        If the left side has entry times.

    Notes
    -----
    What was planned stands for what was done: with the real dates of visits use
    :func:`intervals_from_visits`.

    References
    ----------
    Sun J (2006). The Statistical Analysis of Interval-censored Failure Time Data. Springer,
    chapter 1.

    Examples
    --------
    >>> import rnetstats as rn
    >>> found = {"month": [7.0, 12.0, 20.0], "recurrence": [1, 1, 0]}
    >>> rn.intervals_from_schedule(found, "Surv(month, recurrence) ~ 1", visits=6)
       month  recurrence  left  right
    0    7.0           1   6.0    7.0
    1   12.0           1   6.0   12.0
    2   20.0           0  18.0    inf
    """
    frame = as_frame(data)
    for name in ("left", "right"):
        if name in frame.columns:
            raise DataError(f"The data have a column {name!r} already; rename it first.")
    rows, info = group_rows(frame, formula)
    refuse_strata(rows)
    if rows.start is not None:
        raise FormulaError("Visits are counted from time 0: write Surv(time, event).")
    schedules = group_schedules(visits, rows.labels, float(rows.stop.max()), rows.stop)
    used = frame.iloc[info.positions].copy()
    used["left"] = last_visits_without(rows, schedules)
    used["right"] = np.where(rows.event, rows.stop, np.inf)
    return _with_units(used, info.labels["time"])


def last_visits_without(rows: SurvivalRows, schedules: list[Floats]) -> Floats:
    """Return the last planned visit at which each row was free of the event, (n,).

    Before the time at which the event was found, or by the end of follow-up without it; 0 where
    there was none.

    Parameters
    ----------
    rows : SurvivalRows
    schedules : list of arrays
        Visit times of each group, from :func:`group_schedules` with the rows' times.
    """
    left = np.zeros(len(rows.stop))
    for code, times in enumerate(schedules):
        mine = rows.group == code
        stop, event = rows.stop[mine], rows.event[mine]
        grid = np.append(0.0, times)
        before = np.searchsorted(grid, stop, side="left") - 1
        by = np.searchsorted(grid, stop, side="right") - 1
        left[mine] = grid[np.where(event, np.maximum(before, 0), by)]
    return left


def _with_units(used: pd.DataFrame, label: str) -> pd.DataFrame:
    """Give both ends the unit that the label of the times carries, if any."""
    stored = used.attrs.get("rnetstats", {})
    if label.endswith(")") and "(" in label:
        unit = label[label.rindex("(") + 1 : -1]
        units = {**stored.get("units", {}), "left": unit, "right": unit}
        used.attrs["rnetstats"] = {**stored, "units": units}
    return used


def group_schedules(
    visits: Visits, groups: Sequence[str], until: float, observed: Floats
) -> list[Floats]:
    """Return the visit times of each group up to and with ``until``.

    A visit that differs from an observed time by rounding alone (the third of 0.35 from 1.05) is
    at that time.

    Parameters
    ----------
    visits : float, sequence of float, or mapping
        The distance between visits, their times, or one of the two for each group.
    groups : sequence of str
    until : float
    observed : array of shape (n,)
        The times that visits are compared with.

    Raises
    ------
    OptionError
    """
    if isinstance(visits, Mapping):
        given = {str(name): value for name, value in visits.items()}
        for name in given:
            if name not in groups:
                hint = closest(name, groups)
                raise OptionError(
                    f"visits names the group {name!r}; the groups are {', '.join(groups)}.{hint}"
                )
        lost = [name for name in groups if name not in given]
        if lost:
            raise OptionError(f"visits does not say when group {lost[0]!r} is seen.")
        schedules = [_visit_times(given[name], until) for name in groups]
    else:
        schedules = [_visit_times(visits, until)] * len(groups)
    return [as_observed(times, observed) for times in schedules]


def _visit_times(visits: float | Sequence[float], until: float) -> Floats:
    if isinstance(visits, (bool, str)):
        raise OptionError(f"visits must be times or the distance between them, not {visits!r}.")
    if isinstance(visits, Real):
        step = float(visits)
        if not 0.0 < step < np.inf:
            raise OptionError(f"The distance between visits must be positive, not {visits!r}.")
        if until / step > _MOST:
            raise OptionError(
                f"A visit every {step:g} up to {until:g} makes more than {_MOST:,} visits; the "
                "distance is in the unit of the times."
            )
        return step * np.arange(1.0, np.floor(until / step + 1e-9) + 1.0)
    try:
        times = np.asarray(visits, dtype=float)
    except (TypeError, ValueError):
        raise OptionError(f"visits must be numbers, not {visits!r}.") from None
    if times.ndim != 1 or not times.size or not np.isfinite(times).all():
        raise OptionError("visits must be a number or a list of finite numbers.")
    if times[0] <= 0.0 or (np.diff(times) <= 0.0).any():
        raise OptionError("Times of visits must be positive and increase.")
    return times[times <= until + 1e-9]
