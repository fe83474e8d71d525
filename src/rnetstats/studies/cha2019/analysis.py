"""The reanalysis of the study on one cohort."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from rnetstats.evidence.facts import read_facts
from rnetstats.formatting import fmt_count, fmt_number, fmt_percent
from rnetstats.studies.assembled import assembled
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.cha2019.bounds import Bounds, bounds_of, bounds_table, conflict_table
from rnetstats.studies.cha2019.claims import (
    factor_findings,
    overlap_sentence,
    recurrence_findings,
    share_finding,
)
from rnetstats.studies.cha2019.cohort import prepare
from rnetstats.studies.cha2019.comparison import comparison_findings, table_one_exhibit
from rnetstats.studies.cha2019.definitions import Definition, definition_table
from rnetstats.studies.cha2019.seen import EVERYBODY, Seen, seen_in, seen_table
from rnetstats.studies.cha2019.treatment_model import (
    TreatmentModel,
    fit_treatment_model,
    model_table,
    overlap_table,
)
from rnetstats.studies.facts_table import facts_table
from rnetstats.studies.finding import frames
from rnetstats.studies.study_result import StudyResult

__all__ = ["analyse"]

PACKAGE = "rnetstats.studies.cha2019"
OTHER = "rnetstats.studies.duan2024"


def analyse(
    frame: pd.DataFrame,
    *,
    seed: int,
    source: str,
    resamples: int = 0,
    progress: Callable[[str], None] = lambda step: None,
    definition: Definition | None = None,
) -> StudyResult:
    """Reanalyse the study on a cohort.

    Parameters
    ----------
    frame : DataFrame
        As from :func:`rnetstats.read_cohort` with the study's codebook; not changed.
    seed : int
        Recorded; nothing here is drawn.
    source : str
        Where the cohort comes from, in words.
    resamples : int
        Not used: no analysis here is resampled.
    progress : callable
        Called with each step's name before it begins.
    definition : Definition, optional
        What makes a resection not curative.

    Returns
    -------
    StudyResult
    """
    sheet, attempts = read_facts(PACKAGE), Attempts()
    bounds = bounds_of(sheet, read_facts(OTHER))
    progress("patients")
    cohort = prepare(frame, definition)
    patients = attempts.run("Table 1", lambda: table_one_exhibit(cohort))
    progress("additional treatment")
    model = fit_treatment_model(cohort, attempts)
    seen = seen_in(cohort)
    progress("claims")
    where = "In this synthetic cohort" if cohort.synthetic else "In these data"
    claims, estimates = frames(
        [
            *recurrence_findings(cohort, model, bounds, seen),
            *factor_findings(model, sheet),
            *comparison_findings(cohort, sheet, attempts),
            share_finding(cohort, sheet),
        ],
        where=where,
    )
    return assembled(
        sheet,
        attempts,
        source=source,
        synthetic=cohort.synthetic,
        answer=(
            *_seen(bounds, seen),
            *filter(None, [cohort.one_class]),
            *_answer(bounds, model, claims, synthetic=cohort.synthetic),
        ),
        claims=claims,
        estimates=estimates,
        exhibits=[
            bounds_table(bounds),
            seen_table(seen),
            conflict_table(bounds),
            model_table(model, sheet),
            overlap_table(model),
            patients,
            definition_table(cohort.whole),
            facts_table(sheet),
        ],
        fits=model.results(),
        facts={
            "expected": bounds.expected,
            "chance_of_none": bounds.chance_of_none,
            "other_n": bounds.other_n,
            "or_lvi": sheet["or_lvi"].number,
            "or_margin_positive": sheet["or_margin_positive"].number,
        },
        notes=cohort.notes,
        seed=seed,
    )


def _seen(bounds: Bounds, groups: tuple[Seen, ...]) -> tuple[str, ...]:
    """Say first what a file of other patients holds: print has no recurrence in its own."""
    found = next((group for group in groups if group.group == EVERYBODY), None)
    if found is None or (found.events, found.n) == (0, bounds.n):
        return ()
    what = f"{fmt_count(found.events) if found.events else 'no'} recurrence"
    what += f"{'s' * (found.events > 1)} in {fmt_count(found.n)} patient{'s' * (found.n > 1)}"
    return (
        f"The data hold {what}{', where print has none' * bool(found.events)}: a risk of "
        f"{found.risk} within their follow-up. What follows on no recurrence is of the printed "
        "figures.",
    )


def _answer(
    bounds: Bounds, model: TreatmentModel, claims: pd.DataFrame, *, synthetic: bool
) -> tuple[str, ...]:
    """Return the sentences that a reader sees first."""
    treated, untreated = (
        bounds.risks[f"not curative, {words}additional treatment"] for words in ("", "no ")
    )
    first = (
        f"No recurrence in {bounds.n} patients is a bound, not a comparison: at most "
        f"{fmt_percent(treated[1])} with additional treatment ({treated[0]} patients) and "
        f"{fmt_percent(untreated[1])} without ({untreated[0]}). That both did well does not show "
        "that treatment makes no difference."
    )
    second = (
        f"At the rate of the study of {bounds.other_n} patients "
        f"{fmt_number(bounds.expected, 1)} recurrences would be expected here, and none would have "
        f"a probability of {fmt_number(bounds.chance_of_none, 3)} (P "
        f"{fmt_number(bounds.chance_allowing, 3)} with that rate taken as an estimate): the two "
        "studies differ in patients, definition or detection, or it is chance."
    )
    where = "In this synthetic cohort" if synthetic else "In these data"
    factors = claims[claims["claim"].str.startswith("treated_")]
    confirmed = int((factors["rule"] == "confirmed").sum())
    judged = bool((factors["rule"] != "not judged").any())
    third = (
        f"{where} {_how_many(confirmed, len(factors))} printed predictors of additional treatment "
        f"{'is' if confirmed == 1 else 'are'} confirmed"
        if judged
        else f"{where} none of the {len(factors)} printed predictors of additional treatment can "
        "be judged"
    )
    if model.comparable is False:
        left = (
            "Hardly anybody is left to compare"
            if model.few_left
            else "So the factors almost decided who was treated, and the groups cannot be compared"
        )
        third += f". {overlap_sentence(model)} {left}"
    return (first, second, f"{third}.")


def _how_many(some: int, every: int) -> str:
    """Count some of several as a sentence does: ``'all 5'``, ``'none of the 5'``."""
    return f"all {every}" if some == every else f"{some or 'none'} of the {every}"
