"""Points and weights for integrals about a mode, in standard deviations of the integrand."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Grid", "even_grid", "hermite_grid"]

Floats: TypeAlias = NDArray[np.float64]

# Steps in one and in two dimensions: at most so many of the integrand's standard deviations, at
# most so much of the predictor, and how many. Of exp(-n exp(eta)) half the strip up to the pole
# counts: in one dimension the errors are exp(-2 pi^2/0.8^2) = 4e-14 and exp(-pi^2/0.4) = 2e-11.
_WIDTH = (0.8, 0.7)
_POLE = (0.4, 0.4)
_MOST = (600, 150)
_DROP = 36.0  # of the log integrand, where it is taken to vanish: exp(-36) is 2e-16
_ROUGH = 1.8, 14.0  # times the steps, and the drop, of a first approach
_GAUSSIAN = 3  # points of Gauss and Hermite that integrate z and z^2 exactly


class Grid(NamedTuple):
    """Points of each study, shape (k, Q, q) or (1, Q, q), and the logs of their weights."""

    x: Floats
    log_weight: Floats


@lru_cache(maxsize=16)
def hermite_grid(points: int, q: int) -> Grid:
    """Return the product rule of Gauss and Hermite for integrands about exp(-x'x/2)."""
    x, w = np.polynomial.hermite.hermgauss(points)
    log_w = np.log(w) + np.square(x) + 0.5 * np.log(2.0)
    mesh = np.stack([part.ravel() for part in np.meshgrid(*[x] * q, indexing="ij")], axis=1)
    total = np.asarray(sum(np.meshgrid(*[log_w] * q, indexing="ij")), dtype=float)
    return Grid(np.sqrt(2.0) * mesh[None], total.ravel())


def even_grid(log_f: Callable[[Floats], Floats], slope: Floats, *, rough: bool = False) -> Grid:
    """Return even steps over the range where a log-concave integrand does not vanish.

    Parameters
    ----------
    log_f : callable
        ``x (k, q) -> (k,)``, highest at 0 with second derivative -1.
    slope : (k, q)
        Of the predictors along each axis: the integrand's poles are pi over that from the axis.
        Where it is 0 the integrand is Gaussian along the axis, and three points are exact.
    rough : bool
        Fewer steps, for some five digits.

    Returns
    -------
    Grid
        All studies have the same number of steps, each its own length.
    """
    k, q = slope.shape
    wider, drop = _ROUGH if rough else (1.0, _DROP)
    low, high = (_reach(log_f, side, (k, q), drop) for side in (-1.0, 1.0))
    rule = min(q, 2) - 1
    length = wider * np.minimum(_WIDTH[rule], _POLE[rule] / np.maximum(slope, 1e-12))
    wanted = np.ceil(((high - low) / length).max(axis=0)).astype(int)
    axes = [
        _axis(low[:, r], high[:, r], min(int(wanted[r]), _MOST[rule]), bool(slope[:, r].any()))
        for r in range(q)
    ]
    if q == 1:
        (x, log_weight) = axes[0]
        return Grid(x[:, :, None], log_weight)
    (first, one), (second, other) = axes
    ends = len(one[0]), len(other[0])
    x = np.stack([np.repeat(first, ends[1], axis=1), np.tile(second, (1, ends[0]))], axis=2)
    return Grid(x, np.repeat(one, ends[1], axis=1) + np.tile(other, (1, ends[0])))


def _axis(low: Floats, high: Floats, steps: int, bent: bool) -> tuple[Floats, Floats]:
    """The points of one axis and the logs of their weights, both of shape (k, points)."""
    k = len(low)
    if not bent:
        x, log_weight = hermite_grid(_GAUSSIAN, 1)
        return np.tile(x[:, :, 0], (k, 1)), np.tile(log_weight, (k, 1))
    x = low[:, None] + (high - low)[:, None] * np.linspace(0.0, 1.0, steps + 1)
    return x, np.tile(np.log(x[:, [1]] - x[:, [0]]), (1, steps + 1))


def _reach(
    log_f: Callable[[Floats], Floats], side: float, shape: tuple[int, int], drop: float
) -> Floats:
    """How far each axis goes on one side until the integrand vanishes."""
    found = np.empty(shape)
    top = log_f(np.zeros(shape))
    for r in range(shape[1]):
        axis = np.zeros(shape)
        reach = np.full(shape[0], 6.0 * np.sqrt(drop / _DROP))
        for _ in range(60):
            axis[:, r] = side * reach
            inside = top - log_f(axis) < drop
            if not inside.any():
                break
            reach = np.where(inside, 1.2 * reach, reach)
        found[:, r] = side * reach
    return found
