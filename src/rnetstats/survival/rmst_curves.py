"""The curves of groups up to a time, as the figures of restricted means draw them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rnetstats.survival.product_limit import product_limit
from rnetstats.survival.rows import SurvivalRows

__all__ = ["group_curves"]


def group_curves(rows: SurvivalRows, end: float) -> pd.DataFrame:
    """Return ``group, time, survival`` from time 0 to ``end``, a row where a curve falls."""
    parts = []
    for code, label in enumerate(rows.labels):
        part = rows.of_group(code)
        curve = product_limit(part.stop, part.event, start=part.start, weights=part.weights)
        falls = (curve.n_event > 0.0) & (curve.time <= end)
        survival = np.append(1.0, curve.survival[falls])
        parts.append(
            pd.DataFrame(
                {
                    "group": label,
                    "time": np.concatenate([[0.0], curve.time[falls], [end]]),
                    "survival": np.append(survival, survival[-1]),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)
