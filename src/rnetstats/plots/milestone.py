"""Survival or risk at fixed times: points with limits, groups side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats.formatting import group_names, inside
from rnetstats.plots.style import INK, as_text, ax_or_new, colour, plain_axes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["points_over_time"]

_SHIFT = 0.14  # between groups, in steps between times
_SPAN = 0.7  # of all groups at most, so that each point stands nearest to its own time


def points_over_time(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    conf_level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates with their limits; times stand at even distances.

    Parameters
    ----------
    table : DataFrame
        ``group, time, measure, estimate, conf_low, conf_high``.
    labels : mapping
        ``time``, ``event`` and ``group``.
    conf_level : float
    ax : Axes, optional
        Where to draw; by default on a new figure.
    """
    axes = ax_or_new(ax)
    groups = list(dict.fromkeys(table["group"]))
    named = group_names(groups)
    times = np.unique(table["time"])
    shift = min(_SHIFT, _SPAN / max(len(groups) - 1, 1))
    for index, group in enumerate(groups):
        part = table[table["group"] == group].sort_values("time")
        place = np.arange(len(times)) + shift * (index - (len(groups) - 1) / 2.0)
        low, high = (part[name].to_numpy(float) for name in ("conf_low", "conf_high"))
        axes.vlines(place, low, high, color=colour(index), linewidth=1.6)
        axes.plot(
            place,
            part["estimate"],
            linestyle="",
            marker="o",
            markersize=5.5,
            color=colour(index),
            label=as_text(named.get(str(group), str(group))),
        )
    axes.set_xticks(np.arange(len(times)), [f"{time:g}" for time in times])
    axes.set_xlim(-0.5, len(times) - 0.5)
    axes.set_xlabel(as_text(labels["time"]))
    measure = str(table["measure"].iloc[0])
    word = "Risk of" if measure == "risk" else "Free of"
    axes.set_ylabel(as_text(f"{word} {inside(labels['event'])} ({100 * conf_level:g} % limits)"))
    if len(groups) > 1:
        legend = axes.legend(
            loc="upper left",
            bbox_to_anchor=(1.01, 1.0),
            frameon=False,
            fontsize=9.5,
            title=as_text(labels["group"]) if named else "",
            title_fontsize=9.5,
            alignment="left",
        )
        legend.get_title().set_color(INK)
    return plain_axes(axes, grid="y")
