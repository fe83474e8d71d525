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
from scipy.special import expit

from rnetstats.errors import OptionError
from rnetstats.formula.outcome import Outcome
from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.cox_horizon import hazard_until
from rnetstats.kernels.flic import flic_intercept
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.newton import LOST_TERM, OK, IntArray
from rnetstats.kernels.risksets import RiskSets, prepare
from rnetstats.prediction.selection_bias import GlobalModel
from rnetstats.regression.cox import CoxResult
from rnetstats.regression.logistic import LogisticResult

__all__ = ["FixedCox", "FixedLogistic", "Refit", "Refitted", "refit_of_fit", "replicate_seeds"]

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
    choices: dict[str, Floats] = field(default_factory=dict)
    slopes: Floats | None = None


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


def replicate_seeds(seed: int, replicates: IntArray) -> IntArray:
    """Return a seed for each replicate (by its number), for whatever a recipe draws."""
    return replicates + seed % (1 << 62)


class FixedLogistic(Refit):
    """A logistic regression whose columns stay as they are.

    Parameters
    ----------
    X : array of shape (n, p)
    outcome : Outcome
    firth : bool
    offset : array of shape (n,), optional
    shift : bool
        Whether the intercept is set so that the mean risk is the share with the outcome (FLIC);
        maximum likelihood has that anyway.
    """

    def __init__(
        self,
        X: Floats,
        outcome: Outcome,
        *,
        firth: bool,
        offset: Floats | None = None,
        shift: bool = True,
    ) -> None:
        assert outcome.y is not None
        self.X, self.outcome, self.y = X, outcome, outcome.y
        self.firth, self.offset, self.shift = firth, offset, shift and firth

    def again(self, counts: Floats, seeds: IntArray) -> Refitted:
        """Fit all replicates; see :meth:`Refit.again`."""
        del seeds
        both = ((counts * self.y).sum(axis=1) > 0) & ((counts * (1 - self.y)).sum(axis=1) > 0)
        safe = np.where(both[:, None], counts, 1.0)
        fit = fit_logistic(self.X, self.y, freq=safe, offset=self.offset, firth=self.firth)
        coef = np.array(fit.coef)
        if self.shift:
            coef[:, 0] = flic_intercept(self.X, self.y, coef, freq=safe, offset=self.offset)
        predictor = coef @ self.X.T
        if self.offset is not None:
            predictor = predictor + self.offset
        usable = both & np.isin(fit.status, (OK, LOST_TERM)) & np.isfinite(coef[:, 0])
        return Refitted(expit(predictor), predictor, usable, both & (fit.status == LOST_TERM))


class FixedCox(Refit):
    """A Cox regression whose columns stay as they are.

    Parameters
    ----------
    X : array of shape (n, p)
    outcome : Outcome
    firth : bool
    ties : {"efron", "breslow"}
    horizon : float, optional
    offset : array of shape (n,), optional
    """

    def __init__(
        self,
        X: Floats,
        outcome: Outcome,
        *,
        firth: bool,
        ties: str,
        horizon: float | None = None,
        offset: Floats | None = None,
    ) -> None:
        assert outcome.stop is not None
        assert outcome.event is not None
        self.X, self.outcome, self.horizon = X, outcome, horizon
        self.firth, self.ties, self.offset = firth, ties, offset
        self.event = outcome.event
        self.sets: RiskSets = prepare(outcome.start, outcome.stop, outcome.event)

    def again(self, counts: Floats, seeds: IntArray) -> Refitted:
        """Fit all replicates; see :meth:`Refit.again`."""
        del seeds
        some = (counts * self.event).sum(axis=1) > 0
        safe = np.where(some[:, None], counts, 1.0)
        fit = fit_cox(
            self.X, self.sets, freq=safe, offset=self.offset, ties=self.ties, firth=self.firth
        )
        predictor = fit.coef @ self.X.T
        if self.offset is not None:
            predictor = predictor + self.offset
        predictor = predictor - (predictor * safe).sum(axis=1, keepdims=True) / safe.sum(
            axis=1, keepdims=True
        )
        usable = some & np.isin(fit.status, (OK, LOST_TERM))
        risk = risk_at(self.sets, predictor, safe, self.horizon, self.ties)
        return Refitted(risk, predictor, usable, some & (fit.status == LOST_TERM))


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


def refit_of_fit(
    fit: LogisticResult | CoxResult, *, horizon: float | None = None, intercept: str = "flic"
) -> Refit:
    """Return the refit of a fitted model, its design held fixed.

    Raises
    ------
    DataNotKeptError
        If the fit was read back from JSON.
    OptionError
        If the fit has sampling weights or strata, or the horizon does not suit it.
    """
    engine = fit._need("engine", "A validation")
    frame = engine.frame
    if frame.sampling_weights is not None:
        raise OptionError(
            "A fit with sampling_weights cannot be validated by resampling its rows: the sample "
            "was not drawn that way."
        )
    if frame.strata is not None:
        raise OptionError(
            f"A fit with strata({', '.join(frame.strata.columns)}) has a baseline a stratum; "
            "validate() needs one: put the columns in as terms."
        )
    again = slice(None)
    if frame.freq_weights is not None:
        again = np.repeat(np.arange(frame.n), frame.freq_weights.astype(np.intp))  # type: ignore[assignment]
    outcome = take_rows(frame.outcome, again)
    offset = None if frame.offset is None else frame.offset[again]
    X = frame.design.X[again]
    refit: Refit
    if isinstance(fit, LogisticResult):
        if horizon is not None:
            raise OptionError("time= has no meaning for a logistic model, whose risk has no time.")
        refit = FixedLogistic(
            X, outcome, firth=engine.firth, offset=offset, shift=intercept == "flic"
        )
    else:
        ties = str(fit.options["ties"])
        if ties == "exact":
            raise OptionError("A fit with exact ties has no batched refit; use ties='efron'.")
        if outcome.start is not None and horizon is not None:
            raise OptionError(
                "A model of start-stop rows has no risk at a horizon that resampled rows could "
                "be judged by; leave time= out."
            )
        refit = FixedCox(X, outcome, firth=engine.firth, ties=ties, horizon=horizon, offset=offset)
    refit.formula, refit.positions = frame.formula, frame.rows[again]
    refit.notes = frame.notes
    if frame.cluster is not None:
        refit.cluster = frame.cluster.codes[again].astype(np.int64)
    return refit


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
