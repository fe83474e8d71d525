"""Counts that a printed percentage can come from, with their exact limits."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.plots.intervals import draw_intervals
from rnetstats.plots.style import (
    INK,
    MUTED,
    as_text,
    ax_or_new,
    colour,
    percent_ticks,
    plain_axes,
)
from rnetstats.plots.worlds_bands import MOST_DRAWN, band_starts

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["draw_counts", "draw_nothing"]

_MOST_LINES = 25


def draw_counts(
    worlds: pd.DataFrame,
    *,
    percent: float,
    conf_level: float,
    nothing: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the limits of each count: one line a count, or a band over the patients when many.

    Parameters
    ----------
    worlds : DataFrame
        ``events, n_low, n_high, conf_low, conf_high``.
    percent : float
        As printed.
    conf_level : float
    nothing : str
        What to say when there are none.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    if worlds.empty:
        return draw_nothing(nothing, ax)
    limits = f"{100 * conf_level:g} % limits"
    if len(worlds) <= _MOST_LINES:
        label = [_words(row) for _, row in worlds.iterrows()]
        axes = draw_intervals(
            worlds.assign(label=label, estimate=percent / 100.0),
            ax=ax,
            xlabel=f"Share of patients, exact {limits}",
        )
        axes.set_xlim(-0.02, 1.02)
        percent_ticks(axes.xaxis)
        return axes
    axes = ax_or_new(ax)
    n = np.concatenate([worlds["n_low"], worlds["n_high"]])
    order = np.argsort(n, kind="stable")
    low = np.concatenate([worlds["conf_low"], worlds["conf_low"]])[order]
    high = np.concatenate([worlds["conf_high"], worlds["conf_high"]])[order]
    n = n[order]
    if len(n) > MOST_DRAWN:
        starts = band_starts(len(n))
        low, high = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
        n = np.append(n[starts[:-1]], n[-1])
    axes.fill_between(n, low, high, color=colour(0), alpha=0.25, lw=0.0, label=limits)
    axes.axhline(percent / 100.0, color=colour(0), lw=1.5, label=f"printed: {percent:g} %")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_xlabel("Patients")
    axes.set_ylabel("Share of patients")
    axes.set_ylim(bottom=0.0)
    percent_ticks(axes.yaxis)
    axes.legend(frameon=False, fontsize=9.5)
    return plain_axes(axes)


def draw_nothing(words: str, ax: Axes | None = None) -> Axes:
    """Say on empty axes that there is no possible world, and why.

    Parameters
    ----------
    words : str
    ax : Axes, optional
        Where to draw; by default on a new figure.
    """
    axes = ax_or_new(ax, figsize=(7.0, 2.6))
    axes.set_axis_off()
    place: dict[str, Any] = {"ha": "center", "transform": axes.transAxes}
    axes.text(0.5, 0.72, "No possible world", fontsize=13, color=INK, **place)
    told = as_text(fill(words, 72))
    axes.text(0.5, 0.55, told, va="top", fontsize=10, color=MUTED, **place)
    return axes


def _words(row: pd.Series) -> str:
    low, high = int(row["n_low"]), int(row["n_high"])
    sizes = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{int(row['events']):,} of {sizes}"
