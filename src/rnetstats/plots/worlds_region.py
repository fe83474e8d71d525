"""Sizes of two groups that two printed percentages and a P allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.patches import Polygon

from rnetstats.plots.style import INK, MUTED, ax_or_new, colour, plain_axes
from rnetstats.plots.worlds_bands import MOST_DRAWN, covered
from rnetstats.plots.worlds_counts import draw_nothing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

__all__ = ["draw_region"]

_MOST_LABELS = 20
_CELLS = (400, 400)


def draw_region(
    worlds: pd.DataFrame, *, at_most: int, nothing: str = "", ax: Axes | None = None
) -> Axes:
    """Draw a rectangle of sizes for every pair of event numbers; of thousands, where any lies.

    Parameters
    ----------
    worlds : DataFrame
        ``events_1, n_1_low, n_1_high, n_2_low, n_2_high``.
    at_most : int
        Patients of both groups together; drawn as a line.
    nothing : str
        What to say when there is no world.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    if worlds.empty:
        return draw_nothing(nothing, ax)
    axes = ax_or_new(ax, figsize=(7.2, 5.0))
    left, right = (worlds[name].to_numpy(float) for name in ("n_1_low", "n_1_high"))
    down, up = (worlds[name].to_numpy(float) for name in ("n_2_low", "n_2_high"))
    left, right, down, up = left - 0.5, right + 0.5, down - 0.5, up + 0.5
    room_x, room_y = 0.06 * (right.max() - left.min()), 0.06 * (up.max() - down.min())
    x_ends = max(left.min() - room_x, 0.0), right.max() + room_x
    y_ends = max(down.min() - room_y, 0.0), up.max() + 2.5 * room_y
    x = np.array(x_ends)
    axes.plot(x, at_most - x, color=MUTED, lw=1.0, ls=(0, (4, 3)), label=f"{at_most:,} patients")
    shape = _boxes(axes, np.stack([left, right, down, up], axis=1))
    axes.set_xlim(*x_ends)
    axes.set_ylim(*y_ends)
    below = [(0.0, 0.0), (at_most + 1.0, 0.0), (0.0, at_most + 1.0)]
    shape.set_clip_path(Polygon(below, transform=axes.transData))
    labelled = _label_events(axes, worlds)
    axes.set_xlabel("Patients of group 1" + (" (above: its events)" if labelled else ""))
    axes.set_ylabel("Patients of group 2")
    axes.legend(frameon=False, fontsize=9.5, loc="upper right")
    return plain_axes(axes)


def _boxes(axes: Axes, boxes: np.ndarray) -> Artist:
    """Draw rectangles given by left, right, bottom and top; thousands of them as one image."""
    left, right, down, up = boxes.T
    shade = colour(0)
    if len(boxes) <= MOST_DRAWN:
        pairs = ((left, down), (right, down), (right, up), (left, up))
        corners = np.stack([np.stack(pair, axis=1) for pair in pairs], axis=1)
        shapes = PolyCollection(list(corners), facecolor=shade, edgecolor=shade, lw=1.2)
        axes.add_collection(shapes)
        return shapes
    x_ends = np.array([left.min(), right.max()])
    y_ends = np.array([down.min(), up.max()])
    image = np.zeros((*_CELLS, 4))
    image[..., :3] = to_rgb(shade)
    image[..., 3] = covered(boxes, x_ends, y_ends, _CELLS[0])
    extent = (*x_ends, *y_ends)
    return axes.imshow(image, origin="lower", extent=extent, aspect="auto", interpolation="nearest")


def _label_events(axes: Axes, worlds: pd.DataFrame) -> bool:
    """Write the events of group 1 above their sizes, where these lie apart from each other."""
    ends = {"n_1_low": "min", "n_1_high": "max", "n_2_high": "max"}
    by_events = worlds.groupby("events_1").agg(ends)
    apart = (by_events["n_1_low"].to_numpy()[1:] > by_events["n_1_high"].to_numpy()[:-1]).all()
    if len(by_events) > _MOST_LABELS or not apart:
        return False
    for events, row in by_events.iterrows():
        axes.annotate(
            f"{events:,}",
            ((row["n_1_low"] + row["n_1_high"]) / 2.0, row["n_2_high"]),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=9.5,
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
        )
    return True
