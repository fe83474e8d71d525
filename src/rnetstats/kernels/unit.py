"""A likelihood measured in standard errors about its maximum."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from rnetstats.kernels.cox_likelihood import CoxLikelihood
from rnetstats.kernels.firth import inverse_information
from rnetstats.kernels.leverage import may_have_several_maxima
from rnetstats.kernels.newton import Evaluate, FloatArray, Found, IntArray

__all__ = ["Unit", "standardised"]


class Unit(NamedTuple):
    """A likelihood of coefficients measured in standard errors, and where its maximum is.

    Attributes
    ----------
    evaluate : Evaluate
    centre, scale : arrays of shape (p,)
        The maximum, and the standard errors of the coefficients as given.
    value : float
    information : array of shape (p, p)
        Both there.
    several : callable
        Whether it may have several maxima, see :mod:`rnetstats.kernels.leverage`.
    search : Evaluate
        The same at points that may be anywhere: without a value where one would be slow to find.
    """

    evaluate: Evaluate
    centre: FloatArray
    scale: FloatArray
    value: float
    information: FloatArray
    several: Callable[[], bool]
    search: Evaluate


def standardised(
    evaluate: Evaluate,
    estimate: FloatArray,
    found: tuple[FloatArray, FloatArray] | None = None,
    leverage: float | None = None,
) -> Unit:
    """Measure the coefficients of one data set in standard errors.

    `found` holds log-likelihood (1,) and information (1, p, p) at the estimate, where known, and
    `leverage` the largest one of the rows.
    """
    beta = np.asarray(estimate, dtype=float)
    if found is None:
        value, _, information = evaluate(beta[None], np.zeros(1, np.int64))
    else:
        value, information = found
    information = np.where(np.isfinite(information), information, 0.0)
    diagonal = np.sqrt(np.maximum(np.diag(information[0]), 0.0))
    diagonal = np.where(diagonal > 0, diagonal, 1.0)
    variance = np.diag(inverse_information(information / (diagonal[:, None] * diagonal))[0])
    scale = np.where(variance > 0, np.sqrt(np.abs(variance)), 1.0) / diagonal
    outer = scale[:, None] * scale

    def scaled(given: Evaluate, gamma: FloatArray, index: IntArray) -> Found:
        likelihood, score, matrix = given(gamma * scale, index)
        return likelihood, score * scale, matrix * outer

    near = evaluate.within_range if isinstance(evaluate, CoxLikelihood) else evaluate

    @cache
    def several() -> bool:
        return may_have_several_maxima(evaluate, beta, information[0], leverage)

    return Unit(
        evaluate=partial(scaled, evaluate),
        centre=beta / scale,
        scale=scale,
        value=float(value[0]),
        information=information[0] * outer,
        several=several,
        search=partial(scaled, near),
    )
