"""Influence of studies: residuals without each, marked by how far they move the pooled effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.style import INK, LIGHT, LINE, PALETTE, ax_or_new, plain_axes, row_labels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["influence_dots"]

_SMALLEST, _LARGEST = 4.0, 13.0  # points across


def influence_dots(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw one studentised residual a study, larger with Cook's distance.

    Parameters
    ----------
    rows : DataFrame
        ``study, rstudent, cook_d, influential``, top to bottom.
    ax : Axes, optional
        Where to draw; by default on a new figure.
    """
    labels, lines = row_labels(rows["study"])
    axes = ax_or_new(ax, figsize=(7.0, (0.28 + LINE * (lines - 1)) * len(rows) + 1.5))
    place = np.arange(len(rows))[::-1]
    residual = rows["rstudent"].to_numpy(dtype=float)
    cook = rows["cook_d"].to_numpy(dtype=float)
    flagged = rows["influential"].to_numpy(dtype=bool)
    size = _SMALLEST + (_LARGEST - _SMALLEST) * np.sqrt(cook / (cook.max() or 1.0))
    axes.axvspan(-1.96, 1.96, color=LIGHT, alpha=0.6, linewidth=0, zorder=0)
    axes.axvline(0.0, color=INK, linewidth=0.8, zorder=1)
    for chosen, shade, name in ((~flagged, PALETTE[0], ""), (flagged, PALETTE[1], "influential")):
        if chosen.any():
            axes.scatter(
                residual[chosen],
                place[chosen],
                s=np.square(size[chosen]),
                color=shade,
                zorder=3,
                label=name or "not influential",
            )
    axes.set_yticks(place, labels)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    widest = max(3.0, 1.15 * float(np.abs(residual).max()))
    axes.set_xlim(-widest, widest)
    axes.set_xlabel("Studentised residual without the study\n(area: Cook's distance; grey: ±1.96)")
    if flagged.any():
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=2,
            frameon=False,
            fontsize=9,
            markerscale=0.6,
            borderaxespad=0.2,
        )
    return plain_axes(axes)
