"""Estimates with their limits, one line a method."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

__all__ = ["draw_intervals"]


def draw_intervals(
    rows: pd.DataFrame,
    *,
    ax: Axes | None = None,
    xlabel: str = "",
    log: bool = False,
    reference: float | None = None,
) -> Axes:
    """Draw estimates and limits; an infinite or zero end on a log axis becomes an arrow.

    Parameters
    ----------
    rows : DataFrame
        Columns label, estimate, conf_low, conf_high; the first row is drawn at the top.
    ax : Axes, optional
        Where to draw; a new figure without.
    xlabel : str
        Name of the measure.
    log : bool
        A logarithmic axis.
    reference : float, optional
        Where to draw a dotted line.

    Returns
    -------
    Axes
    """
    if ax is None:
        _, ax = plt.subplots(figsize=(7.0, 0.32 * len(rows) + 1.2), layout="constrained")
    height = np.arange(len(rows))[::-1]
    low, high = rows["conf_low"].to_numpy(float), rows["conf_high"].to_numpy(float)
    estimate = rows["estimate"].to_numpy(float)
    near, far = _range(np.concatenate([low, high, estimate]), log=log)
    shown_low, shown_high = np.clip(low, near, far), np.clip(high, near, far)
    ax.hlines(height, shown_low, shown_high, color="#30506d", lw=1.6)
    inside = (estimate >= near) & (estimate <= far)
    ax.plot(estimate[inside], height[inside], "s", color="#30506d", ms=5)
    ax.plot(near * np.ones((low < near).sum()), height[low < near], "<", color="#30506d", ms=6)
    ax.plot(far * np.ones((high > far).sum()), height[high > far], ">", color="#30506d", ms=6)
    if log:
        ax.set_xscale("log")
    if reference is not None:
        ax.axvline(reference, color="0.5", lw=0.8, ls=":")
    ax.set_yticks(height, [str(label) for label in rows["label"]])
    ax.set_ylim(-0.7, len(rows) - 0.3)
    ax.set_xlabel(xlabel)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _range(values: np.ndarray, *, log: bool) -> tuple[float, float]:
    """Ends of the axis: all finite (on a log axis, positive) values, with some room."""
    usable = values[np.isfinite(values) & ((values > 0) | (not log))]
    if usable.size == 0:
        return (0.1, 10.0) if log else (0.0, 1.0)
    low, high = float(usable.min()), float(usable.max())
    if log:
        return low / 1.5, high * 1.5
    room = 0.03 * (high - low) or 0.5
    return low - room, high + room
