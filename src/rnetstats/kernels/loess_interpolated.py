"""Loess fitted at a few points, with cubic pieces between them: R's default.

The range, widened by half a per cent, is cut at medians until a piece holds no more than a fifth
of the rows of a neighbourhood. Level and slope of the local polynomial at the cuts determine the
cubics between them. The curve differs from that of fits at each point in the third digit; it is
there to be held against numbers that R gave.

References
----------
Cleveland WS, Grosse E (1991). Computational methods for local regression. Statistics and Computing
1:47-62.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnetstats.kernels.loess import loess_operator
from rnetstats.kernels.neighbourhoods import Distinct, distinct, tricube, window_width

__all__ = ["interpolated_operator", "loess_interpolated"]

FloatArray = NDArray[np.float64]

_MARGIN = 0.005  # of the range, on either side
_CELL = 0.2  # of a neighbourhood's rows, the most that a piece holds


def loess_interpolated(
    x: ArrayLike,
    y: ArrayLike,
    freq: ArrayLike | None = None,
    *,
    span: float = 0.75,
    degree: int = 2,
) -> FloatArray:
    """Smooth by local polynomials that are fitted at a few points and interpolated.

    Parameters
    ----------
    x, y, freq, span, degree
        As in :func:`rnetstats.kernels.smoothers.loess`.

    Returns
    -------
    array of shape (n,)
    """
    rows = distinct(x, freq)
    mean = rows.mean(y, freq)
    if len(rows.x) == 1:
        return np.asarray(mean[rows.place])
    knots = _knots(rows, span)
    ends = np.array([part @ mean for part in _local(rows, knots, span, degree)])
    return np.asarray(_cubic(knots, rows.x, *ends[:, :, None])[:, 0][rows.place])


def interpolated_operator(
    rows: Distinct, at: ArrayLike, *, span: float = 0.75, degree: int = 2
) -> FloatArray:
    """The smoother as a matrix (m, k) that turns the outcome's means into the curve at m points.

    Parameters
    ----------
    rows : Distinct
    at : array of shape (m,)
        Within the range of the rows.
    span, degree
        As in :func:`rnetstats.kernels.smoothers.loess`.
    """
    points = np.asarray(at, dtype=np.float64)
    if len(rows.x) == 1:
        return loess_operator(rows, points, span=span, degree=degree)
    knots = _knots(rows, span)
    return _cubic(knots, points, *_local(rows, knots, span, degree))


def _knots(rows: Distinct, span: float) -> FloatArray:
    """The ends of the widened range and the cuts, ascending."""
    x = np.repeat(rows.x, rows.count.astype(np.int64))
    most = int(len(x) * span * _CELL)
    margin = _MARGIN * (x[-1] - x[0])
    found = {float(x[0] - margin), float(x[-1] + margin)}
    pieces = [(0, len(x) - 1)]
    while pieces:
        first, last = pieces.pop()
        if last - first + 1 <= max(most, 1):
            continue
        middle = _gap(x, first, last)
        if float(x[middle]) in found:  # nothing but ties
            continue
        found.add(float(x[middle]))
        pieces += [(first, middle), (middle + 1, last)]
    return np.array(sorted(found))


def _gap(x: FloatArray, first: int, last: int) -> int:
    """Where a piece is cut: after its median, or at the next gap above or below among ties."""
    middle = (first + last) // 2
    for step in range(last - first + 1):
        for place in (middle + step, middle - step):
            if not first <= place < last:
                return middle
            if x[place] != x[place + 1]:
                return place
    return middle


def _local(
    rows: Distinct, knots: FloatArray, span: float, degree: int
) -> tuple[FloatArray, FloatArray]:
    """Level and slope at the knots, as matrices (v, k) upon the outcome's means."""
    total = float(rows.count.sum())
    q = max(1.0, min(total, np.floor(span * total + 1e-5)))
    width = window_width(rows.x, np.cumsum(rows.count), knots, q) * max(1.0, span)
    offset = rows.x - knots[:, None]
    distance = np.abs(offset)
    weight = tricube(distance, width)
    empty = ~weight.any(axis=1)  # all neighbours lie at the edge of the window
    weight[empty] = distance[empty] <= width[empty, None] * (1.0 + 1e-12)
    root = np.sqrt(weight * rows.count)
    unit = np.where(width > 0.0, width, 1.0)[:, None]
    columns = root[:, :, None] * (offset / unit)[:, :, None] ** np.arange(degree + 1)
    held = np.count_nonzero(root, axis=1)
    for power in range(1, degree + 1):  # so many values bear no higher polynomial
        columns[held <= power, :, power] = 0.0
    inverse = np.asarray(np.linalg.pinv(columns, rcond=1e-12) * root[:, None, :])
    slope = inverse[:, 1] / unit if degree else np.zeros_like(inverse[:, 0])
    return np.asarray(inverse[:, 0]), np.asarray(slope)


def _cubic(
    knots: FloatArray, points: FloatArray, level: FloatArray, slope: FloatArray
) -> FloatArray:
    """Cubics (m, k) with the levels and slopes (v, k) at the knots."""
    left = np.clip(np.searchsorted(knots, points, side="right") - 1, 0, len(knots) - 2)
    width = (knots[left + 1] - knots[left])[:, None]
    t = (points - knots[left])[:, None] / width
    s = 1.0 - t
    start = s * s * ((1.0 + 2.0 * t) * level[left] + t * width * slope[left])
    end = t * t * ((3.0 - 2.0 * t) * level[left + 1] - s * width * slope[left + 1])
    return np.asarray(start + end)
