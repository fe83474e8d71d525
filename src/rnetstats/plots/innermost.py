"""Survival curves from interval-censored times: lines where determined, boxes elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats.formatting import group_names
from rnetstats.plots.style import (
    INK,
    MUTED,
    as_text,
    ax_or_new,
    colour,
    legend_beside,
    legend_is_beside,
    legend_room,
    line_style,
)
from rnetstats.plots.survival_axis import survival_axis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

__all__ = ["innermost_curves"]


def innermost_curves(
    intervals: pd.DataFrame,
    groups: pd.DataFrame,
    limits: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    conf_level: float = 0.95,
    band: bool | None = None,
    y_label: str = "Free of the event",
    x_label: str | None = None,
    y_low: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw survival curves with shaded rectangles where survival is not determined.

    Parameters
    ----------
    intervals : DataFrame
        ``group, left, right, survival_before, survival_after``.
    groups : DataFrame
        ``group, n, n_events``.
    limits : DataFrame
        ``group, time, conf_low, conf_high``; may be empty.
    labels : mapping
        ``time`` and ``group``.
    conf_level : float
    band : bool, optional
        Draw the limits; by default for up to three groups, all of which have some.
    y_label, x_label : str
    y_low : float, optional
        Where the vertical axis starts: by default 0, or below the curves where all stay high.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    names = list(groups["group"])
    texts = _entries(groups)
    beside, tall = legend_room(texts, len(names))
    axes = ax_or_new(ax, figsize=(7.2 + beside, max(4.6, tall)))
    with_limits = set(limits["group"]) if len(limits) else set()
    shown = len(names) <= 3 and with_limits >= set(names) if band is None else band
    ends = intervals[["left", "right"]].to_numpy(float)
    last = float(ends[np.isfinite(ends)].max())
    for index, group in enumerate(names):
        _draw(axes, intervals[intervals["group"] == group], index, last, str(group))
        if shown and group in with_limits:
            _band(axes, limits[limits["group"] == group], index)
    floor = _floor(intervals, limits if shown else None) if y_low is None else y_low
    axes.set_xlim(0.0, last * 1.02 if last > 0.0 else 1.0)
    axes.set_xlabel(as_text(labels["time"] if x_label is None else x_label))
    axes.set_ylabel(as_text(y_label))
    survival_axis(axes, floor)
    _legend(axes, texts, as_text(labels["group"]), conf_level if shown else None)
    return axes


def _draw(axes: Any, inner: pd.DataFrame, index: int, last: float, name: str) -> None:
    """Draw one group: a level line up to each innermost interval, and a box over it."""
    look = {"color": colour(index), "linestyle": line_style(index), "linewidth": 1.9, "zorder": 3}
    start = 0.0
    for row in inner.to_dict("records"):
        before, after = row["survival_before"], row["survival_after"]
        axes.plot([start, row["left"]], [before, before], **look)
        if np.isinf(row["right"]):  # nothing is known after the last time
            break
        if row["left"] == row["right"]:
            axes.plot([row["right"]] * 2, [before, after], **look)
        else:
            axes.fill_between(
                [row["left"], row["right"]],
                [after, after],
                [before, before],
                color=colour(index),
                alpha=0.30,
                linewidth=0.6,
                zorder=2.2,
            )
        start = row["right"]
    else:
        axes.plot([start, last], [0.0, 0.0], **look)
    axes.plot([], [], label=as_text(name), **look)  # an entry of the legend


def _band(axes: Any, limits: pd.DataFrame, index: int) -> None:
    time = limits["time"].to_numpy(float)
    for name in ("conf_low_after", "conf_high"):
        axes.step(
            time,
            limits[name].to_numpy(float),
            where="post",
            color=colour(index),
            linewidth=0.9,
            linestyle=(0, (1.5, 1.5)),
            zorder=2.6,
        )


def _floor(intervals: pd.DataFrame, limits: pd.DataFrame | None) -> float:
    """Return the lower end of the axis: 0, or a round number below curves that stay high."""
    known = intervals[np.isfinite(intervals["right"])]
    low = float(known["survival_after"].min()) if len(known) else 1.0
    if low < 0.75:
        return 0.0
    if limits is not None and len(limits):
        low = min(low, float(limits["conf_low"].min()))
    return float(max(0.0, np.floor((low - 0.02) * 20.0) / 20.0))


def _entries(groups: pd.DataFrame) -> list[str]:
    """Return the words of the legend for the groups."""
    named = group_names(groups["group"])
    shown = [named.get(name, name) for name in groups["group"]]
    counts = zip(shown, groups["n_events"], groups["n"], strict=True)
    return [as_text(f"{name} ({events} events of {n})") for name, events, n in counts]


def _legend(axes: Any, entries: list[str], title: str, conf_level: float | None) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = list(axes.get_legend_handles_labels()[0])
    handles.append(Patch(color=MUTED, alpha=0.35, linewidth=0))
    texts = [*entries, "fall somewhere within"]
    if conf_level is not None:
        handles.append(Line2D([], [], color=MUTED, linewidth=0.9, linestyle=(0, (1.5, 1.5))))
        texts.append(f"{100.0 * conf_level:g} % bootstrap limits")
    place: dict[str, Any] = {"loc": "best"}
    if legend_is_beside(len(entries)):
        texts, place = legend_beside(texts)
    legend = axes.legend(
        handles,
        texts,
        title=title,
        frameon=False,
        fontsize=9.5,
        title_fontsize=9.5,
        alignment="left",
        labelcolor=INK,
        **place,
    )
    legend.get_title().set_color(INK)
