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

from rnetstats.kernels.sandwich import sandwich

__all__ = ["cloglog", "pseudo_regression", "pseudo_regressions", "risk_of"]

Floats = NDArray[np.float64]

_SINGULAR = 1e12  # condition of the scaled information from which columns count as dependent
_STEPS = 100
_HALVINGS = 30


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
    coef = pseudo_regressions(X, values[None], weight[None], offset)[0]
    if not np.isfinite(coef).all():
        return None
    _, slope, residual = _pieces(X, values[None], shift, coef[None])
    columns = slope[0][:, None] * X
    inverse = np.linalg.inv(columns.T @ (weight[:, None] * columns))
    return coef, sandwich(inverse, residual[0][:, None] * columns, freq=weight)


def pseudo_regressions(
    X: Floats, values: Floats, freq: Floats, offset: Floats | None = None
) -> Floats:
    """Solve the same equations for many replicates at once.

    Parameters
    ----------
    X : array of shape (n, p)
        The first column is the constant 1.
    values, freq : arrays of shape (B, n)
        A row that a replicate lacks has the frequency 0.
    offset : array of shape (n,), optional

    Returns
    -------
    array of shape (B, p)
        Missing where the steps do not settle.
    """
    shift = np.zeros(X.shape[0]) if offset is None else offset
    total = freq.sum(axis=1)
    coef = np.zeros((len(values), X.shape[1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.clip(np.vecdot(freq, values) / total, 0.01, 0.99)
        coef[:, 0] = cloglog(level) - freq @ shift / total
    running, settled = np.flatnonzero(total > 0.0), np.zeros(len(values), dtype=bool)
    for _ in range(_STEPS):
        if not running.size:
            break
        at, y, w = coef[running], values[running], freq[running]
        now, slope, residual = _pieces(X, y, shift, at)
        bread = _cross(X, w * slope**2)
        regular = _regular(bread)
        bread[~regular] = np.eye(X.shape[1])
        right = (w * slope * residual) @ X
        step = np.asarray(np.linalg.solve(bread, right[:, :, None])[:, :, 0], dtype=np.float64)
        step = _shortened(X, y, w, shift, at, step, (w * now).sum(axis=1))
        coef[running] = at + step
        largest = np.abs(coef[running]).max(axis=1)
        done = np.abs(step).max(axis=1) <= 1e-11 * (1.0 + largest)
        settled[running[regular & done]] = True
        running = running[regular & ~done]
    coef[~settled] = np.nan
    return coef


def _pieces(
    X: Floats, values: Floats, shift: Floats, coef: Floats
) -> tuple[Floats, Floats, Floats]:
    """Squared residuals, slopes of the mean, and residuals, (b, n) each."""
    eta = np.minimum(coef @ X.T + shift, 50.0)
    residual = values - risk_of(eta)
    return residual**2, np.exp(eta - np.exp(eta)), residual


def _cross(X: Floats, weight: Floats) -> Floats:
    """X' W X of each replicate, (b, p, p)."""
    p = X.shape[1]
    products = (X[:, :, None] * X[:, None, :]).reshape(-1, p * p)
    return np.asarray(weight @ products).reshape(-1, p, p)


def _regular(bread: Floats) -> NDArray[np.bool_]:
    """Whether the columns of each replicate are independent (b,)."""
    length = np.sqrt(bread.diagonal(axis1=1, axis2=2))
    positive = np.asarray((length > 0.0).all(axis=1))
    safe = np.where(positive[:, None], length, 1.0)
    scaled = bread / (safe[:, :, None] * safe[:, None, :])
    return np.asarray(positive & (np.linalg.cond(scaled) <= _SINGULAR))


def _shortened(
    X: Floats, y: Floats, w: Floats, shift: Floats, at: Floats, step: Floats, now: Floats
) -> Floats:
    """Halve the steps (b, p) of the replicates whose sum of squares they would raise."""
    longer = np.arange(len(at))
    for _ in range(_HALVINGS):
        after = np.vecdot(w[longer], _pieces(X, y[longer], shift, (at + step)[longer])[0])
        longer = longer[~(after <= now[longer] * (1.0 + 1e-13))]
        if not longer.size:
            break
        step[longer] /= 2.0
    return step
