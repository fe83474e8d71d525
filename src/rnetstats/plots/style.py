"""How every figure looks: colours for colour-blind readers, plain axes, the synthetic mark.

The palette is Okabe and Ito's (Color Universal Design, 2008), strongest contrasts first. Nothing
here touches matplotlib's global settings.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure, SubFigure

__all__ = [
    "INK",
    "LIGHT",
    "LINE",
    "LINE_STYLES",
    "MARK",
    "MUTED",
    "PALETTE",
    "as_text",
    "ax_or_new",
    "colour",
    "legend_below",
    "legend_beside",
    "legend_is_beside",
    "legend_place",
    "legend_room",
    "legend_width",
    "line_style",
    "mark_synthetic",
    "marked",
    "percent_ticks",
    "plain_axes",
    "row_labels",
    "title_above",
]

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#404040")
LINE_STYLES = ("-", (0, (6, 2)), (0, (1.5, 1.5)), (0, (7, 2, 1.5, 2)))
INK = "#1F2328"
MUTED = "#6B7280"
LIGHT = "#E5E7EB"
LINE = 0.17  # inches of a further line of a row's label
_LETTERS = 40  # of a line of a row's label

SYNTHETIC = "Synthetic data"
MARK = "synthetic-mark"

_UNPRINTED = {code: " " for code in (*range(32), 127) if chr(code) != "\n"}
_MOST_INSIDE = 4  # entries of a legend among curves
_BESIDE = 34  # letters of a line of a legend beside the axes
_HANDLE, _ENTRY_LETTER = 0.7, 0.075  # inches of its lines of colour, and of a letter
_ENTRY = 0.19  # inches of a line of it


def ax_or_new(ax: Axes | None = None, figsize: tuple[float, float] = (7.0, 4.6)) -> Axes:
    """Return ``ax``, or the axes of a new white figure of this size in inches."""
    if ax is not None:
        return ax
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=figsize, layout="constrained", facecolor="white")
    figure.set_dpi(120)
    return axes


def as_text(words: str) -> str:
    """Return words that matplotlib shows as they are.

    A dollar sign begins no formula, a line at the front takes nothing out of a legend, and signs
    that no font has, such as a tab, are spaces.
    """
    shown = words.translate(_UNPRINTED).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def in_lines(words: str, letters: int = 76) -> str:
    """Break a title or an axis label that is long into lines; lines given stay."""
    return "\n".join(textwrap.fill(line, letters) for line in words.split("\n"))


def row_labels(labels: Iterable[object]) -> tuple[list[str], int]:
    """Break the labels of rows that are long into lines, and return the most lines of one."""
    broken = [
        "\n".join(line for part in str(label).split("\n") for line in _broken(part))
        for label in labels
    ]
    return [as_text(label) for label in broken], max((b.count("\n") + 1 for b in broken), default=1)


def _broken(label: str) -> list[str]:
    return textwrap.wrap(label, _LETTERS) or [label]


def colour(index: int) -> str:
    """Return the palette's colour for a group's position, from the start again when it ends."""
    return PALETTE[index % len(PALETTE)]


def line_style(index: int) -> str | tuple[float, tuple[float, ...]]:
    """Return a line style that changes each time the palette starts again."""
    return LINE_STYLES[(index // len(PALETTE)) % len(LINE_STYLES)]


def legend_place(entries: int, inside: str) -> dict[str, Any]:
    """Where a legend stands: inside, or to the right of the axes where it would hide curves."""
    look: dict[str, Any] = {"loc": inside, "frameon": False, "fontsize": 9.5}
    if entries > _MOST_INSIDE:
        look |= {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0)}
    return look


def legend_is_beside(curves: int) -> bool:
    """Say whether so many curves leave a legend no place among them."""
    return curves > _MOST_INSIDE


def legend_beside(texts: Iterable[str]) -> tuple[list[str], dict[str, Any]]:
    """Return the entries of a legend to the right of the axes, in lines, and where it stands."""
    lines = [textwrap.fill(text, _BESIDE) for text in texts]
    return lines, {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0)}


def legend_room(texts: Iterable[str], curves: int) -> tuple[float, float]:
    """Inches in width and height that a legend takes; none where it stands among the curves."""
    if not legend_is_beside(curves):
        return 0.0, 0.0
    lines = [line for entry in legend_beside(texts)[0] for line in entry.split("\n")]
    return _HANDLE + _ENTRY_LETTER * max(map(len, lines)), _ENTRY * (len(lines) + 3)


def legend_below(columns: int, drop: float = 0.13) -> dict[str, Any]:
    """Where a legend stands below the axes, ``drop`` of their height under them."""
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -drop)}
    return {**place, "ncols": columns, "frameon": False, "fontsize": 9.5}


def legend_width(width: float, entries: int, beside: float = 1.6) -> float:
    """Width of a figure in inches, wider where :func:`legend_place` puts the legend beside it."""
    return width + beside if entries > _MOST_INSIDE else width


def plain_axes(ax: Axes, *, grid: str | None = None) -> Axes:
    """Leave only the left and bottom lines; ``grid`` ("x", "y" or "both") adds faint lines."""
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(MUTED)
        ax.spines[side].set_linewidth(0.8)
    ax.tick_params(colors=INK, labelsize=10, width=0.8, length=4)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_color(INK)
        axis.label.set_fontsize(11)
    ax.title.set_color(INK)
    ax.set_axisbelow(True)
    if grid in ("x", "y", "both"):
        ax.grid(axis=grid, color=LIGHT, linewidth=0.8)  # type: ignore[arg-type]
    return ax


def title_above(ax: Axes, words: str, **look: Any) -> None:
    """Write a title straight above axes that have nothing there for it to keep clear of.

    Otherwise matplotlib measures the axis anew for every title in every pass.
    """
    ax.set_title(words, y=1.0, **look)


def percent_ticks(axis: Axis) -> None:
    """Write the ticks of shares as per cent."""
    axis.set_major_formatter(lambda value, _: f"{100.0 * value:.3g} %")


def marked(ax: Axes, synthetic: bool) -> Axes:
    """Return the axes, marked if what they show was drawn rather than observed."""
    if synthetic:
        mark_synthetic(ax)
    return ax


def mark_synthetic(target: Axes | Figure | SubFigure) -> None:
    """Write "Synthetic data" over a figure, faint but readable, in print as on screen."""
    from matplotlib.axes import Axes

    transform = target.transAxes if isinstance(target, Axes) else None
    place = {"transform": transform} if transform is not None else {}
    target.text(
        0.5,
        0.5,
        SYNTHETIC,
        ha="center",
        va="center",
        rotation=20,
        fontsize=26,
        fontweight="bold",
        color=MUTED,
        alpha=0.16,
        zorder=2.5,
        gid=MARK,
        **place,  # type: ignore[arg-type]
    )
