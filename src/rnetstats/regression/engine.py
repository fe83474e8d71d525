"""What inference needs of a fitted model: its rows, its likelihood, its covariance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnetstats.formula.design import ModelFrame
from rnetstats.formula.spec import Spec
from rnetstats.kernels.bent import bent, differenced
from rnetstats.kernels.conditioning import Turned, conditioned
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.newton import Evaluate
from rnetstats.kernels.profile import (
    Unit,
    limits_about,
    restricted_about,
    restricted_and_limits,
    standardised,
)
from rnetstats.regression.wald import wald_statistics
from rnetstats.regression.workings import Known, Workings

__all__ = ["Engine"]

Limits = tuple[np.ndarray, np.ndarray, tuple[int, ...]]
"""Lower and upper limits (p,), and the columns of which one was not found."""

_HALVES = 12
_MATTERS = 1e-3  # of the information at zero


@dataclass(frozen=True, eq=False, kw_only=True)
class Engine:
    """A fitted model with its patient rows; it lives in memory only.

    Attributes
    ----------
    frame : ModelFrame
    likelihood : callable
        ``likelihood(X, **likelihood_options)`` is the (penalised) log-likelihood of one data set
        with design X (n, p), to be evaluated in batches.
    likelihood_options : dict
    firth : bool
        Whether that likelihood carries Firth's penalty.
    prior_name : str
        "" or the name of the log-F priors that it carries (``likelihood_options["prior"]``).
    wald : bool
        Tests and limits are Wald's: asked for, or on a sandwich variance.
    robust : str
        "" or the name of the sandwich variance in use.
    coef : array of shape (p,)
        Infinite where the data are separated.
    reached : array of shape (p,)
        The same, finite: where the ascent stopped.
    covariance : array of shape (p, p)
        The sandwich variance where one is in use.
    model_covariance : array of shape (p, p)
        The inverse information.
    value : float
        The maximised (penalised) log-likelihood; its supremum where the data are separated.
    """

    frame: ModelFrame
    likelihood: Callable[..., Evaluate]
    likelihood_options: dict[str, Any]
    firth: bool
    wald: bool
    robust: str
    coef: np.ndarray
    reached: np.ndarray
    covariance: np.ndarray
    model_covariance: np.ndarray
    value: float
    prior_name: str = ""

    def evaluator(self, X: np.ndarray, turn: np.ndarray | None = None) -> Evaluate:
        """Return the likelihood of another design for the same rows.

        Parameters
        ----------
        X : array of shape (n, p)
        turn : array of shape (p, p), optional
            Where X is ``engine.X @ turn``: a prior is on the coefficients of the columns as given.
        """
        options = self.likelihood_options
        if self.prior is not None and turn is not None:
            options = {**options, "prior": self.prior.turned(turn)}
        return self.likelihood(X, **options)

    @property
    def prior(self) -> LogF | None:
        """Log-F priors on the coefficients, if any."""
        return self.likelihood_options.get("prior")

    @property
    def penalised(self) -> bool:
        """Whether the likelihood carries a penalty of either kind."""
        return self.firth or self.prior is not None

    @property
    def spec(self) -> Spec:
        """The design's description."""
        return self.frame.design.spec

    @property
    def X(self) -> np.ndarray:
        """The design matrix (n, p)."""
        return self.frame.design.X

    @property
    def offset(self) -> np.ndarray:
        """The offset (n,), zero without one."""
        offset = self.frame.offset
        return np.zeros(self.frame.n) if offset is None else offset

    @property
    def patient_weights(self) -> np.ndarray:
        """Frequency times sampling weight of each row (n,)."""
        weights = self.frame.weights
        return np.ones(self.frame.n) if weights is None else weights

    @property
    def separated(self) -> bool:
        """Whether a coefficient is infinite."""
        return not bool(np.isfinite(self.coef).all())

    @property
    def test_method(self) -> str:
        """The name of the tests that this model makes."""
        if self.wald:
            return f"Wald ({self.robust})" if self.robust else "Wald"
        return "penalized likelihood ratio" if self.penalised else "likelihood ratio"

    @property
    def fit_method(self) -> str:
        """The name of estimate and limits, as shown in the ``method`` column."""
        kind = "Firth" if self.firth else self.prior_name or "ML"
        if not self.wald:
            return f"{kind}, profile {'penalized ' if self.penalised else ''}likelihood"
        return f"{kind}, Wald ({self.robust})" if self.robust else f"{kind}, Wald"

    def vantage(self) -> np.ndarray:
        """Return the estimate; where it is infinite, a point on the way (p,).

        Far out the likelihood is flat and its information vanishes. Going back by halves, the
        first point is taken at which no combination of coefficients has lost its weight.
        """
        lost = ~np.isfinite(self.coef)
        if not lost.any():
            return self.reached
        shares = np.append(0.5 ** np.arange(_HALVES), 0.0)
        points = np.where(lost, shares[:, None] * self.reached, self.reached)
        turned = self._apart(self.X)
        inward = points if turned is None else turned.inward(points)
        evaluate = self.evaluator(*((self.X,) if turned is None else (turned.X, turned.turn)))
        information = evaluate(inward, np.arange(len(points)))[2]
        usable = np.asarray(np.isfinite(information).all(axis=(1, 2)))
        size = np.sqrt(np.maximum(np.diag(information[-1]), np.finfo(float).tiny))
        scaled = np.where(usable[:, None, None], information, 0.0) / np.outer(size, size)
        least = np.linalg.eigvalsh(scaled)[:, 0]
        return np.asarray(points[int(np.argmax(usable & (least >= _MATTERS * least[-1])))])

    def workings(self, known: Known | None = None) -> Workings:
        """Return what tests and limits share, beginning with what the fit has found."""
        if known is None:
            turned = self._apart(self.X)
            if turned is not None:
                return Workings(turned, None)
        given = {} if known is None else {"design": known.design}
        evaluate = self.likelihood(self.X, **self.likelihood_options, **given)
        if known is None or self.separated:
            unit, bend = standardised(evaluate, self.vantage()), None
        else:
            found = np.array([self.value]), known.information[None]
            unit, bend = standardised(evaluate, self.reached, found, known.leverage), known.bend
        if self.firth:
            bend = differenced(unit.evaluate, unit.centre) if bend is None else bend
            unit = unit._replace(evaluate=bent(unit.evaluate, bend), search=bent(unit.search, bend))
        return Workings(None, unit)

    def tests_and_limits(
        self, columns: Sequence[Sequence[int]], conf_level: float, known: Known | None = None
    ) -> tuple[np.ndarray, Limits]:
        """Return :meth:`test` and :meth:`limits`, sought side by side where that can be.

        Parameters
        ----------
        columns : sequence of sequences of int
        conf_level : float
        known : Known, optional
            What the fit has found, if it needed no other columns than ours.
        """
        workings = self.workings(known)
        if workings.unit is not None and not self.separated:
            found = restricted_and_limits(workings.unit, _distinct(columns), level=conf_level)
            workings = replace(workings, restricted=found[0], profile=found[1])
        return self.test(columns, workings=workings), self.limits(conf_level, workings)

    def limits(self, conf_level: float, workings: Workings | None = None) -> Limits:
        """Profile-likelihood limits of all coefficients, and the columns without one.

        Parameters
        ----------
        conf_level : float
        workings : Workings, optional

        Returns
        -------
        lower, upper : arrays of shape (p,)
        lost : tuple of int
            Columns for which a limit was not found (it is missing).
        """
        workings = self.workings() if workings is None else workings
        p = len(self.coef)
        low, high = np.empty(p), np.empty(p)
        for group, turned in self._well_conditioned(self.X, [(j,) for j in range(p)], workings):
            columns = [j for (j,) in group]
            found = workings.profile or limits_about(
                workings.unit or self._about(turned),
                columns,
                level=conf_level,
                maximum=self.value if self.separated else None,
            )
            low[columns], high[columns] = found.lower, found.upper
        undetermined = np.isnan(self.coef)
        lower = np.where(np.isneginf(self.coef) | undetermined, -np.inf, low)
        upper = np.where(np.isposinf(self.coef) | undetermined, np.inf, high)
        lost = np.flatnonzero(np.isnan(lower) | np.isnan(upper))
        return lower, upper, tuple(int(c) for c in lost)

    def test(
        self,
        columns: Sequence[Sequence[int]],
        turn: np.ndarray | None = None,
        workings: Workings | None = None,
    ) -> np.ndarray:
        """Chi-square statistics of the hypotheses that sets of coefficients are zero.

        Parameters
        ----------
        columns : sequence of sequences of int
        turn : array of shape (p, p), optional
            The hypotheses are on the coefficients of ``X @ turn``.
        workings : Workings, optional
            Of these columns: without `turn`.

        Returns
        -------
        array of shape (len(columns),)
        """
        if not columns:
            return np.empty(0)
        if self.wald:
            coef, covariance = self._turned(turn)
            return wald_statistics(coef, covariance, columns)
        X, shift = self.X, 0.0
        if turn is not None:
            X, workings = X @ turn, None
            if self.firth:  # a transformation changes the penalty by a constant
                shift = float(np.linalg.slogdet(turn)[1])
        unit = None if workings is None else workings.unit
        restricted: dict[tuple[int, ...], float] = {}
        sets = _distinct(columns)
        for group, turned in self._well_conditioned(X, sets, workings):
            fits = workings.restricted if workings is not None else None
            if fits is None:
                fits = restricted_about(unit or self._about(turned, X, turn), group)
            restricted.update(zip(group, fits.log_likelihood.tolist(), strict=True))
        values = np.array([restricted[tuple(part)] for part in columns]) - shift
        return np.maximum(2.0 * (self.value - values), 0.0)

    def _about(
        self, turned: Turned | None, X: np.ndarray | None = None, turn: np.ndarray | None = None
    ) -> Unit:
        """Return the likelihood in the well-conditioned columns of X, which is ours times turn."""
        X, start = self.X if X is None else X, self.vantage()
        if turn is not None:
            start = np.linalg.solve(turn, start)
        if turned is None:
            return standardised(self.evaluator(X, turn), start)
        both = turned.turn if turn is None else turn @ turned.turn
        return standardised(self.evaluator(turned.X, both), turned.inward(start))

    def _well_conditioned(
        self, X: np.ndarray, sets: list[tuple[int, ...]], workings: Workings | None
    ) -> list[tuple[list[tuple[int, ...]], Turned | None]]:
        """Group sets of coefficients to be held by the columns in which the others are fitted.

        These are the columns of X (None) where they are well conditioned; otherwise others, in
        which holding each set of the group means what it means in X.
        """
        turned = self._apart(X) if workings is None else workings.turned
        if turned is None:
            return [(sets, None)]
        groups: list[tuple[list[tuple[int, ...]], Turned | None]] = [
            ([part], self._apart(X, part)) for part in sets if not turned.keeps(part)
        ]
        kept = [part for part in sets if turned.keeps(part)]
        return [*groups, (kept, turned)] if kept else groups

    def _apart(self, X: np.ndarray, held: tuple[int, ...] = ()) -> Turned | None:
        """Return other columns where those of X nearly determine each other."""
        return conditioned(X if self.spec.intercept else X - X.mean(axis=0), held)

    def _turned(self, turn: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients of ``X @ turn`` and their covariance; missing where infinite."""
        if turn is None:
            return self.coef, self.covariance
        back = np.linalg.inv(turn)
        lost = ~np.isfinite(self.coef)
        outer = lost[:, None] | lost
        coef = back @ np.where(lost, 0.0, self.coef)
        covariance = back @ np.where(outer, 0.0, self.covariance) @ back.T
        touched = (back[:, lost] != 0.0).any(axis=1)
        coef[touched] = np.nan
        return coef, covariance


def _distinct(columns: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    """Each set of columns once."""
    return list(dict.fromkeys(map(tuple, columns)))
