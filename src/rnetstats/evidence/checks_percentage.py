"""Percentages against counts, and against what integer counts can give (GRIM)."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from math import floor

from rnetstats.evidence.checks_denominators import (
    candidates,
    counts_of,
    denominators_of,
    named_denominators,
    smallest_fractions,
)
from rnetstats.evidence.checks_line import (
    CONSISTENT,
    INCONSISTENT,
    ROUNDING,
    CheckLine,
    Figures,
    gap,
    open_line,
)
from rnetstats.evidence.checks_printed import Printed
from rnetstats.evidence.checks_spans import outward

__all__ = ["check_percentage", "impossible_share", "possible_share", "scale_of"]

_SHOWN = 4  # counts or denominators named in a sentence


def check_percentage(figures: Figures) -> list[CheckLine]:
    """Hold a percentage against its count and its total; without one of them, say what fits.

    References
    ----------
    Brown NJL, Heathers JAJ (2017) The GRIM test: a simple technique detects numerous anomalies in
    the reporting of results in psychology. Soc Psychol Personal Sci 8:363-369.
    """
    if not figures.known("percent"):
        return [open_line("", f"{figures.missing('percent')}.")]
    percent, scale = figures.printed("percent"), scale_of(figures)
    if not possible_share(percent, scale):
        return [impossible_share(_printed(figures), figures.fact("percent").text, scale)]
    count = figures.count("count") if figures.known("count") else None
    total = figures.count("total") if figures.known("total") else None
    if total == 0 and count:
        told = f"{count:,} of no patients cannot be: the count or the total is wrong."
        return [CheckLine(_printed(figures), "\u2013", INCONSISTENT, told)]
    if total == 0:
        return [open_line(_printed(figures), "A share of no patients is not defined.")]
    if count is not None and total is not None:
        return [_of_total(figures, percent, count, total, scale)]
    if total is not None:
        return [_grim(figures, percent, total, scale)]
    if count is not None:
        return [_without_total(figures, percent, count, scale)]
    return [_alone(figures, percent, scale)]


def scale_of(figures: Figures, name: str = "percent") -> int:
    """Return 100 for per cent and 1 for a share of one."""
    fact = figures.fact(name)
    return 100 if re.search("%|per ?cent", (fact.unit + fact.value).casefold()) else 1


def possible_share(percent: Printed, scale: int) -> bool:
    """Say whether a printed number can be a share."""
    return bool(percent.relation) or 0 <= percent.value <= scale


def impossible_share(printed: str, text: str, scale: int = 100) -> CheckLine:
    """Return the line of a number that is no share."""
    why = f"{text} is no share: it lies outside 0 to 100 per cent"
    why += "." if scale == 100 else ' (the unit of a percentage is "%").'
    return CheckLine(printed, "\u2013", INCONSISTENT, why)


def _of_total(figures: Figures, percent: Printed, count: int, total: int, scale: int) -> CheckLine:
    if count > total:
        why = f"{count} is more than the {total} that it should be part of."
        return CheckLine(_printed(figures), "\u2013", INCONSISTENT, why)
    exact = Fraction(scale * count, total)
    modes = percent.roundings(exact)
    value, text = float(exact), _text(exact, percent, scale)
    distance = gap(outward(value, value), percent)
    said = f"{count} of {total} is {text}"
    if "half-up" in modes and percent.relation:
        told = f"{said}, which agrees with {percent.text}."
        return CheckLine(_printed(figures), text, CONSISTENT, told)
    if "half-up" in modes:
        told = f"{said}, which prints as {percent.text} when rounded to the nearest."
        return CheckLine(_printed(figures), text, CONSISTENT, told, gap=distance)
    if "half-even" in modes:
        told = f"{said}, a half, which prints as {percent.text} when rounded to the even digit."
        return CheckLine(_printed(figures), text, CONSISTENT, told, gap=distance)
    if modes:
        proper = _rounded(exact, percent, scale)
        told = f"{said}; the print cuts digits off, where rounding to the nearest gives {proper}."
        return CheckLine(_printed(figures), text, ROUNDING, told, gap=distance)
    told = (
        f"{said}, not {_with_unit(percent, scale)}; {_would_fit(figures, percent, count, scale)}."
    )
    return CheckLine(_printed(figures), text, INCONSISTENT, told, gap=distance)


def _grim(figures: Figures, percent: Printed, total: int, scale: int) -> CheckLine:
    """Ask whether any whole count of the total prints so."""
    fits = counts_of(percent, total, scale)
    recomputed = _fractions([(count, total) for count in fits[: _SHOWN + 1]])
    if fits:
        told = _grim_fits(fits, total)
        return CheckLine(_printed(figures), recomputed, CONSISTENT, told)
    cut = counts_of(percent, total, scale, loosely=True)
    below = int(percent.value * total / scale)
    near = [
        f"{k} of {total} is {_text(Fraction(scale * k, total), percent, scale)}"
        for k in (below, below + 1)
        if 0 <= k <= total
    ]
    told = (
        f"No whole count of {total} gives {_with_unit(percent, scale)} when rounded to the nearest"
    )
    if cut:
        told += f"; {cut[0]} does if digits were cut off."
        return CheckLine(_printed(figures), _fractions([(cut[0], total)]), ROUNDING, told)
    told += f" ({', '.join(near)}), so percentage or total is wrong, or patients are left out."
    return CheckLine(_printed(figures), "no count", INCONSISTENT, told)


def _grim_fits(fits: range, total: int) -> str:
    if len(fits) == 1:
        return f"Only {fits[0]} of {total} prints so."
    return (
        f"{len(fits):,} counts of {total}, from {fits[0]} to {fits[-1]}, print so: with so many "
        "patients the digits do not tell the count."
    )


def _without_total(figures: Figures, percent: Printed, count: int, scale: int) -> CheckLine:
    why = figures.missing("total")
    would = _would_fit(figures, percent, count, scale)
    first, last = denominators_of(percent, count, scale)
    if first is None:
        return CheckLine(_printed(figures), "\u2013", INCONSISTENT, f"{why}, but {would}.")
    return open_line(_printed(figures), f"{why}; {would}.", f"{count} / {_ends(first, last)}")


def _alone(figures: Figures, percent: Printed, scale: int) -> CheckLine:
    """With neither count nor total: the smallest fractions, and what fits the named totals."""
    pairs = smallest_fractions(percent, scale)
    told = figures.missing("count", "total")
    if pairs:
        told += f"; the smallest counts that print so are {_fractions(pairs)}"
    if figures.option("candidates"):
        named = [
            f"{fact.value} ({fact.label}): {_fractions([(k, total) for k in fits[: _SHOWN + 1]])}"
            for fact in candidates(figures)
            if (total := figures.count_of(fact)) and (fits := counts_of(percent, total, scale))
        ]
        told += f"; of the named totals {'; '.join(named) if named else 'none'} would do"
    return open_line(_printed(figures), f"{told}.", _fractions(pairs) or "\u2013")


def _would_fit(figures: Figures, percent: Printed, count: int, scale: int) -> str:
    """Name the denominators that would make it true, those among the figures first."""
    first, last = denominators_of(percent, count, scale)
    shown = _with_unit(percent, scale)
    if first is None:
        return f"no denominator makes {count} equal to {shown}"
    named = named_denominators(figures, percent, count, scale)
    if count == 0:
        return f"0 is {shown} of any total"
    told = f"{count} is {shown} of {_range(first, last)}"
    if named and first == last:
        return f"{told} ({named[0].label})"
    if named:
        listed = ", ".join(f"{fact.value} ({fact.label})" for fact in named[:_SHOWN])
        return f"{told}, among them {listed}"
    return (
        f"{told}, {'which is not' if first == last else 'none of which is'} among the counts stated"
    )


def _range(first: int, last: int | None) -> str:
    if last is None:
        return f"any total from {first:,}"
    return f"{first:,}" if first == last else f"any total from {first:,} to {last:,}"


def _ends(first: int, last: int | None) -> str:
    if last is None:
        return f"{first} or more"
    return str(first) if first == last else f"({first} to {last})"


def _fractions(pairs: list[tuple[int, int]]) -> str:
    shown = ", ".join(f"{count}/{total}" for count, total in pairs[:_SHOWN])
    return f"{shown}, ..." if len(pairs) > _SHOWN else shown


def _text(exact: Fraction, percent: Printed, scale: int) -> str:
    """Write a share with two digits more than the print."""
    return _fixed(exact, percent.decimals + 2, scale)


def _rounded(exact: Fraction, percent: Printed, scale: int) -> str:
    """Write a share with the digits of the print."""
    return _fixed(exact, percent.decimals, scale)


def _fixed(exact: Fraction, digits: int, scale: int) -> str:
    """Write a share of 0 or more exactly to so many digits, halves up."""
    steps = floor(exact * 10**digits + Fraction(1, 2))
    shown = f"{Decimal(steps).scaleb(-digits):f}"
    return f"{shown} %" if scale == 100 else shown


def _with_unit(percent: Printed, scale: int) -> str:
    return f"{percent.text} %" if scale == 100 and "%" not in percent.text else percent.text


def _printed(figures: Figures) -> str:
    """The figures as they stand in print: count of total, percentage."""
    percent = figures.fact("percent").text
    count = figures.fact("count").value if figures.known("count") else ""
    if not figures.known("total"):
        return ", ".join(filter(None, (count, percent)))
    total = figures.fact("total").value
    return f"{count} of {total}, {percent}" if count else f"{percent} of {total}"
