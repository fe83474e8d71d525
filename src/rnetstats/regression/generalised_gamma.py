"""Regression with generalised gamma times, which hold the Weibull and the log-normal law.

With ``w = (log t - x b) / s`` and shape q the density of w is that of Prentice (1974): q = 1 is the
Weibull law, q = 0 the log-normal. The likelihood may have several maxima: the better of the ascents
from the two inner laws is taken.

References
----------
Prentice RL (1974). A log gamma model and its maximum likelihood estimation. Biometrika 61:539-44.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.newton import FAILED, OK, FloatArray
from rnetstats.kernels.standard_columns import standard_columns
from rnetstats.regression.aft import fit_aft

__all__ = ["GeneralisedGammaFit", "fit_generalised_gamma", "log_survival"]

Value = Callable[[FloatArray], float]

_NARROW = 1e-3  # shapes closer to 0 than this are taken as this
_STEP = 1e-3  # of the central differences, in columns of order one
_CLOSE = 1e-9  # score' I^-1 score


@dataclass(frozen=True, eq=False)
class GeneralisedGammaFit:
    """Coefficients (b, log s, q) of one fit (p + 2,), covariance, log-likelihood and status."""

    coef: FloatArray
    covariance: FloatArray
    log_likelihood: float
    status: int


def log_survival(w: FloatArray, q: float) -> FloatArray:
    """Logarithm of P(W > w)."""
    from scipy.special import gammainc, gammaincc

    q = _shape(q)
    size = q**-2
    at = size * np.exp(np.clip(q * w, -700.0, 700.0))
    tail = gammaincc(size, at) if q > 0.0 else gammainc(size, at)
    return np.log(np.maximum(tail, np.finfo(float).tiny))


def _shape(q: float) -> float:
    return q if abs(q) >= _NARROW else (_NARROW if q >= 0.0 else -_NARROW)


def _log_density(w: FloatArray, q: float) -> FloatArray:
    from scipy.special import gammaln

    q = _shape(q)
    size = q**-2
    power = q * w
    front = np.log(abs(q)) + size * np.log(size) - float(gammaln(size))
    return np.asarray(front + size * (power - np.exp(np.minimum(power, 700.0))))


def fit_generalised_gamma(
    X: ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    *,
    start: ArrayLike | None = None,
    freq: ArrayLike | None = None,
) -> GeneralisedGammaFit:
    """Fit one model.

    Parameters
    ----------
    X : array of shape (n, p)
        The first column is the constant.
    stop, event, start, freq : arrays of shape (n,)
        Times above 0, whether they end in an event, entry times, whole-number weights.
    """
    from scipy.optimize import minimize

    rows, time = np.asarray(X, dtype=np.float64), np.asarray(stop, dtype=np.float64)
    flags = np.asarray(event, dtype=bool)
    weight = np.ones(time.size) if freq is None else np.asarray(freq, dtype=np.float64)
    columns = standard_columns(rows)
    # apart from each other, too: the quasi-Newton ascent creeps where columns nearly determine
    # each other, as those of a spline of a skewed variable do
    basis, triangle = np.linalg.qr(columns.Z)
    unit = np.sqrt(time.size)
    Z = basis * unit
    log_time = np.log(time)
    late = np.zeros(time.size, bool) if start is None else np.asarray(start) > 0.0
    log_entry = np.log(np.where(late, 1.0 if start is None else np.asarray(start, float), 1.0))

    def value(point: FloatArray) -> float:
        q = float(point[-1])
        with np.errstate(all="ignore"):
            scale, eta = np.exp(point[-2]), Z @ point[:-2]
            w = (log_time - eta) / scale
            part = np.where(flags, _log_density(w, q) - point[-2] - log_time, log_survival(w, q))
            if late.any():
                part = part - np.where(late, log_survival((log_entry - eta) / scale, q), 0.0)
            total = float(weight @ part)
        return total if np.isfinite(total) else -1e300

    def loss(point: Any, *_: Any, **__: Any) -> float:
        return -value(point)

    best, reached = None, -np.inf
    for law, q in (("weibull", 1.0), ("log-normal", 0.1)):
        inner = fit_aft(Z, time, flags, law, start=start, freq=freq)
        if inner.status[0] != OK:
            continue
        found: Any = minimize(loss, np.append(inner.coef[0], q), method="BFGS")
        if -found.fun > reached:
            best, reached = np.asarray(found.x, dtype=np.float64), -float(found.fun)
    p = Z.shape[1] + 2
    if best is None:
        return GeneralisedGammaFit(np.full(p, np.nan), np.full((p, p), np.nan), np.nan, FAILED)
    point, covariance, status = _polish(value, best)
    back = columns.back(2)
    back[:, :-2] = back[:, :-2] @ (np.linalg.inv(triangle) * unit)
    return GeneralisedGammaFit(back @ point, back @ covariance @ back.T, value(point), status)


def _polish(value: Value, point: FloatArray) -> tuple[FloatArray, FloatArray, int]:
    """Newton steps on central differences from where the quasi-Newton ascent ended."""
    for _ in range(20):
        score, information = _differences(value, point)
        try:
            inverse = np.asarray(np.linalg.inv(information), dtype=np.float64)
        except np.linalg.LinAlgError:
            return point, np.full(information.shape, np.nan), FAILED
        step = inverse @ score
        if np.linalg.eigvalsh(information)[0] <= 0.0:
            return point, inverse, FAILED
        if score @ step < _CLOSE:
            return point + step, inverse, OK
        while value(point + step) < value(point) and np.abs(step).max() > 1e-10:
            step = step / 2.0
        point = point + step
    return point, inverse, FAILED


def _differences(value: Value, point: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Score and information by central differences, both of fourth order."""
    p = len(point)
    eye = np.eye(p) * _STEP
    here = value(point)
    plus, minus = (np.array([value(point + s * eye[i]) for i in range(p)]) for s in (1.0, -1.0))
    far, back = (np.array([value(point + s * eye[i]) for i in range(p)]) for s in (2.0, -2.0))
    score = (8.0 * (plus - minus) - (far - back)) / (12.0 * _STEP)
    information = np.empty((p, p))
    for i in range(p):
        information[i, i] = (far[i] + back[i] - 16.0 * (plus[i] + minus[i]) + 30.0 * here) / (
            12.0 * _STEP**2
        )
        for j in range(i):
            corners = [
                value(point + a * eye[i] + b * eye[j]) * a * b for a in (1, -1) for b in (1, -1)
            ]
            information[i, j] = information[j, i] = -sum(corners) / (4.0 * _STEP**2)
    return score, information
