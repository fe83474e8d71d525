"""Checks of options: each refusal names the option, the value and what is allowed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.errors import OptionError, closest

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "choice",
    "draw_count",
    "effect_measure",
    "flag",
    "items_of",
    "level",
    "positive_int",
    "real",
    "row_of_method",
]

_MOST_DRAWS = 10**9
_MEASURES = {
    "or": "odds ratio",
    "rr": "risk ratio",
    "hr": "hazard ratio",
    "irr": "rate ratio",
    "rd": "risk difference",
    "ird": "rate difference",
    "md": "mean difference",
    "smd": "standardised mean difference",
}


def choice(name: str, value: Any, allowed: Sequence[Any]) -> Any:
    """Return ``value`` if it is one of ``allowed``; else say what is."""
    for option in allowed:
        if value is option or (isinstance(value, str) and value == option):
            return value
    listed = ", ".join(repr(option) for option in allowed)
    hint = (
        closest(value, [o for o in allowed if isinstance(o, str)]) if isinstance(value, str) else ""
    )
    raise OptionError(f"{name}={value!r} is not allowed; choose one of {listed}.{hint}")


def effect_measure(value: Any, allowed: Sequence[str]) -> str:
    """Return which measure of effect is meant: ``"OR"``, ``"or"`` and ``"odds ratio"`` are one."""

    def words(name: str) -> str:
        return _MEASURES.get(name.lower(), name.lower())

    if isinstance(value, str):
        for option in allowed:
            if words(option) == words(value):
                return option
    return str(choice("measure", value, allowed))


def row_of_method(table: pd.DataFrame, method: str, measure: str | None) -> pd.Series:
    """Return the row of a method, of the first measure that has it unless one is named."""
    if measure is not None:
        choice("measure", measure, table["measure"].unique().tolist())
        table = table[table["measure"] == measure]
    choice("method", method, table["method"].unique().tolist())
    return table[table["method"] == method].iloc[0]


def flag(name: str, value: Any) -> bool:
    """Return True or False, NumPy's too."""
    if not isinstance(value, (bool, np.bool_)):
        raise OptionError(f"{name} must be True or False, not {value!r}.")
    return bool(value)


def level(conf_level: float, name: str = "conf_level") -> float:
    """Return a confidence level strictly between 0 and 1."""
    if isinstance(conf_level, bool) or not isinstance(conf_level, Real):
        raise OptionError(f"{name} must be a number between 0 and 1, not {conf_level!r}.")
    value = float(conf_level)
    if not 0.0 < value < 1.0:
        hint = " Write 0.95 for 95 %." if 1.0 < value < 100.0 else ""
        raise OptionError(f"{name} must lie between 0 and 1, not {conf_level!r}.{hint}")
    return value


def items_of(value: Any) -> tuple[Any, ...]:
    """Return what a list holds; one text, number or the like is a list of one."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    alone = isinstance(value, (str, bytes)) or not isinstance(value, Iterable)
    return (value,) if alone else tuple(value)


def positive_int(name: str, value: int, *, minimum: int = 1) -> int:
    """Return a whole number of at least ``minimum``."""
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < minimum:
        raise OptionError(f"{name} must be a whole number of at least {minimum}, not {value!r}.")
    return int(value)


def draw_count(name: str, value: int, *, minimum: int = 1) -> int:
    """Return a number of random draws: whole, at least ``minimum``, a thousand million at most."""
    count = positive_int(name, value, minimum=minimum)
    if count > _MOST_DRAWS:
        raise OptionError(f"{name} must be at most {_MOST_DRAWS:,}, not {count:,}.")
    return count


def real(
    name: str, value: float, *, low: float = -math.inf, high: float = math.inf, closed: bool = True
) -> float:
    """Return a finite number in [low, high], or in (low, high) if not ``closed``."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(float(value)):
        raise OptionError(f"{name} must be a finite number, not {value!r}.")
    number = float(value)
    inside = low <= number <= high if closed else low < number < high
    if not inside:
        raise OptionError(f"{name} must {_span(low, high, closed)}, not {value!r}.")
    return number


def _span(low: float, high: float, closed: bool) -> str:
    """Say in words which numbers are allowed."""
    if math.isinf(high):
        return f"be {'at least' if closed else 'above'} {low:g}"
    if math.isinf(low):
        return f"be {'at most' if closed else 'below'} {high:g}"
    return f"lie between {low:g} and {high:g}" + ("" if closed else ", both left out")
