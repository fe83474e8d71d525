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
from typing import NamedTuple

import numpy as np

from rnetstats.kernels.firth import inverse_information, without
from rnetstats.kernels.newton import (
    BoolArray,
    Evaluate,
    FloatArray,
    IntArray,
    NewtonFit,
    maximise,
    solve_symmetric,
)
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

_MAX_STEPS = 15
_REGULAR = 0.3  # how far a quadratic prediction may be off, in log-likelihood
_STEP = 1e-8  # in standard errors; the step taken from there is exact to its square
_GAIN = 1e-10  # of log-likelihood, by the nuisance coefficients


class _Wanted(NamedTuple):
    """The limits sought: of which coefficients, on which side (-1 or 1), at which likelihood."""

    column: IntArray
    side: FloatArray
    target: float


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


class Unit(NamedTuple):
    """A likelihood of coefficients measured in standard errors, and where its maximum is.

    Attributes
    ----------
    evaluate : Evaluate
    centre, scale : arrays of shape (p,)
        The maximum, and the standard errors of the coefficients as given.
    value : float
    information : array of shape (p, p)
        Both there.
    """

    evaluate: Evaluate
    centre: FloatArray
    scale: FloatArray
    value: float
    information: FloatArray


def standardised(
    evaluate: Evaluate,
    estimate: FloatArray,
    found: tuple[FloatArray, FloatArray] | None = None,
) -> Unit:
    """Measure the coefficients of one data set in standard errors.

    `found` holds log-likelihood (1,) and information (1, p, p) at the estimate, where known.
    """
    beta = np.asarray(estimate, dtype=float)
    if found is None:
        value, _, information = evaluate(beta[None], np.zeros(1, np.int64))
    else:
        value, information = found
    information = np.where(np.isfinite(information), information, 0.0)
    diagonal = np.sqrt(np.maximum(np.diag(information[0]), 0.0))
    diagonal = np.where(diagonal > 0, diagonal, 1.0)
    variance = np.diag(inverse_information(information / (diagonal[:, None] * diagonal))[0])
    scale = np.where(variance > 0, np.sqrt(np.abs(variance)), 1.0) / diagonal
    outer = scale[:, None] * scale

    def scaled(gamma: FloatArray, index: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        likelihood, score, matrix = evaluate(gamma * scale, index)
        return likelihood, score * scale, matrix * outer

    return Unit(scaled, beta / scale, scale, float(value[0]), information[0] * outer)


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
    wanted = _Wanted(np.repeat(chosen, 2), np.tile([-1.0, 1.0], len(chosen)), target)
    limit = np.full(len(wanted.column), np.nan)
    status = np.full(len(limit), NOT_FOUND)
    if maximum is None:
        limit = _venzon_moolgavkar(unit, wanted, half)
        status[np.isfinite(limit)] = FOUND
    left = np.flatnonzero(status != FOUND)
    if len(left):
        limit[left], status[left] = walk_outward(
            unit.evaluate, unit.centre, wanted.column[left], wanted.side[left], target=target
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
    scale = unit.scale
    return NewtonFit(
        coef=fit.coef * scale,
        log_likelihood=fit.log_likelihood,
        score=fit.score / scale,
        information=fit.information / (scale[:, None] * scale),
        status=fit.status,
        iterations=fit.iterations,
    )


def _conditional(unit: Unit, free: BoolArray) -> FloatArray:
    """Where a quadratic likelihood would have its maximum with the other coordinates at 0."""
    centre = unit.centre
    information = np.broadcast_to(unit.information, (len(free), *unit.information.shape))
    right = np.where(free, (~free * centre) @ unit.information, 0.0)
    shift, singular = solve_symmetric(without(information, ~free), right)
    near = (~singular & np.isfinite(shift).all(axis=1))[:, None]
    return np.where(free, np.where(near, centre + shift, centre), 0.0)


def _venzon_moolgavkar(unit: Unit, wanted: _Wanted, half: float) -> FloatArray:
    """Solve for limit and nuisance coefficients together; NaN for those that stray."""
    limit = np.full(len(wanted.column), np.nan)
    index = np.arange(len(limit))
    direction = inverse_information(unit.information[None])[0][wanted.column]  # variances are 1
    beta = unit.centre + wanted.side[:, None] * np.sqrt(2 * half) * direction
    bound = np.full(len(limit), _REGULAR)
    for _ in range(_MAX_STEPS):
        joint = _joint_step(unit.evaluate, beta, index, wanted)
        regular = joint.error < bound
        arrived = regular & (np.abs(joint.step) < _STEP) & (joint.gain < _GAIN)
        if arrived.any():
            at = beta[arrived, wanted.column[arrived]]
            limit[index[arrived]] = at + joint.step[arrived]
        on = regular & ~arrived
        if not on.any():
            break
        beta, index = (beta + joint.move)[on], index[on]
        bound = np.maximum(0.5 * joint.error[on], _GAIN)
        wanted = _Wanted(wanted.column[on], wanted.side[on], wanted.target)
    return limit


class _JointStep(NamedTuple):
    """A step of all coefficients, that of the one sought, and how far from the solution it is."""

    move: FloatArray
    step: FloatArray
    gain: FloatArray
    error: FloatArray


def _joint_step(
    evaluate: Evaluate, beta: FloatArray, index: IntArray, wanted: _Wanted
) -> _JointStep:
    """One step towards the point of the profile where the likelihood is the target."""
    value, score, information = evaluate(beta, index)
    rows, side = np.arange(len(beta)), wanted.side
    right = np.zeros((*score.shape, 2))
    right[:, :, 0] = score
    right[rows, wanted.column, 1] = 1.0
    solution, singular = solve_symmetric(information, right)
    newton, along = solution[:, :, 0], solution[:, :, 1]
    variance = along[rows, wanted.column]
    with np.errstate(divide="ignore", invalid="ignore"):
        along = along / variance[:, None]
        slope = newton[rows, wanted.column] / variance
        nuisance = newton - along * newton[rows, wanted.column][:, None]
        gain = np.abs(np.vecdot(score, nuisance))
        gap = value + 0.5 * gain - wanted.target
        # gap + slope d - d^2 / (2 variance) = 0, the outer root in its stable form
        outward = side * slope
        root = np.sqrt(np.maximum(slope**2 + 2 * gap / variance, 0.0))
        falling = 2 * gap / (root - outward)
        step = side * np.where(outward < 0, falling, (outward + root) * variance)
        bad = singular | ~(variance > 0) | ~np.isfinite(step)
        error = np.where(bad, np.inf, np.abs(gap) + gain)
        return _JointStep(nuisance + step[:, None] * along, step, gain, error)
