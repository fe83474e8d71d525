"""The report's sections and rules."""

from __future__ import annotations

from rnetstats.studies.management.page_verdicts import PAGE_RULES
from rnetstats.studies.management.vocabulary import ADVICE
from rnetstats.studies.section import Paragraph, RuleTable, Section, filled, read_glossary
from rnetstats.studies.study_result import StudyResult

__all__ = ["OVERVIEW", "RULE_TABLES", "glossary", "sections"]

OVERVIEW: tuple[str, ...] = ()
RULE_TABLES = (
    RuleTable(
        "A page of advice holds no estimate. Its sentences are compared with guideline rules; no "
        "verdict says that a step is right.",
        "The table of rules",
        PAGE_RULES,
    ),
)


def sections(result: StudyResult) -> tuple[Section, ...]:
    """Return the sections; tables that are not there are left out."""
    made = (
        _case_section(result),
        _cohort_section(),
        _threshold_section(result),
        _rules_as_data_section(),
        _facts_section(),
    )
    return filled(made, tuple(result.tables))


def _case_section(result: StudyResult) -> Section:
    """The section “The case”."""
    facts = result.facts
    return Section(
        "case",
        "The case",
        (
            Paragraph(lead="Not advice.", text=ADVICE),
            Paragraph(
                "The same patient goes through each rule sheet. A step comes with the rule "
                "that fired, its source, its grade of evidence and its standing, with what "
                "must be established first and with what the source leaves out."
            ),
            Paragraph(
                lead="No probability from the margin model.",
                text=f"The model of the 527-patient study knows tumours up to "
                f"{facts['limit_mm']} mm. {facts['size_mm']} mm is outside its domain; a "
                "number for it would be an extrapolation without any patient behind it.",
            ),
        ),
        (),
        ("case", "case_rules", "refusal"),
    )


def _cohort_section() -> Section:
    """The section “A cohort through the rules”."""
    return Section(
        "cohort",
        "A cohort through the rules",
        (
            Paragraph(
                "Three questions: what comes first, what follows after an endoscopic "
                "resection, and what reviews print side by side for 1 to 2 cm. A rule that "
                "hangs on something not recorded is not applied, unless every rule that may "
                "hold gives the same step."
            ),
            Paragraph(
                lead="Assumed.",
                text="Where neither T stage nor depth is recorded the tumour is taken to be "
                "within the submucosa, and where nodes are not recorded they are taken to be "
                "free: chosen, for a cohort of endoscopic resections. The last row of the "
                "table of definitions shows what becomes of the answers without it.",
            ),
        ),
        ("answers_primary", "answers_after_resection", "answers_1_2_cm"),
        ("answers", "fired", "disagreement", "definitions_change"),
    )


def _threshold_section(result: StudyResult) -> Section:
    """The section “When would surgery be better? A threshold, no answer”."""
    facts = result.facts
    return Section(
        "threshold",
        "When would surgery be better? A threshold, no answer",
        (
            Paragraph(
                "The threshold of Pauker and Kassirer is the probability of a residual above "
                "which surgery is better than surveillance. It needs operative mortality, "
                "lasting morbidity, the efficacy of surgery, how often a residual becomes "
                f"fatal, and mortality from other causes, which at {facts['age']} years is "
                "no small matter. None of these is known from the documents at hand, so no "
                "number is given: treatment_threshold() takes the reader’s own, with ranges, "
                "and draws a region."
            ),
        ),
        ("threshold_map",),
    )


def _rules_as_data_section() -> Section:
    """The section “The rules, and definitions that differ”."""
    return Section(
        "rules-as-data",
        "The rules, and definitions that differ",
        (
            Paragraph(
                "Every rule carries its source. All guidelines are second-hand; where they "
                "are silent the sheet says so instead of filling the gap."
            ),
        ),
        (),
        ("rules", "definitions", "risk_numbers"),
    )


def _facts_section() -> Section:
    """What is printed."""
    return Section(
        "facts",
        "What is printed",
        (Paragraph("The figures and sentences that this report may rely on."),),
        (),
        ("printed_facts",),
    )


def glossary() -> tuple[tuple[str, str], ...]:
    """Return the words of the report with their meanings."""
    return read_glossary(__package__)
