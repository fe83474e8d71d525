"""Median follow-up, overall and by margin."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.cohort import Cohort
from rnetstats.studies.duan2024.outcomes import with_group
from rnetstats.survival.kaplan_meier import kaplan_meier

__all__ = ["follow_up_rows"]


def follow_up_rows(cohort: Cohort, attempts: Attempts) -> list[dict[str, Any]]:
    """Return group, patients, censored, and the median follow-up with its limits."""
    levels = ("negative margin", "positive margin")
    frame = with_group(
        cohort.everyone, "margin", "Margin", cohort.everyone["margin_positive"], levels
    )
    rows: list[dict[str, Any]] = []
    for right in ("1", "margin"):
        curve = attempts.run(
            "Median follow-up",
            lambda r=right: kaplan_meier(frame, f"Surv(os_months, death) ~ {r}", reverse=True),  # type: ignore[misc]
        )
        if curve is not None:
            rows += _rows(curve.median, curve.groups, overall=right == "1")
    return rows


def _rows(median: pd.DataFrame, groups: pd.DataFrame, *, overall: bool) -> list[dict[str, Any]]:
    counts = groups.set_index("group")
    return [
        {
            "group": "all patients" if overall else str(row.group),
            "n": int(counts.loc[row.group, "n"]),
            "n_censored": int(counts.loc[row.group, "n_events"]),
            "estimate": float(row.estimate),
            "conf_low": float(row.conf_low),
            "conf_high": float(row.conf_high),
        }
        for row in median.itertuples()
    ]
