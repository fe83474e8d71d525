"""The formulas behind the sample sizes of prediction models.

References
----------
Riley RD, Snell KIE, Ensor J, Burke DL, Harrell FE, Moons KGM, Collins GS (2019). Minimum sample
size for developing a multivariable prediction model: Part II - binary and time-to-event outcomes.
Statistics in Medicine 38, 1276-1296.
Riley RD, Van Calster B, Collins GS (2021). A note on estimating the Cox-Snell R2 from a reported C
statistic (AUROC) to inform sample size calculations for developing a prediction model with a
binary outcome. Statistics in Medicine 40, 859-864.
Riley RD, Collins GS, Ensor J, Archer L, et al. (2022). Minimum sample size calculations for
external validation of a clinical prediction model with a time-to-event outcome. Statistics in
Medicine 41, 1280-1295.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtri

from rnetstats.errors import OptionError
from rnetstats.formula.variables import Floats

__all__ = [
    "Z",
    "ceiling",
    "cox_slope_information",
    "incidence",
    "incidence_limits",
    "max_r2_binary",
    "max_r2_survival",
    "normal_mixture",
    "optimism_shrinkage",
    "parameters_for",
    "r2_from_c",
    "reckonable",
    "shrinkage_at",
    "size_for_incidence",
    "size_for_risk",
    "size_for_shrinkage",
]

Z = 1.96  # as published; sizes are rounded up from it
_LEAST = 1e-6  # of shares, widths and R2: below it formulas run out of digits
_POINTS = 4001  # of the linear predictor's distribution
_MOMENTS = 100  # of the follow-up, at which the patients at risk are looked at
_PEOPLE = 10_000  # of the null model of a time, with a whole number of events


def ceiling(x: float) -> int:
    """Round a size up, taking what is whole but for rounding errors as whole."""
    return math.ceil(x - 1e-9 * max(abs(x), 1.0))


def reckonable(name: str, value: float) -> float:
    """Return a quantity that is not too near 0 for a size to be reckoned from it.

    Raises
    ------
    OptionError
        If it is below one in a million.
    """
    if value < _LEAST:
        raise OptionError(
            f"{name} is {value:.3g}; sizes are reckoned from {_LEAST:g} upwards. Is it right?"
        )
    return value


def max_r2_binary(prevalence: float) -> float:
    """Largest Cox-Snell R2 that a binary outcome of this prevalence allows."""
    null = prevalence * math.log(prevalence) + (1.0 - prevalence) * math.log(1.0 - prevalence)
    return -math.expm1(2.0 * null)


def max_r2_survival(rate: float, mean_follow_up: float) -> float:
    """Largest Cox-Snell R2 of a time, from the likelihood of a constant rate.

    ln L0 = E ln(E / n) - E for E events of n people, counted for 10,000 people with the events
    rounded up to a whole number, as the published software does.
    """
    events = ceiling(rate * mean_follow_up * _PEOPLE)
    null = events * math.log(events / _PEOPLE) - events
    return -math.expm1(2.0 * null / _PEOPLE)


def size_for_shrinkage(parameters: float, r2: float, shrinkage: float) -> float:
    """Size at which the expected uniform shrinkage factor is ``shrinkage``."""
    return parameters / ((shrinkage - 1.0) * math.log1p(-r2 / shrinkage))


def parameters_for(n: float, r2: float, shrinkage: float) -> float:
    """Parameters that ``n`` people support at this expected shrinkage."""
    return n * (shrinkage - 1.0) * math.log1p(-r2 / shrinkage)


def shrinkage_at(n: float, parameters: float, r2: float) -> float:
    """Expected shrinkage factor of a model of ``parameters`` fitted to ``n`` people.

    The root of :func:`size_for_shrinkage`, which rises with the shrinkage from 0 without end, by
    bisection in (r2, 1).
    """
    low, high = r2, 1.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        enough = r2 < middle < 1.0 and size_for_shrinkage(parameters, r2, middle) <= n
        low, high = (middle, high) if enough else (low, middle)
    return low


def optimism_shrinkage(r2: float, max_r2: float, optimism: float) -> float:
    """Shrinkage at which apparent and true Nagelkerke R2 differ by ``optimism``."""
    return r2 / (r2 + optimism * max_r2)


def size_for_risk(prevalence: float, margin: float) -> float:
    """Size that estimates an overall risk to within ``margin``."""
    return (Z / margin) ** 2 * prevalence * (1.0 - prevalence)


def incidence(rate: float, timepoint: float) -> float:
    """Cumulative incidence by a time at a constant rate."""
    return -math.expm1(-rate * timepoint)


def size_for_incidence(
    rate: float, timepoint: float, mean_follow_up: float, margin: float
) -> float:
    """Size that estimates a cumulative incidence to within ``margin`` on either side."""
    grown = margin * math.exp(rate * timepoint)
    steps = [] if grown >= 1.0 else [-math.log1p(-grown) / timepoint]
    if incidence(rate, timepoint) > margin:
        steps.append(math.log1p(grown) / timepoint)
    return rate * (Z / min(steps)) ** 2 / mean_follow_up if steps else 1.0


def incidence_limits(
    rate: float, timepoint: float, n: float, mean_follow_up: float
) -> tuple[float, float]:
    """Limits of the cumulative incidence that ``n`` people give."""
    error = math.sqrt(rate / (n * mean_follow_up))
    low, high = max(rate - Z * error, 0.0), rate + Z * error
    return incidence(low, timepoint), incidence(high, timepoint)


def normal_mixture(c_statistic: float, prevalence: float) -> tuple[Floats, Floats]:
    """Linear predictor of a calibrated model with this C statistic, normal in either outcome.

    Among non-events it is normal with variance mu^2, mu = sqrt(2) times the normal quantile of C,
    among events shifted by mu^2: the logit of the risk itself.

    Returns
    -------
    tuple
        Linear predictor (q,) and its probabilities (q,), which sum to 1.
    """
    mu = math.sqrt(2.0) * float(ndtri(c_statistic))
    grid = np.linspace(-9.0, 9.0 + mu, _POINTS)
    density = (1.0 - prevalence) * _normal(grid) + prevalence * _normal(grid - mu)
    linear = math.log(prevalence / (1.0 - prevalence)) + mu * grid - 0.5 * mu * mu
    return linear, np.asarray(density / density.sum())


def cox_slope_information(lp_sd: float, risk: float, timepoint: float, lost: float) -> float:
    """Information a person on the slope of a well calibrated linear predictor in a Cox model.

    The predictor is normal, the baseline rate constant and such that ``risk`` of the people have
    the event by ``timepoint``; censoring has the rate ``lost``. Each event brings the variance of
    the predictor among those at risk, weighted by their hazards; it falls in time, because those
    of a high risk leave first.
    """
    z = np.linspace(-9.0, 9.0 + lp_sd, _POINTS)
    linear, share = lp_sd * z, _normal(z) / _normal(z).sum()

    def surplus(log_hazard: float) -> float:
        hazard = np.exp(np.minimum(log_hazard + linear, 700.0))
        return float(share @ -np.expm1(-hazard)) - risk

    by_then = brentq(surplus, -800.0, 800.0, xtol=1e-12)
    nodes, steps = np.polynomial.legendre.leggauss(_MOMENTS)
    passed = (0.5 + 0.5 * nodes) ** 3  # of the time; most moments are early
    hazard = np.exp(np.minimum(by_then + linear, 700.0))
    weight = share * hazard * np.exp(-passed[:, None] * hazard)
    total = weight.sum(axis=1)
    # A moment at which hardly anyone is left brings nothing.
    mean = (weight @ linear) / np.maximum(total, np.finfo(float).tiny)
    variance = (weight * (linear - mean[:, None]) ** 2).sum(axis=1)
    length = 1.5 * steps * (0.5 + 0.5 * nodes) ** 2
    return float(length @ (variance * np.exp(-lost * timepoint * passed)))


def _normal(z: Floats) -> Floats:
    """Density of the standard normal distribution."""
    return np.asarray(np.exp(-(z**2) / 2.0) / math.sqrt(2.0 * math.pi))


def r2_from_c(c_statistic: float, prevalence: float) -> float:
    """Cox-Snell R2 of a calibrated model with this C statistic.

    The expectation of the log-likelihood ratio under :func:`normal_mixture`, which Riley et al.
    (2021) simulate.
    """
    linear, weight = normal_mixture(c_statistic, prevalence)
    risk = expit(linear)
    fitted = weight @ (risk * linear - np.logaddexp(0.0, linear))
    null = prevalence * math.log(prevalence) + (1.0 - prevalence) * math.log(1.0 - prevalence)
    return float(-np.expm1(-2.0 * (fitted - null)))
