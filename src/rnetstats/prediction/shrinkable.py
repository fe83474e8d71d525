"""What is shrunken: a logistic or a Cox fit, its rows, and how both are made again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from rnetstats.errors import OptionError
from rnetstats.formula.variables import Floats
from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.cox_horizon import hazard_until
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.kernels.shrinkage import cox_recalibration_slopes, recalibration_slopes
from rnetstats.prediction.from_cox import stratum_sets
from rnetstats.prediction.from_logistic import logistic_replicates
from rnetstats.prediction.model import RiskModel
from rnetstats.prediction.tuning import Tuned, tune
from rnetstats.prediction.tuning_cox import tune_cox
from rnetstats.prediction.tuning_folds import Folds, deal_folds
from rnetstats.regression.cox_result import CoxResult
from rnetstats.regression.engine import Engine
from rnetstats.regression.logistic import LogisticResult

__all__ = ["Shrinkable", "shrinkable"]


class Shrinkable(ABC):
    """A fit whose slopes are to be shrunken.

    Attributes
    ----------
    engine : Engine
    events : array of shape (n,)
        1 for a row with the event.
    rarer : float
        Patients with the rarer outcome; of a time those with the event.
    rare : str
        Who they are.
    limits : bool
        Whether there are events enough for limits of the risk.
    """

    engine: Engine
    events: Floats
    rarer: float
    rare: str
    limits: bool = True

    @abstractmethod
    def tune(self, method: str, counts: Floats | None, **options: Any) -> Tuned:
        """Shrink in replicates (b, n), or in the data as they are."""

    def deal(self, rng: np.random.Generator, folds: int, repeats: int) -> Folds:
        """Deal patients into folds; clusters whole.

        Raises
        ------
        OptionError
            If one cluster holds all events.
        """
        cluster = self.engine.frame.cluster
        if cluster is not None and len(np.unique(cluster.codes[self.events > 0.0])) < 2:
            raise OptionError(
                "Cross-validation leaves clusters out whole, and all events lie in one: use "
                "method='ridge-aic'."
            )
        return deal_folds(
            rng,
            self.events,
            folds,
            repeats,
            freq=self.engine.frame.freq_weights,
            cluster=None if cluster is None else cluster.codes,
        )

    @abstractmethod
    def slopes(self, counts: Floats) -> Floats:
        """Slopes (b,), in the data, of models fitted in replicates (b, n)."""

    def hazards(self, coef: Floats, counts: Floats | None) -> Floats | None:
        """Baseline hazards (b, S) by the horizon of coefficients (b, p); None without a time."""
        del coef, counts
        return None

    def fields(self, coef: Floats) -> dict[str, Any]:
        """Return the fields of the risk model with coefficients (p,)."""
        return {"coef": coef}


class ShrinkableLogistic(Shrinkable):
    """A logistic fit."""

    def __init__(self, engine: Engine, base: RiskModel) -> None:
        self.engine, self.events = engine, engine.likelihood_options["y"]
        self.rarer = min(base.summary["n_events"], base.summary["n"] - base.summary["n_events"])
        self.rare = "patients have the rarer outcome"

    def tune(self, method: str, counts: Floats | None, **options: Any) -> Tuned:
        """See :func:`rnetstats.prediction.tuning.tune`."""
        frame = self.engine.frame
        return tune(
            method,
            self.engine.X,
            self.events,
            freq=frame.freq_weights if counts is None else counts,
            offset=frame.offset,
            firth=self.engine.firth,
            prior=self.engine.prior,
            **options,
        )

    def slopes(self, counts: Floats) -> Floats:
        """See :func:`rnetstats.kernels.shrinkage.recalibration_slopes`."""
        engine, frame = self.engine, self.engine.frame
        fits = logistic_replicates(
            engine.X,
            self.events,
            counts,
            offset=frame.offset,
            firth=engine.firth,
            prior=engine.prior,
            intercept="model",
            start=engine.reached,
        )
        usable = np.isin(fits.status, (OK, LOST_TERM))
        coef = np.where(usable[:, None], fits.coef, np.nan)
        return recalibration_slopes(
            engine.X, self.events, coef, freq=frame.freq_weights, offset=frame.offset
        )


class ShrinkableCox(Shrinkable):
    """A Cox fit, for risks by a horizon."""

    def __init__(self, fit: CoxResult, engine: Engine, base: RiskModel) -> None:
        outcome = engine.frame.outcome
        assert outcome is not None
        assert outcome.event is not None
        assert base.baseline is not None
        self.engine, self.events = engine, outcome.event.astype(np.float64)
        self.rarer = float(base.summary["n_events"])
        self.rare = "patients have the event"
        self.limits = base.summary["n_events_by_horizon"] >= 5
        self.sets = fit._need("sets", "Shrinkage")
        self.ties = str(engine.likelihood_options["ties"])
        if self.ties == "exact":
            raise OptionError("A fit with exact ties has no batched refit; use ties='efron'.")
        self.baseline, self.horizon = base.baseline, base.horizon
        self.parts = stratum_sets(engine, base.baseline)

    def tune(self, method: str, counts: Floats | None, **options: Any) -> Tuned:
        """See :func:`rnetstats.prediction.tuning_cox.tune_cox`."""
        frame = self.engine.frame
        return tune_cox(
            method,
            self.engine.X,
            self.sets,
            self.events,
            freq=frame.freq_weights if counts is None else counts,
            offset=frame.offset,
            ties=self.ties,
            firth=self.engine.firth,
            prior=self.engine.prior,
            **options,
        )

    def slopes(self, counts: Floats) -> Floats:
        """See :func:`rnetstats.kernels.shrinkage.cox_recalibration_slopes`."""
        engine, frame = self.engine, self.engine.frame
        some = counts @ self.events > 0
        fit = fit_cox(
            engine.X,
            self.sets,
            freq=np.where(some[:, None], counts, 1.0),
            offset=frame.offset,
            ties=self.ties,
            firth=engine.firth,
            prior=engine.prior,
            start=engine.reached,
        )
        usable = some & np.isin(fit.status, (OK, LOST_TERM))
        return cox_recalibration_slopes(
            engine.X,
            self.sets,
            np.where(usable[:, None], fit.coef, np.nan),
            freq=frame.freq_weights,
            offset=frame.offset,
            ties=self.ties,
        )

    def hazards(self, coef: Floats, counts: Floats | None) -> Floats:
        """Estimate the baseline hazard of each stratum by the horizon again, (b, S)."""
        assert self.horizon is not None
        frame = self.engine.frame
        freq = frame.freq_weights if counts is None else counts
        held = np.atleast_2d(np.ones(frame.n) if freq is None else freq)
        known = np.asarray(np.isfinite(coef).all(axis=1))
        eta = np.where(known[:, None], coef, 0.0) @ (self.engine.X - self.baseline["centre"]).T
        if frame.offset is not None:
            eta = eta + frame.offset
        found = [
            hazard_until(part, eta[:, rows], self.horizon, freq=held[:, rows], ties=self.ties)
            for rows, part in self.parts
        ]
        return np.where(known[:, None], np.column_stack(found), np.nan)

    def fields(self, coef: Floats) -> dict[str, Any]:
        """Coefficients, and the baseline hazard that goes with them."""
        hazard = self.hazards(coef[None], None)[0]
        return {"coef": coef, "baseline": {**self.baseline, "hazard": hazard}}


def shrinkable(fit: LogisticResult | CoxResult, base: RiskModel) -> Shrinkable:
    """Return what is shrunken of a fit.

    Raises
    ------
    DataNotKeptError
        If the fit was read back from JSON.
    OptionError
        If it has sampling weights or exact ties.
    """
    engine: Engine = fit._need("engine", "Shrinkage")
    if engine.frame.sampling_weights is not None:
        raise OptionError("shrink() does not take sampling_weights.")
    if isinstance(fit, CoxResult):
        return ShrinkableCox(fit, engine, base)
    return ShrinkableLogistic(engine, base)
