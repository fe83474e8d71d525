"""Which columns a replicate of a Cox model has lost."""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.cox_likelihood import CoxLikelihood
from rnetstats.kernels.newton import BoolArray, FloatArray

_POSSIBLE = 1e-9  # of a column's information: what is left of it beside the columns before
_LEAST = 1e-3  # information of a column of unit size that is taken to be more than rounding


def lost_columns(likelihood: CoxLikelihood, information: FloatArray) -> BoolArray | None:
    """Mark the columns on which a replicate's risk sets say nothing beside the columns before.

    What looks lost at the start is judged with all coefficients zero, where no information can
    have vanished because of a large linear predictor.

    Parameters
    ----------
    likelihood
        Of B replicates.
    information
        (B, p, p) at the start, of the scaled columns.

    Returns
    -------
    bool array of shape (B, p), or None where none is lost
    """
    if _surely_regular(information):
        return None
    lost = _dependent(information)
    suspects = np.flatnonzero(lost.any(axis=1))
    if not suspects.size:
        return None
    zero = np.zeros((suspects.size, information.shape[-1]))
    lost[suspects] = _dependent(likelihood.unpenalised(zero, suspects)[2])
    return lost if lost.any() else None


def _surely_regular(information: FloatArray) -> bool:
    """Whether all matrices are far from singular, once scaled to a unit diagonal."""
    diagonal = information.diagonal(axis1=1, axis2=2)
    if not diagonal.min(initial=np.inf) > _POSSIBLE:
        return False
    length = np.sqrt(diagonal)
    scaled = information / (length[:, :, None] * length[:, None, :])
    return bool(np.linalg.det(scaled).min(initial=np.inf) > 1e3 * _POSSIBLE)


def _dependent(information: FloatArray) -> BoolArray:
    """Columns (A, p) whose information (A, p, p) is nil once the columns before are taken out."""
    size, p = information.shape[:2]
    rest = information.copy()
    own = np.maximum(information.diagonal(axis1=1, axis2=2), _LEAST)
    lost = np.zeros((size, p), dtype=bool)
    for j in range(p):
        pivot = rest[:, j, j]
        lost[:, j] = ~(pivot > _POSSIBLE * own[:, j])
        divisor = np.where(lost[:, j], np.inf, pivot)
        rest -= rest[:, :, j, None] * (rest[:, None, j, :] / divisor[:, None, None])
    return lost
