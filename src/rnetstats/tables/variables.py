"""What kind of variable a column is, and its values as numbers or codes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnetstats._core.frame import label_of
from rnetstats.errors import ColumnError
from rnetstats.formula.variables import level_text, read_variable

__all__ = ["Variable", "grouping", "variable"]

MAX_LEVELS = 20
"""Columns with more levels are taken for identifiers."""


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
    """

    name: str
    label: str
    kind: str
    values: np.ndarray
    levels: tuple[str, ...] = ()
    ordered_by_text: bool = False


def variable(frame: pd.DataFrame, name: str, categorical: Collection[str] = ()) -> Variable:
    """Classify one column.

    Parameters
    ----------
    frame : DataFrame
        The data.
    name : str
        The column.
    categorical : collection of str
        Numeric columns whose values are codes of levels.

    Raises
    ------
    ColumnError
        If it is missing from the data, empty, a date, or has more than 20 levels.
    DataError
        If it holds infinite values, blank text, or text among numbers.
    """
    read = read_variable(frame, name)
    label = label_of(frame, name)
    if read.values is not None and name not in categorical:
        known = read.values[~np.isnan(read.values)]
        kind = "binary" if np.isin(known, (0.0, 1.0)).all() else "continuous"
        return Variable(name, label, kind, read.values)
    codes, levels = read.as_factor()
    if len(levels) > MAX_LEVELS:
        raise ColumnError(
            f"Column {name!r} has {len(levels)} different values, too many for a table; leave it "
            "out of columns=, or make fewer levels of it."
        )
    values = np.where(codes < 0, np.nan, codes.astype(float))
    made_up = not read.is_numeric and not read.ordered_by_data
    return Variable(name, label, "categorical", values, tuple(map(level_text, levels)), made_up)


def grouping(frame: pd.DataFrame, name: str) -> Variable:
    """The column that makes the groups, with its levels that occur.

    Raises
    ------
    ColumnError
        If it is numeric with more than two values, or has one level only.
    """
    found = variable(frame, name)
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
