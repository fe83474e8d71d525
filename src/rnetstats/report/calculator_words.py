"""Words of a calculator: the outcome, the horizon with its unit, the level of limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rnetstats.formatting import inside
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.terms import Condition
from rnetstats.formula.variables import level_text

if TYPE_CHECKING:
    from rnetstats.formula.terms import LeftSide
    from rnetstats.prediction.model import RiskModel

__all__ = ["outcome_words", "percent_of", "within"]

_UNIT = re.compile(r"\(([^()]+)\)\s*$")  # at the end of a label, as in "Overall survival (months)"


def _left_side(model: RiskModel) -> LeftSide:
    outcome = parse_formula(model.spec["formula"]).outcome
    assert outcome is not None
    return outcome


def outcome_words(model: RiskModel, *, inner: bool = False) -> str:
    """Name the event, in lower case within a sentence."""
    event = _left_side(model).event
    words = model.label(event.column)
    if isinstance(event, Condition):
        told = {"==": "=", "!=": "is not"}.get(event.operator, event.operator)
        literal = event.literal if isinstance(event.literal, str) else level_text(event.literal)
        words = f"{words} {told} {literal}"
    return inside(words) if inner else words


def within(model: RiskModel) -> str:
    """Return ``" within 36 months"``, or nothing for a binary outcome."""
    if model.horizon is None:
        return ""
    times = _left_side(model).times
    column = times[-1] if times else ""
    found = _UNIT.search(model.label(column))
    if found:
        return f" within {model.horizon:g} {found[1]}"
    return f" within {model.horizon:g} (in the unit of {column})" if column else ""


def percent_of(level: float) -> str:
    """Return a level of confidence as ``"95 %"``."""
    return f"{100.0 * level:g} %"
