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
    from numpy.typing import NDArray

__all__ = ["landmark_ratios"]

_WIDTH = 60  # letters of a line of the label
_CLOSE = 0.075  # share of the axis within which the words of two landmarks would meet
_MOST = 14  # landmarks with words of their own; of more, every second or third has
_REACH = 30.0  # how far an axis goes from the nearest estimate: limits beyond are cut


def landmark_ratios(
    table: pd.DataFrame,
    *,
    label: str,
    conf_level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw the hazard ratio at each landmark on a log axis, with events by arm above it.

    Landmarks too close together for their words stand in equal steps, which the label says.

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
    place, to_scale = _places(time)
    value, low, high = (table[n].to_numpy(float) for n in ("estimate", "conf_low", "conf_high"))
    centre = np.append(value[visible(value)], 1.0)
    all_values = np.concatenate([centre, low[visible(low)], high[visible(high)]])
    bottom = max(all_values.min(), centre.min() / _REACH)
    top = min(all_values.max(), centre.max() * _REACH)
    bottom, top = at_least(bottom / 1.1, top * 1.1)
    axes.axhline(1.0, color=MUTED, linewidth=0.9, zorder=1)
    axes.vlines(place, np.maximum(low, bottom), np.minimum(high, top), color=PALETTE[0], lw=1.7)
    axes.plot(place, value, linestyle="", marker="s", color=PALETTE[0], markersize=6, zorder=3)
    axes.set_yscale("log")
    axes.set_ylim(bottom, top)
    ratio_ticks(axes.yaxis, bottom, top)
    told = slice(None, None, -(-time.size // _MOST))
    axes.set_xticks(place[told], [f"{at:g}" for at in time[told]])
    room = 0.07 * (place.max() - place.min() or 1.0)
    axes.set_xlim(place.min() - room, place.max() + room)
    across = axes.get_xaxis_transform()
    counts = zip(place, table["events_treated"], table["events_untreated"], strict=True)
    for at, one, zero in list(counts)[told]:
        axes.text(
            at, 1.015, f"{one}/{zero}", transform=across, ha="center", fontsize=8.5, color=INK
        )
    axes.set_title("Events after the landmark, treated/untreated", fontsize=9, pad=16, loc="left")
    steps = "" if to_scale else ", in equal steps"
    axes.set_xlabel(as_text(textwrap.fill(f"Landmark ({label}){steps}", _WIDTH)))
    axes.set_ylabel(as_text(f"Hazard ratio ({100 * conf_level:g} % CI, log scale)"))
    return plain_axes(axes, grid="y")


def _places(time: NDArray[np.float64]) -> tuple[NDArray[np.float64], bool]:
    """Return where landmarks stand, and whether that is to scale."""
    gaps = np.diff(time)
    even = gaps.size and np.allclose(gaps, gaps[0])
    if gaps.size and not even and gaps.min() < _CLOSE * (time.max() - time.min()):
        return np.arange(time.size, dtype=float), False
    return time, True
