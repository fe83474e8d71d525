"""Profile-likelihood limits where a scale may be 0, by fits from several of its sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.newton import OK, Evaluate, maximise
from rnetstats.kernels.profile import FOUND, profile_limits
from rnetstats.kernels.scaled import ScaledFit, ScaledModel

__all__ = ["profile_coefficient", "profile_scale", "restricted_log_likelihood"]

Floats: TypeAlias = NDArray[np.float64]

_AT_ZERO = 1e-6
_SIZES = (0.3, 1.5)  # of the last scale, to start from
_FAR = 40.0  # log units from the estimate: further limits are infinite
_TOLERANCE = 1e-11  # of log-likelihood
_MOST_STEPS = 100


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
    Where the last scale is estimated as 0, it may leave 0 somewhere along the profile, which
    Newton's joint method would not see: there each step fits the model from several sizes.
    """
    estimate = np.append(fit.coef, fit.scale)
    half = 0.5 * NormalDist().inv_cdf(0.5 + level / 2) ** 2
    target = fit.log_likelihood - model.constant - half
    limits = [math.nan, math.nan]
    if fit.scale[-1] > _AT_ZERO:
        found = profile_limits(model.evaluate, estimate, [column], level=level)
        for i, end in enumerate((found.lower[0], found.upper[0])):
            limits[i] = float(end) if found.status[0, i] == FOUND else math.nan
    error = math.sqrt(fit.cov[column, column])
    for i, side in enumerate((-1.0, 1.0)):
        if math.isnan(limits[i]):
            profile = _Profile(model.evaluate, estimate, column, target)
            limits[i] = profile.outward(side, error * math.sqrt(2.0 * half))
    return limits[0], limits[1]


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
    profile = _Profile(model.evaluate, estimate, last, top - half)
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
    profile = _Profile(model.evaluate, np.append(fit.coef, fit.scale), column, 0.0)
    return profile.at(value)[0] + model.constant


@dataclass
class _Profile:
    """The profile of one parameter, fitted anew at each of its values."""

    evaluate: Evaluate
    estimate: Floats
    column: int
    target: float

    def at(self, value: float) -> tuple[float, float]:
        """Height above the target, and slope."""
        size = len(self.estimate)
        own = self.column == size - 1
        sizes = [value] if own else [abs(float(self.estimate[-1])), *_SIZES]
        best, slope = -math.inf, math.nan
        for start in sizes:
            begin = self.estimate[None].copy()
            begin[0, -1], begin[0, self.column] = start, value
            free = np.ones((1, size), dtype=bool)
            free[0, self.column] = False
            fit = maximise(self.evaluate, begin, free=free, retry=False)
            if fit.status[0] == OK and fit.log_likelihood[0] > best:
                best, slope = float(fit.log_likelihood[0]), float(fit.score[0, self.column])
        return best - self.target, slope

    def outward(self, side: float, step: float) -> float:
        """Walk outward until the target is crossed, then find where."""
        start = inside = float(self.estimate[self.column])
        while abs(inside - start) < _FAR:
            outside = inside + side * step
            if self.at(outside)[0] < 0.0:
                return self.between(inside, outside)
            inside, step = outside, 1.5 * step
        return side * math.inf

    def between(self, inside: float, outside: float) -> float:
        """Newton's steps towards the target, bisecting where they leave the bracket."""
        at = outside
        for _ in range(_MOST_STEPS):
            height, slope = self.at(at)
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
