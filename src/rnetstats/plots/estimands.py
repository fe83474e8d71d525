"""Estimates as a list for slides, each under the words that say what it estimates."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rnetstats.plots.style import INK, MUTED, as_text, ax_or_new

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["estimand_list"]

_LINE = 0.185  # inches a line
_WIDTH = 9.6  # inches
_LETTERS = 125  # of a line of words
_BESIDE = 42  # letters of a line of an estimate, in the last third of the width
_GAP = 0.6  # lines between estimands


def estimand_list(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Write each estimate below its estimand; rows of one estimand stand together.

    Parameters
    ----------
    rows : DataFrame
        Texts ``estimand, name, counts, estimate``, in the order to be shown.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    lines: list[tuple[float, str, dict[str, str]]] = []
    place, before = 0.0, None
    records = [{str(k): str(text) for k, text in row.items()} for row in rows.to_dict("records")]
    for row in records:
        if row["estimand"] != before:
            place += _GAP if before is not None else 0.0
            for words in textwrap.wrap(row["estimand"], _LETTERS):
                lines.append((place, "words", {"words": words}))
                place += 1.0
        before = row["estimand"]
        first, *rest = textwrap.wrap(row["estimate"], _BESIDE) or [""]
        lines.append((place, "numbers", {**row, "estimate": first}))
        place += 1.0
        for more in rest:
            lines.append((place, "numbers", {"name": "", "counts": "", "estimate": more}))
            place += 1.0
    axes = ax_or_new(ax, figsize=(_WIDTH, 0.4 + _LINE * place))
    for down, kind, text in lines:
        if kind == "words":
            axes.text(0.0, down, as_text(text["words"]), fontsize=8.5, color=MUTED, va="center")
            continue
        for left, name in ((0.0, "name"), (0.34, "counts"), (0.66, "estimate")):
            if not text[name]:
                continue
            weight = "bold" if name == "name" else "normal"
            axes.text(
                left,
                down,
                as_text(text[name]),
                fontsize=9.5,
                color=INK,
                va="center",
                fontweight=weight,
            )
    axes.plot([0.0, 1.0], [-0.8, -0.8], color=MUTED, linewidth=0.8)
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(place, -1.0)
    axes.axis("off")
    return axes
