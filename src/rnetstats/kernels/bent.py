"""Second derivatives of a penalised likelihood, carried over from one point to those around it.

With the information alone Newton's method converges linearly under Firth's penalty. The ratio of
the second derivatives to the information changes little on the way to a maximum nearby: found
once, it spares most of the steps. What is maximised, and when that has been done, stays the same.
"""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.newton import Evaluate, FloatArray, IntArray

__all__ = ["bent", "carried", "curvature", "differenced"]

_LEAST, _MOST = 0.5, 2.0  # second derivatives beside the information, for them to be carried on
_DIFFERENCE = 1e-4  # in standard errors or standard deviations of a column


def curvature(information: FloatArray, observed: FloatArray) -> FloatArray | None:
    """Minus the second derivatives at one point, in units of the information there.

    Parameters
    ----------
    information, observed : arrays of shape (p, p)

    Returns
    -------
    array of shape (p, p) or None
        None where one of both is not well positive definite.
    """
    if not (np.isfinite(information).all() and np.isfinite(observed).all()):
        return None
    try:
        root = np.linalg.cholesky(information)
    except np.linalg.LinAlgError:
        return None
    half = np.linalg.inv(root)
    found: FloatArray = half @ observed @ half.T
    found = 0.5 * (found + found.T)
    away = found - np.eye(len(found))
    if np.vdot(away, away) < (1.0 - _LEAST) ** 2:  # no eigenvalue is further from 1 than this
        return found
    values = np.linalg.eigvalsh(found)
    return found if values[0] > _LEAST and values[-1] < _MOST else None


def differenced(evaluate: Evaluate, point: FloatArray) -> FloatArray | None:
    """Do the same at a point (p,) of one data set, by central differences of the score.

    Parameters
    ----------
    evaluate : Evaluate
        Of coefficients in standard errors, or of columns of standard deviation 1.
    point : array of shape (p,)
    """
    p = len(point)
    steps = _DIFFERENCE * np.vstack((np.zeros(p), np.eye(p), -np.eye(p)))
    _, score, information = evaluate(point + steps, np.zeros(2 * p + 1, dtype=np.int64))
    with np.errstate(invalid="ignore"):  # infinite far out: not usable
        observed = (score[p + 1 :] - score[1 : p + 1]) / (2 * _DIFFERENCE)
    return curvature(information[0], 0.5 * (observed + observed.T))


def bent(evaluate: Evaluate, bend: FloatArray | None) -> Evaluate:
    """Return the same likelihood with second derivatives in the place of its information.

    Parameters
    ----------
    evaluate : Evaluate
    bend : array of shape (p, p) or None
        From :func:`curvature`; without it the likelihood stays as it is.

    Returns
    -------
    Evaluate
        Its matrices are positive definite where the information is.
    """
    if bend is None:
        return evaluate
    between: FloatArray = bend

    def around(beta: FloatArray, index: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        value, score, information = evaluate(beta, index)
        return value, score, carried(information, between)

    return around


def carried(information: FloatArray, bend: FloatArray) -> FloatArray:
    """Return the second derivatives for which an information (A, p, p) stands."""
    try:
        root = np.linalg.cholesky(information)
    except np.linalg.LinAlgError:  # far out, where nothing is known of the ratio either
        return information
    return root @ bend @ root.swapaxes(1, 2)
