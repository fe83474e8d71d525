"""Figures of missing data: which values are missing together, chains, pooled estimates."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.style import INK, LIGHT, MUTED, PALETTE, as_text, ax_or_new, colour, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle

__all__ = ["chain_lines", "missing_map", "pooled_points"]


def missing_map(
    observed: np.ndarray,
    counts: np.ndarray,
    columns: list[str],
    missing: np.ndarray,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw a row a pattern: filled where a column is observed, open where it is missing.

    Parameters
    ----------
    observed : bool array of shape (patterns, columns)
        Top to bottom.
    counts : int array of shape (patterns,)
        Patients with each pattern, written to the right.
    columns : list of str
    missing : int array of shape (columns,)
        Patients without each column, written below.
    ax : Axes, optional
    """
    rows, width = observed.shape
    axes = ax_or_new(ax, figsize=(max(3.5, 1.8 + 0.6 * width), max(2.2, 1.6 + 0.34 * rows)))
    for i in range(rows):
        for j in range(width):
            face = PALETTE[5] if observed[i, j] else PALETTE[1]
            hatch = None if observed[i, j] else "////"
            axes.add_patch(_tile(j, rows - 1 - i, face, hatch))
        text = f"{int(counts[i]):,}"
        axes.text(width - 0.35, rows - 1 - i, text, va="center", ha="left", color=INK, fontsize=9)
    axes.plot([], [], marker="s", linestyle="", color=PALETTE[5], label="observed")
    axes.plot([], [], marker="s", linestyle="", color=PALETTE[1], label="missing")
    names = [as_text(f"{name} ({int(k)})") for name, k in zip(columns, missing, strict=True)]
    axes.set_xticks(range(width), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks([])
    axes.set_xlim(-0.5, width + 0.1)
    axes.set_ylim(-0.5, rows - 0.5)
    axes.set_ylabel("Patterns (patients at the right)")
    plain_axes(axes)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, fontsize=9)
    return axes


def _tile(x: float, y: float, face: str, hatch: str | None) -> Rectangle:
    from matplotlib.patches import Rectangle

    return Rectangle(
        (x - 0.44, y - 0.4), 0.88, 0.8, facecolor=face, edgecolor="white", hatch=hatch, linewidth=0
    )


def chain_lines(trace: pd.DataFrame, *, column: str, label: str, ax: Axes | None = None) -> Axes:
    """Draw the mean of a column's imputed values over the iterations, a line a chain.

    Parameters
    ----------
    trace : DataFrame
        Columns ``column, imputation, iteration, mean``.
    column, label : str
        Which column, and its printed name.
    ax : Axes, optional
    """
    axes = ax_or_new(ax, figsize=(6.0, 3.6))
    part = trace[trace["column"] == column]
    for place, (_, chain) in enumerate(part.groupby("imputation")):
        axes.plot(
            chain["iteration"],
            chain["mean"],
            color=colour(place),
            linewidth=1.0,
            alpha=0.75,
            marker="o",
            markersize=2.5,
        )
    axes.set_xlabel("Iteration")
    axes.set_ylabel(as_text(textwrap.fill(f"Mean of imputed {label}", 32)))
    axes.locator_params(axis="x", integer=True)
    return plain_axes(axes, grid="y")


def pooled_points(
    table: pd.DataFrame, estimates: np.ndarray, *, conf_level: float, ax: Axes | None = None
) -> Axes:
    """Draw the estimates of all imputations as faint points, the pooled ones with limits.

    Parameters
    ----------
    table : DataFrame
        Columns ``name, estimate, conf_low, conf_high``, top to bottom.
    estimates : array of shape (m, k)
    conf_level : float
    ax : Axes, optional
    """
    axes = ax_or_new(ax, figsize=(6.0, 1.4 + 0.45 * len(table)))
    place = np.arange(len(table))[::-1]
    for row in estimates:
        axes.plot(row, place, linestyle="", marker="|", color=MUTED, markersize=9, alpha=0.5)
    axes.hlines(place, table["conf_low"], table["conf_high"], color=PALETTE[0], linewidth=1.8)
    axes.plot(table["estimate"], place, linestyle="", marker="s", color=PALETTE[0], markersize=7)
    axes.set_yticks(place, [as_text(str(name)) for name in table["name"]])
    axes.set_ylim(-0.6, len(table) - 0.4)
    axes.axvline(0.0, color=LIGHT, linewidth=0.9, zorder=0.5)
    axes.set_xlabel(f"Estimate ({100 * conf_level:g} % CI; strokes: the imputations)")
    return plain_axes(axes, grid="x")
