"""The vertical axis of shares free of an event: in per cent, and its start named if not 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnetstats.plots.style import MUTED, percent_ticks, plain_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["survival_axis"]


def survival_axis(ax: Axes, floor: float) -> None:
    """Let the vertical axis run from ``floor`` to 1, with faint lines, and say a floor above 0."""
    ax.set_ylim(floor - 0.02 * (1.0 - floor), 1.0 + 0.02 * (1.0 - floor))
    percent_ticks(ax.yaxis)
    plain_axes(ax, grid="y")
    if floor > 0.0:
        ax.text(
            0.995,
            0.02,
            f"vertical axis starts at {100.0 * floor:g} %",
            transform=ax.transAxes,
            ha="right",
            va="bottom",
            fontsize=8.5,
            style="italic",
            color=MUTED,
        )
