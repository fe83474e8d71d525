"""Turnbull's non-parametric maximum likelihood from interval-censored times.

Mass can only lie in the innermost intervals: a left end directly followed by a right end in the
order of all ends. Within them the likelihood does not say where.

References
----------
Turnbull BW (1976). The empirical distribution function with arbitrarily grouped, censored and
truncated data. JRSS B 38:290-295. Gentleman R, Geyer CJ (1994). Maximum likelihood for interval
censored data: consistency and computation. Biometrika 81:618-623.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnetstats.kernels.newton import BoolArray, FloatArray, IntArray
from rnetstats.kernels.nonnegative import ascend

__all__ = ["Innermost", "Npmle", "innermost", "npmle", "survival_bounds"]

_EM_STEPS = 15


@dataclass(frozen=True)
class Innermost:
    """The innermost intervals, and which of them each row covers.

    Attributes
    ----------
    left, right : arrays of shape (k,)
        Mass lies in (left, right]; at `right` itself where both are equal. The last `right` may
        be infinite.
    first, last : int arrays of shape (n,)
        Row i covers the innermost intervals first[i], ..., last[i].
    """

    left: FloatArray
    right: FloatArray
    first: IntArray
    last: IntArray


@dataclass(frozen=True)
class Npmle:
    """The estimate.

    Attributes
    ----------
    mass : array of shape (k,)
        Probability of each innermost interval; sums to 1.
    log_likelihood : float
    excess : float
        Kuhn-Tucker certificate: the log-likelihood is within n times this of its maximum.
    unique : bool
        Whether the masses are determined, and not only the rows' probabilities.
    converged : bool
    """

    mass: FloatArray
    log_likelihood: float
    excess: float
    unique: bool
    converged: bool


def innermost(left: FloatArray, right: FloatArray) -> Innermost:
    """Find the innermost intervals of rows (left, right], exact where left = right.

    Parameters
    ----------
    left, right : arrays of shape (n,)
        `right` is infinite for right-censored rows.
    """
    exact = left == right
    # at one time: an exact left end, then right ends (closed), then left ends (open)
    order_left = np.where(exact, 0, 2)
    times = np.concatenate([left, right])
    kind = np.concatenate([order_left, np.ones(len(right), dtype=np.int64)])
    ends = np.unique(np.stack([times, kind], axis=1), axis=0)
    is_left = ends[:, 1] != 1
    here = np.flatnonzero(is_left[:-1] & ~is_left[1:])
    lower, upper = ends[here], ends[here + 1, 0]
    # rank of each end among all ends, to see which innermost intervals a row covers
    place_left = _place(ends, left, order_left)
    place_right = _place(ends, right, np.ones(len(right), dtype=np.int64))
    first = np.searchsorted(here, place_left, side="left")
    last = np.searchsorted(here + 1, place_right, side="right") - 1
    return Innermost(lower[:, 0], upper, first, last)


def _place(ends: FloatArray, times: FloatArray, kind: IntArray) -> IntArray:
    """Return the rank of (time, kind) among the sorted ends."""
    place: IntArray = np.searchsorted(ends[:, 0], times, side="left")
    for _ in range(2):  # at most three ends share a time
        short = ends[place, 1] < kind
        place = np.where(short, place + 1, place)
    return place


def npmle(
    first: IntArray,
    last: IntArray,
    size: int,
    freq: FloatArray | None = None,
    *,
    tolerance: float = 1e-10,
) -> Npmle:
    """Maximise the likelihood of rows that cover ranges of `size` innermost intervals.

    Parameters
    ----------
    first, last : int arrays of shape (n,)
    size : int
        Number of innermost intervals.
    freq : array of shape (n,), optional
        Whole numbers; a row of 0 is not there.
    tolerance : float
        Of the certificate.
    """
    weight = np.ones(len(first)) if freq is None else np.asarray(freq, dtype=float)
    pairs, weight = _distinct(first, last, weight, size)
    total = float(weight.sum())
    columns = np.arange(size)
    covers = ((columns >= pairs[:, :1]) & (columns <= pairs[:, 1:])).astype(float)

    def value(mass: FloatArray) -> float:
        share = covers @ mass
        if not (share > 0.0).all():
            return -np.inf
        # the sum of masses is free here; at the maximum it is 1
        return float(weight @ np.log(share) - total * mass.sum())

    def slope(mass: FloatArray) -> tuple[FloatArray, FloatArray]:
        share = covers @ mass
        scaled = covers / share[:, None]
        return weight @ scaled - total, scaled.T @ (weight[:, None] * scaled)

    mass = np.full(size, 1.0 / size)
    for _ in range(_EM_STEPS):
        mass = mass * (weight @ (covers / (covers @ mass)[:, None])) / total
    mass, excess, _ = ascend(value, slope, mass, mass=total, tolerance=tolerance)
    mass = mass / mass.sum()
    share = covers @ mass
    gradient = weight @ (covers / share[:, None]) / total - 1.0
    unique = _determined(covers, (mass > 0.0) | (gradient > -1e-7))
    likelihood = float(weight @ np.log(share))
    return Npmle(mass, likelihood, excess, unique, excess <= tolerance)


def _distinct(
    first: IntArray, last: IntArray, weight: FloatArray, size: int
) -> tuple[IntArray, FloatArray]:
    """Put rows that cover the same range together."""
    present = weight > 0.0
    code = (first * (size + 1) + last)[present]
    distinct, inverse = np.unique(code, return_inverse=True)
    pairs = np.stack([distinct // (size + 1), distinct % (size + 1)], axis=1)
    total = np.zeros(len(distinct))
    np.add.at(total, inverse, weight[present])
    return pairs, total


def _determined(covers: FloatArray, possible: BoolArray) -> bool:
    """Whether the rows' probabilities leave one solution for the masses that may be positive."""
    part = covers[:, possible]
    return bool(np.linalg.matrix_rank(part) == part.shape[1])


def survival_bounds(
    left: FloatArray, right: FloatArray, mass: FloatArray, times: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the least and the largest survival at given times that the masses allow.

    Parameters
    ----------
    left, right, mass : arrays of shape (k,), or mass of shape (B, k)
        The innermost intervals in order.
    times : array of shape (m,)

    Returns
    -------
    low, high : arrays of shape (m,) or (B, m)
        Survival S(t) = P(T > t): equal where no innermost interval has t inside.
    """
    later = np.flip(np.cumsum(np.flip(mass, axis=-1), axis=-1), axis=-1)
    beyond = np.concatenate([later, np.zeros((*mass.shape[:-1], 1))], axis=-1)
    # all mass with right <= t has gone; of an interval with left < t < right it may have
    gone = np.searchsorted(right, times, side="right")
    begun = np.maximum(np.searchsorted(left, times, side="left"), gone)
    high = np.clip(np.take(beyond, gone, axis=-1), 0.0, 1.0)
    low = np.clip(np.take(beyond, begun, axis=-1), 0.0, 1.0)
    return low, np.maximum(high, low)
