"""Pairs of associations by which an unmeasured confounder would explain an estimate away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.ratio_axis import ratio_ticks
from rnetstats.plots.style import INK, PALETTE, as_text, ax_or_new, legend_below, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["bounding_curves"]

_LEAST = 4.0  # the axes reach at least so far
_MOST = 200.0


def bounding_curves(curves: pd.DataFrame, *, label: str = "", ax: Axes | None = None) -> Axes:
    """Draw a curve a number: all pairs on or above it suffice.

    A confounder's joint bounding factor is ``EU UD / (EU + UD - 1)``.

    Parameters
    ----------
    curves : DataFrame
        ``name, factor, e_value``: the bounding factor (at least 1) that must be reached.
    label : str
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(6.2, 5.6))
    shown = curves[np.isfinite(curves["factor"])]
    largest = float(shown["e_value"].max()) if len(shown) else _LEAST
    end = min(max(_LEAST, 2.2 * largest), _MOST)
    for place, row in enumerate(shown.to_dict("records")):
        factor, shade = float(row["factor"]), PALETTE[place]
        name = f"to explain the {row['name']} (E-value {row['e_value']:.2f})"
        if factor <= 1.0:
            axes.plot([1.0], [1.0], marker="o", color=shade, label=name, linestyle="none")
            continue
        first = np.geomspace(factor * (1.0 + 1e-6), 4.0 * end, 2000)
        second = factor * (first - 1.0) / (first - factor)
        inside = (first <= end) & (second <= end)
        axes.plot(first[inside], second[inside], color=shade, linewidth=2.0, label=name)
        axes.plot(row["e_value"], row["e_value"], marker="o", color=shade)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(0.97, end)
    axes.set_ylim(0.97, end)
    for axis in (axes.xaxis, axes.yaxis):
        ratio_ticks(axis, 1.0, end)
    axes.set_xlabel("Confounder with exposure (risk ratio)")
    axes.set_ylabel("Confounder with outcome (risk ratio)")
    if label:
        axes.set_title(as_text(label), fontsize=11)
    axes.legend(**legend_below(2), labelcolor=INK)
    return plain_axes(axes, grid="both")
