"""Cumulative incidence curves: a colour a group, a line style a cause, bands, numbers at risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats.plots.risk_table import (
    LETTER,
    LONG_NAME,
    ROW,
    make_room,
    risk_table_below,
)
from rnetstats.plots.style import (
    INK,
    LINE_STYLES,
    MUTED,
    as_text,
    ax_or_new,
    colour,
    legend_beside,
    legend_is_beside,
    legend_room,
    percent_ticks,
    plain_axes,
)
from rnetstats.plots.survival_axis import axis_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

__all__ = ["incidence_curves"]

_WIDTH, _HEIGHT = 7.0, 4.4
_ROOM = 1.25  # of the axis above what is drawn, for the legend
_LONG_LINE = 56  # letters of the legend that have no room among the curves
_MOST_BANDS = 3
_WIDE = 3.0  # a band is shown up to so many times the highest incidence
_NICE = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.8)


def incidence_curves(
    curves: pd.DataFrame,
    risk: pd.DataFrame,
    counts: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    meaning: Mapping[str, str],
    conf_level: float = 0.95,
    band: bool | None = None,
    risk_table: bool = True,
    y_high: float | None = None,
    names: Mapping[str, str] | None = None,
    x_label: str | None = None,
    y_label: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw cumulative incidence curves with their table of numbers at risk.

    Parameters
    ----------
    curves : DataFrame
        ``group, cause, time, incidence, conf_low, conf_high``.
    risk : DataFrame
        ``group, time, n_risk`` at the times of the axis ticks.
    counts : DataFrame
        ``group, cause, n_events, first_high``.
    labels : mapping
        ``time`` and ``group``.
    meaning : mapping
        What each cause means.
    conf_level : float
        Level of the band, for the legend.
    band : bool, optional
        Draw the limits; by default for up to three curves.
    risk_table : bool
        Write the numbers at risk below the axis.
    y_high : float, optional
        Where the vertical axis ends. By default a round number above curves and bands; an axis
        that does not end at 1 says so.
    names : mapping, optional
        What to call the groups in the figure.
    x_label, y_label : str, optional
        By default the label of time, and the cause where there is one.
    ax : Axes, optional
        Where to draw; by default on a new figure with room for the table.

    Returns
    -------
    Axes
    """
    named = names or {}
    groups, causes = (list(dict.fromkeys(curves[name])) for name in ("group", "cause"))
    shown = [as_text(named.get(group, group)) for group in groups]
    rows = len(groups) + 2 if risk_table else 0
    beyond = max(0, max(map(len, shown)) - LONG_NAME) if risk_table else 0
    texts = _names(curves, counts, shown, meaning)
    beside, tall = legend_room(texts, len(texts))
    size = _WIDTH + LETTER * beyond + beside, max(_HEIGHT + ROW * rows, tall)
    axes = ax_or_new(ax, figsize=size)
    with_band = len(groups) * len(causes) <= _MOST_BANDS if band is None else band
    parts = curves.groupby(["group", "cause"], sort=False)
    for ((group, cause), curve), label in zip(parts, texts, strict=True):
        at = groups.index(group), causes.index(cause)
        count = counts[(counts["group"] == group) & (counts["cause"] == cause)].iloc[0]
        look: dict[str, Any] = {"color": colour(at[0] if len(groups) > 1 else at[1])}
        style = LINE_STYLES[at[1] % len(LINE_STYLES)] if len(groups) > 1 else "-"
        time = np.append(0.0, curve["time"])
        axes.step(
            time,
            np.append(0.0, curve["incidence"]),
            where="post",
            linestyle=style,
            linewidth=1.9,
            label=label,
            zorder=3,
            **look,
        )
        if with_band:
            low = np.append(0.0, curve["conf_low"])
            high = np.append(count["first_high"], curve["conf_high"])
            axes.fill_between(time, low, high, step="post", alpha=0.16, linewidth=0, **look)
    top = _top(curves, with_band) if y_high is None else float(y_high)
    axes.set_xlabel(as_text(labels["time"] if x_label is None else x_label))
    if y_label is None:
        only = f" of {meaning[causes[0]]}" if len(causes) == 1 else ""
        y_label = f"Cumulative incidence{only}"
    axes.set_ylabel(as_text(y_label))
    _dress(axes, np.unique(risk["time"]), top)
    _legend(axes, as_text(labels["group"]) if named else "", conf_level if with_band else None)
    if risk_table:
        shades = [colour(i) for i in range(len(groups))] if len(groups) > 1 else [INK]
        table = risk.assign(group=[as_text(named.get(group, group)) for group in risk["group"]])
        risk_table_below(axes, table, shown, shades)
        make_room(axes, shown)
    return axes


def _names(
    curves: pd.DataFrame, counts: pd.DataFrame, groups: list[str], meaning: Mapping[str, str]
) -> list[str]:
    """Name each curve, with its events, in the order in which they are drawn."""
    keys, causes = (list(dict.fromkeys(curves[name])) for name in ("group", "cause"))
    texts = []
    for group, cause in curves[["group", "cause"]].drop_duplicates().itertuples(index=False):
        at = keys.index(group), causes.index(cause)
        count = counts[(counts["group"] == group) & (counts["cause"] == cause)].iloc[0]
        words = _curve_name(groups, at, as_text(meaning[str(cause)]), len(causes))
        texts.append(f"{words} (events: {count['n_events']:g})")
    return texts


def _curve_name(groups: list[str], at: tuple[int, int], cause: str, n_causes: int) -> str:
    """Name a curve by what tells it from the others."""
    if len(groups) == 1:
        return cause
    return f"{groups[at[0]]}, {cause}" if n_causes > 1 else groups[at[0]]


def _top(curves: pd.DataFrame, band: bool) -> float:
    """Return a round number above everything that is drawn, with room for the legend."""
    high = float(curves["incidence"].max())
    if band:
        # a band of a handful at risk must not flatten the curves
        high = np.fmax(high, min(curves["conf_high"].max(), _WIDE * high))
    return next((nice for nice in _NICE if nice >= _ROOM * high), 1.0)


def _dress(axes: Axes, ticks: np.ndarray, top: float) -> None:
    axes.set_xticks(ticks)
    axes.set_ylim(-0.02 * top, 1.02 * top)
    axes.set_xlim(left=0.0)
    percent_ticks(axes.yaxis)
    plain_axes(axes, grid="y")
    if top < 1.0:
        axes.set_ylabel(axis_words(axes.get_ylabel(), f"ends at {100.0 * top:g} %"))


def _legend(axes: Axes, title: str, conf_level: float | None) -> None:
    from matplotlib.patches import Patch

    handles: list[Any] = list(axes.get_legend_handles_labels()[0])
    texts = [str(handle.get_label()) for handle in handles]
    crowded = legend_is_beside(len(texts))
    if conf_level is not None:
        handles.append(Patch(color=MUTED, alpha=0.25, linewidth=0))
        texts.append(f"{100.0 * conf_level:g} % limits")
    place: dict[str, Any] = {"loc": "upper left"}
    if crowded:
        texts, place = legend_beside(texts)
    elif max(map(len, texts)) > _LONG_LINE:  # as wide as the axes: above them
        place = {"loc": "lower left", "bbox_to_anchor": (0.0, 1.0)}
    legend = axes.legend(
        handles,
        texts,
        **place,
        frameon=False,
        fontsize=9.5,
        title=title,
        title_fontsize=9.5,
        alignment="left",
        handlelength=2.4,
        labelcolor=INK,
    )
    legend.get_title().set_color(INK)
