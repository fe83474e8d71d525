"""Immortal time: the bias by delay, and beside other biases."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.ratio_axis import ratio_ticks
from rnetstats.plots.style import INK, MUTED, PALETTE, as_text, ax_or_new, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["draw_biases", "draw_delays"]

_BAND = 1.96  # Monte Carlo errors on either side
_WIDTH = 26  # letters of a bias' line


def draw_delays(table: pd.DataFrame, *, labels: Mapping[str, str], ax: Axes | None = None) -> Axes:
    """Draw the hazard ratio that a treatment without effect shows, by its delay.

    Parameters
    ----------
    table : DataFrame
        ``delay, law, hazard_ratio, mcse, valid_hazard_ratio, valid_mcse``.
    labels : mapping
        ``treatment, unit``.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(7.2, 4.6))
    fixed = table[table["law"] == "fixed"].sort_values("delay")
    own = table[table["law"] != "fixed"].iloc[0]
    delay = fixed["delay"].to_numpy(float)
    axes.axhline(1.0, color=MUTED, linewidth=0.9, zorder=1)
    for name, error, place, words in (
        ("valid_hazard_ratio", "valid_mcse", 2, "Valid: counted as treated from treatment on"),
        ("hazard_ratio", "mcse", 1, "Naive: counted as treated from time zero"),
    ):
        middle, below, above = _band(fixed[name], fixed[error])
        axes.fill_between(delay, below, above, color=PALETTE[place], alpha=0.2, linewidth=0)
        axes.plot(delay, middle, "o-", color=PALETTE[place], markersize=5, lw=2.0, label=words)
    axes.plot(
        [own["delay"]],
        [own["hazard_ratio"]],
        "D",
        color=INK,
        markersize=7,
        label=f"Naive, delays as observed (mean {own['delay']:.1f})",
        zorder=4,
    )
    for x in _apart(delay, 0.08):
        y = float(fixed.loc[fixed["delay"] == x, "hazard_ratio"].iloc[0])
        axes.annotate(
            f"{y:.2f}", (x, y), (0, -16), textcoords="offset points", ha="center", fontsize=9
        )
    values = np.append(fixed["hazard_ratio"].to_numpy(float), own["hazard_ratio"])
    low, high = min(0.5, 0.8 * float(values.min())), 1.12
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    ratio_ticks(axes.yaxis, low, high)
    axes.set_xlim(0.0, 1.04 * max(delay.max(), own["delay"]))
    ticks = _apart(delay, 0.04)
    axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
    axes.set_xlabel(as_text(f"Delay of {labels['treatment']} ({labels['unit']})"))
    axes.set_ylabel(as_text(f"Hazard ratio shown by a\n{labels['treatment']} without effect"))
    axes.legend(loc="lower left", frameon=False, fontsize=9.5)
    return plain_axes(axes, grid="y")


def draw_biases(table: pd.DataFrame, *, labels: Mapping[str, str], ax: Axes | None = None) -> Axes:
    """Draw a bar a bias from no effect to the hazard ratio it would show, the largest on top.

    Parameters
    ----------
    table : DataFrame
        ``label, rank`` (0 for all together), ``hazard_ratio, mcse, risk_difference``.
    labels : mapping
        ``treatment``.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(8.2, 0.62 * len(table) + 1.2))
    ratio, below, above = _band(table["hazard_ratio"], table["mcse"])
    place = np.arange(len(table), dtype=float)[::-1]
    low = min(0.5, 0.85 * float(below.min()))
    high = max(1.6, 1.15 * float(above.max()))
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    for y, value, rank in zip(place, ratio, table["rank"], strict=True):
        shade = MUTED if rank == 0 else PALETTE[1] if value < 1.0 else PALETTE[0]
        axes.barh(y, value - 1.0, left=1.0, height=0.55, color=shade, zorder=2)
    axes.hlines(place, below, above, color=INK, linewidth=1.2, zorder=3)
    axes.axvline(1.0, color=INK, linewidth=0.9, zorder=4)
    texts = ["\n".join(textwrap.wrap(label, _WIDTH)) for label in table["label"]]
    axes.set_yticks(place, [as_text(text) for text in texts])
    axes.set_ylim(-0.6, len(table) - 0.4)
    ratio_ticks(axes.xaxis, low, high)
    across = axes.get_yaxis_transform()
    for y, value, gap in zip(place, ratio, table["risk_difference"], strict=True):
        change = f"{gap:+.1f}" if abs(gap) >= 0.05 else "0.0"
        text = f"{value:.2f}  ({change} of 100)".replace("-", "−")
        axes.text(1.02, y, text, transform=across, va="center", ha="left", color=INK, fontsize=9.5)
    axes.set_xlabel(
        as_text(
            f"Hazard ratio shown by a {labels['treatment']} without effect (log scale)\n"
            f"left of 1: looks useful; right of 1: looks harmful"
        )
    )
    plain_axes(axes, grid="x")
    axes.tick_params(axis="y", length=0)
    return axes


def _band(ratio: pd.Series, error: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ratios, and what their Monte Carlo errors leave open, by the logarithm."""
    middle = ratio.to_numpy(float)
    spread = np.exp(_BAND * error.to_numpy(float) / middle)
    return middle, middle / spread, middle * spread


def _apart(delay: np.ndarray, least: float) -> list[float]:
    """Delays far enough apart to be named: by a share of the longest."""
    kept: list[float] = []
    for value in delay.tolist():
        if not kept or value - kept[-1] >= least * delay.max():
            kept.append(value)
    return kept
