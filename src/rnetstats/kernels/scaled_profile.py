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

_SIZES = (0.5, 0.15, 2.0)  # of the last scale, to start from
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
    methods that follow the slope would not see. Each step begins at the size where the last one
    ended; if that is a saddle, at others.
    """
    estimate = np.append(fit.coef, fit.scale)
    half = 0.5 * NormalDist().inv_cdf(0.5 + level / 2) ** 2
    target = fit.log_likelihood - model.constant - half
    reach = math.sqrt(2.0 * half * fit.cov[column, column])
    low, high = (
        _Profile(model, estimate, column, target, half).outward(side, reach) for side in (-1.0, 1.0)
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
    below, above = (_Profile(model, estimate, last, top - half, half) for _ in range(2))
    information = model.evaluate(estimate[None], np.zeros(1, np.int64))[2][0]
    reach = math.sqrt(2.0 * half / max(float(information[last, last]), 1e-2))
    low = 0.0
    if fit.null_log_likelihood - model.constant < top - half:
        low = below.outward(-1.0, 0.5 * float(fit.scale[-1]), end=0.0)
    return low, above.outward(1.0, reach)


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
    half: float = 0.0

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
            if best is not None and _height(best) > highest - _RISE:
                break
        if best is None or highest > _height(best) + _RISE:
            return math.nan, math.nan
        self.estimate = best.coef[0]
        return _height(best) - self.target, float(best.score[0, self.column])

    def outward(self, side: float, step: float, end: float = math.nan) -> float:
        """Find where the target is crossed on one side, beginning ``step`` away.

        ``end`` lies beyond the crossing, if that is known.
        """
        start = inside = float(self.estimate[self.column])
        at, outside = start + side * step, end
        for _ in range(_MOST_STEPS):
            height, slope = self.at(at)
            if math.isnan(height) or abs(height) < _TOLERANCE:
                return math.nan if math.isnan(height) else at
            inside, outside = (at, outside) if height > 0.0 else (inside, at)
            after = at + self._root_step(height, slope)
            if math.isnan(outside):
                if abs(at - start) > _FAR:
                    return side * math.inf
                longest = start + 3.0 * (at - start)
                beyond = side * (after - at) > 0.0  # False for what is not a number
                after = side * min(side * after, side * longest) if beyond else longest
            elif abs(outside - inside) < 1e-13 * (1.0 + abs(at)):
                return at
            elif not min(inside, outside) < after < max(inside, outside):
                after = 0.5 * (inside + outside)
            at = after
        return math.nan

    def _root_step(self, height: float, slope: float) -> float:
        """Newton's step in the signed root of the likelihood ratio, which is nearly straight."""
        fallen = self.half - height
        if fallen <= 0.0 or slope == 0.0:
            return math.nan
        root = math.sqrt(2.0 * fallen)
        return (root - math.sqrt(2.0 * self.half)) * root / slope


def _height(fit: NewtonFit) -> float:
    return float(fit.log_likelihood[0])
