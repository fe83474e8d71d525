"""Gompertz regression of many replicates at once: the hazard exp(x b + g t).

The log-likelihood is concave in (b, g): the cumulative hazard is an integral of exponentials of
linear functions. The integral is taken by Gauss's rule, which has no trouble at g = 0.

References
----------
Gompertz B (1825). On the nature of the function expressive of the law of human mortality. Phil
Trans R Soc 115:513-583.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.newton import FloatArray, IntArray, maximise
from rnetstats.kernels.standard_columns import standard_columns

__all__ = ["GompertzFit", "fit_gompertz", "growth_integrals"]

_NODES = 48


@dataclass(frozen=True, eq=False)
class GompertzFit:
    """Coefficients (b, g) of B replicates (B, p + 1), covariance, log-likelihood and status."""

    coef: FloatArray
    covariance: FloatArray
    log_likelihood: FloatArray
    status: IntArray


def growth_integrals(growth: FloatArray, start: FloatArray, stop: FloatArray) -> FloatArray:
    """Integrals of s^k exp(g s) from start to stop, k = 0, 1, 2.

    Parameters
    ----------
    growth : array of shape (B,)
    start, stop : arrays of shape (n,)

    Returns
    -------
    array of shape (3, B, n)
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = 0.5 * (stop - start)
    at = half[:, None] * (nodes + 1.0) + start[:, None]
    with np.errstate(over="ignore"):
        value = np.exp(growth[:, None, None] * at) * (half[:, None] * weights)
    return np.stack([value.sum(axis=2), (value * at).sum(axis=2), (value * at**2).sum(axis=2)])


def fit_gompertz(
    X: ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    *,
    start: ArrayLike | None = None,
    freq: ArrayLike | None = None,
) -> GompertzFit:
    """Fit B Gompertz regressions.

    Parameters
    ----------
    X : array of shape (n, p)
        The first column is the constant.
    stop, event, start : arrays of shape (n,)
        Times, whether they end in an event, and entry times (0 by default).
    freq : array of shape (n,) or (B, n), optional
        Whole numbers.
    """
    rows, time = np.asarray(X, dtype=np.float64), np.asarray(stop, dtype=np.float64)
    entry = np.zeros(time.size) if start is None else np.asarray(start, dtype=np.float64)
    flags = np.asarray(event, dtype=np.float64)
    weight = np.atleast_2d(np.ones(time.size) if freq is None else np.asarray(freq, np.float64))
    unit = float(time.mean())
    columns = standard_columns(rows)
    Z = columns.Z
    end, begin = time / unit, entry / unit

    def evaluate(beta: FloatArray, index: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        w = weight[index] if len(weight) > 1 else weight
        with np.errstate(all="ignore"):
            eta = beta[:, :-1] @ Z.T
            hazard = growth_integrals(beta[:, -1], begin, end) * (np.exp(eta) * w)
            value = (w * flags * (eta + beta[:, -1:] * end)).sum(axis=1) - hazard[0].sum(axis=1)
            score = np.column_stack(
                [
                    (w * flags - hazard[0]) @ Z,
                    (w * flags * end).sum(axis=1) - hazard[1].sum(axis=1),
                ]
            )
            information = np.empty((*score.shape, score.shape[1]))
            information[:, :-1, :-1] = np.einsum("bn,ni,nj->bij", hazard[0], Z, Z, optimize=True)
            information[:, :-1, -1] = information[:, -1, :-1] = hazard[1] @ Z
            information[:, -1, -1] = hazard[2].sum(axis=1)
        return np.where(np.isfinite(value), value, -np.inf), score, information

    rate = (weight @ flags) / (weight @ (end - begin))
    first = np.zeros((len(weight), Z.shape[1] + 1))
    first[:, 0] = np.log(np.maximum(rate, 1e-12))
    found = maximise(evaluate, first, retry=False)
    back = columns.back(1)
    back[-1, -1] = 1.0 / unit
    coef = found.coef @ back.T
    coef[:, 0] -= np.log(unit)
    covariance = back @ np.linalg.pinv(found.information, hermitian=True) @ back.T
    value = found.log_likelihood - (weight @ flags) * np.log(unit)
    return GompertzFit(coef, covariance, value, found.status)
