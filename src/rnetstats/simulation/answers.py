"""What one method answers on one cohort: an estimate, and where its interval lies.

Whether an interval covers a value needs no limits. A profile-likelihood interval leaves a value
out exactly when the likelihood-ratio test of that value rejects it, so that one restricted fit a
value takes the place of a search for two limits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.distributions import normal_quantile
from rnetstats.kernels.cox import cox_likelihood, fit_cox
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import DIVERGED, OK, Evaluate, maximise
from rnetstats.kernels.risksets import RiskSets

__all__ = ["METHODS", "NO_ANSWER", "Answer", "cox_answers", "logistic_answers", "place"]

Array = NDArray[np.float64]

_INFINITE = 8.0
"""A coefficient of an indicator beyond this, in a fit that diverged, is called infinite."""

_Z = normal_quantile(0.95)

METHODS = ("ML, Wald", "ML, profile", "Firth, profile")
"""Of a likelihood: estimate and 95 % interval by maximum likelihood and by Firth's penalty."""


class Answer(NamedTuple):
    """An estimate, and where its 95 % interval lies: of the truth, and of no effect (0).

    A place is 1 if the whole interval is above the value, -1 if it is below, 0 if it covers the
    value, and NaN if the method gives no interval.
    """

    estimate: float
    of_truth: float
    of_zero: float


NO_ANSWER = Answer(np.nan, np.nan, np.nan)


class _Fit(NamedTuple):
    """The common part of a logistic and a Cox fit."""

    coef: Array
    covariance: Array
    status: int
    evaluate: Evaluate

    def estimate(self, column: int) -> float:
        """Return a coefficient; infinite if the fit diverged and it ran away."""
        value = float(self.coef[column])
        away = self.status == DIVERGED and abs(value) > _INFINITE
        return float(np.copysign(np.inf, value)) if away else value


def place(low: float, high: float, value: float) -> float:
    """Say where the interval from ``low`` to ``high`` lies of ``value``."""
    if np.isnan(low) or np.isnan(high):
        return np.nan
    return float(low > value) - float(high < value)


def _wald(fit: _Fit, column: int, target: float) -> Answer:
    estimate, variance = fit.estimate(column), float(fit.covariance[column, column])
    if not (np.isfinite(estimate) and variance > 0.0):
        return Answer(estimate, np.nan, np.nan)
    error = np.sqrt(variance) * _Z
    low, high = estimate - error, estimate + error
    return Answer(estimate, place(low, high, target), place(low, high, 0.0))


def _profiles(
    fit: _Fit, start: Array, columns: Sequence[int], targets: Sequence[float]
) -> list[Answer]:
    """Test the target and 0 by the likelihood ratio; all restricted fits are one batch."""
    held = np.repeat(np.asarray(columns), 2)
    values = np.column_stack([targets, np.zeros(len(targets))]).ravel()
    rows = np.arange(held.size)
    first = np.tile(start, (held.size, 1))
    first[rows, held] = values
    free = np.ones(first.shape, dtype=bool)
    free[rows, held] = False
    maximum = float(fit.evaluate(fit.coef[None], np.zeros(1, np.int64))[0][0])
    below = maximise(fit.evaluate, first, free=free)
    fall = 2.0 * (maximum - below.log_likelihood)
    side = np.sign(fit.coef[held] - values)
    found = np.where(fall > _Z**2, side, 0.0)
    places = np.where(np.isin(below.status, (OK, DIVERGED)), found, np.nan).reshape(-1, 2)
    pairs = zip(columns, places, strict=True)
    return [Answer(fit.estimate(column), float(t), float(zero)) for column, (t, zero) in pairs]


def _answers(
    make: Callable[[bool], _Fit], columns: Sequence[int], targets: Sequence[float]
) -> dict[str, list[Answer]]:
    """Return the answers of maximum likelihood and of Firth's penalty, column by column."""
    firth, plain = make(True), make(False)
    if firth.status != OK or plain.status not in (OK, DIVERGED):
        return {name: [NO_ANSWER] * len(columns) for name in METHODS}
    start = firth.coef if plain.status == DIVERGED else plain.coef
    answers = (
        [_wald(plain, *pair) for pair in zip(columns, targets, strict=True)],
        _profiles(plain, start, columns, targets),
        _profiles(firth, firth.coef, columns, targets),
    )
    return dict(zip(METHODS, answers, strict=True))


def logistic_answers(
    flags: NDArray[np.bool_], y: NDArray[np.bool_], targets: Sequence[float]
) -> dict[str, list[Answer]]:
    """Return logistic answers by method, for every indicator of the design.

    Parameters
    ----------
    flags : (n, p) bool array
        Without the intercept, which is added.
    y : (n,) bool array
    targets : sequence of p floats
        The true coefficients.

    Returns
    -------
    dict of list of Answer
        By :data:`METHODS`; no answer where the data do not determine the model.
    """
    # rows that agree are one weighted row: the same likelihood, far fewer rows
    p = flags.shape[1]
    cells = np.column_stack([flags, y]) @ (1 << np.arange(p + 1))
    freq = np.bincount(cells, minlength=2 << p)
    kept = np.flatnonzero(freq)
    bits = (kept[:, None] >> np.arange(p + 1)) & 1
    design = np.column_stack([np.ones(kept.size), bits[:, :p]])
    outcome, weight = bits[:, p].astype(float), freq[kept].astype(float)

    def make(firth: bool) -> _Fit:
        fit = fit_logistic(design, outcome, freq=weight, firth=firth)
        evaluate = LogisticLikelihood(design, outcome, weights=weight, firth=firth)
        return _Fit(fit.coef[0], fit.covariance[0], int(fit.status[0]), evaluate)

    return _answers(make, range(1, p + 1), targets)


def cox_answers(
    X: Array, sets: RiskSets, columns: Sequence[int], targets: Sequence[float]
) -> dict[str, list[Answer]]:
    """Return Cox answers (Efron's ties) by method, for some columns of the design (n, p)."""

    def make(firth: bool) -> _Fit:
        fit = fit_cox(X, sets, firth=firth)
        evaluate = cox_likelihood(X, sets, firth=firth)
        return _Fit(fit.coef[0], fit.covariance[0], int(fit.status[0]), evaluate)

    if not sets.n_times:
        return {name: [NO_ANSWER] * len(columns) for name in METHODS}
    return _answers(make, columns, targets)
