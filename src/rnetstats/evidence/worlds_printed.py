"""The exact numbers that a printed figure may stand for, under each rule of rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from rnetstats._core.options import choice, items_of
from rnetstats.errors import DataError, FactsError, OptionError
from rnetstats.evidence.checks_printed import ROUNDINGS, Printed, read_printed
from rnetstats.evidence.facts_words import shortened

__all__ = ["ROUNDED", "Window", "figure", "percentage", "probability", "roundings", "window"]

ROUNDED = ("half-up", "half-even")
_DECIMALS = 8


@dataclass(frozen=True)
class Window:
    """All numbers between two, each of which belongs to them or not; ``high`` None is no end."""

    low: Fraction
    high: Fraction | None
    low_in: bool = True
    high_in: bool = True

    def holds(self, number: Fraction) -> bool:
        """Say whether a number is among them."""
        above = number >= self.low if self.low_in else number > self.low
        if self.high is None:
            return above
        return above and (number <= self.high if self.high_in else number < self.high)

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends as floats."""
        return float(self.low), float("inf") if self.high is None else float(self.high)

    def joined(self, other: Window) -> Window:
        """The numbers of either window; the two must overlap or touch."""
        low, open_end = min((self.low, not self.low_in), (other.low, not other.low_in))
        if self.high is None or other.high is None:
            return Window(low, None, not open_end)
        high, high_in = max((self.high, self.high_in), (other.high, other.high_in))
        return Window(low, high, not open_end, high_in)


def window(printed: Printed, rules: Sequence[str]) -> Window:
    """Return what a print may stand for under any of the rules of rounding.

    Parameters
    ----------
    printed : Printed
        Not negative.
    rules : sequence of str
        Of ``"half-up"``, ``"half-even"``, ``"truncate"``; of no effect on ``"< 0.001"``.
    """
    value, unit = Fraction(printed.value), Fraction(printed.unit)
    if printed.relation:
        included = printed.relation in "\u2264\u2265"
        if printed.relation in "<\u2264":
            return Window(Fraction(0), value, high_in=included)
        return Window(value, None, low_in=included)
    even = (value / unit) % 2 == 0
    windows = {
        "half-up": Window(value - unit / 2, value + unit / 2, high_in=False),
        "half-even": Window(value - unit / 2, value + unit / 2, low_in=even, high_in=even),
        "truncate": Window(value, value + unit, high_in=False),
    }
    found = windows[rules[0]]
    for rule in rules[1:]:
        found = found.joined(windows[rule])
    return found


def roundings(rounding: str | Sequence[str]) -> tuple[str, ...]:
    """Return the rules of rounding that were asked for, in one order."""
    given = items_of(rounding)
    if not given:
        raise OptionError(f"rounding names no rule; choose of {', '.join(ROUNDINGS)}.")
    for rule in given:
        choice("rounding", rule, ROUNDINGS)
    return tuple(rule for rule in ROUNDINGS if rule in given)


def figure(text: str, name: str) -> Printed:
    """Read a printed figure that cannot be negative."""
    if not isinstance(text, str):
        raise OptionError(
            f"{name} must be text as printed, such as '2.20' or '< 0.001', not {text!r}: a number "
            "has lost its trailing zeros."
        )
    try:
        printed = read_printed(text, name)
    except FactsError:
        if any(sign.isdecimal() for sign in text):
            raise
        raise FactsError(  # the reader's own advice is for a facts file
            f"{name} is {shortened(text)!r}, not one number; write it as printed, such as '2.20' "
            "or '< 0.001'."
        ) from None
    if name != "p" and not any(sign.isdigit() for sign in text):
        raise DataError(f"{name} is {shortened(text)!r}, which is no number; only a P can be so.")
    if printed.value < 0 or printed.value.is_signed():
        raise DataError(f"{name} is {shortened(text)!r}; it cannot be negative.")
    if name != "p" and printed.decimals > _DECIMALS:
        raise DataError(
            f"{name} is {shortened(text)!r}; at most {_DECIMALS} decimals are worked with."
        )
    if int(printed.value.as_tuple().exponent) > 0:
        raise DataError(f"{name} is {shortened(text)!r}; write all its digits.")
    return printed


def percentage(text: str, name: str) -> Printed:
    """Read a printed percentage, 0 to 100."""
    printed = figure(text, name)
    if printed.value > 100:
        raise DataError(f"{name} is {shortened(text)!r}; a percentage of patients is at most 100.")
    return printed


def probability(text: str, name: str) -> Printed:
    """Read a printed P, 0 to 1."""
    printed = figure(text, name)
    if printed.value > 1:
        raise DataError(f"{name} is {shortened(text)!r}; a P value is at most 1.")
    return printed
