"""Marks of a nomogram's axes: round numbers, levels, intervals and risks."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from rnetstats.formatting import fmt_percent
from rnetstats.formula.variables import Floats, level_text

__all__ = ["nice_ticks", "percent", "round_risks", "round_values", "tick_texts"]

_RISKS = (
    *(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5),
    *(0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999),
)


def nice_ticks(low: float, high: float) -> list[float]:
    """Round numbers within a range, some eight of them."""
    if not high > low:
        return [low]
    raw = (high - low) / 8.0
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
    if kind == "curve":
        marks |= _between(values, effect, marks)
    return [f"{value:.4g}" if value in marks else "" for value in values]


def round_values(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten between two numbers above 0."""
    if not 0.0 < low < high:
        return []
    powers = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    found = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    return [value for value in found if low < value < high]


def _between(values: list[float], effect: Floats, marks: set[float]) -> set[float]:
    """Round values where a curve goes a long way between two marks, as that of a skewed variable.

    They halve, as nearly as they can, each stretch of more than a third of the whole way.
    """
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(effect)))])
    place = {value: at for at, value in enumerate(values)}
    spare = {place[v] for v in round_values(values[0], values[-1]) if v in place}
    held = sorted(place[value] for value in marks if value in place)
    added: set[float] = set()
    while True:
        gaps = [(way[b] - way[a], a, b) for a, b in pairwise(held)]
        open_gaps = [
            (far, a, b) for far, a, b in gaps if far > way[-1] / 3.0 and _inside(spare, a, b)
        ]
        if not open_gaps:
            return added
        _, a, b = max(open_gaps)
        middle = 0.5 * (way[a] + way[b])
        best = min(_inside(spare, a, b), key=lambda at: (abs(way[at] - middle), at))
        held = sorted([*held, best])
        added.add(values[best])


def _inside(places: set[int], first: int, last: int) -> list[int]:
    return [place for place in places if first < place < last]


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
