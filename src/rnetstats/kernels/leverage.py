"""Whether a penalised likelihood may have several maxima: where single rows have much leverage.

Firth's penalty is half the log-determinant of the information. Where one row holds much of that,
it may pay to give the row up, and the penalised likelihood has a second maximum with another fit
to it. With little leverage everywhere hardly any second one was found in trials.
"""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.cox_likelihood import CoxLikelihood
from rnetstats.kernels.fine_gray_likelihood import FineGrayLikelihood
from rnetstats.kernels.firth import inverse_information
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import Evaluate, FloatArray

__all__ = ["MUCH", "around", "largest_leverage", "may_have_several_maxima"]

MUCH = 0.25
"""Leverage above which other maxima are looked for."""

_MORE = 1 / 3  # above which also at the limits and under the hypotheses
_FEW_EVENTS = 3  # for each coefficient of a hazard model
_FAR = 5.0  # standard errors: where other maxima are looked for from


def largest_leverage(X: FloatArray, predictor: FloatArray, covariance: FloatArray) -> float:
    """Largest diagonal element of a logistic model's hat matrix.

    Parameters
    ----------
    X : array of shape (n, p)
    predictor : array of shape (n,)
        The log odds.
    covariance : array of shape (p, p)
    """
    with np.errstate(over="ignore"):
        odds = np.exp(-np.abs(predictor))
    spread = odds / (1.0 + odds) ** 2
    return float((spread * np.vecdot(X @ covariance, X)).max())


def may_have_several_maxima(
    evaluate: Evaluate,
    estimate: FloatArray,
    information: FloatArray,
    leverage: float | None = None,
) -> bool:
    """Whether it has a penalty that is not concave, and single rows have much leverage.

    In a model of hazards every event has, where events are few beside the coefficients.

    Parameters
    ----------
    evaluate : Evaluate
        Of one data set. Of other models than these the leverage is not known.
    estimate : array of shape (p,)
    information : array of shape (p, p)
        There.
    leverage : float, optional
        The largest one there in a logistic model, where it is known.
    """
    if not getattr(evaluate, "firth", False):
        return False
    if isinstance(evaluate, CoxLikelihood):
        return bool(evaluate.sets.deaths.size < _FEW_EVENTS * len(estimate))
    if isinstance(evaluate, FineGrayLikelihood):
        return bool(evaluate.layout.own.size < _FEW_EVENTS * len(estimate))
    if not isinstance(evaluate, LogisticLikelihood):
        return True
    if leverage is not None:
        return leverage > _MORE
    scale = evaluate.scale[0]
    covariance = inverse_information(information[None])[0] * (scale[:, None] * scale)
    predictor = evaluate.X @ (estimate * scale)
    if evaluate.offset is not None:
        predictor = predictor + evaluate.offset[0]
    return largest_leverage(evaluate.X, predictor, covariance) > _MORE


def around(estimate: FloatArray, covariance: FloatArray) -> FloatArray:
    """Points far out on the profile of each coefficient, were the likelihood quadratic.

    Parameters
    ----------
    estimate : array of shape (p,)
    covariance : array of shape (p, p)

    Returns
    -------
    array of shape (2 p, p)
    """
    away = _FAR * covariance / np.sqrt(covariance.diagonal())[:, None]
    return np.concatenate([estimate + away, estimate - away])
