"""What one method answers on one cohort: an estimate with its interval, by each method at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.cox import cox_likelihood, fit_cox
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import DIVERGED, OK, Evaluate
from rnetstats.kernels.profile import profile_limits
from rnetstats.kernels.risksets import RiskSets

__all__ = ["METHODS", "NO_ANSWER", "Answer", "cox_answers", "logistic_answers"]

Array = NDArray[np.float64]

_INFINITE = 8.0
"""A coefficient of an indicator beyond this, in a fit that diverged, is called infinite."""


METHODS = ("ML, Wald", "ML, profile", "Firth, profile")
"""Of a likelihood: estimate and limits by maximum likelihood and by Firth's penalty."""


class Answer(NamedTuple):
    """An estimate and its 95 % limits; NaN limits mean that the method gives no interval."""

    estimate: float
    low: float
    high: float


NO_ANSWER = Answer(np.nan, np.nan, np.nan)


class _Fit(NamedTuple):
    """The common part of a logistic and a Cox fit."""

    coef: Array
    covariance: Array
    status: int
    evaluate: Evaluate


def _wald(fit: _Fit, column: int) -> Answer:
    estimate = float(fit.coef[column])
    if fit.status == DIVERGED:
        infinite = abs(estimate) > _INFINITE
        return Answer(np.copysign(np.inf, estimate) if infinite else estimate, np.nan, np.nan)
    error = float(np.sqrt(fit.covariance[column, column])) * NormalDist().inv_cdf(0.975)
    return Answer(estimate, estimate - error, estimate + error)


def _profiles(fit: _Fit, start: Array, columns: Sequence[int]) -> list[Answer]:
    """Return profile limits; where the fit diverged they are sought from ``start``."""
    diverged = fit.status == DIVERGED
    value = float(fit.evaluate(fit.coef[None], np.zeros(1, np.int64))[0][0])
    found = profile_limits(
        fit.evaluate,
        start if diverged else fit.coef,
        columns,
        maximum=value if diverged else None,
    )
    return [
        Answer(_wald(fit, column).estimate, float(found.lower[j]), float(found.upper[j]))
        for j, column in enumerate(columns)
    ]


def _answers(make: Callable[[bool], _Fit], columns: Sequence[int]) -> dict[str, list[Answer]]:
    """Return the answers of maximum likelihood and of Firth's penalty, column by column."""
    firth, plain = make(True), make(False)
    if firth.status != OK or plain.status not in (OK, DIVERGED):
        return {name: [NO_ANSWER] * len(columns) for name in METHODS}
    answers = (
        [_wald(plain, column) for column in columns],
        _profiles(plain, firth.coef, columns),
        _profiles(firth, firth.coef, columns),
    )
    return dict(zip(METHODS, answers, strict=True))


def logistic_answers(X: Array, y: Array, columns: Sequence[int]) -> dict[str, list[Answer]]:
    """Return logistic answers by method, for some columns of the design.

    Parameters
    ----------
    X : (n, p) array
        With its intercept.
    y : (n,) array of 0 and 1
    columns : sequence of int

    Returns
    -------
    dict of list of Answer
        By :data:`METHODS`; no answer where the data do not determine the model.
    """
    # rows that agree are one weighted row: the same likelihood, far fewer rows
    distinct, code = np.unique(np.column_stack([X, y]), axis=0, return_inverse=True)
    freq = np.bincount(code.ravel()).astype(float)
    design, outcome = distinct[:, :-1], distinct[:, -1]

    def make(firth: bool) -> _Fit:
        fit = fit_logistic(design, outcome, freq=freq, firth=firth)
        evaluate = LogisticLikelihood(design, outcome, weights=freq, firth=firth)
        return _Fit(fit.coef[0], fit.covariance[0], int(fit.status[0]), evaluate)

    return _answers(make, columns)


def cox_answers(X: Array, sets: RiskSets, columns: Sequence[int]) -> dict[str, list[Answer]]:
    """Return Cox answers (Efron's ties) by method, for some columns of the design (n, p)."""

    def make(firth: bool) -> _Fit:
        fit = fit_cox(X, sets, firth=firth)
        evaluate = cox_likelihood(X, sets, firth=firth)
        return _Fit(fit.coef[0], fit.covariance[0], int(fit.status[0]), evaluate)

    if not sets.n_times:
        return {name: [NO_ANSWER] * len(columns) for name in METHODS}
    return _answers(make, columns)
