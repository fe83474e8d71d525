"""Parts against their total."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from operator import add

from rnetstats.errors import FactsError
from rnetstats.evidence.checks_line import (
    CONSISTENT,
    INCONSISTENT,
    ROUNDING,
    CheckLine,
    Figures,
    gap,
    is_count,
    judged,
    open_line,
)
from rnetstats.evidence.checks_printed import Printed, read_printed
from rnetstats.evidence.checks_spans import Span
from rnetstats.evidence.facts import Fact

__all__ = ["check_sum"]


def check_sum(figures: Figures) -> list[CheckLine]:
    """Add the parts up: counts exactly, measured figures within their rounding."""
    parts = [fact for fact in figures.facts("parts") if fact.known]
    unknown = [fact.label for fact in figures.facts("parts") if not fact.known]
    numbers = [number for fact in parts for number in _numbers(figures, fact)]
    if any(number.relation for number in numbers):
        return [open_line(_printed(figures), "A part is printed as a bound, not as a number.")]
    if not figures.known("total"):
        why = f"{figures.missing('total')}; the parts known add up to {_sum(numbers)}."
        return [open_line(_printed(figures), why, str(_sum(numbers)))]
    total = figures.printed("total")
    if unknown:
        return [_with_unknown(figures, numbers, unknown, total)]
    if total.relation:
        return [open_line(_printed(figures), "The total is printed as a bound, not as a number.")]
    counts = all(is_count(fact) for fact in (*parts, figures.fact("total")))
    if counts and all(number.whole for number in (*numbers, total)):
        return [_exact(figures, numbers, total)]
    return [_rounded(figures, numbers, total)]


def _numbers(figures: Figures, fact: Fact) -> list[Printed]:
    """The numbers of a figure; ``"213 / 199 / 113 / 2"`` holds four."""
    place = f"{figures.sheet.source}, [facts.{fact.key}], value"
    numbers = [read_printed(part, place) for part in fact.value.split("/")]
    if any(number.value < 0 for number in numbers) and is_count(fact):
        raise FactsError(f"{place}: {fact.value!r} counts patients and is negative.")
    return numbers


def _sum(numbers: Sequence[Printed]) -> Decimal:
    return sum((number.value for number in numbers), Decimal(0))


def _exact(figures: Figures, numbers: list[Printed], total: Printed) -> CheckLine:
    found = _sum(numbers)
    if found == total.value:
        told = f"The parts add up to {found}, the total."
        return CheckLine(_printed(figures), str(found), CONSISTENT, told, gap=Span(0.0, 0.0))
    more = found - total.value
    told = (
        f"The parts add up to {found}, {abs(more)} {'more' if more > 0 else 'fewer'} than the "
        f"total of {total.value}, so these figures cannot all be right."
    )
    distance = Span(float(more), float(more))
    return CheckLine(_printed(figures), str(found), INCONSISTENT, told, gap=distance)


def _rounded(figures: Figures, numbers: list[Printed], total: Printed) -> CheckLine:
    def added(spans: Sequence[Span]) -> Span:
        return reduce(add, spans)

    verdict, found = judged(added, numbers, total), _sum(numbers)
    told = {
        CONSISTENT: f"The parts add up to {found}, which the rounding of each allows.",
        ROUNDING: f"The parts add up to {found}, which only digits cut off allow.",
        INCONSISTENT: f"The parts add up to {found}, not to {total.shown}, and no rounding of them "
        "explains it.",
    }[verdict]
    distance = gap(added([number.nearest for number in numbers]), total)
    return CheckLine(_printed(figures), str(found), verdict, told, gap=distance)


def _with_unknown(
    figures: Figures, numbers: list[Printed], unknown: list[str], total: Printed
) -> CheckLine:
    """Some parts are unknown: what is left for them, or too little."""
    left = total.value - _sum(numbers)
    listed = ", ".join(unknown)
    if left < 0 and is_count(figures.fact("total")) and not total.relation:
        told = f"The parts known add up to {_sum(numbers)}, more than the total of {total.shown}."
        return CheckLine(_printed(figures), str(_sum(numbers)), INCONSISTENT, told)
    return open_line(
        _printed(figures), f"Not known: {listed}; if the total holds, {left} is left.", ""
    )


def _printed(figures: Figures) -> str:
    parts = " + ".join(
        fact.value.replace(" / ", " + ") if fact.known else "?" for fact in figures.facts("parts")
    )
    total = figures.fact("total")
    return f"{parts} = {total.text if total.known else '?'}"
