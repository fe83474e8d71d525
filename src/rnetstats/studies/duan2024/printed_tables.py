"""Tables from the printed numbers alone."""

from __future__ import annotations

import pandas as pd

from rnetstats.formatting import fmt_number, fmt_p, fmt_percent
from rnetstats.studies.duan2024.arithmetic import (
    PrintedNumbers,
    at_most,
    event_splits,
    needed_salvages,
)
from rnetstats.studies.exhibit import Exhibit

__all__ = ["printed_tables"]

_MOST_HITS = 3
_LEAST_RECURRENCES = 6


def printed_tables(printed: PrintedNumbers) -> tuple[Exhibit, Exhibit]:
    """Return the splits of the recurrences, and the salvages that a benefit needs."""
    return _splits_table(printed), _salvages_table(printed)


def _splits_table(printed: PrintedNumbers) -> Exhibit:
    splits = event_splits(printed)
    shown = pd.DataFrame(
        {
            "Recurrences, positive : negative": [
                f"{a} : {b}"
                for a, b in zip(splits["positive_events"], splits["negative_events"], strict=True)
            ],
            "Risk, positive": [fmt_percent(r) for r in splits["risk_positive"]],
            "Risk, negative": [fmt_percent(r) for r in splits["risk_negative"]],
            "Fisher P": [fmt_p(p) for p in splits["fisher_p"]],
            "Log-rank: worse if positives hold at most": _shares(splits["share_logrank"]),
            "The same, exact binomial": _shares(splits["share_exact"]),
        }
    )
    return Exhibit(
        name="event_splits",
        title="Every way in which the recurrences can fall on the margin groups",
        caption=(
            f"{printed.recurrences} recurrences over {printed.positive} positive and "
            f"{printed.negative} negative margins. The last two columns give the largest share of "
            "all follow-up time that the positive margins may hold for the split to be "
            "significantly worse at the two-sided 5 % level."
        ),
        from_print=True,
        numbers=splits,
        shown=shown,
        notes=(
            "Log-rank: without an effect each recurrence falls among the positives with the "
            "probability that they hold of those at risk, taken as constant.",
        ),
    )


def _shares(shares: pd.Series) -> list[str]:
    return [at_most(s) if s > 0.0 else "never" for s in shares]


def _salvages_table(printed: PrintedNumbers) -> Exhibit:
    numbers = needed_salvages(printed)
    part = numbers[
        (numbers["salvaged_events"] <= _MOST_HITS) & (numbers["recurrences"] >= _LEAST_RECURRENCES)
    ]
    columns: dict[str, list[str]] = {"Recurrences among positives": []}
    totals = sorted(part["recurrences"].unique(), reverse=True)
    columns["Recurrences among positives"] = [str(int(total)) for total in totals]
    for hits in range(_MOST_HITS + 1):
        cells = part[part["salvaged_events"] == hits].set_index("recurrences")["salvages"]
        columns[f"{hits} of them after salvage"] = [
            fmt_number(float(cells[total]), 0) if cells[total] > 0 else "not possible"
            for total in totals
        ]
    return Exhibit(
        name="needed_salvages",
        title="How many salvages a significant benefit needs",
        caption=(
            f"The fewest salvaged patients among {printed.positive} positive margins at which "
            "Fisher’s exact test (two-sided, 5 %) calls recurrence less frequent after salvage, by "
            "the recurrences among positives (rows) and after salvage (columns)."
        ),
        from_print=True,
        numbers=numbers,
        shown=pd.DataFrame(columns),
        notes=(
            "The table searches all possible 2 by 2 tables; the study prints neither the number of "
            "salvages nor the recurrences by salvage.",
        ),
    )
