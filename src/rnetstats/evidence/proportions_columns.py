"""The columns of a table of proportions: found, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame, column
from rnetstats._core.options import choice
from rnetstats.errors import ColumnError, DataError, OptionError, closest
from rnetstats.evidence.meta_checks import some_studies
from rnetstats.evidence.meta_columns import named_columns, study_names
from rnetstats.formula.variables import level_text, read_variable

__all__ = ["SeriesTable", "read_series"]

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

_KNOWN = ("study", "events", "n")
_MOST = 2.0**53  # whole numbers are exact up to here


@dataclass(frozen=True, eq=False)
class SeriesTable:
    """Series as given, one row each.

    Attributes
    ----------
    names : tuple of str
    events, n : (k,)
        Missing where not given.
    complete : (k,) of bool
    groups : tuple of str
        Each series' group, "" without one; empty if none were asked for.
    levels : tuple of str
        The groups in order.
    notes : tuple of str
    """

    names: tuple[str, ...]
    events: Floats
    n: Floats
    complete: Flags
    groups: tuple[str, ...]
    levels: tuple[str, ...]
    notes: tuple[str, ...]


def read_series(
    data: Data, columns: Mapping[str, str], by: str | None, *, missing: str
) -> SeriesTable:
    """Find and read names, events, sizes and groups, and check the counts.

    Raises
    ------
    ColumnError, DataError, OptionError
    """
    choice("missing", missing, ("drop", "raise"))
    frame = as_frame(data)
    named = named_columns(
        columns, _KNOWN, who="proportions know", example="{'events': 'recurrences'}"
    )
    for own in named.values():
        column(frame, own)
    names, notes = study_names(frame, named)
    events, n = (_counts(frame, name, named) for name in ("events", "n"))
    _check(events, n, names, named)
    complete = ~(np.isnan(events) | np.isnan(n))
    if not complete.all():
        text = f"Counts are missing in {some_studies(names, ~complete)}"
        if missing == "raise":
            raise DataError(f"{text}. missing='drop' leaves these series out.")
        lost = int((~complete).sum())
        notes.append(f"{text}: left out ({lost} of {len(names)} series).")
    if not complete.any():
        raise DataError("No series has both events and n.")
    groups, levels = _groups(frame, by, complete, notes)
    return SeriesTable(tuple(names), events, n, complete, groups, levels, tuple(notes))


def _counts(frame: pd.DataFrame, name: str, named: Mapping[str, str]) -> Floats:
    own = named.get(name, name)
    if own not in frame.columns:
        raise ColumnError(
            f"A meta-analysis of proportions needs the columns events and n; there is no {own!r}."
            f"{closest(own, (str(c) for c in frame.columns))} columns={{{name!r}: 'your_name'}} "
            "says what it is called."
        )
    found = read_variable(frame, own).numbers(f"{name} of a meta-analysis")
    return np.asarray(found, dtype=float)


def _check(events: Floats, n: Floats, names: list[str], named: Mapping[str, str]) -> None:
    """Refuse counts that cannot be; missing ones are passed over.

    Raises
    ------
    DataError
    """
    own = {name: named.get(name, name) for name in ("events", "n")}

    def refuse(name: str, values: Floats, flagged: Flags, what: str) -> None:
        if flagged.any():
            first = values[np.flatnonzero(flagged)[0]]
            raise DataError(f"{own[name]} {what} in {some_studies(names, flagged)}: {first:g}.")

    for name, values in (("events", events), ("n", n)):
        refuse(name, values, np.abs(values) > _MOST, "is too large a count")
        whole = np.isnan(values) | (values == np.floor(values))
        refuse(name, values, ~whole, "is no whole number")
        refuse(name, values, values < 0, "is negative")
    refuse("n", n, n == 0, "is not above 0")
    refuse("events", events, events > n, f"is more than {own['n']}")


def _groups(
    frame: pd.DataFrame, by: str | None, complete: Flags, notes: list[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Each series' group and the groups in order; what has none is said."""
    if by is None:
        return (), ()
    if not isinstance(by, str):
        raise OptionError(f"by must be a column's name, not {by!r}.")
    variable = read_variable(frame, by)
    codes, levels = variable.as_factor()
    present = [code for code in range(len(levels)) if (codes[complete] == code).any()]
    if len(present) < 2:
        raise ColumnError(
            f"Column {by!r} puts all series into one group; subgroups take at least two."
        )
    if len(present) == int(complete.sum()) and variable.is_numeric:
        raise ColumnError(f"Column {by!r} holds a different number for each series.")
    lost = int((codes[complete] < 0).sum())
    if lost:
        notes.append(f"{by} is missing in {lost} of {int(complete.sum())} series: in no group.")
    texts = {code: level_text(levels[code]) for code in present}
    return tuple(texts.get(int(code), "") for code in codes), tuple(texts.values())
