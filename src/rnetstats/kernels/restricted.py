"""Fits with sets of coefficients held at 0, for likelihood-ratio tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnetstats.kernels.far_points import affordable, far_from
from rnetstats.kernels.firth import without
from rnetstats.kernels.newton import (
    OK,
    BoolArray,
    Evaluate,
    FloatArray,
    Known,
    NewtonFit,
    maximise,
    solve_symmetric,
)
from rnetstats.kernels.profile_points import ascents
from rnetstats.kernels.search import Search, alone
from rnetstats.kernels.unit import Unit, standardised

__all__ = [
    "free_columns",
    "nearly_quadratic",
    "restricted_about",
    "restricted_fits",
    "restricted_from",
]

_REGULAR = 0.3  # log-likelihood that the first step of a nearly quadratic likelihood gains
_SHRINKS = 0.1  # by which each further gain is smaller
_SETTLED = 1e-12  # a gain, beyond which the likelihood is known to far more digits
_MOST = 6
_STEPS = 25  # of each fit from elsewhere
_DIRECTIONS = 2  # for each coefficient
_FITS = 400  # from elsewhere, of all tests together
_HIGHER = 1e-8  # log-likelihood by which another maximum is a higher one


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
    free = free_columns(restrictions, len(unit.centre))
    return restricted_from(alone(unit.evaluate, nearly_quadratic(unit, free)), unit, free)


def free_columns(restrictions: Sequence[Sequence[int]], p: int) -> BoolArray:
    """Mark the coefficients that are not held (k, p)."""
    free = np.ones((len(restrictions), p), dtype=bool)
    for row, columns in enumerate(restrictions):
        free[row, list(columns)] = False
    return free


def restricted_from(fit: NewtonFit | None, unit: Unit, free: BoolArray) -> NewtonFit:
    """Go on from what :func:`nearly_quadratic` found, if it did."""
    if fit is None:
        fit = maximise(unit.evaluate, _conditional(unit, free), free=free)
        _take_higher_from_zero(unit, fit, free)
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


def nearly_quadratic(unit: Unit, free: BoolArray) -> Search[NewtonFit | None]:
    """Search by plain Newton steps, as long as each leaves next to nothing to the one after it."""
    beta = _conditional(unit, free)
    bound = np.full(len(free), _REGULAR)
    for iteration in range(1, _MOST + 1):
        value, score, information = yield beta
        step, singular = solve_symmetric(without(information, ~free), np.where(free, score, 0.0))
        gain = 0.5 * np.vecdot(score, step)
        if singular.any() or not (np.abs(gain) < bound).all():  # False for what is no number
            return None
        beta = beta + step
        if np.abs(gain).max() < _SETTLED:
            if not _definite(without(information, ~free)):
                return None
            status, steps = np.full(len(free), OK), np.full(len(free), iteration)
            return NewtonFit(beta, value + gain, score, information, status, steps)
        bound = np.maximum(_SHRINKS * np.abs(gain), _SETTLED)
    return None


def _take_higher_from_zero(unit: Unit, fit: NewtonFit, free: BoolArray) -> None:
    """Fit anew what has reached no maximum: a start far out may have no information to go by."""
    rows = np.flatnonzero(fit.status != OK)
    if not len(rows):
        return
    again = maximise(unit.evaluate, np.zeros((len(rows), free.shape[1])), free=free[rows])
    higher = again.log_likelihood > fit.log_likelihood[rows] + _HIGHER
    higher |= np.isnan(fit.log_likelihood[rows])
    better = {name: part[higher] for name, part in vars(again).items()}
    fit.replace(rows[higher], NewtonFit(**better))


def _definite(matrices: FloatArray) -> bool:
    """Whether all are: a saddle is not a maximum."""
    try:
        np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        return False
    return True


def _take_higher(unit: Unit, fit: NewtonFit, free: BoolArray) -> None:
    """Fit with the same restrictions anew from far out, and take what is higher."""
    points = far_from(unit.centre, unit.information, _DIRECTIONS * len(unit.centre))
    most = min(_FITS, affordable(len(unit.centre)))
    points = points[:: 1 + len(points) * len(free) // most]
    if not len(points):
        return
    begin = np.concatenate([_conditional(unit, free, point) for point in points])
    which = np.tile(np.arange(len(free)), len(points))
    known = Known(fit.coef, fit.information, which)
    climbed = ascents(unit.search, begin, free=free[which], max_iter=_STEPS, known=known)
    if climbed is None:
        return
    usable, other = climbed
    for one in np.flatnonzero(other.status == OK):
        row = which[usable[[one]]]
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
