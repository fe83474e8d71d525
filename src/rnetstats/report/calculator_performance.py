"""The performance of a model as a calculator shows it: what the rules look at, then all of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from rnetstats.formatting import fmt_interval, fmt_number
from rnetstats.prediction.indices import LABELS
from rnetstats.report.calculator_rules import Judged
from rnetstats.report.calculator_words import percent_of

if TYPE_CHECKING:
    from rnetstats.prediction.model import RiskModel

__all__ = ["all_indices", "main_measures"]

# Rule, the indices that serve it (the first that is there), and what they tell.
_MEASURES: Final = (
    (
        "discrimination",
        ("auc", "auc_t", "c"),
        "How well it tells apart patients with and without the outcome: 0.5 is chance, 1 is "
        "perfect.",
    ),
    (
        "slope",
        ("slope",),
        "1 is right; below 1, high risks come out too high and low risks too low.",
    ),
    (
        "calibration",
        ("ici",),
        "Mean distance between predicted and observed risk: 0 is perfect; 0.02 is 2 in 100.",
    ),
    (
        "in-the-large",
        ("oe", "intercept"),
        "Whether the risks are right on average: {ideal} is right, above it they are too low.",
    ),
)


def main_measures(model: RiskModel, judged: tuple[Judged, ...]) -> list[dict[str, Any]]:
    """Return the indices that the rules look at, with what they mean."""
    performance = model.performance or {}
    met = {item.rule.name: item.met for item in judged}
    rows = []
    for rule, indices, words in _MEASURES if performance else ():
        index = next((i for i in indices if _has(performance, i)), indices[0])
        ideal = "1" if index == "oe" else "0"
        row: dict[str, Any] = {**_row(index, performance.get(index, {}))}
        rows.append(row | {"words": words.format(ideal=ideal), "met": met[rule]})
    return rows


def all_indices(model: RiskModel) -> list[dict[str, str]]:
    """Return every index of the performance as text."""
    return [_row(index, numbers) for index, numbers in (model.performance or {}).items()]


def _has(performance: dict[str, dict[str, float]], index: str) -> bool:
    return not math.isnan(performance.get(index, {}).get("corrected", math.nan))


def _row(index: str, numbers: dict[str, float]) -> dict[str, str]:
    low, high = numbers.get("conf_low", math.nan), numbers.get("conf_high", math.nan)
    none = math.isnan(low) and math.isnan(high)
    apparent = numbers.get("apparent", math.nan)
    return {
        "label": LABELS.get(index, index),
        "corrected": _text(numbers.get("corrected", math.nan)),
        "apparent": "" if math.isnan(apparent) else _text(apparent),
        "limits": "" if none else f"{_limits_word(numbers)} {fmt_interval(low, high, 3)}",
    }


def _limits_word(numbers: dict[str, float]) -> str:
    """Name the limits by the level of the validation that gave them, if that is known."""
    return f"{percent_of(numbers['conf_level'])} limits" if "conf_level" in numbers else "limits"


def _text(value: float) -> str:
    """A number to 3 decimals; rounding errors of zero are zero."""
    return fmt_number(0.0 if abs(value) < 1e-9 else value, 3)
