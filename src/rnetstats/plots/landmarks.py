"""A ratio over landmarks: an estimate with limits at each, and the events that remain."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.ratio_axis import at_least, ratio_ticks, visible
from rnetstats.plots.style import INK, MUTED, PALETTE, as_text, ax_or_new, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["landmark_ratios"]

_WIDTH = 60  # letters of a line of the label
_REACH = 30.0  # how far an axis goes from the nearest estimate: limits beyond are cut


def landmark_ratios(
    table: pd.DataFrame,
    *,
    label: str,
    conf_level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw the hazard ratio at each landmark on a log axis, with events by arm above it.

    Parameters
    ----------
    table : DataFrame
        ``landmark, estimate, conf_low, conf_high, events_treated, events_untreated``.
    label : str
        Unit of the landmarks.
    conf_level : float
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(7.0, 4.4))
    time = table["landmark"].to_numpy(float)
    value, low, high = (table[n].to_numpy(float) for n in ("estimate", "conf_low", "conf_high"))
    centre = np.append(value[visible(value)], 1.0)
    all_values = np.concatenate([centre, low[visible(low)], high[visible(high)]])
    bottom = max(all_values.min(), centre.min() / _REACH)
    top = min(all_values.max(), centre.max() * _REACH)
    bottom, top = at_least(bottom / 1.1, top * 1.1)
    axes.axhline(1.0, color=MUTED, linewidth=0.9, zorder=1)
    axes.vlines(time, np.maximum(low, bottom), np.minimum(high, top), color=PALETTE[0], lw=1.7)
    axes.plot(time, value, linestyle="", marker="s", color=PALETTE[0], markersize=6, zorder=3)
    axes.set_yscale("log")
    axes.set_ylim(bottom, top)
    ratio_ticks(axes.yaxis, bottom, top)
    axes.set_xticks(time)
    room = 0.07 * (time.max() - time.min() or 1.0)
    axes.set_xlim(time.min() - room, time.max() + room)
    across = axes.get_xaxis_transform()
    counts = zip(time, table["events_treated"], table["events_untreated"], strict=True)
    for at, one, zero in counts:
        axes.text(
            at, 1.015, f"{one}/{zero}", transform=across, ha="center", fontsize=8.5, color=INK
        )
    axes.set_title("Events after the landmark, treated/untreated", fontsize=9, pad=16, loc="left")
    axes.set_xlabel(as_text(textwrap.fill(f"Landmark ({label})", _WIDTH)))
    axes.set_ylabel(as_text(f"Hazard ratio ({100 * conf_level:g} % CI, log scale)"))
    return plain_axes(axes, grid="y")
