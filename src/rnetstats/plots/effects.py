"""Effects over a variable's values: a curve with its band, or points with limits."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.formatting import inside
from rnetstats.plots.ratio_axis import at_least, ratio_ticks, visible
from rnetstats.plots.style import INK, MUTED, PALETTE, as_text, ax_or_new, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["effect_curve", "effect_points", "risk_points"]

_WIDTH = 16  # letters of a level's line
_LABEL = 40  # and of an axis' name
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
        Where to draw; by default on a new figure.
    """
    axes = ax_or_new(ax, figsize=(6.0, 4.0))
    x = effects["value"].to_numpy(dtype=float)
    middle = effects["estimate"].to_numpy(dtype=float)
    shown = np.append(middle[visible(middle)], 1.0)
    bottom, top = shown.min() / _CLIP, shown.max() * _CLIP
    low = np.clip(effects["conf_low"].to_numpy(dtype=float), bottom, top)
    high = np.clip(effects["conf_high"].to_numpy(dtype=float), bottom, top)
    middle = np.where(visible(middle), middle, np.nan)
    axes.fill_between(x, low, high, color=PALETTE[0], alpha=0.18, linewidth=0)
    axes.plot(x, middle, color=PALETTE[0], linewidth=2.0)
    axes.axhline(1.0, color=MUTED, linewidth=0.9)
    axes.plot([reference], [1.0], marker="o", color=INK, markersize=4.5)
    axes.set_xlabel(as_text(label))
    name = f"{measure} against {reference:.4g} ({100 * conf_level:g} % band)"
    _ratio_axis(axes, name, np.concatenate([low, high, shown]))
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
    """Draw a ratio at each level of a factor on a log axis.

    Parameters
    ----------
    effects : DataFrame
        ``value, estimate, conf_low, conf_high``, one row a level.
    label, measure : str
        Of the factor, and of the ratio.
    reference
        The level that the others are compared with.
    conf_level : float
        Level of the limits, for the axis.
    ax : Axes, optional
        Where to draw; by default on a new figure.
    """
    axes = ax_or_new(ax, figsize=(6.0, 4.0))
    columns = effects[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=float)
    shown = np.append(columns[visible(columns)], 1.0)
    name = f"{measure} against {_plain(reference)} ({100 * conf_level:g} % CI)"
    bottom, top = _ratio_axis(axes, name, shown)
    _points(axes, effects, bottom, top)
    axes.axhline(1.0, color=MUTED, linewidth=0.9)
    axes.set_xlabel(as_text(label))
    return plain_axes(axes)


def risk_points(
    risks: pd.DataFrame, *, label: str, outcome: str, conf_level: float, ax: Axes | None = None
) -> Axes:
    """Draw the standardised risk at each value, in per cent.

    Parameters
    ----------
    risks : DataFrame
        ``value, estimate, conf_low, conf_high``, one row a value.
    label, outcome : str
        Of the variable, and what the risk is of.
    conf_level : float
        Level of the limits, for the axis.
    ax : Axes, optional
        Where to draw; by default on a new figure.
    """
    axes = ax_or_new(ax, figsize=(6.0, 4.0))
    shown = risks.assign(
        **{name: 100.0 * risks[name] for name in ("estimate", "conf_low", "conf_high")}
    )
    _points(axes, shown)
    highest = float(np.nanmax(shown[["estimate", "conf_high"]].to_numpy(dtype=float)))
    axes.set_ylim(0.0, min(100.0, 1.15 * highest) or 1.0)
    axes.set_xlabel(as_text(label))
    name = f"Standardised risk of {inside(outcome)}, % ({100 * conf_level:g} % CI)"
    axes.set_ylabel(as_text(textwrap.fill(name, _LABEL)))
    return plain_axes(axes)


def _points(axes: Axes, table: pd.DataFrame, bottom: float = 0.0, top: float = np.inf) -> None:
    """Draw estimates with limits; a limit beyond the axis ends in an arrow."""
    place = np.arange(len(table))
    low, high = table["conf_low"].to_numpy(float), table["conf_high"].to_numpy(float)
    axes.vlines(place, np.maximum(low, bottom), np.minimum(high, top), color=PALETTE[0], lw=1.8)
    for beyond, end, marker in ((low < bottom, bottom, "v"), (high > top, top, "^")):
        where = place[beyond]
        axes.plot(
            where, np.full(where.size, end), ls="", marker=marker, color=PALETTE[0], clip_on=False
        )
    axes.plot(place, table["estimate"], linestyle="", marker="s", color=PALETTE[0], markersize=7)
    axes.set_xticks(
        place, [as_text(textwrap.fill(_plain(v), _WIDTH)) for v in table["value"].tolist()]
    )
    axes.set_xlim(-0.6, len(table) - 0.4)


def _plain(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _ratio_axis(axes: Axes, label: str, values: np.ndarray) -> tuple[float, float]:
    """Make the y axis one of ratios that shows these values; returns its ends."""
    bottom, top = at_least(float(values.min()), float(values.max()))
    room = (top / bottom) ** 0.06
    bottom, top = bottom / room, top * room
    axes.set_yscale("log")
    axes.set_ylim(bottom, top)
    ratio_ticks(axes.yaxis, bottom, top)
    axes.set_ylabel(as_text(textwrap.fill(label, _LABEL)))
    return bottom, top
