"""The report's sections and rules."""

from __future__ import annotations

from rnetstats.formatting import fmt_count, fmt_interval, fmt_percent
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
from rnetstats.studies.treatment_verdicts import ASSOCIATION_RULES
from rnetstats.studies.verdicts import RULES

__all__ = ["OVERVIEW", "RULE_TABLES", "glossary", "sections"]

OVERVIEW = ("odds_ratios",)
RULE_TABLES = (
    RuleTable(
        "Claims that no patient row can decide: what follows from the print, what it leaves open, "
        "and what the design decides.",
        "The table of rules for claims judged by print",
        EVIDENCE_RULES,
    ),
    RuleTable(
        "An odds ratio of salvage that lies beyond chance on one side of 1. Doctors chose whom to "
        "salvage: these rules stand in the place of “confirmed” and “contradicted” below.",
        "The rules for an association with a treatment",
        ASSOCIATION_RULES,
    ),
    RuleTable("Claims that an estimate decides.", "The table of rules", RULES),
)


def sections(result: StudyResult) -> tuple[Section, ...]:
    """Return the sections; tables that a table of studies could not fill are left out."""
    made = (
        _crude_section(),
        _worlds_section(),
        _comparison_section(result),
        _residual_section(result),
        _gap_section(result),
        _methods_section(result),
        _information_section(result),
        _methods_used_section(),
        facts_section("What is printed"),
    )
    return filled(made, tuple(result.tables))


def _crude_section() -> Section:
    """The section “Two percentages and an odds ratio”."""
    return Section(
        "crude",
        "Two percentages and an odds ratio",
        (
            Paragraph(
                "The crude rates sum patients over all studies, also over those that only "
                "salvaged and those that only observed. Such studies differ in whom they took "
                "in, how long they looked and what they called a recurrence. The odds ratio "
                "within studies compares arms of the same centres."
            ),
            Paragraph(
                lead="By decomposition.",
                text="The crude odds ratio is a product: what is within studies, times what "
                "studies differ by. The first table gives both factors from print alone.",
            ),
            Paragraph(
                lead="By simulation.",
                text="In simulated meta-analyses salvage does nothing in any study. The table "
                "shows what summed patients, and what the comparative studies, then say.",
            ),
        ),
        ("parts", "simulation"),
        ("crude", "own_parts", "simulation"),
    )


def _worlds_section() -> Section:
    """The section “Which counts are behind the percentages?”."""
    return Section(
        "worlds",
        "Which counts are behind the percentages?",
        (
            Paragraph(
                "The counts are not printed. Whole numbers that print both percentages and the "
                "P value can be listed completely: there are many, so that the arms’ sizes are "
                "not determined by the print."
            ),
        ),
        ("worlds",),
        ("worlds",),
    )


def _comparison_section(result: StudyResult) -> Section:
    """The section “The comparison within studies, pooled again”."""
    facts = result.facts
    own = bool(facts["own"])
    return Section(
        "comparison",
        "The comparison within studies, pooled again",
        (
            Paragraph(
                "Your table of studies, pooled by every method side by side."
                if own
                else "Counts by arm are known of "
                f"{facts['studies_with_both']} studies with both arms, from their own "
                "publications. Pooled here by every method side by side, and marked as "
                "ours: it is not the meta-analysis’s result, and the "
                f"{facts['comparative_studies']} comparative studies are not named."
            ),
            Paragraph(
                lead=f"{facts['events']} recurrence{'s' * (facts['events'] != 1)}.",
                text=_telling(facts["informative"], facts["studies_with_both"])
                + (
                    " With so few the choice of correction, of limits and of studies decides what "
                    "is found."
                    if facts["events"] < 20
                    else ""
                ),
            ),
        ),
        ("comparison", "rare_methods", "sensitivity"),
        ("comparison", "rare_methods", "sensitivity", "by_method"),
    )


def _telling(informative: int, studies: int) -> str:
    """Say how many studies bear on the odds ratio."""
    if studies == 1:
        return f"The one study tells {'something' if informative else 'nothing'} of an odds ratio."
    tell = "tells" if informative == 1 else "tell"
    return f"{informative or 'None'} of {studies} studies {tell} something of an odds ratio."


def _residual_section(result: StudyResult) -> Section:
    """The section “Residual tumour at salvage”."""
    facts = result.facts
    limits = fmt_interval(100 * facts["residual_low"], 100 * facts["residual_high"], 1)
    return Section(
        "residual",
        "Residual tumour at salvage",
        (
            Paragraph(
                f"Printed: {fmt_percent(facts['residual'])} ({limits}). Limits made on a scale "
                "are even on it, which tells what was done where the paper does not."
            ),
        ),
        (),
        ("residual_scale", "residual"),
    )


def _gap_section(result: StudyResult) -> Section:
    """The section “From residual tumour to recurrence”."""
    facts = result.facts
    return Section(
        "gap",
        "From residual tumour to recurrence",
        (
            Paragraph(
                f"If {fmt_percent(facts['residual'], 0)} harbour residual tumour and "
                f"{fmt_percent(facts['observed'], 2)} of the observed recur, most residuals "
                "either do not grow within the follow-up or are not found. The region shows "
                "which pairs agree with the print. It is no estimate of either."
            ),
        ),
        ("gap",),
        ("gap", "benefit"),
    )


def _methods_section(result: StudyResult) -> Section:
    """The section “Incomplete resection by method”."""
    facts = result.facts
    return Section(
        "methods",
        "Incomplete resection by method",
        (
            Paragraph(
                f"The rates are pooled over {facts['method_studies']} studies and printed "
                "without limits. Beside them stand the few series whose counts are known; "
                "where nothing is known, nothing is filled in."
            ),
        ),
        ("methods", "mixes"),
        ("methods", "method_counts", "mixes"),
    )


def _information_section(result: StudyResult) -> Section:
    """The section “How many patients would settle it?”."""
    facts = result.facts
    return Section(
        "information",
        "How many patients would settle it?",
        (
            Paragraph(
                "The required information size is the number of patients in comparative "
                "studies that would settle a stated effect, with heterogeneity allowed for. "
                f"All {fmt_count(facts['incomplete_cases'])} cases, comparative or not, are "
                "set against it."
            ),
        ),
        ("information_size",),
        ("information_size", "own_information_size"),
    )


def _methods_used_section() -> Section:
    """The section “Methods”."""
    return Section(
        "methods-used",
        "Methods",
        (
            Paragraph(
                lead="Pooling.",
                text="Inverse variance with REML and Hartung-Knapp limits as printed; beside "
                "it Mantel-Haenszel without correction, Peto, exact conditional, "
                "binomial-normal and beta-binomial models, which need no correction of zero "
                "cells. The verdict on the studies at hand rests on the most cautious of "
                "Mantel-Haenszel, the exact hypergeometric-normal and the beta-binomial "
                "model; an exact test must "
                "agree where an arm has fewer than five events.",
            ),
            Paragraph(
                lead="What is ours.",
                text="Every pooled figure that is not printed: it rests on other studies than "
                "the meta-analysis did, and cannot confirm or refute its figures.",
            ),
        ),
    )


def glossary() -> tuple[tuple[str, str], ...]:
    """Return the words of the report with their meanings."""
    return read_glossary(__package__)
