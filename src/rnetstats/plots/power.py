"""Power over hazard ratios, and how far significant results exaggerate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.ratio_axis import ratio_ticks
from rnetstats.plots.style import (
    INK,
    MUTED,
    as_text,
    ax_or_new,
    colour,
    plain_axes,
    title_above,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["power_curve"]

_MOST = 6.0  # the axis of exaggeration ends here


def power_curve(
    table: pd.DataFrame,
    *,
    wanted: float,
    detectable: tuple[float, float],
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw power against the hazard ratio, with type M errors on an axis at the right.

    Parameters
    ----------
    table : DataFrame
        Columns hazard_ratio, power, type_m.
    wanted : float
        The power asked for, as a dashed line.
    detectable : tuple of float
        Hazard ratios with that power, below and above 1; missing ones are not drawn.
    title : str
    ax : Axes, optional
        Where to draw; a new figure without.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(7.4, 4.6))
    ratio = table["hazard_ratio"].to_numpy(float)
    axes.axhline(wanted, color=MUTED, lw=1.0, ls=(0, (4, 3)), zorder=1.0)
    axes.plot(ratio, table["power"], color=colour(0), lw=2.0)
    for value in detectable:
        if np.isfinite(value) and ratio.min() <= value <= ratio.max():
            axes.plot(value, wanted, "o", color=colour(0), ms=7)
            axes.annotate(
                f"{value:.2g}",
                (value, wanted),
                xytext=(0, 7),
                textcoords="offset points",
                ha="left" if value < 1 else "right",
                color=INK,
                fontsize=10,
            )
    axes.set_xscale("log")
    ratio_ticks(axes.xaxis, float(ratio.min()), float(ratio.max()))
    axes.set_ylim(0.0, 1.05)
    axes.set_xlabel("Hypothesised hazard ratio")
    axes.set_ylabel("Power", color=colour(0))
    title_above(axes, as_text(title), fontsize=11, loc="left")
    plain_axes(axes)
    _exaggeration(axes, ratio, table["type_m"].to_numpy(float))
    return axes


def _exaggeration(axes: Axes, ratio: np.ndarray, type_m: np.ndarray) -> None:
    """Draw type M errors, cut where they run off near a ratio of 1."""
    other = axes.twinx()
    plain_axes(other)
    other.spines["right"].set_visible(True)
    other.spines["right"].set_color(MUTED)
    for side in (ratio < 1.0, ratio > 1.0):
        shown = np.where(type_m[side] <= _MOST, type_m[side], np.nan)
        other.plot(ratio[side], shown, color=colour(1), lw=1.6, ls=(0, (6, 2)))
    other.set_ylim(0.0, _MOST)
    other.set_ylabel("Exaggeration if significant (type M)", color=colour(1))
    axes.set_zorder(other.get_zorder() + 1)
    axes.patch.set_visible(False)
