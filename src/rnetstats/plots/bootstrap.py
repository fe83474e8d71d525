"""Bootstrap replicates, and the limits that each method takes from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rnetstats.plots.style import INK, MUTED, PALETTE, ax_or_new, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["replicate_histogram"]

_ROW = 0.09  # of the height of the bars, for each method below them


def replicate_histogram(
    replicates: NDArray[np.float64],
    limits: pd.DataFrame,
    *,
    share: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw a histogram of replicates, with a line for each method's limits below it.

    Parameters
    ----------
    replicates : array of shape (R,)
    limits : DataFrame
        ``method, estimate, conf_low, conf_high``.
    share : str
        The level of confidence, in words.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(6.4, 4.2))
    bars = int(np.clip(np.sqrt(len(replicates)), 10, 40))
    heights, _, _ = axes.hist(replicates, bins=bars, color=PALETTE[5], edgecolor="white")
    top = float(np.max(heights))
    axes.axvline(limits["estimate"].iloc[0], color=INK, linewidth=1.2)
    known = limits.dropna(subset=["conf_low", "conf_high"])
    for place, row in enumerate(known.to_dict("records"), start=1):
        y = -place * _ROW * top
        axes.plot([row["conf_low"], row["conf_high"]], [y, y], color=PALETTE[0], linewidth=2.2)
        axes.annotate(
            row["method"],
            (row["conf_high"], y),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=MUTED,
        )
    axes.set_ylim(-(len(known) + 0.8) * _ROW * top, 1.08 * top)
    axes.set_yticks([tick for tick in axes.get_yticks() if 0 <= tick <= 1.08 * top])
    axes.margins(x=0.12)
    axes.set_xlabel(f"Replicates of the statistic; line: estimate, bars below: {share} limits")
    axes.set_ylabel("Resamples")
    return plain_axes(axes)
