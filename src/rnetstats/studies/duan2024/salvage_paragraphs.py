"""Paragraphs of the salvage chapter: risks of 100 patients, biases, kinds, what could be shown."""

from __future__ import annotations

import math
from typing import Any

from rnetstats.formatting import fmt_number, fmt_percent
from rnetstats.studies.duan2024.salvage_words import (
    EVENTS,
    READINGS,
    counted,
    fewer_or_more,
    limits_of_100,
    told,
)
from rnetstats.studies.section import Paragraph

__all__ = ["biases", "detectable", "kinds", "of_100"]


def of_100(facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    """Say the weighted risks in patients of 100."""
    sentences = [_risks(key, row) for key, row in facts["effects"].items()]
    if not sentences:
        return ()
    shown = [row for row in facts["effects"].values() if not _unknown_risk(row)]
    if shown:
        weighed = (
            "These figures weigh patients so that both strategies hold the same mix of "
            f"{facts['confounders']}; whatever else decided on salvage is not allowed for."
            if facts["confounders"]
            else "No factor is recorded by which patients could be weighed, so whatever decided "
            "on salvage is not allowed for."
        )
        sentences.append(weighed)
    if any(key == "recurrence" and row in shown for key, row in facts["effects"].items()):
        sentences.append(
            "The risks of recurrence are those if nobody died of something else first."
        )
    return (Paragraph(lead="Of 100 patients.", text=" ".join(sentences)),)


def _unknown_risk(row: dict[str, Any]) -> bool:
    return math.isnan(row["risk_treated"]) or math.isnan(row["risk_untreated"])


def _risks(key: str, row: dict[str, Any]) -> str:
    """Say one endpoint's risks under both strategies, and how far chance could move them."""
    what = f"{told(READINGS[key])} by month {row['horizon']:g}"
    if _unknown_risk(row):
        return f"{what}: the two strategies cannot be compared ({row['reason']})."
    treated, untreated = 100.0 * row["risk_treated"], 100.0 * row["risk_untreated"]
    # whole patients, unless their difference would then contradict the difference beside it
    digits = 0 if round(treated) - round(untreated) == round(100.0 * row["difference"]) else 1
    both = (
        f"{what} in {_patients(treated, digits)} of 100 patients if all were salvaged within "
        f"{row['grace']:g} months, and in {_patients(untreated, digits)} of 100 if nobody were"
    )
    if math.isnan(row["conf_low"]):
        return (
            f"{both}. Without an interval ({row['reason']}) nobody can say whether more than "
            "chance is at work."
        )
    change = fewer_or_more(row["difference"], digits)
    limits = limits_of_100(row["conf_low"], row["conf_high"], digits)
    return f"{both}: {change}, and anything from {limits} agrees with the data (95 % interval)."


def _patients(of_100: float, digits: int) -> str:
    """Write patients of 100, never as nobody where somebody could be."""
    least = 10.0**-digits
    if 0.0 < of_100 < 0.5 * least:
        return f"fewer than {least:g}"
    return fmt_number(of_100, digits)


def biases(facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    """Say what immortal time does, and what the larger biases do."""
    made = []
    if facts.get("delay_sentence"):
        made.append(
            Paragraph(
                lead="Immortal time.",
                text=f"{facts['delay_sentence']} The endpoint is recurrence; the figures are "
                "simulated.",
            )
        )
    if facts.get("bias_sentence"):
        made.append(
            Paragraph(
                lead="The biases, by size.",
                text=f"{facts['bias_sentence']} The endpoint is recurrence again, in a simulation "
                "of its own. Of these biases only immortal time is taken away by counting the time "
                "before salvage rightly.",
            )
        )
    return tuple(made)


def kinds(facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    """Say what the comparison of endoscopic and radical salvage could support."""
    parts = [_kind(key, row) for key, row in facts["kinds"].items()]
    if not parts:
        return ()
    needed = [
        f"{row['needed']} for {READINGS[key]}"
        for key, row in facts["kinds"].items()
        if row["needed"]
    ]
    unseen = any(
        row["events_new"] + row["events_reference"] == 0 for row in facts["kinds"].values()
    )
    bound = " (its upper 95 % bound where nobody had the event)" if unseen else ""
    few = any(row["sparse"] for row in facts["kinds"].values())
    wanted = (
        " To show it for a margin of 5 of 100, about this many patients would be needed in each "
        f"arm, if the risk is as seen here{bound}: {', '.join(needed)}"
        f"{'; such numbers rest on the same few events' if few else ''}."
        if needed
        else ""
    )
    return (
        Paragraph(
            lead="Endoscopic or radical?",
            text="No significant difference is not equality. Counted from the day of salvage: "
            f"{'; '.join(parts)}.{wanted}",
        ),
    )


def _kind(key: str, row: dict[str, Any]) -> str:
    counts = (
        f"{EVENTS[key][1]} in {row['events_new']} of {row['n_new']} after endoscopic and in "
        f"{row['events_reference']} of {row['n_reference']} after radical salvage within "
        f"{row['horizon']:g} months"
    )
    if row["sparse"]:
        return f"{counts}, too few to say anything"
    if not math.isfinite(row["smallest_margin"]):
        return f"{counts}, and no margin at all would have been met"
    if row["smallest_margin"] == 0.0:
        return f"{counts}, and any margin above 0 would have shown “no worse”"
    return (
        f"{counts}, and “no worse” could have been shown only if "
        f"{math.ceil(100.0 * row['smallest_margin'])} more of 100 had been declared acceptable "
        "before anybody saw the data"
    )


def detectable(facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    """Say what the recurrences could have shown, at ratios supposed beforehand."""
    found = facts.get("detectable")
    if not found:
        return ()
    shown = (
        "no hazard ratio below 1, however low, would"
        if math.isnan(found["low"])
        else f"of ratios below 1 only a hazard ratio of {fmt_number(found['low'])} or lower would"
    )
    hardly = found["power"] < 0.005
    few = "almost none" if hardly else fmt_percent(found["power"], 0)
    overstated = (
        ""
        if hardly or math.isnan(found["type_m"])
        else ", and the significant results would overstate the effect (on the log scale) "
        f"{fmt_number(found['type_m'], 1)} times on average"
    )
    return (
        Paragraph(
            lead="What could have been shown.",
            text=f"With {counted(found['events'], 'recurrence')}, and "
            f"{fmt_percent(found['share'], 0)} of the time at risk after salvage, {shown} be found "
            f"significant in {fmt_percent(found['wanted'], 0)} of such studies. If salvage truly "
            f"halved the hazard, {few} of them would find a significant difference{overstated}.",
        ),
    )
