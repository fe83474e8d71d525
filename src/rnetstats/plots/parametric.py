"""Parametric survival curves over Kaplan and Meier's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnetstats.plots.style import as_text, ax_or_new, colour, legend_place, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["fitted_over_observed"]


def fitted_over_observed(
    curves: pd.DataFrame,
    *,
    distribution: str,
    time_label: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw each group's fitted curve over its Kaplan-Meier steps.

    Parameters
    ----------
    curves : DataFrame
        ``group, time, kind, survival`` with kind ``observed`` or ``fitted``.
    distribution : str
        The law's name.
    time_label : str
    ax : Axes, optional
        Where to draw; by default on a new figure.
    """
    axes = ax_or_new(ax)
    groups = list(dict.fromkeys(curves["group"]))
    for index, group in enumerate(groups):
        part = curves[curves["group"] == group]
        seen, fitted = (part[part["kind"] == kind] for kind in ("observed", "fitted"))
        axes.step(
            seen["time"],
            seen["survival"],
            where="post",
            color=colour(index),
            alpha=0.55,
            linewidth=1.4,
            label=as_text(f"{group}: Kaplan-Meier"),
        )
        axes.plot(
            fitted["time"],
            fitted["survival"],
            color=colour(index),
            linewidth=2.0,
            linestyle="--",
            label=as_text(f"{group}: {distribution}"),
        )
    axes.set_xlim(left=0.0)
    axes.set_ylim(top=1.01)
    axes.set_xlabel(as_text(time_label))
    axes.set_ylabel("Survival")
    axes.legend(**legend_place(2 * len(groups), "lower left"))
    return plain_axes(axes)
