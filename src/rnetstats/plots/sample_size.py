"""What each criterion of a sample size needs or allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.style import INK, PALETTE, as_text, ax_or_new, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["required_sizes"]


def required_sizes(table: pd.DataFrame, *, value: str, label: str, ax: Axes | None = None) -> Axes:
    """Draw a bar a criterion; the binding one stands out.

    Parameters
    ----------
    table : DataFrame
        ``criterion, binding`` and the column named by ``value``.
    value, label : str
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(7.2, 1.2 + 0.45 * len(table)))
    place = np.arange(len(table))[::-1]
    colours = [PALETTE[1] if binding else PALETTE[5] for binding in table["binding"]]
    bars = axes.barh(place, table[value], color=colours, height=0.6)
    labels = [
        f"{v:,.0f}" if v >= 100 or float(v).is_integer() else f"{v:.1f}" for v in table[value]
    ]
    axes.bar_label(bars, labels, padding=3, fontsize=9.5, color=INK)
    axes.set_yticks(place, [as_text(name) for name in table["criterion"]])
    axes.margins(x=0.12)
    axes.set_xlabel(as_text(label))
    return plain_axes(axes, grid="x")
