"""Propensity scores: balance before and after weighting, and the overlap of the arms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.plots.style import INK, LIGHT, LINE, MUTED, ax_or_new, colour, plain_axes, row_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["love_plot", "score_overlap"]

Floats = NDArray[np.float64]

_LARGE = 0.1  # a standardised difference beyond the dashed lines
_BINS = 25  # of the score


def love_plot(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw signed standardised mean differences before and after weighting.

    Parameters
    ----------
    table : DataFrame
        Columns ``label, smd_before, smd_after``; the largest difference before is at the top.
        Infinite differences stand at the edge as arrows, undefined ones are left out.
    ax : Axes, optional
        Where to draw; a new figure without.
    """
    order = table["smd_before"].abs().fillna(-1.0).sort_values(kind="stable").index
    shown = table.loc[order]
    labels, lines = row_labels(shown["label"])
    each = 0.3 + LINE * (lines - 1)
    ax = ax_or_new(ax, figsize=(7.0, each * len(shown) + 1.6))
    height = np.arange(len(shown))
    sides = {name: shown[f"smd_{name}"].to_numpy(float) for name in ("before", "after")}
    values = np.abs(np.concatenate(list(sides.values())))
    edge = 1.12 * max([*values[np.isfinite(values)], 1.5 * _LARGE])
    ax.axvline(0.0, color=MUTED, lw=0.9, zorder=1.0)
    for at in (-_LARGE, _LARGE):
        ax.axvline(at, color=MUTED, lw=1.0, ls=(0, (4, 3)), zorder=1.0)
    start, end = (np.clip(sides[name], -edge, edge) for name in ("before", "after"))
    ax.hlines(height, start, end, color=LIGHT, lw=2.0, zorder=1.5)
    looks = (("before", "o", "none", colour(1)), ("after", "o", colour(0), colour(0)))
    for name, mark, fill, shade in looks:
        x = sides[name]
        inside = np.isfinite(x)
        ax.plot(
            x[inside],
            height[inside],
            mark,
            markerfacecolor=fill,
            color=shade,
            ms=6.5,
            mew=1.5,
            label=f"{name} weighting",
            zorder=3.0,
        )
        for sign, arrow in ((1.0, ">"), (-1.0, "<")):
            beyond = np.isinf(x) & (np.sign(x) == sign)
            ax.plot(np.full(int(beyond.sum()), sign * edge), height[beyond], arrow, color=shade)
    ax.set_yticks(height, labels)
    ax.set_ylim(-0.7, len(shown) - 0.3)
    ax.set_xlim(-1.03 * edge, 1.03 * edge)
    ax.set_xlabel("Standardised mean difference (treated less control)")
    plain_axes(ax, grid="y")
    ax.legend(frameon=False, fontsize=9.5, ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return ax


def score_overlap(
    score: Floats,
    weights: Floats,
    treated: NDArray[np.bool_],
    freq: Floats,
    *,
    arms: tuple[str, str],
    ax: Axes | None = None,
) -> Axes:
    """Draw the distribution of the score in both arms, the treated up and the controls down.

    Parameters
    ----------
    score, weights, freq : arrays of shape (n,)
    treated : bool array of shape (n,)
    arms : pair of str
        Names of the control arm and of the treated arm.
    ax : Axes, optional
        Where to draw; a new figure without.

    Notes
    -----
    Bars are shares of an arm's patients; the outline is the same after weighting.
    """
    names, lines = row_labels(arms)
    ax = ax_or_new(ax, figsize=(7.0, 4.2 + LINE * (lines - 1)))
    edges = np.linspace(0.0, 1.0, _BINS + 1)
    tops: list[float] = []
    shown: list[Any] = []
    for sign, name, here, shade in (
        (1.0, names[1], treated, colour(0)),
        (-1.0, names[0], ~treated, colour(1)),
    ):
        plain = np.histogram(score[here], edges, weights=freq[here])[0]
        tilted = np.histogram(score[here], edges, weights=(freq * weights)[here])[0]
        plain, tilted = (part / max(float(part.sum()), 1e-300) for part in (plain, tilted))
        n = int(freq[here].sum())
        bars = ax.bar(
            edges[:-1],
            sign * plain,
            np.diff(edges),
            align="edge",
            color=shade,
            alpha=0.35,
            lw=0,
            label=f"{name} (n = {n})",
        )
        shown.append(bars)
        line = ax.stairs(sign * tilted, edges, color=shade, lw=1.7, label="the same, weighted")
        shown.append(line)
        tops.append(max(plain.max(), tilted.max()))
    ax.axhline(0.0, color=INK, lw=0.8)
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(-1.1 * tops[1], 1.1 * tops[0])
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(100.0 * value):.3g} %")
    ax.set_xlabel("Propensity score")
    ax.set_ylabel("Share of the arm")
    plain_axes(ax, grid="y")
    ax.legend(
        handles=shown,
        frameon=False,
        fontsize=9.5,
        ncols=2 if lines == 1 else 1,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
    )
    return ax
