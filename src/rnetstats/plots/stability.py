"""Instability plots: what other samples would have predicted for the same patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.style import INK, MUTED, PALETTE, ax_or_new, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["draw_calibration", "draw_classification", "draw_net_benefit", "draw_patients"]

_FAINT = 0.18


def draw_patients(
    patients: pd.DataFrame, kind: str, *, conf_level: float = 0.95, ax: Axes | None = None
) -> Axes:
    """Draw each patient's risk against the spread (or mean error) of resampled predictions."""
    axes = plain_axes(ax_or_new(ax, (5.8, 5.2)), grid="both")
    ordered = patients.sort_values("risk")
    x = ordered["risk"].to_numpy()
    if kind == "mape":
        axes.scatter(x, ordered["mape"], s=10, color=PALETTE[0], alpha=0.5, linewidths=0)
        axes.set(xlabel="Predicted risk", ylabel="Mean absolute prediction error")
        axes.set_ylim(bottom=0.0)
        return axes
    axes.vlines(x, ordered["conf_low"], ordered["conf_high"], color=PALETTE[0], alpha=0.25, lw=1.2)
    top = float(min(1.0, 1.05 * ordered["conf_high"].max()))
    axes.plot([0, top], [0, top], color=INK, linewidth=1)
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="Predicted risk of the model")
    axes.set_ylabel(f"Risk by resampled models, central {100 * conf_level:g} %")
    axes.set_aspect("equal")
    return axes


def draw_classification(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the share of models that classify a patient differently, by threshold."""
    axes = plain_axes(ax_or_new(ax), grid="y")
    axes.plot(frame["threshold"], frame["instability"], color=PALETTE[0], lw=2, label="Mean share")
    axes.plot(
        frame["threshold"],
        frame["unstable"],
        color=PALETTE[1],
        lw=1.4,
        label="Patients for whom more than 10 % differ",
    )
    axes.set(xlim=(0, 1), xlabel="Threshold probability", ylabel="Share classified differently")
    largest = float(np.nanmax(frame[["instability", "unstable"]].to_numpy()))
    axes.set_ylim(0.0, max(1.35 * largest, 0.01))  # room for the legend above the lines
    axes.legend(frameon=False, fontsize=10, loc="upper right")
    return axes


def draw_calibration(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the calibration curve of each resampled model on the same data."""
    axes = plain_axes(ax_or_new(ax, (5.6, 5.2)), grid="both")
    # The steep end of a single curve must not press all others into a corner.
    top = float(max(frame["predicted"].max(), np.nanquantile(frame["observed"], 0.99)))
    top = min(1.0, 1.1 * top)
    axes.plot([0, top], [0, top], color=MUTED, lw=1, linestyle=(0, (4, 3)))
    _lines(axes, frame, "predicted", "observed")
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="Predicted risk", ylabel="Observed risk")
    axes.set_aspect("equal")
    return axes


def draw_net_benefit(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw net benefit of each resampled model on the same data."""
    axes = plain_axes(ax_or_new(ax), grid="y")
    axes.axhline(0.0, color=INK, lw=1)
    _lines(axes, frame, "threshold", "net_benefit")
    top = float(frame["net_benefit"].max())
    axes.set(xlabel="Threshold probability", ylabel="Net benefit", ylim=(-0.15 * top, 1.1 * top))
    return axes


def _lines(axes: Axes, frame: pd.DataFrame, x: str, y: str) -> None:
    for model, part in frame.groupby("model", sort=True):
        if model:
            axes.plot(part[x], part[y], color=PALETTE[0], lw=0.8, alpha=_FAINT)
    first = frame[frame["model"] == 0]
    axes.plot(first[x], first[y], color=PALETTE[1], lw=2.2, label="The model")
    axes.plot([], [], color=PALETTE[0], lw=0.8, alpha=0.6, label="Models of resamples")
    axes.legend(frameon=False, fontsize=10)
