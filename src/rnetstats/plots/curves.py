"""Survival curves: steps, bands, censor marks, and numbers at risk under the time axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.formatting import fmt_count
from rnetstats.plots.risk_table import (
    LETTER,
    LONG_NAME,
    ROW,
    make_room,
    risk_table_below,
)
from rnetstats.plots.style import (
    INK,
    MUTED,
    as_text,
    ax_or_new,
    colour,
    legend_beside,
    legend_is_beside,
    legend_room,
    line_style,
)
from rnetstats.plots.survival_axis import survival_axis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

__all__ = ["survival_curves"]

Floats = NDArray[np.float64]

_WIDTH, _HEIGHT = 7.0, 4.0
_LONG_LINE = 40  # letters of the legend, to make room for


def survival_curves(
    curves: pd.DataFrame,
    risk: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    conf_level: float = 0.95,
    band: bool | None = None,
    censor: bool = True,
    risk_table: bool = True,
    y_low: float | None = None,
    y_label: str = "Survival",
    counted: str = "events",
    names: Mapping[str, str] | None = None,
    title: str | None = None,
    x_label: str | None = None,
    first: pd.DataFrame | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw survival curves with their table of numbers at risk.

    Parameters
    ----------
    curves : DataFrame
        ``group, time, n_event, n_censor, survival, conf_low, conf_high``.
    risk : DataFrame
        ``group, time, n_risk`` at the times of the axis ticks.
    labels : mapping
        ``time`` and ``group``.
    conf_level : float
        Level of the band, for the legend.
    band : bool, optional
        Draw the limits. By default they are drawn for up to three groups, all of which have some:
        a group without events has beta product limits or none.
    censor : bool
        Mark censored times.
    risk_table : bool
        Write the numbers at risk below the axis.
    y_low : float, optional
        Where the vertical axis starts. By default 0, or close to the curves when all stay above
        0.75; an axis that does not start at 0 says so.
    y_label : str
    counted : str
        What the steps count, for the legend.
    names : mapping, optional
        What to call the groups in the figure.
    title : str, optional
        Of the legend; by default what forms the groups, or none where they have ``names``.
    x_label : str, optional
        By default the label of the time column, which may name another endpoint.
    first : DataFrame, optional
        ``group, first_low, first_high``: the limits from time 0 to each group's first time; the
        bands begin there without.
    ax : Axes, optional
        Where to draw; by default on a new figure with room for the table.

    Returns
    -------
    Axes
    """
    curves, risk = (_named(frame, names or {}) for frame in (curves, risk))
    start = {} if first is None else _starts(_named(first, names or {}))
    groups = list(dict.fromkeys(curves["group"]))
    rows = len(groups) + 2 if risk_table else 0
    beyond = max(0, max(map(len, groups)) - LONG_NAME)
    shown = _band_wanted(curves, band)
    texts = _entries(curves, counted, conf_level if shown else None)
    beside, tall = legend_room(texts, len(groups))
    size = _WIDTH + LETTER * beyond + beside, max(_HEIGHT + ROW * rows, tall)
    axes = ax_or_new(ax, figsize=size)
    floor = _floor(curves, shown) if y_low is None else float(y_low)
    for index, group in enumerate(groups):
        curve = curves[curves["group"] == group]
        _draw_curve(axes, curve, index)
        if shown:
            _draw_band(axes, curve, index, start.get(group))
        if censor:
            _draw_censored(axes, curve, index)
    axes.set_xlabel(as_text(labels["time"] if x_label is None else x_label))
    axes.set_ylabel(as_text(y_label))
    _dress(axes, np.unique(risk["time"]), floor)
    if len(groups) > 1 or shown:
        if title is None:
            title = "" if names else labels["group"]
        _legend(axes, curves, texts, as_text(title))
    if risk_table:
        risk_table_below(axes, risk, groups)
        make_room(axes, groups)
    return axes


def _named(frame: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    return frame.assign(group=[as_text(names.get(name, name)) for name in frame["group"]])


def _band_wanted(curves: pd.DataFrame, band: bool | None) -> bool:
    if band is not None:
        return band
    limits = curves["conf_low"].notna().groupby(curves["group"]).any()
    return bool(len(limits) <= 3 and limits.all())


def _floor(curves: pd.DataFrame, band: bool) -> float:
    """Return the lower end of the axis: 0, or a round number below curves that stay high."""
    low = curves["survival"].min()
    if low < 0.75:
        return 0.0
    if band:
        low = min(low, curves["conf_low"].min(skipna=True))
    return float(max(0.0, np.floor((low - 0.02) * 20.0) / 20.0))


def _draw_curve(axes: Axes, curve: pd.DataFrame, index: int) -> None:
    axes.step(
        np.append(0.0, curve["time"]),
        np.append(1.0, curve["survival"]),
        where="post",
        color=colour(index),
        linestyle=line_style(index),
        linewidth=1.9,
        label=str(curve["group"].iloc[0]),
        zorder=3,
    )


def _starts(first: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Return each group's limits from time 0 to its first time."""
    limits = zip(first["first_low"], first["first_high"], strict=True)
    return dict(zip(first["group"], limits, strict=True))


def _draw_band(
    axes: Axes, curve: pd.DataFrame, index: int, start: tuple[float, float] | None
) -> None:
    low, high = (curve[name].to_numpy(float) for name in ("conf_low", "conf_high"))
    time = curve["time"].to_numpy(float)
    if start is not None and time[0] > 0.0:
        time, low, high = np.append(0.0, time), np.append(start[0], low), np.append(start[1], high)
    axes.fill_between(
        time,
        low,
        high,
        step="post",
        color=colour(index),
        alpha=0.16,
        linewidth=0,
    )


def _draw_censored(axes: Axes, curve: pd.DataFrame, index: int) -> None:
    gone = curve[curve["n_censor"] > 0]
    axes.plot(
        gone["time"],
        gone["survival"],
        linestyle="",
        marker="|",
        markersize=5,
        markeredgewidth=0.8,
        color=colour(index),
        zorder=3,
    )


def _dress(axes: Axes, ticks: Floats, floor: float) -> None:
    axes.set_xticks(ticks)
    axes.set_xlim(left=0.0)
    survival_axis(axes, floor)


def _entries(curves: pd.DataFrame, counted: str, conf_level: float | None) -> list[str]:
    """Return the words of the legend: a line a group, and one for the bands."""
    events = curves.groupby("group", sort=False)["n_event"].sum()
    texts = [
        f"{group} ({counted}: {fmt_count(round(count, 6))})" for group, count in events.items()
    ]
    return texts + ([] if conf_level is None else [f"{100.0 * conf_level:g} % limits"])


def _legend(axes: Axes, curves: pd.DataFrame, texts: list[str], title: str) -> None:
    from matplotlib.patches import Patch

    handles: list[Any] = list(axes.get_legend_handles_labels()[0])
    drawn = len(handles)
    if len(texts) > drawn:
        handles.append(Patch(color=MUTED, alpha=0.25, linewidth=0))
    look: dict[str, Any] = {"frameon": False, "fontsize": 9.5, "title_fontsize": 9.5}
    look |= {"alignment": "left", "handlelength": 2.0, "labelcolor": INK, "title": title}
    if legend_is_beside(drawn):
        texts, place = legend_beside(texts)
    elif max(map(len, texts)) > _LONG_LINE:  # as wide as the axes: above them
        place = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0)}
    else:
        place = {"loc": _empty_corner(axes, curves)}
    legend = axes.legend(handles, texts, **place, **look)
    legend.get_title().set_color(INK)


def _empty_corner(axes: Axes, curves: pd.DataFrame) -> Literal["lower left", "upper right", "best"]:
    """Return the corner that falling curves leave free: below them, or to their right.

    Where one curve falls and another stays up, both corners may hold a curve: the lower one is
    taken if the legend still fits under it, else whatever place holds least.
    """
    half = 0.45 * axes.get_xlim()[1]
    bottom, top = axes.get_ylim()
    early = curves[curves["time"] <= half]
    lowest = early["survival"].min() if len(early) else 1.0
    below = (lowest - bottom) / (top - bottom)
    if below > 0.45:
        return "lower left"
    long = curves.groupby("group")["time"].transform("max") > half  # those that reach the right
    there = early[long.loc[early.index]].groupby("group")["survival"].min()
    over = (top - there.max()) / (top - bottom) if len(there) else 1.0
    if over > 0.3:
        return "upper right"
    return "lower left" if below > 0.3 else "best"
