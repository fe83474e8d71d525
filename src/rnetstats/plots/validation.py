"""Figures of a validation: apparent against corrected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.style import INK, LIGHT, MUTED, PALETTE, ax_or_new, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["draw_benefit", "draw_curve", "draw_indices"]


def draw_curve(curve: pd.DataFrame, *, label: str = "Corrected", ax: Axes | None = None) -> Axes:
    """Draw ``predicted, apparent, corrected`` beside the line of perfect calibration.

    Where both are the same, as on external data, one line is drawn, called ``label``.
    """
    axes = plain_axes(ax_or_new(ax, (5.6, 5.0)), grid="both")
    values = curve[["predicted", "apparent", "corrected"]].to_numpy()
    top = min(1.0, 1.08 * float(np.nanmax(values)))
    axes.plot([0, top], [0, top], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="Ideal")
    x = curve["predicted"]
    if not curve["apparent"].equals(curve["corrected"]):
        axes.plot(x, curve["apparent"], color=PALETTE[0], linewidth=1.4, label="Apparent")
    axes.plot(x, np.clip(curve["corrected"], 0, 1), color=PALETTE[1], linewidth=2.2, label=label)
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="Predicted risk", ylabel="Observed risk")
    axes.set_aspect("equal")
    axes.legend(frameon=False, loc="upper left", fontsize=10)
    return axes


def draw_benefit(curve: pd.DataFrame, *, label: str = "Corrected", ax: Axes | None = None) -> Axes:
    """Draw net benefit: apparent, corrected (as in :func:`draw_curve`), treating all and none."""
    axes = plain_axes(ax_or_new(ax), grid="y")
    x = curve["threshold"]
    axes.plot(x, curve["treat_all"], color=MUTED, linewidth=1.2, label="Treat all")
    axes.axhline(0.0, color=INK, linewidth=1.0, label="Treat none")
    if not curve["apparent"].equals(curve["corrected"]):
        axes.plot(x, curve["apparent"], color=PALETTE[0], linewidth=1.4, label="Apparent")
    axes.plot(x, curve["corrected"], color=PALETTE[1], linewidth=2.2, label=label)
    top = float(np.nanmax(curve[["apparent", "corrected", "treat_all"]].to_numpy()))
    matters = curve.loc[curve["apparent"].abs() > 1e-4 * max(top, 1e-12), "threshold"]
    right = float(matters.max()) if len(matters) else float(x.max())
    axes.set(
        xlim=(0, min(1.0, right + 0.03)),
        ylim=(-0.12 * top, 1.1 * top),
        xlabel="Threshold probability",
        ylabel="Net benefit",
    )
    axes.legend(frameon=False, loc="upper right", fontsize=10)
    return axes


def draw_indices(frame: pd.DataFrame, *, label: str = "Corrected", ax: Axes | None = None) -> Axes:
    """Draw each index, apparent and corrected with its limits; column ``label`` names the rows."""
    axes = plain_axes(ax_or_new(ax, (7.4, 0.34 * len(frame) + 1.2)), grid="x")
    place = np.arange(len(frame))[::-1]
    corrected = frame["corrected"].to_numpy()
    low, high = frame["conf_low"].to_numpy(), frame["conf_high"].to_numpy()
    axes.hlines(place, low, high, color=PALETTE[1], linewidth=1.6)
    axes.scatter(corrected, place, color=PALETTE[1], s=30, zorder=3, label=label)
    axes.scatter(
        frame["apparent"],
        place,
        facecolor="white",
        edgecolor=PALETTE[0],
        s=30,
        zorder=3,
        label="Apparent",
    )
    axes.axvline(0.0, color=LIGHT, linewidth=1.0)
    axes.set_yticks(place, list(frame["label"]))
    axes.set_xlabel("Index")
    # Above the axes: its markers would pass for values among the others.
    axes.legend(frameon=False, fontsize=10, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2)
    return axes
