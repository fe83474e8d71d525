"""A printed P, odds ratio or limits against the 2x2 table that they are said to come from."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.special import ndtr

from rnetstats.evidence.checks_interval_p import p_of, p_text
from rnetstats.evidence.checks_line import (
    CONSISTENT,
    INCONSISTENT,
    ROUNDING,
    CheckLine,
    Figures,
    compared,
    gap,
    open_line,
)
from rnetstats.evidence.checks_odds_ratio import limits_line, odds_ratio_line, too_large
from rnetstats.evidence.checks_printed import Printed
from rnetstats.evidence.checks_spans import Span
from rnetstats.tables.categorical_tests import chi_square
from rnetstats.tables.fisher import fisher_p

__all__ = ["check_test", "p_values"]

_COUNTS = ("events_1", "n_1", "events_2", "n_2")
_LEFT_OUT = "Exact methods are left out: more than 100,000 counts are possible in a group."
_ONE_SIDED = ("Fisher, one-sided", "normal, one-sided")


def check_test(figures: Figures) -> list[CheckLine]:
    """Hold what is printed of a comparison against its 2x2 table.

    Several tests may be behind a printed P; each that gives it is named.

    References
    ----------
    Fisher RA (1935) The logic of inductive inference. J R Stat Soc 98:39-82. Yates F (1934)
    Contingency tables involving small numbers and the chi-square test. J R Stat Soc Suppl
    1:217-235.
    """
    if not all(figures.known(name) for name in _COUNTS):
        return [open_line(_printed(figures), f"{figures.missing(*_COUNTS)}.")]
    a, n, c, m = (figures.count(name) for name in _COUNTS)
    if a > n or c > m:
        told = f"There are more events than patients: {a} of {n} and {c} of {m}."
        return [CheckLine(_printed(figures), "\u2013", INCONSISTENT, told)]
    if n == 0 or m == 0:
        return [open_line(_printed(figures), "A group without patients cannot be compared.")]
    lines = []
    if figures.given("odds_ratio"):
        lines.append(odds_ratio_line(figures, _printed(figures), (a, n, c, m)))
    if figures.given("low") or figures.given("high"):
        lines.append(limits_line(figures, _printed(figures), (a, n, c, m)))
    if figures.given("p") or not lines:
        lines.insert(0, _p_line(figures, p_values(a, n, c, m)))
    if too_large((a, n, c, m)):
        lines = [replace(line, sentence=f"{line.sentence} {_LEFT_OUT}") for line in lines]
    return lines


def p_values(events_1: int, n_1: int, events_2: int, n_2: int) -> pd.Series:
    """Return P of a 2x2 table by each test that may be behind a printed one.

    Parameters
    ----------
    events_1, n_1, events_2, n_2 : int

    Returns
    -------
    Series
        Two-sided tests by name, then the one-sided ones; a test that the table does not allow is
        missing, and so are exact ones when more than 100,000 counts are possible in a group.
    """
    cells = (events_1, n_1 - events_1, events_2, n_2 - events_2)
    tail = "greater" if events_1 * n_2 >= events_2 * n_1 else "less"
    exact = not too_large((events_1, n_1, events_2, n_2))
    found: dict[str, float] = {}
    if exact:
        found["Fisher"] = float(fisher_p(*cells))
        found["Fisher, twice the smaller tail"] = float(fisher_p(*cells, alternative="central"))
        found["mid-P"] = float(fisher_p(*cells, alternative="mid-p"))
    if 0 < events_1 + events_2 < n_1 + n_2:
        table = np.array(cells).reshape(2, 2)
        found["Pearson"] = chi_square(table).p_value
        found["Yates"] = chi_square(table, continuity=True).p_value
        z = _unpooled_z(events_1, n_1, events_2, n_2)
        if not math.isnan(z):
            found["unpooled z"] = float(2.0 * ndtr(-abs(z)))
        found[_ONE_SIDED[1]] = found["Pearson"] / 2.0
    if exact:
        found[_ONE_SIDED[0]] = float(fisher_p(*cells, alternative=tail))
    return pd.Series(found)


def _unpooled_z(a: int, n: int, c: int, m: int) -> float:
    p, q = a / n, c / m
    variance = p * (1.0 - p) / n + q * (1.0 - q) / m
    return (p - q) / math.sqrt(variance) if variance > 0.0 else math.nan


def _p_line(figures: Figures, found: pd.Series) -> CheckLine:
    two_sided = found.drop(list(_ONE_SIDED), errors="ignore")
    shown = _listed(two_sided)
    first = f"{two_sided.index[0]} {p_text(two_sided.iloc[0])}"
    if not figures.known("p"):
        why = f"{figures.missing('p')}; the table gives {shown}."
        return open_line(_printed(figures), why, first, "P")
    p = p_of(figures)
    verdicts = {name: compared(Span(value, value), p) for name, value in two_sided.items()}
    for verdict in (CONSISTENT, ROUNDING):
        names = [str(name) for name, given in verdicts.items() if given == verdict]
        if names:
            fits = two_sided[names]
            said = "agrees with" if p.relation else "is that of"
            told = f"The printed P {said} {_listed(fits)}"
            others = two_sided.drop(names)
            if len(others):
                told += f"; not of {_listed(others)}"
            told += ", if digits were cut off." if verdict == ROUNDING else "."
            return _line(figures, fits, p, verdict, told)
    told = f"No two-sided test of this table gives {_p(p)}: {shown}"
    one = [
        str(name)
        for name in _ONE_SIDED
        if name in found and compared(Span(found[name], found[name]), p) == CONSISTENT
    ]
    told += f"; it is one-sided ({_listed(found[one])})." if one else "."
    return _line(figures, two_sided, p, INCONSISTENT, told)


def _line(figures: Figures, fits: pd.Series, p: Printed, verdict: str, told: str) -> CheckLine:
    """Return the line, with the test nearest to the print."""
    name = str(fits.index[0]) if p.relation else str((fits - p.number).abs().idxmin())
    value = float(fits[name])
    text = f"{name} {p_text(value)}"
    distance = gap(Span(value, value), p)
    return CheckLine(_printed(figures), text, verdict, told, "P", gap=distance)


def _listed(values: pd.Series) -> str:
    return ", ".join(f"{name} {p_text(value)}" for name, value in values.items())


def _p(p: Printed) -> str:
    return f"P {p.relation or '='} {p.value}"


def _printed(figures: Figures) -> str:
    """The table, then what is printed of the comparison."""
    values = [figures.fact(name).value or "?" for name in _COUNTS]
    text = "{}/{} and {}/{}".format(*values)
    if figures.given("odds_ratio"):
        text += f", odds ratio {figures.fact('odds_ratio').value or '?'}"
    if figures.given("low") and figures.given("high"):
        limits = (figures.fact(name).value or "?" for name in ("low", "high"))
        text += " ({} to {})".format(*limits)
    if figures.given("p"):
        text += f", {figures.p_shown()}"
    return text
