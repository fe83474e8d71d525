"""The distribution of an estimate under misclassification beside the conventional one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.ratio_axis import at_least, ratio_ticks, visible
from rnetstats.plots.style import (
    INK,
    MUTED,
    PALETTE,
    as_text,
    ax_or_new,
    legend_below,
    plain_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["bias_distribution"]


def bias_distribution(
    histogram: pd.DataFrame,
    *,
    conventional: tuple[float, float, float],
    xlabel: str = "",
    title: str = "",
    log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw both distributions, and the conventional estimate with its limits above them.

    Parameters
    ----------
    histogram : DataFrame
        ``low, high, systematic, total``; a missing column of densities is left out.
    conventional : tuple of float
        Estimate, lower and upper limit.
    xlabel, title : str
    log : bool
        A ratio, on a logarithmic axis.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(7.4, 4.4))
    edges = np.append(histogram["low"], histogram["high"].iloc[-1:])
    top = 0.0
    for name, shade, filled in (("systematic", PALETTE[0], True), ("total", PALETTE[1], False)):
        height = histogram[name].to_numpy(float)
        if not np.isfinite(height).all() or not height.any():
            continue
        height = height / height.max()  # both on their own scale: a narrow law hides no wide one
        top = 1.0
        axes.stairs(
            height,
            edges,
            color=shade,
            fill=filled,
            alpha=0.45 if filled else 1.0,
            linewidth=1.8,
            label=f"{name} error",
        )
    estimate, low, high = conventional
    values = np.append(edges, [v for v in conventional if np.isfinite(v)])
    values = values[visible(values)] if log else values
    near, far = float(values.min()), float(values.max())
    if log:
        near, far = at_least(near / 1.05, far * 1.05)
    place = 1.12 * (top or 1.0)
    first = near if not np.isfinite(low) else max(low, near)
    last = far if not np.isfinite(high) else min(high, far)
    axes.hlines(place, first, last, color=INK, linewidth=2.0)
    if near <= estimate <= far:
        axes.plot(estimate, place, "s", color=INK, label="conventional, with its limits")
    axes.axvline(1.0 if log else 0.0, color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)))
    if log:
        axes.set_xscale("log")
        near, far = min(near, 1.0), max(far, 1.0)
        ratio_ticks(axes.xaxis, near, far)
        axes.set_xlim(near, far)
    axes.set_ylim(0.0, 1.25)
    axes.set_yticks([])
    axes.set_xlabel(as_text(xlabel))
    axes.set_ylabel("Density (each to its highest)")
    axes.set_title(as_text(title), fontsize=11)
    axes.legend(**legend_below(3, drop=0.15))
    return plain_axes(axes)
