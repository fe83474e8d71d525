"""What kind of variable a column is, and its values as numbers or codes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import column, label_of, refuse_name
from rnetstats.errors import ColumnError
from rnetstats.formula.tokens import Literal
from rnetstats.formula.variables import level_text, read_variable

__all__ = ["Variable", "grouping", "variable"]

MAX_LEVELS = 20
"""Columns with more levels are taken for identifiers."""
MAX_CODES = 5
"""Whole numbers with at most so many different values are taken for codes of levels ..."""
ROWS_PER_CODE = 5
"""... if there are so many rows for each value: a few rows say nothing about the kind."""
_DATES = ("date", "datetime", "datetime64", "time", "timedelta", "timedelta64", "period")


@dataclass(frozen=True)
class Variable:
    """One column, ready to be summarised.

    Attributes
    ----------
    name, label : str
        The column and what is printed for it.
    kind : str
        ``"continuous"``, ``"binary"`` (0/1 or bool) or ``"categorical"``.
    values : ndarray of float, shape (n,)
        Numbers, 0/1, or level codes; NaN where missing.
    levels : tuple of str
        Names of the codes 0, 1, ...; empty for the other kinds.
    ordered_by_text : bool
        Whether the order of the levels was made up (by code point).
    coded : bool
        Whether whole numbers were taken for codes of levels without anybody saying so.
    not_applicable : int
        Rows without a value for which, by the codebook, none can exist.
    """

    name: str
    label: str
    kind: str
    values: np.ndarray
    levels: tuple[str, ...] = ()
    ordered_by_text: bool = False
    coded: bool = False
    not_applicable: int = 0


def variable(
    frame: pd.DataFrame,
    name: str,
    categorical: Collection[str] = (),
    continuous: Collection[str] = (),
) -> Variable:
    """Classify one column.

    Parameters
    ----------
    frame : DataFrame
        The data.
    name : str
        The column.
    categorical, continuous : collection of str
        Numeric columns that are codes of levels, and those that are measurements whatever their
        values. Of the others, 0/1 columns are binary, and those whose codes a codebook names, or
        with few different whole numbers, are categorical.

    Raises
    ------
    ColumnError
        If it is missing from the data, empty, a date, has more than 20 levels, or a name that is
        no text.
    DataError
        If it holds infinite values, blank text, or text among numbers.
    """
    refuse_name(name)
    _refuse_dates(column(frame, name), name)
    read = read_variable(frame, name)
    label, empty = label_of(frame, name), _not_applicable(frame, name)
    codes_of = _attribute(frame, "codes", name)
    coded = False
    if read.values is not None and name not in categorical:
        known = read.values[~np.isnan(read.values)]
        binary = bool(np.isin(known, (0.0, 1.0)).all())
        coded = not binary and not codes_of and _few_whole_numbers(known)
        if name in continuous or not (codes_of or coded):
            kind = "binary" if binary and name not in continuous else "continuous"
            return Variable(name, label, kind, read.values, not_applicable=empty)
    codes, levels = read.as_factor()
    if len(levels) > MAX_LEVELS:
        raise ColumnError(
            f"Column {name!r} has {len(levels)} different values, more than the {MAX_LEVELS} that "
            "a table has room for; to describe it, make fewer levels of it."
        )
    made_up = not read.is_numeric and not read.ordered_by_data
    values = np.where(codes < 0, np.nan, codes.astype(float))
    names = _level_names(levels, codes_of or {})
    return Variable(name, label, "categorical", values, names, made_up, coded, empty)


def _refuse_dates(series: pd.Series, name: str) -> None:
    kind = pd.api.types.infer_dtype(series, skipna=True)
    if kind in _DATES:
        raise ColumnError(
            f"Column {name!r} holds dates or times, which a table of characteristics does not "
            "describe; to describe it, make a number of it, such as the year."
        )


def _attribute(frame: pd.DataFrame, key: str, name: str) -> Any:
    """What the codebook says of a column (None if nothing)."""
    stored = frame.attrs.get("rnetstats", {})
    found = stored.get(key, {}) if isinstance(stored, Mapping) else {}
    return found.get(name) if isinstance(found, Mapping) else None


def _few_whole_numbers(known: np.ndarray) -> bool:
    distinct = np.unique(known)
    whole = bool((distinct == np.floor(distinct)).all())
    return whole and len(distinct) <= min(MAX_CODES, len(known) // ROWS_PER_CODE)


def _level_names(levels: Sequence[Literal], codes_of: Mapping[str, str]) -> tuple[str, ...]:
    """Texts of the levels, by the codebook's names of codes where it has them, all different."""
    texts = [level_text(level) for level in levels]
    names = [str(codes_of.get(text, text)) for text in texts]
    return tuple(texts if len(set(names)) < len(names) else names)


def _not_applicable(frame: pd.DataFrame, name: str) -> int:
    """Empty cells that the codebook says must be empty.

    Its counts are those of the file as read. They still tell the two apart after rows were dropped
    if every empty cell of the file was of one kind; otherwise only while the counts agree.
    """
    structural = _attribute(frame, "structural", name)
    if not structural:
        return 0
    missing = int(_attribute(frame, "missing", name) or 0)
    empty = int(frame[name].isna().sum())
    if missing == 0:
        return empty if empty <= structural else 0
    return int(structural) if empty == structural + missing else 0


def grouping(frame: pd.DataFrame, name: str) -> Variable:
    """The column that makes the groups, with its levels that occur.

    Raises
    ------
    ColumnError
        If it is numeric with more than two values, or has one level only.
    """
    found = variable(frame, name, continuous=(name,))
    if found.kind != "categorical":
        distinct = np.unique(found.values[~np.isnan(found.values)])
        if len(distinct) > 2:
            raise ColumnError(
                f"Column {name!r} is numeric with {len(distinct)} different values, which make no "
                f"groups. Cut it first, e.g. data[{name!r}] > c, or make it a category."
            )
        found = variable(frame, name, (name,))
    present = np.unique(found.values[~np.isnan(found.values)])
    if len(present) < 2:
        raise ColumnError(f"Column {name!r} has one level only: there are no groups to compare.")
    values = np.where(np.isnan(found.values), np.nan, np.searchsorted(present, found.values))
    levels = tuple(found.levels[int(i)] for i in present)
    return Variable(name, found.label, "categorical", values, levels, found.ordered_by_text)
