"""Coefficients before and after shrinkage."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.style import INK, LIGHT, MUTED, PALETTE, as_text, ax_or_new, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["before_and_after"]

_NAME = 34  # letters of a name's line


def before_and_after(table: pd.DataFrame, *, names: Sequence[str], ax: Axes | None = None) -> Axes:
    """Draw a row a coefficient, the fit's hollow and the shrunken one filled.

    Parameters
    ----------
    table : DataFrame
        Columns ``coef, shrunken``.
    names : sequence of str
        One a row.
    ax : Axes, optional
    """
    axes = ax_or_new(ax, figsize=(7.0, 0.38 * len(table) + 1.3))
    y = np.arange(len(table))[::-1]
    before, after = table["coef"].to_numpy(dtype=float), table["shrunken"].to_numpy(dtype=float)
    axes.hlines(y, np.minimum(before, after), np.maximum(before, after), color=LIGHT, linewidth=3)
    axes.plot(before, y, "o", mfc="white", mec=MUTED, markersize=7, label="fit")
    axes.plot(after, y, "o", color=PALETTE[0], markersize=6, label="shrunken")
    axes.axvline(0.0, color=INK, linewidth=0.9)
    axes.set_yticks(y, [as_text(textwrap.fill(name, _NAME)) for name in names])
    axes.set_ylim(-0.6, len(table) - 0.4)
    axes.set_xlabel("Log odds ratio")
    axes.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1.0, 1.0), fontsize=10)
    return plain_axes(axes, grid="x")
