"""A table of texts as a figure, for slides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.style import INK, MUTED, as_text, ax_or_new

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["text_table"]

_ROW = 0.26  # inches a row
_CHARACTER = 0.075  # inches a character
_GAP = 3  # characters between columns


def text_table(shown: pd.DataFrame, *, title: str = "", ax: Axes | None = None) -> Axes:
    """Write a table of texts, left-aligned, with a rule under its head.

    Parameters
    ----------
    shown : DataFrame
        Texts.
    title : str
    ax : Axes, optional
        Where to draw; by default on a new figure.
    """
    widths = np.array(
        [
            max([len(str(name)), *(len(str(cell)) for cell in shown[name])]) + _GAP
            for name in shown.columns
        ]
    )
    rows = len(shown) + 1
    axes = ax_or_new(ax, figsize=(max(4.0, _CHARACTER * widths.sum()), 0.6 + _ROW * rows))
    starts = np.concatenate([[0.0], np.cumsum(widths)[:-1]])
    for x, name in zip(starts, shown.columns, strict=True):
        axes.text(x, 0.0, as_text(str(name)), fontweight="bold", fontsize=9, color=INK, va="center")
        for row, cell in enumerate(shown[name], start=1):
            axes.text(x, -float(row), as_text(str(cell)), fontsize=9, color=INK, va="center")
    axes.plot([0.0, float(widths.sum())], [-0.5, -0.5], color=MUTED, linewidth=0.9)
    axes.set_xlim(0.0, float(widths.sum()))
    axes.set_ylim(-rows, 0.7)
    axes.set_title(as_text(title), loc="left", fontsize=10)
    axes.axis("off")
    return axes
