"""What survival by resection says to the claims that were printed of it."""

from __future__ import annotations

import math
from typing import Any

from rnetstats.formatting import fmt_interval, fmt_number, fmt_percent
from rnetstats.studies.finding import Finding
from rnetstats.studies.nelm2024.resection import COX, Resection
from rnetstats.studies.treatment_verdicts import TreatmentEvidence, judge_treatment
from rnetstats.treatment.e_value import e_value
from rnetstats.treatment.effect_result import TreatmentEffectResult

__all__ = ["resection_findings"]


def resection_findings(found: list[Resection]) -> list[Finding]:
    """Return the claims that resected patients live longer."""
    return [_finding(resection) for resection in found]


def _finding(found: Resection) -> Finding:
    kind, naive, row = found.kind, found.row("naive"), found.row(COX)
    counted = (
        f"{found.resected} of {found.n - found.unplaced} {kind.who} had {kind.what} resected"
        + f" (of {found.unplaced} more it is not known)" * (found.unplaced > 0)
        + f"; {found.deaths} died"
        + f", and of {found.unknown} it is not known" * (found.unknown > 0)
        + f". {_compared(found)}"
    )
    if row is None or naive is None:
        why = found.why_not or (
            "These data refuse the comparison; the reason stands at the end of the report, among "
            "what was left out."
        )
        verdict = judge_treatment(None, missing=why)
        return _told(found, f"{counted}{verdict.because}", verdict, "none", 0)
    evidence = TreatmentEvidence(
        events_treated=int(row["events_treated"]),
        events_untreated=int(row["events_untreated"]),
        estimate=float(row["estimate"]),
        conf_low=float(row["conf_low"]),
        conf_high=float(row["conf_high"]),
        e_value=_e_value(row),
    )
    verdict = judge_treatment(evidence)
    shown = _ratio(row)
    time = "" if found.effect is None else _misclassified(found.effect)
    seem = _ratio(naive).replace("HR", "a hazard ratio of")
    said = (
        f"{counted}Counted as resected from the first day, resected patients seem to have "
        f"{seem} (naive){time}. Counted as resected from the "
        f"day of resection on: {shown}. Who is fit enough for an operation lives longer without "
        "it, too, and no file holds all of that."
        + " That no difference is shown is not equality: no margin is printed."
        * (kind.same and verdict.rule not in ("association only", "association against"))
    )
    return _told(
        found, said, verdict, shown, min(evidence.events_treated, evidence.events_untreated)
    )


def _compared(found: Resection) -> str:
    """Say on how many the comparison rests, where values are missing in the others."""
    if found.effect is None:
        return ""
    row = found.effect.glance().iloc[0]
    n, deaths = int(row["n"]), int(row["n_events"])
    if n == found.n:
        return ""
    return (
        f"The comparison holds {n} of these {found.n} patients, {deaths} of whom died; the notes "
        "below its table and the end of the report say why the others are left out. "
    )


def _e_value(row: dict[str, Any]) -> float:
    low, high = float(row["conf_low"]), float(row["conf_high"])
    if not (low < high < float("inf") and low > 0.0):
        return float("nan")
    found = e_value(float(row["estimate"]), low, high, measure="hr", rare=False)
    return float(found.glance()["e_value_limit"].iloc[0])


def _ratio(row: dict[str, Any]) -> str:
    if math.isnan(row["estimate"]):
        return "no hazard ratio"
    bare = math.isnan(row["conf_low"])
    limits = "no interval" if bare else fmt_interval(row["conf_low"], row["conf_high"])
    return f"HR {fmt_number(row['estimate'])} ({limits})"


def _misclassified(effect: TreatmentEffectResult) -> str:
    row = effect.glance().iloc[0]
    return (
        f"; {fmt_percent(float(row['share_before']))} of their follow-up was before the resection, "
        "when they could not have died and still have been resected"
    )


def _told(found: Resection, said: str, verdict: Any, shown: str, fewest: int) -> Finding:
    return Finding(
        key=f"os_{found.kind.key}",
        statement=found.kind.claim,
        endpoint="Overall survival from the diagnosis of the metastases",
        estimand="Ratio of the hazards of death, at each moment, of patients already resected and "
        "of those not (yet) resected",
        method="Cox regression with the resection as it happens, Firth’s penalty, profile limits",
        events=f"deaths: {found.deaths} of {found.n - found.unknown} {found.kind.who}"
        + f" (of {found.unknown} more it is not known)" * (found.unknown > 0)
        + _by_arm(found),
        said=said,
        n_events=found.deaths,
        fewest=fewest,
        fixed=verdict,
        shown=shown,
    )


def _by_arm(found: Resection) -> str:
    """Return the deaths that the time-dependent comparison counts in each arm."""
    row = found.row(COX)
    if row is None:
        return ""
    after, before = int(row["events_treated"]), int(row["events_untreated"])
    return f"; in the comparison {after} after the resection, {before} before or without it"
