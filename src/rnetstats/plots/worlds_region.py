"""Sizes of two groups that two printed percentages and a P allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import PolyCollection

from rnetstats.plots.style import INK, MUTED, ax_or_new, colour, plain_axes
from rnetstats.plots.worlds_counts import draw_nothing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["draw_region"]

_MOST_LABELS = 12


def draw_region(
    worlds: pd.DataFrame, *, at_most: int, nothing: str = "", ax: Axes | None = None
) -> Axes:
    """Draw a rectangle of sizes for every pair of event numbers.

    Parameters
    ----------
    worlds : DataFrame
        ``events_1, n_1_low, n_1_high, n_2_low, n_2_high``.
    at_most : int
        Patients of both groups together; drawn as a line.
    nothing : str
        What to say when there is no world.
    ax : Axes, optional

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
    corners = np.stack(
        [np.stack(pair, axis=1) for pair in ((left, down), (right, down), (right, up), (left, up))],
        axis=1,
    )
    shade = colour(0)
    axes.add_collection(PolyCollection(list(corners), facecolor=shade, edgecolor=shade, lw=0.6))
    room_x, room_y = 0.06 * (right.max() - left.min()), 0.06 * (up.max() - down.min())
    x_ends = max(left.min() - room_x, 0.0), right.max() + room_x
    y_ends = max(down.min() - room_y, 0.0), up.max() + 2.5 * room_y
    x = np.array(x_ends)
    axes.plot(x, at_most - x, color=MUTED, lw=1.0, ls=(0, (4, 3)), label=f"{at_most:,} patients")
    axes.set_xlim(*x_ends)
    axes.set_ylim(*y_ends)
    _label_events(axes, worlds)
    axes.set_xlabel("Patients of group 1 (above: events)")
    axes.set_ylabel("Patients of group 2")
    axes.legend(frameon=False, fontsize=9.5, loc="upper right")
    return plain_axes(axes)


def _label_events(axes: Axes, worlds: pd.DataFrame) -> None:
    """Write the events of group 1 above their sizes, when they are few enough to read."""
    by_events = worlds.groupby("events_1").agg(
        {"n_1_low": "min", "n_1_high": "max", "n_2_high": "max"}
    )
    if len(by_events) > _MOST_LABELS:
        return
    for events, row in by_events.iterrows():
        axes.annotate(
            f"{events:,}",
            ((row["n_1_low"] + row["n_1_high"]) / 2.0, row["n_2_high"]),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=9.5,
            color=INK,
        )
