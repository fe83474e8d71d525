"""The part that Firth's penalty adds to the score of Cox's partial likelihood.

References
----------
Firth D (1993). Bias reduction of maximum likelihood estimates. Biometrika 80:27-38.
Heinze G, Schemper M (2001). A solution to the problem of monotone likelihood in Cox regression.
Biometrics 57:114-119.
"""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.cox_design import CoxDesign
from rnetstats.kernels.cox_point import CoxPoint
from rnetstats.kernels.newton import FloatArray
from rnetstats.kernels.risksets import RiskSets

_AT_ONCE = 1 << 18  # numbers, beyond which columns are taken one by one


def penalty_score(
    design: CoxDesign,
    sets: RiskSets,
    *,
    point: CoxPoint,
    moments: tuple[FloatArray, FloatArray],
    exposed: FloatArray,
    inverse: FloatArray,
) -> FloatArray:
    """Gradient of half the log-determinant of the information, (A, p).

    It is half the sum over terms of the third central moments contracted with the inverse V:
    E[q x] - E[q] E[x] - 2 Cov V E[x] with q = x' V x. The first part and that of the covariance
    are weighted sums over rows, since each row's share of all terms can be added up beforehand.
    """
    deaths, tied = sets.deaths, point.ties.tied
    forms = design.quadratic_forms(inverse)
    first, second = moments
    along = inverse @ first
    across = _exposed_to(design, sets, along, lines=point.segments is not None)
    if tied:
        lacking = (inverse @ second)[:, :, sets.death_columns]
        across[:, deaths] -= (design.x[..., deaths] * lacking).sum(axis=1)
    total = design.sums(exposed * forms - 2.0 * point.risk * across)
    weighted = point.risk * forms
    total -= np.matmul(first, sets.risk_sums(weighted)[..., None])[..., 0]
    if tied:
        events = sets.death_sums(weighted[:, deaths])
        total += np.matmul(second, events[..., None])[..., 0]
    return 0.5 * (total + 2.0 * _mean_cubes(point, inverse))


def _exposed_to(design: CoxDesign, sets: RiskSets, steps: FloatArray, *, lines: bool) -> FloatArray:
    """Sum over columns of x times the sum of its steps (A, p, E) while at risk, (A, m).

    With `lines`, by one matrix product for the rows between two event times.
    """
    if not lines and steps.shape[0] * steps.shape[1] * sets.rows.size <= _AT_ONCE:
        spread = sets.spread(steps)
        spread *= design.x
        return np.asarray(spread.sum(axis=1))
    if not lines:
        across = np.zeros((len(steps), sets.rows.size))
        for j in range(design.p):
            across += design.x[..., j, :] * sets.spread(steps[:, j])
        return across
    until = np.ascontiguousarray(np.moveaxis(sets.accumulate_forward(steps), 2, 0))
    across = np.empty((len(steps), sets.rows.size))
    for k, (begin, end) in enumerate(sets.segments):
        across[:, begin:end] = until[k] @ design.x[:, begin:end]
    return across


def _mean_cubes(point: CoxPoint, inverse: FloatArray) -> FloatArray:
    """Sum over terms of m (m' V m), m the mean of x, (A, p)."""
    powers = point.ties.powers[2]
    along = inverse @ point.s1
    ss = (point.s1 * along).sum(axis=1)
    if not point.ties.tied:
        cubes: FloatArray = np.matmul(point.s1, (ss * powers[0])[..., None])[..., 0]
        return cubes
    st = (point.t1 * along).sum(axis=1)
    tt = (point.t1 * (inverse @ point.t1)).sum(axis=1)
    by_s = ss * powers[0] - 2.0 * st * powers[1] + tt * powers[2]
    by_t = ss * powers[1] - 2.0 * st * powers[2] + tt * powers[3]
    cubes = np.matmul(point.s1, by_s[..., None])[..., 0]
    cubes -= np.matmul(point.t1, by_t[..., None])[..., 0]
    return cubes
