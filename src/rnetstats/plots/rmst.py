"""Restricted means: the areas under the curves, and their difference over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats.formatting import fmt_number, group_names, inside
from rnetstats.plots.style import (
    INK,
    MUTED,
    as_text,
    ax_or_new,
    colour,
    legend_place,
    line_style,
    plain_axes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["areas_under_curves", "difference_curve"]


def areas_under_curves(
    curves: pd.DataFrame,
    means: pd.DataFrame,
    *,
    tau: float,
    labels: Mapping[str, str],
    ax: Axes | None = None,
) -> Axes:
    """Draw survival curves with the areas under them up to tau.

    Parameters
    ----------
    curves : DataFrame
        ``group, time, survival``, from time 0 to tau.
    means : DataFrame
        ``group, rmst``.
    tau : float
    labels : mapping
        ``time``, ``event`` and ``group``.
    ax : Axes, optional
        Where to draw; by default on a new figure.
    """
    axes = ax_or_new(ax)
    named = group_names(means["group"])
    for index, (group, mean) in enumerate(zip(means["group"], means["rmst"], strict=True)):
        curve = curves[curves["group"] == group]
        time, survival = curve["time"].to_numpy(float), curve["survival"].to_numpy(float)
        axes.fill_between(time, 0.0, survival, step="post", color=colour(index), alpha=0.12)
        axes.step(
            time,
            survival,
            where="post",
            color=colour(index),
            linestyle=line_style(index),
            linewidth=1.9,
            label=as_text(f"{named.get(group, group)}: RMST {fmt_number(mean)}"),
        )
    axes.axvline(tau, color=MUTED, linewidth=0.9, linestyle=":")
    axes.set_xlim(0.0, tau * 1.02)
    axes.set_ylim(0.0, 1.02)
    axes.set_xlabel(as_text(labels["time"]))
    axes.set_ylabel(as_text(f"Free of {inside(labels['event'])}"))
    axes.set_title(f"Areas up to tau = {tau:g}", loc="left", fontsize=10, color=INK)
    title = as_text(labels["group"]) if named else None
    axes.legend(title=title, title_fontsize=9.5, **legend_place(len(means), "lower left"))
    return plain_axes(axes)


def difference_curve(
    table: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    conf_level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw differences of restricted means over tau with their pointwise band.

    Parameters
    ----------
    table : DataFrame
        ``group, reference, tau, estimate, conf_low, conf_high``.
    labels : mapping
        ``time`` and ``group``.
    conf_level : float
    ax : Axes, optional
        Where to draw; by default on a new figure.
    """
    axes = ax_or_new(ax)
    groups = list(dict.fromkeys(table["group"]))
    named = group_names([*groups, *table["reference"]])
    for index, group in enumerate(groups):
        part = table[table["group"] == group]
        pair = (str(group), str(part["reference"].iloc[0]))
        tau = part["tau"].to_numpy(float)
        low, high = (part[name].to_numpy(float) for name in ("conf_low", "conf_high"))
        axes.fill_between(tau, low, high, color=colour(index), alpha=0.15, linewidth=0)
        axes.plot(
            tau,
            part["estimate"],
            color=colour(index),
            linestyle=line_style(index),
            linewidth=1.9,
            label=as_text(" − ".join(named.get(name, name) for name in pair)),
        )
    axes.axhline(0.0, color=INK, linewidth=0.8)
    axes.set_xlim(0.0, float(np.max(table["tau"])))
    axes.set_xlabel(as_text(f"tau, {labels['time']}"))
    axes.set_ylabel("Difference of restricted means")
    axes.set_title(f"Pointwise {100 * conf_level:g} % limits", loc="left", fontsize=10, color=INK)
    title = as_text(labels["group"]) if named else None
    axes.legend(title=title, title_fontsize=9.5, **legend_place(len(groups), "best"))
    return plain_axes(axes)
