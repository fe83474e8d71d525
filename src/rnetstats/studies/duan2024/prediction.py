"""The whole prediction chapter of one cohort: models, cut-offs, cost, support, missing values."""

from __future__ import annotations

from dataclasses import dataclass

from rnetstats._core.result import Result
from rnetstats.evidence.facts import FactSheet
from rnetstats.prediction.dichotomising import DichotomisingResult
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.duan2024.cohort import Cohort
from rnetstats.studies.duan2024.cutoff_search import CutoffSearch, search_cutoffs, search_table
from rnetstats.studies.duan2024.margin_models import MarginModels, predictors
from rnetstats.studies.duan2024.prediction_models import PredictionModels, fit_prediction_models
from rnetstats.studies.duan2024.prediction_support import (
    cost_of_cutting,
    cost_table,
    imputed_table,
    support_table,
)
from rnetstats.studies.duan2024.prediction_tables import (
    equation_table,
    inclusion_table,
    net_benefit_table,
    performance_table,
    selection_table,
)
from rnetstats.studies.exhibit import Exhibit

__all__ = ["Prediction", "predict_margin"]


@dataclass(frozen=True)
class Prediction:
    """What the chapter is made from.

    Attributes
    ----------
    models : PredictionModels
    searches : list of CutoffSearch
    cost : DichotomisingResult or None
    exhibits : list of Exhibit
        The chapter's tables.
    """

    models: PredictionModels
    searches: list[CutoffSearch]
    cost: DichotomisingResult | None
    exhibits: list[Exhibit]

    def results(self) -> dict[str, Result]:
        """Return the analyses behind the tables and figures, by name."""
        found = self.models.results()
        for search in self.searches:
            found |= search.results()
        return found if self.cost is None else found | {"dichotomising": self.cost}


def predict_margin(
    cohort: Cohort,
    margin: MarginModels,
    facts: FactSheet,
    attempts: Attempts,
    *,
    seed: int,
    resamples: int,
) -> Prediction:
    """Make and judge the prediction model, and all that stands beside it."""
    four = predictors(facts)
    models = fit_prediction_models(margin, attempts, seed=seed, resamples=resamples)
    searches = search_cutoffs(margin, four, attempts, seed=seed)
    cost = cost_of_cutting(margin, attempts)
    tables = (
        performance_table(models),
        net_benefit_table(models),
        equation_table(models),
        inclusion_table(models),
        selection_table(models),
        search_table(searches, margin, facts),
        cost_table(cost, synthetic=cohort.synthetic),
        support_table(facts, attempts),
        imputed_table(cohort, margin, attempts, seed=seed),
    )
    made = [table for table in tables if table is not None]
    return Prediction(models, searches, cost, made)
