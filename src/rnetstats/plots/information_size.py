"""Patients that a meta-analysis requires, over the risk of the controls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from rnetstats.formatting import fmt_count
from rnetstats.plots.style import (
    MUTED,
    as_text,
    ax_or_new,
    colour,
    percent_ticks,
    plain_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["required_information"]

_TICKS = (1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)


def required_information(
    curve: pd.DataFrame,
    table: pd.DataFrame,
    *,
    there: float,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw a line each diversity, the sizes asked for as points, and what is there as a level.

    Parameters
    ----------
    curve, table : DataFrame
        ``control_risk, diversity, patients``: a fine grid, and the rows asked for.
    there : float
        Patients in the studies; missing if not known.
    title : str
        Of the legend.
    ax : Axes, optional
        Where to draw; a new figure without.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(7.2, 4.6))
    for index, spread in enumerate(dict.fromkeys(curve["diversity"])):
        line, dots = (frame[frame["diversity"] == spread] for frame in (curve, table))
        label = "No heterogeneity" if spread == 0.0 else f"Diversity {100.0 * spread:.3g} %"
        axes.plot(line["control_risk"], line["patients"], color=colour(index), lw=1.8, label=label)
        axes.plot(dots["control_risk"], dots["patients"], "o", color=colour(index), ms=6)
    axes.set_xscale("log")
    axes.set_yscale("log")
    if not np.isnan(there):
        axes.axhline(
            there,
            color=MUTED,
            lw=1.2,
            ls=(0, (4, 3)),
            label=f"In the studies: {fmt_count(there)}",
        )
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in _TICKS if low <= tick <= high])
    axes.xaxis.set_minor_formatter(NullFormatter())
    percent_ticks(axes.xaxis)
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(lambda value, _: fmt_count(round(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("Risk of the controls (log scale)")
    axes.set_ylabel("Patients required (log scale)")
    axes.legend(frameon=False, fontsize=9.5, title=as_text(title), title_fontsize=9.5)
    plain_axes(axes, grid="y")
    return axes
