"""Profile-likelihood limits where a scale may be 0, by fits from several of its sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.newton import NewtonFit, maximise
from rnetstats.kernels.scaled import ScaledFit, ScaledModel, arrived, off_zero

__all__ = ["profile_coefficient", "profile_scale", "restricted_log_likelihood"]

Floats: TypeAlias = NDArray[np.float64]

_SIZES = (0.5, 0.15, 2.0)  # of the last scale, to start from where it is small
_SMALL = 0.1
_FAR = 40.0  # log units from the estimate: further limits are infinite
_TOLERANCE = 1e-9  # of log-likelihood
_RISE = 1e-6  # of log-likelihood beyond a maximum: it is none
_MOST_STEPS = 60
_NEWTON_STEPS = 30


def profile_coefficient(
    model: ScaledModel, fit: ScaledFit, column: int = 0, *, level: float = 0.95
) -> tuple[float, float]:
    """Limits of one coefficient.

    Parameters
    ----------
    model : ScaledModel
    fit : ScaledFit
        Its maximum.
    column : int
    level : float

    Returns
    -------
    tuple of float
        Infinite where the likelihood never falls that far; NaN where the search failed.

    Notes
    -----
    Where the last scale is 0 at the estimate, it may leave 0 somewhere along the profile, which
    methods that follow the slope would not see: there each step fits the model from two sizes.
    """
    estimate = np.append(fit.coef, fit.scale)
    half = 0.5 * NormalDist().inv_cdf(0.5 + level / 2) ** 2
    target = fit.log_likelihood - model.constant - half
    reach = math.sqrt(2.0 * half * fit.cov[column, column])
    low, high = (
        _Profile(model, estimate, column, target).outward(side, reach) for side in (-1.0, 1.0)
    )
    return low, high


def profile_scale(
    model: ScaledModel, fit: ScaledFit, *, level: float = 0.95
) -> tuple[float, float]:
    """Limits of the last scale; the lower one may be 0.

    Parameters
    ----------
    model, fit, level
        As in :func:`profile_coefficient`.
    """
    estimate = np.append(fit.coef, fit.scale)
    half = 0.5 * NormalDist().inv_cdf(0.5 + level / 2) ** 2
    top = fit.log_likelihood - model.constant
    last = len(estimate) - 1
    profile = _Profile(model, estimate, last, top - half)
    information = model.evaluate(estimate[None], np.zeros(1, np.int64))[2][0]
    reach = math.sqrt(2.0 * half / max(float(information[last, last]), 1e-2))
    low = 0.0
    if fit.null_log_likelihood - model.constant < top - half:
        low = profile.between(float(fit.scale[-1]), 0.0)
    return low, profile.outward(1.0, reach)


def restricted_log_likelihood(
    model: ScaledModel, fit: ScaledFit, column: int = 0, value: float = 0.0
) -> float:
    """The highest log-likelihood with one coefficient held.

    Parameters
    ----------
    model, fit, column
        As in :func:`profile_coefficient`.
    value : float
    """
    profile = _Profile(model, np.append(fit.coef, fit.scale), column, 0.0)
    return profile.at(value)[0] + model.constant


@dataclass
class _Profile:
    """The profile of one parameter, fitted anew at each of its values, from ``estimate`` on."""

    model: ScaledModel
    estimate: Floats
    column: int
    target: float

    def at(self, value: float) -> tuple[float, float]:
        """Height above the target, and slope; missing where the rest has no maximum.

        The next fit begins where this one ended.
        """
        near, size = self.estimate, len(self.estimate)
        own = self.column == size - 1
        free = np.ones((1, size), dtype=bool)
        free[0, self.column] = False
        best, highest = None, -math.inf
        starts = (value,) if own else (abs(float(near[-1])), *_SIZES)
        for start in starts:
            begin = off_zero(near[None], self.model.sizes[0])
            begin[0, -1], begin[0, self.column] = start, value
            fit = maximise(
                self.model.evaluate, begin, free=free, max_iter=_NEWTON_STEPS, retry=False
            )
            highest = max(highest, _height(fit))
            if arrived(fit, free) and (best is None or _height(fit) > _height(best)):
                best = fit
            if best is not None and start > _SMALL and _height(best) > highest - _RISE:
                break
        if best is None or highest > _height(best) + _RISE:
            return math.nan, math.nan
        self.estimate = best.coef[0]
        return _height(best) - self.target, float(best.score[0, self.column])

    def outward(self, side: float, step: float) -> float:
        """Walk outward until the target is crossed, then find where."""
        start = inside = float(self.estimate[self.column])
        while abs(inside - start) < _FAR:
            outside = inside + side * step
            height = self.at(outside)[0]
            if math.isnan(height):
                return math.nan
            if height < 0.0:
                return self.between(inside, outside)
            inside, step = outside, 1.5 * step
        return side * math.inf

    def between(self, inside: float, outside: float) -> float:
        """Newton's steps towards the target, bisecting where they leave the bracket."""
        at = outside
        for _ in range(_MOST_STEPS):
            height, slope = self.at(at)
            if math.isnan(height):
                return math.nan
            if height >= 0.0:
                inside = at
            else:
                outside = at
            if abs(height) < _TOLERANCE or abs(outside - inside) < 1e-13 * (1.0 + abs(at)):
                return at
            newton = at - height / slope if slope else math.nan
            within = min(inside, outside) < newton < max(inside, outside)
            at = newton if within else 0.5 * (inside + outside)
        return math.nan


def _height(fit: NewtonFit) -> float:
    return float(fit.log_likelihood[0])
