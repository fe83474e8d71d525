"""The highest of several maxima of Firth's penalised likelihood."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from rnetstats.kernels.leverage import MUCH, around, largest_leverage
from rnetstats.kernels.logistic import LogisticFit
from rnetstats.kernels.newton import OK

__all__ = ["highest"]

_HIGHER = 1e-8  # of log-likelihood: beyond rounding
_LOWER = 1e-6  # the same, of another maximum that is told of
_ROUNDS = 3


class Highest(NamedTuple):
    """A fit, and what was seen on the way to it.

    Attributes
    ----------
    fit : LogisticFit
        Of one replicate.
    leverage : float or None
        The largest one there, if it was asked for last.
    several : bool
        Whether the likelihood has lower maxima too.
    """

    fit: LogisticFit
    leverage: float | None
    several: bool


def highest(
    maximise: Callable[..., LogisticFit],
    fit: LogisticFit,
    X: np.ndarray,
    offset: np.ndarray | None,
    starts: Sequence[np.ndarray] = (),
) -> Highest:
    """Look for a higher maximum where single rows have much leverage; else it is the only one.

    Parameters
    ----------
    maximise : callable
        ``maximise(firth=True, start=...)``, of one start or of several.
    fit : LogisticFit
        From one start.
    X : array of shape (n, p)
    offset : array of shape (n,) or None
    starts : sequence of arrays of shape (p,)
        Where else to look from, beside points around the estimate.

    Returns
    -------
    Highest
    """
    leverage, several = None, False
    for _ in range(_ROUNDS):
        if fit.status[0] != OK:
            break
        predictor = X @ fit.coef[0] if offset is None else X @ fit.coef[0] + offset
        covariance = fit.covariance[0]
        leverage = largest_leverage(X, predictor, covariance)
        if leverage <= MUCH:
            break
        with np.errstate(invalid="ignore"):  # of fits that fail, far out
            start = np.vstack([around(fit.coef[0], covariance), *starts])
            others = maximise(firth=True, start=start)
        values = np.where(others.status == OK, others.log_likelihood_penalized, -np.inf)
        best = int(np.argmax(values))
        top = max(float(values[best]), float(fit.log_likelihood_penalized[0]))
        several |= bool((np.abs(values[np.isfinite(values)] - top) > _LOWER).any())
        if not values[best] > fit.log_likelihood_penalized[0] + _HIGHER:
            break
        again = maximise(firth=True, start=others.coef[best])
        if not again.log_likelihood_penalized[0] > fit.log_likelihood_penalized[0]:
            break
        fit, leverage = again, None
    return Highest(fit, leverage, several)
