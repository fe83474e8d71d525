"""Words that the sentences and tables of the salvage chapter share."""

from __future__ import annotations

import re

from rnetstats.formatting import digits_beside, fmt_number
from rnetstats.studies.verdicts import MINIMUM

__all__ = [
    "EVENTS",
    "READINGS",
    "counted",
    "fewer_or_more",
    "limits_of_100",
    "plain_reason",
    "sparse",
    "told",
]

READINGS = {"recurrence": "recurrence", "dfs": "recurrence or death"}
EVENTS = {
    "recurrence": ("recurrence", "recurrences"),
    "dfs": ("recurrence or death", "recurrences or deaths"),
}
_SHARED = re.compile(r", besides (\d+) that stand in both arms")
_NOISE = 1e-12  # of a difference of two equal risks
_LONG = re.compile(r"\d+\.\d{2,}")
_ARMS = (
    ("in the treated arm", "among the salvaged"),
    ("in the untreated arm", "among those not salvaged"),
    ("of the treated arm", "under “all are salvaged”"),
    ("of the untreated arm", "under “nobody is salvaged”"),
    ("the treated arm", "the salvaged arm"),
    ("no untreated patient", "no patient who was not salvaged"),
    ("no treated patient", "no salvaged patient"),
    ("treated and untreated are", "salvaged and not salvaged patients are"),
)


def counted(n: float, key: str) -> str:
    """Count events of an endpoint: ``'1 recurrence'``, ``'9 recurrences or deaths'``."""
    one, many = EVENTS[key]
    return f"{n:g} {one if n == 1 else many}"


def told(text: str) -> str:
    """Begin a sentence with a capital letter."""
    return text[:1].upper() + text[1:]


def sparse(*events: float) -> bool:
    """Say whether an arm has too few events for an interval or a P value."""
    return min(events) < MINIMUM


def fewer_or_more(difference: float, digits: int = 0) -> str:
    """Write a difference of risks as patients of 100: ``'3 fewer'``, ``'0.0 more'``.

    What rounds to 0 keeps its side, and so many decimals as that takes.
    """
    of_100 = 0.0 if abs(difference) < _NOISE else 100.0 * difference
    digits = digits_beside(of_100, 0.0, digits=digits)
    return f"{fmt_number(abs(of_100), digits)} {'fewer' if of_100 < 0.0 else 'more'}"


def limits_of_100(low: float, high: float, digits: int = 0) -> str:
    """Write limits of a difference of risks: ``'13 fewer to 11 more'``."""
    return f"{fewer_or_more(low, digits)} to {fewer_or_more(high, digits)}"


def plain_reason(reason: str) -> str:
    """Say in this study's words why a number is missing.

    Parameters
    ----------
    reason : str
        As given by the method, which speaks of treated and untreated arms.
    """
    text = reason.split(f", fewer than {MINIMUM}:", maxsplit=1)[0]
    text = _SHARED.sub(r", besides \1 counted under both strategies", text)
    text = _LONG.sub(lambda found: fmt_number(float(found[0]), 1), text)
    for theirs, ours in _ARMS:
        text = text.replace(theirs, ours)
    return text
