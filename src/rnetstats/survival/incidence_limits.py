"""Pointwise limits of a cumulative incidence, and the bound where no event has been seen yet.

References
----------
Kalbfleisch JD, Prentice RL. The Statistical Analysis of Failure Time Data, 2nd ed. Wiley 2002,
section 8.2. Choudhury JB (2002). Non-parametric confidence interval estimation for competing risks
analysis: application to contraceptive data. Stat Med 21:1129-1144. Fay MP, Brittain EH, Proschan MA
(2013). Pointwise confidence intervals for a survival distribution with small samples or heavy
censoring. Biostatistics 14:723-736.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.distributions import normal_quantile
from rnetstats.survival.bpcp import beta_product_limits

__all__ = ["BOUND", "SCALES", "eventless_bound", "incidence_limits"]

Floats = NDArray[np.float64]

SCALES = ("log-log", "cloglog", "log", "plain")
BOUND = "beta product bound"


def incidence_limits(
    incidence: Floats, variance: Floats, ci: str, conf_level: float
) -> tuple[Floats, Floats]:
    """Return limits by a normal approximation on one of four scales.

    Parameters
    ----------
    incidence, variance : array, shape (k,)
    ci : {"log-log", "cloglog", "log", "plain"}
        The scales log(-log F), log(-log(1 - F)), log F and F.
    conf_level : float

    Returns
    -------
    low, high : array, shape (k,)
        Within [0, 1]; missing where the incidence is 0 or 1.
    """
    z = normal_quantile(conf_level)
    error = np.sqrt(variance)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if ci == "plain":
            low, high = incidence - z * error, incidence + z * error
        elif ci == "log":
            factor = np.exp(z * error / incidence)
            low, high = incidence / factor, incidence * factor
        elif ci == "log-log":
            width = np.exp(z * error / (incidence * -np.log(incidence)))
            low, high = incidence**width, incidence ** (1.0 / width)
        else:
            free = 1.0 - incidence
            width = np.exp(z * error / (free * -np.log(free)))
            low, high = 1.0 - free ** (1.0 / width), 1.0 - free**width
    undefined = (incidence <= 0.0) | (incidence >= 1.0 - 1e-12)
    low, high = np.maximum(low, 0.0), np.minimum(high, 1.0)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


def eventless_bound(n_risk: Floats, n_left: Floats, conf_level: float) -> Floats:
    """Return an upper limit of an incidence of which no event has been seen.

    The beta product confidence procedure, with competing events taken as censored, bounds
    1 - exp(-H) with H the cumulative cause-specific hazard, and the cumulative incidence lies
    below that. The bound is exact: it holds at any sample size.

    Parameters
    ----------
    n_risk, n_left : array, shape (k,)
        At risk just before and just after each time.
    conf_level : float
        Of the two-sided interval from 0.

    Returns
    -------
    array, shape (k,)
    """
    low, _ = beta_product_limits(n_risk, np.zeros_like(n_risk), n_left, conf_level=conf_level)
    return np.asarray(1.0 - low)
