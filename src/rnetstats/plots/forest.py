"""Forest plots: estimates with limits on a log scale, numbers beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats.formatting import fmt_interval, fmt_number
from rnetstats.plots.ratio_axis import at_least, ratio_ticks, visible
from rnetstats.plots.style import INK, LINE, MUTED, PALETTE, as_text, ax_or_new, row_labels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["forest"]

_ROW = 0.34  # inches a row
_WIDEST = 400.0  # ratio between the ends of the axis


def forest(
    rows: pd.DataFrame,
    *,
    measure: str,
    conf_level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw one estimate a row on a log axis; what leaves the axis ends in an arrow.

    Parameters
    ----------
    rows : DataFrame
        Columns ``label, estimate, conf_low, conf_high``, top to bottom. Limits may be 0 or
        infinite; an estimate may be infinite.
    measure : str
        Name of the axis, e.g. ``"OR"``.
    conf_level : float
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    count = len(rows)
    labels, lines = row_labels(rows["label"])
    height = _ROW + LINE * (lines - 1)
    axes = ax_or_new(ax, figsize=(7.6, 1.0 + height * max(count, 1)))
    estimate = rows["estimate"].to_numpy(dtype=float)
    low = rows["conf_low"].to_numpy(dtype=float)
    high = rows["conf_high"].to_numpy(dtype=float)
    left, right = _axis_limits(estimate, low, high)
    place = np.arange(count)[::-1]
    axes.axvline(1.0, color=MUTED, linewidth=0.9, zorder=1)
    for y, est, lo, hi in zip(place, estimate, low, high, strict=True):
        _row(axes, y, est, lo, hi, left, right)
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_ylim(-0.7, count - 0.3)
    axes.set_yticks(place, labels)
    leaves = (np.isfinite(low) | np.isfinite(high)) & ~(low > left)
    room = {"pad": 8.0} if leaves.any() else {}  # beside the arrow heads
    axes.tick_params(axis="y", length=0, colors=INK, **room)
    ratio_ticks(axes.xaxis, left, right)
    axes.set_xlabel(f"{as_text(measure)} ({100 * conf_level:g} % CI, log scale)")
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    _numbers(axes, place, estimate, low, high)
    return axes


def _axis_limits(estimate: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    values = np.concatenate([estimate, low, high])
    values = np.append(values[visible(values)], 1.0)
    centre = estimate[visible(estimate)]
    middle = float(np.exp(np.mean(np.log(centre)))) if centre.size else 1.0
    reach = np.sqrt(_WIDEST)
    left = max(values.min(), min(middle / reach, centre.min(initial=1.0)) / 2)
    right = min(values.max(), max(middle * reach, centre.max(initial=1.0)) * 2)
    pad = (right / left) ** 0.05 if right > left else 1.5
    return at_least(left / pad, right * pad)


def _row(axes: Axes, y: float, est: float, lo: float, hi: float, left: float, right: float) -> None:
    color = PALETTE[0]
    if np.isfinite(lo) or np.isfinite(hi):
        start = lo if np.isfinite(lo) and lo > left else left
        end = hi if np.isfinite(hi) and hi < right else right
        axes.plot([start, end], [y, y], color=color, linewidth=1.6, solid_capstyle="butt", zorder=2)
        if not lo > left:
            axes.plot([left], [y], marker="<", color=color, clip_on=False, markersize=5)
        if not hi < right:
            axes.plot([right], [y], marker=">", color=color, clip_on=False, markersize=5)
    elif np.isinf(est):
        axes.plot([right], [y], marker=">", color=color, clip_on=False, markersize=5)
    if np.isfinite(est) and left < est < right:
        axes.plot([est], [y], marker="s", color=color, markersize=6.5, zorder=3)


def _numbers(
    axes: Axes, place: np.ndarray, estimate: np.ndarray, low: np.ndarray, high: np.ndarray
) -> None:
    """Write each estimate and its limits to the right of the axis."""
    across = axes.get_yaxis_transform()
    for y, est, lo, hi in zip(place, estimate, low, high, strict=True):
        text = f"{fmt_number(est)} ({fmt_interval(lo, hi)})"
        axes.text(1.03, y, text, transform=across, va="center", ha="left", color=INK, fontsize=9)
