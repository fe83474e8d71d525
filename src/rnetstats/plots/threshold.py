"""Where surgery is better than surveillance: regions, tornado and contours of a threshold."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.style import (
    INK,
    LIGHT,
    MUTED,
    PALETTE,
    as_text,
    ax_or_new,
    legend_below,
    percent_ticks,
    plain_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["threshold_contours", "threshold_region", "threshold_tornado"]

_PROBABILITY = "Probability of a residual"


def threshold_region(
    region: pd.DataFrame,
    *,
    x_label: str,
    probability: tuple[float, float] = (math.nan, math.nan),
    ax: Axes | None = None,
) -> Axes:
    """Draw three regions: one action better over all ranges, the other, and what depends on them.

    Parameters
    ----------
    region : DataFrame
        ``x, threshold_low, threshold, threshold_high``.
    x_label : str
    probability : (float, float)
        Drawn as a band; missing for none.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(7.4, 5.2))
    x = region["x"].to_numpy(float)
    low, high = (
        np.minimum(region[name].to_numpy(float), 1.0)
        for name in ("threshold_low", "threshold_high")
    )
    line = region["threshold"].to_numpy(float)
    regions = (
        (high, np.ones(len(x)), PALETTE[1], 0.35, "surgery better throughout"),
        (low, high, LIGHT, 1.0, "depends on the inputs"),
        (np.zeros(len(x)), low, PALETTE[0], 0.35, "surveillance better throughout"),
    )
    for floor, top, shade, alpha, name in regions:
        if (top > floor).any():
            axes.fill_between(x, floor, top, color=shade, alpha=alpha, linewidth=0, label=name)
    shown = np.where(np.isfinite(line), line, np.nan)
    axes.plot(x, shown, color=INK, linewidth=1.6, label="threshold at the central values")
    if not math.isnan(probability[0]):
        if probability[0] == probability[1]:
            axes.axhline(
                probability[0],
                color=MUTED,
                linewidth=1.4,
                linestyle="--",
                label="given probability",
            )
        else:
            axes.axhspan(
                *probability,
                facecolor="none",
                edgecolor=MUTED,
                hatch="///",
                linewidth=0.8,
                label="given probability",
            )
    axes.set_xlim(float(x.min()), float(x.max()))
    axes.set_ylim(0.0, 1.0)
    percent_ticks(axes.yaxis)
    axes.set_xlabel(as_text(x_label))
    axes.set_ylabel(_PROBABILITY)
    axes.set_title("A region over the given ranges, not an answer", fontsize=11, loc="left")
    axes.legend(**legend_below(2, drop=0.14), labelcolor=INK)
    return plain_axes(axes)


def _wrapped(words: str, width: int) -> str:
    return as_text("\n".join(textwrap.wrap(words, width)))


def threshold_tornado(bars: pd.DataFrame, *, central: float, ax: Axes | None = None) -> Axes:
    """Draw how far the range of each input alone moves the threshold.

    Parameters
    ----------
    bars : DataFrame
        ``label, low, high, threshold_at_low, threshold_at_high``, the widest first.
    central : float
        The threshold at the central values.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(8.4, 1.5 + 0.6 * len(bars)))
    ends = bars[["threshold_at_low", "threshold_at_high"]].to_numpy(float)
    drawn = np.minimum(ends, 1.0)
    middle = min(central, 1.0)
    for y, (start, end) in enumerate(drawn):
        for side, shade in ((start, PALETTE[0]), (end, PALETTE[1])):
            axes.barh(y, side - middle, left=middle, height=0.62, color=shade, alpha=0.75)
    for y, (low, high) in enumerate(zip(bars["low"], bars["high"], strict=True)):
        left = drawn[y].argmin()
        for k, value in enumerate((low, high)):
            beyond = " (none high enough)" if np.isinf(ends[y, k]) else ""
            axes.annotate(
                f"{value:.3g}{beyond}",
                (float(drawn[y, k]), y),
                xytext=(-4 if k == left else 4, 0),
                textcoords="offset points",
                ha="right" if k == left else "left",
                va="center",
                fontsize=9,
                color=INK,
                annotation_clip=False,
            )
    axes.axvline(middle, color=INK, linewidth=1.2)
    axes.set_yticks(range(len(bars)), [_wrapped(str(label), 30) for label in bars["label"]])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    span = float(np.ptp(np.append(drawn.ravel(), middle))) or 0.1
    left, right = float(min(drawn.min(), middle)), float(max(drawn.max(), middle))
    axes.set_xlim(left - 0.14 * span, right + (0.5 if np.isinf(ends).any() else 0.14) * span)
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in axes.get_xticks() if max(low, 0.0) <= tick <= min(high, 1.0)])
    percent_ticks(axes.xaxis)
    axes.set_xlabel("Threshold (probability of a residual)")
    axes.set_title("One input at a time; blue: its low end", fontsize=11, loc="left")
    plain_axes(axes)
    axes.tick_params(axis="y", length=0)
    return axes


def threshold_contours(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    surface: NDArray[np.float64],
    *,
    x_label: str,
    y_label: str,
    levels: Sequence[float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the threshold over two inputs.

    Parameters
    ----------
    x, y : arrays (a,), (b,)
    surface : array (b, a)
        Thresholds; infinite where no probability is high enough.
    x_label, y_label : str
    levels : sequence of float, optional
        Thresholds to draw.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(7.2, 5.2))
    finite = np.where(np.isfinite(surface), surface, np.nan)
    known = finite[np.isfinite(finite)]
    if known.size and np.ptp(known) > 0.0:
        drawn = axes.contour(
            x, y, finite, levels=8 if levels is None else levels, colors=PALETTE[0], linewidths=1.4
        )
        for text in axes.clabel(drawn, fontsize=9, fmt=lambda value: f"{100.0 * value:.3g} %"):
            text.set_clip_on(False)  # whole at the edge
    never = np.isinf(surface)
    if never.any():
        axes.contourf(x, y, never.astype(float), levels=[0.5, 1.5], colors=[LIGHT])
        axes.fill_between([], [], [], color=LIGHT, label="no probability is high enough")
        axes.legend(**legend_below(1, drop=0.14), labelcolor=INK)
    axes.set_xlim(float(x.min()), float(x.max()))
    axes.set_ylim(float(y.min()), float(y.max()))
    axes.set_xlabel(as_text(x_label))
    axes.set_ylabel(_wrapped(y_label, 38))
    axes.set_title(
        "Probability of a residual above which surgery is better", fontsize=11, loc="left"
    )
    return plain_axes(axes)
