"""The columns of text left and right of a meta-analysis' forest plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rnetstats.plots.meta_lines import NOT_ESTIMABLE, Line
from rnetstats.plots.style import INK, MUTED, as_text
from rnetstats.plots.text_width import text_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Transform

__all__ = ["Columns"]

_GAP = 1.3  # between columns, in sizes of a letter
_BOLD = ("head", "random", "common", "subgroup")


class Columns:
    """Where each column of text stands, measured before it is written.

    Parameters
    ----------
    lines : sequence of Line
    arms : sequence of (str, columns)
        Columns of counts with the name that stands over them.
    right : dict
        Heads of the columns right of the axis.
    size : float
        Of the letters, in points.
    """

    def __init__(
        self,
        lines: Sequence[Line],
        arms: Sequence[tuple[str, Sequence[tuple[str, str]]]],
        right: Mapping[str, str],
        size: float,
    ) -> None:
        self.size, self.arms = size, arms
        self.heads = {key: head for _, columns in arms for key, head in columns} | dict(right)
        gap = _GAP * size
        widths = {key: self._width(lines, key) for key in self.heads}
        for name, columns in arms:  # a long name of an arm widens its columns
            lacking = text_points(name, size, bold=True) - sum(
                widths[key] + gap for key, _ in columns
            )
            widths[columns[0][0]] += max(0.0, lacking + gap)
        self.places: dict[str, float] = {}
        at = -gap
        for columns in [columns for _, columns in reversed(arms)]:
            for key, _ in reversed(columns):
                self.places[key] = at
                at -= widths[key] + gap
            at -= 0.5 * gap
        label = max((self._words(line) for line in lines if line.kind != "text"), default=0.0)
        note = max((self._words(line) for line in lines if line.kind == "text"), default=0.0)
        self.left = max(label - at, note + gap, text_points("Study", size, bold=True) - at)
        self.right = 0.5 * gap
        for key in right:
            self.right += gap + widths[key]
            self.places[key] = self.right
        self._widths = widths
        self._right_keys = set(right)
        self._shifted: dict[float, Transform] = {}
        self.head = 1.25 + max(
            [
                float(any(name for name, _ in arms)),
                *(0.6 * h.count("\n") for h in self.heads.values()),
            ]
        )

    def write(self, axes: Axes, line: Line, y: float) -> None:
        """Write a line's words and cells at height ``y``."""
        bold = "bold" if line.kind in _BOLD else "normal"
        color = MUTED if line.kind in ("out", "text") else INK
        self._put(axes, -self.left, y, line.words, "left", bold, color)
        for key, text in line.cells.items():
            quiet = MUTED if text == NOT_ESTIMABLE else color
            self._put(axes, self.places[key], y, text, "right", bold, quiet, key=key)

    def write_heads(self, axes: Axes) -> None:
        """Write the heads of the columns, and the arms over their counts."""
        y = self.head - 0.75
        self._put(axes, -self.left, y, "Study", "left", "bold", INK)
        for key, head in self.heads.items():
            self._put(axes, self.places[key], y, head, "right", "bold", INK, key=key)
        for name, columns in self.arms:
            first = columns[0][0]
            middle = 0.5 * (self.places[first] - self._widths[first] + self.places[columns[-1][0]])
            self._put(axes, middle, y - 1.0, name, "center", "bold", INK)

    def write_title(self, axes: Axes, title: str) -> None:
        """Write a title over the first column."""
        if title:
            place, above = (0.0, 1.0), (-self.left, 10.0)
            axes.annotate(
                as_text(title),
                place,
                above,
                xycoords="axes fraction",
                textcoords="offset points",
                fontsize=self.size + 2.0,
                color=INK,
            )

    def _put(
        self,
        axes: Axes,
        at: float,
        y: float,
        text: str,
        ha: str,
        weight: str,
        color: str,
        *,
        key: str = "",
    ) -> None:
        from matplotlib.transforms import ScaledTranslation

        right = key in self._right_keys
        if at not in self._shifted:
            aside = ScaledTranslation(at / 72.0, 0.0, axes.figure.dpi_scale_trans)
            self._shifted[at] = axes.get_yaxis_transform() + aside
        axes.text(
            float(right),
            y,
            as_text(text),
            ha=ha,
            va="center_baseline",
            fontweight=weight,
            color=color,
            fontsize=self.size,
            transform=self._shifted[at],
            linespacing=1.05,
        )

    def _width(self, lines: Sequence[Line], key: str) -> float:
        cells = [(line.cells.get(key, ""), line.kind in _BOLD) for line in lines]
        widths = [text_points(text, self.size, bold=bold) for text, bold in cells]
        return max([text_points(self.heads[key], self.size, bold=True), *widths])

    def _words(self, line: Line) -> float:
        return text_points(line.words, self.size, bold=line.kind in _BOLD)
