"""The interval from the primary to the metastasis: seen only in those who metastasised in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_interval, fmt_number, fmt_percent
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.evidence_verdicts import evidence_verdict
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.finding import Finding
from rnetstats.studies.nelm2024.cohort import Cohort
from rnetstats.studies.records import records
from rnetstats.survival.right_truncation import RightTruncatedResult, right_truncated

__all__ = [
    "Intervals",
    "interval_findings",
    "interval_table",
    "intervals_of",
    "surveillance_table",
    "truncation_table",
]

SHARES = (0.01, 0.03, 0.10)
YEARS = (1, 3, 5, 10)
PATIENTS = 1000  # of the example whose law is known
MEDIAN, SHAPE, LONGEST = 60.0, 1.2, 180.0
"""A law of the interval to show the bias with, and the longest window: chosen."""


@dataclass(frozen=True)
class Intervals:
    """The law of the interval by primary, or None where the file does not allow it."""

    found: RightTruncatedResult | None
    naive: dict[str, float]

    def results(self) -> dict[str, Result]:
        """Return the estimate by name."""
        return {} if self.found is None else {"interval": self.found}


def intervals_of(cohort: Cohort, attempts: Attempts) -> Intervals:
    """Estimate the law of the interval in asynchronous patients."""
    what = "Law of the disease-free interval"
    frame = cohort.asynchronous
    if not cohort.has("interval_months"):
        attempts.skip(what, "the file has no column interval_months")
        return Intervals(None, {})
    medians = frame.groupby("primary", observed=True)["interval_months"].median()
    naive = {str(name): float(value) for name, value in medians.items()}
    if not cohort.has("window_months"):
        attempts.skip(
            what,
            "the file has no column window_months; without the longest interval that could have "
            "been seen in each patient the truncation cannot be put right",
        )
        return Intervals(None, naive)
    formula = "interval_months ~ " + ("primary" if len(naive) > 1 else "1")
    found = attempts.run(what, lambda: right_truncated(frame, formula, truncation="window_months"))
    return Intervals(found, naive)


def interval_table(intervals: Intervals) -> Exhibit | None:
    """Return naive and corrected medians by primary."""
    if intervals.found is None:
        return None
    return Exhibit(
        name="intervals",
        title="Months from the primary to the metastasis",
        caption="Naive: as seen. Corrected: the reverse-time estimate, which weighs in that a long "
        "interval is seen only in who could be watched for long.",
        numbers=intervals.found.groups.copy(),
        shown=intervals.found.display(),
        notes=intervals.found.notes,
    )


def truncation_table(seed: int) -> Exhibit:
    """Show the bias where the law is known: naive and corrected medians by the longest window."""
    rng = np.random.default_rng(seed)
    scale = MEDIAN / np.log(2.0) ** (1.0 / SHAPE)
    rows = []
    for longest in (48.0, 84.0, 120.0, LONGEST, 360.0):
        window = rng.uniform(0.0, longest, 12 * PATIENTS)
        interval = scale * rng.weibull(SHAPE, 12 * PATIENTS)
        seen = np.flatnonzero(interval <= window)[:PATIENTS]
        frame = {"interval": interval[seen], "window": window[seen]}
        found = right_truncated(frame, "interval ~ 1", truncation="window")
        row = records(found.groups)[0]
        chance = -np.expm1(-((longest / scale) ** SHAPE))
        within = scale * (-np.log1p(-0.5 * chance)) ** (1.0 / SHAPE)
        rows.append(
            {
                "longest_window": longest,
                "n": int(row["n"]),
                "naive_median": row["naive_median"],
                "corrected_median": row["median"],
                "true_median_within": within,
                "true_median": MEDIAN,
            }
        )
    numbers = pd.DataFrame(rows)
    shown = pd.DataFrame(
        {
            "Watched for at most": [f"{value:g} months" for value in numbers["longest_window"]],
            "Median as seen": [fmt_number(value, 1) for value in numbers["naive_median"]],
            "Corrected": [fmt_number(value, 1) for value in numbers["corrected_median"]],
            "Truth, of those within the window": [
                fmt_number(value, 1) for value in numbers["true_median_within"]
            ],
            "Truth, of all": [fmt_number(value, 1) for value in numbers["true_median"]],
        }
    )
    return Exhibit(
        name="truncation",
        title="The same law, watched for longer and longer",
        caption=f"Simulated; the law is known (median {MEDIAN:g} months, {PATIENTS:,} metastases "
        "seen in each row).",
        numbers=numbers,
        shown=shown,
        notes=(
            "The corrected median is that of intervals within the window: nothing is learnt of "
            "longer ones. The median as seen grows with the time that the series was watched, "
            "whatever the tumours do.",
        ),
    )


def surveillance_table() -> Exhibit:
    """Show that one law of the interval goes with any risk of the patients under surveillance."""
    scale = MEDIAN / np.log(2.0) ** (1.0 / SHAPE)
    times = 12.0 * np.asarray(YEARS, dtype=float)
    left = np.exp(-((times / scale) ** SHAPE))
    rows = [
        {"ever": share, "years": year, "still_to_come": share * rest / (1.0 - share * (1.0 - rest))}
        for share in SHARES
        for year, rest in zip(YEARS, left, strict=True)
    ]
    numbers = pd.DataFrame(rows)
    wide = numbers.pivot(index="ever", columns="years", values="still_to_come")
    shown = pd.DataFrame(
        {
            "Will ever metastasise": [fmt_percent(float(x), 0) for x in wide.index],
            **{
                f"Still to come at {year} year{'s' * (year > 1)}": [
                    fmt_percent(float(x)) for x in wide[year]
                ]
                for year in YEARS
            },
        }
    )
    return Exhibit(
        name="surveillance",
        title="What the length of surveillance depends on",
        caption="Patients free of metastases so far: how many will still have one. All rows have "
        f"the same law of the interval (Weibull, shape {SHAPE:g}, median {MEDIAN:g} months). The "
        "law and the shares in the first column are chosen, not printed anywhere.",
        numbers=numbers,
        shown=shown,
        notes=(
            "A series of patients with metastases sees the law of the interval, at best. It never "
            "sees the first column, which decides.",
        ),
    )


def _rows(found: RightTruncatedResult, naive: dict[str, float]) -> list[dict[str, Any]]:
    """Return a row a primary; where there is one, the estimate has no groups and is named here."""
    rows = records(found.groups)
    if len(naive) == 1:
        rows[0]["group"] = next(iter(naive))
    return rows


def interval_findings(intervals: Intervals, printed: str, conclusion: str) -> list[Finding]:
    """Return the claims on the interval and on surveillance."""
    found = intervals.found
    rows = [] if found is None else _rows(found, intervals.naive)
    # beside corrected medians stand the naive ones of the same patients
    naive = {row["group"]: row["naive_median"] for row in rows} or intervals.naive
    seen = "; ".join(f"{name} {fmt_number(value, 1)}" for name, value in naive.items())
    shown, events = "none", "asynchronous patients with an interval: none"
    said = "The intervals are not in these data."
    if seen:
        said = f"As seen, the median interval in months is: {seen}."
    if found is not None:
        events = "; ".join(
            f"{row['group']}: {int(row['n'])} metastas{'i' if row['n'] == 1 else 'e'}s"
            for row in rows
        )
        parts = [
            f"{row['group']} {fmt_number(row['median'], 1)} "
            f"({fmt_interval(row['conf_low'], row['conf_high'], 1)})"
            for row in rows
        ]
        shown = "median " + "; ".join(parts)
        said += f" Corrected for truncation, within {found.within:g} months: {'; '.join(parts)}."
    why = (
        "An interval is known only of patients who metastasised while they were watched "
        "(right truncation)."
    )
    return [
        Finding(
            key="interval",
            statement=f"The median disease-free interval of asynchronous rectal metastases is "
            f"{printed}",
            endpoint="Months from the primary to the metastasis, among those who metastasised",
            estimand="Median of the interval, given that it lies within the window",
            method="Reverse-time product-limit estimate (Lagakos, Barraj and De Gruttola 1988)",
            events=events,
            said=said,
            fixed=evidence_verdict("design", why),
            shown=shown,
        ),
        Finding(
            key="surveillance",
            statement=f"Surveillance should change: {conclusion}",
            endpoint="Metastasis in patients after resection of the primary",
            estimand="Risk of a metastasis still to come, in patients free of one",
            method="Follow-up of all patients from the primary would be needed; there is none",
            events="patients without metastases: none in the series",
            said="How long to watch depends on how many of those who are free of metastases will "
            "have one, and when. The series holds none of them. One and the same law of the "
            "interval goes with a risk still to come of almost nothing or of several per cent, as "
            "the table on surveillance shows.",
            fixed=evidence_verdict("design", "Nobody without metastases is in the series."),
            shown="none",
        ),
    ]
