"""The law of right-truncated intervals, with the naive one beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.plots.style import (
    MUTED,
    as_text,
    ax_or_new,
    colour,
    legend_below,
    legend_beside,
    legend_is_beside,
    legend_room,
    percent_ticks,
    plain_axes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["truncated_law"]

_MOST_BANDS = 2


def truncated_law(
    curves: pd.DataFrame,
    naive: pd.DataFrame,
    *,
    within: float,
    labels: Mapping[str, str],
    names: Mapping[str, str] | None = None,
    conf_level: float = 0.95,
    band: bool | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the share with the event over the interval, corrected (lines) and naive (dashed).

    Parameters
    ----------
    curves : DataFrame
        ``group, time, probability, conf_low, conf_high``.
    naive : DataFrame
        ``group, time, probability``.
    within : float
        The condition, where the axis ends.
    labels : mapping
        ``time`` and ``group``.
    names : mapping, optional
        What to call the groups.
    conf_level : float
    band : bool, optional
        Draw the limits; by default for up to two groups.
    ax : Axes, optional
        Where to draw; a new figure without.

    Returns
    -------
    Axes
    """
    groups = list(dict.fromkeys(curves["group"]))
    called = names or {}
    shown = len(groups) <= _MOST_BANDS if band is None else band
    texts = [f"{as_text(str(called.get(group, group)))}, corrected" for group in groups]
    beside, tall = legend_room([*texts, *texts], len(groups))  # each has a naive curve, too
    axes = ax_or_new(ax, figsize=(7.2 + beside, max(4.8, tall)))
    for index, group in enumerate(groups):
        curve, plain = (frame[frame["group"] == group] for frame in (curves, naive))
        label = "" if len(groups) == 1 else f"{as_text(str(called.get(group, group)))}, "
        look: dict[str, Any] = {"where": "post", "color": colour(index)}
        if shown:
            axes.fill_between(
                curve["time"],
                # the last limits hold up to the longest interval, which has none of its own
                curve["conf_low"].ffill(),
                curve["conf_high"].ffill(),
                step="post",
                color=colour(index),
                alpha=0.16,
                linewidth=0,
            )
        axes.step(
            *_steps(curve, within),
            lw=1.9,
            label=f"{label}corrected" if label else "Corrected",
            **look,
        )
        dashed = (0, (3, 2))
        axes.step(
            *_steps(plain, within),
            lw=1.2,
            linestyle=dashed,
            label=f"{label}naive" if label else "Naive",
            **look,
        )
    if shown:
        axes.fill_between(
            [], [], [], color=MUTED, alpha=0.25, linewidth=0, label=f"{100 * conf_level:g} % limits"
        )
    axes.set_xlim(0.0, within * 1.01 or 1.0)
    axes.set_ylim(-0.02, 1.02)
    percent_ticks(axes.yaxis)
    axes.set_xlabel(as_text(labels["time"]))
    axes.set_ylabel(f"Share of those with the event\nwithin {within:.4g} who had it by then")
    if legend_is_beside(len(groups)):
        handles, texts = axes.get_legend_handles_labels()
        texts, place = legend_beside(texts)
        axes.legend(handles, texts, frameon=False, fontsize=9.5, **place)
    else:
        axes.legend(**legend_below(3 if len(groups) == 1 else 2, drop=0.15))
    plain_axes(axes, grid="y")
    return axes


def _steps(curve: pd.DataFrame, within: float) -> tuple[np.ndarray, np.ndarray]:
    """A rising step curve from (0, 0) to the end of the axis."""
    time = np.concatenate([[0.0], curve["time"], [within]])
    share = np.concatenate([[0.0], curve["probability"], [curve["probability"].iloc[-1]]])
    return time, share
