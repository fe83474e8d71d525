"""Inverse-variance pooling of study estimates, with or without moderators, many sets at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Pooled", "Projection", "Studies", "inverse_variance", "projection", "studies"]

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Studies:
    """Sets of k studies: estimates, their variances, and which studies a set holds.

    Attributes
    ----------
    y, v : (..., k)
        Estimates and sampling variances; 0 and 1 where a study is left out. Without moderators
        estimates are measured from ``centre``.
    centre : (...)
        The most precise study's estimate, whose distance from the mean then keeps its digits,
        however far its weight is above the others'; 0 with moderators.
    x : (k, p) or (..., k, p), or None
        Moderators with their intercept; None is the intercept alone.
    held : (..., k) of 0 and 1
    others : (..., k) of bool, or None
        The studies held but the most precise one; None with moderators.
    df : (...)
        Studies held less coefficients.
    """

    y: Floats
    v: Floats
    centre: Floats
    x: Floats | None
    held: Floats
    others: Flags | None
    df: Floats


@dataclass(frozen=True, eq=False)
class Projection:
    """P = W - WX(X'WX)^-1 X'W, kept as its factors.

    Attributes
    ----------
    w : (..., k)
        Weights, 0 for studies left out.
    z : (..., k, p)
        WX(X'WX)^-1/2, so that P = diag(w) - z z'.
    others : (..., k), or None
        As of the studies.
    py : (..., k)
        P y.
    quadratic : (...)
        y'Py.
    log_det : (...)
        log |X'WX|.
    """

    w: Floats
    z: Floats
    others: Flags | None
    py: Floats
    quadratic: Floats
    log_det: Floats

    @cached_property
    def own(self) -> Floats:
        """The diagonal of P; exact to rounding, without moderators, if one weight dwarfs others."""
        if self.others is None:
            return np.asarray(self.w - np.square(self.z).sum(axis=-1))
        total = self.w.sum(axis=-1, keepdims=True)
        return np.asarray(self.w * _without_own(self.w, self.others) / total)

    def trace(self, b: Floats | float = 1.0) -> Floats:
        """Return tr(PB) for a diagonal B given as (..., k)."""
        if self.others is None or not isinstance(b, float) or b != 1.0:
            return np.asarray((b * self.own).sum(axis=-1))
        rest = np.where(self.others, self.w, 0.0)  # of the pairs' products, the largest apart
        one = np.ones(self.w.shape[-1])
        some, total = rest @ one, self.w @ one
        pairs = some * (2.0 * total - some) - np.einsum("...k,...k->...", rest, rest)
        return np.asarray(pairs / total)

    def trace_of_two(self, b: Floats | float = 1.0, c: Floats | float = 1.0) -> Floats:
        """Return tr(PBPC) for diagonal B and C given as (..., k)."""
        b, c = np.broadcast_to(b, self.w.shape), np.broadcast_to(c, self.w.shape)
        if self.others is not None:
            square = np.square(self.z[..., 0])
            across = (b * square * _without_own(c * square, self.others)).sum(axis=-1)
            return np.asarray((b * c * np.square(self.own)).sum(axis=-1) + across)
        own = np.square(self.z).sum(axis=-1)
        across = _gram(self.z, b) * _gram(self.z, c)
        return np.asarray(
            (b * c * self.w * (self.w - 2.0 * own)).sum(axis=-1) + across.sum(axis=(-2, -1))
        )

    def apply(self, u: Floats) -> Floats:
        """Return P u for u of shape (..., k)."""
        inner = (self.z * u[..., None]).sum(axis=-2)
        return np.asarray(self.w * u - (self.z * inner[..., None, :]).sum(axis=-1))


def _without_own(u: Floats, others: Flags) -> Floats:
    """The sum of u over all studies but each: for the most precise one, added up anew."""
    kept = np.where(others, u, 0.0)
    rest = kept.sum(axis=-1, keepdims=True)
    return np.asarray(np.where(others, u.sum(axis=-1, keepdims=True) - u, rest))


def _gram(z: Floats, b: Floats) -> Floats:
    """Z'BZ."""
    return np.asarray(np.swapaxes(z * b[..., None], -1, -2) @ z)


def studies(
    y: ArrayLike, v: ArrayLike, *, x: ArrayLike | None = None, mask: ArrayLike | None = None
) -> Studies:
    """Bring sets of studies to one shape.

    Parameters
    ----------
    y, v : (k,) or (..., k)
        Estimates and their sampling variances.
    x : (k, p) or (..., k, p), optional
    mask : (k,) or (..., k) of bool, optional
        The studies of each set; values of the others are not looked at.
    """
    shape = np.broadcast_shapes(np.shape(y), np.shape(v), () if mask is None else np.shape(mask))
    held = np.broadcast_to(True if mask is None else np.asarray(mask, dtype=bool), shape)
    design = None if x is None else np.asarray(x, dtype=float)
    p = 1 if design is None else design.shape[-1]
    estimates = np.broadcast_to(np.asarray(y, dtype=float), shape)
    variances = np.broadcast_to(np.asarray(v, dtype=float), shape)
    if design is None:
        best = np.where(held, variances, np.inf).argmin(axis=-1)
        centre = np.take_along_axis(estimates, best[..., None], axis=-1)
        others = held & (np.arange(shape[-1]) != best[..., None])
    else:
        centre, others = np.zeros((*shape[:-1], 1)), None
    return Studies(
        y=np.where(held, estimates - centre, 0.0),
        v=np.where(held, variances, 1.0),
        centre=centre[..., 0],
        x=design,
        held=held.astype(float),
        others=others,
        df=held.sum(axis=-1) - float(p),
    )


def projection(sets: Studies, weights: Floats) -> Projection:
    """Decompose sqrt(W) X, and take the estimates' residuals from it.

    Parameters
    ----------
    sets : Studies
    weights : (..., k)
        Positive; those of studies left out are set to 0.
    """
    w = weights * sets.held
    root = np.sqrt(w)
    if sets.x is None:
        total = w.sum(axis=-1)
        q = (root / np.sqrt(total)[..., None])[..., None]
        log_det = np.log(total)
    else:
        q, r = np.linalg.qr(root[..., None] * sets.x)
        log_det = 2.0 * np.log(np.abs(np.diagonal(r, axis1=-2, axis2=-1))).sum(axis=-1)
    scaled = root * sets.y
    fitted = (q * (q * scaled[..., None]).sum(axis=-2, keepdims=True)).sum(axis=-1)
    left = scaled - fitted
    return Projection(
        w=w,
        z=root[..., None] * q,
        others=sets.others,
        py=root * left,
        quadratic=np.asarray(np.square(left).sum(axis=-1)),
        log_det=np.asarray(log_det),
    )


@dataclass(frozen=True, eq=False)
class Pooled:
    """Weighted least squares of study estimates.

    Attributes
    ----------
    coef : (..., p)
    cov : (..., p, p)
        (X'WX)^-1.
    weights : (..., k)
        1/(v + tau2), 0 for studies left out.
    q : (...)
        Weighted sum of squared residuals.
    df : (...)
        Studies less coefficients.
    """

    coef: Floats
    cov: Floats
    weights: Floats
    q: Floats
    df: Floats

    @property
    def estimate(self) -> Floats:
        """The first coefficient: the pooled estimate, where there are no moderators."""
        return self.coef[..., 0]

    @property
    def std_error(self) -> Floats:
        """Standard error of the first coefficient, the weights taken as known."""
        return np.asarray(np.sqrt(self.cov[..., 0, 0]))


def inverse_variance(
    y: ArrayLike,
    v: ArrayLike,
    tau2: ArrayLike = 0.0,
    *,
    x: ArrayLike | None = None,
    mask: ArrayLike | None = None,
) -> Pooled:
    """Pool estimates with the weights 1/(v + tau2).

    Parameters
    ----------
    y, v : (k,) or (..., k)
        Estimates and their sampling variances, positive.
    tau2 : scalar or (...)
        Variance between studies of each set; 0 gives the common-effect estimate.
    x : (k, p) or (..., k, p), optional
        Moderators of full rank with their intercept; the intercept alone by default.
    mask : (..., k) of bool, optional
        The studies of each set.

    Returns
    -------
    Pooled
    """
    sets = studies(y, v, x=x, mask=mask)
    w = sets.held / (sets.v + np.asarray(tau2, dtype=float)[..., None])
    if sets.x is None:
        total = w.sum(axis=-1)
        shift = ((w * sets.y).sum(axis=-1) / total)[..., None]
        coef, left = sets.centre[..., None] + shift, sets.y - shift
        cov = (1.0 / total)[..., None, None]
    else:
        root = np.sqrt(w)
        q, r = np.linalg.qr(root[..., None] * sets.x)
        inverse = np.linalg.inv(r)
        inner = (q * (root * sets.y)[..., None]).sum(axis=-2)
        coef = (inverse @ inner[..., None])[..., 0]
        cov = inverse @ np.swapaxes(inverse, -1, -2)
        left = sets.y - (sets.x * coef[..., None, :]).sum(axis=-1)
    return Pooled(
        coef=coef,
        cov=cov,
        weights=w,
        q=np.asarray((w * np.square(left)).sum(axis=-1)),
        df=sets.df,
    )
