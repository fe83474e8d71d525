"""The closed form of the treatment threshold under competing mortality.

Two actions, surgery now or surveillance, and two states, residual tumour (probability p) or none.
Deaths from other causes come at a rate m; a residual that is left adds deaths at a rate l. With a
constant hazard h the expected years within a horizon H are

    Y(h) = (1 - exp(-h H)) / h,    1 / h without a horizon.

Surgery is survived with probability 1 - d, leaves a share 1 - u of the utility of each later year,
and removes a residual with probability e. Write s = (1 - d)(1 - u) and r = Y(m + l) / Y(m), the
share of the years that are left with a residual under surveillance. In units of Y(m):

    =============  ===================  ========
    action         residual             none
    =============  ===================  ========
    surveillance   r                    1
    surgery        s (e + (1 - e) r)    s
    =============  ===================  ========

The harm to a patient without a residual is C = 1 - s, the benefit to one with it is
B = s (e + (1 - e) r) - r. Surgery is better if p B > (1 - p) C, so the threshold is

    p* = C / (C + B) = (1 - s) / ((1 - r) (1 - s (1 - e))).

Above 1 there is no such probability: even with a certain residual surgery costs more than it gains.
p* rises with d, u and m, and falls with e and l (for m: within H the deaths of the surveyed are
shifted to early times, at which a residual has cost little), so that over ranges its extremes stand
at two corners.

References
----------
Pauker SG, Kassirer JP (1975). Therapeutic decision making: a cost-benefit analysis. N Engl J Med
293:229-234. Pauker SG, Kassirer JP (1980). The threshold approach to clinical decision making. N
Engl J Med 302:1109-1117. Beck JR, Kassirer JP, Pauker SG (1982). A convenient approximation of life
expectancy (the "DEALE"). Am J Med 73:883-888.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["hazard_of", "threshold_probability", "years"]

Floats = NDArray[np.float64]


def hazard_of(risk: ArrayLike, within: ArrayLike) -> Floats:
    """Return the constant hazard that gives this risk within this time."""
    return np.asarray(-np.log1p(-np.asarray(risk, dtype=float)) / np.asarray(within, dtype=float))


def years(hazard: ArrayLike, horizon: float = math.inf) -> Floats:
    """Return the expected years lived within the horizon under a constant hazard."""
    rate = np.asarray(hazard, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        if math.isinf(horizon):
            return np.asarray(1.0 / rate)
        return np.where(rate > 0.0, -np.expm1(-rate * horizon) / rate, horizon)


def threshold_probability(
    *,
    death_rate: ArrayLike,
    residual_rate: ArrayLike,
    efficacy: ArrayLike,
    operative_mortality: ArrayLike,
    utility_loss: ArrayLike,
    horizon: float = math.inf,
) -> Floats:
    """Return the probability of a residual above which surgery is better than surveillance.

    Parameters
    ----------
    death_rate, residual_rate : array-like
        Deaths a year, from other causes and from a residual under surveillance.
    efficacy, operative_mortality, utility_loss : array-like
        Shares of 1; all broadcast together.
    horizon : float
        Years that count.

    Returns
    -------
    array
        Infinite where no probability is high enough; missing where surgery neither harms nor
        helps.
    """
    mu, lam = np.asarray(death_rate, dtype=float), np.asarray(residual_rate, dtype=float)
    e, d, u = (np.asarray(a, dtype=float) for a in (efficacy, operative_mortality, utility_loss))
    if math.isinf(horizon):
        lost = lam / (mu + lam)
    else:
        lost = 1.0 - years(mu + lam, horizon) / years(mu, horizon)
    harm = u + d - d * u  # 1 - s, without cancellation
    kept = 1.0 - harm
    weight = lost * (harm + kept * e)  # 1 - s (1 - e) = (1 - s) + s e
    with np.errstate(divide="ignore", invalid="ignore"):
        threshold = harm / weight
    return np.where(threshold > 1.0, np.inf, threshold)
