"""What an unmeasured confounder leaves of a ratio: contours, tipping lines, measured ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.ratio_axis import ratio_ticks
from rnetstats.plots.style import (
    INK,
    LIGHT,
    MUTED,
    PALETTE,
    as_text,
    ax_or_new,
    in_lines,
    legend_below,
    plain_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["tipping_contours"]

_STRONGEST = 20.0
_SHOWN = 2  # measured covariates drawn


def tipping_contours(
    *,
    estimate: float,
    held: float,
    lines: Mapping[str, float],
    benchmarks: pd.DataFrame,
    varied: str,
    measure: str,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the ratio left over against a confounder's prevalence and effect.

    Parameters
    ----------
    estimate : float
        The ratio as estimated.
    held : float
        Prevalence in the other group.
    lines : mapping
        The bias factors that move ``estimate`` and ``limit`` to 1.
    benchmarks : DataFrame
        ``term, bias_factor`` of measured covariates; the strongest are drawn.
    varied : {"exposed", "unexposed"}
        The group whose prevalence runs along the axis.
    measure, title : str
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(7.2, 5.4))
    share = np.linspace(0.0, 1.0, 301)
    effect = np.geomspace(1.0, _STRONGEST, 301)
    p, g = np.meshgrid(share, effect)
    factor = (1.0 + p * (g - 1.0)) / (1.0 + held * (g - 1.0))  # towards 1, whichever side
    left = estimate / factor if varied == "exposed" else estimate * factor
    drawn = axes.contour(p, g, left, levels=8, colors=MUTED, linewidths=0.8)
    axes.clabel(drawn, fontsize=8.5, fmt="%.2g")
    for place, (moved, value) in enumerate(lines.items()):
        needed = value if varied == "exposed" else 1.0 / value
        _line(axes, (p, g, factor), needed, PALETTE[place], f"{moved} reaches 1", solid=True)
    toward = benchmarks["bias_factor"].to_numpy(float)
    toward = toward if varied == "exposed" else 1.0 / toward
    for place, k in enumerate(np.argsort(-toward)[:_SHOWN]):
        if toward[k] > 1.0:
            like = f"as strong as {benchmarks['term'].iloc[k]}"
            _line(axes, (p, g, factor), toward[k], PALETTE[place + 2], like, solid=False)
    axes.axvline(held, color=LIGHT, linewidth=1.2, zorder=0)
    axes.set_yscale("log")
    ratio_ticks(axes.yaxis, 1.0, _STRONGEST)
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(1.0, _STRONGEST)
    name = f"{measure} " if title == measure else f"{title}: {measure} "
    other = "unexposed" if varied == "exposed" else "exposed"
    axes.set_xlabel(f"Confounder's prevalence in the {varied} ({other}: {held:g})")
    axes.set_ylabel("Confounder's effect (ratio)")
    words = in_lines(f"{name}{estimate:.2f}, contours: what is left")
    axes.set_title(as_text(words), fontsize=11)
    axes.legend(**legend_below(2), labelcolor=INK)
    return plain_axes(axes)


def _line(
    axes: Axes,
    surface: tuple[np.ndarray, np.ndarray, np.ndarray],
    value: float,
    shade: str,
    name: str,
    *,
    solid: bool,
) -> None:
    """One contour of the bias factor with its entry in the legend; none where it lies beyond."""
    p, g, factor = surface
    style = "-" if solid else (0, (5, 2))
    reached = bool(np.isfinite(value)) and 1.0 < value <= float(factor.max())
    note = "" if reached else (" (already)" if value <= 1.0 else " (beyond the axes)")
    axes.plot([], [], color=shade, linestyle=style, linewidth=2.2, label=as_text(name + note))
    if reached:
        axes.contour(p, g, factor, levels=[value], colors=shade, linestyles=[style], linewidths=2.2)
