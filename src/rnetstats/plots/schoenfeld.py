"""A coefficient over time: scaled Schoenfeld residuals with a smooth curve and its band."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rnetstats.plots.style import INK, MUTED, PALETTE, as_text, ax_or_new, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["coefficient_over_time"]


def coefficient_over_time(
    points: pd.DataFrame,
    *,
    label: str,
    estimate: float,
    conf_level: float,
    curve: pd.DataFrame | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw residuals, their smooth curve, and the constant coefficient of the model.

    Parameters
    ----------
    points : DataFrame
        Columns ``time, value``.
    label : str
        The coefficient's name.
    estimate : float
        The model's constant log hazard ratio.
    conf_level : float
        Of the band.
    curve : DataFrame, optional
        ``time, estimate, conf_low, conf_high``; without rows none is drawn.
    ax : Axes, optional
        Where to draw; by default on a new figure.
    """
    axes = ax_or_new(ax, figsize=(6.0, 4.0))
    time, value = points["time"].to_numpy(float), points["value"].to_numpy(float)
    axes.plot(time, value, linestyle="", marker="o", markersize=3.5, color=MUTED, alpha=0.6)
    if curve is not None and len(curve):
        at, low, high = (curve[name].to_numpy(float) for name in ("time", "conf_low", "conf_high"))
        band = f"pointwise {100 * conf_level:g} % band"
        axes.fill_between(at, low, high, color=PALETTE[0], alpha=0.15, linewidth=0, label=band)
        axes.plot(at, curve["estimate"], color=PALETTE[0], linewidth=2.0, label="smoothed")
    axes.axhline(estimate, color=PALETTE[1], linestyle="--", label="constant (the model)")
    axes.axhline(0.0, color=INK, linewidth=0.8)
    axes.set_xlabel("Time")
    axes.set_ylabel(as_text(textwrap.fill(f"Log hazard ratio of {label}", 40)))
    axes.legend(frameon=False)
    return plain_axes(axes)
