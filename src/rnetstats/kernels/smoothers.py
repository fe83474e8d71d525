"""Local regression of an outcome on one variable: Cleveland's lowess, and loess fitted directly.

Both are linear in the outcome: a curve is an operator, a row a point, times the outcomes' means at
the distinct values. So the operator gives the curve, its band and its bootstrap alike.

References
----------
Cleveland WS (1979). Robust locally weighted regression and smoothing scatterplots. J Am Stat
Assoc 74:829-836. Without the robustness iterations, which a binary outcome does not bear.
Cleveland WS, Devlin SJ (1988). Locally weighted regression: an approach to regression analysis by
local fitting. J Am Stat Assoc 83:596-610.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.newton import FloatArray, IntArray

__all__ = [
    "Distinct",
    "distinct",
    "interpolation",
    "loess",
    "loess_operator",
    "lowess",
    "lowess_operator",
    "tricube",
    "window_width",
]

_NEAR, _FAR = 0.001, 0.999  # lowess: shares of the width, full weight within, none beyond
_FLAT = 0.001  # a neighbourhood this narrow, as a share of the range, gets its mean
_ANCHORS = 501  # loess is fitted at so many values where there are many more
_MANY = 2000
_NUMBERS = 1 << 22  # in one temporary array


@dataclass(frozen=True, eq=False)
class Distinct:
    """The distinct values of a variable, k of them, ascending.

    Attributes
    ----------
    x, count : arrays of shape (k,)
        Value, and how many rows have it.
    place : int array of shape (n,)
        The value of each row.
    """

    x: FloatArray
    count: FloatArray
    place: IntArray

    def mean(self, y: ArrayLike, freq: ArrayLike | None = None) -> FloatArray:
        """Mean of y (n,) at each value, (k,)."""
        values = np.asarray(y, dtype=np.float64)
        weights = values if freq is None else values * np.asarray(freq)
        return np.asarray(np.bincount(self.place, weights, len(self.x)) / self.count)


def distinct(x: ArrayLike, freq: ArrayLike | None = None) -> Distinct:
    """Group rows by their value.

    Parameters
    ----------
    x : array of shape (n,)
    freq : array of shape (n,), optional
        Whole numbers above 0: each row counts so often.

    Returns
    -------
    Distinct
    """
    values, place = np.unique(np.asarray(x, dtype=np.float64), return_inverse=True)
    weights = None if freq is None else np.asarray(freq, dtype=np.float64)
    count = np.bincount(place, weights, len(values)).astype(np.float64)
    return Distinct(values, count, place)


def lowess(
    x: ArrayLike,
    y: ArrayLike,
    freq: ArrayLike | None = None,
    *,
    span: float = 2.0 / 3.0,
    delta: float | None = None,
    at: ArrayLike | None = None,
) -> FloatArray:
    """Smooth by locally weighted straight lines, without robustness iterations.

    Parameters
    ----------
    x, y : arrays of shape (n,)
    freq : array of shape (n,), optional
        Whole numbers above 0.
    span : float
        Share of the rows in a neighbourhood.
    delta : float, optional
        Values this close to the last one fitted are interpolated; by default 1 % of the range.
    at : array of shape (m,), optional
        Where to read the curve, by linear interpolation; by default at the rows.

    Returns
    -------
    array of shape (n,) or (m,)
    """
    rows = distinct(x, freq)
    anchors, local = _local_lines(rows, span, delta)
    points = np.asarray(x if at is None else at, dtype=np.float64)
    return np.interp(points, anchors, local @ rows.mean(y, freq))


def loess(
    x: ArrayLike,
    y: ArrayLike,
    freq: ArrayLike | None = None,
    *,
    span: float = 0.75,
    degree: int = 2,
    at: ArrayLike | None = None,
) -> FloatArray:
    """Smooth by locally weighted polynomials, fitted at each point itself.

    Parameters
    ----------
    x, y : arrays of shape (n,)
    freq : array of shape (n,), optional
        Whole numbers above 0.
    span : float
        Share of the rows in a neighbourhood.
    degree : int
        0, 1 or 2.
    at : array of shape (m,), optional
        By default the rows. More than 2,000 different points are interpolated from 501.

    Returns
    -------
    array of shape (n,) or (m,)
    """
    rows = distinct(x, freq)
    points = rows.x if at is None else np.asarray(at, dtype=np.float64)
    places = interpolation_points(points)
    mean, step = rows.mean(y, freq), _step(rows, degree)
    parts = [
        loess_operator(rows, places[at : at + step], span=span, degree=degree) @ mean
        for at in range(0, len(places), step)
    ]
    curve = np.concatenate(parts)
    if len(places) < len(points):
        curve = np.interp(points, places, curve)
    return np.asarray(curve[rows.place] if at is None else curve)


def interpolation_points(points: FloatArray) -> FloatArray:
    """The points themselves, or fewer, spread over both their ranks and their range."""
    if len(points) <= _MANY:
        return points
    ordered = np.sort(points)
    span = ordered[-1] - ordered[0]
    share = (ordered - ordered[0]) / span if span > 0 else np.zeros(len(ordered))
    both = 0.5 * (share + np.linspace(0.0, 1.0, len(ordered)))
    return np.unique(ordered[np.searchsorted(both, np.linspace(0.0, both[-1], _ANCHORS))])


def lowess_operator(
    rows: Distinct, at: ArrayLike, *, span: float = 2.0 / 3.0, delta: float | None = None
) -> FloatArray:
    """Lowess as a matrix that turns the outcome's means into the curve.

    Parameters
    ----------
    rows : Distinct
    at : array of shape (m,)
        Read off the fitted values by linear interpolation, constant beyond the range.
    span, delta
        As in :func:`lowess`.

    Returns
    -------
    array of shape (m, k)
    """
    anchors, local = _local_lines(rows, span, delta)
    return np.asarray(interpolation(anchors, np.asarray(at, dtype=np.float64)) @ local)


def _local_lines(rows: Distinct, span: float, delta: float | None) -> tuple[FloatArray, FloatArray]:
    """Values at which lowess is fitted (a,), and its operator (a, k) there."""
    x = rows.x
    width = x[-1] - x[0]
    anchors = x[_anchors(x, 0.01 * width if delta is None else delta)]
    total = rows.count.sum()
    q = min(total, max(2.0, np.floor(span * total + 1e-7)))
    h = window_width(x, np.cumsum(rows.count), anchors, q)
    distance, wide = np.abs(x - anchors[:, None]), h[:, None]
    weight = np.where(distance <= _NEAR * wide, 1.0, tricube(distance, h))
    weight = np.where(distance <= _FAR * wide, weight, 0.0) * rows.count
    weight /= weight.sum(axis=1, keepdims=True)
    centre = weight @ x
    offset = x - centre[:, None]
    spread = np.einsum("mk,mk->m", weight, offset**2)
    tilt = np.where(np.sqrt(spread) > _FLAT * width, anchors - centre, 0.0)
    slope = np.divide(tilt, spread, out=np.zeros_like(tilt), where=tilt != 0.0)
    return anchors, np.asarray(weight * (1.0 + slope[:, None] * offset))


def loess_operator(
    rows: Distinct, at: ArrayLike, *, span: float = 0.75, degree: int = 2, quick: bool = False
) -> FloatArray:
    """Loess as a matrix that turns the outcome's means into the curve.

    A neighbourhood of few values gets the polynomial that they determine, one without width the
    mean at its value. Where all neighbours of a point lie at the edge of its window they count
    alike.

    Parameters
    ----------
    rows : Distinct
    at : array of shape (m,)
    span, degree
        As in :func:`loess`. A span above 1 widens the neighbourhood of all rows by itself.
    quick : bool
        By the normal equations: good to some six digits, enough for the band of a resample. So
        it is too among more than 2,000 different values.

    Returns
    -------
    array of shape (m, k)
    """
    points = np.asarray(at, dtype=np.float64)
    total = rows.count.sum()
    q = max(1.0, min(total, np.floor(span * total + 1e-5)))
    h = window_width(rows.x, np.cumsum(rows.count), points, q) * max(1.0, span)
    operator = np.empty((len(points), len(rows.x)))
    quick, step = quick or len(rows.x) > _MANY, _step(rows, degree)
    for start in range(0, len(points), step):
        here = slice(start, start + step)
        offset = rows.x - points[here, None]
        distance, wide = np.abs(offset), h[here]
        weight = tricube(distance, wide)
        empty = ~weight.any(axis=1)
        if empty.any():  # between two values: all neighbours lie at the edge of the window
            weight[empty] = distance[empty] <= wide[empty, None] * (1.0 + 1e-12)
        weight = np.sqrt(weight * rows.count)
        columns = np.empty((len(weight), degree + 1, len(rows.x)))
        columns[:, 0] = weight
        for power in range(degree):
            np.multiply(columns[:, power], offset, out=columns[:, power + 1])
        held = np.count_nonzero(weight, axis=1)
        for power in range(1, degree + 1):  # so many values bear no higher polynomial
            columns[held <= power, power] = 0.0
        length = np.sqrt(np.vecdot(columns, columns))
        columns /= np.where(length > 0.0, length, 1.0)[:, :, None]
        if quick:
            square = np.linalg.pinv(columns @ columns.transpose(0, 2, 1), 1e-10, hermitian=True)
            inverse = np.asarray((square[:, :1] @ columns)[:, 0])
        else:
            inverse = np.asarray(np.linalg.pinv(columns.transpose(0, 2, 1), rcond=1e-12)[:, 0])
        operator[here] = inverse / length[:, :1] * weight
    return operator


def _step(rows: Distinct, degree: int) -> int:
    """Points that are fitted at a time, so that memory stays bounded."""
    return max(1, min(256, _NUMBERS // (len(rows.x) * (degree + 1))))


def tricube(distance: FloatArray, h: FloatArray) -> FloatArray:
    """Weights (m, k) of distances (m, k) in windows of half-width h (m,)."""
    wide = h[:, None]
    if (h > 0.0).all():
        ratio = distance / wide
    else:
        alone = np.where(distance > 0.0, 1.0, 0.0)  # in a window without width
        ratio = np.divide(distance, wide, out=alone, where=wide > 0.0)
    np.clip(ratio, 0.0, 1.0, out=ratio)
    left = 1.0 - ratio * ratio * ratio  # a product is many times as fast as a power
    return np.asarray(left * left * left)


def window_width(x: FloatArray, cumulative: FloatArray, points: FloatArray, q: float) -> FloatArray:
    """Distance from each point to its q-th nearest row.

    The q nearest rows are neighbours in order. Of the windows that begin at each value and hold q
    rows, the one whose middle is next to the point is the narrowest around it.

    Parameters
    ----------
    x, cumulative : arrays of shape (k,)
        Ascending values, and how many rows there are up to each.
    points : array of shape (m,)
    q : float

    Returns
    -------
    array of shape (m,)
    """
    before = np.append(0.0, cumulative[:-1])
    begins = np.flatnonzero(before + q <= cumulative[-1])
    left, right = x[begins], x[np.searchsorted(cumulative, before[begins] + q)]
    after = np.searchsorted(left + right, 2.0 * points)
    width = np.full(len(points), np.inf)
    for window in (after - 1, after):
        inside = (window >= 0) & (window < len(begins))
        chosen = np.clip(window, 0, len(begins) - 1)
        reach = np.maximum(points - left[chosen], right[chosen] - points)
        width = np.where(inside, np.minimum(width, reach), width)
    return width


def _anchors(x: FloatArray, delta: float) -> IntArray:
    """Values to fit: from each, the farthest within delta, or else the next one."""
    found, last = [0], len(x) - 1
    reach = (np.searchsorted(x, x + delta, side="right") - 1).tolist()
    while found[-1] < last:
        found.append(max(found[-1] + 1, reach[found[-1]]))
    return np.array(found)


def interpolation(knots: FloatArray, at: FloatArray) -> FloatArray:
    """Linear interpolation between knots (a,) as a matrix (m, a); constant beyond them."""
    matrix = np.zeros((len(at), len(knots)))
    if len(knots) == 1:
        return np.ones_like(matrix)
    high = np.clip(np.searchsorted(knots, at), 1, len(knots) - 1)
    share = np.clip((at - knots[high - 1]) / (knots[high] - knots[high - 1]), 0.0, 1.0)
    every = np.arange(len(at))
    matrix[every, high - 1] = 1.0 - share
    matrix[every, high] += share
    return matrix
