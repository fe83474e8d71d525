"""Baseline hazard of a Cox fit, and cumulative hazards of new rows with their standard errors.

The hazard of a time is the sum over its terms of one over their divisor: Breslow's estimate, or
Efron's, as the likelihood has it.

References
----------
Tsiatis AA (1981). A large sample study of Cox's regression model. Annals of Statistics 9, 93-108.
Therneau TM, Grambsch PM (2000). Modeling Survival Data. Springer, section 10.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.cox_residuals import FittedCox
from rnetstats.kernels.newton import FloatArray, IntArray

_LARGEST = 300.0
"""Log hazard ratio beyond which nobody survives any step; its product with zero stays zero."""


@dataclass(frozen=True, eq=False)
class BaselineHazard:
    """Steps of the hazard of a row at the centre of the columns, by stratum and rising time.

    Attributes
    ----------
    times, strata
        (E,) event times and their stratum codes.
    hazard, variance
        (E,) step of the cumulative hazard, and of its variance at known coefficients.
    mean_hazard
        (E, p) step times the mean of x over the risk set, x counted from the centre.
    centre, coef
        (p,).
    """

    times: FloatArray
    strata: IntArray
    hazard: FloatArray
    variance: FloatArray
    mean_hazard: FloatArray
    centre: FloatArray
    coef: FloatArray


def baseline_hazard(fitted: FittedCox) -> BaselineHazard:
    """Steps of the baseline hazard of a single fit."""
    sets, design, point = fitted.likelihood.sets, fitted.likelihood.design, fitted.point
    order = np.lexsort((sets.times, sets.strata))
    unit = np.exp(-point.shift[0])
    powers = point.ties.powers
    mean_hazard = point.moments()[0][0] * design.scale[:, None]
    return BaselineHazard(
        times=sets.times[order],
        strata=sets.strata[order],
        hazard=powers[0][0][0, order] * unit,
        variance=powers[1][0][0, order] * unit**2,
        mean_hazard=mean_hazard[:, order].T * unit,
        centre=design.centre,
        coef=fitted.coef,
    )


def cumulative_hazard(
    baseline: BaselineHazard,
    x: ArrayLike,
    times: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    covariance: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray | None]:
    """Cumulative hazard of new rows at given times; the survival probability is exp of minus it.

    Parameters
    ----------
    baseline
        From `baseline_hazard`.
    x
        (q, p) columns as given to the fit.
    times
        (T,) in the unit of the data; a step counts at its own time.
    strata
        (q,) codes as given to the fit; needed where it had strata.
    offset
        (q,).
    covariance
        (p, p) of the coefficients, for standard errors.

    Returns
    -------
    cumulative : array of shape (q, T)
    std_error : array of shape (q, T), or None without a covariance
        Of the cumulative hazard, and so of the log of the survival probability.
    """
    rows = np.atleast_2d(np.asarray(x, dtype=np.float64)) - baseline.centre
    moments = np.asarray(times, dtype=np.float64)
    codes = np.full(len(rows), baseline.strata[0]) if strata is None else np.asarray(strata)
    shift = 0.0 if offset is None else np.asarray(offset, dtype=np.float64)
    risk = np.exp(np.minimum(rows @ baseline.coef + shift, _LARGEST))[:, None]
    cumulative = np.zeros((len(rows), moments.size))
    error = None if covariance is None else np.zeros_like(cumulative)
    for code in np.unique(codes):
        here = codes == code
        hazard, variance, mean_hazard = _steps_until(baseline, int(code), moments)
        cumulative[here] = risk[here] * hazard
        if error is not None and covariance is not None:
            drift = mean_hazard - rows[here][:, None, :] * hazard[:, None]
            spread = np.einsum("qtj,jk,qtk->qt", drift, covariance, drift)
            error[here] = risk[here] * np.sqrt(variance + spread)
    return cumulative, error


def _steps_until(
    baseline: BaselineHazard, code: int, moments: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Sums of a stratum's steps up to each moment: hazard, variance (T,), mean hazard (T, p)."""
    here = np.flatnonzero(baseline.strata == code)
    reached = np.searchsorted(baseline.times[here], moments, side="right")
    sums = []
    for steps in (baseline.hazard, baseline.variance, baseline.mean_hazard):
        running = np.zeros((here.size + 1, *steps.shape[1:]))
        np.cumsum(steps[here], axis=0, out=running[1:])
        sums.append(running[reached])
    return sums[0], sums[1], sums[2]
