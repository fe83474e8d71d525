"""Regression of pseudo-values of a risk on the complementary log-log scale.

References
----------
Andersen PK, Klein JP, Rosthoj S (2003). Generalised linear models for correlated
pseudo-observations, with applications to multi-state models. Biometrika 90:15-27.
van Geloven N, Giardiello D, Bonneville EF et al. (2022). Validation of prediction models in the
presence of competing risks: a guide through modern methods. BMJ 377:e069249.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["cloglog", "pseudo_regression", "risk_of"]

Floats = NDArray[np.float64]

_SINGULAR = 1e12  # condition of the scaled information from which columns count as dependent


def cloglog(risk: Floats) -> Floats:
    """log(-log(1 - risk)); infinite at 0 and 1."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(-np.log1p(-risk)))


def risk_of(eta: Floats) -> Floats:
    """1 - exp(-exp(eta))."""
    return np.asarray(-np.expm1(-np.exp(np.minimum(eta, 700.0))))


def pseudo_regression(
    X: Floats, values: Floats, freq: Floats | None = None, offset: Floats | None = None
) -> tuple[Floats, Floats] | None:
    """Solve the estimating equations of E(value) = 1 - exp(-exp(X b + offset)).

    Working variance constant and working independence; Gauss-Newton steps, halved while the sum
    of squares rises.

    Parameters
    ----------
    X : array of shape (n, p)
    values, freq, offset : arrays of shape (n,)

    Returns
    -------
    coef (p,), covariance (p, p) : arrays
        The covariance is the sandwich. None where the steps do not settle.
    """
    weight = np.ones(len(values)) if freq is None else freq
    shift = np.zeros(len(values)) if offset is None else offset
    coef = np.zeros(X.shape[1])
    level = float(np.clip(weight @ values / weight.sum(), 0.01, 0.99))
    coef[0] = float(cloglog(np.array([level]))[0] - weight @ shift / weight.sum())

    def squares(at: Floats) -> float:
        return float(weight @ (values - risk_of(X @ at + shift)) ** 2)

    now = squares(coef)
    for _ in range(100):
        eta = np.minimum(X @ coef + shift, 50.0)
        slope = np.exp(eta - np.exp(eta))[:, None] * X
        bread = slope.T @ (weight[:, None] * slope)
        residual = values - risk_of(eta)
        length = np.sqrt(bread.diagonal())
        if not (length > 0.0).all() or np.linalg.cond(bread / np.outer(length, length)) > _SINGULAR:
            return None
        step = np.linalg.solve(bread, slope.T @ (weight * residual))
        for _ in range(30):
            after = squares(coef + step)
            if after <= now * (1.0 + 1e-13):
                break
            step = step / 2.0
        coef, now = coef + step, after
        if np.abs(step).max() <= 1e-11 * (1.0 + np.abs(coef).max()):
            inverse = np.linalg.inv(bread)
            meat = slope.T @ ((weight * residual**2)[:, None] * slope)
            return coef, inverse @ meat @ inverse
    return None
