"""Likelihood of one study with normal random effects, integrated about its mode.

By default the integral over q standard normal effects z is a sum over even steps, which converges
geometrically for a smooth integrand that vanishes at both ends: the steps are short against the
width of the integrand and against the distance of its poles, pi over the slope of the predictor.
With a number of points it is adaptive Gauss-Hermite quadrature: one point is Laplace's
approximation. That is exact for small random effects only.

References
----------
Liu Q, Pierce DA (1994) A note on Gauss-Hermite quadrature. Biometrika 81:624-629. Trefethen LN,
Weideman JAC (2014) The exponentially convergent trapezoidal rule. SIAM Review 56:385-458. Louis TA
(1982) Finding the observed information matrix when using the EM algorithm. JRSS B 44:226-233.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.glmm_nodes import Grid, even_grid, hermite_grid
from rnetstats.kernels.glmm_rows import CountRows

__all__ = ["EXACT_POINTS", "Local", "integrate"]

Floats: TypeAlias = NDArray[np.float64]

EXACT_POINTS = 15
"""From so many points on the integral's own derivatives are taken for those of its sum."""

_STEP = 1e-2
_MODE_STEPS = 100
_ARRIVED = 1e-13  # gain of log integrand; the step then taken squares what is left of it


@dataclass(frozen=True, eq=False)
class Local:
    """Log-likelihoods of the studies, with derivatives by their J predictors and q scales.

    Attributes
    ----------
    value : (k,)
    score : (k, J + q)
    hessian : (k, J + q, J + q)
    """

    value: Floats
    score: Floats
    hessian: Floats


def integrate(
    rows: CountRows,
    eta: Floats,
    Z: Floats,
    scale: Floats,
    points: int | None = None,
    *,
    rough: bool = False,
) -> Local:
    """Integrate z out of ``exp(sum_j y eta_j - b(eta_j))``, eta_j + sum_r scale_r Z_jr z_r.

    Parameters
    ----------
    rows : CountRows
    eta : (k, J)
        Predictors at z = 0.
    Z : (k, J, q)
    scale : (q,)
        Standard deviations of the effects; their sign has no meaning.
    points : int, optional
        Of Gauss-Hermite quadrature in each dimension; by default as many even steps as it takes.
    rough : bool
        Take fewer even steps, for some five digits.

    Returns
    -------
    Local
        Below 15 points, derivatives are differences of the approximation itself.
    """
    if points is None or points >= EXACT_POINTS:
        at = _nodes(rows, eta, Z, scale, points, rough)
        return _with_derivatives(at, Z)
    J = eta.shape[1]

    def value(shift: Floats) -> Floats:
        return _nodes(rows, eta + shift[:J], Z, scale + shift[J:], points).value

    return _by_differences(value, J + len(scale))


def _by_differences(value: Callable[[Floats], Floats], size: int) -> Local:
    """Central differences of a function of ``size`` numbers at 0, of fourth order."""
    axes = _STEP * np.eye(size)
    at = {m: np.stack([value(m * h) for h in axes], axis=1) for m in (-2, -1, 1, 2)}
    centre = value(np.zeros(size))
    score = (8.0 * (at[1] - at[-1]) - (at[2] - at[-2])) / (12.0 * _STEP)
    own = 16.0 * (at[1] + at[-1]) - (at[2] + at[-2]) - 30.0 * centre[:, None]
    hessian = own[:, :, None] / (12.0 * _STEP**2) * np.eye(size)
    for i, j in combinations(range(size), 2):
        near, far = (
            value(m * (axes[i] + axes[j]))
            + value(-m * (axes[i] + axes[j]))
            - value(m * (axes[i] - axes[j]))
            - value(m * (axes[j] - axes[i]))
            for m in (1, 2)
        )
        hessian[:, i, j] = hessian[:, j, i] = (16.0 * near - far) / (48.0 * _STEP**2)
    return Local(centre, score, hessian)


class _Nodes(NamedTuple):
    """The integral, its Q points, and their shares of it.

    The points are the last axis, so that sums over effects and rows are sums of long vectors.

    Attributes
    ----------
    value : (k,)
    z : (k, q, Q)
    share : (k, 1, Q)
    residual, variance : (k, J, Q)
    """

    value: Floats
    z: Floats
    share: Floats
    residual: Floats
    variance: Floats


def _with_derivatives(at: _Nodes, Z: Floats) -> Local:
    """Score and Hessian as means over z given the counts (Louis)."""
    J, q = Z.shape[1:]
    t = np.concatenate([at.residual, (np.swapaxes(Z, 1, 2) @ at.residual) * at.z], axis=1)
    score = t @ np.swapaxes(at.share, 1, 2)
    apart = t - score
    spread = (apart * at.share) @ np.swapaxes(apart, 1, 2)
    weighted = at.variance * at.share
    information = np.zeros_like(spread)
    own = np.arange(J)
    information[:, own, own] = weighted.sum(axis=2)
    z = np.swapaxes(at.z, 1, 2)
    across = (weighted @ z) * Z
    information[:, :J, J:], information[:, J:, :J] = across, np.swapaxes(across, 1, 2)
    for r, s in combinations_with_replacement(range(q), 2):
        mean = (weighted @ (z[:, :, [r]] * z[:, :, [s]]))[..., 0]
        loaded = (mean * Z[:, :, r] * Z[:, :, s]).sum(axis=1)
        information[:, J + r, J + s] = information[:, J + s, J + r] = loaded
    return Local(at.value, score[..., 0], spread - information)


def _nodes(
    rows: CountRows, eta: Floats, Z: Floats, scale: Floats, points: int | None, rough: bool = False
) -> _Nodes:
    loadings = Z * scale
    mode, curvature = _modes(rows, eta, loadings)
    root = np.linalg.cholesky(curvature)
    turn = np.swapaxes(np.linalg.inv(root), 1, 2)  # from steps of one standard deviation to z
    if points is None:
        grid = _even(rows, eta, loadings, mode, turn, rough)
    else:
        grid = hermite_grid(points, len(scale))
    z = mode[:, :, None] + turn @ np.swapaxes(grid.x, 1, 2)
    predictor = eta[:, :, None] + loadings @ z
    b, mean, variance = rows.cumulant(predictor)
    log_f = (rows.y[..., None] * predictor - b).sum(axis=1) - 0.5 * np.square(z).sum(axis=1)
    log_f = log_f + grid.log_weight
    top = log_f.max(axis=1, keepdims=True)
    share = np.exp(log_f - top)
    total = share.sum(axis=1, keepdims=True)
    log_det = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    value = top[:, 0] + np.log(total[:, 0]) - log_det - 0.5 * len(scale) * np.log(2.0 * np.pi)
    return _Nodes(value, z, (share / total)[:, None], rows.y[..., None] - mean, variance)


def _even(
    rows: CountRows, eta: Floats, loadings: Floats, mode: Floats, turn: Floats, rough: bool
) -> Grid:
    """Even steps in the integrand's own standard deviations, as far as it reaches."""

    def log_f(x: Floats) -> Floats:
        z = mode + (turn @ x[..., None])[..., 0]
        predictor = eta + (loadings * z[:, None]).sum(axis=2)
        b = rows.cumulant(predictor)[0]
        return np.asarray((rows.y * predictor - b).sum(axis=1) - 0.5 * np.square(z).sum(axis=1))

    slope = np.abs(loadings @ turn).max(axis=1)
    return even_grid(log_f, slope, rough=rough)


def _modes(rows: CountRows, eta: Floats, loadings: Floats) -> tuple[Floats, Floats]:
    """Where each study's integrand is highest, and minus its second derivatives there."""
    k, _, q = loadings.shape
    z = np.zeros((k, q))
    value, slope, curvature = _integrand(rows, eta, loadings, z)
    for _ in range(_MODE_STEPS):
        step = np.linalg.solve(curvature, slope[..., None])[..., 0]
        last = float(np.abs((slope * step).sum(axis=1)).max(initial=0.0)) < _ARRIVED
        length = np.ones((k, 1))
        for _ in range(60):
            after = _integrand(rows, eta, loadings, z + length * step)
            falls = after[0] < value - 1e-13 * (1.0 + np.abs(value))
            if not falls.any():
                break
            length = np.where(falls[:, None], 0.5 * length, length)
        z = z + length * step
        value, slope, curvature = after
        if last:
            break
    return z, curvature


def _integrand(
    rows: CountRows, eta: Floats, loadings: Floats, z: Floats
) -> tuple[Floats, Floats, Floats]:
    """Log integrand, its gradient, and minus its Hessian in z."""
    predictor = eta + (loadings * z[:, None]).sum(axis=2)
    b, mean, variance = rows.cumulant(predictor)
    value = (rows.y * predictor - b).sum(axis=1) - 0.5 * np.square(z).sum(axis=1)
    slope = (loadings * (rows.y - mean)[..., None]).sum(axis=1) - z
    inner = np.swapaxes(loadings, 1, 2) @ (loadings * variance[..., None])
    return value, slope, inner + np.eye(z.shape[1])
