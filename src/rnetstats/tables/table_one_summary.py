"""The numbers of Table 1: who is in which group, what is described, and the statistics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnetstats._core.frame import column
from rnetstats._core.options import choice
from rnetstats.errors import ColumnError, OptionError
from rnetstats.tables.table_one_tests import level_counts
from rnetstats.tables.variables import Variable, grouping, variable

__all__ = ["Groups", "chosen_styles", "chosen_variables", "make_groups", "summarise"]

STYLES = ("mean", "median", "both")
OVERALL = "Overall"


@dataclass(frozen=True)
class Groups:
    """Rows of each group.

    Attributes
    ----------
    rows : dict
        Name of the group to a boolean array over all rows; empty without groups.
    everyone : ndarray of bool
        Rows that are in the table at all.
    overall : str
        A name for the overall column that is no group's name.
    notes : tuple of str
        Rows without a group, and an order of groups that was made up.
    """

    rows: dict[str, np.ndarray]
    everyone: np.ndarray
    overall: str
    notes: tuple[str, ...]


def make_groups(frame: pd.DataFrame, by: str | None) -> Groups:
    """Cut the rows into the groups of one column."""
    if by is None:
        return Groups({}, np.ones(len(frame), dtype=bool), OVERALL, ())
    found = grouping(frame, by)
    rows = {name: found.values == i for i, name in enumerate(found.levels)}
    known = ~np.isnan(found.values)
    notes = []
    if not known.all():
        notes.append(f"{int((~known).sum())} rows without {by!r} are in no group and left out.")
    if found.ordered_by_text:
        notes.append(f"The groups of {by!r} are in the order of their text.")
    overall = OVERALL if OVERALL not in rows else f"{OVERALL} (all groups)"
    return Groups(rows, known, overall, tuple(notes))


def chosen_variables(
    frame: pd.DataFrame,
    columns: Sequence[str] | None,
    by: str | None,
    *,
    categorical: Sequence[str],
    continuous: Sequence[str],
) -> tuple[list[Variable], tuple[str, ...]]:
    """The variables to describe; with ``columns=None`` all that can be, the others named.

    Parameters
    ----------
    frame : DataFrame
        The data.
    columns : sequence of str or None
        Columns in the order of the table.
    by : str or None
        The grouping column, which is not described.
    categorical, continuous : sequence of str
        Numeric columns that are codes, and those that are measurements, whatever their values.

    Raises
    ------
    ColumnError
        If a column that was asked for cannot be described, or none can.
    """
    for name in categorical:
        column(frame, name)
    if columns is not None:
        if isinstance(columns, (str, bytes, Set)) or not isinstance(columns, Iterable):
            raise OptionError(f"columns must be a list of names in their order, not {columns!r}.")
        columns = list(columns)
        repeated = [name for i, name in enumerate(columns) if name in columns[:i]]
        if by is not None and by in columns:
            repeated.append(by)
        if repeated:
            raise OptionError(f"Column {repeated[0]!r} stands in the table twice.")
        skipped: list[str] = []
        found = [variable(frame, name, categorical, continuous) for name in columns]
    else:
        found, skipped = _all_variables(frame, by, categorical, continuous)
    if not found:
        raise ColumnError(" ".join(["There is no column to describe.", *skipped[:3]]))
    return found, (*skipped, *_kind_notes(found))


def _kind_notes(variables: list[Variable]) -> list[str]:
    """What was decided about the columns without being told."""
    notes = []
    made_up = ", ".join(repr(v.name) for v in variables if v.ordered_by_text)
    if made_up:
        notes.append(f"Levels in the order of their text, for want of another: {made_up}.")
    coded = ", ".join(repr(v.name) for v in variables if v.coded)
    if coded:
        notes.append(
            f"Few different whole numbers, taken for codes of levels: {coded}. To describe such a "
            'column by its mean, name it in summaries=, e.g. summaries={"column": "mean"}.'
        )
    return notes


def _all_variables(
    frame: pd.DataFrame, by: str | None, categorical: Sequence[str], continuous: Sequence[str]
) -> tuple[list[Variable], list[str]]:
    found: list[Variable] = []
    skipped: list[str] = []
    for name in frame.columns:
        if name == by:
            continue
        try:
            found.append(variable(frame, name, categorical, continuous))
        except ColumnError as error:
            skipped.append(f"Not in the table: {error}")
    return found, skipped


def chosen_styles(summaries: str | Mapping[str, str], variables: list[Variable]) -> dict[str, str]:
    """How each continuous variable is printed."""
    names = [v.name for v in variables if v.kind == "continuous"]
    if isinstance(summaries, str):
        return dict.fromkeys(names, choice("summaries", summaries, STYLES))
    if not isinstance(summaries, Mapping):
        raise OptionError(
            f"summaries is one of {', '.join(STYLES)} or a mapping, not {summaries!r}."
        )
    for name in summaries:
        choice("summaries: the column", name, names)
    return {name: choice("summaries", summaries.get(name, "both"), STYLES) for name in names}


def summarise(variables: list[Variable], groups: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """The tidy numbers: columns variable, level, group, statistic, value."""
    records: list[tuple[str, str, str, str, float]] = []
    for item in variables:
        for group, rows in groups.items():
            values = item.values[rows]
            known = values[~np.isnan(values)]
            at = (item.name, "", group)
            records.append((*at, "n", float(len(known))))
            records.append((*at, "n_missing", float(len(values) - len(known))))
            if item.kind == "continuous":
                records += [(*at, name, value) for name, value in _statistics(known).items()]
                continue
            counts = level_counts(item, rows)
            names = ("0", "1") if item.kind == "binary" else item.levels
            for level, count in zip(names, counts.tolist(), strict=True):
                share = count / len(known) if len(known) else np.nan
                records.append((item.name, level, group, "count", float(count)))
                records.append((item.name, level, group, "share", share))
    return pd.DataFrame(records, columns=["variable", "level", "group", "statistic", "value"])


def _statistics(values: np.ndarray) -> dict[str, float]:
    """Moments and quantiles (type 7); NaN in an empty group, the SD also in a group of one."""
    names = ("min", "q1", "median", "q3", "max")
    if len(values) == 0:
        return dict.fromkeys(("mean", "sd", *names), np.nan)
    spread = float(values.std(ddof=1)) if len(values) > 1 else np.nan
    quantiles = np.quantile(values, [0.0, 0.25, 0.5, 0.75, 1.0])
    return {
        "mean": float(values.mean()),
        "sd": spread,
        **dict(zip(names, quantiles.tolist(), strict=True)),
    }
