"""2x2 tables on the scale of the odds ratio, against what is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.plots.intervals import draw_intervals
from rnetstats.plots.style import INK, MUTED, ax_or_new, colour, plain_axes
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
        axes = ax_or_new(ax, figsize=(7.5, 4.8))
        shade = colour(0) if fits else MUTED
        order = np.lexsort((tables["events_1"], tables["n_1"]))
        place = np.arange(len(tables))
        low, high = (tables[name].to_numpy(float)[order] for name in ("conf_low", "conf_high"))
        axes.hlines(place, low, high, color=shade, lw=max(0.2, min(2.0, 120.0 / len(tables))))
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_yticks([])
        axes.set_ylabel(f"{len(tables):,} tables, by size of group 1")
        axes.set_xlabel(label)
        plain_axes(axes, grid="x")
    for name, style in (("odds_ratio", "-"), ("conf_low", ":"), ("conf_high", ":")):
        if printed.get(name, 0.0) > 0.0:
            axes.axvline(printed[name], color=INK, lw=1.0, ls=style, zorder=1.0)
    return axes


def _words(row: Mapping[Any, Any]) -> str:
    text = f"{row['events_1']:,.0f}/{row['n_1']:,.0f} vs {row['events_2']:,.0f}/{row['n_2']:,.0f}"
    return text + (" (+ 0.5)" if row["added"] else "")
