"""Cohorts that were drawn: who they hold, what is true of them, and how methods do on many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.plots.ratio_axis import at_least, ratio_ticks
from rnetstats.plots.style import (
    INK,
    MUTED,
    PALETTE,
    as_text,
    ax_or_new,
    legend_below,
    plain_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["coverage_of_methods", "follow_up_by_enrolment", "true_ratios"]

_ROW = 0.24  # inches


def follow_up_by_enrolment(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw each patient's follow-up by date of enrolment, recurrences marked.

    Parameters
    ----------
    rows : DataFrame
        ``enrolment_date, os_months, margin_positive, recurrence, dfs_months``.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax)
    for flag, name in ((0, "negative margin"), (1, "positive margin")):
        own = rows[rows["margin_positive"] == flag]
        look: dict[str, Any] = {"color": PALETTE[flag], "linestyle": "none"}
        dates, months = own["enrolment_date"], own["os_months"]
        axes.plot(dates, months, marker=".", alpha=0.4, label=f"{name}, last seen", **look)
        seen = own[own["recurrence"] == 1]
        dates, months = seen["enrolment_date"], seen["dfs_months"]
        axes.plot(dates, months, marker="x", mew=2, label=f"{name}, recurrence", **look)
    axes.set_xlabel("Enrolment")
    axes.set_ylabel("Months of follow-up")
    axes.set_ylim(bottom=0.0)
    axes.legend(**legend_below(2))
    return plain_axes(axes)


def true_ratios(labels: list[str], values: np.ndarray, *, ax: Axes | None = None) -> Axes:
    """Draw true odds and hazard ratios on a logarithmic axis.

    Parameters
    ----------
    labels : list of k str
    values : array of shape (k,)
        Above 0.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = _rows_of(labels, ax)
    axes.plot(values, np.arange(len(labels)), "o", color=PALETTE[0])
    low, high = at_least(0.8 * min(1.0, values.min()), 1.25 * max(1.0, values.max()))
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    ratio_ticks(axes.xaxis, low, high)
    axes.axvline(1.0, color=MUTED, linewidth=0.9, zorder=1)
    axes.set_xlabel("True odds or hazard ratio")
    return axes


def coverage_of_methods(
    labels: list[str],
    coverage: np.ndarray,
    mcse: np.ndarray,
    *,
    axis: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw the coverage of every method's 95 % limits, with three Monte Carlo errors.

    Parameters
    ----------
    labels : list of k str
    coverage, mcse : arrays of shape (k,)
        Share of cohorts whose interval holds the truth, and its Monte Carlo error.
    axis : str
        What the axis is called.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    axes = _rows_of(labels, ax)
    places = np.arange(len(labels))
    axes.errorbar(coverage, places, xerr=3.0 * mcse, fmt="o", ms=4, lw=1.2, color=PALETTE[0])
    axes.axvline(0.95, color=MUTED, linewidth=0.9, zorder=1)
    low, high = axes.get_xlim()
    axes.set_xlim(max(low, -0.02), min(high, 1.02))
    axes.set_xlabel(as_text(axis))
    return axes


def _rows_of(labels: list[str], ax: Axes | None) -> Axes:
    """Axes with a named row a label, from the top down."""
    axes = plain_axes(ax_or_new(ax, figsize=(9.4, 1.1 + _ROW * len(labels))))
    axes.set_yticks(np.arange(len(labels)), [as_text(label) for label in labels])
    axes.tick_params(axis="y", labelsize=8.5, labelcolor=INK, length=0)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    return axes
