"""Firth's penalty, half the log-determinant of the information: what all models share of it.

References
----------
Firth D (1993). Bias reduction of maximum likelihood estimates. Biometrika 80:27-38.
"""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.newton import BoolArray, FloatArray

__all__ = ["half_log_det", "inverse_information", "without"]


def without(information: FloatArray, lost: BoolArray | None) -> FloatArray:
    """Replace the rows and columns of lost coordinates by those of the identity.

    Their log-determinant is then 0, and their inverse does not touch the others: the penalty is
    that of the design without the lost columns.

    Parameters
    ----------
    information : array of shape (A, p, p)
    lost : bool array of shape (A, p), optional

    Returns
    -------
    array of shape (A, p, p)
    """
    if lost is None:
        return information
    either = lost[:, :, None] | lost[:, None, :]
    return np.where(either, np.eye(lost.shape[1]), information)


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
    """Invert each matrix of a stack; one that is singular gives zeros.

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
        inverse = np.zeros_like(information)
        for i, matrix in enumerate(information):
            if np.linalg.matrix_rank(matrix) == len(matrix):
                inverse[i] = np.linalg.inv(matrix)
        return inverse
