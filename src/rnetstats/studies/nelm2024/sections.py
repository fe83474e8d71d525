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
from rnetstats.studies.treatment_verdicts import TREATMENT_RULES
from rnetstats.studies.verdicts import RULES

__all__ = ["OVERVIEW", "RULE_TABLES", "glossary", "sections"]

OVERVIEW: tuple[str, ...] = ()
RULE_TABLES = (
    RuleTable("Claims that an estimate decides.", "The table of rules", RULES),
    RuleTable(
        "Resections were chosen by doctors, for reasons. Whether they have an effect is judged by "
        "a table in which no rule confirms.",
        "The table of rules for the effect of a treatment",
        TREATMENT_RULES,
    ),
    RuleTable(
        "Claims that no estimate can decide.",
        "The table of rules for claims without an estimate",
        EVIDENCE_RULES,
    ),
)


def sections(result: StudyResult) -> tuple[Section, ...]:
    """Return the sections; tables that a cohort could not fill are left out."""
    made = (
        _resection_section(),
        _interval_section(),
        _types_section(),
        _rules_section(shown="rules_by_country" in result.tables),
        _methods_section(),
        facts_section(),
    )
    return filled(made, tuple(result.tables))


def _resection_section() -> Section:
    """The section “Do resected patients live longer?”."""
    return Section(
        "resection",
        "Do resected patients live longer?",
        (
            Paragraph(
                "A patient must live long enough to be operated on. Counted as resected from "
                "the first day, the time before the operation makes resection look better than "
                "it is. Counted from the day of the operation on, that bias is gone; that "
                "surgeons operate on those who are fit is not."
            ),
        ),
        ("os_primary", "os_liver"),
        ("survival_by_resection",),
    )


def _interval_section() -> Section:
    """The section “What the interval can tell about surveillance”."""
    return Section(
        "interval",
        "What the interval can tell about surveillance",
        (
            Paragraph(
                "All patients here have metastases. A short interval is seen in everybody, a "
                "long one only in patients who were watched for long: the intervals seen are "
                "too short, the more so the shorter the series. In reverse time this can be "
                "put right, for intervals within the longest window."
            ),
            Paragraph(
                lead="And still it does not set the length of surveillance.",
                text="That depends on how many patients without metastases will have one, and "
                "none of them is in the series.",
            ),
        ),
        ("interval", "truncation"),
        ("intervals", "truncation", "surveillance"),
    )


def _types_section() -> Section:
    """The section “Types of metastases, with a handful of rectal patients”."""
    return Section(
        "types",
        "Types of metastases, with a handful of rectal patients",
        (
            Paragraph(
                "With so few rectal patients only exact tests hold, and only large differences "
                "can be seen at all."
            ),
        ),
        (),
        ("types", "support"),
    )


def _rules_section(*, shown: bool) -> Section:
    """The section “Observation rules and country”."""
    return Section(
        "observation",
        "Observation rules and country",
        (
            Paragraph(
                "In the study it was Japan that followed the observation rules. Two things that "
                "always come together cannot be told apart (they are aliased)"
                + ("; the table shows how far they do in these data." if shown else ".")
            ),
        ),
        ("after_hepatectomy",),
        ("rules_by_country",),
    )


def _methods_section() -> Section:
    """The section “Methods”."""
    return Section(
        "methods",
        "Methods",
        (
            Paragraph(
                lead="Survival.",
                text="Cox regression with Firth’s penalty and profile limits, the resection as "
                "an exposure that begins on its day, adjusted for type III; the naive "
                "comparison and landmarks at 6 and 12 months beside it. With fewer than five "
                "deaths in an arm there is no interval.",
            ),
            Paragraph(
                lead="Interval.",
                text="Reverse-time product-limit estimate for right-truncated data; groups by "
                "a log-rank test in reverse time.",
            ),
            Paragraph(
                lead="Types.",
                text="Freeman-Halton and Fisher tests, the conditional odds ratio with central "
                "limits.",
            ),
        ),
    )


def glossary() -> tuple[tuple[str, str], ...]:
    """Return the words of the report with their meanings."""
    return read_glossary(__package__)
