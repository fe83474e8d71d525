"""The claims that are not judged by an estimate: salvage, and printed figures."""

from __future__ import annotations

import math
from typing import Any

from rnetstats.formatting import fmt_interval, fmt_number, fmt_percent
from rnetstats.studies.duan2024.arithmetic import PrintedNumbers, percent_check
from rnetstats.studies.duan2024.salvage import NaiveSalvage
from rnetstats.studies.facts import FactSheet
from rnetstats.studies.finding import Finding
from rnetstats.studies.verdicts import compare_print, not_judged

__all__ = ["follow_up_claim", "percent_claim", "salvage_claims"]

_NAIVE = "Naive comparison from time zero; shown for its counts, not as evidence"


def salvage_claims(naive: NaiveSalvage | None) -> list[Finding]:
    """Return the two claims on salvage, without a verdict."""
    return [
        Finding(
            key="salvage",
            statement="Salvage treatment improves disease-free survival among positive margins",
            endpoint="Disease-free survival after salvage; here both endpoints, from time zero",
            estimand="Not defined by the comparison printed: salvage is known only later",
            method=_NAIVE,
            events=_salvage_events(naive),
            said=(
                "Not judged here: whoever is salvaged had to stay free of recurrence until then, "
                "so the question needs a time-dependent analysis (salvage as an exposure that "
                "begins on its day, with the reasons for it)." + _misclassified(naive)
            ),
            fixed=not_judged("A comparison from time zero cannot answer this claim."),
            shown=_naive_text(naive.any_salvage if naive else {}),
        ),
        Finding(
            key="salvage_kinds",
            statement="Endoscopic salvage is no worse than radical surgery",
            endpoint="Disease-free survival after salvage; here both endpoints, from time zero",
            estimand="Not defined: “no worse” needs a margin of what would be worse",
            method=_NAIVE,
            events=_kind_events(naive),
            said=(
                "Not judged here: no significant difference is not equality. “No worse” needs a "
                "margin of non-inferiority stated beforehand, and none is printed; with events "
                "this few a difference of clinical importance would pass unnoticed."
            ),
            fixed=not_judged("No margin of non-inferiority is printed."),
            shown=_naive_text(naive.kinds if naive else {}),
        ),
    ]


def _salvage_events(naive: NaiveSalvage | None) -> str:
    if naive is None:
        return "not known: no salvage in this cohort"
    parts = [f"{row.recurrences} of {row.n} ({row.salvage})" for row in naive.groups.itertuples()]
    return "recurrences among positive margins: " + ", ".join(parts)


def _kind_events(naive: NaiveSalvage | None) -> str:
    if naive is None:
        return "not known: no salvage in this cohort"
    treated = naive.groups[naive.groups["salvage"] != "none"]
    parts = [f"{row.recurrences} of {row.n} ({row.salvage})" for row in treated.itertuples()]
    return "recurrences after salvage: " + (", ".join(parts) or "no patient was salvaged")


def _misclassified(naive: NaiveSalvage | None) -> str:
    if naive is None:
        return ""
    treated = naive.groups[naive.groups["salvage"] != "none"]
    before, months = float(treated["months_before"].sum()), float(treated["months"].sum())
    if months <= 0.0:
        return ""
    return (
        f" In this cohort the naive comparison counts {fmt_number(before, 0)} person-months before "
        f"salvage as salvaged ({fmt_percent(before / months)} of the salvaged group’s time)."
    )


def _naive_text(comparisons: dict[str, Any]) -> str:
    parts = []
    for comparison in comparisons.values():
        p = comparison.primary
        if comparison.n_events and not math.isnan(p["estimate"]):
            interval = fmt_interval(p["conf_low"], p["conf_high"])
            name = comparison.endpoint.name.lower()
            parts.append(f"{name}: naive {p['measure']} {fmt_number(p['estimate'])} ({interval})")
    return "; ".join(parts) or "none"


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
    facts: FactSheet, follow_up: dict[str, float] | None, *, synthetic: bool
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
