"""The claims that no estimate decides: printed figures."""

from __future__ import annotations

import math
from typing import Any

from rnetstats.evidence.facts import FactSheet
from rnetstats.formatting import fmt_interval, fmt_number
from rnetstats.studies.duan2024.arithmetic import PrintedNumbers, percent_check
from rnetstats.studies.finding import Finding
from rnetstats.studies.verdicts import compare_print, not_judged

__all__ = ["follow_up_claim", "percent_claim"]


def percent_claim(printed: PrintedNumbers) -> Finding:
    """Return the check of the printed percentage of recurrences."""
    check = percent_check(printed)
    exact = fmt_number(float(check["exact"]), 2)
    how = (
        f"{printed.recurrences}/{printed.patients} = {exact} %, which rounds to "
        f"{check['rounded']} %"
    )
    agrees = bool(check["is_rounded"])
    cut = f"; the printed {printed.percent} % is cut off, not rounded" * bool(check["is_truncated"])
    return Finding(
        key="percent",
        statement=f"{printed.recurrences} recurrences are {printed.percent} %",
        endpoint="Recurrence, as printed",
        estimand="Arithmetic on the printed counts",
        method="Division",
        events=f"recurrences: {printed.recurrences} of {printed.patients}",
        said=f"{how}{cut}.",
        n_events=printed.recurrences,
        fixed=compare_print(agrees, f"{how}{cut}."),
        shown=f"{exact} %",
    )


def follow_up_claim(
    facts: FactSheet, follow_up: dict[str, Any] | None, *, synthetic: bool
) -> Finding:
    """Return the check of the median follow-up against the file."""
    printed = facts["median_follow_up"]
    median = follow_up["median"] if follow_up else math.nan
    known = follow_up is not None and not math.isnan(median)
    text = "none"
    said = "The cohort has no follow-up from which a median could be estimated."
    verdict = not_judged("No median follow-up in this cohort.")
    if follow_up is not None and known:
        interval = fmt_interval(follow_up["conf_low"], follow_up["conf_high"], 1)
        text = f"{fmt_number(median, 1)} months ({interval})"
        agrees = round(median, printed.decimals) == printed.number
        said = (
            f"The cohort’s median follow-up (reverse Kaplan-Meier) is {text}; the study prints "
            f"{printed.value} {printed.unit}."
            + " A synthetic cohort is drawn to meet it, so the agreement proves nothing."
            * synthetic
        )
        verdict = compare_print(
            agrees, f"{fmt_number(median, 1)} against the printed {printed.value} {printed.unit}."
        )
    return Finding(
        key="follow_up",
        statement=f"Median follow-up is {printed.value} {printed.unit}",
        endpoint="Follow-up until death or last visit (death counted as the end of observation)",
        estimand="Median potential follow-up",
        method="Reverse Kaplan-Meier",
        events=(
            f"still followed or lost: {int(follow_up['n'] - follow_up['n_events'])} of "
            f"{int(follow_up['n'])}"
            if follow_up is not None and known
            else "none"
        ),
        said=said,
        fixed=verdict,
        shown=text,
    )
