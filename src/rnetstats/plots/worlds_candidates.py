"""2x2 tables on the scale of the odds ratio, against what is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.plots.intervals import draw_intervals
from rnetstats.plots.ratio_axis import ratio_ticks
from rnetstats.plots.style import INK, MUTED, ax_or_new, colour, plain_axes
from rnetstats.plots.worlds_bands import MOST_DRAWN, band_starts
from rnetstats.plots.worlds_counts import draw_nothing

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["draw_candidates"]

_MOST_LINES = 20


def draw_candidates(
    tables: pd.DataFrame,
    *,
    printed: Mapping[str, float],
    fits: bool,
    conf_level: float,
    nothing: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw odds ratio and limits of each table; the printed ones are vertical lines.

    Of more than 20 tables there is a thin line each, of thousands 500 bands: as far as the limits
    of the tables in it go, and inside, darker, as far as their odds ratios do.

    Parameters
    ----------
    tables : DataFrame
        ``events_1, n_1, events_2, n_2, added, odds_ratio, conf_low, conf_high``.
    printed : mapping
        ``odds_ratio`` and, if printed, ``conf_low``, ``conf_high``.
    fits : bool
        Whether the tables reproduce the figures, or only come nearest.
    conf_level : float
    nothing : str
        What to say when there is no table.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    if tables.empty:
        return draw_nothing(nothing, ax)
    limits = f"{100 * conf_level:g} % limits"
    kind = "tables that fit" if fits else "nearest tables, none fits"
    label = f"Odds ratio, {limits} ({kind})"
    if len(tables) <= _MOST_LINES:
        words = [_words(row) for row in tables.to_dict("records")]
        rows = tables.assign(label=words, estimate=tables["odds_ratio"])
        axes = draw_intervals(rows, ax=ax, log=True, xlabel=label)
    else:
        axes = _many(ax_or_new(ax, figsize=(7.5, 4.8)), tables, colour(0) if fits else MUTED)
        axes.set_xlabel(label)
    for name, style in (("odds_ratio", "-"), ("conf_low", ":"), ("conf_high", ":")):
        if printed.get(name, 0.0) > 0.0:
            axes.axvline(printed[name], color=INK, lw=1.0, ls=style, zorder=1.0)
    if len(tables) > _MOST_LINES:
        ends = axes.get_xlim()
        ratio_ticks(axes.xaxis, *ends)
        axes.set_xlim(*ends)
    return axes


def _many(axes: Axes, tables: pd.DataFrame, shade: str) -> Axes:
    """Draw tables one above the other by the size of group 1, as lines or as bands."""
    count = len(tables)
    order = np.lexsort((tables["events_1"], tables["n_1"]))
    low, middle, high = (
        tables[name].to_numpy(float)[order] for name in ("conf_low", "odds_ratio", "conf_high")
    )
    if count <= MOST_DRAWN:
        place = np.arange(count)
        axes.hlines(place, low, high, color=shade, lw=max(0.2, min(2.0, 120.0 / count)))
    else:
        starts = band_starts(count)
        for left, right, alpha in ((low, high, 0.35), (middle, middle, 1.0)):
            sides = np.minimum.reduceat(left, starts), np.maximum.reduceat(right, starts)
            axes.fill_betweenx(starts, *sides, step="post", color=shade, alpha=alpha, lw=0.0)
    axes.set_xscale("log")
    axes.set_yticks([])
    axes.set_ylabel(f"{count:,} tables, by size of group 1")
    return plain_axes(axes, grid="x")


def _words(row: Mapping[Any, Any]) -> str:
    text = f"{row['events_1']:,.0f}/{row['n_1']:,.0f} vs {row['events_2']:,.0f}/{row['n_2']:,.0f}"
    return text + (" (+ 0.5)" if row["added"] else "")
