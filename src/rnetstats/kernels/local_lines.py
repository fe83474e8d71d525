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

__all__ = ["flat_search", "lowess_many", "pick"]

_SPAN = 2.0 / 3.0
_GROUPS = 4  # groups of neighbours an anchor
_FLAT = 0.001  # a neighbourhood this narrow, as a share of the range, gets its mean


def lowess_many(x: FloatArray, y: FloatArray, w: FloatArray, points: int) -> FloatArray:
    """Lowess at anchors, interpolated at each value.

    Parameters
    ----------
    x : array of shape (b, n)
        Ascending in each replicate, in [0, 1].
    y, w : arrays of shape (b, n)
        Outcomes, and how often each row counts; zero leaves a row out.
    points : int
        Anchors a replicate.

    Returns
    -------
    array of shape (b, n)
    """
    n = x.shape[1]
    running = np.cumsum(w, axis=1)
    total = running[:, -1]
    place = _place_of(x, w, running)
    first = np.argmax(running > 0.0, axis=1)
    wanted = np.linspace(place[np.arange(len(x)), first], place[:, -1], points, axis=1)
    # a little less than wanted: rounding must not decide between two anchors
    chosen = np.minimum(flat_search(place, wanted - 1e-9), n - 1)
    anchors = pick(x, chosen)
    q = np.maximum(np.minimum(total, np.floor(_SPAN * total + 1e-7)), np.minimum(total, 2.0))
    wide = _widths(x, w, running, anchors, q)
    middle = x.mean(axis=1, keepdims=True)
    centred = x - middle
    at = anchors - middle
    curve = _local_lines(*_neighbours(centred, y, w, place, _GROUPS * points), at, wide)
    massed = (wide == 0.0).any(axis=1)  # a window without width tells a risk from its neighbours
    if massed.any():
        each = _neighbours(centred[massed], y[massed], w[massed], place[massed], n)
        curve[massed] = _local_lines(*each, at[massed], wide[massed])
    passed = np.bincount((chosen + n * np.arange(len(x))[:, None]).ravel(), minlength=x.size)
    high = np.clip(np.cumsum(passed.reshape(x.shape), axis=1), 1, points - 1)
    return _between_anchors(x, anchors, curve, high)


def pick(rows: FloatArray, places: IntArray) -> FloatArray:
    """Values (b, m) at places (b, m) of rows (b, k)."""
    found: FloatArray = np.take(rows, places + rows.shape[1] * np.arange(len(rows))[:, None])
    return found


def flat_search(rows: FloatArray, keys: FloatArray) -> IntArray:
    """`searchsorted` in each row: ascending rows (b, k), keys (b, m), places (b, m) in 0..k."""
    size, k = rows.shape
    low = min(float(rows[:, 0].min()), float(keys.min()))
    width = max(float(rows[:, -1].max()), float(keys.max())) - low + 1.0
    shift = width * np.arange(size)[:, None] - low
    flat = np.searchsorted((rows + shift).ravel(), (keys + shift).ravel())
    return np.asarray(flat.reshape(keys.shape) - k * np.arange(size)[:, None])


def _place_of(x: FloatArray, w: FloatArray, running: FloatArray) -> FloatArray:
    """Mean of a risk's share of the rows and of its place in the range, (b, n) in [0, 1].

    Rows of one risk have one place, that of the last of them, and rows without weight that of the
    row before: so weights are replicated rows.
    """
    total = running[:, -1:]
    ends = np.full(x.shape, np.inf)
    ends[:, :-1] = np.where(x[:, 1:] > x[:, :-1], running[:, :-1], np.inf)
    ends[:, -1:] = total
    ends = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    low = pick(x, np.argmax(running > 0.0, axis=1)[:, None])
    high = pick(x, np.argmax(running >= total, axis=1)[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where((w > 0.0) & (high > low), (x - low) / (high - low), 0.0)
        share = np.maximum.accumulate(share, axis=1)
        return 0.5 * (share + ends / np.maximum(total, 1.0))


def _between_anchors(
    x: FloatArray, anchors: FloatArray, curve: FloatArray, high: IntArray
) -> FloatArray:
    """Cubic interpolation (Hermite, three-point slopes) at x (b, n), left of anchors `high`."""
    width = np.diff(anchors, axis=1)
    slope = np.divide(np.diff(curve, axis=1), width, out=np.zeros_like(width), where=width > 0.0)
    before, after = width[:, :-1], width[:, 1:]
    both = before + after
    middle = slope[:, :-1] * after + slope[:, 1:] * before
    middle = np.divide(middle, both, out=np.zeros_like(both), where=both > 0.0)
    middle = np.where(after == 0.0, slope[:, :-1], middle)
    middle = np.where(before == 0.0, slope[:, 1:], middle)
    tangent = np.column_stack([slope[:, 0], middle, slope[:, -1]])
    left, wide, start = pick(anchors, high - 1), pick(width, high - 1), pick(curve, high - 1)
    t = np.divide(x - left, wide, out=np.ones_like(left), where=wide > 0.0)
    np.clip(t, 0.0, 1.0, out=t)
    # a polynomial in t a stretch: its coefficients are made once an anchor, not once a row
    rise = np.diff(curve, axis=1)
    first, last = tangent[:, :-1] * width, tangent[:, 1:] * width
    square, cube = 3.0 * rise - 2.0 * first - last, first + last - 2.0 * rise
    value = pick(cube, high - 1) * t
    value += pick(square, high - 1)
    value *= t
    value += pick(first, high - 1)
    value *= t
    return np.asarray(value + start)


def _neighbours(
    x: FloatArray, y: FloatArray, w: FloatArray, place: FloatArray, groups: int
) -> tuple[FloatArray, FloatArray]:
    """Where local weights are taken (b, k), and sums of w, w x, w x^2, w y and w x y (b, k, 5).

    With more than twice as many rows as groups, neighbours are weighted together, by the weight
    at their mean. Groups are even in `place`, so that they are narrow where neighbourhoods are.
    """
    parts = [w, w * x, w * x**2, w * y, w * x * y]
    if 2 * groups >= x.shape[1]:
        return x, np.stack(parts, axis=2)
    code = np.minimum((place * groups).astype(np.intp), groups - 1)
    code += groups * np.arange(len(x))[:, None]
    size = groups * len(x)
    sums: FloatArray = np.stack(
        [np.bincount(code.ravel(), part.ravel(), size) for part in parts], axis=1
    )
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
