"""The same model made again from resampled rows: many replicates at once.

A replicate is a row of counts: how often each patient stands in it. Its model predicts for every
patient of the data, so that the same predictions serve training (weighted by the counts), test
(every patient once), the patients left out (.632) and held-out folds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rnetstats.formula.outcome import Outcome
from rnetstats.kernels.cox_horizon import hazard_until
from rnetstats.kernels.newton import IntArray
from rnetstats.kernels.risksets import RiskSets
from rnetstats.prediction.selection_bias import GlobalModel

__all__ = ["Refit", "Refitted", "replicate_seeds", "risk_at", "take_rows"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Refitted:
    """Models of B replicates, and what they predict for the n patients of the data.

    Attributes
    ----------
    risk : array of shape (B, n)
        Predicted risk; for a Cox model without a horizon the linear predictor.
    predictor : array of shape (B, n)
        Linear predictor: log odds, or log hazard ratio.
    usable : bool array of shape (B,)
        Whether the replicate gave a model.
    lost : bool array of shape (B,)
        Whether it lost a level or a column, which then contributes nothing.
    training_risk, training_predictor : arrays of shape (B, n) or None
        Of the rows as the replicate saw them, where that differs (imputed values).
    test_risk, test_predictor : arrays of shape (B, n) or None
        Of the rows as a test takes them, where that differs (values imputed for each test).
    choices : dict of str to array of shape (B,)
        What the recipe decided: cut-offs, knots, and 1 or 0 for each candidate term.
    slopes : array of shape (B, q) or None
        Of a recipe that selects: the coefficient of each candidate column, 0 if left out.
    """

    risk: Floats
    predictor: Floats
    usable: Bools
    lost: Bools
    training_risk: Floats | None = None
    training_predictor: Floats | None = None
    test_risk: Floats | None = None
    test_predictor: Floats | None = None
    choices: dict[str, Floats] = field(default_factory=dict)
    slopes: Floats | None = None

    @property
    def as_trained(self) -> tuple[Floats, Floats]:
        """Risk and predictor (B, n) of the rows as the replicates saw them."""
        risk = self.risk if self.training_risk is None else self.training_risk
        predictor = self.predictor if self.training_predictor is None else self.training_predictor
        return risk, predictor

    @property
    def as_tested(self) -> tuple[Floats, Floats]:
        """Risk and predictor (B, n) of the rows as a test takes them."""
        risk = self.risk if self.test_risk is None else self.test_risk
        predictor = self.predictor if self.test_predictor is None else self.test_predictor
        return risk, predictor


class Refit(ABC):
    """A model with its data, able to be made again.

    Attributes
    ----------
    outcome : Outcome
        Of the n rows; frequency weights are written out as rows.
    horizon : float or None
        The time of the risks of a survival model.
    cluster : int array of shape (n,) or None
        Clusters that are resampled whole.
    positions : int array of shape (n,)
        Place of each row in the data as given.
    formula : str
    fixed : bool
        Whether the design is held fixed, or the whole recipe is repeated.
    imputed : bool
        Whether missing values are imputed in each replicate.
    imputations : int
        Completed tables that the model of the data as they are is made of; 1 without.
    searched : bool
        Whether cut-offs are searched in every resample.
    notes : tuple of str
        What was decided on reading the rows.
    """

    outcome: Outcome
    horizon: float | None = None
    cluster: IntArray | None = None
    positions: NDArray[np.intp]
    formula: str = ""
    fixed: bool = True
    imputed: bool = False
    imputations: int = 1
    searched: bool = False
    notes: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Rows."""
        values = self.outcome.y if self.outcome.y is not None else self.outcome.stop
        assert values is not None
        return len(values)

    @abstractmethod
    def again(self, counts: Floats, seeds: IntArray) -> Refitted:
        """Make the model from each replicate.

        Parameters
        ----------
        counts : array of shape (B, n)
            How often each row stands in the replicate.
        seeds : int array of shape (B,)
            One a replicate, for whatever a recipe draws.
        """

    def global_model(self) -> GlobalModel | None:
        """Return the model of all candidates, if terms are selected among them."""
        return None

    def original(self, seed: int = 0) -> Refitted:
        """Make the model from the data as they are, a replicate of its own (B = 1)."""
        return self.again(np.ones((1, self.n)), replicate_seeds(seed, np.zeros(1, dtype=np.int64)))

    def whole(self, seed: int = 0) -> Refitted:
        """Make the model from the data as they are, once for each imputation."""
        size = self.imputations
        return self.again(np.ones((size, self.n)), replicate_seeds(seed, np.arange(size)))


def replicate_seeds(seed: int, replicates: IntArray) -> IntArray:
    """Return a seed for each replicate (by its number), for whatever a recipe draws."""
    return replicates + seed % (1 << 62)


def risk_at(
    sets: RiskSets,
    predictor: Floats,
    counts: Floats,
    horizon: float | None,
    ties: str,
    new: Floats | None = None,
) -> Floats:
    """Return the risk by the horizon (B, m) of patients with linear predictors ``new``.

    By default those that the baseline comes from; without a horizon the linear predictor itself.
    """
    wanted = predictor if new is None else new
    if horizon is None:
        return wanted
    hazard = hazard_until(sets, predictor, horizon, freq=counts, ties=ties)
    return np.asarray(-np.expm1(-hazard[:, None] * np.exp(wanted)))


def take_rows(outcome: Outcome, rows: slice | NDArray[np.intp]) -> Outcome:
    """Return the outcome of some rows, in their order."""

    def part(values: NDArray[np.generic] | None) -> NDArray[np.generic] | None:
        return None if values is None else values[rows]

    return Outcome(
        outcome.kind,
        outcome.name,
        outcome.columns,
        y=part(outcome.y),  # type: ignore[arg-type]
        start=part(outcome.start),  # type: ignore[arg-type]
        stop=part(outcome.stop),  # type: ignore[arg-type]
        event=part(outcome.event),  # type: ignore[arg-type]
        cause_codes=part(outcome.cause_codes),  # type: ignore[arg-type]
        causes=outcome.causes,
        cause=outcome.cause,
    )
