"""The vertical axis of shares free of an event: in per cent, and its start named if not 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnetstats.plots.style import percent_ticks, plain_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["axis_words", "survival_axis"]


def axis_words(label: str, end: str) -> str:
    """Add to the label of the vertical axis where it starts or ends.

    Inside the axes the words would run into the legend of a narrow panel, above them into a title.
    """
    return f"{label}\n(axis {end})" if label else f"(axis {end})"


def survival_axis(ax: Axes, floor: float) -> None:
    """Let the vertical axis run from ``floor`` to 1, with faint lines; its label says the floor."""
    ax.set_ylim(floor - 0.02 * (1.0 - floor), 1.0 + 0.02 * (1.0 - floor))
    percent_ticks(ax.yaxis)
    plain_axes(ax, grid="y")
    if floor > 0.0:
        ax.set_ylabel(axis_words(ax.get_ylabel(), f"starts at {100.0 * floor:g} %"))
