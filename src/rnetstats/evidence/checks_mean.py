"""Means and standard deviations of whole numbers: what a scale of integers can give."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, isqrt, sqrt

from rnetstats.evidence.checks_line import (
    CONSISTENT,
    INCONSISTENT,
    ROUNDING,
    CheckLine,
    Figures,
    open_line,
)
from rnetstats.evidence.checks_printed import Printed

__all__ = ["check_mean", "squares_exist"]

_MOST_SUMS = 2000  # sums that are tried for a standard deviation
Ends = tuple[Fraction, Fraction]


def check_mean(figures: Figures) -> list[CheckLine]:
    """Ask whether a mean (GRIM) and a standard deviation (GRIMMER) can come from whole numbers.

    References
    ----------
    Brown NJL, Heathers JAJ (2017) The GRIM test. Soc Psychol Personal Sci 8:363-369. Anaya J (2016)
    The GRIMMER test: a method for testing the validity of reported measures of variability. PeerJ
    Preprints 4:e2400v1. Allard A (2018) Analytic-GRIMMER: a new way of testing the possibility of
    standard deviations.
    """
    names = ("mean", "n", "sd") if figures.given("sd") else ("mean", "n")
    if not figures.known("mean") or not figures.known("n"):
        return [open_line(_printed(figures), f"{figures.missing(*names)}.")]
    mean, n = figures.printed("mean"), figures.count("n")
    if n == 0 or mean.relation:
        return [open_line(_printed(figures), "A mean needs a number and at least one patient.")]
    lines = [_grim(figures, mean, n)]
    if figures.given("sd"):
        lines.append(_grimmer(figures, mean, n))
    return lines


def _grim(figures: Figures, mean: Printed, n: int) -> CheckLine:
    parts = n * figures.option("items")
    of = _of(figures, n)
    sums = _sums(mean, parts, loosely=False)
    if sums:
        told = (
            f"The sum {sums[0]} over {of} prints so."
            if len(sums) == 1
            else f"{len(sums):,} sums over {of}, from {sums[0]} to {sums[-1]}, print so: with so "
            "many answers the digits tell nothing."
        )
        return CheckLine(_printed(figures), _sum_text(sums, parts), CONSISTENT, told, "mean")
    cut = _sums(mean, parts, loosely=True)
    below = floor(Fraction(mean.value) * parts)
    near = " and ".join(_mean_text(total, parts, mean) for total in (below, below + 1))
    told = (
        f"No whole sum over {of} gives {mean.shown} when rounded to the nearest (nearest: {near})"
    )
    if cut:
        told += "; digits cut off would explain it."
        return CheckLine(_printed(figures), _sum_text(cut, parts), ROUNDING, told, "mean")
    told += ", so mean or number is wrong, or the values are not whole numbers."
    return CheckLine(_printed(figures), "no sum", INCONSISTENT, told, "mean")


def _grimmer(figures: Figures, mean: Printed, n: int) -> CheckLine:
    if not figures.known("sd"):
        return open_line(_printed(figures), f"{figures.missing('sd')}.", part="SD")
    sd = figures.printed("sd")
    if sd.value < 0:
        told = "A standard deviation is never negative."
        return CheckLine(_printed(figures), "\u2013", INCONSISTENT, told, "SD")
    if n == 1 or sd.relation:
        why = "A standard deviation needs a number and at least two patients."
        return open_line(_printed(figures), why, part="SD")
    items = figures.option("items")
    sums = _sums(mean, n * items, loosely=False) or _sums(mean, n * items, loosely=True)
    if not sums:
        why = "The mean is not possible, so no standard deviation beside it can be judged."
        return open_line(_printed(figures), why, part="SD")
    verdict, found = _sd_verdict(sd, sums, n, items)
    said = (
        f"of {n} whole numbers with this mean" if items == 1 else f"of {n} means of {items} items"
    )
    if verdict == INCONSISTENT:
        told = (
            f"No standard deviation {said} prints as {sd.shown}{_divided_by_n(sd, sums, n, items)}."
        )
        return CheckLine(_printed(figures), "none", INCONSISTENT, told, "SD")
    told = f"A standard deviation of {found:.{sd.decimals + 2}f} {said} is possible"
    told += "." if verdict == CONSISTENT else "; the print cuts its digits off."
    return CheckLine(_printed(figures), f"{found:.{sd.decimals + 2}f}", verdict, told, "SD")


def _divided_by_n(sd: Printed, sums: range, n: int, items: int) -> str:
    if _possible_sd(sd, sums, n, items, divisor=n, loosely=False) is None:
        return ""
    return " (one that is divided by n, not by n - 1, would)"


def _sd_verdict(sd: Printed, sums: range, n: int, items: int) -> tuple[str, float]:
    for verdict, loosely in ((CONSISTENT, False), (ROUNDING, True)):
        found = _possible_sd(sd, sums, n, items, divisor=n - 1, loosely=loosely)
        if found is not None:
            return verdict, found
    return INCONSISTENT, float("nan")


def _possible_sd(
    sd: Printed, sums: range, n: int, items: int, *, divisor: int, loosely: bool
) -> float | None:
    """Return a standard deviation that prints so, of n whole numbers with one of these sums."""
    low, high = _ends(sd, loosely)
    for total in sums[:_MOST_SUMS]:
        spread = Fraction(total * total, n)
        first = ceil(divisor * (max(low, Fraction(0)) * items) ** 2 + spread)
        last = floor(divisor * (high * items) ** 2 + spread)
        for squares in range(first + (first - total) % 2, last + 1, 2):
            if squares_exist(n, total, squares):
                return sqrt((squares - spread) / divisor) / items
    return None


def squares_exist(n: int, total: int, squares: int) -> bool:
    """Say whether n whole numbers can add up to ``total`` and their squares to ``squares``.

    Their parity is the same, and the squares are least when the numbers are nearest to each other.
    From five numbers on that suffices; below, the remainder must be a square (two), of the form
    u^2 + uv + v^2 (three), or, if the total is even, a sum of three squares (four).

    Parameters
    ----------
    n, total, squares : int

    References
    ----------
    Hardy GH, Wright EM (2008) An introduction to the theory of numbers, 6th ed., chapter 20.
    """
    quotient, rest = divmod(total, n)
    least = rest * (quotient + 1) ** 2 + (n - rest) * quotient**2
    if squares < least or (squares - total) % 2:
        return False
    if n == 1:
        return squares == least
    if n == 2:
        return _is_square(2 * squares - total**2)
    if n == 3:
        form = 2 * (3 * squares - total**2)  # four times u^2 + uv + v^2
        return any(_is_square(form - 3 * v * v) for v in range(isqrt(form // 3) + 1))
    if n == 4 and total % 2 == 0:
        left = squares - (total // 2) ** 2
        while left and left % 4 == 0:
            left //= 4
        return left % 8 != 7
    return True


def _is_square(number: int) -> bool:
    return isqrt(number) ** 2 == number


def _sums(mean: Printed, parts: int, *, loosely: bool) -> range:
    """The whole sums over ``parts`` whose mean prints so."""
    low, high = _ends(mean, loosely)
    return range(ceil(low * parts), floor(high * parts) + 1)


def _ends(printed: Printed, loosely: bool) -> Ends:
    """The values that print so: rounded to the nearest, or cut off towards zero."""
    value, unit = Fraction(printed.value), Fraction(printed.unit)
    if not loosely:
        return value - unit / 2, value + unit / 2
    room = unit - unit / 10**30  # the next printed number itself would print as it is
    return value - room * (value <= 0), value + room * (value >= 0)


def _of(figures: Figures, n: int) -> str:
    items = figures.option("items")
    return f"{n}" if items == 1 else f"{n} x {items} answers"


def _sum_text(sums: range, parts: int) -> str:
    shown = ", ".join(f"{total}/{parts}" for total in sums[:3])
    return f"{shown}, ..." if len(sums) > 3 else shown


def _mean_text(total: int, parts: int, mean: Printed) -> str:
    return f"{total}/{parts} = {total / parts:.{mean.decimals + 2}f}"


def _printed(figures: Figures) -> str:
    """Mean, SD and number as they stand in print."""
    mean = figures.fact("mean").value if figures.known("mean") else "?"
    if figures.given("sd") and figures.known("sd"):
        mean += f" (SD {figures.fact('sd').value})"
    return f"{mean}, n = {figures.fact('n').value}" if figures.known("n") else mean
