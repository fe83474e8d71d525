"""Squares, diamonds and bars of a meta-analysis' forest plot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rnetstats.plots.style import INK, PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["diamond", "prediction_bar", "study_mark"]

_LARGEST, _SMALLEST = 0.62, 0.22  # sides of a square in lines
_HALF = 0.3  # half the height of a diamond, in lines
_THICK = 0.26  # of the bar of a prediction interval, in lines
_ARROW, _BAR_ARROW = 4.5, 0.6  # an arrow in points; that of a bar, wider than it, in lines

Values = tuple[float, float, float]
Ends = tuple[float, float]


def study_mark(axes: Axes, y: float, values: Values, ends: Ends, share: float, line: float) -> None:
    """Draw a study: limits, a square whose area is its weight, arrows where limits leave the axis.

    Parameters
    ----------
    y : float
        Its place.
    values : tuple
        Estimate and limits, on the axis' scale.
    ends : tuple
        Of the axis.
    share : float
        Weight over that of the heaviest study.
    line : float
        Height of a line in points.
    """
    estimate = values[0]
    _whisker(axes, y, values, ends, PALETTE[0], 1.2 if line > 12 else 0.9)
    if ends[0] <= estimate <= ends[1]:
        known = 0.0 if math.isnan(share) else min(max(share, 0.0), 1.0)
        side = line * max(_SMALLEST, _LARGEST * math.sqrt(known))
        axes.plot(
            [estimate],
            [y],
            marker="s",
            markersize=side,
            color=PALETTE[0],
            markeredgewidth=0,
            zorder=4,
        )


def diamond(axes: Axes, y: float, values: Values, ends: Ends, *, kind: str) -> None:
    """Draw what was pooled: filled of a random-effects model, hollow of a common-effect one.

    An end without a limit reaches the end of the axis; without either there is a small mark alone.
    """
    estimate, low, high = values
    if math.isnan(estimate):
        return
    filled = kind != "common"
    color = PALETTE[1] if kind == "subgroup" else INK
    if math.isnan(low) and math.isnan(high):
        _point(axes, y, estimate, ends, color if filled else "white", color)
        return
    left = ends[0] if math.isnan(low) else max(low, ends[0])
    right = ends[1] if math.isnan(high) else min(high, ends[1])
    middle = min(max(estimate, ends[0]), ends[1])
    axes.fill(
        [left, middle, right, middle],
        [y, y + _HALF, y, y - _HALF],
        facecolor=color if filled else "white",
        edgecolor=color,
        linewidth=1.0,
        zorder=4,
    )
    _arrows(axes, y, low, high, ends, color)


def _point(axes: Axes, y: float, x: float, ends: Ends, face: str, edge: str) -> None:
    """Draw an estimate that has no limits as a small diamond."""
    if ends[0] <= x <= ends[1]:
        axes.scatter([x], [y], s=45.0, marker="d", facecolor=face, edgecolor=edge, zorder=4)


def prediction_bar(axes: Axes, y: float, values: Values, ends: Ends, line: float) -> None:
    """Draw a prediction interval as a bar, with arrows where it leaves the axis.

    Parameters
    ----------
    y, values, ends, line
        As in :func:`study_mark`; the estimate is not looked at.
    """
    _, low, high = values
    if math.isnan(low) or math.isnan(high):
        return
    color = PALETTE[4]
    left, right = max(low, ends[0]), min(high, ends[1])
    half = _THICK / 2
    axes.fill(
        [left, right, right, left],
        [y - half, y - half, y + half, y + half],
        color=color,
        linewidth=0,
        zorder=3,
    )
    _arrows(axes, y, low, high, ends, color, size=_BAR_ARROW * line)


def _whisker(axes: Axes, y: float, values: Values, ends: Ends, color: str, width: float) -> None:
    _, low, high = values
    if math.isnan(low) and math.isnan(high):
        return
    left = ends[0] if math.isnan(low) else min(max(low, ends[0]), ends[1])
    right = ends[1] if math.isnan(high) else max(min(high, ends[1]), ends[0])
    axes.plot([left, right], [y, y], color=color, linewidth=width, solid_capstyle="butt", zorder=3)
    _arrows(axes, y, low, high, ends, color)


def _arrows(
    axes: Axes,
    y: float,
    low: float,
    high: float,
    ends: Ends,
    color: str,
    *,
    size: float = _ARROW,
) -> None:
    """Point beyond an end of the axis where an interval goes on."""
    for beyond, end, marker in ((low < ends[0], ends[0], "<"), (high > ends[1], ends[1], ">")):
        if beyond:
            axes.plot(
                [end],
                [y],
                marker=marker,
                color=color,
                markersize=size,
                markeredgewidth=0,
                clip_on=False,
                zorder=5,
            )
