"""A table of counts from one row a patient and a formula ``outcome ~ group``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats.errors import ColumnError, FormulaError
from rnetstats.formula.groups import GroupFrame, group_frame
from rnetstats.formula.parser import as_formula
from rnetstats.formula.terms import Condition, Formula, LeftSide, Plain
from rnetstats.formula.variables import Variable, level_text, read_variable
from rnetstats.tables.counts import CountTable

__all__ = ["counts_from_rows"]

_MAX_LEVELS = 20


def counts_from_rows(data: Data, formula: str, missing: str) -> CountTable:
    """Count the rows of a cohort.

    A 0/1 outcome (or a condition, or the later of two levels) gives the event in the first column.
    In a 2x2 table the later group is the first row, so that ratios compare it with the first
    level, as a model would.

    Parameters
    ----------
    data : DataFrame or mapping
        One row a patient.
    formula : str
        ``"recurrence ~ margin_positive"``, ``"grade == 'G2' ~ method"``, ``"grade ~ method"``.
    missing : {"drop", "raise"}
        What to do with incomplete rows.
    """
    parsed = as_formula(formula)
    if parsed.strata or parsed.cluster:
        raise FormulaError(f"strata() and cluster() have no meaning in {formula!r}, one table.")
    outcome = _levels_outcome(data, parsed)
    if outcome is None:
        found = group_frame(data, parsed, kind="binary", missing=missing)
        assert found.outcome.y is not None
        codes = 1 - found.outcome.y.astype(np.intp)
        columns: tuple[str, ...] = (found.outcome.name, f"not {found.outcome.name}")
    else:
        codes, levels = outcome.as_factor()
        # The condition only serves to pick the rows and their groups.
        condition = LeftSide(Condition(outcome.name, "==", levels[0]))
        found = group_frame(
            data, replace(parsed, outcome=condition), kind="binary", missing=missing
        )
        codes, columns = codes[found.rows], tuple(level_text(level) for level in levels)
        if len(columns) == 2:
            codes, columns = 1 - codes, columns[::-1]
    return replace(_table(found, codes, columns), synthetic=is_synthetic(as_frame(data)))


def _levels_outcome(data: Data, parsed: Formula) -> Variable | None:
    """The outcome's column if it has levels; None for 0/1, a condition, or no such outcome."""
    left = parsed.outcome
    if left is None or left.times or not isinstance(left.event, Plain):
        return None
    read = read_variable(as_frame(data), left.event.column)
    if read.values is not None:
        distinct = np.unique(read.values[~np.isnan(read.values)])
        if np.isin(distinct, (0.0, 1.0)).all():
            return None
        if len(distinct) > _MAX_LEVELS:
            raise ColumnError(
                f"The outcome {read.name!r} is numeric with {len(distinct)} different values; make "
                f"a condition of it, e.g. {read.name} == value."
            )
    return read


def _table(found: GroupFrame, codes: np.ndarray, columns: tuple[str, ...]) -> CountTable:
    rows = found.groups.labels
    if len(rows) < 2:
        raise FormulaError(f"{found.formula!r} forms one group; name a column that forms two.")
    counts = np.zeros((len(rows), len(columns)), dtype=np.int64)
    np.add.at(counts, (found.groups.codes, codes), 1)
    notes = found.notes
    if counts.shape == (2, 2):
        counts, rows = counts[::-1], rows[::-1]
        shown = [f"{found.groups.name} {label!r}" for label in rows]
        notes = (*notes, f"{shown[0]} is compared with {shown[1]}; the event is {columns[0]!r}.")
    if len(columns) < 2:
        raise ColumnError(f"The outcome {found.outcome.name!r} has one level only.")
    return CountTable(counts, rows, columns, notes)
