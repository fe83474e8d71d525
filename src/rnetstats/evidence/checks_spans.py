"""Intervals of numbers, rounded outward, so that no true value is lost by computing.

A printed figure stands for all numbers that print as it does. A :class:`Span` holds its smallest
and its largest; sums, quotients and monotone functions of spans hold every value that the printed
figures allow. Ends are moved outward by a few units in the last place of a double.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Span", "outward"]

_EDGE = 4.0 * sys.float_info.epsilon  # more than a sum, a quotient or libm's functions are off


@dataclass(frozen=True)
class Span:
    """All numbers from ``low`` to ``high``, both included; either may be infinite."""

    low: float
    high: float

    def meets(self, other: Span) -> bool:
        """Say whether the two have a number in common."""
        return self.low <= other.high and other.low <= self.high

    def within(self, low: float, high: float) -> Span:
        """Return the part between two numbers; a span outside them shrinks to the nearer one."""
        return Span(min(max(self.low, low), high), max(min(self.high, high), low))

    def joined(self, other: Span) -> Span:
        """Return the smallest span that holds both."""
        return Span(min(self.low, other.low), max(self.high, other.high))

    def rising(self, function: Callable[[float], float]) -> Span:
        """Return the values of an increasing function."""
        return outward(function(self.low), function(self.high))

    def falling(self, function: Callable[[float], float]) -> Span:
        """Return the values of a decreasing function."""
        return outward(function(self.high), function(self.low))

    @property
    def size(self) -> Span:
        """The absolute values."""
        if self.low <= 0.0 <= self.high:
            return Span(0.0, max(-self.low, self.high))
        return Span(min(abs(self.low), abs(self.high)), max(abs(self.low), abs(self.high)))

    def __add__(self, other: Span) -> Span:
        return outward(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Span) -> Span:
        return outward(self.low - other.high, self.high - other.low)

    def times(self, factor: float) -> Span:
        """Return the values multiplied by a positive number."""
        return outward(self.low * factor, self.high * factor)

    def over(self, other: Span) -> Span:
        """Return quotients of numbers of 0 or more; 0 over 0 is everything from 0."""
        low = self.low / other.high if other.high > 0.0 else 0.0
        high = self.high / other.low if other.low > 0.0 else math.inf
        return outward(0.0 if math.isnan(low) else low, math.inf if math.isnan(high) else high)


def outward(low: float, high: float) -> Span:
    """Return the span from ``low`` to ``high``, its ends moved out by what rounding may hide."""
    low = -math.inf if math.isnan(low) else low  # infinity less infinity: nothing is known
    high = math.inf if math.isnan(high) else high
    return Span(
        low if math.isinf(low) else low - _EDGE * abs(low),
        high if math.isinf(high) else high + _EDGE * abs(high),
    )
