"""Operating characteristics as text."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from rnetstats.formatting import MISSING, fmt_number

__all__ = ["bias_text", "markdown", "operating_table", "share_text"]


def share_text(value: float, error: float = math.nan) -> str:
    """Return a share in per cent, its Monte Carlo error in brackets: ``'94.8 (0.7)'``."""
    if math.isnan(value):
        return MISSING
    return f"{100.0 * value:.1f}" + ("" if math.isnan(error) else f" ({100.0 * error:.1f})")


def bias_text(value: float, error: float) -> str:
    """Return a bias, its Monte Carlo error in brackets: ``'−0.012 (0.008)'``."""
    if math.isnan(value):
        return MISSING
    return fmt_number(value, 3) + ("" if math.isnan(error) else f" ({error:.3f})")


def operating_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return shares in percent and biases as they are, Monte Carlo errors in brackets."""

    def pairs(name: str, text: Callable[[float, float], str]) -> list[str]:
        return list(map(text, table[name], table[f"{name}_mcse"]))

    def shares(name: str) -> list[str]:
        return list(map(share_text, table[name]))

    return pd.DataFrame(
        {
            "analysis": table["analysis"],
            "estimand": table["estimand"],
            "method": table["method"],
            "true value": [fmt_number(v, 3) for v in table["target"]],
            "no estimate %": shares("no_estimate"),
            "infinite %": shares("infinite"),
            "median bias": pairs("median_bias", bias_text),
            "mean bias": pairs("mean_bias", bias_text),
            "coverage %": pairs("coverage", share_text),
            "interval above %": shares("interval_above"),
            "interval below %": shares("interval_below"),
            "no interval %": shares("no_interval"),
            "rejects no effect %": pairs("rejected", share_text),
        }
    )


def markdown(frame: pd.DataFrame) -> str:
    """Return a frame of text as a Markdown table."""
    rows = [list(map(str, frame.columns)), ["---"] * frame.shape[1]]
    rows += [[str(cell).replace("|", "\\|") for cell in row] for row in frame.to_numpy().tolist()]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
