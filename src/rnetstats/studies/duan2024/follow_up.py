"""Follow-up, overall and by margin: its median, and how complete it is where dates tell."""

from __future__ import annotations

from typing import Any

import pandas as pd

from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.cohort import Cohort
from rnetstats.studies.records import records
from rnetstats.survival.follow_up import FollowUpResult, follow_up
from rnetstats.survival.potential import UNIT_DAYS

__all__ = ["follow_up_rows", "last_date"]

_FORMULA = "Surv(os_months, death) ~ margin"


def follow_up_rows(cohort: Cohort, attempts: Attempts) -> list[dict[str, Any]]:
    """Return the rows of the follow-up table, all patients first; none where it is refused.

    With dates of enrolment a row holds the completeness index, and in ``closing`` the date up to
    which follow-up is taken to have been possible: the last on which the file follows anybody.
    """
    frame, closing = cohort.by_margin(), last_date(cohort)
    found: FollowUpResult | None = None
    if closing:
        found = attempts.run(
            "Completeness of follow-up",
            lambda: follow_up(frame, _FORMULA, enrolled="enrolment_date", closing=closing),
        )
    if found is None:
        found = attempts.run("Median follow-up", lambda: follow_up(frame, _FORMULA))
        closing = ""
    if found is None:
        return []
    rows = [{**row, "closing": closing} for row in records(found.to_frame())]
    everybody = int(rows[0]["n"]) == len(frame)
    rows[0]["group"] = "all patients" if everybody else "all with known margin and follow-up"
    return rows


def last_date(cohort: Cohort) -> str:
    """Return the last date on which anybody was followed; empty where no date tells."""
    if not cohort.has("enrolment_date", "os_months"):
        return ""
    days = (cohort.everyone["os_months"] * UNIT_DAYS["months"]).round()
    last = (cohort.everyone["enrolment_date"] + pd.to_timedelta(days, unit="D")).max()
    return "" if pd.isna(last) else str(last.date())
