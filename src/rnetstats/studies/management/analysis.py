"""The page and the guidelines: one case, a cohort, and what neither can tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from rnetstats._core.frame import is_synthetic
from rnetstats._core.result import Result
from rnetstats.evidence.facts import FactSheet, read_facts
from rnetstats.formatting import fmt_count, fmt_percent
from rnetstats.studies.assembled import assembled
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.facts_table import facts_table
from rnetstats.studies.finding import frames
from rnetstats.studies.management.case import (
    Refusal,
    answers_to_the_case,
    case_answers,
    case_table,
    page_case,
    refusal,
)
from rnetstats.studies.management.cohort_answers import CohortAnswers, cohort_answers
from rnetstats.studies.management.decide import Answer
from rnetstats.studies.management.page_claims import page_findings
from rnetstats.studies.management.rule_exhibits import (
    definitions_table,
    risk_numbers,
    rules_table,
)
from rnetstats.studies.management.vocabulary import ADVICE, STEP
from rnetstats.studies.study_result import StudyResult

__all__ = ["analyse"]

PACKAGE = "rnetstats.studies.management"


def analyse(
    frame: pd.DataFrame,
    *,
    seed: int,
    source: str,
    resamples: int = 0,
    progress: Callable[[str], None] = lambda step: None,
) -> StudyResult:
    """Apply the page and the guidelines to the page's case and to a cohort.

    Parameters
    ----------
    frame : DataFrame
        As from :func:`rnetstats.read_cohort` with the study's codebook, or any cohort with
        columns that :func:`rnetstats.classify` knows; not changed.
    seed : int
        Recorded; nothing here is drawn.
    source : str
        Where the cohort comes from, in words.
    resamples : int
        Not used: no analysis here is resampled.
    progress : callable
        Called with each step's name before it begins.

    Returns
    -------
    StudyResult
    """
    sheet, attempts = read_facts(PACKAGE), Attempts()
    progress("the case")
    case = page_case(sheet)
    answers = answers_to_the_case(case)
    refused = attempts.run("The margin model", lambda: refusal(case))
    progress("the cohort")
    cohort = cohort_answers(frame)
    progress("claims")
    claims, estimates = frames(page_findings(sheet, answers), where="For this case")
    fits: dict[str, Result] = {
        **{f"disagreement, {name}": result for name, result in cohort.compared.items()},
        **{f"{key}, {where}": found for (key, where), found in cohort.classified.items()},
    }
    synthetic = is_synthetic(frame)
    return assembled(
        sheet,
        attempts,
        citation=sheet.citation,
        source=source,
        synthetic=synthetic,
        answer=_answer(sheet, answers, refused, cohort, synthetic=synthetic),
        claims=claims,
        estimates=estimates,
        exhibits=(
            case_table(sheet),
            case_answers(answers),
            refused.exhibit if refused else None,
            *cohort.exhibits,
            rules_table(),
            definitions_table(sheet),
            risk_numbers(sheet),
            facts_table(sheet),
        ),
        fits=fits,
        facts=_facts(sheet, refused, cohort),
        notes=(*_notes_of(frame), *cohort.notes, ADVICE),
        seed=seed,
    )


def _facts(sheet: FactSheet, refused: Refusal | None, cohort: CohortAnswers) -> dict[str, Any]:
    """Return what the report's sentences are made from."""
    between = cohort.compared["1-2 cm"].glance().iloc[0]
    return {
        "size_mm": sheet["case_size_mm"].count,
        "limit_mm": sheet["model_limit"].count,
        "age": sheet["case_age"].count,
        "reason": refused.reason if refused else "",
        "n": int(between["n"]),
        "n_between": int(between["n_compared"]),
        "n_differ": int(between["n_disagree"]),
    }


def _notes_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """What reading the cohort had to say."""
    stored = frame.attrs.get("rnetstats", {})
    return tuple(stored.get("notes", ())) if isinstance(stored, dict) else ()


def _answer(
    sheet: FactSheet,
    answers: dict[str, Answer],
    refused: Refusal | None,
    cohort: CohortAnswers,
    *,
    synthetic: bool,
) -> tuple[str, ...]:
    """Return the sentences that a reader sees first."""
    (_, page), *others = answers.items()
    same = [name for name, a in others if a.answer == STEP and a.step == page.step]
    first = (
        f"For the page’s case {' and '.join(same)} give the page’s step, a {page.step} (its words: "
        f"{page.words.split(';')[0]}), but ask first that distant metastases be excluded, for "
        "which the page does not ask, and leave it to fitness and a tumour board."
        if same
        else "No guideline at hand gives the page’s step to its case."
    )
    second = (
        f"Its follow-up is labelled “{sheet['page_label'].value}”: it "
        f"{sheet['page_follow_up_source'].value}."
    )
    third = (
        f"The margin model holds up to {sheet['model_limit'].text}. Asked about "
        f"{sheet['case_size_mm'].text} it refuses, so the case has no probability from it."
        if refused and "size_mm" in refused.reason
        else ""
    )
    return tuple(text for text in (first, second, third, _between(cohort, synthetic)) if text)


def _between(cohort: CohortAnswers, synthetic: bool) -> str:
    """Say how the guidelines differ for tumours of 1 to 2 cm."""
    told = cohort.compared["1-2 cm"]
    row = told.glance().iloc[0]
    where = "In this synthetic cohort" if synthetic else "In these data"
    guidelines = f"{len(told.guidelines)} guidelines"
    some, many = int(row["n_disagree"]), int(row["n_compared"])
    if many == 0:
        first = f"{where} there is no tumour of 1 to 2 cm, where {guidelines} give different steps."
    elif many == 1:
        given = "different next steps" if some else "the same next step"
        who = "the one patient with a tumour of 1 to 2 cm"
        first = f"{where} {who} is given {given} by {guidelines}."
    else:
        first = (
            f"{where} {fmt_count(some)} of {fmt_count(many)} patients with a tumour of 1 to 2 cm "
            f"({fmt_percent(row['share'])}) {'is' if some == 1 else 'are'} given different next "
            f"steps by {guidelines}."
        )
    return f"{first} All rules are second-hand, and none is advice."
