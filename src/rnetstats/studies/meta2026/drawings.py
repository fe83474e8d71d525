"""Drawings that no other study has: a product of odds ratios, scenes, regions, mixes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.formatting import fmt_number, fmt_percent
from rnetstats.plots.ratio_axis import ratio_ticks
from rnetstats.plots.style import (
    INK,
    LIGHT,
    MUTED,
    PALETTE,
    legend_below,
    percent_ticks,
    plain_axes,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_gap", "draw_methods", "draw_mixes", "draw_parts", "draw_simulation"]

_HEIGHT = 0.5


def draw_parts(ax: Axes, parts: pd.DataFrame) -> Axes:
    """Draw bars from 1 to the odds ratio within studies, and from there to the crude one."""
    line = {row["part"]: row for row in parts.to_dict("records")}
    within, crude = (float(line[name]["odds_ratio"]) for name in ("within", "crude"))
    low, high = (float(line["within"][name]) for name in ("low", "high"))
    bars = [
        (2, 1.0, within, PALETTE[2], "within studies"),
        (1, within, crude, PALETTE[1], "between studies"),
        (0, 1.0, crude, PALETTE[0], "crude"),
    ]
    for y, start, end, colour, _ in bars:
        ax.barh(y, end - start, left=start, height=_HEIGHT, color=colour, alpha=0.85)
        ax.text(
            min(start, end) * 0.985,
            y,
            f"× {fmt_number(end / start)}",
            ha="right",
            va="center",
            color=INK,
            fontsize=10.5,
        )
    ax.plot([low, high], [1.5, 1.5], color=MUTED, linewidth=1.2, solid_capstyle="butt")
    ax.plot([low, high], [1.5, 1.5], "|", color=MUTED, markersize=8)
    ax.plot([1.0, 1.0], [-0.5, 2.5], color=MUTED, linewidth=0.9)
    ax.plot([within, within], [0.7, 2.3], color=INK, linewidth=0.8, linestyle=":")
    ax.plot([crude, crude], [-0.3, 1.3], color=INK, linewidth=0.8, linestyle=":")
    ax.text(high * 1.03, 1.5, "95 % CI\nwithin", va="center", fontsize=9, color=MUTED)
    ax.set_xscale("log")
    ax.set_xlim(0.22, 3.1)
    ratio_ticks(ax.xaxis, *ax.get_xlim())
    ax.set_yticks([bar[0] for bar in bars], [bar[4] for bar in bars])
    ax.set_ylim(-0.5, 2.6)
    ax.set_xlabel("Odds ratio, salvage against observation (log scale)")
    plain_axes(ax)
    ax.tick_params(axis="y", length=0)
    return ax


def draw_simulation(ax: Axes, scenes: pd.DataFrame, parts: pd.DataFrame) -> Axes:
    """Draw a row a scene: the crude odds ratio with its spread, and the one within studies."""
    crude = float(parts.loc[parts["part"] == "crude", "odds_ratio"].iloc[0])
    y = np.arange(len(scenes))[::-1]
    ax.axvline(1.0, color=MUTED, linewidth=0.9)
    ax.axvline(crude, color=PALETTE[1], linewidth=1.1, linestyle=(0, (4, 3)))
    ax.hlines(y, scenes["crude_low"], scenes["crude_high"], color=PALETTE[0], linewidth=2.0)
    ax.plot(scenes["crude_or"], y, "o", color=PALETTE[0], markersize=7, label="crude")
    ax.plot(
        scenes["within_estimate"],
        y,
        "D",
        markerfacecolor="white",
        markeredgecolor=PALETTE[2],
        markersize=7,
        markeredgewidth=1.6,
        label="within studies (median)",
    )
    ax.plot([], [], color=PALETTE[1], linestyle=(0, (4, 3)), label="crude, as printed")
    labels = [
        f"between centres {fmt_number(b)},\nother SD {fmt_number(h, 1)}"
        for b, h in zip(scenes["between_or"], scenes["heterogeneity"], strict=True)
    ]
    ax.set_yticks(y, labels)
    for at, share in zip(y, scenes["crude_significant"], strict=True):
        ax.annotate(
            fmt_percent(share, 0),
            (1.02, at),
            xycoords=("axes fraction", "data"),
            va="center",
            color=INK,
            fontsize=10,
            annotation_clip=False,
        )
    ax.annotate(
        "crude P < 0.05",
        (1.02, len(scenes) - 0.5),
        xycoords=("axes fraction", "data"),
        color=MUTED,
        fontsize=9.5,
        annotation_clip=False,
    )
    ax.set_xscale("log")
    ratio_ticks(ax.xaxis, *ax.get_xlim())
    ax.set_ylim(-0.6, len(scenes) - 0.2)
    ax.set_xlabel("Odds ratio, salvage against observation (log scale)")
    ax.legend(**legend_below(3, drop=0.2), labelcolor=INK)
    plain_axes(ax)
    ax.tick_params(axis="y", length=0, labelsize=9)
    return ax


def draw_gap(figure: Figure, facts: Mapping[str, Any]) -> Any:
    """Draw the pairs of growth and finding that give the print, and the largest benefit."""
    left, right = figure.subplots(1, 2)
    risk = facts["observed"]
    found = np.linspace(0.01, 1.0, 400)
    curves = [
        (facts["residual_low"], PALETTE[0], "--"),
        (facts["residual"], INK, "-"),
        (facts["residual_high"], PALETTE[1], "--"),
    ]
    ends = [np.minimum(risk / (share * found), 1.0) for share, _, _ in (curves[0], curves[2])]
    left.fill_between(found, ends[1], ends[0], color=LIGHT, linewidth=0)
    for share, colour, style in curves:
        grows = risk / (share * found)
        left.plot(
            found,
            np.where(grows <= 1.0, grows, np.nan),
            color=colour,
            linestyle=style,
            linewidth=1.7,
            label=f"residual tumour {fmt_percent(share, 0)}",
        )
    left.set_xlabel("Share of recurrences that is found")
    left.set_ylabel("A residual grows within the follow-up")
    left.legend(frameon=False, fontsize=9.5, loc="upper right", labelcolor=INK)
    most = np.minimum(risk / found, facts["residual_high"])
    within = np.minimum(risk / found, facts["residual"])
    right.fill_between(found, 0.0, most, color=LIGHT, linewidth=0)
    right.plot(found, most, color=PALETTE[1], linewidth=1.7, linestyle="--")
    right.plot(found, within, color=INK, linewidth=1.7)
    right.axhline(risk, color=PALETTE[2], linewidth=1.2, linestyle=(0, (4, 3)))
    right.annotate(
        f"all is found: {fmt_percent(risk, 2)}",
        (0.98, risk),
        xytext=(0, 22),
        textcoords="offset points",
        ha="right",
        fontsize=9.5,
        color=PALETTE[2],
    )
    right.set_xlabel("Share of recurrences that is found")
    right.set_ylabel("Recurrence prevented, at most")
    right.set_ylim(0.0, 1.15 * facts["residual_high"])
    left.set_ylim(0.0, 1.02)
    for ax in (left, right):
        ax.set_xlim(0.0, 1.0)
        percent_ticks(ax.xaxis)
        percent_ticks(ax.yaxis)
        plain_axes(ax)
    return left


def draw_methods(ax: Axes, rates: pd.DataFrame, series: pd.DataFrame) -> Axes:
    """Draw the printed rate of each method, ours with its interval, and single series."""
    place = dict(zip(rates["method"], range(len(rates))[::-1], strict=True))
    y = np.array([place[method] for method in rates["method"]], dtype=float)
    ax.hlines(y - 0.14, rates["conf_low"], rates["conf_high"], color=PALETTE[0], linewidth=1.8)
    ax.plot(rates["estimate"], y - 0.14, "o", color=PALETTE[0], markersize=7, label="ours, pooled")
    ax.plot(
        series["events"] / series["n"],
        [place[m] - 0.34 for m in series["method"]],
        "o",
        markersize=4.5,
        markerfacecolor="none",
        markeredgecolor=MUTED,
        label="single series",
    )
    ax.plot(
        rates["printed"],
        y + 0.14,
        "D",
        color=PALETTE[1],
        markersize=7.5,
        label="printed, no limits",
    )
    for at, row in zip(y, rates.to_dict("records"), strict=True):
        if not row["k"]:
            ax.text(
                row["printed"] - 0.03,
                at - 0.14,
                "no series at hand",
                ha="right",
                va="center",
                fontsize=9.5,
                color=MUTED,
            )
    ax.set_yticks(y, list(rates["label"]))
    ax.set_xlim(0.0, 0.9)
    ax.set_ylim(-0.6, len(rates) - 0.5)
    percent_ticks(ax.xaxis)
    ax.set_xlabel("Incomplete resection")
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], labels[::-1], **legend_below(3, drop=0.2), labelcolor=INK)
    plain_axes(ax, grid="x")
    ax.tick_params(axis="y", length=0)
    return ax


def draw_mixes(ax: Axes, mixes: pd.DataFrame) -> Axes:
    """Draw expected and seen shares of each study, joined by a line."""
    y = np.arange(len(mixes))[::-1]
    expected, seen = mixes["expected"] / mixes["n"], mixes["seen"] / mixes["n"]
    ax.hlines(y, expected, seen, color=MUTED, linewidth=1.4)
    ax.plot(expected, y, "D", color=PALETTE[1], markersize=7.5, label="at the pooled rates")
    ax.plot(seen, y, "o", color=PALETTE[0], markersize=8, label="seen")
    for at, row, x in zip(y, mixes.to_dict("records"), np.maximum(expected, seen), strict=True):
        text = f"{row['seen']} seen, {fmt_number(row['expected'], 0)} expected"
        ax.text(x + 0.012, at, text, va="center", fontsize=9.5, color=INK)
    ax.set_yticks(y, [f"{s}\n({m})" for s, m in zip(mixes["study"], mixes["means"], strict=True)])
    ax.set_xlim(0.0, float(np.maximum(expected, seen).max()) + 0.18)
    ax.set_ylim(-0.6, len(mixes) - 0.4)
    percent_ticks(ax.xaxis)
    ax.set_xlabel("Incomplete or not curative")
    ax.legend(**legend_below(2, drop=0.2), labelcolor=INK)
    plain_axes(ax, grid="x")
    ax.tick_params(axis="y", length=0, labelsize=9.5)
    return ax
