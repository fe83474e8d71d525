"""Limits of profiles that are nearly quadratic: coefficient and nuisance solved for together.

References
----------
Venzon DJ, Moolgavkar SH (1988). A method for computing profile-likelihood-based confidence
intervals. Applied Statistics 37:87-94.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnetstats.kernels.firth import inverse_information
from rnetstats.kernels.newton import FloatArray, Found, IntArray
from rnetstats.kernels.search import Search
from rnetstats.kernels.unit import Unit

__all__ = ["Limits", "Wanted", "joint_limits"]

_MAX_STEPS = 15
_REGULAR = 0.3  # how far a quadratic prediction may be off, in log-likelihood
_SINGLE = 10.0  # the same, where the profile has one branch: who arrives has the limit
_STEP = 1e-8  # in standard errors, after this one
_GAIN = 1e-12  # of log-likelihood, by the nuisance coefficients after this step
_ROUNDING = 1e-10  # of a prediction, in log-likelihood
_TINY = np.finfo(float).tiny

Limits = tuple[FloatArray, FloatArray]


class Wanted(NamedTuple):
    """The limits sought: of which coefficients, on which side (-1 or 1), at which likelihood."""

    column: IntArray
    side: FloatArray
    target: float


def joint_limits(unit: Unit, wanted: Wanted, half: float) -> Search[Limits]:
    """Search limit (A,) and all coefficients (A, p) together; NaN for those that stray."""
    limit = np.full(len(wanted.column), np.nan)
    points = np.full((len(limit), len(unit.centre)), np.nan)
    index = np.arange(len(limit))
    direction = inverse_information(unit.information[None])[0][wanted.column]  # variances are 1
    beta = unit.centre + wanted.side[:, None] * np.sqrt(2 * half) * direction
    bound = np.full(len(limit), _REGULAR if unit.several() else _SINGLE)
    before = np.full((2, len(limit)), np.inf)
    for _ in range(_MAX_STEPS):
        joint = _joint_step(beta, (yield beta), wanted)
        regular = joint.error < bound
        size = np.abs([joint.step, joint.gain])
        left = size * _shrinking(size, before)
        arrived = regular & (left[0] < _STEP) & (left[1] < _GAIN)
        if arrived.any():
            column, side = wanted.column[arrived], wanted.side[arrived]
            at = beta[arrived, column] + joint.step[arrived]
            outside = side * (at - unit.centre[column]) > 0.0
            limit[index[arrived]] = np.where(outside, at, np.nan)
            points[index[arrived]] = (beta + joint.move)[arrived]
        on = regular & ~arrived
        if not on.any():
            break
        beta, index, before = (beta + joint.move)[on], index[on], size[:, on]
        bound = np.maximum(0.5 * joint.error[on], _ROUNDING)
        wanted = Wanted(wanted.column[on], wanted.side[on], wanted.target)
    return limit, points


def _shrinking(size: FloatArray, before: FloatArray) -> FloatArray:
    """By what the next step and gain (2, A) will be smaller than these; at most 1.

    A gain falls as the square of what the nuisance coefficients are off, which the step of the
    one sought follows.
    """
    known = np.isfinite(before)
    ratio = np.divide(size, np.maximum(before, _TINY), out=np.ones(size.shape), where=known)
    off = np.minimum(np.maximum(ratio[0], np.sqrt(ratio[1])), 1.0)
    return np.stack([off, off * off])


class _JointStep(NamedTuple):
    """A step of all coefficients, that of the one sought, and how far from the solution it is."""

    move: FloatArray
    step: FloatArray
    gain: FloatArray
    error: FloatArray


def _joint_step(beta: FloatArray, found: Found, wanted: Wanted) -> _JointStep:
    """One step towards the point of the profile where the likelihood is the target."""
    value, score, information = found
    rows, side = np.arange(len(beta)), wanted.side
    inverse = inverse_information(information)
    along = inverse[rows, wanted.column]
    variance = along[rows, wanted.column]
    with np.errstate(divide="ignore", invalid="ignore"):
        newton = np.vecdot(inverse, score[:, None, :])
        along = along / variance[:, None]
        own = newton[rows, wanted.column]
        slope = own / variance
        nuisance = newton - along * own[:, None]
        gain = np.abs(np.vecdot(score, nuisance))
        gap = value + 0.5 * gain - wanted.target
        # gap + slope d - d^2 / (2 variance) = 0, the outer root in its stable form
        outward = side * slope
        root = np.sqrt(np.maximum(slope**2 + 2 * gap / variance, 0.0))
        falling = 2 * gap / (root - outward)
        step = side * np.where(outward < 0, falling, (outward + root) * variance)
        bad = ~((variance > 0) & np.isfinite(step))  # a singular matrix has no variance
        error = np.where(bad, np.inf, np.abs(gap) + gain)
        return _JointStep(nuisance + step[:, None] * along, step, gain, error)
