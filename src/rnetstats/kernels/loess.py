"""Loess: locally weighted polynomials, fitted at each point itself.

The curve is linear in the outcome: an operator, a row a point, times the outcomes' means at the
distinct values. So the operator gives the curve, its band and its bootstrap alike.

References
----------
Cleveland WS, Devlin SJ (1988). Locally weighted regression: an approach to regression analysis by
local fitting. J Am Stat Assoc 83:596-610.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.neighbourhoods import Distinct, distinct, tricube, window_width
from rnetstats.kernels.newton import FloatArray

__all__ = ["interpolation_points", "loess", "loess_operator"]

_ANCHORS = 501  # the curve is fitted at so many values where there are many more
_MANY = 2000
_NUMBERS = 1 << 22  # in one temporary array


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
        weight = np.sqrt(_weights(np.abs(offset), h[here]) * rows.count)
        operator[here] = _value_at_point(offset, weight, degree, quick=quick)
    return operator


def _weights(distance: FloatArray, h: FloatArray) -> FloatArray:
    """Tricube weights (m, k) of distances (m, k) in windows of half-width h (m,)."""
    weight = tricube(distance, h)
    empty = ~weight.any(axis=1)
    if empty.any():  # between two values: all neighbours lie at the edge of the window
        weight[empty] = distance[empty] <= h[empty, None] * (1.0 + 1e-12)
    return weight


def _value_at_point(
    offset: FloatArray, weight: FloatArray, degree: int, *, quick: bool
) -> FloatArray:
    """The rows (m, k) that give the value of each weighted polynomial at offset 0."""
    columns = np.empty((len(weight), degree + 1, weight.shape[1]))
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
    return np.asarray(inverse / length[:, :1] * weight)


def _step(rows: Distinct, degree: int) -> int:
    """Points that are fitted at a time, so that memory stays bounded."""
    return max(1, min(256, _NUMBERS // (len(rows.x) * (degree + 1))))
