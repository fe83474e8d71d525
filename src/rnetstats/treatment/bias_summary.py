"""Tables of a bias analysis: summary rows, priors as drawn and as kept, the histogram."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.treatment.bias_draws import BiasModel, Drawn

__all__ = ["histogram_of", "parameter_frame", "summary_row"]

Floats = NDArray[np.float64]
_BINS = (24, 60)  # with few draws and with many
_MANY = 10_000


def summary_row(
    measure: str, analysis: str, values: tuple[float, ...], n: int, method: str
) -> dict[str, Any]:
    """One row of the summary: estimate and limits."""
    estimate, low, high = values
    return {
        "measure": measure,
        "analysis": analysis,
        "estimate": estimate,
        "conf_low": low,
        "conf_high": high,
        "n_draws": n,
        "method": method,
    }


def parameter_frame(model: BiasModel, drawn: Drawn) -> pd.DataFrame:
    """Each prior with the mean of all draws, and of those that are possible."""
    rows = []
    for name in ("sensitivity", "specificity"):
        first, second = getattr(model, name)
        values = getattr(drawn.by, name)
        priors = [first] if second is None else [first, second]
        groups = ["both groups"] if second is None else list(model.groups)
        rows += [
            {
                "parameter": name,
                "group": group,
                "prior": prior.text,
                "mean_drawn": float(part.mean()),
                "mean_kept": float(part[drawn.possible].mean()),
            }
            for group, prior, part in zip(groups, priors, values, strict=False)
        ]
    return pd.DataFrame(rows)


def histogram_of(systematic: Floats, total: Floats, *, ratio: bool) -> pd.DataFrame:
    """Densities of both distributions in common bins that hold all but one draw in a thousand."""
    scaled = []
    for values in (systematic, total):
        if ratio:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = np.log(values)  # noqa: PLW2901
        scaled.append(values[np.isfinite(values)])
    both = np.concatenate([part for part in scaled if part.size] or [np.zeros(1)])
    low, high = np.quantile(both, [0.0005, 0.9995])
    if high - low < 1e-3:  # fixed priors: one bin's width around the one value
        low, high = low - 0.01, high + 0.01
    bins = _BINS[int(both.size >= _MANY)]
    edges = np.linspace(low, high, bins + 1)
    width = edges[1] - edges[0]
    density = [
        np.histogram(part, edges)[0] / (part.size * width) if part.size else np.zeros(bins)
        for part in scaled
    ]
    shown = np.exp(edges) if ratio else edges
    return pd.DataFrame(
        {"low": shown[:-1], "high": shown[1:], "systematic": density[0], "total": density[1]}
    )
