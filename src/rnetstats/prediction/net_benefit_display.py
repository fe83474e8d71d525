"""Decision curves in words and on display."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_percent

__all__ = ["display_table", "odds_text", "strategy_text"]

Floats = NDArray[np.float64]

_SHOWN = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def odds_text(threshold: float) -> str:
    """Return the odds of a threshold as they are spoken: 0.2 is 1:4, 0.75 is 3:1."""
    if threshold <= 0.0:
        return "0"
    odds = threshold / (1.0 - threshold)
    more, fewer = (odds, 1.0) if odds > 1.0 else (1.0, 1.0 / odds)
    for times in range(1, 10):
        a, b = more * times, fewer * times
        if max(abs(a - round(a)), abs(b - round(b))) < 1e-9 * times * max(more, fewer):
            return f"{round(a)}:{round(b)}"
    return f"{more:.3g}:{fewer:.3g}"


def display_table(curves: pd.DataFrame, conf_level: float, per: float) -> pd.DataFrame:
    """The table as text, at the thresholds easiest to speak of, as far as a model acts."""
    shown = curves[np.isin(curves["threshold"], _round_levels(_acted_upon(curves)))]
    order = {name: i for i, name in enumerate(dict.fromkeys(curves["model"]))}
    shown = shown.assign(rank=shown["model"].map(order)).sort_values(
        ["threshold", "rank"], kind="stable"
    )
    with_band = bool(curves["conf_low"].notna().any())
    rows = []
    for row in shown.to_dict("records"):
        text = {
            "Threshold": f"{row['threshold']:.4g}",
            "Odds": odds_text(row["threshold"]),
            "Strategy": strategy_text(str(row["model"]), str(row["curve"])),
            "Net benefit": fmt_number(row["net_benefit"], 3),
        }
        if with_band:
            text[f"{100 * conf_level:g} % CI"] = fmt_interval(row["conf_low"], row["conf_high"], 3)
        text["Standardised"] = fmt_number(row["standardized_net_benefit"])
        text[f"Interventions avoided per {per:g}"] = fmt_number(row["interventions_avoided"], 1)
        text["At or above threshold"] = fmt_percent(row["tp_rate"] + row["fp_rate"])
        text["Events among them"] = fmt_count(row["n_events"])
        rows.append(text)
    return pd.DataFrame(rows)


def strategy_text(model: str, curve: str) -> str:
    """The strategy with the kind of its curve, where that matters."""
    return f"{model} ({curve})" if curve in ("apparent", "corrected") else model


def _acted_upon(curves: pd.DataFrame) -> Floats:
    """Thresholds that somebody reaches by one of the models; all if nobody reaches any."""
    levels = curves["threshold"].unique()
    reached = curves.loc[(curves["curve"] != "reference") & (curves["n_positive"] > 0), "threshold"]
    return np.asarray(levels[levels <= reached.max()] if len(reached) else levels)


def _round_levels(levels: Floats) -> Floats:
    if len(levels) <= 8:
        return levels
    chosen = levels[np.isclose(levels[:, None], _SHOWN, rtol=0.0, atol=1e-9).any(axis=1)]
    if len(chosen) >= 3:
        return np.asarray(chosen)
    return np.asarray(levels[np.unique(np.linspace(0, len(levels) - 1, 7).round().astype(int))])
