"""Lowess of many replicates at once, each with its own values and weights.

Every replicate is fitted at a few anchors among its own values and interpolated by a cubic between
them; :mod:`rnetstats.kernels.lowess` has the exact curve of a single sample.

References
----------
Cleveland WS (1979). Robust locally weighted regression and smoothing scatterplots. J Am Stat
Assoc 74:829-836. Without the robustness iterations, which a binary outcome does not bear.
"""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.newton import FloatArray, IntArray
from rnetstats.kernels.ordered import Ordered, pick
from rnetstats.kernels.ratio import ratio

__all__ = ["lowess_many", "row_search"]

_SPAN = 2.0 / 3.0
_GROUPS = 4  # groups of neighbours an anchor
_FLAT = 0.001  # a neighbourhood this narrow, as a share of the range, gets its mean
_CELLS = 1 << 15  # local weights made together: they stay in the inner cache


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
    x, y, w = rows.x, rows.y, None if rows.alike else rows.w
    running = np.arange(1.0, x.shape[1] + 1.0)[None] if w is None else np.cumsum(w, axis=1)
    total = np.broadcast_to(running[:, -1], len(x))
    place = _place_of(rows, running)
    wanted = np.linspace(place[:, 0], place[:, -1], points, axis=1)
    # a little less than wanted: rounding must not decide between two anchors
    chosen = np.minimum(row_search(place, wanted - 1e-9), x.shape[1] - 1)
    anchors = pick(x, chosen)
    q = np.maximum(np.minimum(total, np.floor(_SPAN * total + 1e-7)), np.minimum(total, 2.0))
    wide = _widths(x, w, total, anchors, q)
    middle = x.mean(axis=1, keepdims=True)
    centred = x - middle
    at = anchors - middle
    groups = _GROUPS * points
    if 2 * groups < rows.n:  # with many rows, neighbours are weighted together
        curve = _local_lines(*_grouped(centred, y, w, place, groups), at, wide)
    else:
        curve = _local_lines(centred, _columns(centred, y, rows.w), at, wide)
    massed = (wide == 0.0).any(axis=1)  # a window without width tells a risk from its neighbours
    if massed.any():
        few = centred[massed]
        each = _columns(few, y[massed], rows.w[massed])
        curve[massed] = _local_lines(few, each, at[massed], wide[massed])
    return _between_anchors(x, anchors, curve, chosen)


def row_search(rows: FloatArray, keys: FloatArray) -> IntArray:
    """`searchsorted` in each row: ascending rows (b, k), keys (b, m), places (b, m) in 0..k."""
    size, k = rows.shape
    flat, first = rows.ravel(), k * np.arange(size)[:, None]
    place: IntArray = np.repeat(first, keys.shape[1], axis=1)
    length = k
    while length > 0:  # the place is among the next `length`, or after them
        half = (length + 1) // 2
        below = flat.take(place + (half - 1), mode="clip") < keys
        place += half * below
        length -= half
    return np.asarray(place - first)


def _place_of(rows: Ordered, running: FloatArray) -> FloatArray:
    """Mean of a risk's share of the rows and of its place in the range, (b, m) in [0, 1].

    Rows of one risk have one place, that of the last of them; `running` (1 or b, m) counts them.
    """
    x, ends = rows.x, running
    tied = rows.ties() if rows.tied else np.zeros(0, dtype=bool)
    if tied.any():
        ends = np.array(np.broadcast_to(running, x.shape))
        np.putmask(ends[:, :-1], tied, np.inf)
        ends = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    low, width = x[:, :1], x[:, -1:] - x[:, :1]
    place = x - low
    place /= np.where(width > 0.0, width, 1.0)
    place += ends / np.maximum(running[:, -1:], 1.0)
    place *= 0.5
    return place


def _between_anchors(
    x: FloatArray, anchors: FloatArray, curve: FloatArray, chosen: IntArray
) -> FloatArray:
    """Cubic interpolation (Hermite, three-point slopes) at x (b, m); anchors are `chosen` of it."""
    width = np.diff(anchors, axis=1)
    rise = np.diff(curve, axis=1)
    slope = ratio(rise, width)
    before, after = width[:, :-1], width[:, 1:]
    both = before + after
    middle = slope[:, :-1] * after + slope[:, 1:] * before
    middle = ratio(middle, both)
    middle = np.where(after == 0.0, slope[:, :-1], middle)
    middle = np.where(before == 0.0, slope[:, 1:], middle)
    tangent = np.column_stack([slope[:, 0], middle, slope[:, -1]])
    # a polynomial in t a stretch: its coefficients are made once an anchor, and repeated for the
    # rows from that anchor to the next; a share changes by less than 1 in a stretch, though beside
    # a far shorter one the three-point slope may be any
    first, last = (np.clip(side * width, -1.0, 1.0) for side in (tangent[:, :-1], tangent[:, 1:]))
    square, cube = 3.0 * rise - 2.0 * first - last, first + last - 2.0 * rise
    reached = chosen.copy()
    reached[:, 0], reached[:, -1] = 0, x.shape[1]
    rows = np.diff(reached, axis=1).ravel()

    def each(values: FloatArray) -> FloatArray:
        return np.repeat(values.ravel(), rows).reshape(x.shape)

    scale = ratio(1.0, width)
    t = each(anchors[:, :-1])
    np.subtract(x, t, out=t)
    t *= each(scale)
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
    x: FloatArray, y: FloatArray, w: FloatArray | None, place: FloatArray, groups: int
) -> tuple[FloatArray, FloatArray]:
    """Mean of each group of neighbours (b, k), and the sums of its columns (b, k, 5).

    Groups are even in `place`, so that they are narrow where neighbourhoods are. Without weights
    all are 1.
    """
    # events are summed apart from the others; the last place of all falls beyond the last group
    shape = (len(x), groups + 1, 2)
    code = (place * groups).astype(np.intp)
    code *= 2
    code += y.astype(np.intp)
    code += 2 * (groups + 1) * np.arange(len(x))[:, None]
    wx = x if w is None else w * x

    def sums_of(values: FloatArray | None) -> FloatArray:
        flat = None if values is None else values.ravel()
        found = np.bincount(code.ravel(), flat, len(x) * shape[1] * 2)
        return np.asarray(found.reshape(shape), dtype=np.float64)

    count, first, second = sums_of(w), sums_of(wx), sums_of(wx * x)
    sums = np.empty((5, *shape[:2]))
    for k, part in enumerate((count, first, second)):
        np.add(part[..., 0], part[..., 1], out=sums[k])
    sums[3], sums[4] = count[..., 1], first[..., 1]
    sums[..., -2] += sums[..., -1]
    sums = sums[..., :-1]
    at: FloatArray = np.zeros(sums.shape[1:])
    np.divide(sums[1], sums[0], out=at, where=sums[0] > 0.0)
    return at, sums.transpose(1, 2, 0)


def _local_lines(
    at: FloatArray, columns: FloatArray, anchors: FloatArray, wide: FloatArray
) -> FloatArray:
    """Locally weighted lines at anchors (b, m), with tricube weights.

    The columns (b, n, 5) are the weights times 1, x, x^2, y and x y; x is in `at` (b, n).
    """
    size, m = anchors.shape
    step = max(1, _CELLS // (m * at.shape[1]))
    sums = np.empty((size, m, 5))
    spare = np.empty((2, min(step, size), m, at.shape[1]))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = np.where(wide > 0.0, 1.0 / wide, 0.0)
        # (x - anchor) / width as a product of matrices: twice as fast as two broadcasts
        outer = np.stack([scale, -scale * anchors], axis=2)
        inner = np.stack([at, np.ones_like(at)], axis=1)
        for start in range(0, size, step):
            some = slice(start, min(start + step, size))
            local, cube = spare[:, : some.stop - start]
            np.matmul(outer[some], inner[some], out=local)
            _tricube(local, cube)
            here = wide[some] == 0.0
            if here.any():  # more rows at one risk than a neighbourhood holds
                same = at[some, None, :] == anchors[some, :, None]
                np.copyto(local, same, where=here[:, :, None])
            np.matmul(local, columns[some], out=sums[some])
        s0, s1, s2, t0, t1 = np.moveaxis(sums, 2, 0)
        centre, level = s1 / s0, t0 / s0
        spread = s2 / s0 - centre**2
        slope = (t1 / s0 - centre * level) / spread
        reach = anchors[:, -1:] - anchors[:, :1]
        line = np.sqrt(np.maximum(spread, 0.0)) > _FLAT * reach
        return np.asarray(np.where(line, level + slope * (anchors - centre), level))


def _tricube(local: FloatArray, cube: FloatArray) -> None:
    """Turn distances, as shares of the width, into weights; `cube` is room for the work."""
    np.abs(local, out=local)
    np.square(local, out=cube)
    cube *= local
    np.subtract(1.0, cube, out=cube)
    np.clip(cube, 0.0, 1.0, out=cube)  # twice as fast as a maximum
    np.square(cube, out=local)
    local *= cube


def _widths(
    x: FloatArray, w: FloatArray | None, total: FloatArray, anchors: FloatArray, q: FloatArray
) -> FloatArray:
    """Distance (b, m) from each anchor to its q-th nearest row: see neighbourhoods.window_width.

    Of the windows of q rows, the last one whose middle lies below the anchor or the next one is
    the narrowest around it.
    """
    rows = x.ravel() if w is None else np.repeat(x.ravel(), w.ravel().astype(np.intp))
    many, ahead = total.astype(np.intp), np.maximum(q.astype(np.intp) - 1, 0)
    windows = np.maximum(many - ahead, 1)[:, None]
    if (many == many[0]).all():
        each = rows.reshape(len(x), -1)
        left, right = each[:, : windows[0, 0]], each[:, ahead[0] :]
    else:
        first = (np.cumsum(many) - many)[:, None]
        begins = first + np.minimum(np.arange(int(windows.max())), windows - 1)
        left, right = (rows.take(at, mode="clip") for at in (begins, begins + ahead[:, None]))
    after = row_search(left + right, 2.0 * anchors)
    width = np.full(anchors.shape, np.inf)
    for window in (np.maximum(after - 1, 0), np.minimum(after, windows - 1)):
        low, high = pick(left, window), pick(right, window)
        width = np.minimum(width, np.maximum(anchors - low, high - anchors))
    return width
