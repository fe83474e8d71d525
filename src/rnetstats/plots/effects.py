"""Effects over a variable's values: a curve with its band, or points with limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.plots.style import INK, MUTED, PALETTE, ax_or_new, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["effect_curve", "effect_points", "risk_points"]

_CLIP = 200.0  # a band wider than this around the curve is cut at the axis


def effect_curve(
    effects: pd.DataFrame,
    *,
    label: str,
    measure: str,
    reference: Any,
    conf_level: float,
    ax: Axes | None = None,
) -> Axes:
    """Draw a ratio against a numeric variable on a log axis, with its pointwise band.

    Parameters
    ----------
    effects : DataFrame
        Columns ``value, estimate, conf_low, conf_high``.
    label, measure : str
    reference : number
        Where the ratio is 1 by definition.
    conf_level : float
    ax : Axes, optional
    """
    axes = ax_or_new(ax, figsize=(6.0, 4.0))
    x = effects["value"].to_numpy(dtype=float)
    middle = effects["estimate"].to_numpy(dtype=float)
    low = np.maximum(effects["conf_low"].to_numpy(dtype=float), middle.min() / _CLIP)
    high = np.minimum(effects["conf_high"].to_numpy(dtype=float), middle.max() * _CLIP)
    axes.fill_between(x, low, high, color=PALETTE[0], alpha=0.18, linewidth=0)
    axes.plot(x, middle, color=PALETTE[0], linewidth=2.0)
    axes.axhline(1.0, color=MUTED, linewidth=0.9)
    axes.plot([reference], [1.0], marker="o", color=INK, markersize=4.5)
    axes.set_xlabel(label)
    _ratio_axis(axes, f"{measure} against {reference:g} ({100 * conf_level:g} % band)")
    return plain_axes(axes)


def effect_points(
    effects: pd.DataFrame,
    *,
    label: str,
    measure: str,
    reference: Any,
    conf_level: float,
    ax: Axes | None = None,
) -> Axes:
    """Draw a ratio at each level of a factor on a log axis."""
    axes = ax_or_new(ax, figsize=(6.0, 4.0))
    _points(axes, effects)
    axes.axhline(1.0, color=MUTED, linewidth=0.9)
    axes.set_xlabel(label)
    _ratio_axis(axes, f"{measure} against {reference} ({100 * conf_level:g} % CI)")
    return plain_axes(axes)


def risk_points(
    risks: pd.DataFrame, *, label: str, outcome: str, conf_level: float, ax: Axes | None = None
) -> Axes:
    """Draw the standardised risk at each value, in per cent."""
    axes = ax_or_new(ax, figsize=(6.0, 4.0))
    shown = risks.assign(
        **{name: 100.0 * risks[name] for name in ("estimate", "conf_low", "conf_high")}
    )
    _points(axes, shown)
    axes.set_ylim(0.0, min(100.0, 1.15 * float(shown["conf_high"].max())))
    axes.set_xlabel(label)
    axes.set_ylabel(f"Standardised risk of {outcome}, % ({100 * conf_level:g} % CI)")
    return plain_axes(axes)


def _points(axes: Axes, table: pd.DataFrame) -> None:
    place = np.arange(len(table))
    low, high = table["conf_low"].to_numpy(float), table["conf_high"].to_numpy(float)
    axes.vlines(place, low, high, color=PALETTE[0], linewidth=1.8)
    axes.plot(place, table["estimate"], linestyle="", marker="s", color=PALETTE[0], markersize=7)
    texts = [f"{v:g}" if isinstance(v, float) else str(v) for v in table["value"].tolist()]
    axes.set_xticks(place, texts)
    axes.set_xlim(-0.6, len(table) - 0.4)


def _ratio_axis(axes: Axes, label: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel(label)
