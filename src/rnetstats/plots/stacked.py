"""The probability of each state over time, stacked: causes from below, event-free above."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats.plots.style import (
    INK,
    LIGHT,
    PALETTE,
    as_text,
    ax_or_new,
    percent_ticks,
    plain_axes,
    title_above,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

__all__ = ["stacked_incidence"]

_WIDTH, _HEIGHT = 4.6, 4.4
_SHADES = (PALETTE[1], PALETTE[6], PALETTE[4], PALETTE[3], PALETTE[0], PALETTE[2])


def stacked_incidence(
    values: pd.DataFrame,
    groups: Sequence[str],
    *,
    labels: Mapping[str, str],
    meaning: Mapping[str, str],
    times: Sequence[float],
    names: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> list[Axes]:
    """Draw the states of one group, or of several side by side.

    Parameters
    ----------
    values : DataFrame
        ``group, time``, the incidence of each cause, and ``event_free``.
    groups : sequence of str
        The groups to draw.
    labels : mapping
        ``time`` and ``group``.
    meaning : mapping
        What each cause means.
    times : sequence of float
        Ticks of the time axis.
    names : mapping, optional
        What to call the groups.
    ax : Axes, optional
        For one group; by default on a new figure, one axes a group.

    Returns
    -------
    list of Axes
        One a group.
    """
    if ax is not None or len(groups) == 1:
        panels = [ax_or_new(ax, figsize=(_WIDTH + 1.6, _HEIGHT))]
    else:
        panels = _panels(len(groups))
    named = names or {}
    for place, (axes, group) in enumerate(zip(panels, groups, strict=True)):
        _draw(axes, values[values["group"] == group], meaning)
        axes.set_xticks(list(times))
        if labels["group"]:
            text = f"{labels['group']}: {named.get(group, group)}"
            title_above(axes, as_text(text), fontsize=11, color=INK)
        if place == 0:
            axes.set_ylabel("Probability")
    _label_time(panels, as_text(labels["time"]))
    _legend(panels)
    return panels


def _panels(count: int) -> list[Axes]:
    from matplotlib import pyplot as plt

    figure, grid = plt.subplots(
        1,
        count,
        figsize=(min(_WIDTH * count, 15.0), _HEIGHT),
        sharey=True,
        layout="constrained",
        facecolor="white",
        squeeze=False,
    )
    figure.set_dpi(120)
    return list(grid[0])


def _draw(axes: Axes, values: pd.DataFrame, meaning: Mapping[str, str]) -> None:
    time = np.append(0.0, values["time"])
    floor = np.zeros(len(time))
    for place, (cause, text) in enumerate(meaning.items()):
        top = floor + np.append(0.0, values[cause])
        shade = _SHADES[place % len(_SHADES)]
        look: dict[str, Any] = {"step": "post", "linewidth": 0.0, "alpha": 0.85}
        axes.fill_between(time, floor, top, color=shade, label=as_text(text), **look)
        floor = top
    axes.fill_between(
        time, floor, np.ones(len(time)), step="post", color=LIGHT, linewidth=0.0, label="event-free"
    )
    axes.set_xlim(0.0, time[-1] or 1.0)  # nobody may be followed beyond the first day
    axes.set_ylim(0.0, 1.0)
    percent_ticks(axes.yaxis)
    plain_axes(axes)


def _label_time(panels: Sequence[Axes], text: str) -> None:
    """Name the time axis, once for all panels."""
    figure = panels[0].get_figure(root=True)
    if len(panels) == 1 or figure is None:
        panels[0].set_xlabel(text)
    else:
        figure.supxlabel(text, fontsize=11, color=INK)


def _legend(panels: Sequence[Axes]) -> None:
    """Name the states beside the last panel, in the order in which they are stacked."""
    handles, texts = panels[-1].get_legend_handles_labels()
    panels[-1].legend(
        handles[::-1],
        texts[::-1],
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
        fontsize=9.5,
        labelcolor=INK,
    )
