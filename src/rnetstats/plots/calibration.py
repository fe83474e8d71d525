"""Calibration curves over the ideal line, with the predicted risks counted beneath."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.formatting import inside
from rnetstats.plots.style import (
    INK,
    LIGHT,
    MUTED,
    as_text,
    ax_or_new,
    colour,
    legend_place,
    legend_width,
    line_style,
    percent_ticks,
    plain_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["calibration_curves"]

_STRIP = 0.13  # height of the counts of one model, as a share of the axis
_GAP = 0.03
_STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # between ticks


def calibration_curves(
    curves: pd.DataFrame,
    distribution: pd.DataFrame,
    groups: pd.DataFrame | None = None,
    *,
    outcome: str = "",
    conf_level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw observed against predicted risk, with limits where there is a single model.

    Parameters
    ----------
    curves : DataFrame
        ``model, predicted, observed, conf_low, conf_high``.
    distribution : DataFrame
        ``model, low, high, n_events, n_others``: counts drawn under the curve, patients with the
        event upwards and the others downwards.
    groups : DataFrame, optional
        ``model, mean_predicted, observed, conf_low, conf_high``.
    outcome : str
    conf_level : float
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    labels = list(dict.fromkeys(curves["model"]))
    axes = ax_or_new(ax, figsize=(legend_width(5.6, len(labels)), 5.6 + 0.5 * len(labels)))
    end, shown = _end(curves, groups), len(labels) == 1
    axes.plot([0.0, end], [0.0, end], color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=2)
    for index, label in enumerate(labels):
        _curve(axes, curves[curves["model"] == label], index, shown)
        if groups is not None:
            _groups(axes, groups[groups["model"] == label], index)
        base = -end * (_GAP + _STRIP * (index + 0.5))
        _counts(
            axes, distribution[distribution["model"] == label], index, base, 0.46 * end * _STRIP
        )
    _dress(axes, end, len(labels))
    axes.set_xlabel("Predicted risk")
    axes.set_ylabel(as_text(f"Observed risk of {inside(outcome)}" if outcome else "Observed risk"))
    floor, top = axes.get_ylim()
    axes.yaxis.label.set_y((0.5 * end - floor) / (top - floor))  # beside the curves
    _legend(axes, labels, shown, groups is not None, conf_level)
    return axes


def _end(curves: pd.DataFrame, groups: pd.DataFrame | None) -> float:
    """A round end of both axes, so that rare events fill the figure."""
    values = [curves["predicted"].max(), curves["observed"].max()]
    if groups is not None:
        values.append(groups["observed"].max())
    largest = float(np.nanmax(values))
    for end in (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8):
        if largest * 1.02 <= end:
            return end
    return 1.0


def _curve(axes: Axes, curve: pd.DataFrame, index: int, band: bool) -> None:
    look: dict[str, Any] = {"color": colour(index)}
    axes.plot(
        curve["predicted"],
        curve["observed"],
        linewidth=2.0,
        linestyle=line_style(index),
        marker="o" if len(curve) == 1 else "",
        zorder=4,
        **look,
    )
    if band:
        low, high = curve["conf_low"], curve["conf_high"]
        axes.fill_between(curve["predicted"], low, high, alpha=0.16, linewidth=0, **look)


def _groups(axes: Axes, table: pd.DataFrame, index: int) -> None:
    below = (table["observed"] - table["conf_low"]).clip(lower=0.0)
    above = (table["conf_high"] - table["observed"]).clip(lower=0.0)
    axes.errorbar(
        table["mean_predicted"],
        table["observed"],
        yerr=np.array([below, above]),
        linestyle="",
        marker="s",
        markersize=5,
        markerfacecolor="white",
        linewidth=0.9,
        color=colour(index),
        zorder=3,
    )


def _counts(axes: Axes, counts: pd.DataFrame, index: int, base: float, height: float) -> None:
    """Bars of square roots: a handful of events beside hundreds of others stays visible."""
    middle = 0.5 * (counts["low"] + counts["high"]).to_numpy()
    up = np.sqrt(counts["n_events"].to_numpy(dtype=float))
    down = np.sqrt(counts["n_others"].to_numpy(dtype=float))
    scale = height / max(up.max(), down.max(), 1.0)
    width = 0.8 * float((counts["high"] - counts["low"]).iloc[0])
    axes.bar(middle, up * scale, width, bottom=base, color=colour(index), zorder=3)
    axes.bar(middle, -down * scale, width, bottom=base, color=MUTED, alpha=0.6, zorder=3)
    axes.axhline(base, color=LIGHT, linewidth=0.8, zorder=1)


def _dress(axes: Axes, end: float, models: int) -> None:
    floor = -end * (_GAP + _STRIP * models + 0.01)
    axes.set_xlim(-0.01 * end, 1.01 * end)
    axes.set_ylim(floor, 1.01 * end)
    step = next(step for step in _STEPS if end / step <= 6.0)
    ticks = np.arange(0.0, end + 0.5 * step, step)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(ticks)
        percent_ticks(axis)
    plain_axes(axes, grid="both")
    axes.text(
        1.0,
        (end * -_GAP * 0.9 - floor) / (1.01 * end - floor),
        "patients with the event (up), without (down), square-root scale"
        if models == 1
        else "with the event (up), without (down), square roots, in the legend's order",
        transform=axes.transAxes,
        ha="right",
        va="bottom",
        fontsize=7.5,
        color=MUTED,
    )


def _legend(axes: Axes, labels: list[str], band: bool, groups: bool, conf_level: float) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        axes.plot([], [], color=colour(k), linestyle=line_style(k), linewidth=2.0)[0]
        for k in range(len(labels))
    ]
    texts = [as_text(str(label)) for label in labels]
    if band:
        handles.append(Patch(color=MUTED, alpha=0.25, linewidth=0))
        texts.append(f"{100.0 * conf_level:g} % limits, pointwise")
    if groups:
        handles.append(Line2D([], [], color=MUTED, marker="s", linestyle="", markersize=5))
        texts.append("groups of similar risk")
    handles.append(Line2D([], [], color=MUTED, linewidth=1.0, linestyle=(0, (4, 3))))
    texts.append("ideal")
    axes.legend(handles, texts, **legend_place(len(labels), "upper left"), labelcolor=INK)
