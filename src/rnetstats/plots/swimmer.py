"""A lane a patient: follow-up before and under treatment, and what ended it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.plots.style import INK, MUTED, PALETTE, as_text, ax_or_new, plain_axes, row_labels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["draw_lanes"]

_BEFORE, _AFTER, _TREATED = "#C3CAD3", PALETTE[5], PALETTE[0]
_MARKS = (("o", PALETTE[1]), ("X", PALETTE[6]), ("D", PALETTE[3]), ("P", PALETTE[2]))
_GAP = 0.03  # of all lanes, between groups


def draw_lanes(lanes: pd.DataFrame, *, time_label: str, ax: Axes | None = None) -> Axes:
    """Draw the lanes of all groups below each other, in the order given.

    Parameters
    ----------
    lanes : DataFrame
        ``group, stop, treated_at, event``, a row a patient. The marks of the events go by the order
        of their categories, so that each looks alike whichever others occur.
    time_label : str
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    height = float(np.clip(1.6 + 0.03 * len(lanes), 3.0, 9.0))
    axes = ax_or_new(ax, (7.6, height))
    place = 0.0
    gap = max(1.0, _GAP * len(lanes))
    ticks, names = [], []
    marks = _marks(lanes["event"])
    room = 72.0 * axes.get_window_extent().height / axes.figure.dpi / (len(lanes) + gap * 3)
    width = float(np.clip(0.75 * room, 0.5, 6.0))
    size = float(np.clip(3.0 * room, 10.0, 40.0))
    for group in dict.fromkeys(lanes["group"]):
        part = lanes[lanes["group"] == group]
        y = place + np.arange(len(part))
        stop, treated = part["stop"].to_numpy(), part["treated_at"].to_numpy()
        turn = np.where(np.isnan(treated), stop, treated)
        axes.hlines(y, 0.0, turn, color=_BEFORE, linewidth=width)
        axes.hlines(y, turn, stop, color=_AFTER, linewidth=width)
        axes.scatter(treated, y, marker="|", s=1.6 * size, color=_TREATED, linewidth=1.4, zorder=3)
        for kind, (marker, tint) in marks.items():
            rows = (part["event"] == kind).to_numpy()
            axes.scatter(stop[rows], y[rows], marker=marker, s=size, color=tint, zorder=4, lw=0)
        ticks.append(place + 0.5 * (len(part) - 1))
        names.append(f"{group}\n(n = {len(part)})")
        place += len(part) + gap
    axes.set_yticks(ticks, row_labels(names)[0])
    axes.set_ylim(place - gap + 0.5, -1.0)
    axes.set_xlim(0.0, 1.02 * float(lanes["stop"].max()))
    axes.set_xlabel(as_text(time_label))
    plain_axes(axes, grid="x")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    _legend(axes, marks, treated=bool(lanes["treated_at"].notna().any()))
    return axes


def _marks(events: pd.Series[Any]) -> dict[str, tuple[str, str]]:
    """Marker and colour of each event that occurs."""
    kinds = [kind for kind in events.cat.categories if kind]
    seen = set(events)
    return {
        kind: mark for kind, mark in zip(kinds, _MARKS * len(kinds), strict=False) if kind in seen
    }


def _legend(axes: Axes, marks: dict[str, tuple[str, str]], *, treated: bool) -> None:
    from matplotlib.lines import Line2D

    entries = [Line2D([], [], color=_BEFORE, linewidth=4, label="follow-up")]
    if treated:
        entries[0].set_label("before treatment, or never treated")
        entries.append(Line2D([], [], color=_AFTER, linewidth=4, label="after treatment"))
        day = Line2D([], [], color=_TREATED, marker="|", markersize=9, markeredgewidth=1.6)
        day.set(linestyle="none", label="treatment")
        entries.append(day)
    for kind, (marker, tint) in marks.items():
        entries.append(
            Line2D([], [], color=tint, marker=marker, linestyle="none", label=as_text(kind))
        )
    axes.legend(
        handles=entries,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=min(len(entries), 3),
        frameon=False,
        fontsize=9,
        labelcolor=INK,
        handlelength=1.6,
        columnspacing=1.2,
        edgecolor=MUTED,
    )
