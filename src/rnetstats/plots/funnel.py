"""Contour-enhanced funnel plots: effects against standard errors."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.errors import ColumnError
from rnetstats.plots.meta_scale import MetaScale, scale_of
from rnetstats.plots.style import INK, MUTED, PALETTE, as_text, ax_or_new, plain_axes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["funnel"]

NEEDED = ("coef", "std_error")
_LEVELS = (0.10, 0.05, 0.01)  # of the contours
_SHADES = ("#EDF0F3", "#DDE2E7", "#C9D0D8")
_NAMES = ("P 0.05 to 0.10", "P 0.01 to 0.05", "P < 0.01")


def funnel(
    rows: pd.DataFrame,
    *,
    estimate: float,
    measure: str,
    contours: bool = True,
    adjusted: float | None = None,
    regression: tuple[float, float] | None = None,
    conf_level: float = 0.95,
    null: float | str | None = "auto",
    ax: Axes | None = None,
) -> Axes:
    """Draw studies as points, effect against standard error, the most precise at the top.

    The shaded regions are those where a study alone has a P value below 0.10, 0.05 and 0.01
    against no effect: studies lacking only where they would not be significant suggest that
    significance decided what was published; studies lacking elsewhere suggest another reason.

    Parameters
    ----------
    rows : DataFrame
        One row a study: ``coef, std_error`` on the model's scale (logarithms of ratios). Rows
        whose ``used`` is False or that have no effect are left out; those whose ``filled`` is True
        (imputed by trim-and-fill) are open circles.
    estimate : float
        The pooled effect on the scale of the measure (an odds ratio, not its logarithm).
    measure : str
        As in :func:`rnetstats.plots.meta_forest.meta_forest`.
    contours : bool
        Draw the regions of significance, where the measure has a value of no effect.
    adjusted : float, optional
        The estimate with the filled studies, on the scale of the measure.
    regression : tuple of two float, optional
        Intercept and slope of Egger's line, the effect on its standard error, on the model's scale.
    conf_level : float
        Of the pseudo limits: where so many studies lie if all estimate the pooled effect.
    null : float, None or "auto"
        The value of no effect.
    ax : Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    ColumnError
        If a column is missing.

    References
    ----------
    Peters JL, Sutton AJ, Jones DR, Abrams KR, Rushton L (2008) Contour-enhanced meta-analysis
    funnel plots help distinguish publication bias from other causes of asymmetry. J Clin Epidemiol
    61:991-996. Sterne JAC, Egger M (2001) Funnel plots for detecting bias in meta-analysis:
    guidelines on choice of axis. J Clin Epidemiol 54:1046-1055.
    """
    lacking = [column for column in NEEDED if column not in rows]
    if lacking:
        raise ColumnError(f"A funnel plot needs the columns {', '.join(lacking)}.")
    scale = scale_of(measure, null=null)
    effects, errors, filled = _points(rows)
    centre = _model(scale, estimate)
    lowest = float(errors.max()) * 1.06 if errors.size else 1.0
    z = NormalDist().inv_cdf(0.5 + conf_level / 2.0)
    axes = ax_or_new(ax, figsize=(7.6, 5.0))
    reach = np.append(effects, [centre - z * lowest, centre + z * lowest])
    reach = reach[np.isfinite(reach)] if np.isfinite(reach).any() else np.array([-1.0, 1.0])
    pad = 0.04 * float(np.ptp(reach)) or 0.1
    ends = (float(reach.min()) - pad, float(reach.max()) + pad)
    if contours and scale.null is not None:
        _regions(axes, scale, _model(scale, scale.null), ends, lowest)
    _limits(axes, scale, centre, z, lowest, conf_level)
    if adjusted is not None:
        _upright(axes, scale, _model(scale, adjusted), lowest, PALETTE[1], "with filled studies")
    if regression is not None:
        heights = np.linspace(0.0, lowest, 60)
        slant = _line(scale, regression[0] + regression[1] * heights)
        axes.plot(slant, heights, color=PALETTE[2], lw=1.4, ls=(0, (6, 2)), label="Egger's line")
    _circles(axes, scale, effects, errors, filled)
    axes.set_ylim(lowest, 0.0)
    scale.dress(axes, (_shown(scale, ends[0]), _shown(scale, ends[1])))
    axes.set_xlabel(as_text(scale.name) + (" (log scale)" if scale.log else ""))
    axes.set_ylabel("Standard error" + (f" of log {scale.short}" if scale.log else ""))
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False, fontsize=9.5)
    return plain_axes(axes)


def _points(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Effects, standard errors and whether they are imputed, of the rows that have both."""
    effects, errors = (rows[name].to_numpy(dtype=float) for name in NEEDED)
    keep = np.isfinite(effects) & np.isfinite(errors)
    if "used" in rows:
        keep &= rows["used"].to_numpy(dtype=bool)
    filled = rows["filled"].to_numpy(dtype=bool) if "filled" in rows else np.zeros(len(rows), bool)
    return effects[keep], errors[keep], filled[keep]


def _model(scale: MetaScale, value: float) -> float:
    """An effect on the model's scale."""
    if not scale.log:
        return float(value)
    return math.log(value) if value > 0.0 else math.nan


def _shown(scale: MetaScale, coef: float) -> float:
    """An effect on the axis' scale, from the model's."""
    return math.exp(min(max(coef, -600.0), 600.0)) if scale.log else coef


def _line(scale: MetaScale, coef: np.ndarray) -> np.ndarray:
    return np.exp(np.clip(coef, -600.0, 600.0)) if scale.log else coef


def _regions(
    axes: Axes, scale: MetaScale, null: float, ends: tuple[float, float], lowest: float
) -> None:
    """Shade where a study alone would be significant; the straight edges bend on no scale."""
    errors = np.linspace(0.0, lowest, 60)
    edges = [NormalDist().inv_cdf(1.0 - level / 2.0) * errors for level in _LEVELS]
    far = np.full_like(errors, max(abs(ends[0] - null), abs(ends[1] - null)) * 1.5)
    edges.append(np.maximum(far, edges[-1]))
    for inner, outer, shade, name in zip(edges, edges[1:], _SHADES, _NAMES, strict=False):
        for side in (-1.0, 1.0):
            first, last = (_line(scale, null + side * edge) for edge in (inner, outer))
            text = name if side > 0 else None
            axes.fill_betweenx(errors, first, last, color=shade, linewidth=0, zorder=0, label=text)
    _upright(axes, scale, null, lowest, MUTED, "no effect", width=0.9)


def _limits(
    axes: Axes, scale: MetaScale, centre: float, z: float, lowest: float, conf_level: float
) -> None:
    """Draw the pooled effect and the funnel around it."""
    if math.isnan(centre):
        return
    _upright(axes, scale, centre, lowest, INK, "pooled effect", style="-")
    errors = np.linspace(0.0, lowest, 60)
    for side in (-1.0, 1.0):
        name = f"pseudo {100 * conf_level:g} % limits" if side > 0 else None
        edge = _line(scale, centre + side * z * errors)
        axes.plot(edge, errors, color=INK, lw=0.9, ls=(0, (1.5, 1.5)), label=name, zorder=2)


def _upright(
    axes: Axes,
    scale: MetaScale,
    at: float,
    lowest: float,
    color: str,
    name: str,
    *,
    style: str | tuple[float, tuple[float, ...]] = (0, (6, 2)),
    width: float = 1.2,
) -> None:
    x = _shown(scale, at)
    axes.plot([x, x], [0.0, lowest], color=color, lw=width, ls=style, label=name, zorder=2)


def _circles(
    axes: Axes, scale: MetaScale, effects: np.ndarray, errors: np.ndarray, filled: np.ndarray
) -> None:
    size = 6.0 if effects.size <= 60 else 4.5
    for these, face, name in ((~filled, PALETTE[0], "study"), (filled, "white", "filled study")):
        if these.any():
            axes.plot(
                _line(scale, effects[these]),
                errors[these],
                ls="",
                marker="o",
                markersize=size,
                markerfacecolor=face,
                markeredgecolor=PALETTE[0],
                markeredgewidth=1.2,
                label=name,
                zorder=4,
                clip_on=False,
            )
