"""Estimates with their limits, one line a method."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from rnetstats.plots.style import (
    LINE,
    MUTED,
    as_text,
    ax_or_new,
    colour,
    in_lines,
    plain_axes,
    row_labels,
)

__all__ = ["draw_intervals"]

_UNDER = 60  # letters of a line of the label under the axis, which begins beside the rows' labels


def draw_intervals(
    rows: pd.DataFrame,
    *,
    ax: Axes | None = None,
    xlabel: str = "",
    log: bool = False,
    reference: float | None = None,
) -> Axes:
    """Draw estimates and limits; an end beyond the axis (0 or infinity of a ratio) is an arrow.

    Parameters
    ----------
    rows : DataFrame
        Columns label, estimate, conf_low, conf_high; the first row is drawn at the top.
    ax : Axes, optional
        Where to draw; a new figure without.
    xlabel : str
        Name of the measure.
    log : bool
        A logarithmic axis.
    reference : float, optional
        Where to draw a dashed line.

    Returns
    -------
    Axes
    """
    labels, lines = row_labels(rows["label"])
    ax = ax_or_new(ax, figsize=(7.5, (0.34 + LINE * (lines - 1)) * len(rows) + 1.3))
    height = np.arange(len(rows))[::-1]
    low, high = rows["conf_low"].to_numpy(float), rows["conf_high"].to_numpy(float)
    estimate = rows["estimate"].to_numpy(float)
    known = [] if reference is None else [reference]
    near, far = _range(np.concatenate([low, high, estimate, known]), log=log)
    shade = colour(0)
    ax.hlines(height, np.clip(low, near, far), np.clip(high, near, far), color=shade, lw=2.0)
    inside = (estimate >= near) & (estimate <= far)
    ax.plot(estimate[inside], height[inside], "s", color=shade, ms=6)
    for end, mark, beyond in ((near, "<", low < near), (far, ">", high > far)):
        ax.plot(np.full(int(beyond.sum()), end), height[beyond], mark, color=shade, ms=7)
    if log:
        ax.set_xscale("log")
        _plain_ticks(ax, near, far)
        room = (far / near) ** 0.02
        ax.set_xlim(near / room, far * room)
    if reference is not None:
        ax.axvline(reference, color=MUTED, lw=1.0, ls=(0, (4, 3)), zorder=1.0)
    ax.set_yticks(height, labels)
    ax.set_ylim(-0.7, len(rows) - 0.3)
    ax.set_xlabel(as_text(in_lines(xlabel, _UNDER)))
    plain_axes(ax, grid="x")
    return ax


def _plain_ticks(ax: Axes, near: float, far: float) -> None:
    """Numbers as readers write them (0.5, 2, 100), closer together on a short axis."""
    decades = np.log10(far / near)
    steps = (1.0, 2.0, 5.0) if decades < 3.0 else (1.0,)
    ax.xaxis.set_major_locator(LogLocator(base=10.0, subs=steps, numticks=9))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _range(values: np.ndarray, *, log: bool) -> tuple[float, float]:
    """Ends of the axis: all finite (on a log axis, positive) values, with some room."""
    usable = values[np.isfinite(values) & ((values > 0) | (not log))]
    if usable.size == 0:
        return (0.1, 10.0) if log else (0.0, 1.0)
    low, high = float(usable.min()), float(usable.max())
    if log:
        return low / 1.5, high * 1.5
    room = 0.03 * (high - low) or 0.5
    return low - room, high + room
