"""Columns of dates: real days, each read in one way only."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rnetstats.data.date_forms import day_of, is_packed, lacks_day
from rnetstats.data.typed import Task

__all__ = ["date_column"]

_YEARS = (1678, 2261)  # what a nanosecond clock can hold
_DAY_NUMBER = re.compile(r"[2-6]\d{4}")  # days since 1900: from 1954 to 2091


def date_column(task: Task) -> pd.Series[Any] | None:
    """Return days as datetime64[ns]; a time of day is left out."""
    cells, form = task.cells, task.spec.date_format
    pairs = zip(cells.values, cells.texts, strict=True)
    days = [_day(value, text, form) for value, text in pairs]
    wrong = [i for i, day in enumerate(days) if day is None]
    if wrong:
        _refuse(task, wrong)
        return None
    _tell(task, [day for day in days if day is not None])
    stamps = np.array([*days, None], dtype="datetime64[D]").astype("datetime64[ns]")
    return pd.Series(stamps[cells.codes], name=task.spec.name)


def _refuse(task: Task, wrong: list[int]) -> None:
    form = task.spec.date_format
    if all(_DAY_NUMBER.fullmatch(task.cells.texts[i]) for i in wrong):
        advice = "If that is a spreadsheet's number of a day, format the column as a date there."
    elif is_packed(form):
        advice = "Each number needs all its digits (02 for 2): a zero may have been lost."
    else:
        advice = (
            f'Write dates as 2023-06-30, or give their form: date_format = "{form or "%d.%m.%Y"}".'
        )
    task.refuse(wrong, "is not a date" + (f" of the form {form}" if form else ""), advice)


def _tell(task: Task, days: Sequence[dt.date]) -> None:
    """Say what a form leaves open."""
    form, name = task.spec.date_format, task.spec.name
    if days and lacks_day(form):
        task.ledger.note(
            f"{name}: the form {form} leaves the day open; the first was taken, as {min(days)}."
        )
    if days and "%y" in form:
        task.ledger.note(
            f"{name}: years of two digits were read as 1969 to 2068; the dates run from "
            f"{min(days)} to {max(days)}."
        )


def _day(value: object, text: str, form: str) -> dt.date | None:
    day: dt.date | None = None
    if isinstance(value, dt.date):  # datetimes are dates too
        day = dt.date(value.year, value.month, value.day)
    elif form:
        day = day_of(text, form)
    elif len(text) >= 10 and text[4] == text[7] == "-":
        try:
            day = dt.datetime.fromisoformat(text).date()
        except ValueError:
            return None
    return day if day is not None and _YEARS[0] <= day.year <= _YEARS[1] else None
