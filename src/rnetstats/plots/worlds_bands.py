"""Hundreds of thousands of possible worlds as bands, and as an image."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_DRAWN", "band_starts", "covered"]

Floats: TypeAlias = NDArray[np.float64]

MOST_DRAWN = 3000
"""Worlds up to which each is drawn by itself."""

_BANDS = 500


def band_starts(count: int) -> NDArray[np.intp]:
    """Return where each of at most 500 bands of consecutive worlds begins.

    Parameters
    ----------
    count : int
        Worlds, in their order.
    """
    return np.unique(np.linspace(0, count, min(count, _BANDS), endpoint=False).astype(np.intp))


def covered(boxes: Floats, x_ends: Floats, y_ends: Floats, cells: int = 400) -> NDArray[np.bool_]:
    """Return which cells of an even grid any of many rectangles reaches.

    Parameters
    ----------
    boxes : (n, 4)
        Left, right, bottom and top of each.
    x_ends, y_ends : (2,)
        Of the grid.
    cells : int
        On each side.

    Returns
    -------
    (cells, cells) of bool
        Rows from bottom to top.
    """
    sides = []
    for low, high, ends in ((boxes[:, 0], boxes[:, 1], x_ends), (boxes[:, 2], boxes[:, 3], y_ends)):
        scale = cells / (ends[1] - ends[0])
        first = np.clip(np.floor((low - ends[0]) * scale), 0, cells - 1).astype(np.intp)
        last = np.clip(np.ceil((high - ends[0]) * scale), first + 1, cells).astype(np.intp)
        sides.append((first, last))
    (left, right), (down, up) = sides
    change = np.zeros((cells + 1, cells + 1))
    for row, column, sign in ((down, left, 1), (up, right, 1), (down, right, -1), (up, left, -1)):
        np.add.at(change, (row, column), sign)
    inside = change.cumsum(axis=0).cumsum(axis=1)[:cells, :cells]
    return np.asarray(inside > 0.5)
