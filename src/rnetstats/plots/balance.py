"""Balance between groups: standardised differences as dots, and shares as stacked bars."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

__all__ = ["draw_balance", "draw_shares"]

_COLOURS = ("#30506d", "#c2703d", "#4f8a5b", "#8a5a83", "#b59b3b", "#6f7d86")


def draw_balance(
    rows: pd.DataFrame, *, ax: Axes | None = None, threshold: float | None = 0.1
) -> Axes:
    """Draw absolute standardised mean differences, the largest at the top.

    Parameters
    ----------
    rows : DataFrame
        Columns variable, label, pair, smd; one row a variable and pair of groups. Infinite
        differences are drawn as triangles at the right edge, missing ones left out.
    ax : Axes, optional
        Where to draw; a new figure without.
    threshold : float or None
        Where to draw a dashed line.

    Returns
    -------
    Axes
    """
    size = rows["smd"].astype(float).abs()
    order = size.groupby(rows["variable"]).max().sort_values().index
    labels = rows.drop_duplicates("variable").set_index("variable")["label"]
    height = {name: i for i, name in enumerate(order)}
    if ax is None:
        _, ax = plt.subplots(figsize=(6.5, 0.28 * len(order) + 1.2), layout="constrained")
    finite = size[np.isfinite(size)]
    edge = 1.08 * max([*finite.tolist(), threshold or 0.0, 0.05])
    pairs = rows["pair"].unique().tolist()
    for i, pair in enumerate(pairs):
        part = rows[rows["pair"] == pair]
        x = size[part.index].to_numpy()
        y = np.array([height[name] for name in part["variable"]], dtype=float)
        colour = _COLOURS[i % len(_COLOURS)]
        inside = np.isfinite(x)
        ax.plot(x[inside], y[inside], "o", color=colour, ms=5, label=str(pair))
        beyond = np.isinf(x)
        ax.plot(np.full(int(beyond.sum()), edge), y[beyond], ">", color=colour, ms=6)
    if threshold is not None:
        ax.axvline(threshold, color="0.5", lw=0.8, ls="--")
    ax.set_yticks(range(len(order)), [str(labels[name]) for name in order])
    ax.set_ylim(-0.7, len(order) - 0.3)
    ax.set_xlim(0.0, 1.02 * edge)
    ax.grid(axis="y", color="0.9", lw=0.6)
    ax.set_axisbelow(True)
    ax.set_xlabel("Absolute standardised mean difference")
    ax.spines[["top", "right"]].set_visible(False)
    if len(pairs) > 1:
        ax.legend(frameon=False, fontsize="small")
    return ax


def draw_shares(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw each group's shares of the outcomes as one stacked bar.

    Parameters
    ----------
    rows : DataFrame
        Columns group, outcome, share; groups and outcomes in their order.
    ax : Axes, optional
        Where to draw; a new figure without.

    Returns
    -------
    Axes
    """
    groups = rows["group"].unique().tolist()
    outcomes = rows["outcome"].unique().tolist()
    if ax is None:
        _, ax = plt.subplots(figsize=(6.5, 0.4 * len(groups) + 1.4), layout="constrained")
    left = np.zeros(len(groups))
    at = np.arange(len(groups))[::-1]
    for i, outcome in enumerate(outcomes):
        share = rows.loc[rows["outcome"] == outcome, "share"].to_numpy(float)
        ax.barh(at, share, left=left, color=_COLOURS[i % len(_COLOURS)], label=str(outcome))
        left += share
    ax.set_yticks(at, [str(group) for group in groups])
    ax.set_xlim(0.0, 1.0)
    ax.set_xlabel("Share of the group")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(
        frameon=False,
        fontsize="small",
        ncols=min(4, len(outcomes)),
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
    )
    return ax
