"""Profile-likelihood limits and restricted fits, for any model that can be evaluated in batches.

All coefficients and both sides are one batch. Limits are first sought by the joint Newton method
of Venzon and Moolgavkar; where the likelihood is not nearly quadratic, by a walk outward from the
estimate (:mod:`rnetstats.kernels.walk`).

References
----------
Venzon DJ, Moolgavkar SH (1988). A method for computing profile-likelihood-based confidence
intervals. Applied Statistics 37:87-94.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from rnetstats.kernels.firth import inverse_information, without
from rnetstats.kernels.joint_limits import Wanted, joint_limits
from rnetstats.kernels.leverage import around
from rnetstats.kernels.newton import (
    OK,
    BoolArray,
    Evaluate,
    FloatArray,
    IntArray,
    NewtonFit,
    maximise,
    solve_symmetric,
)
from rnetstats.kernels.profile_points import known_starts
from rnetstats.kernels.unit import Unit, standardised
from rnetstats.kernels.walk import FOUND, LIMIT_TEXT, NO_LIMIT, NOT_FOUND, walk_outward

__all__ = [
    "FOUND",
    "LIMIT_TEXT",
    "NOT_FOUND",
    "NO_LIMIT",
    "ProfileLimits",
    "Unit",
    "limits_about",
    "profile_limits",
    "restricted_about",
    "restricted_fits",
    "standardised",
]

_STEPS = 25  # of each fit from elsewhere
_HIGHER = 1e-8  # log-likelihood by which another maximum is a higher one


@dataclass(frozen=True)
class ProfileLimits:
    """Profile-likelihood limits of k coefficients.

    Attributes
    ----------
    lower, upper : arrays of shape (k,)
        Infinite where the likelihood never falls that far; NaN where the search failed.
    status : int array of shape (k, 2)
        For the lower and the upper limit, see `LIMIT_TEXT`.
    """

    lower: FloatArray
    upper: FloatArray
    status: IntArray


def profile_limits(
    evaluate: Evaluate,
    estimate: FloatArray,
    columns: Sequence[int] | None = None,
    *,
    level: float = 0.95,
    maximum: float | None = None,
) -> ProfileLimits:
    """Limits at which twice the fall of the profile log-likelihood is the chi-square quantile.

    Parameters
    ----------
    evaluate : Evaluate
        Of one data set; penalised, if the limits are to be.
    estimate : array of shape (p,)
        The maximum; or, with `maximum`, any point at which the likelihood can be evaluated well.
    columns : sequence of int, optional
        All coefficients by default.
    level : float
        Of confidence.
    maximum : float, optional
        The supremum of a likelihood without a maximum (separated data).

    Returns
    -------
    ProfileLimits
    """
    return limits_about(standardised(evaluate, estimate), columns, level=level, maximum=maximum)


def limits_about(
    unit: Unit,
    columns: Sequence[int] | None = None,
    *,
    level: float = 0.95,
    maximum: float | None = None,
) -> ProfileLimits:
    """Do the same as :func:`profile_limits` from what :func:`standardised` has found."""
    p = len(unit.centre)
    chosen = np.arange(p) if columns is None else np.asarray(columns, dtype=np.int64)
    half = 0.5 * NormalDist().inv_cdf(0.5 + level / 2) ** 2
    target = (unit.value if maximum is None else maximum) - half
    wanted = Wanted(np.repeat(chosen, 2), np.tile([-1.0, 1.0], len(chosen)), target)
    limit = np.full(len(wanted.column), np.nan)
    points, status = np.full((len(limit), p), np.nan), np.full(len(limit), FOUND)
    if maximum is None:
        limit, points = joint_limits(unit, wanted, half)
    if not np.isfinite(limit).all():
        limit, status = walk_outward(
            unit.evaluate,
            unit.centre,
            wanted.column,
            wanted.side,
            target=target,
            several=unit.several(),
            found=(limit, points),
        )
    pairs = (limit * unit.scale[wanted.column]).reshape(-1, 2)
    return ProfileLimits(lower=pairs[:, 0], upper=pairs[:, 1], status=status.reshape(-1, 2))


def restricted_fits(
    evaluate: Evaluate, estimate: FloatArray, restrictions: Sequence[Sequence[int]]
) -> NewtonFit:
    """Maximise with sets of coefficients held at 0, for likelihood-ratio tests.

    Parameters
    ----------
    evaluate : Evaluate
        Of one data set. A penalty stays that of the full design.
    estimate : array of shape (p,)
    restrictions : k sequences of int
        The columns that are 0 in each fit.

    Returns
    -------
    NewtonFit
        Of k fits: twice the fall of the log-likelihood is the statistic of each test.
    """
    return restricted_about(standardised(evaluate, estimate), restrictions)


def restricted_about(unit: Unit, restrictions: Sequence[Sequence[int]]) -> NewtonFit:
    """Do the same as :func:`restricted_fits` from what :func:`standardised` has found."""
    size, p = len(restrictions), len(unit.centre)
    free = np.ones((size, p), dtype=bool)
    for row, columns in enumerate(restrictions):
        free[row, list(columns)] = False
    fit = maximise(unit.evaluate, _conditional(unit, free), free=free)
    if unit.several():
        _take_higher(unit, fit, free)
    scale = unit.scale
    return NewtonFit(
        coef=fit.coef * scale,
        log_likelihood=fit.log_likelihood,
        score=fit.score / scale,
        information=fit.information / (scale[:, None] * scale),
        status=fit.status,
        iterations=fit.iterations,
    )


def _take_higher(unit: Unit, fit: NewtonFit, free: BoolArray) -> None:
    """Fit with the same restrictions anew from far out, and take what is higher."""
    variances = inverse_information(unit.information[None])[0]
    if not (variances.diagonal() > 0).all():
        return
    points = around(unit.centre, variances)
    begin = np.concatenate([_conditional(unit, free, point) for point in points])
    which = np.tile(np.arange(len(free)), len(points))
    known, first = known_starts(unit.evaluate, begin)
    which, begin = which[known], begin[known]
    try:
        other = maximise(
            unit.evaluate, begin, free=free[which], first=first, max_iter=_STEPS, retry=False
        )
    except np.linalg.LinAlgError:  # a check: what was found stands
        return
    for one in np.flatnonzero(other.status == OK):
        row = which[[one]]
        if other.log_likelihood[one] > fit.log_likelihood[row] + _HIGHER:
            fit.replace(row, NewtonFit(**{name: part[[one]] for name, part in vars(other).items()}))


def _conditional(unit: Unit, free: BoolArray, centre: FloatArray | None = None) -> FloatArray:
    """Where a quadratic likelihood would have its maximum with the other coordinates at 0."""
    centre = unit.centre if centre is None else centre
    information = np.broadcast_to(unit.information, (len(free), *unit.information.shape))
    right = np.where(free, (~free * centre) @ unit.information, 0.0)
    shift, singular = solve_symmetric(without(information, ~free), right)
    near = (~singular & np.isfinite(shift).all(axis=1))[:, None]
    return np.where(free, np.where(near, centre + shift, centre), 0.0)
