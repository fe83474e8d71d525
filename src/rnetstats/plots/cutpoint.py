"""Cut-offs: the statistic at each, how often each is chosen, and what a printed one could be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats.formatting import inside
from rnetstats.plots.style import (
    INK,
    LINE_STYLES,
    MUTED,
    PALETTE,
    as_text,
    ax_or_new,
    percent_ticks,
    plain_axes,
    title_above,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["cut_candidates", "cut_distribution", "risk_functions", "statistic_curve"]

_BARS = 45  # distinct cut-offs above which they are binned


def statistic_curve(
    curve: pd.DataFrame,
    *,
    chosen: float,
    label: str,
    statistic: str,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the statistic of every cut-off.

    Parameters
    ----------
    curve : DataFrame
        ``cut, statistic``.
    chosen : float
    label, statistic, title : str
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(6.4, 4.0))
    many = len(curve) > 60
    axes.plot(
        curve["cut"],
        curve["statistic"],
        color=PALETTE[0],
        linewidth=1.6,
        marker="" if many else "o",
        markersize=4,
        zorder=3,
    )
    axes.axvline(chosen, color=PALETTE[1], linewidth=1.4, linestyle=(0, (6, 2)), zorder=2)
    axes.set_xlabel(as_text(f"Cut-off of {inside(label)}"))
    axes.set_ylabel(as_text(statistic))
    title_above(axes, as_text(title), fontsize=11, loc="left")
    return plain_axes(axes, grid="y")


def cut_distribution(
    table: pd.DataFrame, *, chosen: float, label: str, ax: Axes | None = None
) -> Axes:
    """Draw the share of resamples that chose each cut-off.

    Parameters
    ----------
    table : DataFrame
        ``cut, share``.
    chosen : float
    label : str
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(6.4, 3.6))
    cut, share = table["cut"].to_numpy(float), table["share"].to_numpy(float)
    if len(table) > _BARS:
        height, edges = np.histogram(cut, bins=_BARS, weights=share)
        axes.bar(edges[:-1], height, width=np.diff(edges), align="edge", color=PALETTE[5])
    else:
        width = 0.8 * np.diff(cut).min() if len(cut) > 1 else 0.5
        axes.bar(cut, share, width=width, color=PALETTE[5])
    axes.axvline(chosen, color=PALETTE[1], linewidth=1.4, linestyle=(0, (6, 2)))
    percent_ticks(axes.yaxis)
    axes.set_xlabel(as_text(f"Cut-off of {inside(label)} (dashed: on all rows)"))
    axes.set_ylabel("Resamples")
    return plain_axes(axes, grid="y")


def cut_candidates(table: pd.DataFrame, *, cut: float, label: str, ax: Axes | None = None) -> Axes:
    """Draw the values that a cut-off could have been, and the printed one.

    Parameters
    ----------
    table : DataFrame
        ``candidate, basis, value``.
    cut : float
    label : str
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(6.4, 0.9 + 0.42 * len(table)))
    place = np.arange(len(table))[::-1]
    axes.plot(table["value"], place, linestyle="", marker="o", markersize=8, color=PALETTE[0])
    axes.axvline(cut, color=PALETTE[1], linewidth=1.4, linestyle=(0, (6, 2)))
    for value, height in zip(table["value"], place, strict=True):
        axes.annotate(
            f"{value:.10g}",
            (value, height),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=INK,
        )
    names = [f"{c} (by {b})" for c, b in zip(table["candidate"], table["basis"], strict=True)]
    axes.set_yticks(place, [as_text(name) for name in names])
    axes.set_ylim(-0.6, len(table) - 0.3)
    axes.margins(x=0.15)
    axes.set_xlabel(as_text(f"{label} (dashed: the cut-off as printed, {cut:.10g})"))
    return plain_axes(axes)


def risk_functions(
    curves: pd.DataFrame, *, label: str, outcome: str, ax: Axes | None = None
) -> Axes:
    """Draw the fitted risk along a marker, a line a model.

    Parameters
    ----------
    curves : DataFrame
        ``model, x, risk``.
    label, outcome : str
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(6.4, 4.0))
    for index, (name, part) in enumerate(curves.groupby("model", sort=False)):
        axes.plot(
            part["x"],
            part["risk"],
            color=PALETTE[index],
            linestyle=LINE_STYLES[index],
            linewidth=1.9,
            label=as_text(str(name)),
        )
    axes.set_ylim(bottom=0.0)
    percent_ticks(axes.yaxis)
    axes.set_xlabel(as_text(label))
    axes.set_ylabel(as_text(f"Risk of {inside(outcome)}"))
    axes.legend(frameon=False, labelcolor=INK)
    axes.xaxis.label.set_color(MUTED)
    return plain_axes(axes, grid="y")
