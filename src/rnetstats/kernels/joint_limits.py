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
from rnetstats.kernels.newton import Evaluate, FloatArray, IntArray
from rnetstats.kernels.unit import Unit

__all__ = ["Wanted", "joint_limits"]

_MAX_STEPS = 15
_REGULAR = 0.3  # how far a quadratic prediction may be off, in log-likelihood
_SINGLE = 10.0  # the same, where the profile has one branch: who arrives has the limit
_STEP = 1e-8  # in standard errors; the step taken from there is exact to its square
_GAIN = 1e-10  # of log-likelihood, by the nuisance coefficients


class Wanted(NamedTuple):
    """The limits sought: of which coefficients, on which side (-1 or 1), at which likelihood."""

    column: IntArray
    side: FloatArray
    target: float


def joint_limits(unit: Unit, wanted: Wanted, half: float) -> tuple[FloatArray, FloatArray]:
    """Solve for limit (A,) and all coefficients (A, p) together; NaN for those that stray."""
    limit = np.full(len(wanted.column), np.nan)
    points = np.full((len(limit), len(unit.centre)), np.nan)
    index = np.arange(len(limit))
    direction = inverse_information(unit.information[None])[0][wanted.column]  # variances are 1
    beta = unit.centre + wanted.side[:, None] * np.sqrt(2 * half) * direction
    bound = np.full(len(limit), _REGULAR if unit.several() else _SINGLE)
    for _ in range(_MAX_STEPS):
        joint = _joint_step(unit.evaluate, beta, index, wanted)
        regular = joint.error < bound
        arrived = regular & (np.abs(joint.step) < _STEP) & (joint.gain < _GAIN)
        if arrived.any():
            column, side = wanted.column[arrived], wanted.side[arrived]
            at = beta[arrived, column] + joint.step[arrived]
            outside = side * (at - unit.centre[column]) > 0.0
            limit[index[arrived]] = np.where(outside, at, np.nan)
            points[index[arrived]] = (beta + joint.move)[arrived]
        on = regular & ~arrived
        if not on.any():
            break
        beta, index = (beta + joint.move)[on], index[on]
        bound = np.maximum(0.5 * joint.error[on], _GAIN)
        wanted = Wanted(wanted.column[on], wanted.side[on], wanted.target)
    return limit, points


class _JointStep(NamedTuple):
    """A step of all coefficients, that of the one sought, and how far from the solution it is."""

    move: FloatArray
    step: FloatArray
    gain: FloatArray
    error: FloatArray


def _joint_step(
    evaluate: Evaluate, beta: FloatArray, index: IntArray, wanted: Wanted
) -> _JointStep:
    """One step towards the point of the profile where the likelihood is the target."""
    value, score, information = evaluate(beta, index)
    rows, side = np.arange(len(beta)), wanted.side
    inverse = inverse_information(information)
    newton = np.vecdot(inverse, score[:, None, :])
    along = inverse[rows, wanted.column]
    variance = along[rows, wanted.column]
    with np.errstate(divide="ignore", invalid="ignore"):
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
