"""Studies' effects against a moderator, with the line of a meta-regression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.ratio_axis import at_least, ratio_ticks, visible
from rnetstats.plots.style import MUTED, PALETTE, as_text, ax_or_new, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["meta_bubbles"]

_LARGEST = 420.0  # square points of the heaviest study
_SMALLEST = 12.0
_BEYOND = 3.0  # how far, on a log axis, a band may reach beyond the studies


def meta_bubbles(
    studies: pd.DataFrame,
    line: pd.DataFrame,
    *,
    label: str,
    measure: str,
    log: bool,
    conf_level: float,
    ax: Axes | None = None,
) -> Axes:
    """Draw a circle a study, its area the weight, and the fitted effect with its limits.

    Parameters
    ----------
    studies : DataFrame
        ``value, estimate, weight``.
    line : DataFrame
        ``value, estimate, conf_low, conf_high, pi_low, pi_high``, by rising value.
    label, measure : str
        Names of the axes.
    log : bool
        A logarithmic axis of effects.
    conf_level : float
    ax : Axes, optional
        Where to draw; by default on a new figure.
    """
    axes = ax_or_new(ax, figsize=(6.4, 4.4))
    bottom, top = _ends(studies, line, log)
    x = line["value"].to_numpy(dtype=float)
    share = f"{100 * conf_level:g} %"
    for low, high, alpha, name in (
        ("pi_low", "pi_high", 0.10, f"{share} prediction interval"),
        ("conf_low", "conf_high", 0.22, f"{share} CI of the mean effect"),
    ):
        ends = [np.clip(line[c].to_numpy(dtype=float), bottom, top) for c in (low, high)]
        if not np.isnan(ends[0]).any():
            axes.fill_between(x, *ends, color=PALETTE[0], alpha=alpha, linewidth=0, label=name)
    axes.plot(x, line["estimate"], color=PALETTE[0], linewidth=2.0)
    weight = studies["weight"].to_numpy(dtype=float)
    axes.scatter(
        studies["value"],
        studies["estimate"],
        s=np.maximum(_LARGEST * weight / weight.max(), _SMALLEST),
        facecolor="none",
        edgecolor=PALETTE[1],
        linewidth=1.3,
        zorder=3,
    )
    axes.axhline(1.0 if log else 0.0, color=MUTED, linewidth=0.9, zorder=1)
    if log:
        axes.set_yscale("log")
        axes.set_ylim(bottom, top)
        ratio_ticks(axes.yaxis, bottom, top)
    else:
        axes.set_ylim(bottom, top)
    axes.set_xlabel(as_text(label))
    axes.set_ylabel(as_text(measure.capitalize()))
    axes.legend(loc="best", frameon=False, fontsize=9)
    return plain_axes(axes)


def _ends(studies: pd.DataFrame, line: pd.DataFrame, log: bool) -> tuple[float, float]:
    """Ends of the axis: the studies and the line, and its bands as far as they are near."""
    seen = np.concatenate([studies["estimate"], line["estimate"], [1.0 if log else 0.0]])
    bands = line[["conf_low", "conf_high", "pi_low", "pi_high"]].to_numpy(dtype=float).ravel()
    bands = bands[np.isfinite(bands)]
    if log:
        seen = seen[visible(seen)]
        low, high = seen.min(), seen.max()
        near = bands[(bands > low / _BEYOND) & (bands < high * _BEYOND)]
        low, high = at_least(min(low, *near, low), max(high, *near, high))
        return low / 1.15, high * 1.15
    room = float(np.ptp(seen)) or 1.0
    near = bands[(bands > seen.min() - room) & (bands < seen.max() + room)]
    everything = np.concatenate([seen, near])
    return float(everything.min() - 0.05 * room), float(everything.max() + 0.05 * room)
