"""Digitised survival curves with those of the pseudo-patients over them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.formatting import fmt_count
from rnetstats.plots.risk_table import ROW, make_room, risk_table_below
from rnetstats.plots.style import INK, as_text, ax_or_new, colour, line_style
from rnetstats.plots.survival_axis import survival_axis

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["overlaid_curves"]


def overlaid_curves(
    curve: pd.DataFrame,
    groups: pd.DataFrame,
    at_risk: pd.DataFrame,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw the points as dots, the reconstructed curves as steps, and the numbers reached.

    Parameters
    ----------
    curve : DataFrame
        ``group, time, survival, reconstructed``.
    groups : DataFrame
        ``group, n, n_events, largest_distance``.
    at_risk : DataFrame
        ``group, time, reached``: the numbers below the axis.
    ax : Axes, optional
        Where to draw; a new figure without.

    Returns
    -------
    Axes
    """
    names = [as_text(str(group)) for group in groups["group"]]
    axes = ax_or_new(ax, figsize=(7.2, 4.2 + ROW * (len(names) + 2)))
    single = len(names) == 1
    for index, (row, name) in enumerate(zip(groups.to_dict("records"), names, strict=True)):
        part = curve[curve["group"] == row["group"]]
        counts = f"{fmt_count(row['n'])} patients, {fmt_count(row['n_events'])} events"
        axes.step(
            part["time"],
            part["reconstructed"],
            where="post",
            color=colour(index),
            linestyle=line_style(index),
            lw=1.8,
            zorder=2.0,
            label=f"{'Reconstructed' if single else name} ({counts})",
        )
        axes.plot(part["time"], part["survival"], ".", color=INK, ms=3.2, alpha=0.7, zorder=3.0)
    axes.plot([], [], ".", color=INK, ms=5.0, label="Digitised points")
    axes.set_xlabel("Time")
    axes.set_ylabel("Survival")
    axes.set_xlim(0.0, float(curve["time"].max()) * 1.02)
    low = float(min(curve["survival"].min(), curve["reconstructed"].min()))
    survival_axis(axes, 0.0 if low < 0.75 else float(np.floor((low - 0.02) * 20.0) / 20.0))
    gap = f"Largest distance {float(groups['largest_distance'].max()):.2g}"
    look: dict[str, Any] = {"loc": "lower left" if low > 0.45 else "upper right", "title": gap}
    look |= {"frameon": False, "fontsize": 9.5, "title_fontsize": 9.5, "alignment": "left"}
    axes.legend(**look)
    times = np.unique(at_risk["time"])
    if len(times) > 1:
        axes.set_xticks(_apart(times, axes.get_xlim()[1]))
        shown = at_risk.assign(group=[as_text(str(group)) for group in at_risk["group"]])
        shown = shown[shown["time"].isin(axes.get_xticks())]
        risk_table_below(axes, shown.assign(n_risk=shown["reached"]), names)
        make_room(axes, names)
    return axes


def _apart(times: np.ndarray, end: float) -> np.ndarray:
    """Times far enough apart for their numbers, going on by the last step to the axis' end."""
    step = float(times[-1] - times[-2])
    kept = [float(times[0])]
    for time in [*times[1:], *np.arange(times[-1] + step, end, step)]:
        if time - kept[-1] >= end / 14.0:
            kept.append(float(time))
    return np.array(kept)
