"""Recurrence with death as its competitor: how many patients have either, by margin.

The cause-specific hazard asks how fast patients recur who are alive and free of recurrence; the
cumulative incidence how many recur at all, since the dead cannot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.cohort import Cohort
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.records import records
from rnetstats.survival.cumulative_incidence import cumulative_incidence
from rnetstats.survival.gray_test import GrayTestResult, gray_test
from rnetstats.survival.incidence_result import CumulativeIncidenceResult

__all__ = ["COURSE", "FREE", "Incidence", "course_of", "incidence_by_margin", "incidence_table"]

COURSE = {1: "recurrence", 2: "death without recurrence"}
FREE = "none"
HORIZON = 60.0
_FORMULA = "Surv(dfs_months, course) ~ margin"


@dataclass(frozen=True)
class Incidence:
    """Aalen-Johansen curves by margin, and Gray's test; None where these data refuse."""

    curves: CumulativeIncidenceResult | None
    test: GrayTestResult | None

    def results(self) -> dict[str, Result]:
        """Return the analyses that exist, named for the report."""
        found = {"margin_incidence": self.curves, "margin_gray": self.test}
        return {name: result for name, result in found.items() if result is not None}


def course_of(rows: pd.DataFrame) -> pd.Series:
    """Return what ended each patient's time free of both: 1, 2, or 0 for neither."""
    code = np.where(rows["recurrence"] == 1, 1.0, np.where(rows["dfs_event"] == 1, 2.0, 0.0))
    known = rows["recurrence"].notna() & rows["dfs_event"].notna()
    return pd.Series(code, index=rows.index).where(known)


def incidence_by_margin(cohort: Cohort, attempts: Attempts) -> Incidence:
    """Estimate the incidence of recurrence and of death without it, by margin."""
    frame = cohort.by_margin()
    levels = [FREE, *COURSE.values()]  # all of them, whichever occur
    course = course_of(frame).map(dict(enumerate(levels)))
    made = frame.assign(course=pd.Categorical(course, categories=levels))
    made.attrs = frame.attrs
    return Incidence(
        curves=attempts.run(
            "Cumulative incidence by margin",
            lambda: cumulative_incidence(made, _FORMULA, censor=FREE),
        ),
        test=attempts.run("Gray's test by margin", lambda: gray_test(made, _FORMULA, censor=FREE)),
    )


def _of_100(row: dict[str, Any]) -> str:
    """Write an incidence as patients of 100 with its limits, if the group was followed so long."""
    incidence, low, high = (100.0 * row[name] for name in ("incidence", "conf_low", "conf_high"))
    if math.isnan(incidence):
        return "– (not followed that long)"
    interval = "no interval" if math.isnan(low) else fmt_interval(low, high, 1)
    return f"{fmt_number(incidence, 1)} ({interval})"


def incidence_table(found: Incidence) -> Exhibit | None:
    """Return how many of 100 have either event within five years, by margin."""
    if found.curves is None:
        return None
    counts = found.curves.counts[["group", "cause", "n", "n_events"]]
    at = found.curves.at([HORIZON]).merge(counts, on=["group", "cause"])
    order = list(COURSE.values())  # recurrence before death, as everywhere
    at = at.sort_values(
        ["group", "cause"],
        key=lambda column: column.map(order.index) if column.name == "cause" else column,
        kind="stable",
    ).reset_index(drop=True)
    p_values = (
        {}
        if found.test is None
        else {row["cause"]: row["p_value"] for row in records(found.test.to_frame())}
    )
    numbers = at.assign(p_value=[p_values.get(cause, np.nan) for cause in at["cause"]])
    rows = records(numbers)
    shown = pd.DataFrame(
        {
            "Margin": numbers["group"],
            "First event": numbers["cause"],
            "Patients with it": [f"{row['n_events']:g} of {row['n']:g}" for row in rows],
            f"Of 100, by month {HORIZON:g} (95 % CI)": [_of_100(row) for row in rows],
            "Gray’s P": [fmt_p(row["p_value"]) for row in rows],
        }
    )
    return Exhibit(
        name="incidence_by_margin",
        title="Recurrence, and death without it",
        caption="Cumulative incidence (Aalen-Johansen): a patient who died can no longer recur, "
        "and is not counted as one who still might.",
        numbers=numbers,
        shown=shown,
        notes=found.curves.notes,
    )
