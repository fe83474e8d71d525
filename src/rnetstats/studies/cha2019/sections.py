"""The report's sections and rules."""

from __future__ import annotations

from rnetstats.studies.evidence_verdicts import EVIDENCE_RULES
from rnetstats.studies.section import (
    Paragraph,
    RuleTable,
    Section,
    facts_section,
    filled,
    read_glossary,
)
from rnetstats.studies.study_result import StudyResult
from rnetstats.studies.verdicts import RULES

__all__ = ["OVERVIEW", "RULE_TABLES", "glossary", "sections"]

OVERVIEW = ("claims",)
RULE_TABLES = (
    RuleTable("Claims that an estimate decides.", "The table of rules", RULES),
    RuleTable(
        "Claims that no estimate can decide: nobody had the event, or the groups cannot be "
        "compared.",
        "The table of rules for claims without an estimate",
        EVIDENCE_RULES,
    ),
)


def sections(result: StudyResult) -> tuple[Section, ...]:
    """Return the sections; tables that a cohort could not fill are left out."""
    made = (
        _no_events_section(result),
        _treated_section(result),
        _patients_section(),
        _methods_section(),
        facts_section(),
    )
    return filled(made, tuple(result.tables))


def _no_events_section(result: StudyResult) -> Section:
    """The section “What no recurrence says”."""
    facts = result.facts
    return Section(
        "no-events",
        "What no recurrence says",
        (
            Paragraph(
                "In print nobody recurred. That bounds a risk from above; it compares nothing. The "
                "bound of an arm is wider the fewer patients it holds, and no rate can be "
                "bounded for an arm whose time at risk is not printed."
            ),
            Paragraph(
                lead="Two studies in conflict.",
                text=f"At the rate of the study of {facts['other_n']} patients several "
                "recurrences would be expected here. That none was seen is improbable unless "
                "the studies differ: in whom they took in, in what they called a recurrence, "
                "or in how they looked for it.",
            ),
        ),
        ("conflict",),
        ("bounds", "recurrences_seen", "conflict"),
    )


def _treated_section(result: StudyResult) -> Section:
    """The section “Who received additional treatment”."""
    facts = result.facts
    return Section(
        "treated",
        "Who received additional treatment",
        (
            Paragraph(
                f"Odds ratios of {facts['or_lvi']:.0f} and {facts['or_margin_positive']:.0f} "
                "mean that invasion and margin almost decided who was treated. Few patients "
                "of either arm have a counterpart in the other, so no adjustment, matching or "
                "weighting can tell what the treatment did."
            ),
        ),
        ("treatment_methods", "overlap"),
        ("treatment_model", "overlap"),
    )


def _patients_section() -> Section:
    """The section “The patients, and what “curative” means”."""
    return Section(
        "patients",
        "The patients, and what “curative” means",
        (
            Paragraph(
                "A resection is curative or not by a definition, and definitions differ. The "
                "share that is not curative changes with each of them."
            ),
        ),
        (),
        ("definitions", "table_one"),
    )


def _methods_section() -> Section:
    """The section “Methods”."""
    return Section(
        "methods",
        "Methods",
        (
            Paragraph(
                lead="Models.",
                text="Logistic regression with Firth’s penalty decides the verdicts; maximum "
                "likelihood, log-F(1,1) priors and exact conditional inference stand beside "
                "it. Where a cell holds fewer than five patients the exact P value must agree.",
            ),
            Paragraph(
                lead="Comparisons.",
                text="The factors by resection are crude odds ratios, as the paper’s P values "
                "appear to be. Intervals are 95 % intervals.",
            ),
        ),
    )


def glossary() -> tuple[tuple[str, str], ...]:
    """Return the words of the report with their meanings."""
    return read_glossary(__package__)
