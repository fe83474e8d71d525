"""Counts behind a printed percentage: every number of events and patients that prints so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rnetstats._core.options import level, positive_int
from rnetstats.errors import BudgetError, OptionError
from rnetstats.evidence.checks_printed import ROUNDINGS, Printed
from rnetstats.evidence.worlds_conflict import conflict_words, smallest_conflicts
from rnetstats.evidence.worlds_counts_result import RULE_COLUMNS, MatchingCountsResult
from rnetstats.evidence.worlds_display import rest_note
from rnetstats.evidence.worlds_percent import CountRanges, count_ranges, some_size
from rnetstats.evidence.worlds_printed import percentage, roundings, window
from rnetstats.formatting import fmt_count, fmt_interval, fmt_percent
from rnetstats.tables.proportion_limits import clopper_pearson_limits

__all__ = ["MatchingCountsResult", "matching_counts"]

_MOST_ROWS = 200_000


def matching_counts(
    percent: str,
    *,
    n: int | None = None,
    at_most: int | None = None,
    events: int | None = None,
    rounding: str | Sequence[str] = ROUNDINGS,
    conf_level: float = 0.95,
) -> MatchingCountsResult:
    """Find every count of patients that a printed percentage can come from.

    Parameters
    ----------
    percent : str
        As printed, trailing zeros included: ``"71.4"``, ``"2.20 %"``, ``"< 0.1"``.
    n, at_most : int
        The number of patients, or the largest that it can be; one of the two.
    events : int, optional
        The number of events, if it is known.
    rounding : str or sequence of str
        Rules by which the figure may have been made: ``"half-up"`` (the usual one),
        ``"half-even"`` (a half to the even digit) and ``"truncate"`` (further digits cut off).
    conf_level : float
        Level of the exact limits (Clopper and Pearson).

    Returns
    -------
    MatchingCountsResult
        Without worlds ``.conflict`` says which figures conflict.

    Raises
    ------
    FactsError, DataError
        If the percentage is no number, is negative or above 100.
    OptionError
        If neither or both of ``n`` and ``at_most`` are given.
    BudgetError
        If more than five million numbers of events are to be looked at, or 200,000 print so.

    Notes
    -----
    All comparisons are of whole numbers: the search is exhaustive and exact.

    References
    ----------
    Brown NJL, Heathers JAJ (2017) The GRIM test: a simple technique detects numerous anomalies in
    the reporting of results in psychology. Soc Psychol Personal Sci 8:363-369. Clopper CJ, Pearson
    ES (1934) Biometrika 26:404-413.

    Examples
    --------
    Of at most 12 patients only 5 of 7 are 71.4 %:

    >>> import rnetstats as rn
    >>> found = rn.matching_counts("71.4", at_most=12)
    >>> found.to_frame()[["events", "n_low", "n_high", "conf_low", "conf_high"]].round(2)
       events  n_low  n_high  conf_low  conf_high
    0       5      7       7      0.29       0.96
    """
    printed = percentage(percent, "percent")
    rules = roundings(rounding)
    conf_level = level(conf_level)
    if (n is None) == (at_most is None):
        raise OptionError("Give matching_counts() either n (patients) or at_most (their limit).")
    name = "at_most" if n is None else "n"
    most = positive_int(name, at_most if n is None else n)  # type: ignore[arg-type]
    least = 1 if n is None else most
    given = None if events is None else positive_int("events", events, minimum=0)
    found = _of_events(count_ranges(window(printed, rules), most, at_least=least), given)
    if len(found.events) > _MOST_ROWS:
        raise BudgetError(
            f"{len(found.events):,} numbers of events print so, each with exact limits to work "
            f"out; the limit is {_MOST_ROWS:,}. Give a smaller limit on the patients."
        )
    worlds = _frame(found, printed, rules, (least, most), conf_level)
    conflict = "" if len(worlds) else _conflict(printed, rules, (least, most), given)
    return MatchingCountsResult(
        worlds=worlds,
        percent=percent,
        conflict=conflict,
        notes=(*_notes(worlds, printed, rules, conflict), *rest_note(len(worlds))),
        options={
            "n": n,
            "at_most": at_most,
            "events": events,
            "rounding": list(rules),
            "conf_level": conf_level,
            "value": str(printed.value),
        },
    )


def _of_events(found: CountRanges, events: int | None) -> CountRanges:
    if events is None:
        return found
    keep = found.events == events
    return CountRanges(found.events[keep], found.n_low[keep], found.n_high[keep])


def _frame(
    found: CountRanges,
    printed: Printed,
    rules: Sequence[str],
    sizes: tuple[int, int],
    conf_level: float,
) -> pd.DataFrame:
    low, _ = clopper_pearson_limits(found.events, found.n_high, conf_level)
    _, high = clopper_pearson_limits(found.events, found.n_low, conf_level)
    frame = pd.DataFrame(
        {
            "events": found.events,
            "n_low": found.n_low,
            "n_high": found.n_high,
            "pairs": found.sizes,
        }
    )
    for rule in rules:
        of_rule = count_ranges(window(printed, [rule]), sizes[1], at_least=sizes[0])
        pairs = pd.Series(of_rule.sizes, index=of_rule.events)
        frame[RULE_COLUMNS[rule]] = frame["events"].map(pairs).fillna(0).astype(np.int64)
    return frame.assign(conf_low=low, conf_high=high)


def _conflict(
    printed: Printed, rules: Sequence[str], sizes: tuple[int, int], events: int | None
) -> str:
    least, most = sizes
    labels = {
        "percent": f"{printed.text.strip().removesuffix('%').strip()} %",
        "size": f"n = {most:,}" if least == most else f"at most {most:,} patients",
        "events": f"{fmt_count(events or 0)} events",
    }
    share = window(printed, rules)

    def possible(kept: frozenset[str]) -> bool:
        if kept == {"events", "size"}:
            return (events or 0) <= most
        if kept == {"events", "percent"}:
            return some_size(share, events or 0)
        if kept == {"percent", "size"}:
            return count_ranges(share, most, at_least=least).pairs > 0
        return len(kept) == 1

    names = ["percent", "size"] + (["events"] if events is not None else [])
    return conflict_words(labels, smallest_conflicts(names, possible), "count")


def _notes(
    worlds: pd.DataFrame, printed: Printed, rules: Sequence[str], conflict: str
) -> tuple[str, ...]:
    if conflict:
        return (conflict,)
    notes = []
    by_rule = {rule: int(worlds[RULE_COLUMNS[rule]].sum()) for rule in rules}
    if by_rule.get("truncate") and by_rule.get("half-up") == by_rule.get("half-even", 0) == 0:
        notes.append(
            f"The percentage was not rounded: {printed.text.strip()} comes about only when further "
            "digits are cut off."
        )
    if int(worlds["pairs"].sum()) == 1:
        row = worlds.iloc[0]
        limits = fmt_interval(100 * row["conf_low"], 100 * row["conf_high"], 1)
        notes.append(
            f"Only {int(row['events']):,} of {int(row['n_low']):,} "
            f"({fmt_percent(row['events'] / row['n_low'], 2)}) prints so; exact limits {limits} %."
        )
    return tuple(notes)
