"""Rows of counts whose log-likelihood is y eta - b(eta): binomial, and with all margins fixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["CountRows", "Cumulant", "binomial_rows", "hypergeometric_rows", "log_choose"]

Floats: TypeAlias = NDArray[np.float64]

Cumulant: TypeAlias = Callable[[Floats], tuple[Floats, Floats, Floats]]
"""``eta (k, J, ...) -> (b, mean, variance)`` of the same shape."""

_STIRLING = 15.0


@dataclass(frozen=True, eq=False)
class CountRows:
    """Counts of k studies with J rows each.

    Attributes
    ----------
    y : (k, J)
    cumulant : Cumulant
    constant : float
        What y eta - b(eta) leaves out of the log-likelihood.
    """

    y: Floats
    cumulant: Cumulant
    constant: float


def binomial_rows(y: Floats, n: Floats) -> CountRows:
    """Events among n, with eta the logit; a row with n = 0 says nothing.

    Parameters
    ----------
    y, n : (k, J)
    """

    def cumulant(eta: Floats) -> tuple[Floats, Floats, Floats]:
        size = n.reshape(n.shape + (1,) * (eta.ndim - n.ndim))
        tail = np.exp(-np.abs(eta))
        larger = size / (1.0 + tail)  # of events and others, the expected numbers
        smaller = tail * larger
        value = np.maximum(eta, 0.0) + np.log1p(tail)
        variance = smaller / (1.0 + tail)
        return size * value, np.where(eta >= 0.0, larger, smaller), variance

    return CountRows(y, cumulant, float(log_choose(n, y).sum()))


def hypergeometric_rows(a: Floats, n1: Floats, c: Floats, n2: Floats) -> CountRows:
    """Events in group 1 given both margins, with eta the log odds ratio (Fisher's law).

    Parameters
    ----------
    a, n1, c, n2 : (k,)

    Returns
    -------
    CountRows
        Of shape (k, 1).
    """
    events = a + c
    low, high = np.maximum(0.0, events - n2), np.minimum(n1, events)
    counts = low[:, None] + np.arange(int((high - low).max()) + 1)
    inside = counts <= high[:, None]
    kept = np.where(inside, counts, low[:, None])
    log_w = log_choose(n1[:, None], kept) + log_choose(n2[:, None], events[:, None] - kept)
    total = log_choose(n1 + n2, events)
    log_w = np.where(inside, log_w - total[:, None], -np.inf)

    def cumulant(eta: Floats) -> tuple[Floats, Floats, Floats]:
        shape = (len(a),) + (1,) * (eta.ndim - 1) + (-1,)
        s, log_weight = kept.reshape(shape), log_w.reshape(shape)
        terms = log_weight + s * eta[..., None]
        top = terms.max(axis=-1, keepdims=True)
        p = np.exp(terms - top)
        total = p.sum(axis=-1)
        mean = (p * s).sum(axis=-1) / total
        variance = (p * (s - mean[..., None]) ** 2).sum(axis=-1) / total
        return np.log(total) + top[..., 0], mean, variance

    own = log_w[np.arange(len(a)), (a - low).astype(np.int64)]
    return CountRows(a[:, None], cumulant, float(own.sum()))


def log_choose(n: Floats, k: Floats) -> Floats:
    """Logarithm of the number of ways to choose k of n."""
    return _log_factorial(n) - _log_factorial(k) - _log_factorial(n - k)


def _log_factorial(n: Floats) -> Floats:
    """Stirling's series, after a shift beyond which it holds to the last digit."""
    x = np.asarray(n, dtype=float) + 1.0
    short = np.maximum(_STIRLING - np.floor(x), 0.0)
    rise = np.ones_like(x)
    for i in range(int(_STIRLING)):
        rise = rise * np.where(i < short, x + i, 1.0)
    z = x + short
    inverse = 1.0 / z**2
    series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse / 1680))) / z
    return np.asarray((z - 0.5) * np.log(z) - z + 0.5 * np.log(2 * np.pi) + series - np.log(rise))
