"""The ways to a logistic model's estimate, and what each says of separation."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from rnetstats.formula.design import ModelFrame
from rnetstats.kernels.leverage import largest_leverage
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.logistic import LogisticFit
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import OK
from rnetstats.kernels.overlap import surely_overlaps
from rnetstats.regression.fitting import finite_everywhere, refuse_lost_columns
from rnetstats.regression.maxima import Slope, highest
from rnetstats.regression.penalty import finite_under, unpenalised
from rnetstats.regression.recession import Recession, binary_separation

__all__ = [
    "Arrived",
    "binary_outcome",
    "by_firth",
    "by_likelihood",
    "by_prior",
    "without_terms",
]

Maximise = Callable[..., LogisticFit]


class Arrived(NamedTuple):
    """Where a way ended.

    Attributes
    ----------
    fit : LogisticFit
    separation : Recession
        Of the data under maximum likelihood.
    effective : Recession
        What the penalty leaves of it.
    leverage : float or None
        The largest one under Firth's penalty, where it is known.
    notes : tuple of str
    """

    fit: LogisticFit
    separation: Recession
    effective: Recession
    leverage: float | None = None
    notes: tuple[str, ...] = ()


def binary_outcome(frame: ModelFrame) -> np.ndarray:
    """Return the 0/1 outcome of the rows used, shape (n,)."""
    assert frame.outcome is not None
    assert frame.outcome.y is not None
    return frame.outcome.y


def without_terms(frame: ModelFrame, share: float | None = None) -> np.ndarray:
    """Return coefficients of the intercept alone (p,), of which the other ways begin.

    It takes a large offset back, and makes the risk the share of events, if one is given.
    """
    start = np.zeros(frame.design.X.shape[1])
    if frame.offset is not None:
        start[0] -= float(frame.offset.mean())
    if share is not None:
        start[0] += math.log(share / (1.0 - share))
    return start


def by_likelihood(frame: ModelFrame, maximise: Maximise, start: np.ndarray) -> Arrived:
    """Maximise the likelihood; where it has no maximum, find which coefficients are infinite.

    Parameters
    ----------
    frame : ModelFrame
    maximise : callable
        ``maximise(firth=..., prior=..., start=...)``, of the frame.
    start : array of shape (p,)
    """
    fit, X = maximise(start=start), frame.design.X
    refuse_lost_columns(frame, fit.lost[0])
    if fit.status[0] == OK:
        separation = finite_everywhere(X.shape[1])
    else:
        separation = binary_separation(X, binary_outcome(frame), frame.sampling_weights)
    return Arrived(fit, separation, separation)


def by_prior(frame: ModelFrame, maximise: Maximise, start: np.ndarray, prior: LogF) -> Arrived:
    """Do the same with a prior, which leaves infinite what it does not hold."""
    plain = by_likelihood(frame, maximise, start)
    near = plain.fit.coef[0] if plain.fit.status[0] == OK else without_terms(frame)
    effective, X = plain.separation, frame.design.X
    if effective.found:
        free = unpenalised(prior, X.shape[1])
        left = binary_separation(X[:, free], binary_outcome(frame), frame.sampling_weights)
        effective = finite_under(free, left)
    return Arrived(maximise(prior=prior, start=near), plain.separation, effective)


def by_firth(frame: ModelFrame, maximise: Maximise, start: np.ndarray) -> Arrived:
    """Do the same with Firth's penalty; mostly that fit proves that there is no separation.

    Otherwise maximum likelihood is asked, and its estimate is one more start.
    """
    X, starts = frame.design.X, [start, without_terms(frame)]
    finite = separation = finite_everywhere(X.shape[1])
    fit = maximise(firth=True, start=start)
    refuse_lost_columns(frame, fit.lost[0])
    reached = bool(fit.status[0] == OK)
    if not (reached and _surely_overlap(frame, fit)):
        plain = by_likelihood(frame, maximise, fit.coef[0] if reached else start)
        separation = plain.separation
        if plain.fit.status[0] == OK:
            starts.append(plain.fit.coef[0])
    slope = Slope(
        X=X,
        likelihood=partial(
            LogisticLikelihood,
            y=binary_outcome(frame),
            weights=frame.weights,
            offset=frame.offset,
            firth=True,
        ),
        maximise=lambda begin: maximise(firth=True, start=begin),
        leverage=partial(_leverage, frame),
        starts=starts,
    )
    found = highest(slope, fit)
    return Arrived(found.fit, separation, finite, found.leverage, found.notes)


def _leverage(frame: ModelFrame, fit: LogisticFit) -> float:
    """Largest leverage at a fit."""
    X, y = frame.design.X, binary_outcome(frame)
    return largest_leverage(X, y, _predictor(frame, fit), fit.covariance[0], frame.weights)


def _predictor(frame: ModelFrame, fit: LogisticFit) -> np.ndarray:
    """Log odds of the rows used, (n,)."""
    predictor: np.ndarray = frame.design.X @ fit.coef[0]
    return predictor if frame.offset is None else predictor + frame.offset


def _surely_overlap(frame: ModelFrame, fit: LogisticFit) -> bool:
    """Whether the likelihood near a fit proves that the outcomes are not separated."""
    X = frame.design.X
    residual = binary_outcome(frame) - expit(_predictor(frame, fit))
    if frame.weights is not None:
        residual = frame.weights * residual
    return surely_overlaps(X, residual @ X, fit.covariance[0], frame.sampling_weights)
