"""Which columns a replicate has lost: those constant in it, or sums of the columns before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rnetstats.kernels.newton import BoolArray, FloatArray

__all__ = ["dependent_columns", "lost_columns", "orthonormal"]

_TOLERANCE = 1e-9  # of a column's length: what is left of it beside the columns before
_SCREEN = 1e-6  # of a determinant that is of order one


def dependent_columns(X: FloatArray) -> BoolArray:
    """Mark each column that is a linear combination of the columns before it.

    Parameters
    ----------
    X : array of shape (n, p)

    Returns
    -------
    bool array of shape (p,)
    """
    n, p = X.shape
    lost = np.zeros(p, dtype=bool)
    basis = np.zeros((n, 0))
    for j in range(p):
        length = float(np.linalg.norm(X[:, j]))
        rest = X[:, j] / (length or 1.0)
        for _ in range(2):  # once more, against rounding
            rest = rest - basis @ (basis.T @ rest)
        left = float(np.linalg.norm(rest))
        if left < _TOLERANCE:
            lost[j] = True
        else:
            basis = np.column_stack([basis, rest / left])
    return lost


def orthonormal(X: FloatArray) -> FloatArray | None:
    """Return what turns columns (n, p) into orthonormal ones, (p, p); None near singularity."""
    if len(X) < X.shape[1]:
        return None
    R: FloatArray = np.asarray(np.linalg.qr(X, mode="r"))
    length = np.sqrt((R * R).sum(axis=0))
    if (np.abs(R.diagonal()) <= 1e-8 * length).any():
        return None
    return np.asarray(np.linalg.inv(R))


def lost_columns(
    X: FloatArray,
    weights: FloatArray | None,
    information: FloatArray,
    basis: Callable[[], FloatArray | None] | None = None,
) -> BoolArray | None:
    """Mark the columns that are lost in each replicate; None where none loses any.

    All replicates are screened at once by the determinant of their information; those that fail
    are looked at one by one.

    Parameters
    ----------
    X : array of shape (n, p) or (B, n, p)
    weights : array of shape (B, n) or (1, n), optional
        A row of weight 0 is not there.
    information : array of shape (B, p, p)
        X'WX with some positive W.
    basis : callable, optional
        Returns :func:`orthonormal` of a shared X; asked only if the information leaves a doubt.

    Returns
    -------
    bool array of shape (B, p), or None
    """
    if _apart(information).all():
        return None
    turn = None
    if X.ndim == 2:
        turn = orthonormal(X) if basis is None else basis()
    lost = np.zeros((len(information), X.shape[-1]), dtype=bool)
    everywhere = weights is None or bool((weights > 0).all())
    for row in np.flatnonzero(_suspect(X, information, turn, everywhere)):
        design = X[row] if X.ndim == 3 else X
        if weights is not None:
            design = design[weights[row if len(weights) > 1 else 0] > 0]
        lost[row] = dependent_columns(design)
    return lost if lost.any() else None


def _suspect(
    X: FloatArray, information: FloatArray, basis: FloatArray | None, everywhere: bool
) -> BoolArray:
    """Whether each information matrix is near singular beside that of the whole design."""
    everyone = np.ones(len(information), dtype=bool)
    if X.shape[-2] < X.shape[-1]:
        return everyone
    if X.ndim == 2:
        if basis is None:
            return everyone
        if everywhere:
            return ~everyone
        information = basis.T @ information @ basis
    return ~_apart(information)


def _apart(information: FloatArray) -> BoolArray:
    """Whether each matrix is far from singular, once scaled to a unit diagonal."""
    length = np.sqrt(information.diagonal(axis1=1, axis2=2))
    length = np.where(length > 0, length, 1.0)
    scaled = information / (length[:, :, None] * length[:, None, :])
    return np.asarray(np.linalg.det(scaled) > _SCREEN)
