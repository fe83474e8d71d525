"""Inverse-variance pooling of study estimates, with or without moderators, many sets at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Pooled", "Projection", "Studies", "inverse_variance", "projection", "studies"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Studies:
    """Sets of k studies: estimates, their variances, and which studies a set holds.

    Attributes
    ----------
    y, v : (..., k)
        Estimates and sampling variances; 0 and 1 where a study is left out.
    x : (k, p) or (..., k, p), or None
        Moderators with their intercept; None is the intercept alone.
    held : (..., k) of 0 and 1
    df : (...)
        Studies held less coefficients.
    """

    y: Floats
    v: Floats
    x: Floats | None
    held: Floats
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
    py : (..., k)
        P y.
    quadratic : (...)
        y'Py.
    log_det : (...)
        log |X'WX|.
    """

    w: Floats
    z: Floats
    py: Floats
    quadratic: Floats
    log_det: Floats

    def trace(self, b: Floats | float = 1.0) -> Floats:
        """Return tr(PB) for a diagonal B given as (..., k)."""
        own = self.w - np.square(self.z).sum(axis=-1)
        return np.asarray((b * own).sum(axis=-1))

    def trace_of_two(self, b: Floats | float = 1.0, c: Floats | float = 1.0) -> Floats:
        """Return tr(PBPC) for diagonal B and C given as (..., k)."""
        b, c = np.broadcast_to(b, self.w.shape), np.broadcast_to(c, self.w.shape)
        own = np.square(self.z).sum(axis=-1)
        across = _gram(self.z, b) * _gram(self.z, c)
        return np.asarray(
            (b * c * self.w * (self.w - 2.0 * own)).sum(axis=-1) + across.sum(axis=(-2, -1))
        )

    def apply(self, u: Floats) -> Floats:
        """Return P u for u of shape (..., k)."""
        inner = (self.z * u[..., None]).sum(axis=-2)
        return np.asarray(self.w * u - (self.z * inner[..., None, :]).sum(axis=-1))


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
    return Studies(
        y=np.where(held, np.asarray(y, dtype=float), 0.0),
        v=np.where(held, np.asarray(v, dtype=float), 1.0),
        x=design,
        held=held.astype(float),
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
        coef = ((w * sets.y).sum(axis=-1) / total)[..., None]
        cov = (1.0 / total)[..., None, None]
        left = sets.y - coef
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
