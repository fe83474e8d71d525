"""How far recomputed figures are from the printed ones, in units of the last printed digit."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.style import INK, LIGHT, MUTED, as_text, ax_or_new, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["audit_gaps", "audit_height", "audit_rows"]

_COLOURS = {
    "consistent": "#0072B2",
    "rounding": "#B07A00",  # Okabe and Ito's orange, darkened to be read as text
    "inconsistent": "#D55E00",
    "cannot be checked": MUTED,
}
_MARKERS = {"consistent": "o", "rounding": "D", "inconsistent": "s", "cannot be checked": "o"}
_REACH = 3.0  # units shown; beyond them an arrow
_MOST = 36  # rows; of more only those that are not consistent are drawn
_WRAP = 52
_ROW, _FRAME = 0.36, 1.4  # inches


def audit_rows(lines: pd.DataFrame) -> pd.DataFrame:
    """Return the rows to draw: those with a gap, and of many those that are not consistent.

    Parameters
    ----------
    lines : DataFrame
        ``check, verdict, gap_low, gap_high``.
    """
    rows = lines[lines["gap_low"].notna()]
    rows = rows if len(rows) else lines
    odd = rows[rows["verdict"] != "consistent"]
    return (odd if len(rows) > _MOST and len(odd) else rows).head(_MOST)


def audit_height(lines: pd.DataFrame) -> float:
    """Return the height in inches that the figure needs."""
    return _FRAME + _ROW * max(len(audit_rows(lines)), 2)


def audit_gaps(lines: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw a row a check: where the recomputed value lies about the printed one.

    Parameters
    ----------
    lines : DataFrame
        ``check, verdict, gap_low, gap_high``; the gap in units of the last printed digit.
    ax : Axes, optional
        Where to draw; a new figure without.

    Returns
    -------
    Axes
    """
    rows = audit_rows(lines).reset_index(drop=True)
    axes = ax_or_new(ax, figsize=(8.6, audit_height(lines)))
    axes.axvspan(-0.5, 0.5, color=LIGHT, lw=0, zorder=0)
    axes.axvline(0.0, color=MUTED, lw=0.8, zorder=1)
    gaps = rows[["gap_low", "gap_high"]].to_numpy(float)
    for place, (verdict, ends) in enumerate(zip(rows["verdict"], gaps, strict=True)):
        _row(axes, place, str(verdict), float(ends[0]), float(ends[1]))
    axes.set_xlim(-_REACH - 0.25, _REACH + 0.25)
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [_label(str(name)) for name in rows["check"]])
    axes.set_xlabel(
        "Recomputed less printed, in units of the last printed digit\n(grey: rounds to the print)"
    )
    left = len(lines) - len(rows)
    if left:
        words = f"{left} more {'check is' if left == 1 else 'checks are'} not drawn"
        axes.set_title(words, fontsize=9.5, color=MUTED, loc="left")
    plain_axes(axes)
    axes.tick_params(axis="y", length=0, labelsize=9)
    axes.spines["left"].set_visible(False)
    return axes


def _row(axes: Axes, place: int, verdict: str, low: float, high: float) -> None:
    """Draw one check: a span or a point, an arrow where it lies outside, the verdict in words."""
    colour = _COLOURS[verdict]
    axes.annotate(
        verdict,
        (1.0, place),
        xycoords=("axes fraction", "data"),
        xytext=(6, 0),
        textcoords="offset points",
        va="center",
        fontsize=9,
        color=colour if verdict != "consistent" else INK,
    )
    if np.isnan(low):
        axes.plot([0.0], [place], ls="", marker="_", color=MUTED, ms=7)
        return
    if low > _REACH or high < -_REACH:
        end = _REACH if low > _REACH else -_REACH
        axes.annotate(
            "",
            (end + np.sign(end) * 0.22, place),
            (end - np.sign(end) * 0.55, place),
            arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.4},
        )
        return
    ends = np.clip([low, high], -_REACH, _REACH)
    axes.plot(ends, [place, place], color=colour, lw=2.2, solid_capstyle="butt")
    axes.plot([ends.mean()], [place], ls="", marker=_MARKERS[verdict], color=colour, ms=5.5)


def _label(name: str) -> str:
    """Break a long name into at most two lines."""
    return as_text("\n".join(textwrap.wrap(name, _WRAP, max_lines=2, placeholder=" …")))
