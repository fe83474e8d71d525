"""The reanalysis of the study on one cohort, from Table 1 to the claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.evidence.facts import FactSheet, read_facts
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.answer import answer
from rnetstats.studies.duan2024.arithmetic import PrintedNumbers
from rnetstats.studies.duan2024.claims import outcome_claim, predictor_claims
from rnetstats.studies.duan2024.cohort import MARGIN_LEVELS, Cohort, prepare
from rnetstats.studies.duan2024.follow_up import follow_up_rows
from rnetstats.studies.duan2024.incidence import (
    Incidence,
    incidence_by_margin,
    incidence_table,
)
from rnetstats.studies.duan2024.margin_models import MarginModels, fit_margin_models, predictors
from rnetstats.studies.duan2024.model_claim import model_claim, model_facts
from rnetstats.studies.duan2024.other_claims import (
    follow_up_claim,
    percent_claim,
)
from rnetstats.studies.duan2024.outcomes import ENDPOINTS, Comparison, compare_groups
from rnetstats.studies.duan2024.prediction import Prediction, predict_margin
from rnetstats.studies.duan2024.prediction_models import RESAMPLES, fit_prediction_models
from rnetstats.studies.duan2024.printed_tables import printed_tables
from rnetstats.studies.duan2024.salvage import NaiveSalvage, naive_salvage
from rnetstats.studies.duan2024.salvage_claims import salvage_claims
from rnetstats.studies.duan2024.salvage_effects import SalvageEffects, salvage_effects
from rnetstats.studies.duan2024.salvage_facts import salvage_facts
from rnetstats.studies.duan2024.salvage_tables import salvage_exhibits
from rnetstats.studies.duan2024.table_one import table_one_exhibit
from rnetstats.studies.duan2024.tables import first_tables, margin_tables, outcome_tables
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.facts_table import facts_table
from rnetstats.studies.finding import Finding, frames
from rnetstats.studies.records import records
from rnetstats.studies.study_result import StudyResult

__all__ = ["analyse", "judge_cohort", "judge_model_claim"]

PACKAGE = "rnetstats.studies.duan2024"


def analyse(
    frame: pd.DataFrame,
    *,
    seed: int,
    source: str,
    resamples: int = RESAMPLES,
    progress: Callable[[str], None] = lambda step: None,
) -> StudyResult:
    """Reanalyse the study on a cohort.

    Parameters
    ----------
    frame : DataFrame
        As from :func:`rnetstats.read_cohort` with the study's codebook; not changed.
    seed : int
        For the permutation tests, resamples and imputations.
    source : str
        Where the cohort comes from, in words.
    resamples : int
        Bootstrap resamples of each validation; of the salvage strategies at most 500.
    progress : callable
        Called with each step's name before it begins.

    Returns
    -------
    StudyResult
    """
    work = _work(frame, seed, resamples, progress)
    cohort, sheet = work.cohort, work.sheet
    where = _where(cohort)
    claims, estimates = frames(_findings(work, where), where=where)
    facts = _facts(work)
    exhibits = _exhibits(work)
    fits = _fits(work)
    return StudyResult(
        study=sheet.name,
        title=sheet.title,
        citation=f"{sheet.citation} {sheet.design}",
        source=source,
        synthetic=cohort.synthetic,
        answer=answer(claims, work.printed, facts["model"], synthetic=cohort.synthetic),
        claims=claims,
        estimates=estimates,
        exhibits=tuple(exhibits),
        names=tuple(fits),
        analyses=tuple(fits.values()),
        facts=facts,
        skipped=tuple(work.attempts.skipped),
        notes=cohort.notes,
        seed=seed,
    )


def _where(cohort: Cohort) -> str:
    return "In this synthetic cohort" if cohort.synthetic else "In these data"


@dataclass(frozen=True)
class _Work:
    """All that was computed on a cohort, before it is told."""

    sheet: FactSheet
    printed: PrintedNumbers
    attempts: Attempts
    cohort: Cohort
    patients: Exhibit | None
    follow_up: list[dict[str, Any]]
    models: MarginModels
    prediction: Prediction
    by_margin: list[Comparison]
    incidence: Incidence
    naive: NaiveSalvage | None
    salvage: SalvageEffects | None


def _work(frame: pd.DataFrame, seed: int, resamples: int, progress: Callable[[str], None]) -> _Work:
    """Run the analyses, each step announced."""
    sheet = read_facts(PACKAGE)
    attempts = Attempts()
    progress("patients")
    cohort = prepare(frame)
    patients = attempts.run("Table 1", lambda: table_one_exhibit(cohort))
    follow_up = follow_up_rows(cohort, attempts)
    progress("predictors of a positive margin")
    models = fit_margin_models(cohort, sheet, attempts)
    progress("prediction model")
    prediction = predict_margin(cohort, models, sheet, attempts, seed=seed, resamples=resamples)
    progress("outcome by margin")
    by_margin = margin_comparisons(cohort, seed=seed, attempts=attempts)
    incidence = incidence_by_margin(cohort, attempts)
    progress("salvage")
    naive = naive_salvage(cohort, seed=seed, attempts=attempts)
    salvage = salvage_effects(cohort, seed=seed, resamples=resamples, attempts=attempts)
    progress("claims")
    return _Work(
        sheet=sheet,
        printed=PrintedNumbers.of(sheet),
        attempts=attempts,
        cohort=cohort,
        patients=patients,
        follow_up=follow_up,
        models=models,
        prediction=prediction,
        by_margin=by_margin,
        incidence=incidence,
        naive=naive,
        salvage=salvage,
    )


def _findings(work: _Work, where: str) -> list[Finding]:
    """Return every claim with its evidence, in the report's order."""
    overall = work.follow_up[0] if work.follow_up else None
    return [
        *judged_claims(work.by_margin, work.models, work.cohort, work.sheet, work.attempts),
        model_claim(work.prediction.models, where=where),
        *salvage_claims(work.salvage, work.naive),
        percent_claim(work.printed),
        follow_up_claim(work.sheet, overall, synthetic=work.cohort.synthetic),
    ]


def _exhibits(work: _Work) -> list[Exhibit]:
    """Return the tables, in the report's order."""
    return [
        *first_tables(work.patients, work.follow_up),
        *margin_tables(work.cohort, work.models, work.sheet, work.attempts),
        *work.prediction.exhibits,
        *outcome_tables(work.by_margin, work.naive),
        *([] if (table := incidence_table(work.incidence)) is None else [table]),
        *salvage_exhibits(work.salvage),
        *printed_tables(work.printed),
        facts_table(work.sheet),
    ]


def _fits(work: _Work) -> dict[str, Result]:
    """Return the curves and fits, by name."""
    fits = work.models.results() | work.prediction.results()
    for comparison in work.by_margin:
        fits |= comparison.results("margin")
    fits |= work.incidence.results()
    for chapter in (work.naive, work.salvage):
        fits |= chapter.results() if chapter else {}
    return fits


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


def judge_model_claim(
    frame: pd.DataFrame, *, seed: int = 0, resamples: int = RESAMPLES
) -> pd.DataFrame:
    """Return the claim on the model's accuracy, and nothing else: for simulation."""
    attempts = Attempts()
    cohort = prepare(frame)
    margin = fit_margin_models(cohort, read_facts(PACKAGE), attempts, full=False)
    models = fit_prediction_models(margin, attempts, seed=seed, resamples=resamples, full=False)
    claims, _ = frames([model_claim(models, where=_where(cohort))], where=_where(cohort))
    return claims


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


def _share_positive(comparison: Comparison, printed: PrintedNumbers) -> float | None:
    """Share of the follow-up that the printed positives hold, if followed as in this cohort.

    The cohort's own means are used, not its totals, as its share of positives may be another.
    """
    rows = {row["group"]: row for row in records(comparison.groups)}
    if any(row["n"] == 0 for row in rows.values()):
        return None
    numbers = (printed.patients - printed.positive, printed.positive)
    negative, positive = (
        number * rows[level]["months"] / rows[level]["n"]
        for number, level in zip(numbers, MARGIN_LEVELS, strict=True)
    )
    return float(positive / (positive + negative)) if positive + negative > 0.0 else None


def _facts(work: _Work) -> dict[str, Any]:
    """Return the numbers that the sections' sentences are made from."""
    return {
        "printed": asdict(work.printed),
        "excluded_method": work.cohort.excluded,
        "share_positive": _share_positive(work.by_margin[0], work.printed),
        "patients": len(work.cohort.everyone),
        "model": model_facts(work.prediction.models),
        "salvage": salvage_facts(work.salvage),
    }
