"""The report's tables, from the analyses that a cohort allowed."""

from __future__ import annotations

from typing import Any

from rnetstats.evidence.facts import FactSheet
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.cohort import Cohort
from rnetstats.studies.duan2024.cutoff_table import cutoff_table
from rnetstats.studies.duan2024.margin_models import MarginModels, predictors
from rnetstats.studies.duan2024.margin_tables import coefficient_table, risk_table, smooth_table
from rnetstats.studies.duan2024.outcome_tables import (
    comparison_table,
    follow_up_table,
    outcome_table,
    salvage_table,
)
from rnetstats.studies.duan2024.outcomes import Comparison
from rnetstats.studies.duan2024.salvage import NaiveSalvage
from rnetstats.studies.exhibit import Exhibit

__all__ = ["first_tables", "margin_tables", "outcome_tables"]


def first_tables(patients: Exhibit | None, follow_up: list[dict[str, Any]]) -> list[Exhibit]:
    """Return Table 1 and the table of follow-up."""
    tables = [] if patients is None else [patients]
    return [*tables, follow_up_table(follow_up)] if follow_up else tables


def margin_tables(
    cohort: Cohort, models: MarginModels, sheet: FactSheet, attempts: Attempts
) -> list[Exhibit]:
    """Return the tables of the models of a positive margin."""
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


def outcome_tables(by_margin: list[Comparison], naive: NaiveSalvage | None) -> list[Exhibit]:
    """Return the tables of outcome by margin and, naively, by salvage."""
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
