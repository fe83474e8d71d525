"""Lowess of many replicates at once, each with its own values and weights.

Every replicate is fitted at a few anchors among its own values and interpolated by a cubic between
them; :mod:`rnetstats.kernels.smoothers` has the exact curve of a single sample.

References
----------
Cleveland WS (1979). Robust locally weighted regression and smoothing scatterplots. J Am Stat
Assoc 74:829-836. Without the robustness iterations, which a binary outcome does not bear.
"""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.newton import FloatArray, IntArray
from rnetstats.kernels.ordered import Ordered, pick

__all__ = ["flat_search", "lowess_many"]

_SPAN = 2.0 / 3.0
_GROUPS = 4  # groups of neighbours an anchor
_FLAT = 0.001  # a neighbourhood this narrow, as a share of the range, gets its mean


def lowess_many(rows: Ordered, points: int) -> FloatArray:
    """Lowess at anchors, interpolated at each value.

    Parameters
    ----------
    rows : Ordered
        Risks, in [0, 1], with their outcomes.
    points : int
        Anchors a replicate.

    Returns
    -------
    array of shape (b, m)
    """
    x, y, w = rows.x, rows.y, rows.w
    running = np.cumsum(w, axis=1)
    total = running[:, -1]
    place = _place_of(x, w, running)
    wanted = np.linspace(place[:, 0], place[:, -1], points, axis=1)
    # a little less than wanted: rounding must not decide between two anchors
    chosen = np.minimum(flat_search(place, wanted - 1e-9), x.shape[1] - 1)
    anchors = pick(x, chosen)
    q = np.maximum(np.minimum(total, np.floor(_SPAN * total + 1e-7)), np.minimum(total, 2.0))
    wide = _widths(x, w, running, anchors, q)
    middle = x.mean(axis=1, keepdims=True)
    centred = x - middle
    at = anchors - middle
    groups = _GROUPS * points
    if 2 * groups < rows.n:  # with many rows, neighbours are weighted together
        curve = _local_lines(*_grouped(centred, y, w, place, groups), at, wide)
    else:
        curve = _local_lines(centred, _columns(centred, y, w), at, wide)
    massed = (wide == 0.0).any(axis=1)  # a window without width tells a risk from its neighbours
    if massed.any():
        few = centred[massed]
        each = _columns(few, y[massed], w[massed])
        curve[massed] = _local_lines(few, each, at[massed], wide[massed])
    return _between_anchors(x, anchors, curve, chosen)


def flat_search(rows: FloatArray, keys: FloatArray) -> IntArray:
    """`searchsorted` in each row: ascending rows (b, k), keys (b, m), places (b, m) in 0..k."""
    size, k = rows.shape
    low = min(float(rows[:, 0].min()), float(keys.min()))
    width = max(float(rows[:, -1].max()), float(keys.max())) - low + 1.0
    shift = width * np.arange(size)[:, None] - low
    flat = np.searchsorted((rows + shift).ravel(), (keys + shift).ravel())
    return np.asarray(flat.reshape(keys.shape) - k * np.arange(size)[:, None])


def _place_of(x: FloatArray, w: FloatArray, running: FloatArray) -> FloatArray:
    """Mean of a risk's share of the rows and of its place in the range, (b, m) in [0, 1].

    Rows of one risk have one place, that of the last of them.
    """
    total = running[:, -1:]
    ends = running
    tied = (x[:, 1:] == x[:, :-1]) & (w[:, 1:] > 0.0)
    if tied.any():
        ends = running.copy()
        np.putmask(ends[:, :-1], tied, np.inf)
        ends = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    low, width = x[:, :1], x[:, -1:] - x[:, :1]
    place = x - low
    place /= np.where(width > 0.0, width, 1.0)
    place += ends / np.maximum(total, 1.0)
    place *= 0.5
    return place


def _between_anchors(
    x: FloatArray, anchors: FloatArray, curve: FloatArray, chosen: IntArray
) -> FloatArray:
    """Cubic interpolation (Hermite, three-point slopes) at x (b, m); anchors are `chosen` of it."""
    width = np.diff(anchors, axis=1)
    rise = np.diff(curve, axis=1)
    slope = np.divide(rise, width, out=np.zeros_like(width), where=width > 0.0)
    before, after = width[:, :-1], width[:, 1:]
    both = before + after
    middle = slope[:, :-1] * after + slope[:, 1:] * before
    middle = np.divide(middle, both, out=np.zeros_like(both), where=both > 0.0)
    middle = np.where(after == 0.0, slope[:, :-1], middle)
    middle = np.where(before == 0.0, slope[:, 1:], middle)
    tangent = np.column_stack([slope[:, 0], middle, slope[:, -1]])
    # a polynomial in t a stretch: its coefficients are made once an anchor, and repeated for the
    # rows from that anchor to the next
    first, last = tangent[:, :-1] * width, tangent[:, 1:] * width
    square, cube = 3.0 * rise - 2.0 * first - last, first + last - 2.0 * rise
    reached = chosen.copy()
    reached[:, 0], reached[:, -1] = 0, x.shape[1]
    rows = np.diff(reached, axis=1).ravel()

    def each(values: FloatArray) -> FloatArray:
        return np.repeat(values.ravel(), rows).reshape(x.shape)

    scale = np.divide(1.0, width, out=np.zeros_like(width), where=width > 0.0)
    t = x - each(anchors[:, :-1])
    t *= each(scale)
    np.clip(t, 0.0, 1.0, out=t)
    value = each(cube)
    for coefficients in (square, first, curve[:, :-1]):
        value *= t
        value += each(coefficients)
    return value


def _columns(x: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray:
    """Weights times 1, x, x^2, y and x y, (b, m, 5)."""
    wx, wy = w * x, w * y
    return np.stack([w, wx, wx * x, wy, wx * y], axis=2)


def _grouped(
    x: FloatArray, y: FloatArray, w: FloatArray, place: FloatArray, groups: int
) -> tuple[FloatArray, FloatArray]:
    """Mean of each group of neighbours (b, k), and the sums of its columns (b, k, 5).

    Groups are even in `place`, so that they are narrow where neighbourhoods are.
    """
    code = np.minimum((place * groups).astype(np.intp), groups - 1)
    code += groups * np.arange(len(x))[:, None]
    flat, size = code.ravel(), groups * len(x)
    wx, wy = w * x, w * y
    parts = (w, wx, wx * x, wy, wx * y)
    sums = np.empty((size, len(parts)))
    for k, part in enumerate(parts):
        sums[:, k] = np.bincount(flat, part.ravel(), size)
    held = sums[:, 0] > 0.0
    at: FloatArray = np.zeros(size)
    np.divide(sums[:, 1], sums[:, 0], out=at, where=held)
    return at.reshape(len(x), groups), sums.reshape(len(x), groups, 5)


def _local_lines(
    at: FloatArray, columns: FloatArray, anchors: FloatArray, wide: FloatArray
) -> FloatArray:
    """Locally weighted lines at anchors (b, m), with tricube weights (but for a factor).

    The columns (b, n, 5) are the weights times 1, x, x^2, y and x y; x is in `at` (b, n).
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = np.where(wide > 0.0, 1.0 / wide, 0.0)
        # (x - anchor) / width as a product of matrices: twice as fast as two broadcasts
        ones = np.ones_like(at)
        local = np.stack([scale, -scale * anchors], axis=2) @ np.stack([at, ones], axis=1)
        np.abs(local, out=local)
        cube = local * local
        cube *= local
        np.subtract(1.0, cube, out=cube)
        np.abs(cube, out=local)
        cube += local  # twice the positive part, faster than a maximum
        np.multiply(cube, cube, out=local)
        local *= cube
        if (wide == 0.0).any():  # more rows at one risk than a neighbourhood holds
            here = at[:, None, :] == anchors[:, :, None]
            local = np.where((wide == 0.0)[:, :, None], here, local)
        sums = np.matmul(local, columns)
        s0, s1, s2, t0, t1 = np.moveaxis(sums, 2, 0)
        centre, level = s1 / s0, t0 / s0
        spread = s2 / s0 - centre**2
        slope = (t1 / s0 - centre * level) / spread
        reach = anchors[:, -1:] - anchors[:, :1]
        line = np.sqrt(np.maximum(spread, 0.0)) > _FLAT * reach
        return np.asarray(np.where(line, level + slope * (anchors - centre), level))


def _widths(
    x: FloatArray, w: FloatArray, running: FloatArray, anchors: FloatArray, q: FloatArray
) -> FloatArray:
    """Distance (b, m) from each anchor to its q-th nearest row: see smoothers.window_width."""
    n = x.shape[1]
    if (w == 1.0).all():
        ends = np.arange(n) + q[:, None].astype(np.intp) - 1
    else:
        ends = flat_search(running, running - w + q[:, None])
    fits = ends < n
    right = np.where(fits, pick(x, np.minimum(ends, n - 1)), 4.0)  # beyond any risk
    after = flat_search(x + right, 2.0 * anchors)
    width = np.full(anchors.shape, np.inf)
    for window in (after - 1, after):
        chosen = np.clip(window, 0, n - 1)
        reach = np.maximum(anchors - pick(x, chosen), pick(right, chosen) - anchors)
        width = np.where(window >= 0, np.minimum(width, reach), width)
    return width
