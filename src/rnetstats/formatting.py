"""Numbers as readers expect them: estimates, intervals, P values, percentages."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path

__all__ = [
    "digits_beside",
    "file_name",
    "fmt_count",
    "fmt_interval",
    "fmt_number",
    "fmt_p",
    "fmt_percent",
    "group_names",
    "inside",
    "listed",
]

MISSING = "–"
_NOISE = 1e-13


def file_name(path: str | os.PathLike[str]) -> str:
    """Return a file's name without its folder, fit to be written.

    Bytes that are no text in the file system's encoding (a name from an old disk) become "?".
    """
    return Path(os.fsdecode(path)).name.encode(errors="replace").decode()


def group_names(groups: Iterable[str]) -> dict[str, str]:
    """What to call the groups in figures and sentences: no and yes those of a 0/1 column."""
    return {"0": "no", "1": "yes"} if set(groups) == {"0", "1"} else {}


def inside(label: str) -> str:
    """Write a label within a sentence: its first letter small, unless that belongs to its name.

    "Positive margin" becomes "positive margin"; "DFS event", "Ki-67", "T stage" and names of
    columns such as "Margin_positive" stay.
    """
    rest = (label.split(maxsplit=1) or [""])[0][1:].rstrip(",;:").replace("-", "")
    return label[:1].lower() + label[1:] if rest.isalpha() and rest.islower() else label


def listed(words: Iterable[str], last: str = "and") -> str:
    """Join words as a sentence does: ``a, b and c``; nothing gives nothing."""
    *most, end = list(words) or [""]
    return f"{', '.join(most)} {last} {end}" if most else end


def fmt_number(value: float, digits: int = 2) -> str:
    """Format a number to ``digits`` decimals; extremes in two significant digits.

    Infinite numbers become the infinity sign, missing ones a dash. What is left of a zero after
    rounding errors is a zero.
    """
    if value is None or math.isnan(value):
        return MISSING
    if abs(value) < _NOISE:
        value = 0.0
    sign, size = "−" if value < 0 else "", abs(value)
    if math.isinf(size):
        return f"{sign}∞"
    if size >= 1e7 or 0 < size < 1e-4 * (0.5 * 10.0**-digits):
        mantissa, exponent = f"{size:.1e}".split("e")
        return f"{sign}{mantissa} × 10^{int(exponent)}".replace("-", "−")
    if size >= 10_000:
        return f"{sign}{float(f'{size:.2g}'):,.0f}"
    if 0 < size < 0.5 * 10.0**-digits:
        return sign + f"{size:.{1 - math.floor(math.log10(size))}f}".rstrip("0")
    text = f"{size:.{min(digits, 1) if size >= 100 else digits}f}"
    return text if float(text) == 0.0 else sign + text


def digits_beside(value: float, *bounds: float, digits: int = 2) -> int:
    """Return the decimals, ``digits`` at least, with which a value stands on its side of bounds.

    Rounded to fewer it might read as the bound, or lie beyond it: 0.998 beside 1 takes three.
    """
    while digits < 10 and any(
        (round(value, digits) > b, round(value, digits) < b) != (value > b, value < b)
        for b in bounds
    ):
        digits += 1
    return digits


def fmt_count(value: float) -> str:
    """Format a count in full, with thousands: ``30467 -> '30,467'``; weighted ones to 0.1."""
    if value is None or math.isnan(value):
        return MISSING
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def fmt_interval(low: float, high: float, digits: int = 2) -> str:
    """Format an interval: ``'0.40 to 2.02'``; a dash when there is none."""
    if (low is None or math.isnan(low)) and (high is None or math.isnan(high)):
        return MISSING
    return f"{fmt_number(low, digits)} to {fmt_number(high, digits)}"


def fmt_p(value: float) -> str:
    """Format a P value: two digits from 0.1, three below, ``'<0.001'`` under that."""
    if value is None or math.isnan(value):
        return MISSING
    if value < 0.001:
        return "<0.001"
    if value < 0.0995:
        return f"{value:.3f}"
    if value > 0.995:
        return ">0.99"
    return f"{value:.2f}"


def fmt_percent(share: float, digits: int = 1) -> str:
    """Format a share of 1 as a percentage: ``0.343 -> '34.3 %'``."""
    if share is None or math.isnan(share):
        return MISSING
    text = f"{100.0 * share:.{digits}f}"
    if float(text) == 0.0:
        text = text.lstrip("-")
    return text.replace("-", "−") + " %"
