"""ROC curves, the AUC over time, and values of concordance with their limits."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats.plots.intervals import draw_intervals
from rnetstats.plots.style import (
    INK,
    MUTED,
    as_text,
    ax_or_new,
    colour,
    legend_place,
    legend_width,
    line_style,
    plain_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["auc_over_time", "index_values", "roc_curves"]

_MOST_POINTS = 2000
_MOST_BANDS = 3


def roc_curves(
    points: pd.DataFrame,
    areas: pd.DataFrame,
    conf_level: float,
    *,
    best: pd.DataFrame | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw one ROC curve a model, its AUC in the legend.

    Parameters
    ----------
    points : DataFrame
        ``model, sensitivity, specificity``, thresholds ascending.
    areas : DataFrame
        ``model, estimate, conf_low, conf_high``.
    conf_level : float
        Level of the limits.
    best : DataFrame, optional
        ``model, threshold, sensitivity, specificity`` of points to mark.
    title : str
    ax : Axes, optional
    """
    axes = ax_or_new(ax, figsize=(legend_width(5.6, len(areas), 3.0), 5.2))
    axes.plot([0, 1], [0, 1], color=MUTED, lw=0.8, ls=(0, (4, 3)), zorder=1)
    named = areas.set_index("model")
    for index, (model, curve) in enumerate(points.groupby("model", sort=False)):
        thin = _thinned(curve)
        axes.plot(
            1.0 - thin["specificity"],
            thin["sensitivity"],
            color=colour(index),
            ls=line_style(index),
            lw=1.9,
            label=as_text(f"{model}: {_value(named.loc[model].to_dict())}"),
            zorder=3,
        )
        if best is not None:
            _mark(axes, best[best["model"] == model], colour(index))
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_xlabel("1 − specificity")
    axes.set_ylabel("Sensitivity")
    axes.set_title(as_text(title), fontsize=11, loc="left")
    plain_axes(axes, grid="both")
    _legend(axes, f"AUC ({100 * conf_level:g} % CI)", "lower right", len(named))
    return axes


def auc_over_time(
    rows: pd.DataFrame, conf_level: float, *, time: str = "", ax: Axes | None = None
) -> Axes:
    """Draw the AUC at several horizons, a line a model, with pointwise limits.

    Parameters
    ----------
    rows : DataFrame
        ``model, controls, time, estimate, conf_low, conf_high``.
    conf_level : float
        Level of the limits, drawn for up to three lines.
    time : str
        Name of the time's column, with its unit where it has one.
    ax : Axes, optional
    """
    axes = ax_or_new(ax)
    axes.axhline(0.5, color=MUTED, lw=0.8, ls=(0, (4, 3)), zorder=1)
    keys = ["model", "controls"]
    lines = len(rows[keys].drop_duplicates())
    for index, ((model, controls), part) in enumerate(rows.groupby(keys, sort=False)):
        curve = part.sort_values("time")
        shade = colour(index)
        low, high = curve["conf_low"], curve["conf_high"]
        if lines <= _MOST_BANDS:
            axes.fill_between(curve["time"], low, high, color=shade, alpha=0.14, lw=0)
        axes.plot(
            curve["time"],
            curve["estimate"],
            color=shade,
            ls=line_style(index),
            lw=1.9,
            marker="o",
            markersize=4.5,
            label=as_text(f"{model}, {controls} controls" if controls else str(model)),
            zorder=3,
        )
    axes.set_ylim(min(0.4, float(np.nanmin(rows["conf_low"].fillna(rows["estimate"])))), 1.0)
    axes.set_xlabel(as_text(f"Horizon ({time})" if time else "Horizon"))
    axes.set_ylabel("AUC(t)")
    plain_axes(axes, grid="y")
    banded = f"Band: pointwise {100 * conf_level:g} % limits" if lines <= _MOST_BANDS else ""
    _legend(axes, banded, "best", lines)
    return axes


def index_values(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw values of concordance with their limits, a line each.

    Parameters
    ----------
    rows : DataFrame
        ``label, estimate, conf_low, conf_high``.
    ax : Axes, optional
    """
    return draw_intervals(rows, ax=ax, xlabel="Concordance", reference=0.5)


def _value(row: Mapping[Hashable, Any]) -> str:
    text = f"{row['estimate']:.3f}"
    if np.isnan(row["conf_low"]):
        return text
    return f"{text} ({row['conf_low']:.3f} to {row['conf_high']:.3f})"


def _thinned(curve: pd.DataFrame) -> pd.DataFrame:
    """Keep the ends and an even share of what lies between, for curves of very many points."""
    if len(curve) <= _MOST_POINTS:
        return curve
    return curve.iloc[np.unique(np.linspace(0, len(curve) - 1, _MOST_POINTS).astype(int))]


def _mark(axes: Axes, best: pd.DataFrame, shade: str) -> None:
    for row in best.to_dict("records"):
        x, y = 1.0 - row["specificity"], row["sensitivity"]
        axes.plot([x], [y], "o", color=shade, markersize=7, markeredgecolor="white", zorder=4)
        axes.annotate(
            f"> {row['threshold']:.3g}",
            (x, y),
            textcoords="offset points",
            xytext=(7, -11),
            fontsize=8.5,
            color=INK,
        )


def _legend(axes: Axes, title: str, place: str, entries: int) -> None:
    box = axes.legend(title=title, title_fontsize=9, **legend_place(entries, place))
    box.get_title().set_color(MUTED)
    for text in box.get_texts():
        text.set_color(INK)
