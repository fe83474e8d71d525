"""The points chart of a risk model: one axis a variable, their total, and its risk.

A variable whose points rise or fall throughout stands on a straight axis. One whose points turn
is drawn as a curve, its values upwards: from a value's mark one goes straight up to the points.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.style import INK, LIGHT, MUTED, PALETTE, as_text, ax_or_new

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["nomogram_chart"]

_INCH = 0.72  # of a figure's height for a unit of y
_WIDTH = 9.0  # of a new figure
_SHARE = 0.72  # of the width that is left beside the names
_LETTER = 0.075  # width in inches, of a mark's text
_TEXT = 0.21  # height of a line of text
_TICK = 0.07
_FONT = 9.0
_NAME = 26  # letters of a name's line


@dataclass
class _Row:
    """One axis: its marks, the lane of each mark's text (negative below), its line or curve.

    A curve is the share of the range (k,) at points x (k,); ``levels`` flags its marked values.
    """

    name: str
    x: np.ndarray
    marks: list[tuple[float, str]]
    colour: str = INK
    curve: np.ndarray | None = None
    levels: np.ndarray | None = None
    minor: list[float] = field(default_factory=list)
    lanes: list[int | None] = field(default_factory=list)
    y: float = 0.0

    @property
    def above(self) -> float:
        """Height over the line."""
        if self.curve is not None:
            return max(_TEXT * len(self.marks), 0.7)
        return _TICK + _TEXT * max([0, *(lane for lane in self.lanes if lane is not None)])

    @property
    def below(self) -> float:
        """Depth under the line."""
        if self.curve is not None:
            return 0.05
        return _TICK + _TEXT * max([0, *(-lane for lane in self.lanes if lane is not None)])


def nomogram_chart(
    table: pd.DataFrame,
    *,
    labels: Sequence[str],
    totals: pd.DataFrame,
    risk_ticks: Sequence[tuple[str, float]],
    risk_label: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw the chart.

    Parameters
    ----------
    table : DataFrame
        Columns ``axis, kind, value, points, tick``, as of the NomogramResult.
    labels : sequence of str
        One an axis.
    totals : DataFrame
        Column ``points``, rising from 0 to the largest total.
    risk_ticks : sequence of (str, float)
        Each risk's text with its total points.
    risk_label : str
    ax : Axes, optional
    """
    span, most = float(table["points"].max()), float(totals["points"].iloc[-1])
    if ax is None:
        width = _WIDTH * _SHARE
    else:
        figure = ax.get_figure(root=True)
        assert figure is not None
        width = float(ax.get_position().width * figure.get_figwidth()) * 0.85
    letter = _LETTER / width * span  # in points
    rows = [_ruler("Points", span, span)]
    rows += [_axis_row(table[table["axis"] == place], label) for place, label in enumerate(labels)]
    rows.append(_ruler("Total points", most, span))
    at_risk = [(x * span / most, text) for text, x in risk_ticks]
    ends = np.array([x for x, _ in at_risk] or [0.0])
    rows.append(_Row(risk_label, ends, at_risk, colour=PALETTE[1]))
    for place, row in enumerate(rows):
        row.lanes = _lanes(row, letter, ruler=place in {0, len(rows) - 2})
    height = _place(rows)
    axes = ax_or_new(ax, figsize=(_WIDTH, height * _INCH + 0.3))
    guides = np.array([x for x, _ in rows[0].marks])
    axes.vlines(guides, rows[-2].y + 0.35, rows[0].y, color=LIGHT, linewidth=0.8, zorder=0)
    for row in rows:
        _draw(axes, row)
    axes.set_xlim(-_overhang(rows, letter) - 0.01 * span, 1.02 * span)
    axes.set_ylim(-height, 0.0)
    axes.set_yticks([_middle(row) for row in rows], [_name(row.name) for row in rows])
    axes.tick_params(axis="y", length=0, labelsize=10, labelcolor=INK)
    axes.set_xticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    return axes


def _overhang(rows: list[_Row], letter: float) -> float:
    """How far texts reach beyond the left end, in points."""
    reach = [
        (0.5 if row.curve is None else 1.0) * letter * len(text) - x
        for row in rows
        for (x, text), lane in zip(row.marks, row.lanes, strict=True)
        if lane is not None
    ]
    return max([0.0, *reach])


def _name(text: str) -> str:
    return as_text(textwrap.fill(text, _NAME))


def _ruler(name: str, most: float, span: float) -> _Row:
    """A ruler of points, stretched over the width of the chart."""
    step = next(s for s in _steps() if most / s <= 12)
    values = np.arange(0.0, most * (1.0 + 1e-9), step)
    marks = [(float(v * span / most), f"{v:.6g}") for v in values]
    minor = np.arange(0.0, most * (1.0 + 1e-9), step / 5.0) * span / most
    end = span if name != "Points" else float(values[-1])
    return _Row(name, np.array([0.0, max(end, span)]), marks, minor=minor.tolist())


def _steps() -> list[float]:
    return [m * 10.0**e for e in range(-4, 8) for m in (1.0, 2.0, 5.0)]


def _axis_row(part: pd.DataFrame, label: str) -> _Row:
    points = part["points"].to_numpy(dtype=float)
    ticks = part["tick"].tolist()
    marks = [(float(x), text) for x, text in zip(points, ticks, strict=True) if text]
    kind = str(part["kind"].iloc[0])
    row = _Row(label, np.array([points.min(), points.max()]), marks, colour=PALETTE[0])
    rising = np.diff(points)
    if kind == "curve" and (rising > 0).any() and (rising < 0).any():
        values = part["value"].to_numpy(dtype=float)
        share = (values - values[0]) / (values[-1] - values[0])
        row.curve, row.x = share, points
        row.levels = np.array([bool(text) for text in ticks])
    return row


def _lanes(row: _Row, letter: float, *, ruler: bool) -> list[int | None]:
    """Give each mark's text a lane where it touches no other: -1 below, 1 above, -2, 2, ...

    Numbers on an axis take the two nearest lanes or none; levels always find one.
    """
    if row.curve is not None:
        return [1] * len(row.marks)
    numbers = all(text.replace(".", "").replace("-", "").isdigit() for _, text in row.marks)
    order = sorted(range(len(row.marks)), key=lambda i: row.marks[i][0])
    if numbers and len(order) > 2:  # the ends are named first
        order = [order[0], order[-1], *order[1:-1]]
    if ruler:
        choices = [-1]
    elif numbers:
        choices = [-1, 1]
    else:
        choices = [side * lane for lane in range(1, len(order) + 1) for side in (-1, 1)]
    taken: dict[int, list[tuple[float, float]]] = {}
    lanes: list[int | None] = [None] * len(row.marks)
    for i in order:
        x, text = row.marks[i]
        half = 0.5 * letter * (len(text) + 1.2)
        for lane in choices:
            if all(x + half <= a or x - half >= b for a, b in taken.get(lane, [])):
                taken.setdefault(lane, []).append((x - half, x + half))
                lanes[i] = lane
                break
    return lanes


def _place(rows: list[_Row]) -> float:
    """Set each row's height from the top down; returns the whole height."""
    y = 0.1
    for place, row in enumerate(rows):
        lines = 0.24 * len(textwrap.wrap(row.name, _NAME)) + 0.1
        above, below = row.above, row.below
        lack = max(lines - above - below, 0.0)
        y += above + 0.5 * lack + (0.25 if place == len(rows) - 2 else 0.0)
        row.y = -y
        y += below + 0.5 * lack + 0.12
    return y + 0.05


def _middle(row: _Row) -> float:
    return row.y if row.curve is None else row.y + 0.5 * row.above


def _draw(axes: Axes, row: _Row) -> None:
    if row.curve is not None:
        _draw_curve(axes, row)
        return
    axes.hlines(row.y, row.x.min(), row.x.max(), color=row.colour, linewidth=1.4)
    small = row.y + np.array([-0.5, 0.0]) * _TICK
    _strokes(axes, [(x, small[0], small[1]) for x in row.minor], row.colour, 0.7)
    ticks = []
    for (x, text), lane in zip(row.marks, row.lanes, strict=True):
        side = 1 if lane is not None and lane > 0 else -1
        reach = _TICK + (0.0 if lane is None else _TEXT * (abs(lane) - 1))
        ticks.append((x, row.y, row.y + side * reach))
        if lane is not None:
            _write(axes, x, row.y + side * reach, text, above=side > 0)
    _strokes(axes, ticks, row.colour, 0.9)


def _strokes(
    axes: Axes, strokes: list[tuple[float, float, float]], colour: str, width: float
) -> None:
    """Draw strokes at x from y to y, all as one line with gaps."""
    x = [value for place, _, _ in strokes for value in (place, place, np.nan)]
    y = [value for _, low, high in strokes for value in (low, high, np.nan)]
    axes.plot(x, y, color=colour, linewidth=width)


def _draw_curve(axes: Axes, row: _Row) -> None:
    """Draw points against values, the values upwards within the row."""
    assert row.curve is not None
    height = row.above - 0.5 * _TEXT
    bottom = row.y + 0.25 * _TEXT
    axes.plot(row.x, bottom + height * row.curve, color=row.colour, linewidth=1.6)
    for place, (x, text) in zip(_marked(row), row.marks, strict=True):
        y = bottom + height * row.curve[place]
        axes.plot([x], [y], marker="o", markersize=3.2, color=row.colour)
        side, lift = _free_side(row.x, place)
        axes.annotate(
            as_text(text),
            (x, y),
            xytext=(5 * side, 5 * lift),
            textcoords="offset points",
            ha="left" if side > 0 else "right",
            va="center",
            fontsize=_FONT,
            color=INK,
        )
    axes.hlines(row.y, row.x.min(), row.x.max(), color=MUTED, linewidth=0.6)


def _marked(row: _Row) -> list[int]:
    """Places of the marked values on the curve."""
    assert row.levels is not None
    return [int(place) for place in np.flatnonzero(row.levels)]


def _free_side(x: np.ndarray, place: int) -> tuple[int, int]:
    """Where a text beside a point of the curve does not cover it: right or left, up or down.

    The text stands outside the bend: left of a curve that bends to the right.
    """
    reach = max(1, len(x) // 25)
    first, last = max(place - reach, 0), min(place + reach, len(x) - 1)
    rising = bool(x[last] > x[first])
    bend = 0.0
    if first < place < last:
        bend = float(x[first] + x[last] - 2.0 * x[place])
    side = -1 if bend > 0.01 * float(np.ptp(x)) else 1
    turns = first < place < last and (x[first] > x[place]) == (x[last] > x[place])
    if turns:
        return side, 0
    return side, -side if rising else side


def _write(axes: Axes, x: float, y: float, text: str, *, above: bool) -> None:
    axes.annotate(
        as_text(text),
        (x, y),
        xytext=(0, 2.5 if above else -1.05 * _FONT),
        textcoords="offset points",
        ha="center",
        va="baseline",
        fontsize=_FONT,
        color=INK,
    )
