"""The follow-up that was possible, from dates of enrolment or as given."""

from __future__ import annotations

import re
from datetime import date, datetime
from numbers import Number
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import column
from rnetstats.errors import DataError, OptionError, rows_text

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rnetstats.survival.rows import SurvivalRows

__all__ = ["UNIT_DAYS", "potential_times"]

Floats = NDArray[np.float64]

_ZONE = re.compile(r"(:\d\d(?:\.\d+)?)\s*(?:Z|[+-]\d\d(?::?\d\d)?)$")  # after a time of day
UNIT_DAYS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}


def potential_times(
    frame: pd.DataFrame,
    positions: NDArray[np.intp],
    rows: SurvivalRows,
    *,
    enrolled: str | None,
    closing: str | date | None,
    potential: str | float | ArrayLike | None,
    unit: str,
) -> tuple[Floats | None, float, tuple[str, ...]]:
    """Return each used row's possible follow-up (n,), where follow-up is cut, and notes.

    A row with the event could be followed up to the event. A row without a date of enrolment has
    no time, with the event or without: kept for its event alone, it would make follow-up look more
    complete than it was. Follow-up is cut only where ``potential`` is one time for everybody.
    Without any option the times are None.

    Raises
    ------
    OptionError
        If only one of ``enrolled`` and ``closing`` is given, or ``potential`` beside them.
    DataError
        If no row has a date, a date cannot be read or lies after the closing date, or a time in
        ``potential`` is missing.
    """
    if enrolled is None and closing is None and potential is None:
        return None, np.inf, ()
    if potential is not None and (enrolled is not None or closing is not None):
        raise OptionError("Give potential=, or enrolled= with closing=, not both.")
    cut = np.inf
    notes: tuple[str, ...] = ()
    if potential is None:
        if enrolled is None or closing is None:
            raise OptionError("enrolled= and closing= belong together: give both.")
        possible = _from_dates(frame, positions, enrolled, closing) / UNIT_DAYS[unit]
        notes = _without_date(np.isnan(possible), positions, enrolled)
    else:
        possible = _as_given(frame, positions, potential)
        if possible.size == 1 and np.ndim(potential) == 0 and not isinstance(potential, str):
            cut = float(possible[0])
            possible = np.full(len(positions), cut)
    seen = np.minimum(rows.stop, cut)
    notes += _longer_than_possible(possible, seen, rows.event, positions)
    ends = np.where(rows.event, seen, np.maximum(possible, seen))
    return np.where(np.isnan(possible), np.nan, ends), cut, notes


def _from_dates(
    frame: pd.DataFrame, positions: NDArray[np.intp], enrolled: str, closing: str | date
) -> Floats:
    """Return days from enrolment to the closing date (n,), missing where the date is."""
    end = _closing_date(closing)
    values = column(frame, enrolled).iloc[positions]
    empty = values.isna().to_numpy()
    if len(values) and empty.all():
        raise DataError(
            f"Column {enrolled!r} is empty in every row used: the completeness index needs the "
            "date of at least one patient."
        )
    dates = pd.to_datetime(_as_written(values), errors="coerce", format="ISO8601")
    unread = dates.isna().to_numpy() & ~empty
    _refuse(unread, positions, f"column {enrolled!r} holds no date (ISO 8601)")
    days = ((end - dates) / pd.Timedelta(days=1)).to_numpy(float)
    _refuse(days < 0.0, positions, f"column {enrolled!r} is after the closing date {closing}")
    return np.asarray(days)


def _closing_date(closing: str | date) -> pd.Timestamp:
    refused = OptionError(f"closing={closing!r} is no date; write it as '2023-06-30'.")
    if isinstance(closing, Number):  # pandas would count nanoseconds from 1970
        raise refused
    try:
        end = pd.Timestamp(closing)
    except (ValueError, TypeError):
        raise refused from None
    if pd.isna(end):
        raise refused
    return end.tz_localize(None)


def _as_written(values: pd.Series) -> pd.Series:
    """Return dates by the calendar and clock of their own time zone, which is left out."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        local: pd.Series = values.dt.tz_localize(None)
        return local
    if not isinstance(values.dtype, (np.dtypes.ObjectDType, pd.StringDtype)):
        return values
    return values.astype(object).map(_without_zone)


def _without_zone(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.replace(tzinfo=None)
    return _ZONE.sub(r"\1", value) if isinstance(value, str) else value


def _without_date(
    empty: NDArray[np.bool_], positions: NDArray[np.intp], enrolled: str
) -> tuple[str, ...]:
    """Say how many rows have no date of enrolment, and that the index leaves them out."""
    if not empty.any():
        return ()
    found = (positions[empty] + 1).tolist()
    are = "is" if len(found) == 1 else "are"
    return (
        f"Column {enrolled!r} is empty in {rows_text(found)} ({len(found)} of {len(empty)}), which "
        f"{are} left out of the completeness index alone.",
    )


def _as_given(
    frame: pd.DataFrame, positions: NDArray[np.intp], potential: str | float | ArrayLike
) -> Floats:
    values = column(frame, potential) if isinstance(potential, str) else potential
    try:
        times = np.atleast_1d(np.asarray(values, dtype=float))
    except (TypeError, ValueError):
        raise DataError("The potential follow-up must hold numbers.") from None
    if np.ndim(values) == 0:
        if not times[0] > 0.0 or not np.isfinite(times[0]):
            raise OptionError(f"potential={potential!r} must be a positive time.")
        return times
    if times.shape != (len(frame),):
        raise DataError(f"potential has {times.size} values for {len(frame)} rows.")
    times = times[positions]
    wrong = ~(np.isfinite(times) & (times >= 0.0))
    _refuse(wrong, positions, "the potential follow-up is missing, infinite or negative")
    return np.asarray(times)


def _refuse(wrong: NDArray[np.bool_], positions: NDArray[np.intp], what: str) -> None:
    if wrong.any():
        found = (positions[wrong] + 1).tolist()
        raise DataError(f"In {rows_text(found)} {what}.")


def _longer_than_possible(
    possible: Floats, seen: Floats, event: NDArray[np.bool_], positions: NDArray[np.intp]
) -> tuple[str, ...]:
    """Say where more follow-up was seen than was possible."""
    longer = ~event & (seen > possible * (1.0 + 1e-9))
    if not longer.any():
        return ()
    count = int(longer.sum())
    found = (positions[longer] + 1).tolist()
    return (
        f"In {rows_text(found)} follow-up is longer than was possible ({count} of {len(event)}, by "
        f"at most {float(np.max((seen - possible)[longer])):.3g}); what was seen is taken.",
    )
