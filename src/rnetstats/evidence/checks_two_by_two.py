"""Checks that ask which 2x2 tables print two percentages, or an odds ratio, and their P."""

from __future__ import annotations

from math import isnan
from typing import Any

from rnetstats.evidence.checks_interval_p import p_of
from rnetstats.evidence.checks_line import (
    CONSISTENT,
    INCONSISTENT,
    OPEN,
    ROUNDING,
    CheckLine,
    Figures,
    open_line,
)
from rnetstats.evidence.checks_percentage import impossible_share, possible_share, scale_of
from rnetstats.evidence.checks_printed import ROUNDINGS
from rnetstats.evidence.worlds_odds_ratio import tables_from_odds_ratio
from rnetstats.evidence.worlds_odds_ratio_result import TablesResult
from rnetstats.evidence.worlds_tables import matching_tables
from rnetstats.evidence.worlds_tables_result import MatchingTablesResult
from rnetstats.formatting import fmt_count, fmt_number

__all__ = ["check_odds_ratio_tables", "check_two_rates"]

_ENDS = ("low", "high")
_ADJUSTED = "An odds ratio that is adjusted for other factors need not be that of any table."


def check_two_rates(figures: Figures) -> list[CheckLine]:
    """Ask which counts behind two percentages, of at most so many patients, give their P."""
    names = ("percent_1", "percent_2", "at_most")
    if not all(figures.known(name) for name in names):
        return [open_line("", f"{figures.missing(*names)}.")]
    first, second, most = *(figures.fact(k) for k in names[:2]), figures.count("at_most")
    printed = f"{first.text} against {second.text} of at most {most} patients"
    p = p_of(figures).text if figures.known("p") else None
    printed += f", {figures.p_shown()}" if p else ""
    if any(scale_of(figures, name) != 100 for name in names[:2]):
        return [open_line(printed, 'Both shares must be percentages, with the unit "%".')]
    for number in (figures.printed(name) for name in names[:2]):
        if not possible_share(number, 100):
            return [impossible_share(printed, number.text)]
    if most < 2:
        return [open_line(printed, "Two groups need at least two patients.")]
    options: dict[str, Any] = {"p": p, "at_most": most, "conf_level": figures.conf_level}
    cut = matching_tables(first.value, second.value, **options, rounding=ROUNDINGS)
    if cut.to_frame().empty:
        return [CheckLine(printed, "no table", INCONSISTENT, cut.conflict, world=cut)]
    found = matching_tables(first.value, second.value, **options)
    if found.to_frame().empty:
        told = f"Only if digits were cut off: {_rates(cut)}."
        return [CheckLine(printed, _many(cut), ROUNDING, told, world=cut)]
    if not found.exhaustive:
        told = f"Too many tables to go through; any that prints so has {_sizes(found)}."
        return [CheckLine(printed, _many(found), OPEN, told, world=found)]
    told = f"{_rates(found)}; the counts are not stated, so the figures are possible, not shown."
    return [CheckLine(printed, _many(found), CONSISTENT, told, world=found)]


def _many(found: MatchingTablesResult) -> str:
    tables = int(found.glance()["tables"].iloc[0])
    return f"{'' if found.exhaustive else 'at most '}{_tables(tables)}; {_sizes(found)}"


def _rates(found: MatchingTablesResult) -> str:
    row: Any = found.glance().iloc[0]
    tests = [
        f"{fmt_count(row[name])} by {name.removeprefix('tables_').capitalize()}"
        for name in row.index
        if name.startswith("tables_")
    ]
    by = f" ({', '.join(tests)})" if tests else ""
    ends = [row["odds_ratio_low"], row["odds_ratio_high"]]
    ratio = f", and an odds ratio of {_either(*map(fmt_number, ends))}"
    one = row["tables"] == 1
    return (
        f"{_tables(row['tables'])} {'prints' if one else 'print'} so{by}, with {_sizes(found)}"
        f"{'' if isnan(ends[0]) else ratio}"
    )


def _tables(number: float) -> str:
    return f"{fmt_count(number)} {'table' if number == 1 else 'tables'}"


def _either(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _sizes(found: MatchingTablesResult) -> str:
    row: Any = found.glance().iloc[0]
    groups = [
        f"{_either(*(fmt_count(row[f'events_{k}_{end}']) for end in _ENDS))} of "
        f"{_either(*(fmt_count(row[f'n_{k}_{end}']) for end in _ENDS))}"
        for k in (1, 2)
    ]
    return f"{groups[0]} patients in group 1, {groups[1]} in group 2"


def check_odds_ratio_tables(figures: Figures) -> list[CheckLine]:
    """Ask which 2x2 tables of so many patients have a printed odds ratio and its P."""
    names = ("odds_ratio", "n", "events") if figures.given("events") else ("odds_ratio", "n")
    if not figures.known("odds_ratio") or not figures.known("n"):
        return [open_line("", f"{figures.missing(*names)}.")]
    ratio, n = figures.printed("odds_ratio"), figures.count("n")
    events = figures.count("events") if figures.known("events") else None
    p = p_of(figures).text if figures.known("p") else None
    printed = f"{ratio.text}{f', {figures.p_shown()}' if p else ''}, {n} patients"
    printed += "" if events is None else f", {events} with the outcome"
    if ratio.relation or ratio.value <= 0:
        return [open_line(printed, "The odds ratio must be a number above 0.")]
    if n < 2 or (events is not None and not 0 < events < n):
        return [open_line(printed, "An odds ratio needs patients with the outcome and without.")]
    options: dict[str, Any] = {"p": p, "n": n, "events": events, "conf_level": figures.conf_level}
    cut = tables_from_odds_ratio(ratio.text, **options, rounding=ROUNDINGS)
    if not cut.count:
        return [_no_table(figures, printed, cut)]
    found = tables_from_odds_ratio(ratio.text, **options)
    verdict = CONSISTENT if found.count else ROUNDING
    found = found if found.count else cut
    row: Any = found.glance().iloc[0]
    sizes = _either(fmt_count(row["n_1_from"]), fmt_count(row["n_1_to"]))
    spread = _either(fmt_number(row["conf_low_from"]), fmt_number(row["conf_low_to"]))
    prints = "prints" if found.count == 1 else "print"
    told = (
        f"{'If digits were cut off, ' if verdict == ROUNDING else ''}"
        f"{_tables(found.count)}{_with_half(row)} {prints} so, with {sizes} patients in group 1 "
        f"and a lower {100 * figures.conf_level:g} % limit (Woolf) of {spread}. {_ADJUSTED}"
    )
    return [CheckLine(printed, _tables(found.count), verdict, told, world=found)]


def _with_half(row: Any) -> str:
    """How many of the tables print so only with 0.5 added to each cell."""
    added = int(row["tables"] - row["unchanged"])
    return f" ({fmt_count(added)} of them with 0.5 added to each cell)" if added else ""


def _no_table(figures: Figures, printed: str, found: TablesResult) -> CheckLine:
    verdict = OPEN if figures.option("adjusted") else INCONSISTENT
    if found.nearest.empty:
        told = f"{found.conflict} {_ADJUSTED}"
        return CheckLine(printed, "no table", verdict, told, world=found)
    near: Any = found.nearest.iloc[0]
    cells = "{events_1}/{n_1} and {events_2}/{n_2}".format(**near)
    half = ", 0.5 added" if near["added"] else ""
    nearest = f"{cells}{half}: {fmt_number(near['odds_ratio'], 3)}"
    told = f"{found.conflict} Nearest is {nearest}. {_ADJUSTED}"
    return CheckLine(printed, f"no table; nearest {nearest}", verdict, told, world=found)
