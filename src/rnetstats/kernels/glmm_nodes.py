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


def even_grid(log_f: Callable[[Floats], Floats], slope: Floats) -> Grid:
    """Return even steps over the range where a log-concave integrand does not vanish.

    Parameters
    ----------
    log_f : callable
        ``x (k, q) -> (k,)``, highest at 0 with second derivative -1.
    slope : (k, q)
        Of the predictors along each axis: the integrand's poles are pi over that from the axis.

    Returns
    -------
    Grid
        All studies have the same number of steps, each its own length.
    """
    k, q = slope.shape
    low, high = (_reach(log_f, side, (k, q)) for side in (-1.0, 1.0))
    rule = min(q, 2) - 1
    length = np.minimum(_WIDTH[rule], _POLE[rule] / np.maximum(slope, 1e-12))
    wanted = np.ceil(((high - low) / length).max(axis=0)).astype(int)
    counts = [int(min(count, _MOST[rule])) + 1 for count in wanted]
    axes = [
        low[:, [r]] + (high - low)[:, [r]] * np.linspace(0.0, 1.0, count)
        for r, count in enumerate(counts)
    ]
    steps = np.stack([axis[:, 1] - axis[:, 0] for axis in axes], axis=1)
    if q == 1:
        x = axes[0][:, :, None]
    else:
        first = np.repeat(axes[0], counts[1], axis=1)
        x = np.stack([first, np.tile(axes[1], (1, counts[0]))], axis=2)
    return Grid(x, np.log(steps).sum(axis=1)[:, None])


def _reach(log_f: Callable[[Floats], Floats], side: float, shape: tuple[int, int]) -> Floats:
    """How far each axis goes on one side until the integrand vanishes."""
    found = np.empty(shape)
    top = log_f(np.zeros(shape))
    for r in range(shape[1]):
        axis = np.zeros(shape)
        reach = np.full(shape[0], 6.0)
        for _ in range(60):
            axis[:, r] = side * reach
            inside = top - log_f(axis) < _DROP
            if not inside.any():
                break
            reach = np.where(inside, 1.2 * reach, reach)
        found[:, r] = side * reach
    return found
