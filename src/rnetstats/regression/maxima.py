"""The highest of several maxima of Firth's penalised likelihood."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from rnetstats.kernels.conditioning import conditioned
from rnetstats.kernels.cox import CoxFit
from rnetstats.kernels.far_points import affordable, far_from, in_all_directions
from rnetstats.kernels.leverage import MUCH, hazards_leverage
from rnetstats.kernels.logistic import LogisticFit
from rnetstats.kernels.newton import OK, Evaluate, Known
from rnetstats.kernels.profile_points import ascents
from rnetstats.kernels.unit import Unit, standardised

__all__ = ["Highest", "Slope", "highest", "highest_of_hazards"]

Fit = TypeVar("Fit", LogisticFit, CoxFit)

_SEVERAL = (
    "The penalised likelihood has several maxima, of which the highest found is reported: it hangs "
    "on single patients (columns with values far from all others, or hardly any events)."
)

_HIGHER = 1e-8  # of log-likelihood: beyond rounding
_LOWER = 1e-6  # the same, of another maximum that is told of
_ROUNDS = 4
_STEPS = 12  # of each ascent from elsewhere
_CLIMBED = 3  # of what they reach, how many are gone on from
_DIRECTIONS, _FEWER = 8, 4  # for each coefficient
_MOST = 2**17  # rows, times directions: with many more patients single ones have little leverage


class Slope(NamedTuple, Generic[Fit]):
    """A model under Firth's penalty, of one data set.

    Attributes
    ----------
    X : array of shape (n, p)
    likelihood : callable
        What :func:`~rnetstats.kernels.newton.maximise` takes, of other columns.
    maximise : callable
        The fit from a start (p,).
    leverage : callable
        The largest one at a fit.
    starts : sequence of arrays of shape (p,)
        Where to look from, beside points about the first of them and about the estimate.
    """

    X: np.ndarray
    likelihood: Callable[[np.ndarray], Evaluate]
    maximise: Callable[[np.ndarray], Fit]
    leverage: Callable[[Fit], float]
    starts: Sequence[np.ndarray]


class Highest(NamedTuple, Generic[Fit]):
    """A fit, and what was seen on the way to it.

    Attributes
    ----------
    fit : LogisticFit or CoxFit
        Of one replicate.
    leverage : float or None
        The largest one there, if it was asked for last.
    several : bool
        Whether the likelihood has lower maxima too.
    """

    fit: Fit
    leverage: float | None
    several: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user is told of it."""
        return (_SEVERAL,) if self.several else ()


def highest(slope: Slope[Fit], fit: Fit) -> Highest[Fit]:
    """Look for a higher maximum where few patients have much leverage; else it is the only one.

    Parameters
    ----------
    slope : Slope
    fit : LogisticFit or CoxFit
        From one start. If it has reached no maximum, others are looked for.

    Returns
    -------
    Highest
    """
    leverage, several = None, False
    for _ in range(_ROUNDS):
        leverage = slope.leverage(fit) if fit.status[0] == OK else None
        if leverage is not None and leverage <= MUCH:
            break
        higher, also = _higher(slope, fit)
        several |= also
        if higher is None:
            break
        fit, leverage = higher, None
    return Highest(fit, leverage, several)


def highest_of_hazards(
    likelihood: Callable[[np.ndarray], Evaluate],
    maximise: Callable[[np.ndarray], CoxFit],
    X: np.ndarray,
    event: np.ndarray,
    events: float,
    plain: np.ndarray | None,
    weights: np.ndarray | None = None,
) -> Highest[CoxFit]:
    """Fit a model of hazards, and look for the highest maximum.

    Parameters
    ----------
    likelihood, maximise : callable
        As in :class:`Slope`.
    X : array of shape (n, p)
    event : array of shape (n,)
        Whether the row ends in the event.
    events : float
        Their number, or how many of them inform
        (:func:`~rnetstats.kernels.leverage.informing_events`).
    plain : array of shape (p,) or None
        The maximum-likelihood estimate, where there is one.
    weights : array of shape (n,), optional
        How often each row stands, times its sampling weight.

    Returns
    -------
    Highest
    """
    zero, leverage = np.zeros(X.shape[1]), hazards_leverage(X, event, events, weights)
    starts = [zero] if plain is None else [zero, plain]
    slope = Slope(X - X.mean(axis=0), likelihood, maximise, lambda _: leverage, starts)
    return highest(slope, maximise(starts[-1]))


def _higher(slope: Slope[Fit], fit: Fit) -> tuple[Fit | None, bool]:
    """A fit with a higher maximum, if one is found; and whether there are lower ones."""
    reached = bool(fit.status[0] == OK)
    turned = conditioned(slope.X)
    columns = slope.X if turned is None else turned.X
    at = fit.coef[0] if reached else slope.starts[0]
    unit = standardised(slope.likelihood(columns), at if turned is None else turned.inward(at))
    starts = np.array(slope.starts)
    points = _points(unit, columns, starts if turned is None else turned.inward(starts), reached)
    known = None
    if reached:
        known = Known(unit.centre[None], unit.information[None], np.zeros(len(points), np.int64))
    climbed = ascents(unit.search, points, max_iter=_STEPS, known=known)
    if climbed is None:
        return None, False
    found = climbed[1]
    own = unit.value if reached else -np.inf
    tops = np.append(found.log_likelihood[found.status == OK], [own] * reached)
    several = bool(tops.size) and float(np.ptp(tops)) > _LOWER
    values = np.where(np.isfinite(found.log_likelihood), found.log_likelihood, -np.inf)
    for one in np.argsort(-values, kind="stable")[:_CLIMBED]:
        if not values[one] > own + _HIGHER:
            break
        coef = found.coef[one] * unit.scale
        again = slope.maximise(coef if turned is None else turned.outward(coef))
        if _value(again) > _value(fit):
            return again, several
    return None, several


def _points(unit: Unit, columns: np.ndarray, starts: np.ndarray, reached: bool) -> np.ndarray:
    """Starts and points about the first of them, and far from the estimate if there is one."""
    n, p = columns.shape
    length = np.sqrt(np.einsum("ij,ij->j", columns, columns) / n)
    length = np.where(length > 0, length, 1.0)
    alike = columns / length
    spread = np.linalg.pinv(alike.T @ alike / n, hermitian=True)
    about = in_all_directions(starts[0] * length, spread, min(_FEWER * p, _MOST // n)) / length
    points = about / unit.scale
    if reached:
        far = far_from(unit.centre, unit.information, min(_DIRECTIONS * p, _MOST // n))
        points = np.concatenate([points, far])
    return np.concatenate([starts / unit.scale, points[:: 1 + len(points) // affordable(p)]])


def _value(fit: LogisticFit | CoxFit) -> float:
    """Penalised log-likelihood of the maximum that was reached, or -inf."""
    assert fit.log_likelihood_penalized is not None
    return float(fit.log_likelihood_penalized[0]) if fit.status[0] == OK else -np.inf
