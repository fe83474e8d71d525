"""Intervals against the margins of equivalence or non-inferiority."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.ratio_axis import at_least, ratio_ticks
from rnetstats.plots.style import INK, MUTED, PALETTE, as_text, ax_or_new, in_lines, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["margin_intervals"]

_FURTHEST = 1e4  # of a ratio
_LETTERS = 22  # of a label's line: a long method must not take the width of the intervals


def margin_intervals(
    rows: pd.DataFrame,
    *,
    zone: tuple[float, float],
    xlabel: str = "",
    title: str = "",
    log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw a line an interval over the shaded zone of what would not matter.

    Parameters
    ----------
    rows : DataFrame
        ``label, estimate, conf_low, conf_high``; the first row decides and stands at the top.
    zone : pair of float
        The margins; infinite (or 0 of a ratio) where there is none.
    xlabel, title : str
    log : bool
        A ratio, on a logarithmic axis.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(7.4, 1.7 + 0.5 * len(rows)))
    null = 1.0 if log else 0.0
    near, far = _ends(rows, zone, null, log=log)
    low, high = max(zone[0], near), min(zone[1], far)
    axes.axvspan(low, high, color=PALETTE[2], alpha=0.14, zorder=0, label="within the margin")
    for end in zone:
        if near < end < far:
            axes.axvline(end, color=PALETTE[2], linewidth=1.6, zorder=1)
    axes.axvline(null, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    place = np.arange(len(rows))[::-1]
    for y, row in zip(place, rows.to_dict("records"), strict=True):
        first, last = max(row["conf_low"], near), min(row["conf_high"], far)
        shade = PALETTE[0] if y == place[0] else MUTED
        axes.hlines(y, first, last, color=shade, linewidth=2.4)
        axes.plot(row["estimate"], y, marker="s", color=shade, markersize=7)
        for beyond, end, mark in (
            (row["conf_low"] < near, near, "<"),
            (row["conf_high"] > far, far, ">"),
        ):
            if beyond:
                axes.plot(end, y, marker=mark, color=shade, clip_on=False)
    names = [fill(str(name), _LETTERS, break_long_words=False) for name in rows["label"]]
    axes.set_yticks(place, [as_text(name) for name in names])
    axes.set_ylim(-0.7, len(rows) - 0.3)
    if log:
        axes.set_xscale("log")
        ratio_ticks(axes.xaxis, near, far)
    axes.set_xlim(near, far)
    axes.set_xlabel(as_text(xlabel))
    axes.set_title(as_text(in_lines(title)), fontsize=11, color=INK)
    return plain_axes(axes)


def _ends(
    rows: pd.DataFrame, zone: tuple[float, float], null: float, *, log: bool
) -> tuple[float, float]:
    """Ends of the axis: everything finite, with some room."""
    values = np.append(
        rows[["estimate", "conf_low", "conf_high"]].to_numpy().ravel(), [*zone, null]
    )
    values = values[np.isfinite(values)]
    if log:
        values = values[(values > 1.0 / _FURTHEST) & (values < _FURTHEST)]
        return at_least(float(values.min()) / 1.25, float(values.max()) * 1.25)
    room = 0.08 * float(np.ptp(values))
    return float(values.min()) - room, float(values.max()) + room
