"""The reanalysis of the study on one cohort."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from rnetstats.evidence.facts import FactSheet, read_facts
from rnetstats.formatting import fmt_number
from rnetstats.studies.assembled import assembled
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.facts_table import facts_table
from rnetstats.studies.finding import frames
from rnetstats.studies.nelm2024.cohort import prepare
from rnetstats.studies.nelm2024.intervals import (
    interval_findings,
    interval_table,
    intervals_of,
    surveillance_table,
    truncation_table,
)
from rnetstats.studies.nelm2024.resection import (
    Resection,
    resection_table,
    resections,
    results,
)
from rnetstats.studies.nelm2024.resection_findings import resection_findings
from rnetstats.studies.nelm2024.rules import alias_table, rules_finding, rules_of
from rnetstats.studies.nelm2024.types import (
    grade_finding,
    support_table,
    type_finding,
    type_table,
    types_of,
)
from rnetstats.studies.study_result import StudyResult

__all__ = ["analyse"]

PACKAGE = "rnetstats.studies.nelm2024"


def analyse(
    frame: pd.DataFrame,
    *,
    seed: int,
    source: str,
    resamples: int = 0,
    progress: Callable[[str], None] = lambda step: None,
) -> StudyResult:
    """Reanalyse the study on a cohort.

    Parameters
    ----------
    frame : DataFrame
        As from :func:`rnetstats.read_cohort` with the study's codebook; not changed.
    seed : int
        For the simulated intervals.
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
    progress("patients")
    cohort = prepare(frame)
    progress("survival by resection")
    by_resection = resections(cohort, attempts)
    progress("intervals")
    intervals = intervals_of(cohort, attempts)
    truncated = truncation_table(seed)
    types = types_of(cohort, attempts)
    rules = rules_of(cohort, attempts)
    progress("claims")
    claims, estimates = frames(
        [
            *resection_findings(by_resection),
            type_finding(types),
            grade_finding(cohort, sheet),
            *interval_findings(
                intervals, sheet["rectal_interval"].value, sheet["conclusion"].value
            ),
            rules_finding(rules, sheet["rules_dfs"].value),
        ],
        where="In this synthetic cohort" if cohort.synthetic else "In these data",
    )
    tables: list[Exhibit | None] = [
        resection_table(by_resection),
        interval_table(intervals),
        truncated,
        surveillance_table(),
        *([type_table(types), support_table(sheet, types)] if types else []),
        alias_table(rules),
        facts_table(sheet),
    ]
    return assembled(
        sheet,
        attempts,
        source=source,
        synthetic=cohort.synthetic,
        answer=_answer(sheet, by_resection, synthetic=cohort.synthetic),
        claims=claims,
        estimates=estimates,
        exhibits=tables,
        fits=results(by_resection) | intervals.results() | rules.results(),
        notes=cohort.notes,
        seed=seed,
    )


def _answer(sheet: FactSheet, found: list[Resection], *, synthetic: bool) -> tuple[str, ...]:
    """Return the sentences that a reader sees first."""
    where = "In this synthetic cohort" if synthetic else "In these data"
    first = (
        "That resected patients live longer is what selection and waiting for the operation would "
        "show without any effect."
    )
    both = (found[0].row("naive"), found[0].row("time-dependent Cox"))
    ratios = [math.nan if row is None else float(row["estimate"]) for row in both]
    if not any(map(math.isnan, ratios)):
        first += (
            f" {where} the hazard ratio of resection of the primary is {fmt_number(ratios[0])} "
            f"counted from the first day, and {fmt_number(ratios[1])} counted from the day of the "
            "operation; selection is in both."
        )
    second = (
        f"The {sheet['rectal_g2_percent'].text} G2 of the asynchronous rectal tumours can only be "
        f"{sheet['rectal_g2'].value} of {sheet['rectal_asynchronous'].value} patients: every "
        "comparison with them needs exact methods, and shows large differences only."
    )
    third = (
        "The interval from primary to metastasis is known only of those who metastasised in time. "
        "It comes out too short, and it cannot say how long patients without metastases should be "
        "watched."
    )
    return (first, second, third)
