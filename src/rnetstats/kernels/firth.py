"""Firth's penalty, half the log-determinant of the information: what all models share of it.

References
----------
Firth D (1993). Bias reduction of maximum likelihood estimates. Biometrika 80:27-38.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from rnetstats.kernels.newton import BoolArray, FloatArray

__all__ = ["half_log_det", "inverse_information", "observed_information", "without"]


def without(information: FloatArray, lost: BoolArray | None, diagonal: float = 1.0) -> FloatArray:
    """Replace the rows and columns of lost coordinates by those of a diagonal matrix.

    With a diagonal of 1 they add nothing to the log-determinant, and the inverse of the rest is
    what it is without them: the penalty is that of the design without the lost columns.

    Parameters
    ----------
    information : array of shape (A, p, p)
    lost : bool array of shape (A, p), optional
    diagonal : float

    Returns
    -------
    array of shape (A, p, p)
    """
    if lost is None:
        return information
    either = lost[:, :, None] | lost[:, None, :]
    return np.where(either, diagonal * np.eye(lost.shape[1]), information)


def half_log_det(information: FloatArray) -> FloatArray:
    """Half the log-determinant of each matrix of a stack; -inf where it is not positive.

    Parameters
    ----------
    information : array of shape (A, p, p)

    Returns
    -------
    array of shape (A,)
    """
    sign, log_det = np.linalg.slogdet(information)
    return np.where(sign > 0, 0.5 * log_det, -np.inf)


def inverse_information(information: FloatArray) -> FloatArray:
    """Invert each matrix of a stack; one that is singular, or not finite, gives zeros.

    A replicate there has an infinite penalty (see :func:`half_log_det`): the zeros only keep the
    rest of the batch going.

    Parameters
    ----------
    information : array of shape (A, p, p)

    Returns
    -------
    array of shape (A, p, p)
    """
    try:
        return np.asarray(np.linalg.inv(information), dtype=float)
    except np.linalg.LinAlgError:
        known = np.isfinite(information).all(axis=(1, 2), keepdims=True)
        sign, _ = np.linalg.slogdet(np.where(known, information, 0.0))
        inverse = np.zeros_like(information)
        for row in np.flatnonzero(sign):
            with suppress(np.linalg.LinAlgError):  # a pivot below the smallest number
                inverse[row] = np.linalg.inv(information[row])
        return inverse


def observed_information(
    information: FloatArray,
    second: FloatArray,
    thirds: FloatArray,
    inverse: FloatArray,
    lost: BoolArray | None = None,
) -> FloatArray:
    """Minus the second derivatives of a penalised likelihood.

    Newton's method converges quadratically with them; with the information alone it does so
    linearly, and in a handful of rows hardly at all.

    Parameters
    ----------
    information : array of shape (A, p, p)
        I, of the likelihood without the penalty (its own second derivatives).
    second : array of shape (A, p, p)
        Tr(I^-1 d2I / db_j db_k).
    thirds : array of shape (A, p, p, p)
        The derivatives dI / db_j, j first.
    inverse : array of shape (A, p, p)
        I^-1, zero in lost coordinates.
    lost : bool array of shape (A, p), optional
        Coordinates that the penalty leaves out; `information` is diagonal there.

    Returns
    -------
    array of shape (A, p, p)
        Not positive definite everywhere.
    """
    size, p = information.shape[:2]
    turned = inverse[:, None] @ thirds
    flat = turned.reshape(size, p, p * p)
    other = turned.swapaxes(2, 3).reshape(size, p, p * p)
    penalty = 0.5 * (second - flat @ other.swapaxes(1, 2))
    return information - without(penalty, lost, 0.0)
