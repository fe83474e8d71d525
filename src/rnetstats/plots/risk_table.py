"""The numbers at risk under the time axis of a figure of curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnetstats.plots.style import INK, colour

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["LETTER", "LONG_NAME", "ROW", "make_room", "risk_table_below"]

ROW = 0.2  # inches a row of the table
_TOP = 0.62  # inches from the axis down to the table's first row
_GAP = 0.28  # inches between the table's labels and its first column
LETTER = 0.085  # inches a letter of its labels
LONG_NAME = 22  # letters beside the axes, to make room for


def risk_table_below(
    axes: Axes, risk: pd.DataFrame, groups: list[str], colours: list[str] | None = None
) -> None:
    """Write the numbers at risk as rows below the axis, each under its tick.

    Parameters
    ----------
    axes : Axes
    risk : DataFrame
        ``group, time, n_risk``.
    groups : list of str
        The rows, from above.
    colours : list of str, optional
        Of the rows' labels; by default the palette's in order.
    """
    from matplotlib.transforms import ScaledTranslation, blended_transform_factory

    shades = [colour(i) for i in range(len(groups))] if colours is None else colours
    scale = axes.figure.dpi_scale_trans
    across = blended_transform_factory(axes.transData, axes.transAxes)
    style: dict[str, Any] = {"va": "center", "fontsize": 9.5}
    for index, name in enumerate(["Number at risk", *groups]):
        down = _TOP + ROW * index
        label = axes.transAxes + ScaledTranslation(-_GAP, -down, scale)
        look: dict[str, Any] = (
            {"color": shades[index - 1]} if index else {"color": INK, "fontweight": "bold"}
        )
        axes.text(0.0, 0.0, name, transform=label, ha="right", **style, **look)
        cell = across + ScaledTranslation(0.0, -down, scale)
        cells = risk[risk["group"] == name] if index else risk.iloc[:0]
        for time, count in zip(cells["time"], cells["n_risk"], strict=True):
            text = f"{count:.4g}" if count < 1e4 else f"{count:.0f}"
            axes.text(time, 0.0, text, transform=cell, ha="center", color=INK, **style)


def make_room(axes: Axes, groups: list[str]) -> None:
    """Give the table room in a figure that holds nothing else and lays nothing out by itself."""
    figure = axes.get_figure(root=True)
    if figure is None or figure.get_layout_engine() is not None or len(figure.axes) > 1:
        return
    width, height = figure.get_size_inches()
    below = (_TOP + ROW * (len(groups) + 1)) / height
    beside = (_GAP + LETTER * max(len(name) for name in ("Number at risk", *groups))) / width
    figure.subplots_adjust(
        bottom=min(max(figure.subplotpars.bottom, below), 0.6),
        left=min(max(figure.subplotpars.left, beside), 0.5),
    )
