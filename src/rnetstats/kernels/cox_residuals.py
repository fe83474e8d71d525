"""Residuals of a Cox fit: martingale, deviance, score, Schoenfeld, and what deleting a row does.

References
----------
Schoenfeld D (1982). Partial residuals for the proportional hazards regression model.
Biometrika 69, 239-241.
Therneau TM, Grambsch PM, Fleming TR (1990). Martingale-based residuals for survival models.
Biometrika 77, 147-160.
Grambsch PM, Therneau TM (1994). Proportional hazards tests and diagnostics based on weighted
residuals. Biometrika 81, 515-526.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnetstats.kernels.cox_likelihood import CoxBlock, CoxLikelihood
from rnetstats.kernels.cox_point import CoxPoint
from rnetstats.kernels.newton import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class FittedCox:
    """A single Cox model at its estimate.

    Attributes
    ----------
    likelihood
        Of one replicate, by Breslow's or Efron's rule.
    coef
        (p,) coefficients of the columns as given.
    block, point
        Weights, and risks with their sums, at the estimate.
    relative_risk
        (m,) of the kept rows without weights, divided by exp(point.shift).
    """

    likelihood: CoxLikelihood
    coef: FloatArray
    block: CoxBlock
    point: CoxPoint
    relative_risk: FloatArray

    def unsort(self, values: FloatArray) -> FloatArray:
        """Values (..., m) of kept rows as (n, ...) of all rows, zero for those never at risk."""
        sets = self.likelihood.sets
        result = np.zeros((sets.n, *values.shape[:-1]))
        result[sets.rows] = np.moveaxis(values, -1, 0)
        return result


@dataclass(frozen=True, eq=False)
class SchoenfeldResiduals:
    """One residual vector an event, by stratum and rising time, ties in the order of the rows.

    Attributes
    ----------
    rows, times
        (D,) which row it is, and its event time.
    values
        (D, p) x of the event less its expectation over the risk set.
    """

    rows: IntArray
    times: FloatArray
    values: FloatArray


def fitted_cox(likelihood: CoxLikelihood, coef: FloatArray) -> FittedCox:
    """Evaluate a single model at its estimate, for residuals, baseline and tests.

    Parameters
    ----------
    likelihood
        From :func:`rnetstats.kernels.cox.cox_likelihood`, of one replicate; not the exact one.
    coef
        (p,) coefficients of the columns as given.

    Raises
    ------
    ValueError
        If the likelihood has more than one replicate.
    """
    if not likelihood.design.shared or len(likelihood.weights.counts) > 1:
        msg = "residuals are those of one replicate"
        raise ValueError(msg)
    block = likelihood.block(np.zeros(1, dtype=np.int64))
    gamma = np.asarray(coef, dtype=np.float64)[None] * likelihood.scale
    point = likelihood.point(gamma, block)
    eta = likelihood.design.linear_predictor(gamma)[0] - point.shift[0]
    if likelihood.offset is not None:
        eta = eta + likelihood.offset
    return FittedCox(likelihood, np.asarray(coef, dtype=np.float64), block, point, np.exp(eta))


def martingale_residuals(fitted: FittedCox) -> FloatArray:
    """Events less expected events of each row, (n,)."""
    likelihood = fitted.likelihood
    hazard = likelihood.exposure(fitted.point.ties.powers[0])[0]
    residuals = -fitted.relative_risk * hazard
    residuals[likelihood.sets.deaths] += 1.0
    return fitted.unsort(residuals)


def deviance_residuals(martingale: FloatArray, event: FloatArray) -> FloatArray:
    """Martingale residuals made more symmetric, (n,).

    Parameters
    ----------
    martingale
        (n,) from `martingale_residuals`.
    event
        (n,) 0 or 1.
    """
    expected = np.where(event > 0, event - martingale, 1.0)
    deviance = -2.0 * (martingale + np.log(expected))
    return np.sign(martingale) * np.sqrt(np.maximum(deviance, 0.0))


def score_residuals(fitted: FittedCox) -> FloatArray:
    """Each row's part of the score, (n, p), of one replicated row and without its weights."""
    likelihood, point = fitted.likelihood, fitted.point
    sets, x = likelihood.sets, likelihood.design.x
    hazard = likelihood.exposure(point.ties.powers[0])[0]
    first, second = point.moments()
    expected = sets.spread(first[0])
    if point.ties.tied:
        expected[:, sets.deaths] -= second[0][:, sets.death_columns]
    residuals = fitted.relative_risk * (expected - x * hazard)
    residuals[:, sets.deaths] += _event_residuals(fitted)
    return fitted.unsort(residuals) * likelihood.design.scale


def schoenfeld_residuals(fitted: FittedCox) -> SchoenfeldResiduals:
    """Each event's x less its expectation, in order of time within strata."""
    sets = fitted.likelihood.sets
    rows, columns = sets.rows[sets.deaths], sets.death_columns
    order = np.lexsort((rows, sets.times[columns], sets.strata[columns]))
    values = _event_residuals(fitted).T * fitted.likelihood.design.scale
    columns = columns[order]
    return SchoenfeldResiduals(rows[order], sets.times[columns], values[order])


def scaled_schoenfeld(
    residuals: SchoenfeldResiduals,
    covariance: FloatArray,
    coef: FloatArray,
    weights: FloatArray | None = None,
) -> FloatArray:
    """Schoenfeld residuals times the covariance and the number of events, plus the estimate.

    Their (weighted) mean over time is a rough curve of the coefficient, (D, p).

    Parameters
    ----------
    residuals
        From `schoenfeld_residuals`.
    covariance
        (p, p) inverse information.
    coef
        (p,) coefficients of the columns as given.
    weights
        (D,) of the events. The information is a sum over the events with these weights, so their
        sum is the number that makes of the covariance the inverse of its mean.
    """
    events = float(len(residuals.values) if weights is None else weights.sum())
    return events * residuals.values @ covariance + coef


def dfbeta(
    scores: FloatArray, covariance: FloatArray, case: FloatArray | None = None
) -> FloatArray:
    """Approximate change of the estimate when a row is left out, (n, p).

    Parameters
    ----------
    scores
        (n, p) from `score_residuals`.
    covariance
        (p, p) inverse information.
    case
        (n,) sampling weights.
    """
    weighted = scores if case is None else scores * case[:, None]
    return weighted @ covariance


def _event_residuals(fitted: FittedCox) -> FloatArray:
    """(p, D) x of each event less the mean of x over the terms of its time, in scaled columns."""
    sets, point = fitted.likelihood.sets, fitted.point
    powers = point.ties.powers[0]
    expected: FloatArray = point.s1[0] * powers[0]
    if point.ties.tied:
        expected = expected - point.t1[0] * powers[1]
    total = fitted.block.events
    expected = expected / np.where(total > 0, total, 1.0)
    residuals: FloatArray = fitted.likelihood.design.x[:, sets.deaths]
    return residuals - expected[:, sets.death_columns]
