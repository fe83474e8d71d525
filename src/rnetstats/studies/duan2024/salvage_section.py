"""The paragraphs of the salvage chapter, made from the numbers."""

from __future__ import annotations

import math
from typing import Any

from rnetstats.formatting import fmt_interval, fmt_number, fmt_percent
from rnetstats.studies.duan2024.paragraph import Paragraph, Section
from rnetstats.studies.study_result import StudyResult

__all__ = ["salvage_section"]

_READINGS = {"recurrence": "recurrence", "dfs": "recurrence or death"}
_NAIVE = Paragraph(
    lead="The naive comparison.",
    text="The first table and its curves group patients from the day of the first resection by a "
    "salvage that came later. The time before salvage is counted as salvaged, although nobody "
    "could have recurred in it and still be in the group. It is shown because it is what a simple "
    "comparison would do; no verdict rests on it.",
)


def salvage_section(result: StudyResult) -> Section:
    """Return the chapter; without salvage or its day only the naive comparison."""
    facts = result.facts.get("salvage")
    return Section(
        "salvage",
        "Salvage among positive margins",
        (*(_valid(result, facts) if facts else ()), _NAIVE),
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


def _valid(result: StudyResult, facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    return (
        *_verdict(result, facts),
        *_of_100(facts),
        *_bias(facts),
        *_kinds(facts),
        *_detectable(facts),
        _unknown(facts),
    )


def _verdict(result: StudyResult, facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    given = dict(zip(result.claims["claim"], result.claims["verdict"], strict=True))
    verdicts = "; ".join(f"{_READINGS[key]}: {given[f'salvage_{key}']}" for key in facts["effects"])
    counts = "; ".join(
        f"{_READINGS[key]}: {row['events_treated']} after salvage, {row['events_untreated']} "
        "before or without it"
        for key, row in facts["effects"].items()
    )
    return (
        Paragraph(
            lead="Does salvage help?",
            text=f"{facts['n_treated']} of {facts['n']} patients with a positive margin were "
            f"salvaged, half of them within {fmt_number(facts['median_delay'], 1)} months. A "
            "patient counts as salvaged from that day on, and as not salvaged until then. "
            f"Events of {counts}. The verdict on a benefit, {verdicts}. A report like this one "
            "never confirms the effect of a treatment that doctors chose; the rules say why.",
        ),
    )


def _of_100(facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    """Say the weighted risks in patients of 100."""
    sentences = []
    for key, row in facts["effects"].items():
        if math.isnan(row["risk_treated"]):
            continue
        both = (
            f"{_READINGS[key]} by month {row['horizon']:g} in {_whole(row['risk_treated'])} of 100 "
            f"patients if all were salvaged within {row['grace']:g} months, and in "
            f"{_whole(row['risk_untreated'])} of 100 if nobody were"
        )
        if math.isnan(row["conf_low"]):
            sentences.append(
                f"{both}; with {row['reason'].split(',')[0]}, how far chance could "
                "move these figures cannot be said"
            )
        else:
            limits = fmt_interval(100.0 * row["conf_low"], 100.0 * row["conf_high"], 0)
            sentences.append(
                f"{both}: a difference of {fmt_number(100.0 * row['difference'], 0)} of 100, and "
                f"anything from {limits} agrees with the data"
            )
    if not sentences:
        return ()
    text = ". ".join(f"{s[0].upper()}{s[1:]}" for s in sentences)
    return (
        Paragraph(
            lead="Of 100 patients.",
            text=f"{text}. These figures weigh patients so that both strategies hold the same "
            f"{facts['confounders']}; whatever else decided on salvage is not allowed for.",
        ),
    )


def _whole(risk: float) -> str:
    """Write a risk as patients of 100, never as nobody where somebody could be."""
    return fmt_number(100.0 * risk, 0) if 100.0 * risk >= 0.5 or risk == 0.0 else "fewer than 1"


def _bias(facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    made = []
    if facts.get("delay_sentence"):
        made.append(Paragraph(lead="Immortal time.", text=facts["delay_sentence"]))
    if facts.get("bias_sentence"):
        made.append(
            Paragraph(
                lead="The larger biases.",
                text=f"{facts['bias_sentence']} Of these only immortal time is taken away by "
                "counting the time before salvage rightly.",
            )
        )
    return tuple(made)


def _kinds(facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    """Say what the comparison of endoscopic and radical salvage could support."""
    parts = []
    for key, row in facts.get("kinds", {}).items():
        smallest = row["smallest_margin"]
        support = (
            "no margin at all would have been met"
            if not math.isfinite(smallest)
            else "only if "
            f"{fmt_number(100.0 * smallest, 0)} more of 100 had been declared acceptable before "
            "anybody saw the data could “no worse” have been shown"
        )
        parts.append(
            f"for {_READINGS[key]} ({row['events_new']} after endoscopic, "
            f"{row['events_reference']} after radical salvage within {row['horizon']:g} months) "
            f"{support}"
        )
    if not parts:
        return ()
    text = "; ".join(parts)
    return (
        Paragraph(
            lead="Endoscopic or radical?",
            text="No significant difference is not equality. Counted from the day of salvage, "
            f"{text}. To show it for 5 more of 100, {facts['kinds_needed']} patients would be "
            "needed in each arm.",
        ),
    )


def _detectable(facts: dict[str, Any]) -> tuple[Paragraph, ...]:
    """Say what the recurrences could have shown, at ratios supposed beforehand."""
    found = facts.get("detectable")
    if not found:
        return ()
    shown = (
        "no hazard ratio, however low, would"
        if math.isnan(found["low"])
        else f"only a hazard ratio of {fmt_number(found['low'])} or lower would"
    )
    overstated = (
        ""
        if math.isnan(found["type_m"])
        else ", and those would overstate it (on the log scale) "
        f"{fmt_number(found['type_m'], 1)} times on average"
    )
    return (
        Paragraph(
            lead="What could have been shown.",
            text=f"With {found['events']:g} recurrences, and {fmt_percent(found['share'], 0)} of "
            f"the time at risk after salvage, {shown} be found significant in "
            f"{fmt_percent(found['wanted'], 0)} of such studies. If salvage truly halved the "
            f"hazard, {fmt_percent(found['power'], 0)} of them would say so{overstated}.",
        ),
    )


def _unknown(facts: dict[str, Any]) -> Paragraph:
    return Paragraph(
        lead="What cannot be known from such data.",
        text="Why these patients were salvaged and not others; whether residual tumour found at "
        "salvage would have become a recurrence; and whether recurrences came to light because "
        "somebody looked more often. A trial, or at least a protocol for who is salvaged and how "
        "everybody is followed, would be needed."
        + (
            f" Of the factors recorded, the salvaged differed most in {facts['most_unlike']}."
            if facts.get("most_unlike")
            else ""
        ),
    )
