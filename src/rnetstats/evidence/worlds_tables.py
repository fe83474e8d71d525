"""Two printed percentages and their P: every pair of groups that prints so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rnetstats._core.options import choice, items_of, level, positive_int
from rnetstats.errors import OptionError
from rnetstats.evidence.checks_printed import Printed
from rnetstats.evidence.worlds_conflict import conflict_words, smallest_conflicts
from rnetstats.evidence.worlds_display import rest_note
from rnetstats.evidence.worlds_percent import CountRanges, count_ranges, everything
from rnetstats.evidence.worlds_printed import (
    ROUNDED,
    percentage,
    probability,
    roundings,
    window,
)
from rnetstats.evidence.worlds_search import Search, some_table
from rnetstats.evidence.worlds_summary import TESTS, Summary, bound_frame, table_frame
from rnetstats.evidence.worlds_tables_result import MatchingTablesResult
from rnetstats.formatting import fmt_count, listed

__all__ = ["MatchingTablesResult", "chosen_tests", "matching_tables"]

BUDGET = 1_000_000
_TO_EXPLAIN = 2_500_000  # tables looked at to name a conflict
_KEEP = 20_000


def matching_tables(
    percent_1: str,
    percent_2: str,
    *,
    p: str | None = None,
    at_most: int,
    tests: str | Sequence[str] = TESTS,
    rounding: str | Sequence[str] = ROUNDED,
    conf_level: float = 0.95,
    budget: int = BUDGET,
) -> MatchingTablesResult:
    """Find every pair of groups that prints two percentages, and a P value.

    Parameters
    ----------
    percent_1, percent_2 : str
        Events of group 1 and of group 2 in per cent, as printed.
    p : str, optional
        The P value as printed: ``"0.003"``, ``"< 0.001"``.
    at_most : int
        The largest possible number of patients of both groups together.
    tests : sequence of {"pearson", "yates", "fisher"}
        Tests by which P may have been computed, each two-sided; a table counts when any of them
        prints the P.
    rounding : str or sequence of str
        Rules by which each figure may have been made; see :func:`rnetstats.matching_counts`. Add
        ``"truncate"`` to allow for digits that were cut off.
    conf_level : float
        Level of the limits of the odds ratio and of the risk difference.
    budget : int
        Tables to work out at most. When more are left after pruning, the result is a bound:
        ranges that provably hold every possible table.

    Returns
    -------
    MatchingTablesResult
        Without worlds ``.conflict`` says which figures conflict.

    Raises
    ------
    FactsError, DataError
        If a figure is no number or out of range.
    OptionError
        If a test or rule is unknown, or ``at_most`` is below 2.
    BudgetError
        If even the pairs of event numbers are above one million.

    Notes
    -----
    All (events, size) pairs that print a percentage are found in whole-number arithmetic. With the
    events of both groups fixed, Pearson's and Yates' statistics are monotone in either size, and so
    is Fisher's one-sided P, which the two-sided one is at least as large as and at most so many
    times larger as there are tables: the corners of a box of sizes bound P in all of it
    (:mod:`rnetstats.kernels.two_by_two_boxes` has the proof). Boxes that cannot hold the P are left
    out, the others are divided and in the end worked out table by table: none is missed.

    References
    ----------
    Fisher RA (1935) J R Stat Soc 98:39-82. Hoeffding W (1963) JASA 58:13-30.

    Examples
    --------
    >>> import rnetstats as rn
    >>> found = rn.matching_tables("0.96", "2.96", p="0.003", at_most=2279)
    >>> found.glance()[["tables", "events_1_low", "n_1_low", "n_1_high", "exhaustive"]]
       tables  events_1_low  n_1_low  n_1_high  exhaustive
    0    2176             7      726      1975        True
    """
    printed = percentage(percent_1, "percent_1"), percentage(percent_2, "percent_2")
    p_printed = None if p is None else probability(p, "p")
    most = positive_int("at_most", at_most, minimum=2)
    rules, asked = roundings(rounding), chosen_tests(tests, TESTS)
    conf_level = level(conf_level)
    most_tables = positive_int("budget", budget)
    first, second = (count_ranges(window(x, rules), most - 1) for x in printed)
    p_window = None if p_printed is None else window(p_printed, rules)
    search = Search.of(first, second, p_window, asked, most)
    left = search.left()
    exhaustive = int(left.tables.sum()) <= most_tables
    if exhaustive:
        worlds, cells = search.summary(left, conf_level, _KEEP)
        tables = table_frame(cells, conf_level)
    else:
        empty = Summary(asked if p_window else (), conf_level).frame()
        worlds = pd.concat([bound_frame(left)]).reindex(columns=empty.columns)
        tables = table_frame(np.zeros((4, 0), dtype=np.int64), conf_level)
    conflict = ""
    if worlds.empty:
        conflict = _conflict(printed, p_printed, asked, rules, most)
    return MatchingTablesResult(
        worlds=worlds,
        tables=tables,
        searched=int(search.boxes.tables.sum()),
        exhaustive=exhaustive,
        conflict=conflict,
        notes=(
            *_notes(worlds, tables, exhaustive, conflict, asked if p_window else (), rules),
            *rest_note(worlds["events_1"].nunique()),
        ),
        options={
            "percent_1": percent_1,
            "percent_2": percent_2,
            "p": p,
            "at_most": most,
            "tests": list(asked),
            "rounding": list(rules),
            "conf_level": conf_level,
            "budget": most_tables,
        },
    )


def chosen_tests(given: str | Sequence[str], allowed: Sequence[str]) -> tuple[str, ...]:
    """Return the tests that were asked for, in one order."""
    names = items_of(given)
    if not names:
        raise OptionError(f"tests names none; choose of {', '.join(allowed)}.")
    for name in names:
        choice("tests", name, allowed)
    return tuple(name for name in allowed if name in names)


def _conflict(
    printed: tuple[Printed, Printed],
    p: Printed | None,
    tests: tuple[str, ...],
    rules: tuple[str, ...],
    most: int,
) -> str:
    """Which of the figures conflict, by leaving out one, two and so on."""
    labels = {
        "percent_1": _percent_words(printed[0], 1),
        "percent_2": _percent_words(printed[1], 2),
        "p": "" if p is None else f"P {_p_words(p)} ({', '.join(tests)})",
        "at_most": f"at most {most:,} patients",
    }
    names = [name for name, words in labels.items() if words]

    def ranges(name: str, figure: Printed, kept: frozenset[str]) -> CountRanges:
        return count_ranges(window(figure, rules) if name in kept else everything(), most - 1)

    def possible(kept: frozenset[str]) -> bool:
        if "at_most" not in kept:
            return True
        groups = [ranges(f"percent_{k}", printed[k - 1], kept) for k in (1, 2)]
        wanted = window(p, rules) if p is not None and "p" in kept else None
        return some_table(groups[0], groups[1], wanted, tests, most, _TO_EXPLAIN)

    return conflict_words(labels, smallest_conflicts(names, possible), "pair of groups")


def _percent_words(figure: Printed, group: int) -> str:
    return f"{figure.text.strip().removesuffix('%').strip()} % in group {group}"


def _p_words(p: Printed) -> str:
    digits = p.text.strip().removeprefix("P").removeprefix("p").strip()
    return digits if p.relation else f"= {digits.removeprefix('=').strip()}"


def _notes(
    worlds: pd.DataFrame,
    tables: pd.DataFrame,
    exhaustive: bool,
    conflict: str,
    tests: tuple[str, ...],
    rules: tuple[str, ...],
) -> tuple[str, ...]:
    if conflict:
        return (conflict,)
    notes = []
    total = int(worlds["tables"].sum())
    if not exhaustive:
        notes.append(
            f"A bound: {fmt_count(total)} tables are left after pruning, more than the budget, and "
            "were not worked out. Every possible table lies within these ranges; not every table "
            "within them is possible."
        )
    elif len(tables) < total:
        notes.append(f"Of {fmt_count(total)} tables the first {fmt_count(len(tables))} are listed.")
    if tests and exhaustive:
        none = [name for name in tests if not worlds[f"tables_{name}"].any()]
        if none:
            notes.append(f"No table prints the P by {listed(none)}.")
    if exhaustive and worlds["odds_ratio_low"].isna().any():
        notes.append("Without any event in either group there is no odds ratio.")
    if "truncate" not in rules:
        notes.append(
            "Figures are taken as rounded; with rounding that includes 'truncate' further tables "
            "are possible."
        )
    return tuple(notes)
