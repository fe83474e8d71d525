"""Median follow-up, overall and by margin."""

from __future__ import annotations

from typing import Any

from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.cohort import Cohort
from rnetstats.studies.records import records
from rnetstats.survival.follow_up import follow_up

__all__ = ["follow_up_rows"]


def follow_up_rows(cohort: Cohort, attempts: Attempts) -> list[dict[str, Any]]:
    """Return the rows of the follow-up table, all patients first; none where it is refused."""
    found = attempts.run(
        "Median follow-up",
        lambda: follow_up(cohort.by_margin(), "Surv(os_months, death) ~ margin"),
    )
    if found is None:
        return []
    rows = records(found.to_frame())
    rows[0]["group"] = "all patients"
    return rows
