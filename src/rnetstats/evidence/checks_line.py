"""What every check shares: the figures that it reads, and the line that it writes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rnetstats._core.result import Result
from rnetstats.errors import FactsError
from rnetstats.evidence.checks_printed import Printed, read_printed
from rnetstats.evidence.checks_spans import Span
from rnetstats.evidence.facts import Check, Fact, FactSheet
from rnetstats.evidence.facts_words import shortened

__all__ = ["VERDICTS", "CheckLine", "Figures", "compared", "judged"]

VERDICTS = ("consistent", "rounding", "inconsistent", "cannot be checked")
CONSISTENT, ROUNDING, INCONSISTENT, OPEN = VERDICTS

_LARGEST = 1_000_000_000  # patients
_EDGE = 0.01  # of the last digit: how little of a rounding interval is its edge
_MEASURED = re.compile(
    r"%|\b(per ?cent|(month|year|week|day|hour|minute)s?|[kmcn]?m|m?g|kg|m?l|points?|score)\b"
)


@dataclass(frozen=True)
class CheckLine:
    """One line of the audit.

    Attributes
    ----------
    printed, recomputed : str
        What stands in print, and what follows from the other figures.
    verdict : str
        One of :data:`VERDICTS`.
    sentence : str
        The reasoning, in one sentence.
    part : str
        Which part of the check, where there are several.
    gap : Span, optional
        How far the recomputed value is from the printed one, in units of its last digit.
    world : Result, optional
        The possible worlds behind the line.
    """

    printed: str
    recomputed: str
    verdict: str
    sentence: str
    part: str = ""
    gap: Span | None = None
    world: Result | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Figures:
    """The figures of one check, by the name of its field.

    Attributes
    ----------
    check : Check
    sheet : FactSheet
    conf_level : float
        Level of the limits in print.
    """

    check: Check
    sheet: FactSheet
    conf_level: float

    def option(self, name: str) -> Any:
        """Return an option of the check."""
        return self.check.fields[name]

    def given(self, name: str) -> bool:
        """Say whether the check names a figure for this field."""
        return self.check.fields[name] is not None

    def fact(self, name: str) -> Fact:
        """Return the figure that a field names."""
        return self.sheet[self.check.fields[name]]

    def facts(self, name: str) -> tuple[Fact, ...]:
        """Return the figures that a list names."""
        return tuple(self.sheet[key] for key in self.check.fields[name])

    def known(self, name: str) -> bool:
        """Say whether there is a value for this field."""
        return self.given(name) and self.fact(name).known

    def printed(self, name: str) -> Printed:
        """Return the number of a field."""
        return self.number(self.fact(name), is_p=name == "p")

    def number(self, fact: Fact, *, is_p: bool = False) -> Printed:
        """Return a figure as one printed number, or say in which file it is none."""
        place = f"{self.sheet.source}, [facts.{fact.key}], value"
        found = read_printed(fact.value, place)
        if not (is_p or found.infinite or any(sign.isdigit() for sign in fact.value)):
            raise FactsError(
                f"{place} is {shortened(fact.value)!r}, no number; only a P can be so."
            )
        return found

    def count(self, name: str) -> int:
        """Return the count of a field."""
        return self.count_of(self.fact(name))

    def count_of(self, fact: Fact) -> int:
        """Return a figure as a whole number of 0 or more."""
        number = self.number(fact)
        if not number.whole or not 0 <= number.value <= _LARGEST:
            raise FactsError(
                f"{self.sheet.source}, [facts.{fact.key}], value: {fact.value!r} is no count; the "
                f"{self.check.kind} check number {self.check.number} needs a whole number here, at "
                f"most {_LARGEST:,}."
            )
        return int(number.value)

    def p_shown(self) -> str:
        """Return P as a reader would see it: ``P 0.02``, ``P < 0.001``, ``P n.s.``."""
        digits = re.sub(r"^\s*p?\s*=?\s*", "", self.fact("p").value, flags=re.IGNORECASE)
        return f"P {digits or '?'}"

    def missing(self, *names: str) -> str:
        """Name the figures of these fields that are not known, in words; empty if none."""
        named = [self.fact(name) for name in names if self.given(name)]
        unknown = [fact.label for fact in named if not fact.known]
        unstated = [words(name) for name in names if not self.given(name)]
        parts = [f"not known: {', '.join(unknown)}"] if unknown else []
        parts += [f"no {' and no '.join(unstated)} is stated"] if unstated else []
        return begun("; ".join(parts))


def begun(text: str) -> str:
    """Return a sentence's text with a capital letter."""
    return text[:1].upper() + text[1:]


def words(name: str) -> str:
    """Return the name of a field as words."""
    return {"odds_ratio": "odds ratio", "p": "P value", "sd": "SD"}.get(name, name)


def at_edge(line: CheckLine) -> bool:
    """Say whether a value fits what is printed only at the very edge of what rounds to it."""
    if line.verdict != CONSISTENT or line.gap is None:
        return False
    return line.gap.low > 0.5 - _EDGE or line.gap.high < _EDGE - 0.5


def is_count(fact: Fact) -> bool:
    """Say whether a figure counts something, rather than measures it."""
    return _MEASURED.search(fact.unit.casefold()) is None


def open_line(printed: str, why: str, recomputed: str = "\u2013", part: str = "") -> CheckLine:
    """Return a line that cannot be checked, and why."""
    return CheckLine(printed, recomputed, OPEN, why, part)


def compared(value: Span, printed: Printed) -> str:
    """Return the verdict on a recomputed value, without allowance for its own rounding."""
    if value.meets(printed.nearest):
        return CONSISTENT
    return ROUNDING if value.meets(printed.loose) else INCONSISTENT


def judged(compute: Callable[[Sequence[Span]], Span], given: Sequence[Printed], to: Printed) -> str:
    """Return the verdict on a value computed from printed figures.

    Parameters
    ----------
    compute : callable
        From the spans of the given figures to the span of the value.
    given : sequence of Printed
        What the value is computed from.
    to : Printed
        What it is held against.

    Returns
    -------
    str
        ``consistent`` if figures rounded to the nearest agree, ``rounding`` if only figures that
        were cut off do.
    """
    if compute([item.nearest for item in given]).meets(to.nearest):
        return CONSISTENT
    return ROUNDING if compute([item.loose for item in given]).meets(to.loose) else INCONSISTENT


def gap(value: Span, printed: Printed) -> Span | None:
    """Return how far a value is from the printed one, in units of the last digit."""
    if printed.relation or not math.isfinite(value.low) or not math.isfinite(value.high):
        return None
    unit = float(printed.unit)
    return Span((value.low - printed.number) / unit, (value.high - printed.number) / unit)
