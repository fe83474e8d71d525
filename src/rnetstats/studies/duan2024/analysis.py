"""The reanalysis of the study on one cohort, from Table 1 to the claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.answer import answer
from rnetstats.studies.duan2024.arithmetic import PrintedNumbers
from rnetstats.studies.duan2024.claims import outcome_claim, predictor_claims
from rnetstats.studies.duan2024.cohort import Cohort, prepare
from rnetstats.studies.duan2024.follow_up import follow_up_rows
from rnetstats.studies.duan2024.margin_models import MarginModels, fit_margin_models, predictors
from rnetstats.studies.duan2024.margin_tables import (
    coefficient_table,
    cutoff_table,
    risk_table,
    smooth_table,
)
from rnetstats.studies.duan2024.other_claims import (
    follow_up_claim,
    model_claim,
    percent_claim,
    salvage_claims,
)
from rnetstats.studies.duan2024.outcome_tables import (
    comparison_table,
    follow_up_table,
    outcome_table,
    salvage_table,
)
from rnetstats.studies.duan2024.outcomes import ENDPOINTS, Comparison, compare_groups
from rnetstats.studies.duan2024.printed_tables import facts_table, printed_tables
from rnetstats.studies.duan2024.salvage import NaiveSalvage, naive_salvage
from rnetstats.studies.duan2024.table_one import table_one_exhibit
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.facts import FactSheet, read_facts
from rnetstats.studies.finding import Finding, frames
from rnetstats.studies.study_result import StudyResult

__all__ = ["analyse", "judge_cohort"]

PACKAGE = "rnetstats.studies.duan2024"
STEPS = (
    "printed numbers",
    "patients",
    "predictors of a positive margin",
    "outcome by margin",
    "salvage",
    "claims",
)


def analyse(
    frame: pd.DataFrame,
    *,
    seed: int,
    source: str,
    progress: Callable[[str], None] = lambda step: None,
) -> StudyResult:
    """Reanalyse the study on a cohort.

    Parameters
    ----------
    frame : DataFrame
        As from :func:`rnetstats.read_cohort` with the study's codebook; not changed.
    seed : int
        For the permutation tests.
    source : str
        Where the cohort comes from, in words.
    progress : callable
        Called with each step's name before it begins.

    Returns
    -------
    StudyResult
    """
    progress(STEPS[0])
    sheet = read_facts(PACKAGE)
    printed = PrintedNumbers.of(sheet)
    attempts = Attempts()
    progress(STEPS[1])
    cohort = prepare(frame)
    patients = attempts.run("Table 1", lambda: table_one_exhibit(cohort))
    follow_up = follow_up_rows(cohort, attempts)
    progress(STEPS[2])
    models = fit_margin_models(cohort, sheet, attempts)
    progress(STEPS[3])
    by_margin = margin_comparisons(cohort, seed=seed, attempts=attempts)
    progress(STEPS[4])
    naive = naive_salvage(cohort, seed=seed, attempts=attempts)
    progress(STEPS[5])
    judged = judged_claims(by_margin, models, cohort, sheet, attempts)
    overall = follow_up[0] if follow_up else None
    others = [
        model_claim(cohort),
        *salvage_claims(naive),
        percent_claim(printed),
        follow_up_claim(sheet, overall, synthetic=cohort.synthetic),
    ]
    where = "In this synthetic cohort" if cohort.synthetic else "In these data"
    claims, estimates = frames([*judged, *others], where=where)
    exhibits = [
        *_first_tables(patients, follow_up),
        *_margin_tables(cohort, models, sheet, attempts),
        *_outcome_tables(by_margin, naive),
        *printed_tables(printed),
        facts_table(sheet),
    ]
    fits: dict[str, Result] = models.results()
    for comparison in by_margin:
        fits |= comparison.results("margin")
    fits |= naive.results() if naive else {}
    return StudyResult(
        study=sheet.name,
        title=sheet.title,
        citation=f"{sheet.citation} {sheet.design}",
        source=source,
        synthetic=cohort.synthetic,
        answer=answer(claims, printed, synthetic=cohort.synthetic),
        claims=claims,
        estimates=estimates,
        exhibits=tuple(exhibits),
        names=tuple(fits),
        analyses=tuple(fits.values()),
        facts=_facts(printed, cohort, by_margin),
        skipped=tuple(attempts.skipped),
        notes=cohort.notes,
        seed=seed,
    )


def judge_cohort(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the claims that estimates decide, and nothing else: for simulation.

    The verdicts are those of :func:`analyse`, without the curves, tables and figures.
    """
    attempts = Attempts()
    sheet = read_facts(PACKAGE)
    cohort = prepare(frame)
    models = fit_margin_models(cohort, sheet, attempts, full=False)
    by_margin = margin_comparisons(cohort, seed=0, attempts=attempts, full=False)
    findings = judged_claims(by_margin, models, cohort, sheet, attempts)
    claims, _ = frames(findings, where="In this cohort")
    return claims[claims["judged"]].reset_index(drop=True)


def margin_comparisons(
    cohort: Cohort, *, seed: int, attempts: Attempts, full: bool = True
) -> list[Comparison]:
    """Compare the margin groups under every endpoint."""
    frame = cohort.by_margin()
    return [
        compare_groups(frame, "margin", endpoint, seed=seed, attempts=attempts, full=full)
        for endpoint in ENDPOINTS
    ]


def judged_claims(
    by_margin: list[Comparison],
    models: MarginModels,
    cohort: Cohort,
    sheet: FactSheet,
    attempts: Attempts,
) -> list[Finding]:
    """Return the claims on outcome and on predictors, the ones that estimates decide."""
    outcome = [outcome_claim(comparison) for comparison in by_margin]
    return [*outcome, *predictor_claims(models, predictors(sheet), cohort.excluded, attempts)]


def _facts(printed: PrintedNumbers, cohort: Cohort, by_margin: list[Comparison]) -> dict[str, Any]:
    months = by_margin[0].groups.set_index("group")["months"]
    total = float(months.sum())
    share = float(months["positive margin"]) / total if total > 0.0 else None
    return {
        "printed": asdict(printed),
        "excluded_method": cohort.excluded,
        "share_positive": share,
        "patients": len(cohort.everyone),
    }


def _first_tables(patients: Exhibit | None, follow_up: list[dict[str, Any]]) -> list[Exhibit]:
    tables = [] if patients is None else [patients]
    return [*tables, follow_up_table(follow_up)] if follow_up else tables


def _margin_tables(
    cohort: Cohort, models: MarginModels, sheet: FactSheet, attempts: Attempts
) -> list[Exhibit]:
    stored = cohort.everyone.attrs.get("rnetstats", {})
    labels = {p.term: p.label for p in predictors(sheet)} | dict(stored.get("labels", {}))
    four = predictors(sheet)
    made = (
        coefficient_table(models, labels),
        risk_table(models, four, attempts),
        smooth_table(models, labels, attempts),
        cutoff_table(cohort, four),
    )
    return [table for table in made if table is not None]


def _outcome_tables(by_margin: list[Comparison], naive: NaiveSalvage | None) -> list[Exhibit]:
    tables = [
        outcome_table(by_margin),
        comparison_table(
            by_margin,
            name="comparisons_by_margin",
            title="Positive against negative margin",
            caption="Events as positive : negative. Ratios above 1: worse with a positive margin.",
        ),
    ]
    if naive is None:
        return tables
    tables.append(salvage_table(naive))
    for name, title, comparisons in (
        ("salvage_comparisons", "Any salvage against none (naive)", naive.any_salvage),
        ("salvage_kinds", "Radical against endoscopic salvage (naive)", naive.kinds),
    ):
        if comparisons:
            caption = "Naive, from time zero, not adjusted: shown for its counts, not as evidence."
            tables.append(
                comparison_table(comparisons.values(), name=name, title=title, caption=caption)
            )
    return tables
