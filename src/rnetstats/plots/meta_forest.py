"""The forest plot of a meta-analysis: studies, counts, weights, and what was pooled."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.errors import OptionError
from rnetstats.plots.meta_columns import Columns
from rnetstats.plots.meta_lines import Line, arm_columns, forest_lines, weight_columns
from rnetstats.plots.meta_marks import diamond, prediction_bar, study_mark
from rnetstats.plots.meta_scale import MetaScale, scale_of
from rnetstats.plots.style import INK, MUTED, as_text, ax_or_new

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["meta_forest"]

_MANY = 40  # studies from which lines are set closer
_SIZE, _LINE = 9.5, 17.0  # points: letters, and from line to line
_SMALL, _CLOSE = 7.5, 11.5  # the same of many studies
_PLOT = 3.1 * 72.0  # points of the axis
_FAVOURS = 22  # letters of a line under the axis


def meta_forest(
    rows: pd.DataFrame,
    pooled: pd.DataFrame,
    *,
    measure: str,
    arms: Sequence[str] = ("Arm 1", "Arm 2"),
    favours: Sequence[str] | None = None,
    conf_level: float = 0.95,
    null: float | str | None = "auto",
    digits: int | None = None,
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw a meta-analysis: one line a study, diamonds for what was pooled.

    A square's area is the study's weight. Limits that leave the axis end in arrows. Studies that
    have no estimate, or were not used, keep their line and are called not estimable; what
    ``note`` says of a study stands as a footnote. Totals beside a diamond are those of all studies
    above it. More than 40 studies are set closer, and the figure grows with them.

    Parameters
    ----------
    rows : DataFrame
        One row a study, top to bottom: ``study, estimate, conf_low, conf_high``, and where there
        are any the counts (``events_1, n_1, events_2, n_2``, or ``mean_i, sd_i, n_i``, or
        ``events_i, time_i``; one arm of proportions), ``weight`` and ``weight_common`` in any
        unit, ``used``, ``subgroup`` and ``note``.
    pooled : DataFrame
        ``label, estimate, conf_low, conf_high, kind, text``. ``kind`` is ``"random"``,
        ``"common"``, ``"prediction"`` (limits alone) or ``"subgroup"``; a subgroup's row belongs
        to the group that its column ``subgroup``, or else its label, names. ``text`` is written
        under the diamonds: heterogeneity.
    measure : str
        ``"OR"``, ``"RR"``, ``"HR"``, ``"IRR"`` (log axis), ``"RD"``, ``"MD"``, ``"SMD"``,
        ``"proportion"`` (shares of 1, shown in per cent), or any name.
    arms : sequence of two str
        Names of the arms, over their counts.
    favours : sequence of two str, optional
        What an effect left and right of the null speaks for.
    conf_level : float
    null : float, None or "auto"
        Where the line of no effect stands.
    digits : int, optional
        Decimals of the effects.
    title : str
    ax : Axes, optional
        Where to draw; by default on a new figure that is large enough. The columns stand outside
        the axes, left and right.

    Returns
    -------
    Axes

    Raises
    ------
    ColumnError
        If a column is missing.
    OptionError
        If a row of ``pooled`` is of another kind, or ``arms`` or ``favours`` are not two.
    """
    for name, pair in (("arms", arms), ("favours", favours)):
        if pair is not None and (isinstance(pair, str) or len(pair) != 2):
            raise OptionError(f"{name} must be two words, not {pair!r}.")
    rows, pooled = rows.reset_index(drop=True), pooled.reset_index(drop=True)
    scale = scale_of(measure, null=null, digits=digits)
    lines = forest_lines(rows, pooled, scale)
    size, step = (_SMALL, _CLOSE) if len(rows) > _MANY else (_SIZE, _LINE)
    found = arm_columns(rows)
    counts = [(arms[int(arm) - 1] if len(found) > 1 else "", found[arm]) for arm in found]
    heads = {"effect": f"{scale.short} ({100 * conf_level:g} % CI)", **weight_columns(rows)}
    columns = Columns(lines, counts, heads, size)
    total = sum(line.height for line in lines) + columns.head
    inches = (total * step + 62.0 + _under(favours) + (22.0 if title else 0.0)) / 72.0
    axes = ax_or_new(ax, figsize=((columns.left + _PLOT + columns.right + 16.0) / 72.0, inches))
    ends = scale.ends(*_extent(lines))
    scale.dress(axes, ends)
    axes.set_ylim(total, 0.0)
    _verticals(axes, lines, scale, columns.head - 0.2, total)
    y = columns.head
    for line in lines:
        _mark(axes, line, y + line.height / 2, ends, step)
        columns.write(axes, line, y + line.height / 2)
        y += line.height
    columns.write_heads(axes)
    _frame(axes, scale, conf_level, favours)
    columns.write_title(axes, title)
    return axes


def _extent(lines: Sequence[Line]) -> tuple[np.ndarray, np.ndarray]:
    """Values that the axis must show, and limits that it shows unless they are far away."""
    core: list[float] = []
    limits: list[float] = []
    for line in lines:
        if line.values is None:
            continue
        if line.kind != "prediction":
            core.append(line.values[0])
        wide = line.kind in ("study", "prediction")
        (limits if wide else core).extend(line.values[1:])
    return np.array(core, dtype=float), np.array(limits, dtype=float)


def _verticals(
    axes: Axes, lines: Sequence[Line], scale: MetaScale, top: float, bottom: float
) -> None:
    """Draw the lines of no effect and of the pooled estimate."""
    if scale.null is not None:
        null = scale.factor * scale.null
        axes.plot([null, null], [top, bottom], color=MUTED, linewidth=0.9, zorder=1)
    pooled = [line for line in lines if line.kind in ("random", "common") and line.values]
    chosen = [line for line in pooled if line.kind == "random"] or pooled
    if chosen and chosen[0].values and math.isfinite(chosen[0].values[0]):
        at = chosen[0].values[0]
        axes.plot([at, at], [top, bottom], color=INK, lw=0.8, ls=(0, (4, 3)), zorder=1)


def _mark(axes: Axes, line: Line, y: float, ends: tuple[float, float], step: float) -> None:
    if line.values is None:
        return
    if line.kind == "study":
        study_mark(axes, y, line.values, ends, line.share, step)
    elif line.kind == "prediction":
        prediction_bar(axes, y, line.values, ends, step)
    else:
        diamond(axes, y, line.values, ends, kind=line.kind)


def _frame(axes: Axes, scale: MetaScale, conf_level: float, favours: Sequence[str] | None) -> None:
    """Leave the bottom line alone, name the axis and say what either side of the null favours."""
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(MUTED)
    axes.set_yticks([])
    axes.tick_params(axis="x", colors=INK, labelsize=9, width=0.8, length=4)
    words = f"{as_text(scale.name)} ({100 * conf_level:g} % CI{', log scale' if scale.log else ''})"
    axes.set_xlabel(words, fontsize=9.5, color=INK, labelpad=4.0 + _under(favours))
    if not favours:
        return
    left, right = _sides(favours)
    places = ((0.0, f"← favours\n{left}", "left"), (1.0, f"favours →\n{right}", "right"))
    for at, text, ha in places:
        axes.annotate(
            as_text(text),
            (at, 0.0),
            (0.0, -20.0),
            xycoords="axes fraction",
            textcoords="offset points",
            ha=ha,
            va="top",
            fontsize=9,
            color=MUTED,
        )


def _sides(favours: Sequence[str]) -> list[str]:
    return [textwrap.fill(str(side), _FAVOURS) for side in favours]


def _under(favours: Sequence[str] | None) -> float:
    """Points that the words on either side take under the axis."""
    if not favours:
        return 0.0
    return 13.0 * (2 + max(side.count("\n") for side in _sides(favours)))
