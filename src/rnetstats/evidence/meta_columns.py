"""The columns of a table of studies: found, read and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame, column
from rnetstats._core.options import choice
from rnetstats.errors import ColumnError, DataError, OptionError, closest
from rnetstats.evidence.meta_checks import check_values, some_studies
from rnetstats.evidence.meta_measures import LAYOUTS, Measure
from rnetstats.formula.variables import level_text, read_variable

__all__ = ["StudyTable", "named_columns", "read_studies", "study_names"]

Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class StudyTable:
    """Studies as given, one row each.

    Attributes
    ----------
    names : tuple of str
    layout : str
        A key of ``LAYOUTS``.
    given : DataFrame
        The columns of the layout as floats, under their own names here; of estimates also the
        limits beside standard errors, where both are given.
    lacking : tuple of str
        The columns missing in each row, "" where none is.
    data : DataFrame
        All columns of the caller, rows numbered from 0.
    notes : tuple of str
    """

    names: tuple[str, ...]
    layout: str
    given: pd.DataFrame
    lacking: tuple[str, ...]
    data: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def complete(self) -> Flags:
        """Whether each row has all its columns."""
        return np.array([not what for what in self.lacking], dtype=bool)


def read_studies(
    data: Data, measure: Measure, columns: Mapping[str, str], *, missing: str
) -> StudyTable:
    """Find and read the columns of a measure, and check their values.

    Raises
    ------
    ColumnError, DataError, OptionError
    """
    choice("missing", missing, ("drop", "raise"))
    frame = as_frame(data)
    named = _named(columns, measure)
    layout = _layout(frame, measure, named)
    names, notes = study_names(frame, named)
    wanted = [c for c in _taken(layout) if c in LAYOUTS[layout] or named.get(c, c) in frame.columns]
    given = {}
    for name in wanted:
        own = named.get(name, name)
        given[name] = read_variable(frame, own).numbers(f"{name} of a meta-analysis")
    table = pd.DataFrame(given)
    lacking = _lacking(table, layout)
    check_values(table, measure, layout, names, named)
    short = np.array([bool(what) for what in lacking])
    if short.any():
        text = f"Values are missing in {some_studies(names, short)}"
        if missing == "raise":
            raise DataError(f"{text}. missing='drop' leaves these studies out.")
        notes.append(f"{text}: left out ({int(short.sum())} of {len(names)} studies).")
    if short.all():
        raise DataError("No study has all its columns: " + ", ".join(LAYOUTS[layout]) + ".")
    return StudyTable(
        tuple(names), layout, table, lacking, frame.reset_index(drop=True), tuple(notes)
    )


def _named(columns: Mapping[str, str], measure: Measure) -> dict[str, str]:
    """The caller's names of the columns, all of them known."""
    known = ["study", *dict.fromkeys(c for layout in measure.layouts for c in LAYOUTS[layout])]
    example = "{'events_1': 'deaths_treated'}"
    return named_columns(columns, known, who=f"{measure.name} knows", example=example)


def named_columns(columns: Any, known: Sequence[str], *, who: str, example: str) -> dict[str, str]:
    """Check ``columns=``: a mapping of known names to different columns of the caller's."""
    if not isinstance(columns, Mapping):
        raise OptionError(
            f"columns must be a mapping such as {example}, not {type(columns).__name__}."
        )
    for name, own in columns.items():
        if name not in known:
            raise OptionError(
                f"columns has the name {name!r}; {who} {', '.join(known)}."
                f"{closest(str(name), known)}"
            )
        if not isinstance(own, str):
            raise OptionError(f"columns[{name!r}] must be a column's name, not {own!r}.")
    taken = list(columns.values())
    twice = next((own for own in taken if taken.count(own) > 1), None)
    if twice is not None:
        raise OptionError(f"columns names {twice!r} twice.")
    return dict(columns)


def _layout(frame: pd.DataFrame, measure: Measure, named: Mapping[str, str]) -> str:
    """The first layout all of whose columns are there, or an error that says what lacks.

    Of several, the one that the caller named most columns of.
    """
    for own in named.values():
        column(frame, own)
    order = sorted(measure.layouts, key=lambda name: -len(set(LAYOUTS[name]) & set(named)))
    present = {
        layout: [c for c in LAYOUTS[layout] if named.get(c, c) in frame.columns] for layout in order
    }
    for layout, found in present.items():
        if len(found) == len(LAYOUTS[layout]):
            return layout
    nearest = max(present, key=lambda layout: len(present[layout]) / len(LAYOUTS[layout]))
    lacking = [c for c in LAYOUTS[nearest] if c not in present[nearest]]
    options = "; or ".join(", ".join(LAYOUTS[layout]) for layout in measure.layouts)
    free = [str(c) for c in frame.columns if c not in present[nearest]]
    hint = next(filter(None, (closest(c, free) for c in lacking)), "")
    raise ColumnError(
        f"A meta-analysis of {measure.name} needs the columns {options}. Of "
        f"{', '.join(LAYOUTS[nearest])} there is no {', no '.join(lacking)}.{hint} "
        "columns={'events_1': 'your_name'} says what they are called."
    )


def _taken(layout: str) -> tuple[str, ...]:
    """Columns that are read: with standard errors also the limits, for rows without an error."""
    return (
        ("estimate", "std_error", "conf_low", "conf_high")
        if layout == "error"
        else (LAYOUTS[layout])
    )


def study_names(frame: pd.DataFrame, named: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Names of the studies, and what is to be said of them."""
    own = named.get("study", "study")
    numbers = [f"Study {i + 1}" for i in range(len(frame))]
    if own not in frame.columns:
        return numbers, ["There is no column of study names: they are numbered in their order."]
    values = frame[own].tolist()
    blank = [i for i, value in enumerate(values) if not _is_text(value)]
    names = [numbers[i] if i in blank else level_text(v).strip() for i, v in enumerate(values)]
    notes = []
    if blank:
        notes.append(f"The study's name is missing in row {blank[0] + 1}: it is numbered.")
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        rows = [str(i + 1) for i, name in enumerate(names) if name == twice[0]]
        notes.append(
            f"{len(twice)} study name{'s' * (len(twice) > 1)} stand{'s' * (len(twice) == 1)} in "
            f"several rows ({twice[0]!r} in rows {', '.join(rows)}): all are pooled as if "
            "independent, which patients counted twice would not be."
        )
    return names, notes


def _is_text(value: Any) -> bool:
    lacking = pd.api.types.is_scalar(value) and bool(pd.isna(value))
    return not lacking and bool(str(value).strip())


def _lacking(table: pd.DataFrame, layout: str) -> tuple[str, ...]:
    """The columns that each row lacks."""
    gaps = table.isna().to_numpy()
    found = [[c for c, gap in zip(table.columns, row, strict=True) if gap] for row in gaps]
    if layout == "error":
        found = [_of_estimate(row, set(table.columns)) for row in found]
    return tuple(f"{', '.join(row)} missing" if row else "" for row in found)


def _of_estimate(gaps: list[str], columns: set[str]) -> list[str]:
    """A standard error, or both limits, make an estimate complete."""
    limits = {"conf_low", "conf_high"} <= columns and not {"conf_low", "conf_high"} & set(gaps)
    return [c for c in gaps if c == "estimate" or (c == "std_error" and not limits)]
