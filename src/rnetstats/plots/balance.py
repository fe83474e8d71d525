"""Balance between groups: standardised differences as dots, and shares as stacked bars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from rnetstats.plots.style import (
    INK,
    MUTED,
    as_text,
    ax_or_new,
    colour,
    plain_axes,
)

__all__ = ["draw_balance", "draw_shares"]

_LINE = 96  # letters of a legend's line in a figure of the usual width
_NARROW = 0.06


def draw_balance(
    rows: pd.DataFrame,
    *,
    ax: Axes | None = None,
    threshold: float | None = 0.1,
) -> Axes:
    """Draw absolute standardised mean differences, the largest at the top.

    Parameters
    ----------
    rows : DataFrame
        Columns variable, label, pair, smd; one row a variable and pair of groups. Infinite
        differences are arrows at the right edge; a variable without any has a dash instead.
    ax : Axes, optional
        Where to draw; a new figure without.
    threshold : float or None
        Where to draw a dashed line.

    Returns
    -------
    Axes
    """
    size = rows["smd"].astype(float).abs()
    largest = size.groupby(rows["variable"], sort=False).max().fillna(-1.0)
    order = largest.sort_values(kind="stable").index
    labels = rows.drop_duplicates("variable").set_index("variable")["label"]
    height = {name: i for i, name in enumerate(order)}
    pairs = rows["pair"].unique().tolist()
    ax = ax_or_new(ax, figsize=(7.0, 0.3 * len(order) + 1.3 + 0.2 * len(pairs)))
    finite = size[np.isfinite(size)]
    edge = 1.12 * max([*finite.tolist(), threshold or 0.0, 0.05])
    for i, pair in enumerate(pairs):
        part = rows[rows["pair"] == pair]
        x = size[part.index].to_numpy()
        y = np.array([height[name] for name in part["variable"]], dtype=float)
        _dots(ax, x, y, edge, i, as_text(str(pair)))
    for name in order[largest[order].to_numpy() < 0.0]:
        ax.text(0.01 * edge, height[name], "–", color=MUTED, va="center")
    if threshold is not None:
        ax.axvline(threshold, color=MUTED, lw=1.0, ls=(0, (4, 3)), zorder=1.0)
    ax.set_yticks(range(len(order)), [as_text(str(labels[name])) for name in order])
    ax.set_ylim(-0.7, len(order) - 0.3)
    ax.set_xlim(0.0, 1.03 * edge)
    ax.set_xlabel("Absolute standardised mean difference")
    plain_axes(ax, grid="y")
    if len(pairs) > 1:
        _legend_above(ax, pairs)
    return ax


def _dots(ax: Axes, x: np.ndarray, y: np.ndarray, edge: float, index: int, label: str) -> None:
    """The differences of one pair of groups; arrows for infinite ones."""
    inside, beyond = np.isfinite(x), np.isinf(x)
    shade = colour(index)
    ax.plot(x[inside], y[inside], "o", color=shade, ms=6, mew=0.0, label=label, zorder=3.0)
    ax.plot(np.full(int(beyond.sum()), edge), y[beyond], ">", color=shade, ms=7, zorder=3.0)
    for at in y[beyond]:
        ax.annotate(
            "∞",
            (edge, at),
            xytext=(-8, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            color=INK,
            fontsize=11,
        )


def draw_shares(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw each group's shares of the outcomes as one stacked bar.

    Parameters
    ----------
    rows : DataFrame
        Columns group, outcome, n, share; groups and outcomes in their order.
    ax : Axes, optional
        Where to draw; a new figure without.

    Returns
    -------
    Axes
    """
    groups = rows["group"].unique().tolist()
    outcomes = rows["outcome"].unique().tolist()
    ax = ax_or_new(ax, figsize=(7.0, 0.5 * len(groups) + 1.6))
    left = np.zeros(len(groups))
    at = np.arange(len(groups))[::-1]
    for i, outcome in enumerate(outcomes):
        part = rows[rows["outcome"] == outcome]
        share = part["share"].to_numpy(float)
        name = as_text(str(outcome))
        ax.barh(
            at,
            share,
            left=left,
            height=0.62,
            color=colour(i),
            alpha=0.85,
            edgecolor="white",
            label=name,
        )
        for y, x, width, n in zip(at, left, share, part["n"], strict=True):
            if width >= _NARROW:
                ax.text(x + width / 2.0, y, str(n), ha="center", va="center", color=INK, size=9)
        left += share
    totals = rows.groupby("group", sort=False)["n"].sum()
    ax.set_yticks(at, [as_text(f"{group} (n = {totals[group]})") for group in groups])
    ax.set_xlim(0.0, 1.0)
    ax.set_xlabel("Share of the group")
    plain_axes(ax)
    _legend_above(ax, outcomes)
    return ax


def _legend_above(ax: Axes, entries: list[Any]) -> None:
    """A legend that hides nothing, with as many columns as the figure is wide."""
    fit = _LINE // (max(len(str(entry)) for entry in entries) + 6)
    ax.legend(
        frameon=False,
        fontsize="small",
        ncols=max(1, min(3, len(entries), fit)),
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
    )
