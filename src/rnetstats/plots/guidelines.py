"""What guidelines say of a cohort: stacked bars of answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.patches import Patch

from rnetstats.plots.style import (
    INK,
    LIGHT,
    MUTED,
    PALETTE,
    as_text,
    ax_or_new,
    legend_below,
    percent_ticks,
    plain_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["stacked_answers"]

_SHADES = {
    "no follow-up": PALETTE[5],
    "surveillance": PALETTE[0],
    "local resection": PALETTE[2],
    "tumour board": PALETTE[4],
    "radical resection": PALETTE[1],
    "no rule": LIGHT,
    "cannot be applied": MUTED,
}
_ROW, _HEAD = 0.34, 1.7  # inches a bar, and of title, axis and legend
_GAP = 0.7  # bars between groups


def stacked_answers(
    counts: pd.DataFrame,
    *,
    title: str = "",
    notes: dict[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one bar a label, parted by the answers.

    Parameters
    ----------
    counts : DataFrame
        ``group, label, answer, n``; labels in the order in which they come, below their group.
    title : str
    notes : dict, optional
        What to write beside the name of a group.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes
    """
    bars = list(dict.fromkeys(zip(counts["group"], counts["label"], strict=True)))
    places, heads = _places(bars)
    height = _HEAD + _ROW * (max(places) + 1.0)
    axes = ax_or_new(ax, figsize=(8.2, height))
    answers = [word for word in _SHADES if (counts.loc[counts["answer"] == word, "n"] > 0).any()]
    for (group, label), y in zip(bars, places, strict=True):
        mine = counts[(counts["group"] == group) & (counts["label"] == label)]
        _bar(axes, mine, y, answers)
    for group, y in heads.items():
        words = f"{group}{(notes or {}).get(group, '')}"
        axes.text(0.006, y, as_text(words), fontsize=10, fontweight="bold", color=INK, va="center")
    axes.set_yticks(list(places), [as_text(str(label)) for _, label in bars])
    axes.set_ylim(max(places) + 0.6, min([*places, *heads.values()]) - 0.6)
    axes.set_xlim(0.0, 1.0)
    percent_ticks(axes.xaxis)
    axes.set_xlabel("Share of patients")
    axes.set_title(as_text(title), fontsize=11, loc="left")
    plain_axes(axes)
    axes.tick_params(axis="y", length=0)
    keys = [Patch(facecolor=_SHADES[w], edgecolor=MUTED, linewidth=0.4, label=w) for w in answers]
    axes.legend(handles=keys, **legend_below(min(4, len(keys)), drop=0.85 / height), labelcolor=INK)
    return axes


def _places(bars: Sequence[tuple[str, str]]) -> tuple[list[float], dict[str, float]]:
    """Return the height of each bar, and of each group's name."""
    places: list[float] = []
    heads: dict[str, float] = {}
    y = 0.0
    for group, _ in bars:
        if group and group not in heads:
            y += _GAP * bool(heads)
            heads[group] = y
            y += 0.95
        places.append(y)
        y += 1.0
    return places, heads


def _bar(axes: Axes, mine: pd.DataFrame, y: float, answers: Sequence[str]) -> None:
    """Draw one bar; counts stand in the parts that are wide enough, the total beside it."""
    total = float(mine["n"].sum())
    left = 0.0
    for word in answers:
        n = int(mine.loc[mine["answer"] == word, "n"].sum())
        if not n:
            continue
        share = n / total
        axes.barh(
            y, share, left=left, height=0.74, color=_SHADES[word], edgecolor=MUTED, linewidth=0.4
        )
        if share >= 0.05:
            dark = word in {"no rule", "no follow-up", "tumour board"}
            axes.text(
                left + share / 2.0,
                y,
                f"{n:,}",
                ha="center",
                va="center_baseline",
                fontsize=9,
                color=INK if dark else "white",
            )
        left += share
    axes.text(1.012, y, f"{total:,.0f}", va="center_baseline", fontsize=9, color=MUTED)
