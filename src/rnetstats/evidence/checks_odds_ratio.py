"""A printed odds ratio and its limits against the 2x2 table."""

from __future__ import annotations

import math

import pandas as pd

from rnetstats.evidence.checks_line import (
    CONSISTENT,
    INCONSISTENT,
    VERDICTS,
    CheckLine,
    Figures,
    compared,
    gap,
    open_line,
)
from rnetstats.evidence.checks_printed import Printed
from rnetstats.evidence.checks_spans import Span, outward
from rnetstats.tables.exact_table import exact_table

__all__ = ["limits_line", "odds_ratio_line"]

Counts = tuple[int, int, int, int]
_NAMES = {
    "woolf": "sample odds ratio (Woolf)",
    "central": "conditional (exact, central)",
    "mid-p": "conditional (mid-P)",
    "minlike": "conditional (exact, minlike)",
    "blaker": "conditional (Blaker)",
    "haldane-anscombe": "0.5 added to each cell",
}


def odds_ratio_line(figures: Figures, printed: str, counts: Counts) -> CheckLine:
    """Hold a printed odds ratio against the estimates that its table gives."""
    part = "odds ratio"
    if not figures.known("odds_ratio"):
        return open_line(printed, f"{figures.missing('odds_ratio')}.", part=part)
    given = figures.printed("odds_ratio")
    rows = _rows(counts, figures.conf_level).drop_duplicates("estimate")
    found = dict(zip(rows["name"], rows["estimate"], strict=True))
    if 0 < counts[0] < counts[1] and 0 < counts[2] < counts[3]:
        found["the groups the other way round"] = 1.0 / found[_NAMES["woolf"]]
    name, verdict = _best({name: [(value, given)] for name, value in found.items()})
    value = found[name]
    text = f"{value:.{given.decimals + 2}f}"
    told = (
        f"No estimate from this table prints as {given.text}: {_listed(found, given)} "
        "(an adjusted one need not)."
        if verdict == INCONSISTENT
        else f"{given.text} is the odds ratio of the table: {name}, {text}"
        + ("." if verdict == CONSISTENT else ", its digits cut off.")
    )
    distance = gap(Span(value, value), given)
    return CheckLine(printed, text, verdict, told, part, gap=distance)


def limits_line(figures: Figures, printed: str, counts: Counts) -> CheckLine:
    """Hold printed limits of an odds ratio against those of each method."""
    part = "limits"
    names = [name for name in ("low", "high") if figures.known(name)]
    if not names:
        return open_line(printed, f"{figures.missing('low', 'high')}.", part=part)
    given = [figures.printed(name) for name in names]
    columns = ["conf_low" if name == "low" else "conf_high" for name in names]
    rows = _rows(counts, figures.conf_level).set_index("name")
    pairs = {
        str(name): list(zip(row[columns].astype(float), given, strict=True))
        for name, row in rows.iterrows()
    }
    name, verdict = _best(pairs)
    digits = given[0].decimals + 2
    text = " to ".join(_number(value, digits) for value, _ in pairs[name])
    level = f"{100 * figures.conf_level:g} %"
    told = (
        f"No {level} limits of this table print so; nearest: {name}, {text} "
        "(those of an adjusted ratio need not)."
        if verdict == INCONSISTENT
        else f"These are the {level} limits of the table: {name}, {text}"
        + ("." if verdict == CONSISTENT else ", digits cut off.")
    )
    return CheckLine(printed, text, verdict, told, part)


def _rows(counts: Counts, conf_level: float) -> pd.DataFrame:
    """The odds ratio with limits by each method, the usual one first."""
    a, n, c, m = counts
    limits = exact_table([[a, n - a], [c, m - c]], conf_level=conf_level).to_frame()
    rows = limits[(limits["measure"] == "odds ratio") & limits["method"].isin(list(_NAMES))]
    order = rows["method"].map({name: place for place, name in enumerate(_NAMES)})
    rows = rows.assign(name=rows["method"].map(_NAMES)).loc[order.sort_values().index]
    return rows.dropna(subset=["estimate"]).reset_index(drop=True)


def _best(pairs: dict[str, list[tuple[float, Printed]]]) -> tuple[str, str]:
    """Return the method that agrees best with the print, and its verdict."""

    def judged(name: str) -> tuple[int, float]:
        worst = max(VERDICTS.index(_verdict(*pair)) for pair in pairs[name])
        return worst, max(_distance(*pair) for pair in pairs[name])

    best = min(pairs, key=judged)
    return best, VERDICTS[judged(best)[0]]


def _verdict(value: float, given: Printed) -> str:
    return INCONSISTENT if math.isnan(value) else compared(outward(value, value), given)


def _distance(value: float, given: Printed) -> float:
    if not math.isfinite(value) or value <= 0.0 or given.number <= 0.0:
        return 0.0 if value == given.number else math.inf
    return abs(math.log(value / given.number))


def _listed(found: dict[str, float], given: Printed) -> str:
    digits = given.decimals + 2
    return ", ".join(f"{name} {_number(value, digits)}" for name, value in found.items())


def _number(value: float, digits: int) -> str:
    return "\u221e" if math.isinf(value) else f"{value:.{digits}f}"
