"""P of every split of the events, and over the share of the time at risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator
from scipy.special import ndtr

from rnetstats.plots.style import (
    MUTED,
    ax_or_new,
    colour,
    percent_ticks,
    plain_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["draw_shares", "draw_splits"]

_LOOKS = (
    ("worse", "group 1 significantly worse", colour(1), "o"),
    ("better", "group 1 significantly better", colour(0), "s"),
    ("not significant", "not significant", MUTED, "o"),
)
_LOWEST = 1e-12  # the axis ends there: smaller P values are not told apart


def draw_splits(splits: pd.DataFrame, *, level: float, ax: Axes | None = None) -> Axes:
    """Draw Fisher's P over the events of group 1, on a log axis.

    Parameters
    ----------
    splits : DataFrame
        ``events_1, fisher_p, verdict``.
    level : float
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(7.2, 4.4))
    p = np.maximum(splits["fisher_p"].to_numpy(float), _LOWEST / 100.0)
    events = splits["events_1"].to_numpy(float)
    axes.plot(events, p, color=MUTED, lw=0.8, zorder=1.0)
    for verdict, label, shade, mark in _LOOKS:
        rows = (splits["verdict"] == verdict).to_numpy()
        if rows.any():
            size = 7.0 if len(splits) <= 40 else 4.0
            axes.plot(events[rows], p[rows], mark, color=shade, ms=size, label=label)
    _level_line(axes, level)
    axes.set_yscale("log")
    axes.set_ylim(max(min(p.min(), level) / 2.0, _LOWEST), 1.6)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(f"Events in group 1 (of {int(splits['events_1'].iloc[0] + _other(splits)):,})")
    axes.set_ylabel("P (Fisher, two-sided)")
    axes.legend(frameon=False, fontsize=9.5, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return plain_axes(axes)


def draw_shares(
    splits: pd.DataFrame, *, level: float, patients: float, ax: Axes | None = None
) -> Axes:
    """Draw the log-rank P over the share of the time at risk that group 1 holds.

    Parameters
    ----------
    splits : DataFrame
        ``events_1, events_2, share_logrank``: a line each, three at most.
    level : float
    patients : float
        Group 1's share of the patients, marked.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(7.2, 4.4))
    shares = np.linspace(0.005, 0.995, 397)
    for index, row in enumerate(splits.to_dict("records")):
        total = row["events_1"] + row["events_2"]
        z = (row["events_1"] - total * shares) / np.sqrt(total * shares * (1.0 - shares))
        label = f"{row['events_1']:.0f} : {row['events_2']:.0f}"
        axes.plot(shares, 2.0 * ndtr(-np.abs(z)), color=colour(index), lw=1.8, label=label)
        if row["share_logrank"] > 0.0:
            axes.plot([row["share_logrank"]], [level], "o", color=colour(index), ms=6)
    _level_line(axes, level)
    axes.axvline(patients, color=MUTED, lw=1.0, ls=(0, (1.5, 1.5)), zorder=1.0)
    axes.annotate(
        "share of patients",
        (patients, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(4, -2),
        textcoords="offset points",
        va="top",
        color=MUTED,
        fontsize=9.5,
    )
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.1)
    percent_ticks(axes.xaxis)
    axes.set_xlabel("Share of the time at risk held by group 1")
    axes.set_ylabel("P (log-rank)")
    axes.legend(title="Split", frameon=False, fontsize=9.5, loc="upper right")
    return plain_axes(axes)


def _other(splits: pd.DataFrame) -> float:
    return float(splits["events_2"].iloc[0])


def _level_line(axes: Axes, level: float) -> None:
    axes.axhline(level, color=MUTED, lw=1.0, ls=(0, (4, 3)), zorder=1.0)
    axes.annotate(
        f"{level:g}",
        (1.0, level),
        xycoords=("axes fraction", "data"),
        xytext=(3, -3),
        textcoords="offset points",
        color=MUTED,
        fontsize=9.5,
    )
