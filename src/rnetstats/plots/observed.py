"""Observed against expected events, a row for each group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.style import (
    INK,
    MUTED,
    PALETTE,
    as_text,
    ax_or_new,
    plain_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["observed_expected"]


def observed_expected(table: pd.DataFrame, *, title: str = "", ax: Axes | None = None) -> Axes:
    """Draw a line from expected to observed events in each group.

    Parameters
    ----------
    table : DataFrame
        ``group, observed, expected``, top to bottom.
    title : str
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(6.0, 1.5 + 0.45 * len(table)))
    place = np.arange(len(table))[::-1]
    axes.hlines(place, table["expected"], table["observed"], color=MUTED, linewidth=1.4, zorder=2)
    axes.plot(
        table["expected"],
        place,
        linestyle="",
        marker="o",
        markersize=8,
        markerfacecolor="white",
        markeredgecolor=INK,
        label="expected",
        zorder=3,
    )
    axes.plot(
        table["observed"],
        place,
        linestyle="",
        marker="o",
        markersize=8,
        color=PALETTE[1],
        label="observed",
        zorder=3,
    )
    axes.set_yticks(place, [as_text(name) for name in table["group"]])
    axes.set_ylim(-0.6, len(table) - 0.4)
    axes.margins(x=0.08)
    axes.set_xlim(left=0.0)
    axes.set_xlabel("Events")
    axes.set_title(title, fontsize=11, loc="left", pad=30.0)  # above the legend
    plain_axes(axes, grid="x")
    axes.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    return axes
