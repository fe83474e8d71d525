"""The scales on which limits lie evenly about an estimate, for spans of printed figures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from rnetstats.evidence.checks_spans import Span

__all__ = ["SCALES", "Scale"]


@dataclass(frozen=True)
class Scale:
    """A scale: its transformation, what it maps back, and its range.

    Attributes
    ----------
    name : str
        In words.
    forward, back : callable
        Increasing functions of one number.
    low, high : float
        The range of what is transformed.
    null : float
        The transformed value of no effect; missing where there is none.
    """

    name: str
    forward: Callable[[float], float]
    back: Callable[[float], float]
    low: float
    high: float
    null: float

    @property
    def of_shares(self) -> bool:
        """Whether it is a scale of proportions."""
        return self.high == 1.0

    def of(self, span: Span) -> Span:
        """Return the transformed span, cut to the range first."""
        return span.within(self.low, self.high).rising(self.forward)

    def undone(self, span: Span) -> Span:
        """Return the span on the printed scale."""
        return span.rising(self.back)


def _log(value: float) -> float:
    return -math.inf if value <= 0.0 else math.log(value)


def _exp(value: float) -> float:
    return math.inf if value > 709.0 else math.exp(value)


def _logit(value: float) -> float:
    if value <= 0.0 or value >= 1.0:
        return math.copysign(math.inf, value - 0.5)
    return math.log(value / (1.0 - value))


def _expit(value: float) -> float:
    return 1.0 / (1.0 + _exp(-value))


def _arcsine(value: float) -> float:
    return math.asin(math.sqrt(value))


def _sine(value: float) -> float:
    return math.sin(min(max(value, 0.0), math.pi / 2.0)) ** 2


def _same(value: float) -> float:
    return value


SCALES = {
    "log": Scale("log", _log, _exp, 0.0, math.inf, 0.0),
    "identity": Scale("plain", _same, _same, -math.inf, math.inf, 0.0),
    "logit": Scale("logit", _logit, _expit, 0.0, 1.0, math.nan),
    "arcsine": Scale("arcsine", _arcsine, _sine, 0.0, 1.0, math.nan),
}
