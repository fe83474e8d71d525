"""A coefficient over time: scaled Schoenfeld residuals with a lowess curve."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.style import INK, MUTED, PALETTE, as_text, ax_or_new, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["coefficient_over_time"]

_SMOOTH_FROM = 10  # fewer points than this are shown without a curve


def coefficient_over_time(
    points: pd.DataFrame, *, label: str, estimate: float, ax: Axes | None = None
) -> Axes:
    """Draw residuals, their lowess curve, and the constant coefficient of the model.

    Parameters
    ----------
    points : DataFrame
        Columns ``time, value``.
    label : str
        The coefficient's name.
    estimate : float
        The model's constant log hazard ratio.
    ax : Axes, optional
        Where to draw; by default on a new figure.
    """
    axes = ax_or_new(ax, figsize=(6.0, 4.0))
    time, value = points["time"].to_numpy(float), points["value"].to_numpy(float)
    axes.plot(time, value, linestyle="", marker="o", markersize=3.5, color=MUTED, alpha=0.6)
    if len(time) >= _SMOOTH_FROM:
        from statsmodels.nonparametric.smoothers_lowess import lowess

        curve = lowess(value, time, frac=2 / 3)
        kept = np.isfinite(curve[:, 1])
        axes.plot(curve[kept, 0], curve[kept, 1], color=PALETTE[0], linewidth=2.0, label="lowess")
    axes.axhline(estimate, color=PALETTE[1], linestyle="--", label="constant (the model)")
    axes.axhline(0.0, color=INK, linewidth=0.8)
    axes.set_xlabel("Time")
    axes.set_ylabel(as_text(textwrap.fill(f"Log hazard ratio of {label}", 40)))
    axes.legend(frameon=False)
    return plain_axes(axes)
