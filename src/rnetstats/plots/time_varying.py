"""A hazard ratio over time: steps or a curve, with limits, on a log axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.formatting import inside
from rnetstats.plots.style import (
    INK,
    as_text,
    ax_or_new,
    colour,
    legend_place,
    plain_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["ratio_over_time"]

_WIDEST = 1e3  # ratios beyond this end at the axis


def ratio_over_time(
    curves: pd.DataFrame,
    *,
    label: str,
    time_label: str,
    constancy: str,
    conf_level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw a hazard ratio over time.

    Parameters
    ----------
    curves : DataFrame
        ``column, start, stop, estimate, conf_low, conf_high``; steps, or points of a curve where
        start and stop are the same.
    label : str
        The term's name.
    time_label : str
    constancy : str
        P of the test of constancy.
    conf_level : float
    ax : Axes, optional
        Where to draw; by default on a new figure.
    """
    axes = ax_or_new(ax)
    columns = list(dict.fromkeys(curves["column"]))
    for index, name in enumerate(columns):
        part = curves[curves["column"] == name]
        stepped = bool((part["stop"] > part["start"]).all())
        time = np.append(part["start"], part["stop"].iloc[-1])
        value, low, high = (
            np.clip(np.append(part[c], part[c].iloc[-1]).astype(float), 1 / _WIDEST, _WIDEST)
            for c in ("estimate", "conf_low", "conf_high")
        )
        band: dict[str, Any] = {"step": "post"} if stepped else {}
        axes.fill_between(time, low, high, color=colour(index), alpha=0.15, linewidth=0, **band)
        style: dict[str, Any] = {"drawstyle": "steps-post"} if stepped else {}
        text = as_text(name or f"{100 * conf_level:g} % limits")
        axes.plot(time, value, color=colour(index), linewidth=2.0, label=text, **style)
    axes.axhline(1.0, color=INK, linewidth=0.8)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel(as_text(time_label))
    axes.set_ylabel(as_text(f"Hazard ratio of {inside(label)}"))
    axes.set_title(f"P of a constant ratio {constancy}", loc="left", fontsize=10, color=INK)
    axes.legend(**legend_place(len(columns), "best"))
    return plain_axes(axes)
