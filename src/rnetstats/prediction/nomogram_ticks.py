"""Marks of a nomogram's axes: round numbers, levels, intervals and risks."""

from __future__ import annotations

from typing import Any

import numpy as np

from rnetstats.formatting import fmt_percent
from rnetstats.formula.variables import Floats, level_text

__all__ = ["nice_ticks", "percent", "round_risks", "tick_texts"]

_RISKS = (
    *(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5),
    *(0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999),
)


def nice_ticks(low: float, high: float, about: int = 8) -> list[float]:
    """Round numbers within a range, some ``about`` of them."""
    if not high > low:
        return [low]
    raw = (high - low) / about
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(s * power for s in (1.0, 2.0, 2.5, 5.0, 10.0) if s * power >= raw * 0.999)
    first = int(np.ceil(low / step - 1e-9))
    last = int(np.floor(high / step + 1e-9))
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def round_risks(low: float, high: float) -> list[float]:
    """Round risks between two; evenly spaced ones where they lie close together."""
    inside = [p for p in _RISKS if low <= p <= high]
    return inside if len(inside) >= 2 else [p for p in nice_ticks(low, high) if low <= p <= high]


def tick_texts(kind: str, values: list[Any], effect: Floats) -> list[str]:
    """The text of each value's mark, "" for none."""
    if kind == "levels":
        return [level_text(value) for value in values]
    if kind == "steps":
        return _intervals(values, effect)
    low, high = values[0], values[-1]
    inner = nice_ticks(low, high)
    gap = 0.4 * (inner[1] - inner[0]) if len(inner) > 1 else 0.4 * (high - low)
    ends = {e for e in (low, high) if all(abs(e - tick) >= gap for tick in inner)}
    marks = {*inner, *ends}
    return [f"{value:.4g}" if value in marks else "" for value in values]


def _intervals(values: list[Any], effect: Floats) -> list[str]:
    """Name each flat piece of a step by its interval, at the piece's first value."""
    starts = [0] + [i for i in range(1, len(values)) if effect[i] != effect[i - 1]]
    texts = [""] * len(values)
    for first, following in zip(starts, [*starts[1:], len(values)], strict=True):
        low, high = values[first], values[following - 1]
        opens, closes = first == 0, following == len(values)
        # Of two neighbours that differ in the last digit, the round one is the condition's own.
        over = ">" if not opens and _round(values[first - 1]) else "≥"
        under = "≤" if not closes and _round(high) else "<"
        left = f"{over} {_short(low)}" if not opens else ""
        right = f"{under} {_short(high)}" if not closes else ""
        told = " and ".join(part for part in (left, right) if part) or "any value"
        texts[first] = _short(low) if low == high else told
    return texts


def _round(value: float) -> bool:
    return len(repr(value)) <= 14


def _short(value: float) -> str:
    return f"{value:.6g}"


def percent(risk: float) -> str:
    """Write a round risk."""
    return fmt_percent(risk, 0 if risk * 100 == int(round(risk * 100, 9)) else 2)
