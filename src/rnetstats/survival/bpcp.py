"""Beta product confidence limits for survival, which hold with few events and with none.

Let ``Y_j`` be at risk and ``d_j`` fail at the distinct event times up to ``t``, and let ``Y`` be
left at risk just after ``t``. The upper limit is a quantile of the product of independent
``Beta(Y_j - d_j + 1, d_j)``; the lower limit one of the same product times ``Beta(Y, 1)``. Each
product is replaced by the beta variable with its first two moments.

References
----------
Fay MP, Brittain EH, Proschan MA. Pointwise confidence intervals for a survival distribution with
small samples or heavy censoring. Biostatistics 2013;14:723-36. Mid-P: Fay MP, Brittain EH. Finite
sample pointwise confidence intervals for a survival distribution with right-censored data. Stat
Med 2016;35:2726-40.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["beta_product_limits"]

Floats = NDArray[np.float64]


def beta_product_limits(
    n_risk: Floats,
    n_event: Floats,
    n_left: Floats,
    *,
    conf_level: float = 0.95,
    mid_p: bool = False,
) -> tuple[Floats, Floats]:
    """Return the limits just after each of a curve's distinct times, method of moments.

    Parameters
    ----------
    n_risk, n_event : array, shape (k,)
        At risk just before, and events at, each distinct stop time, ascending.
    n_left : array, shape (k,)
        At risk just after each time.
    conf_level : float
    mid_p : bool
        Narrower limits that hold on average rather than always.

    Returns
    -------
    low, high : array, shape (k,)
        Never missing: with no event yet the upper limit is 1, with nobody left the lower one is 0.
    """
    tail = (1.0 - conf_level) / 2.0
    # logarithms of the mean and of 1 + the squared coefficient of variation: no digits are lost
    # where the mean is close to 1
    mean: Floats = np.cumsum(np.log1p(-n_event / (n_risk + 1.0)))
    spread: Floats = np.cumsum(np.log1p(n_event / ((n_risk - n_event + 1.0) * (n_risk + 2.0))))
    upper = _beta_of(mean, spread)
    with np.errstate(divide="ignore"):
        still = np.log1p(-1.0 / (n_left + 1.0))
        wider = np.log1p(1.0 / (n_left * (n_left + 2.0)))
    lower = _beta_of(mean + still, spread + wider)
    if mid_p:
        return _mid_p(lower, upper, tail)
    return _quantile(lower, tail), _quantile(upper, 1.0 - tail)


def _beta_of(log_mean: Floats, log_spread: Floats) -> tuple[Floats, Floats]:
    """Return (a, b) of the beta law with a mean and, in ``log_spread``, log(1 + variance / mean^2).

    a = inf is the point 1, a = 0 is 0.
    """
    mean, beyond = np.exp(log_mean), -np.expm1(log_mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        a = beyond / np.expm1(log_spread) - mean
        b = a * beyond / mean
    certain = (log_mean >= 0.0) | (mean <= 0.0)
    return (
        np.where(certain, np.where(log_mean >= 0.0, np.inf, 0.0), a),
        np.where(certain, 1.0, b),
    )


def _quantile(law: tuple[Floats, Floats], probability: float) -> Floats:
    from scipy.special import betaincinv

    a, b = law
    inside = np.isfinite(a) & (a > 0.0)
    value = betaincinv(np.where(inside, a, 1.0), np.where(inside, b, 1.0), probability)
    return np.where(inside, value, np.where(a > 0.0, 1.0, 0.0))


def _cumulative(law: tuple[Floats, Floats], x: Floats) -> Floats:
    from scipy.special import betainc

    a, b = law
    inside = np.isfinite(a) & (a > 0.0)
    value = betainc(np.where(inside, a, 1.0), np.where(inside, b, 1.0), x)
    return np.where(inside, value, np.where(a > 0.0, (x >= 1.0) * 1.0, 1.0))


def _mid_p(
    lower: tuple[Floats, Floats], upper: tuple[Floats, Floats], tail: float
) -> tuple[Floats, Floats]:
    """Return quantiles of the half-and-half mixture of the two laws, by bisection.

    The mixture's quantile lies between the two laws' own; 60 halvings reach the last bit.
    """
    limits = []
    for probability in (tail, 1.0 - tail):
        low, high = _quantile(lower, probability), _quantile(upper, probability)
        if probability < 0.5:  # half the mass on 0, where nobody is left
            high = np.where(lower[0] > 0.0, high, low)
        for _ in range(60):
            middle = (low + high) / 2.0
            mass = (_cumulative(lower, middle) + _cumulative(upper, middle)) / 2.0
            low = np.where(mass < probability, middle, low)
            high = np.where(mass < probability, high, middle)
        limits.append(high)
    return limits[0], limits[1]
