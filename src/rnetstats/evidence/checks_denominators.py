"""Counts and denominators that would make a printed percentage true."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from math import ceil, floor

from rnetstats.evidence.checks_line import Figures, is_count
from rnetstats.evidence.checks_printed import PROPER, Printed
from rnetstats.evidence.facts import Fact

__all__ = ["counts_of", "denominators_of", "named_denominators", "smallest_fractions"]

_LARGEST = 1000  # denominator that is tried when neither count nor total is known


def counts_of(percent: Printed, total: int, scale: int, *, loosely: bool = False) -> range:
    """Return the counts of ``total`` that print as this percentage.

    Parameters
    ----------
    percent : Printed
    total : int
    scale : {100, 1}
        100 for per cent, 1 for a share.
    loosely : bool
        Allow for digits that were cut off, too.
    """
    low, high = _ends(percent, loosely)
    first = 0 if low is None else max(0, ceil(low * total / scale))
    last = total if high is None else min(total, floor(high * total / scale))
    if first <= last and not _prints(percent, first, total, scale, loosely):
        first += 1  # a half that prints as the digit below
    if first <= last and not _prints(percent, last, total, scale, loosely):
        last -= 1
    return range(first, last + 1)


def denominators_of(percent: Printed, count: int, scale: int) -> tuple[int | None, int | None]:
    """Return the smallest and largest total of which ``count`` prints as this percentage.

    A None first says that there is none; a None second that there is no largest.
    """
    if count == 0:
        return (1, None) if _prints(percent, 0, 1, scale) else (None, None)
    low, high = _ends(percent)
    if high is not None and high <= 0:
        return None, None
    first = count if high is None else max(count, ceil(scale * count / high))
    last = None if low is None or low <= 0 else floor(scale * count / low)
    if not _prints(percent, count, first, scale):
        first += 1
    if last is None:
        return first, None
    if last >= first and not _prints(percent, count, last, scale):
        last -= 1
    return (first, last) if first <= last else (None, None)


def named_denominators(figures: Figures, percent: Printed, count: int, scale: int) -> list[Fact]:
    """Return the stated counts of which ``count`` prints as this percentage."""
    own = {figures.check.fields["count"], figures.check.fields["total"]}
    return [
        fact
        for fact in candidates(figures)
        if fact.key not in own
        and figures.count_of(fact) >= max(count, 1)
        and _prints(percent, count, figures.count_of(fact), scale)
    ]


def candidates(figures: Figures) -> list[Fact]:
    """Return the totals to try: those that the check names, else every count of the sheet."""
    if figures.option("candidates"):
        return [fact for fact in figures.facts("candidates") if fact.known]
    return [fact for fact in figures.sheet.facts.values() if is_count(fact) and _plain(fact)]


def _plain(fact: Fact) -> bool:
    return fact.value.isascii() and fact.value.isdigit() and len(fact.value) < 10


def smallest_fractions(percent: Printed, scale: int) -> list[tuple[int, int]]:
    """Return three counts and totals, smallest first, that print as this percentage."""
    pairs = (
        (counts[0], total)
        for total in range(1, _LARGEST + 1)
        if (counts := counts_of(percent, total, scale))
    )
    return list(islice(pairs, 3))


def _ends(percent: Printed, loosely: bool = False) -> tuple[Fraction | None, Fraction | None]:
    """The lowest and highest number that may print so; None is no end."""
    value = Fraction(percent.value)
    room = Fraction(percent.unit) / (1 if loosely else 2)
    if percent.relation:
        return (None, value) if percent.relation in "<\u2264" else (value, None)
    return value - room, value + room


def _prints(percent: Printed, count: int, total: int, scale: int, loosely: bool = False) -> bool:
    modes = percent.roundings(Fraction(scale * count, total))
    return bool(modes) if loosely else bool({*modes} & {*PROPER})
