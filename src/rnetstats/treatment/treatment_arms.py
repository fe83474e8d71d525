"""The two arms of a treatment: their names, and what is wrong where there are not two."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from rnetstats.errors import ColumnError, DataError, FormulaError
from rnetstats.formula.design import ModelFrame
from rnetstats.formula.terms import Condition, Formula, LeftSide, Plain, literal_text
from rnetstats.formula.variables import level_text, read_variable

__all__ = ["check_arms", "level_compared", "treatment_arms"]


def level_compared(table: pd.DataFrame, formula: Formula) -> tuple[Formula, tuple[str, ...]]:
    """Write a treatment of two levels as ``column == second level``, and say so in a note.

    Levels stand in the order of a Categorical, else in that of the alphabet; the first is the
    control. Other formulas are returned as they are.
    """
    left = formula.outcome
    if left is None or left.times or not isinstance(left.event, Plain):
        return formula, ()
    variable = read_variable(table, left.event.column)
    if variable.is_numeric:
        return formula, ()
    codes, levels = variable.as_factor()
    used = [levels[code] for code in np.unique(codes[codes >= 0])]
    if len(used) != 2:
        return formula, ()
    part = Condition(left.event.column, "==", used[1])
    note = (
        f"The treated are those with {part.comparison}; {used[0]!r}, the first level of "
        f"{part.column!r}, is the control."
    )
    return replace(formula, outcome=LeftSide(part), source=""), (note,)


def treatment_arms(table: pd.DataFrame, formula: Formula) -> tuple[str, str]:
    """Name the control arm and the treated arm, or say how to name the treatment."""
    left = formula.outcome
    if left is None or left.times:
        raise FormulaError(
            f"The left side of {str(formula)!r} must be the treatment: a 0/1 column or "
            "column == value, as in 'treat ~ age + size_mm'."
        )
    if not formula.terms:
        raise FormulaError(
            f"{str(formula)!r} names no covariate: a score model needs what might have confounded "
            "the treatment."
        )
    part = left.event
    if isinstance(part, Condition):
        value = literal_text(part.literal)
        return f"{part.column} != {value}", f"{part.column} == {value}"
    variable = read_variable(table, part.column)
    if not variable.is_numeric:
        _, levels = variable.as_factor()
        shown = ", ".join(repr(level) for level in levels[:8])
        raise ColumnError(
            f"The treatment {part.column!r} holds {len(levels)} categories ({shown}); a score "
            f'tells two arms apart: write {part.text} == "{levels[-1]}" ~ ..., and leave out '
            "the rows of other arms, should they not count as controls."
        )
    numbers = variable.numbers("the treatment")
    distinct = np.unique(numbers[~np.isnan(numbers)])
    if not np.isin(distinct, (0.0, 1.0)).all():
        shown = ", ".join(level_text(float(v)) for v in distinct[:6])
        raise ColumnError(
            f"The treatment {part.column!r} must be 0 or 1; it holds {shown}. Write "
            f"{part.text} == {level_text(float(distinct[-1]))} ~ ... for one arm against the rest."
        )
    return f"{part.column} = 0", f"{part.column} = 1"


def check_arms(frame: ModelFrame, arms: tuple[str, str]) -> None:
    """Raise unless there are patients in both arms."""
    assert frame.outcome is not None and frame.outcome.y is not None
    for value, other in ((1.0, 0), (0.0, 1)):
        if (frame.outcome.y == value).all():
            left = f" ({frame.n_missing} left out for missing values)" if frame.n_missing else ""
            raise DataError(
                f"All {frame.n} rows used{left} have {arms[int(value)]!r}: the arm "
                f"{arms[other]!r} is empty, and there is nothing to compare with."
            )
