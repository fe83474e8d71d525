"""Which coefficients are finite and which run to infinity: a dot or an arrow each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.style import INK, MUTED, PALETTE, ax_or_new, plain_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["directions_plot"]

_ENDS = {"+inf": (1.0,), "-inf": (-1.0,), "either": (1.0, -1.0), "finite": ()}


def directions_plot(
    names: Sequence[str], directions: Sequence[str], *, ax: Axes | None = None
) -> Axes:
    """Draw one line a coefficient, top to bottom.

    Parameters
    ----------
    names : sequence of str
    directions : sequence of str
        "finite", "+inf", "-inf" or "either".
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    count = len(names)
    axes = plain_axes(ax_or_new(ax, figsize=(5.6, 1.0 + 0.34 * max(count, 1))))
    place = np.arange(count)[::-1]
    axes.axvline(0.0, color=MUTED, linewidth=0.9, zorder=1)
    for y, direction in zip(place, directions, strict=True):
        for end in _ENDS[direction]:
            axes.annotate(
                "",
                xy=(end, y),
                xytext=(0.0, y),
                arrowprops={"arrowstyle": "-|>", "color": PALETTE[1], "linewidth": 1.6},
            )
        if not _ENDS[direction]:
            axes.plot(0.0, y, marker="o", color=PALETTE[0])
    axes.set_xlim(-1.1, 1.1)
    axes.set_ylim(-0.7, count - 0.3)
    axes.set_yticks(place, list(names))
    axes.set_xticks([-1.0, 0.0, 1.0], ["−∞", "finite", "+∞"])
    axes.tick_params(axis="y", length=0, colors=INK)
    axes.set_xlabel("maximum-likelihood coefficient")
    return axes
