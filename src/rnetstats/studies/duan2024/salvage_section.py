"""The paragraphs of the salvage chapter, made from the numbers."""

from __future__ import annotations

from typing import Any

from rnetstats.formatting import fmt_number
from rnetstats.studies.duan2024.salvage_paragraphs import biases, detectable, kinds, of_100
from rnetstats.studies.duan2024.salvage_words import (
    EVENTS,
    READINGS,
    told,
)
from rnetstats.studies.section import Paragraph, Section
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
        *of_100(facts),
        *biases(facts),
        *kinds(facts),
        *detectable(facts),
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
    return f"{who}{when}.{_undated(facts['n_undated'])}{_complete(facts)}"


def _undated(many: int) -> str:
    """Say who is left out since the day of salvage is not known."""
    if not many:
        return ""
    were, are = ("was", "is") if many == 1 else ("were", "are")
    return f" {many} more {were} salvaged on a day that is not known, and {are} left out."


def _complete(facts: dict[str, Any]) -> str:
    """Say of how many patients the comparisons are, where that is not of all."""
    used = {READINGS[key]: row["n"] for key, row in facts["effects"].items()}
    if min(used.values(), default=facts["n"]) == facts["n"]:
        return ""
    numbers = set(used.values())
    which = (
        f"{numbers.pop()} for whom"
        if len(numbers) == 1
        else f"{' and the '.join(f'{many} ({name})' for name, many in used.items())} for whom"
    )
    return f" The comparisons are of the {which} every factor and the outcome are known."


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
