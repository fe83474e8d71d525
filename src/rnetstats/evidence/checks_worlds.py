"""Checks that ask which integer tables the printed figures allow."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, Any

from rnetstats.evidence.checks_line import (
    CONSISTENT,
    INCONSISTENT,
    ROUNDING,
    CheckLine,
    Figures,
    open_line,
)
from rnetstats.evidence.checks_percentage import impossible_share, possible_share, scale_of
from rnetstats.evidence.worlds_counts import MatchingCountsResult, matching_counts
from rnetstats.evidence.worlds_splits import event_splits
from rnetstats.formatting import fmt_percent

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_share", "check_split"]

_ALLOWED = {
    "worse": ("worse",),
    "better": ("better",),
    "different": ("worse", "better"),
    "same": ("not significant",),
}
_WORDS = {
    "worse": "significantly worse",
    "better": "significantly better",
    "different": "significantly different",
    "same": "not significantly different",
}
_SHOWN = 3  # counts named in a sentence


def check_split(figures: Figures) -> list[CheckLine]:
    """Ask which splits of the events over two groups allow a printed conclusion."""
    names = ("events", "n_1", "n_2")
    if not all(figures.known(name) for name in names):
        return [open_line("", f"{figures.missing(*names)}.")]
    events, n_1, n_2 = (figures.count(name) for name in names)
    conclusion = figures.option("conclusion")
    printed = f"{events} events over {n_1} and {n_2}: group 1 {_WORDS[conclusion]}"
    if min(events, n_1, n_2) < 1:
        return [open_line(printed, "Without events, or without patients, there is no split.")]
    deaths = _deaths(figures)
    if events + int(deaths) * (deaths is not True) > n_1 + n_2:
        counted = "" if deaths is False else f" and {deaths:d} deaths"
        told = f"{events} events{counted} are more than the {n_1 + n_2} patients."
        return [CheckLine(printed, "\u2013", INCONSISTENT, told)]
    found = event_splits(events, n_1, n_2, alpha=1.0 - figures.conf_level, deaths=deaths)
    rows = found.to_frame()
    allowed = rows[rows["verdict"].isin(_ALLOWED[conclusion])]
    many = f"{len(allowed)} of {len(rows)} splits"
    logrank = _by_logrank(rows, conclusion, events)
    if len(allowed):
        recomputed = f"{_ranges(allowed)} of {events} in group 1 ({many})"
        told = (
            f"By Fisher's test group 1 is {_WORDS[conclusion]} with {_ranges(allowed)} of the "
            f"{events} events in it ({many}); the split is not stated, so the conclusion is "
            f"possible, not shown{logrank}"
        )
    else:
        recomputed = many
        told = (
            f"By Fisher's test no split of the {events} events makes group 1 {_WORDS[conclusion]}"
            f"{logrank}"
        )
    possible = len(allowed) or logrank or figures.given("deaths")
    told += _deaths_words(figures) or "."
    verdict = CONSISTENT if possible else INCONSISTENT
    return [CheckLine(printed, recomputed, verdict, told, world=found)]


def _deaths(figures: Figures) -> bool | int:
    """How deaths are counted: not at all, a known number, or (True) a number nobody knows."""
    if not figures.given("deaths"):
        return False
    return figures.count("deaths") if figures.known("deaths") else True


def _deaths_words(figures: Figures) -> str:
    if not figures.given("deaths"):
        return ""
    if figures.known("deaths"):
        return f"; with the {figures.count('deaths')} deaths counted too, see the table."
    return "; with deaths counted too, whose number is not known, there is no such bound."


def _by_logrank(rows: pd.DataFrame, conclusion: str, events: int) -> str:
    """Say which split would do by the log-rank test though not by Fisher's, and on what terms."""
    side = "better" if conclusion == "better" else "worse"
    if conclusion == "same":
        return ""
    others = rows[(rows["verdict"] != side)]
    if side == "worse":
        others = others[others["share_logrank"] > 0.0].tail(1)
        bound, column = "at most", "share_logrank"
    else:
        others = others[others["share_better_logrank"] < 1.0].head(1)
        bound, column = "at least", "share_better_logrank"
    if others.empty:
        return ""
    first = int(others["events_1"].iloc[0])
    tenths = 1000.0 * float(others[column].iloc[0])
    share = (floor(tenths) if side == "worse" else ceil(tenths)) / 10.0
    return (
        f"; by the log-rank test {first} of the {events} would do if group 1 holds {bound} "
        f"{share:.1f} % of the time at risk"
    )


def _ranges(rows: pd.DataFrame) -> str:
    """Write events of group 1 as ranges: ``0 or 8 to 12``."""
    values = sorted(int(v) for v in rows["events_1"])
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return " or ".join(str(r[0]) if len(r) == 1 else f"{r[0]} to {r[-1]}" for r in runs)


def check_share(figures: Figures) -> list[CheckLine]:
    """Ask which counts, of at most so many patients, print as a percentage."""
    if not figures.known("percent") or not figures.known("at_most"):
        return [open_line("", f"{figures.missing('percent', 'at_most')}.")]
    percent, most = figures.fact("percent"), figures.count("at_most")
    printed = f"{percent.text} of at most {most}"
    if scale_of(figures) != 100:
        return [open_line(printed, 'The share must be a percentage, with the unit "%".')]
    if not possible_share(figures.printed("percent"), 100):
        return [impossible_share(printed, percent.text)]
    if most < 1:
        return [open_line(printed, "A share of no patients is not defined.")]
    found = matching_counts(percent.value, at_most=most, conf_level=figures.conf_level)
    rows = found.to_frame()
    if not len(rows):
        return [CheckLine(printed, "no count", INCONSISTENT, found.conflict, world=found)]
    verdict = CONSISTENT if rows[["half_up", "half_even"]].to_numpy().any() else ROUNDING
    return [
        CheckLine(printed, _pairs(rows), verdict, _share_words(figures, found, rows), world=found)
    ]


def _share_words(figures: Figures, found: MatchingCountsResult, rows: pd.DataFrame) -> str:
    row: Any = found.glance().iloc[0]
    level = f"{100 * figures.conf_level:g} %"
    most = figures.count("at_most")
    limits = f"{fmt_percent(row['conf_low'])} to {fmt_percent(row['conf_high'])}"
    if row["pairs"] == 1:
        return (
            f"Of at most {most} patients only {_pairs(rows)} prints so; its exact {level} limits "
            f"are {limits}."
        )
    return (
        f"Of at most {most} patients {int(row['pairs']):,} pairs of counts print so, of "
        f"{int(row['n_low']):,} to {int(row['n_high']):,} patients; exact {level} limits "
        f"within {limits}."
    )


def _pairs(rows: pd.DataFrame) -> str:
    shown = [
        f"{events}/{low}" if low == high else f"{events}/({low} to {high})"
        for events, low, high in rows[["events", "n_low", "n_high"]].to_numpy(int)[:_SHOWN]
    ]
    return ", ".join(shown) + (", ..." if len(rows) > _SHOWN else "")
