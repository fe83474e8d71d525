"""A printed number: its digits, what it may stand for, and how it may have been rounded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor, inf, trunc

from rnetstats.errors import FactsError
from rnetstats.evidence.checks_spans import Span, outward
from rnetstats.evidence.facts_words import shortened, with_minus

__all__ = ["ROUNDINGS", "Printed", "read_printed"]

ROUNDINGS = ("half-up", "half-even", "truncate")
PROPER = ("half-up", "half-even")  # what a reader expects

_NOT_SIGNIFICANT = re.compile(r"(n\.?\s?s\.?|not significant)", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?:p\s*)?(?P<relation><=|>=|[<>=\u2264\u2265])?\s*"
    r"(?P<digits>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?)\s*%?",
    re.IGNORECASE,
)
_SIGNS = str.maketrans(  # dashes, raised points, spaces, and signs slanted or wide
    "\u2212\u2013\u2012\u2011\u00b7\u00a0\u2009\u202f\uff1c\uff1e\uff1d\u2a7d\u2a7e\u2266\u2267",
    "----.   <>=\u2264\u2265\u2264\u2265",
)
_LONGEST = 30  # digits, before the point or after it
_INFINITE = re.compile(r"(?P<sign>[+-]?)\s*(\u221e|inf(inity)?)", re.IGNORECASE)
_BEYOND = Decimal(10) ** _LONGEST  # what is infinite lies beyond
_WORDS = {"<=": "\u2264", ">=": "\u2265", "=": "", None: ""}


@dataclass(frozen=True)
class Printed:
    """A printed number.

    Attributes
    ----------
    text : str
        As printed.
    relation : {"", "<", "\u2264", ">", "\u2265"}
        How the true value stands to the digits; empty when it is them, rounded.
    value : Decimal
    """

    text: str
    relation: str
    value: Decimal

    @property
    def shown(self) -> str:
        """As printed, with a minus sign where a hyphen stands for one."""
        return with_minus(self.text)

    @property
    def unit(self) -> Decimal:
        """One unit of the last printed digit."""
        return Decimal(1).scaleb(int(self.value.as_tuple().exponent))

    @property
    def decimals(self) -> int:
        """How many decimals are printed."""
        return max(0, -int(self.value.as_tuple().exponent))

    @property
    def whole(self) -> bool:
        """Whether it is a whole number without decimals, such as a count."""
        return not self.relation and self.value.as_tuple().exponent == 0

    @property
    def infinite(self) -> bool:
        """Whether it is infinity, as a ratio or its limit can be."""
        return bool(self.relation) and abs(self.value) == _BEYOND

    @property
    def number(self) -> float:
        """The digits as a number."""
        return float(self.value)

    @property
    def nearest(self) -> Span:
        """All values that print so when rounded to the nearest; halves either way."""
        return self._span(self.unit / 2, self.unit / 2)

    @property
    def loose(self) -> Span:
        """All values that print so when rounded to the nearest or cut off."""
        return self.nearest.joined(self.truncated)

    @property
    def truncated(self) -> Span:
        """All values that print so when further digits are cut off."""
        positive = not self.value.is_signed()
        return self._span(*((Decimal(0), self.unit) if positive else (self.unit, Decimal(0))))

    def coarser(self) -> Printed | None:
        """The same number without its trailing zeros after the point, if it has any."""
        digits = self.value.normalize()
        exponent = min(int(digits.as_tuple().exponent), 0)
        shorter = digits.quantize(Decimal(1).scaleb(exponent))
        if shorter.as_tuple().exponent == self.value.as_tuple().exponent:
            return None
        return Printed(str(shorter), self.relation, shorter)

    def roundings(self, exact: Fraction) -> tuple[str, ...]:
        """Return which of :data:`ROUNDINGS` print an exactly known number as this.

        Parameters
        ----------
        exact : Fraction
            The number, on the scale of the print.
        """
        if self.relation:
            fits = Fraction(self.value)
            lower, equal = exact < fits, exact == fits and self.relation in "\u2264\u2265"
            wanted = lower if self.relation in "<\u2264" else exact > fits
            return PROPER if wanted or equal else ()
        steps = exact / Fraction(self.unit)
        target = int(self.value / self.unit)
        size, sign = abs(steps), -1 if steps < 0 else 1
        rounded = {
            "half-up": sign * floor(size + Fraction(1, 2)),
            "half-even": round(steps),
            "truncate": trunc(steps),
        }
        return tuple(name for name, whole in rounded.items() if whole == target)

    def _span(self, below: Decimal, above: Decimal) -> Span:
        if self.relation:
            value = self.number
            return Span(-inf, value) if self.relation in "<\u2264" else Span(value, inf)
        return outward(float(self.value - below), float(self.value + above))


def read_printed(text: str, name: str) -> Printed:
    """Read a printed number.

    Parameters
    ----------
    text : str
        Such as ``"2.2"``, ``"< 0.001"``, ``"P = 0.003"``, ``"4.2e-5"``, ``"-0.5"``; "n.s." reads as
        a P above 0.05, and the sign of infinity (or "Inf") as beyond every number.
    name : str
        The figure, for messages.

    Raises
    ------
    FactsError
        If it is no single number.
    """
    plain = text.translate(_SIGNS).strip()
    if _NOT_SIGNIFICANT.fullmatch(plain.removeprefix("P ").strip()):
        return Printed(text, ">", Decimal("0.05"))
    endless = _INFINITE.fullmatch(plain)
    if endless is not None:
        below = endless["sign"] == "-"
        return Printed(text, "<" if below else ">", -_BEYOND if below else _BEYOND)
    found = _NUMBER.fullmatch(plain)
    if found is None:
        raise FactsError(f"{name} is {shortened(text)!r}, not one number.{_advice(plain)}")
    relation, value = found["relation"], Decimal(found["digits"])
    if len(value.as_tuple().digits) > _LONGEST:
        raise FactsError(f"{name} is {shortened(text)!r}, more digits than any print has.")
    if abs(value.adjusted()) > _LONGEST:
        raise FactsError(
            f"{name} is {shortened(text)!r}, beyond what checks reach; a P as small is written "
            f"'< 1e-{_LONGEST}'."
        )
    return Printed(text, _WORDS.get(relation, relation), value)


def _advice(plain: str) -> str:
    if re.search(r"\d\s*[x\u00d7*]\s*10", plain, re.IGNORECASE):
        return " Write a power of ten with an e: 1.2e-5."
    if re.search(r"\d,\d", plain):
        return " Write a point for decimals and nothing between thousands."
    if re.search(r"\d", plain):
        return " Give each number a figure of its own."
    return (
        ' A check needs a figure with a number; where none is printed ("not reached"), value = "".'
    )
