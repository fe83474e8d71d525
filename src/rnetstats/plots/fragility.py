"""How P changes with the outcomes of single patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from rnetstats.plots.style import MUTED, as_text, ax_or_new, colour, plain_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["fragility_path"]


def fragility_path(
    changed: np.ndarray,
    p_value: np.ndarray,
    *,
    alpha: float,
    arm: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw P over the number of outcomes changed, and the level that is crossed.

    Parameters
    ----------
    changed, p_value : array of shape (k,)
    alpha : float
    arm : str
        Label of the horizontal axis.
    ax : Axes, optional
        Where to draw; a new figure without.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(6.2, 4.0))
    axes.axhline(alpha, color=MUTED, lw=1.0, ls=(0, (4, 3)), zorder=1.0)
    axes.annotate(
        f"{alpha:g}",
        (1.0, alpha),
        xycoords=("axes fraction", "data"),
        xytext=(3, -3),
        textcoords="offset points",
        color=MUTED,
        fontsize=9.5,
    )
    axes.plot(changed, p_value, "o-", color=colour(0), lw=1.5, ms=6)
    axes.set_yscale("log")
    low = min(float(p_value[p_value > 0].min(initial=1.0)), alpha)
    axes.set_ylim(low / 2.0, 1.2)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(as_text(arm[:1].upper() + arm[1:]))
    axes.set_ylabel("P")
    plain_axes(axes)
    return axes
