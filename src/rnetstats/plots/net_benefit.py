"""Decision curves: net benefit, interventions avoided, and clinical impact by threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.formatting import inside
from rnetstats.plots.style import (
    INK,
    MUTED,
    as_text,
    ax_or_new,
    colour,
    line_style,
    plain_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["decision_curves", "impact_curves"]

Floats = NDArray[np.float64]

_Y_LABELS = {
    "net_benefit": "Net benefit",
    "standardized": "Standardised net benefit",
    "interventions": "Interventions avoided per {per:g} patients",
}
_BELOW = 0.15  # of the height above 0 that is shown below it
_ODDS = (
    (1, 999), (1, 499), (1, 199), (1, 99), (1, 49), (1, 19), (1, 9), (1, 4), (3, 7), (2, 3), (1, 1),
    (3, 2), (7, 3), (4, 1), (9, 1), (19, 1), (49, 1), (99, 1),
)  # fmt: skip
_APART = 0.085  # of the width between two odds


def decision_curves(
    curves: pd.DataFrame,
    *,
    kind: str = "net_benefit",
    action: str = "treat",
    per: float = 100,
    conf_level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw one curve a strategy.

    Parameters
    ----------
    curves : DataFrame
        ``model, curve, strategy, threshold, value, conf_low, conf_high, n_positive``; ``curve`` is
        "reference" for treating all or none, and "corrected" ones are dashed.
    kind : {"net_benefit", "standardized", "interventions"}
        What the values are.
    action : str
        What is done at or above the threshold.
    per : float
        Patients to whom interventions avoided refer.
    conf_level : float
        Level of the band, for the legend.
    ax : Axes, optional

    Returns
    -------
    Axes
        The axis starts little below 0, so that the curve of treating all leaves the picture; the
        upper axis gives the thresholds as odds.
    """
    axes = ax_or_new(ax, figsize=(7.4, 4.8))
    models = curves[curves["curve"] != "reference"]
    names = list(dict.fromkeys(models["model"]))
    banded = models[models["curve"] != "corrected"]
    for (model, kept), rows in models.groupby(["model", "curve"], sort=False):
        index = names.index(str(model))
        style = (0, (5, 2)) if kept == "corrected" else line_style(index)
        axes.plot(
            rows["threshold"],
            rows["value"],
            color=colour(index),
            ls=style,
            lw=1.9,
            label=as_text(str(rows["strategy"].iloc[0])),
            zorder=3.0,
        )
    shown = len(names) <= 3 and bool(banded["conf_low"].notna().any())
    if shown:
        for model, rows in banded.groupby("model", sort=False):
            _band(axes, rows, "conf_low", "conf_high", names.index(str(model)))
    _references(axes, curves[curves["curve"] == "reference"], kind, action)
    _frame(axes, curves, models, kind)
    axes.set_ylabel(_Y_LABELS[kind].format(per=per))
    _threshold_axis(axes, action)
    title = f"Band: pointwise {100 * conf_level:g} % limits" if shown else None
    _legend(axes, title, "best" if kind != "interventions" else "lower right")
    return axes


def impact_curves(
    impact: pd.DataFrame,
    *,
    outcome: str,
    action: str = "treat",
    conf_level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many of a population are at high risk, and how many of these have the event.

    Parameters
    ----------
    impact : DataFrame
        ``model, curve, threshold, n_high_risk, n_with_event`` with ``..._low`` and ``..._high``,
        and ``population``.
    outcome : str
        The event, for the legend.
    action, conf_level, ax
        As for :func:`decision_curves`.

    Returns
    -------
    Axes
    """
    axes = ax_or_new(ax, figsize=(7.4, 4.8))
    population = float(impact["population"].iloc[0])
    model = str(impact["model"].iloc[0])
    what = {
        "n_high_risk": "At or above the threshold",
        "n_with_event": f"of these: {inside(outcome)}",
    }
    shown = bool(impact["n_high_risk_low"].notna().any())
    for kept, rows in impact.groupby("curve", sort=False):
        corrected = kept == "corrected"
        for index, (name, label) in enumerate(what.items()):
            axes.plot(
                rows["threshold"],
                rows[name],
                color=colour(index),
                ls=(0, (5, 2)) if corrected else "-",
                lw=1.9,
                label=as_text(f"{label} (corrected)" if corrected else label),
            )
            if not corrected and shown:
                _band(axes, rows, f"{name}_low", f"{name}_high", index)
    axes.set_ylim(0.0, 1.03 * population)
    axes.set_xlim(*_width(impact["threshold"], impact["n_high_risk"] > 0))
    axes.set_ylabel(as_text(f"Of {population:,.0f} patients, by {model}"))
    _threshold_axis(axes, action)
    _legend(axes, f"Band: pointwise {100 * conf_level:g} % limits" if shown else None)
    return axes


def _references(axes: Axes, rows: pd.DataFrame, kind: str, action: str) -> None:
    """Treating all and treating none, in grey; one of them is the zero line."""
    for name, part in rows.groupby("model", sort=False):
        whom = "all" if str(name).endswith("all") else "none"
        if kind == "interventions" and whom == "none":
            continue  # its curve is that of the prevalence, and hides the models
        axes.plot(
            part["threshold"],
            part["value"],
            color=MUTED if whom == "all" else INK,
            lw=1.3,
            ls=(0, (4, 2)) if whom == "all" else "-",
            label=as_text(f"Treat {whom}" if action == "treat" else f"For {whom}: {action}"),
            zorder=2.0,
        )


def _band(axes: Axes, rows: pd.DataFrame, low: str, high: str, index: int) -> None:
    axes.fill_between(
        rows["threshold"], rows[low], rows[high], color=colour(index), alpha=0.15, lw=0.0
    )


def _frame(axes: Axes, curves: pd.DataFrame, models: pd.DataFrame, kind: str) -> None:
    """Limits of both axes: where a model acts, and little of what lies below 0."""
    axes.set_xlim(*_width(models["threshold"], models["n_positive"] > 0))
    low, high = axes.get_xlim()
    seen = curves[(curves["threshold"] >= low) & (curves["threshold"] <= high)]
    values = seen.loc[seen["curve"] != "reference", ["value", "conf_high"]]
    if kind != "interventions":
        values = seen[["value", "conf_high"]]
    tallest = np.nanmax(values.to_numpy(float), initial=0.0)
    top = 1.08 * tallest if tallest > 0.0 else 0.01
    axes.set_ylim(-_BELOW * top, top)


def _width(thresholds: pd.Series, acting: Floats | pd.Series) -> tuple[float, float]:
    """Ends of the threshold axis: a little past the last threshold that somebody reaches."""
    levels = np.unique(thresholds)
    used = thresholds[np.asarray(acting, dtype=bool)]
    last = float(used.max()) if len(used) else float(levels[-1])
    right = min(last + 0.05 * (last - float(levels[0])), float(levels[-1]))
    if right <= levels[0]:
        return float(levels[0]) - 0.01, float(levels[0]) + 0.01
    return float(levels[0]) if levels[0] > 0.05 * right else 0.0, right


def _threshold_axis(axes: Axes, action: str) -> None:
    """Label thresholds in per cent below, and as odds above."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    plain_axes(axes)
    axes.axhline(0.0, color=MUTED, lw=0.6, zorder=1.0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda p, _: f"{100 * p:g} %"))
    what = "treating" if action == "treat" else action
    axes.set_xlabel(as_text(f"Risk from which {what} is thought right (threshold probability)"))
    low, high = axes.get_xlim()
    placed: dict[float, str] = {}
    for a, b in reversed(_ODDS):
        p = a / (a + b)
        if low + 0.02 * (high - low) <= p <= high and all(
            abs(p - q) >= _APART * (high - low) for q in placed
        ):
            placed[p] = f"{a}:{b}"
    upper = axes.secondary_xaxis("top")
    upper.xaxis.set_major_locator(FixedLocator(list(placed)))
    upper.xaxis.set_minor_locator(NullLocator())
    upper.xaxis.set_major_formatter(FuncFormatter(lambda p, _: _nearest(placed, p)))
    upper.tick_params(labelsize=8.5, colors=MUTED, width=0.6, length=3)
    upper.spines["top"].set_visible(False)
    upper.set_xlabel(
        "Harm of acting needlessly : harm of missing an event", fontsize=9, color=MUTED
    )


def _nearest(placed: dict[float, str], p: float) -> str:
    return placed[min(placed, key=lambda q: abs(q - p))] if placed else ""


def _legend(axes: Axes, title: str | None, place: str = "best") -> None:
    options: dict[str, Any] = {"loc": place, "title": title, "title_fontsize": 9}
    box = axes.legend(frameon=False, fontsize=9.5, **options)
    box.get_title().set_color(MUTED)
    for text in box.get_texts():
        text.set_color(INK)
