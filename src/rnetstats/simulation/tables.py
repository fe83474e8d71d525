"""Operating characteristics as text."""

from __future__ import annotations

import math

import pandas as pd

from rnetstats.formatting import MISSING, fmt_number, fmt_percent

__all__ = ["markdown", "operating_table"]


def _with_error(value: float, error: float, *, percent: bool) -> str:
    if math.isnan(value):
        return MISSING
    if percent:
        return f"{fmt_percent(value)[:-2]} ({100 * error:.1f})"
    return f"{fmt_number(value, 3)}" + ("" if math.isnan(error) else f" ({error:.3f})")


def operating_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return shares in percent and biases as they are, Monte Carlo errors in brackets."""

    def pairs(name: str, *, percent: bool) -> list[str]:
        found = zip(table[name], table[f"{name}_mcse"], strict=True)
        return [_with_error(value, error, percent=percent) for value, error in found]

    def percent(name: str) -> list[str]:
        return [MISSING if math.isnan(v) else f"{100 * v:.1f}" for v in table[name]]

    return pd.DataFrame(
        {
            "analysis": table["analysis"],
            "estimand": table["estimand"],
            "method": table["method"],
            "true value": [fmt_number(v, 3) for v in table["target"]],
            "no estimate %": percent("no_estimate"),
            "infinite %": percent("infinite"),
            "median bias": pairs("median_bias", percent=False),
            "mean bias": pairs("mean_bias", percent=False),
            "coverage %": pairs("coverage", percent=True),
            "interval above %": percent("interval_above"),
            "interval below %": percent("interval_below"),
            "no interval %": percent("no_interval"),
            "rejects no effect %": pairs("rejected", percent=True),
        }
    )


def markdown(frame: pd.DataFrame) -> str:
    """Return a frame of text as a Markdown table."""
    rows = [list(map(str, frame.columns)), ["---"] * frame.shape[1]]
    rows += [[str(cell).replace("|", "\\|") for cell in row] for row in frame.to_numpy().tolist()]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
