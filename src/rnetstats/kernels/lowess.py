"""Cleveland's lowess: locally weighted straight lines.

The curve is linear in the outcome: an operator, a row a point, times the outcomes' means at the
distinct values. So the operator gives the curve, its band and its bootstrap alike.

References
----------
Cleveland WS (1979). Robust locally weighted regression and smoothing scatterplots. J Am Stat
Assoc 74:829-836. Without the robustness iterations, which a binary outcome does not bear.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.neighbourhoods import Distinct, distinct, tricube, window_width
from rnetstats.kernels.newton import FloatArray, IntArray

__all__ = ["lowess", "lowess_operator"]

_NEAR, _FAR = 0.001, 0.999  # shares of the width, full weight within, none beyond
_FLAT = 0.001  # a neighbourhood this narrow, as a share of the range, gets its mean


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
    return np.asarray(_interpolation(anchors, np.asarray(at, dtype=np.float64)) @ local)


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


def _anchors(x: FloatArray, delta: float) -> IntArray:
    """Values to fit: from each, the farthest within delta, or else the next one."""
    found, last = [0], len(x) - 1
    reach = (np.searchsorted(x, x + delta, side="right") - 1).tolist()
    while found[-1] < last:
        found.append(max(found[-1] + 1, reach[found[-1]]))
    return np.array(found)


def _interpolation(knots: FloatArray, at: FloatArray) -> FloatArray:
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
