"""A recipe repeated in many replicates at once: cut-offs, knots, selection, fit, shrinkage."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from rnetstats.errors import DataError
from rnetstats.formula.outcome import Outcome
from rnetstats.formula.variables import Variable
from rnetstats.kernels.cox import CoxFit, fit_cox
from rnetstats.kernels.flic import flic_intercept
from rnetstats.kernels.links import with_intercept
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.logistic import LogisticFit, fit_logistic
from rnetstats.kernels.newton import LOST_TERM, OK, IntArray
from rnetstats.kernels.risksets import prepare
from rnetstats.kernels.row_patterns import LikeRows, collapsed
from rnetstats.prediction.recipe_imputed import Completer, variables_of
from rnetstats.prediction.recipe_made import Made, choices_of, columns_of, slopes_of
from rnetstats.prediction.recipe_shrinkage import ridge_slopes, shrunken_slopes
from rnetstats.prediction.recipe_steps import Candidates, Learned
from rnetstats.prediction.refit import Refit, Refitted, risk_at
from rnetstats.prediction.selection import (
    Selection,
    backward,
    groups,
    part_design,
    univariable_screen,
)
from rnetstats.prediction.selection_bias import GlobalModel

__all__ = ["RecipeRefit"]

_TESTED = 1 << 62  # seeds of what is imputed for a test begin here, beyond those of the replicates

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Variables = Mapping[str, Variable]


class RecipeRefit(Refit):
    """Repeats a recipe.

    Parameters
    ----------
    plan : Candidates
    outcome : Outcome
    variables : mapping of str to Variable
        Of the rows that predictions are made for; completed if values were missing.
    firth : bool
    selection : Selection or None
    shrink : str or None
    m : float, optional
        Strength of log-F priors on all slopes, in the place of Firth's penalty.
    horizon : float, optional
    complete : Completer, optional
        Completes missing values by the rows of a replicate.
    imputations : int
        See :class:`Refit`.

    Attributes
    ----------
    table : DataFrame
        The rows, as predictions are made for them.
    """

    fixed = False

    def __init__(
        self,
        plan: Candidates,
        outcome: Outcome,
        variables: Variables,
        *,
        firth: bool,
        selection: Selection | None = None,
        shrink: str | None = None,
        m: float | None = None,
        horizon: float | None = None,
        complete: Completer | None = None,
        imputations: int = 1,
    ) -> None:
        self.plan, self.outcome, self.variables = plan, outcome, variables
        self.searched = any(isinstance(how, str) for how in plan.cut.values())
        self.firth, self.selection, self.shrink = firth, selection, shrink
        self.m, self.complete, self.imputations = m, complete, imputations
        self.horizon = None if horizon is None else outcome.horizon(horizon)
        self.imputed = complete is not None
        self.table = pd.DataFrame()
        self.binary = outcome.y is not None
        if outcome.y is None:
            assert outcome.stop is not None
            assert outcome.event is not None
            self.events = outcome.event.astype(np.float64)
            self.sets = prepare(outcome.start, outcome.stop, outcome.event)
        else:
            self.events = outcome.y

    def again(self, counts: Floats, seeds: IntArray) -> Refitted:
        """Make all replicates; see :meth:`Refit.again`."""
        if self.complete is None:
            made, X = self.make(self.variables, counts, seeds)
            predictor, risk = self._predict(X, made, counts)
            return Refitted(
                risk,
                predictor,
                made.usable,
                made.lost,
                choices=self._choices(made),
                slopes=self._slopes(made),
            )
        parts = [
            self._imputed(self.complete, row[None, :], seed)
            for row, seed in zip(counts, seeds, strict=True)
        ]
        choices = [part.choices for part in parts]
        slopes = [part.slopes for part in parts if part.slopes is not None]
        return Refitted(
            risk=np.concatenate([part.risk for part in parts]),
            predictor=np.concatenate([part.predictor for part in parts]),
            usable=np.concatenate([part.usable for part in parts]),
            lost=np.concatenate([part.lost for part in parts]),
            training_risk=np.concatenate([part.as_trained[0] for part in parts]),
            training_predictor=np.concatenate([part.as_trained[1] for part in parts]),
            test_risk=np.concatenate([part.as_tested[0] for part in parts]),
            test_predictor=np.concatenate([part.as_tested[1] for part in parts]),
            choices={
                name: np.concatenate([chosen[name] for chosen in choices]) for name in choices[0]
            },
            slopes=np.concatenate(slopes) if slopes else None,
        )

    def _imputed(self, complete: Completer, counts: Floats, seed: int) -> Refitted:
        """Impute one replicate by its own rows, and make its model of them.

        Each test has its own imputation by all patients: one that all tests shared would leave
        its error in their mean, however many there are.
        """
        names = tuple(self.variables)
        try:
            own, known = variables_of(complete(counts[0], int(seed)), names), True
        except DataError:  # a column has no value in this replicate: no model can be made
            own, known = self.variables, False
        made, X = self.make(own, counts, np.array([seed]))
        eta, training = self._predict(X, made, counts)
        trained = (eta, self._linear(X, made))
        tested = variables_of(complete(np.ones(self.n), _TESTED + int(seed)), names)
        risk, predictor = self._elsewhere(self.variables, made, counts, trained)
        test_risk, test_predictor = self._elsewhere(tested, made, counts, trained)
        return Refitted(
            risk,
            predictor,
            made.usable & known,
            made.lost,
            training,
            eta,
            test_risk,
            test_predictor,
            self._choices(made),
            self._slopes(made),
        )

    def _elsewhere(
        self, variables: Variables, made: Made, counts: Floats, trained: tuple[Floats, Floats]
    ) -> tuple[Floats, Floats]:
        """Return risk and predictor (1, n) of rows that were completed otherwise.

        ``trained`` is the predictor of the replicate's own rows, as given and before centring.
        """
        X, _ = self.plan.design(variables, made.learned, self.n)
        predictor = self._linear(X, made)
        if self.binary:
            return expit(predictor), predictor
        eta, plain = trained
        shift = (eta * counts).sum(axis=1) - (plain * counts).sum(axis=1)
        predictor = predictor + shift[:, None] / counts.sum(axis=1, keepdims=True)
        return risk_at(self.sets, eta, counts, self.horizon, "efron", predictor), predictor

    def make(self, variables: Variables, counts: Floats, seeds: IntArray) -> tuple[Made, Floats]:
        """Return the models of all replicates, and the columns of the candidates."""
        some = (counts @ self.events > 0) & ((counts @ (1.0 - self.events) > 0) | (not self.binary))
        safe = np.where(some[:, None], counts, 1.0)
        learned = self.plan.learn(variables, self.outcome, safe)
        blank = {name: np.nan_to_num(cut) for name, cut in learned.cuts.items()}
        X, places = self.plan.design(
            variables, Learned(blank, learned.encoders, learned.usable), self.n
        )
        kept = self._select(X, places, safe)
        coef = np.zeros((len(counts), X.shape[-1] + int(self.binary)))
        usable, lost = some & learned.usable, np.zeros(len(counts), dtype=bool)
        for rows, terms in groups(kept, np.ones(len(counts), dtype=bool)):
            columns = columns_of(places, terms)
            part = part_design(X, rows)[..., columns]
            found, status = self._final(part, safe[rows], seeds[rows], X.shape[-1])
            where = np.append(0, columns + 1) if self.binary else columns
            coef[np.ix_(rows, where)] = found
            usable[rows] &= np.isin(status, (OK, LOST_TERM)) & np.isfinite(found).all(axis=1)
            lost[rows] = status == LOST_TERM
        coef[~usable] = 0.0
        return Made(coef, kept, places, learned, usable, lost), X

    def finish(self, variables: Variables, agreed: Made, seed: int) -> Floats:
        """Return the coefficients (q,) of given terms, cut-offs and knots: fit and shrinkage."""
        one, rows = np.ones((1, self.n)), np.zeros(1, dtype=np.intp)
        X, places = self.plan.design(variables, agreed.learned, self.n)
        columns = columns_of(places, np.flatnonzero(agreed.kept[0]))
        part = part_design(X, rows)[..., columns]
        coef, _ = self._final(part, one, np.array([seed]), X.shape[-1])
        return np.asarray(coef[0])

    def global_model(self) -> GlobalModel | None:
        """Return the fit of all candidates, cut-offs and knots as found on the data."""
        if self.selection is None:
            return None
        one = np.ones((1, self.n))
        learned = self.plan.learn(self.variables, self.outcome, one)
        X, _ = self.plan.design(self.variables, learned, self.n)
        terms, levels, same = self.plan.columns(learned)
        fit = self._fit(one, X, np.zeros(1, dtype=np.intp), False)
        first = int(self.binary)
        coef = np.array(fit.coef[0, first:])
        error = np.sqrt(np.diagonal(fit.covariance[0])[first:])
        good = (fit.status[0] in (OK, LOST_TERM)) & (error > 0.0)
        return GlobalModel(
            terms,
            levels,
            np.where(good, coef, np.nan),
            np.where(good, error, np.nan),
            np.array(same),
        )

    def _select(self, X: Floats, places: tuple[slice, ...], counts: Floats) -> Flags:
        size = len(counts)
        if self.selection is None:
            return np.ones((size, len(places)), dtype=bool)
        fit = partial(self._fit, counts)
        if self.selection.method == "univariable":
            return univariable_screen(X, places, size, fit, self.selection)
        atoms = [set(term) for term in self.plan.terms]
        within = np.array([[a < b for b in atoms] for a in atoms])
        return backward(X, places, within, size, fit, self.selection)

    def _fit(
        self, counts: Floats, X: Floats, rows: NDArray[np.intp], null: bool
    ) -> LogisticFit | CoxFit:
        """Fit columns in some replicates; with `null` all slopes are held at 0."""
        p = X.shape[-1]
        if not self.binary:
            free = np.zeros(p, dtype=bool) if null else None
            return fit_cox(
                X,
                self.sets,
                freq=counts[rows],
                firth=self.firth,
                prior=self._prior(p),
                free=free,
            )
        free = np.append(True, np.zeros(p, dtype=bool)) if null else None
        columns, outcome, freq = collapsed(X, self.events, counts[rows])
        return fit_logistic(
            with_intercept(columns),
            outcome,
            freq=freq,
            firth=self.firth,
            prior=self._prior(p),
            free=free,
        )

    def _prior(self, p: int) -> LogF | None:
        """Return the priors on p slopes."""
        if self.m is None:
            return None
        first = int(self.binary)
        return LogF(np.eye(p + first)[first:], np.full(p, self.m))

    def _final(
        self, X: Floats, counts: Floats, seeds: IntArray, candidate_df: int
    ) -> tuple[Floats, IntArray]:
        """Return coefficients (b, q) and status of the final model."""
        if not X.shape[-1]:
            if not self.binary:
                return np.empty((len(counts), 0)), np.full(len(counts), OK)
            share = counts @ self.events / counts.sum(axis=1)
            return np.log(share / (1.0 - share))[:, None], np.full(len(counts), OK)
        fit = self._fit(counts, X, np.arange(len(counts)), False)
        coef, status = np.array(fit.coef), fit.status
        slopes = slice(1, None) if self.binary else slice(None)
        if self.shrink is not None and self.shrink.startswith("ridge"):
            sets = None if self.binary else self.sets
            coef[:, slopes] = ridge_slopes(self.shrink, X, self.events, counts, seeds, sets=sets)
            status = np.where(np.isfinite(coef).all(axis=1), OK, status)
        elif self.shrink is not None:
            coef[:, slopes] = shrunken_slopes(
                self.shrink,
                fit,
                X,
                self.events,
                counts,
                seeds,
                df=candidate_df,
                refit=self._refit,
                sets=None if self.binary else self.sets,
            )
        if self.binary and (self.firth or self.shrink is not None):
            coef[:, 0] = flic_intercept(with_intercept(X), self.events, coef, freq=counts)
        return coef, status

    def _refit(self, counts: Floats, X: Floats) -> LogisticFit | CoxFit:
        return self._fit(counts, X, np.arange(len(counts)), False)

    def _linear(self, X: Floats, made: Made) -> Floats:
        slopes = made.coef[:, 1:] if self.binary else made.coef
        eta = LikeRows(X).predictor(slopes) if X.ndim == 2 else np.einsum("bnp,bp->bn", X, slopes)
        return eta + made.coef[:, :1] if self.binary else eta

    def _choices(self, made: Made) -> dict[str, Floats]:
        return choices_of(made, self.plan.names, selected=self.selection is not None)

    def _slopes(self, made: Made) -> Floats | None:
        return slopes_of(made, selected=self.selection is not None, intercept=self.binary)

    def _predict(self, X: Floats, made: Made, counts: Floats) -> tuple[Floats, Floats]:
        """Return linear predictor and risk (B, n)."""
        eta = self._linear(X, made)
        if self.binary:
            return eta, expit(eta)
        safe = np.where(made.usable[:, None], counts, 1.0)
        eta = eta - (eta * safe).sum(axis=1, keepdims=True) / safe.sum(axis=1, keepdims=True)
        return eta, risk_at(self.sets, eta, safe, self.horizon, "efron")
