"""The paragraphs of the salvage chapter, made from the numbers."""

from __future__ import annotations

import math
from typing import Any

from rnetstats.formatting import fmt_number, fmt_percent
from rnetstats.studies.duan2024.paragraph import Paragraph, Section
from rnetstats.studies.duan2024.salvage_words import (
    EVENTS,
    READINGS,
    counted,
    fewer_or_more,
    limits_of_100,
    told,
)
from rnetstats.studies.study_result import StudyResult

__all__ = ["salvage_section"]

_NAIVE = Paragraph(
    lead="The naive comparison.",
    text="The tables and curves that are called naive group patients from the day of the first "
    "resection by a salvage that came later. The time before salvage is counted as salvaged, "
    "although a patient with a recurrence in it would not have been salvaged for the margin. They "
    "are shown because this is what a simple comparison would do; no verdict rests on them, and "
    "their intervals and P values mean nothing for an effect of salvage.",
)


def salvage_section(result: StudyResult) -> Section:
    """Return the chapter; without salvage or its day only the naive comparison."""
    facts = result.facts.get("salvage")
    valid = _valid(result, facts) if facts else (_missing(result),)
    naive = (_NAIVE,) if "salvage_naive" in result.tables else ()
    return Section(
        "salvage",
        "Salvage among positive margins",
        (*valid, *naive),
        (
            "salvage_lanes",
            "salvage_changing",
            "salvage_strategies",
            "salvage_biases",
            "salvage_detectable",
            "km_salvage_naive",
        ),
        (
            "salvage_effects",
            "salvage_risks",
            "salvage_reasons",
            "salvage_margins",
            "salvage_detectable",
            "salvage_biases",
            "salvage_bias_inputs",
            "salvage_immortal",
            "salvage_naive",
            "salvage_comparisons",
            "salvage_kinds",
        ),
    )


def _missing(result: StudyResult) -> Paragraph:
    """Say why there is no valid comparison at all."""
    reasons = dict.fromkeys(_because(result, key) for key in READINGS)
    return Paragraph(
        lead="What is missing.",
        text=f"{' '.join(reasons)} No comparison that would be worth a verdict can be made.",
    )


def _because(result: StudyResult, key: str) -> str:
    """Return the reason of the verdict on salvage under an endpoint."""
    given = dict(zip(result.claims["claim"], result.claims["because"], strict=True))
    return str(given[f"salvage_{key}"])


def _valid(result: StudyResult, facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    return (
        _verdict(result, facts),
        *_of_100(facts),
        *_bias(facts),
        *_kinds(facts),
        *_detectable(facts),
        _unknown(facts),
    )


def _verdict(result: StudyResult, facts: dict[str, Any]) -> Paragraph:
    given = dict(zip(result.claims["claim"], result.claims["verdict"], strict=True))
    effects = facts["effects"]
    sentences = [
        f"{told(EVENTS[key][1])}: {row['events_treated']} after salvage, "
        f"{row['events_untreated']} before or without it."
        for key, row in effects.items()
    ]
    without: dict[str, list[str]] = {}
    for key in READINGS:
        if key not in effects:
            without.setdefault(_because(result, key), []).append(READINGS[key])
    sentences += [
        f"There is no comparison for {', nor for '.join(names)}. {reason}"
        for reason, names in without.items()
    ]
    verdicts = {key: given[f"salvage_{key}"] for key in READINGS}
    if len(set(verdicts.values())) == 1:
        words = f"is “{verdicts['dfs']}”, whichever way disease-free survival is read"
    else:
        words = "is " + " and ".join(f"“{v}” for {READINGS[key]}" for key, v in verdicts.items())
    return Paragraph(
        lead="Does salvage help?",
        text=f"{_who(facts)} A patient counts as salvaged from the day of salvage on, and as "
        f"not salvaged until then. {' '.join(sentences)} The verdict on a benefit {words}. A "
        "report like this one never confirms the effect of a treatment that doctors chose; the "
        "rules say why.",
    )


def _who(facts: dict[str, Any]) -> str:
    """Say how many were salvaged, and when."""
    n, treated, delay = facts["n"], facts["n_treated"], fmt_number(facts["median_delay"], 1)
    them = "patients with a positive margin"
    if facts["n"] == facts["n_treated"]:
        who = (
            f"All {n} {them} were salvaged" if n > 1 else f"The one patient of {them} was salvaged"
        )
    else:
        who = f"{treated} of {n} {them} {'were' if treated > 1 else 'was'} salvaged"
    if treated == 1:
        when = f", {delay} months after the first resection"
    elif facts["median_delay"] > 0.0:
        when = f", half of them within {delay} months"
    else:
        when = ", at least half of them on the day of the first resection"
    used = {row["n"] for row in facts["effects"].values()}
    least = min(used, default=n)
    complete = (
        f" The comparisons are of the {least} for whom every factor is known." if least < n else ""
    )
    return f"{who}{when}.{complete}"


def _of_100(facts: dict[str, Any]) -> tuple[Paragraph, ...]:
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


def _bias(facts: dict[str, Any]) -> tuple[Paragraph, ...]:
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


def _kinds(facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    """Say what the comparison of endoscopic and radical salvage could support."""
    parts = [_kind(key, row) for key, row in facts["kinds"].items()]
    if not parts:
        return ()
    needed = [
        f"{row['needed']} for {READINGS[key]}"
        for key, row in facts["kinds"].items()
        if row["needed"]
    ]
    few = any(row["sparse"] for row in facts["kinds"].values())
    wanted = (
        " To show it for a margin of 5 of 100, about this many patients would be needed in each "
        f"arm, if the risk is as seen here: {', '.join(needed)}"
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
    return (
        f"{counts}, and “no worse” could have been shown only if "
        f"{math.ceil(100.0 * row['smallest_margin'])} more of 100 had been declared acceptable "
        "before anybody saw the data"
    )


def _detectable(facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    """Say what the recurrences could have shown, at ratios supposed beforehand."""
    found = facts.get("detectable")
    if not found:
        return ()
    shown = (
        "no hazard ratio below 1, however low, would"
        if math.isnan(found["low"])
        else f"only a hazard ratio of {fmt_number(found['low'])} or lower would"
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


def _unknown(facts: dict[str, Any]) -> Paragraph:
    unlike = facts.get("most_unlike")
    return Paragraph(
        lead="What cannot be known from such data.",
        text="Why these patients were salvaged and not others; whether residual tumour found at "
        "salvage would have become a recurrence; and whether recurrences came to light because "
        "somebody looked more often. A trial, or at least a protocol for who is salvaged and how "
        "everybody is followed, would be needed."
        + (
            f" Of {facts['confounders']}, the salvaged and the others differed most in "
            f"{unlike['name']} (SMD {unlike['smd']})."
            if unlike and " and " in facts["confounders"]
            else ""
        ),
    )
