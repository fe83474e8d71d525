"""The outcome in the imputation models: its column, or event indicator and cumulative hazard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnetstats.errors import DataError, FormulaError, OptionError
from rnetstats.formula.outcome import build_outcome
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.rows import select_rows
from rnetstats.formula.terms import Condition, LeftSide
from rnetstats.formula.variables import Floats, read_variable, row_numbers
from rnetstats.missing.hazard import nelson_aalen

__all__ = ["Survival", "left_sides", "read_survival"]


@dataclass(frozen=True, eq=False)
class Survival:
    """Times and events of one outcome; nothing is missing in them."""

    name: str
    start: Floats | None
    stop: Floats
    event: np.ndarray
    indicator: bool

    def hazard(self, freq: Floats | None = None) -> Floats:
        """Return each row's cumulative hazard (n,)."""
        return nelson_aalen(self.stop, self.event, self.start, freq)


def left_sides(outcome: str | Sequence[str] | None) -> tuple[LeftSide, ...]:
    """Parse outcomes.

    Raises
    ------
    FormulaError
        If one is no left side of a formula.
    """
    several = isinstance(outcome, Sequence) and not isinstance(outcome, str)
    listed = () if outcome is None else tuple(outcome) if several else (outcome,)
    sides = []
    for text in listed:
        if not isinstance(text, str):
            raise OptionError(f"outcome must be text, such as 'Surv(time, event)', not {text!r}.")
        parsed = parse_formula(text if "~" in text else f"{text} ~ 1")
        if parsed.outcome is None or parsed.terms:
            raise FormulaError(
                f"outcome={text!r} must be the left side of a formula: a column, column == value, "
                "or Surv(time, event)."
            )
        sides.append(parsed.outcome)
    return tuple(sides)


def read_survival(frame: pd.DataFrame, side: LeftSide) -> Survival:
    """Read the times of an outcome.

    Raises
    ------
    DataError
        If a time or an event is missing: follow-up is not imputed.
    """
    for name in side.columns:
        missing = read_variable(frame, name).missing
        if missing is not None:
            raise DataError(
                f"The outcome column {name!r} is missing in {row_numbers(missing)}: follow-up is "
                "not imputed. Leave these rows out first."
            )
    rows = select_rows(frame, side.columns, None, "raise")
    built = build_outcome(side, "survival", rows)
    assert built.stop is not None
    assert built.event is not None
    indicator = isinstance(side.event, Condition)
    return Survival(side.text, built.start, built.stop, built.event, indicator)
