"""Whether a penalised likelihood may have several maxima: where few patients have much leverage.

Firth's penalty is half the log-determinant of the information. Where one row holds much of that,
it may pay to give the row up, and the penalised likelihood has a second maximum with another fit
to it. Rows that are alike and have one outcome would be given up together: their leverage is that
of all of them. With little leverage everywhere hardly any second maximum was found in trials.
"""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.cox_likelihood import CoxLikelihood
from rnetstats.kernels.fine_gray_likelihood import FineGrayLikelihood
from rnetstats.kernels.firth import inverse_information
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import Evaluate, FloatArray, IntArray

__all__ = [
    "MUCH",
    "hat_values",
    "hazards_leverage",
    "informing_events",
    "largest_leverage",
    "may_have_several_maxima",
]

MUCH = 0.25
"""Leverage above which other maxima are looked for."""

_MORE = 1 / 3  # above which also at the limits and under the hypotheses


def hat_values(X: FloatArray, predictor: FloatArray, covariance: FloatArray) -> FloatArray:
    """Diagonal of the hat matrix of a logistic model, each element that of one replicated row.

    Parameters
    ----------
    X : array of shape (n, p)
    predictor : array of shape (n,)
        The log odds.
    covariance : array of shape (p, p)
        Inverse of X'WX.

    Returns
    -------
    array of shape (n,)
    """
    with np.errstate(over="ignore"):
        odds = np.exp(-np.abs(predictor))
    return np.asarray(odds / (1.0 + odds) ** 2 * np.vecdot(X @ covariance, X))


def largest_leverage(
    X: FloatArray,
    y: FloatArray,
    predictor: FloatArray,
    covariance: FloatArray,
    weights: FloatArray | None = None,
) -> float:
    """Largest leverage in a logistic model, of a row or of rows that are alike.

    Rows that are alike count together where all of them have one outcome, a row that stands three
    times as three rows; where they have both, one by one.

    Parameters
    ----------
    X : array of shape (n, p)
    y : array of shape (n,)
        Two numbers.
    predictor : array of shape (n,)
        The log odds.
    covariance : array of shape (p, p)
    weights : array of shape (n,), optional
        How often each row stands, times its sampling weight.

    Returns
    -------
    float
        Sum of diagonal elements of the hat matrix, at most p.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    >>> covariance = np.linalg.inv(X.T @ X / 4)
    >>> largest_leverage(X, np.array([0.0, 1.0, 1.0, 1.0]), np.zeros(4), covariance)
    1.0
    """
    leverage = hat_values(X, predictor, covariance)
    count = np.ones(len(X)) if weights is None else weights
    return max(float(leverage.max()), _together(X, y, count * leverage))


def hazards_leverage(
    X: FloatArray, event: FloatArray, events: float, weights: FloatArray | None = None
) -> float:
    """Largest leverage in a model of hazards, whatever the coefficients are.

    That of an event on average, or of a patient whose columns are far from all others': in trials
    other maxima were found where a patient held a quarter of a column's variance, with ten events
    for the coefficient too. Patients who are alike count as in :func:`largest_leverage`.

    Parameters
    ----------
    X : array of shape (n, p)
    event : array of shape (n,)
        Whether the row ends in the event.
    events : float
        Their number, or how many of them inform, see :func:`informing_events`.
    weights : array of shape (n,), optional
        How often each row stands, times its sampling weight.
    """
    count = np.ones(len(X)) if weights is None else weights
    away = X - np.average(X, axis=0, weights=count)
    length = np.sqrt(count @ away**2)
    away /= np.where(length > 0, length, 1.0)  # a matrix of correlations has no small columns
    spread = np.linalg.pinv((away.T * count) @ away, hermitian=True)
    leverage = np.vecdot(away @ spread, away)
    far = max(float(leverage.max()), _together(X, event, count * leverage))
    return max(float(X.shape[1] / events), far)


def informing_events(likelihood: CoxLikelihood) -> float:
    """How many events would hold the information of all coefficients zero, if each held as much.

    It is their number where all patients are at risk from one time on and alike but for the
    columns. In small strata, with late entry or an offset many an event happens to the only patient
    at risk, or to the one whom all expect it of, and a few others hold nearly all information.

    Parameters
    ----------
    likelihood : CoxLikelihood
        Of one data set.

    Returns
    -------
    float
        (sum of s)^2 / sum of s^2, where s is an event's share of the information, tr(V I_k): V is
        the inverse of the whole and I_k the event's own, ties as Breslow's. At least 1.
    """
    sets, weights = likelihood.sets, likelihood.weights
    uneven = likelihood.offset is not None or weights.total is not weights.counts
    if not uneven and sets.intervals is None and sets.stratum_bounds.size <= 2:
        return float(weights.counts.sum())
    zero, index = np.zeros((1, likelihood.design.p)), np.zeros(1, dtype=np.int64)
    block = likelihood.block(index)
    inverse = inverse_information(likelihood.unpenalised(zero, index)[2])
    with np.errstate(all="ignore"):
        point = likelihood.point(zero, block)
        forms = sets.risk_sums(point.risk * block.design.quadratic_forms(inverse))[0]
        means = point.s1[0] / point.s0[0]
        share = forms / point.s0[0] - ((inverse[0] @ means) * means).sum(axis=0)
    share = np.where(np.isfinite(share), np.maximum(share, 0.0), 0.0) * block.mean[0]
    largest = float(share.max(initial=0.0))
    if largest == 0.0:
        return 1.0
    share /= largest
    return float((block.counts[0] @ share) ** 2 / (block.counts[0] @ share**2))


def _together(X: FloatArray, y: FloatArray, leverage: FloatArray) -> float:
    """Largest sum of the leverage of rows that are alike and have one outcome; 0 without any."""
    standing = leverage > 0  # without those of weight 0
    X, y, leverage = X[standing], y[standing], leverage[standing]
    # Rows are alike where a sum of theirs is, with factors that no whole numbers relate.
    code = np.vecdot(X, np.sin(np.arange(1.0, X.shape[1] + 1.0)))
    codes, group = np.unique(code, return_inverse=True)
    if len(codes) == len(X):
        return float(leverage.max(initial=0.0))
    first = np.bincount(group, y == y[0])
    pure = (first == 0) | (first == np.bincount(group))
    return float((np.bincount(group, leverage) * pure).max())


def may_have_several_maxima(
    evaluate: Evaluate,
    estimate: FloatArray,
    information: FloatArray,
    leverage: float | None = None,
) -> bool:
    """Whether it has a penalty that is not concave, and few patients have much leverage.

    Parameters
    ----------
    evaluate : Evaluate
        Of one data set.
    estimate : array of shape (p,)
    information : array of shape (p, p)
        There.
    leverage : float, optional
        The largest one there, where it is known.
    """
    if not getattr(evaluate, "firth", False):
        return False
    if leverage is not None:
        return leverage > _MORE
    if isinstance(evaluate, CoxLikelihood):
        columns, events = evaluate.design.x.T, informing_events(evaluate)
        return hazards_leverage(columns, _marked(evaluate.sets.deaths, columns), events) > _MORE
    if isinstance(evaluate, FineGrayLikelihood):
        own = evaluate.layout.own
        return hazards_leverage(evaluate.x, _marked(own, evaluate.x), own.size) > _MORE
    assert isinstance(evaluate, LogisticLikelihood)  # no other likelihood has this penalty
    scale = evaluate.scale[0]
    covariance = inverse_information(information[None])[0] * (scale[:, None] * scale)
    predictor = evaluate.X @ (estimate * scale)
    if evaluate.offset is not None:
        predictor = predictor + evaluate.offset[0]
    y = evaluate.design.outcome_sign[0]
    X = evaluate.X * y[:, None]  # as given: the columns of one data set carry the outcome's sign
    weights = None if evaluate.weights is None else evaluate.weights[0]
    return largest_leverage(X, y, predictor, covariance, weights) > _MORE


def _marked(rows: IntArray, X: FloatArray) -> FloatArray:
    """1 for some rows of X, else 0."""
    event = np.zeros(len(X))
    event[rows] = 1.0
    return event
