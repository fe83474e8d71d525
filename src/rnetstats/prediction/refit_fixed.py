"""A fitted model made again in many replicates at once, its design held fixed."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from rnetstats._core.copies import copies
from rnetstats.errors import OptionError
from rnetstats.formula.outcome import Outcome
from rnetstats.kernels.cox import fit_cox
from rnetstats.kernels.flic import flic_intercept
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.newton import LOST_TERM, OK, IntArray
from rnetstats.kernels.risksets import RiskSets, prepare
from rnetstats.kernels.row_patterns import LikeRows
from rnetstats.prediction.refit import Floats, Refit, Refitted, risk_at, take_rows
from rnetstats.regression.cox_result import CoxResult
from rnetstats.regression.logistic import LogisticResult

__all__ = ["FixedCox", "FixedLogistic", "refit_of_fit"]


class FixedLogistic(Refit):
    """A logistic regression whose columns stay as they are.

    Parameters
    ----------
    X : array of shape (n, p)
    outcome : Outcome
    firth : bool
    prior : LogF, optional
        Log-F priors, in place of Firth's penalty.
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
        prior: LogF | None = None,
        offset: Floats | None = None,
        shift: bool = True,
    ) -> None:
        assert outcome.y is not None
        self.X, self.outcome, self.y = X, outcome, outcome.y
        self.rows = LikeRows(X)
        self.firth, self.prior, self.offset = firth, prior, offset
        drawn = firth or (prior is not None and bool(prior.rows[:, 0].any()))
        self.shift = shift and drawn

    def again(self, counts: Floats, seeds: IntArray) -> Refitted:
        """Fit all replicates; see :meth:`Refit.again`."""
        del seeds
        both = (counts @ self.y > 0) & (counts @ (1 - self.y) > 0)
        safe = counts if both.all() else np.where(both[:, None], counts, 1.0)
        fit = fit_logistic(
            self.X, self.y, freq=safe, offset=self.offset, firth=self.firth, prior=self.prior
        )
        coef = np.array(fit.coef)
        if self.shift:
            coef[:, 0] = flic_intercept(self.X, self.y, coef, freq=safe, offset=self.offset)
        predictor = self.rows.predictor(coef)
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
    prior : LogF, optional
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
        prior: LogF | None = None,
        horizon: float | None = None,
        offset: Floats | None = None,
    ) -> None:
        assert outcome.stop is not None
        assert outcome.event is not None
        self.X, self.outcome = X, outcome
        self.horizon = None if horizon is None else outcome.horizon(horizon)
        self.rows = LikeRows(X)
        self.firth, self.prior, self.ties, self.offset = firth, prior, ties, offset
        self.event = outcome.event
        self.sets: RiskSets = prepare(outcome.start, outcome.stop, outcome.event)

    def again(self, counts: Floats, seeds: IntArray) -> Refitted:
        """Fit all replicates; see :meth:`Refit.again`."""
        del seeds
        some = (counts * self.event).sum(axis=1) > 0
        safe = np.where(some[:, None], counts, 1.0)
        fit = fit_cox(
            self.X,
            self.sets,
            freq=safe,
            offset=self.offset,
            ties=self.ties,
            firth=self.firth,
            prior=self.prior,
        )
        predictor = self.rows.predictor(fit.coef)
        if self.offset is not None:
            predictor = predictor + self.offset
        predictor = predictor - (predictor * safe).sum(axis=1, keepdims=True) / safe.sum(
            axis=1, keepdims=True
        )
        usable = some & np.isin(fit.status, (OK, LOST_TERM))
        with np.errstate(over="ignore", invalid="ignore"):  # nearly separated
            risk = risk_at(self.sets, predictor, safe, self.horizon, self.ties)
        usable &= np.isfinite(risk).all(axis=1)
        return Refitted(risk, predictor, usable, some & (fit.status == LOST_TERM))


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
    weights = frame.freq_weights
    again = slice(None) if weights is None else copies(weights)
    outcome = take_rows(frame.outcome, again)
    offset = None if frame.offset is None else frame.offset[again]
    X = frame.design.X[again]
    refit: Refit
    if isinstance(fit, LogisticResult):
        if horizon is not None:
            raise OptionError("time= has no meaning for a logistic model, whose risk has no time.")
        refit = FixedLogistic(
            X,
            outcome,
            firth=engine.firth,
            prior=engine.prior,
            offset=offset,
            shift=intercept == "flic",
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
        refit = FixedCox(
            X,
            outcome,
            firth=engine.firth,
            prior=engine.prior,
            ties=ties,
            horizon=horizon,
            offset=offset,
        )
    refit.formula, refit.positions = frame.formula, frame.rows[again]
    refit.notes = frame.notes
    if frame.cluster is not None:
        refit.cluster = frame.cluster.codes[again].astype(np.int64)
    return refit
