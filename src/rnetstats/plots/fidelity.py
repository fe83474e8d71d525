"""How close a drawn cohort comes to what is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats.formatting import fmt_number
from rnetstats.plots.style import INK, MUTED, PALETTE, as_text, ax_or_new

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["fidelity_plot"]


def fidelity_plot(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw each drawn quantity as a share of the published one, with both numbers beside it.

    Parameters
    ----------
    rows : DataFrame
        ``quantity, published, drawn``, one row a quantity. A published zero has no share; its row
        shows the numbers only.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    count = len(rows)
    axes = ax_or_new(ax, figsize=(7.4, 1.0 + 0.34 * max(count, 1)))
    place = np.arange(count)[::-1]
    published = rows["published"].to_numpy(dtype=float)
    drawn = rows["drawn"].to_numpy(dtype=float)
    known = published != 0.0
    share = drawn[known] / published[known]
    axes.axvline(1.0, color=MUTED, linewidth=0.9, zorder=1)
    axes.plot(share, place[known], "o", color=PALETTE[0], markersize=6)
    reach = max(0.1, 1.15 * float(np.abs(share - 1.0).max(initial=0.0)))
    axes.set_xlim(1.0 - reach, 1.0 + reach)
    axes.set_ylim(-0.7, count - 0.3)
    axes.set_yticks(place, [as_text(str(name)) for name in rows["quantity"]])
    for y, one, other in zip(place, published, drawn, strict=True):
        text = f"{_number(other)} (print: {_number(one)})"
        axes.text(1.02, y, text, transform=axes.get_yaxis_transform(), va="center", color=INK)
    axes.set_xlabel("Drawn, as a share of the published figure")
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return axes


def _number(value: float) -> str:
    return fmt_number(value, 0 if value == round(value) else 1)
