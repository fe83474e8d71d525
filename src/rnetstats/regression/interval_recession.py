"""Which coefficients of a model of interval-censored times are infinite: linear programs.

Far out in a direction the log cumulative hazard of a row grows or falls at a rate at each end of
its interval. The likelihood never falls in it if the hazard does not grow at any left end, and does
not fall at any right end.

References
----------
Burridge J (1981). A note on maximum likelihood estimation for regression models using grouped data.
JRSS B 43:41-45.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, vstack

from rnetstats.kernels.turnbull import innermost
from rnetstats.regression.cone import Bound, Cone
from rnetstats.regression.recession import Recession

__all__ = ["cox_recession", "weibull_recession"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_ZERO = 1e-6  # of a direction's component
_NAMES = {
    (True, True): "either",
    (True, False): "+inf",
    (False, True): "-inf",
    (False, False): "finite",
}


def weibull_recession(X: Floats, left: Floats, right: Floats) -> tuple[Recession, bool]:
    """Look for infinite coefficients of a Weibull model, and for an infinite shape.

    Parameters
    ----------
    X : array of shape (n, p)
    left, right : arrays of shape (n,)

    Returns
    -------
    Recession
    bool
        Whether the shape is infinite: all events lie in intervals that share a time.
    """
    times = np.concatenate([left[left > 0.0], right[np.isfinite(right)]])
    middle, spread = np.log(times).mean(), max(float(np.log(times).std()), 1e-12)

    def rates(time: Floats, rows: Bools) -> csr_array:
        scaled = (np.log(time[rows]) - middle) / spread
        parts = np.column_stack([X[rows], np.ones(int(rows.sum())), scaled])
        return csr_array(np.unique(parts, axis=0))

    above, below = rates(left, left > 0.0), rates(right, np.isfinite(right))
    p = X.shape[1]
    rows = csr_array(vstack([above, -below]))
    bounds: list[Bound] = [*[(-1.0, 1.0)] * (p + 1), (0.0, 1.0)]
    scale = np.append(_lengths(X), [1.0, 1.0])
    words = _directions(Cone(csr_array(rows / scale), None), bounds, [*range(p), p + 1])
    return _named(words[:p]), words[p] != "finite"


def cox_recession(X: Floats, left: Floats, right: Floats) -> Recession:
    """Look for infinite coefficients of the model with any baseline; see above for the arguments.

    The baseline's own rates are variables, one a jump; they may be taken as increasing.
    """
    inner = innermost(left, right)
    known = np.isfinite(inner.right)
    n_jumps, p = int(known.sum()), X.shape[1]
    exact, seen = left == right, np.isfinite(right)
    # the last jump at or before the left end (its own for an exact time), and by the right end
    by_left = np.where(exact, inner.first, inner.first - 1)
    by_left, by_right = np.minimum(by_left, n_jumps - 1), np.minimum(inner.last, n_jumps - 1)
    above = _jump_rows(X, by_left, by_left >= 0, n_jumps)
    below = _jump_rows(X, by_right, seen, n_jumps)
    rising = np.zeros((max(n_jumps - 1, 0), p + n_jumps))
    for k in range(n_jumps - 1):
        rising[k, p + k], rising[k, p + k + 1] = 1.0, -1.0
    rows = csr_array(vstack([above, -below, csr_array(rising)]))
    scale = np.append(_lengths(X), np.ones(n_jumps))
    bounds: list[Bound] = [(-1.0, 1.0)] * p + [(None, None)] * n_jumps
    return _named(_directions(Cone(csr_array(rows / scale), None), bounds, list(range(p))))


def _jump_rows(X: Floats, jump: NDArray[np.int64], used: Bools, n_jumps: int) -> csr_array:
    """Return rows of x b + (rate of a jump), for the rows used."""
    at = np.zeros((int(used.sum()), n_jumps))
    at[np.arange(len(at)), jump[used]] = 1.0
    return csr_array(np.unique(np.column_stack([X[used], at]), axis=0))


def _lengths(X: Floats) -> Floats:
    size = np.sqrt((X**2).mean(axis=0))
    return np.where(size > 0.0, size, 1.0)


def _directions(cone: Cone, bounds: list[Bound], columns: list[int]) -> list[str]:
    """Name how far some coordinates may go over the directions of the cone."""
    words = []
    for column in columns:
        objective = np.zeros(len(bounds))
        objective[column] = 1.0
        up = cone.furthest(objective, bounds)[column]
        down = cone.furthest(-objective, bounds)[column]
        words.append(_NAMES[bool(up > _ZERO), bool(down < -_ZERO)])
    return words


def _named(words: list[str]) -> Recession:
    found = any(word != "finite" for word in words)
    return Recession(tuple(words), "monotone" if found else "none")
