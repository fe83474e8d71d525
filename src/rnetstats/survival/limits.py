"""Pointwise limits of a survival curve from its variance, and quantiles of step curves.

References
----------
Kalbfleisch JD, Prentice RL. The Statistical Analysis of Failure Time Data, 2nd ed. Wiley 2002,
section 1.4 (plain, log and log-log limits). Brookmeyer R, Crowley J. A confidence interval for the
median survival time. Biometrics 1982;38:29-41.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.distributions import normal_quantile

__all__ = ["curve_quantile", "transformed_limits"]

Floats = NDArray[np.float64]

_FLAT = 1e-8  # a step this close to the level counts as on it


def transformed_limits(
    survival: Floats, log_variance: Floats, ci: str, conf_level: float
) -> tuple[Floats, Floats]:
    """Return pointwise limits by a normal approximation on one of three scales.

    Parameters
    ----------
    survival, log_variance : array, shape (k,)
        The estimate and the variance of its logarithm.
    ci : {"plain", "log", "log-log"}
    conf_level : float

    Returns
    -------
    low, high : array, shape (k,)
        Within [0, 1]; missing where survival is 0, and for ``"log-log"`` where it is 1.
    """
    z = normal_quantile(conf_level)
    error = np.sqrt(log_variance)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if ci == "plain":
            low, high = survival * (1.0 - z * error), survival * (1.0 + z * error)
        elif ci == "log":
            low, high = survival * np.exp(-z * error), survival * np.exp(z * error)
        else:
            width = z * error / np.log(survival)
            low, high = survival ** np.exp(-width), survival ** np.exp(width)
    undefined = (survival <= 0.0) | ((survival >= 1.0) & (ci == "log-log"))
    low, high = np.maximum(low, 0.0), np.minimum(high, 1.0)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


def curve_quantile(time: Floats, curve: Floats, probability: float) -> float:
    """Return the first time at which a falling step curve is at or below ``1 - probability``.

    Where the curve lies on the level (to 1e-8), the middle of the flat piece is taken, which ends
    at the next fall or else at the last time. Missing when the level is not reached.

    Parameters
    ----------
    time, curve : array, shape (k,)
        The curve's value just after each time; it may hold missing values, which reach nothing.
    probability : float
        In (0, 1).
    """
    level = 1.0 - probability
    reached = np.flatnonzero(curve <= level + _FLAT)
    if reached.size == 0:
        return float("nan")
    first = reached[0]
    if curve[first] < level - _FLAT:
        return float(time[first])
    # comparing from the left keeps missing values out: they end no flat piece
    below = np.flatnonzero((curve < level - _FLAT) & (np.arange(len(curve)) > first))
    end = below[0] if below.size else len(time) - 1
    return float((time[first] + time[end]) / 2.0)
