"""One effect by several models for rare events, grouped by what they estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.formatting import fmt_count, fmt_interval, fmt_number
from rnetstats.plots.ratio_axis import at_least, ratio_ticks, visible
from rnetstats.plots.style import INK, MUTED, PALETTE, as_text, ax_or_new

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["draw_rare_events"]

_HEADS = {
    "common": ("One effect in all studies", PALETTE[0]),
    "random": ("Effects vary between studies", PALETTE[1]),
    "marginal": ("Mean risks compared", PALETTE[2]),
    "crude": ("All patients together", PALETTE[6]),
}
_ROW = 0.29  # inches
_FAR = 20.0  # how far limits may stretch a log axis beyond the estimates
_PLACES = {"limits": 12.0, "studies": 200.0, "zeros": 210.0}  # points right of the axis
_SIZE = 9.5


def draw_rare_events(
    rows: pd.DataFrame,
    *,
    measure: str,
    name: str,
    log: bool,
    conf_level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw one line a method; profile limits are thin lines under Wald or exact ones.

    Parameters
    ----------
    rows : DataFrame
        ``label, kind, k, estimate, conf_low, conf_high, profile_low, profile_high,
        double_zeros``; ``kind`` is one of common, random, marginal and crude.
    measure, name : str
        Abbreviation and words of the effect.
    log : bool
        Whether the axis is logarithmic.
    conf_level : float
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    lines = _lines(rows)
    axes = ax_or_new(ax, figsize=(11.0, 1.25 + _ROW * len(lines)))
    ends = _ends(rows, log=log)
    if log:
        axes.set_xscale("log")
        ratio_ticks(axes.xaxis, *ends)
    axes.set_xlim(*ends)
    axes.set_ylim(-0.8, len(lines) + 0.4)
    axes.axvline(1.0 if log else 0.0, color=MUTED, linewidth=0.9, zorder=1)
    for i, row in enumerate(lines):
        y = float(len(lines) - 1 - i)
        _write(axes, y, row, digits=2 if log else 4)
        if "label" in row:
            _mark(axes, y, row, ends)
    percent = f"{100 * conf_level:g} %"
    heads = {"limits": f"{measure} ({percent} CI)", "studies": "Studies", "zeros": "Double zeros"}
    _write(axes, float(len(lines)), {"heads": heads}, digits=2)
    axes.set_yticks([])
    axes.tick_params(colors=INK, labelsize=10)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.set_xlabel(
        as_text(f"{name[:1].upper()}{name[1:]}, {percent} limits; thin lines: profile likelihood"),
        color=INK,
    )
    return axes


def _lines(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Heads and rows, top to bottom."""
    found: list[dict[str, Any]] = []
    for kind, (head, colour) in _HEADS.items():
        mine = rows[rows["kind"] == kind].to_dict("records")
        if mine:
            found.append({"head": head})
            found += [{**{str(k): v for k, v in row.items()}, "colour": colour} for row in mine]
    return found


def _ends(rows: pd.DataFrame, *, log: bool) -> tuple[float, float]:
    """Ends of the axis: all estimates, and limits unless they are far away."""
    centre = rows["estimate"].to_numpy(dtype=float)
    names = ["conf_low", "conf_high", "profile_low", "profile_high"]
    limits = rows[names].to_numpy(dtype=float).ravel()
    if log:
        centre = np.append(centre[visible(centre)], 1.0)
        limits = limits[visible(limits)]
        near, far = centre.min() / _FAR, centre.max() * _FAR
        values = np.append(centre, np.clip(limits, near, far))
        pad = max((values.max() / values.min()) ** 0.04, 1.05)
        return at_least(float(values.min() / pad), float(values.max() * pad))
    values = np.concatenate([centre, limits, [0.0]])
    values = values[np.isfinite(values)]
    pad = 0.05 * float(np.ptp(values)) or 0.01
    return float(values.min()) - pad, float(values.max()) + pad


def _mark(axes: Axes, y: float, row: dict[str, Any], ends: tuple[float, float]) -> None:
    """The estimate, its limits, and under them those of the profile."""
    colour = row["colour"]
    _span(axes, y, row["conf_low"], row["conf_high"], ends, colour, 2.2)
    _span(axes, y - 0.24, row["profile_low"], row["profile_high"], ends, colour, 0.9)
    if ends[0] < row["estimate"] < ends[1]:
        axes.plot([row["estimate"]], [y], "s", color=colour, markersize=6, zorder=3)


def _span(
    axes: Axes, y: float, low: float, high: float, ends: tuple[float, float], colour: str, lw: float
) -> None:
    """A line between limits; an arrow where one leaves the axis."""
    if np.isnan(low) or np.isnan(high) or high < ends[0] or low > ends[1]:
        return
    start, stop = max(low, ends[0]), min(high, ends[1])
    axes.plot([start, stop], [y, y], color=colour, linewidth=lw, solid_capstyle="butt", zorder=2)
    for at, mark, beyond in ((ends[0], "<", low < ends[0]), (ends[1], ">", high > ends[1])):
        if beyond:
            size = 5 if lw > 1 else 3
            axes.plot([at], [y], marker=mark, color=colour, clip_on=False, markersize=size)


def _write(axes: Axes, y: float, row: dict[str, Any], *, digits: int) -> None:
    """The words left of the axis, and the columns right of it."""
    if "head" in row:
        _text(axes, y, "label", row["head"], "bold")
        return
    if "heads" in row:
        for column, text in row["heads"].items():
            _text(axes, y, column, text, "bold")
        return
    limits = fmt_interval(row["conf_low"], row["conf_high"], digits)
    words = f"{fmt_number(row['estimate'], digits)} ({limits})"
    if np.isnan(row["estimate"]):
        words = "not estimable"
    elif np.isnan(row["conf_low"]) and np.isnan(row["conf_high"]):
        words = f"{fmt_number(row['estimate'], digits)} (no limits)"
    _text(axes, y, "label", str(row["label"]))
    _text(axes, y, "limits", words)
    _text(axes, y, "studies", fmt_count(row["k"]))
    _text(axes, y, "zeros", str(row["double_zeros"]))


def _text(axes: Axes, y: float, column: str, words: str, weight: str = "normal") -> None:
    """Words in a column that keeps its distance from the axis, however wide that becomes."""
    left = column == "label"
    axes.annotate(
        as_text(words),
        xy=(0.0 if left else 1.0, y),
        xycoords=axes.get_yaxis_transform(),
        xytext=(-10.0 if left else _PLACES[column], 0.0),
        textcoords="offset points",
        ha="right" if column in ("label", "studies") else "left",
        va="center",
        fontsize=_SIZE,
        fontweight=weight,
        color=INK,
        annotation_clip=False,
    )
