"""Cohorts with a treatment during follow-up, for the tests of this room."""

from __future__ import annotations

import numpy as np
import pandas as pd

# A to F: times and events chosen so that every risk set can be counted by hand
SIX = pd.DataFrame(
    {
        "patient": list("ABCDEF"),
        "months": [4.0, 10.0, 12.0, 6.0, 15.0, 20.0],
        "event": [1, 1, 0, 1, 0, 1],
        "salvage": [np.nan, 2.0, 5.0, np.nan, np.nan, 8.0],
    }
)


def draw(
    rng: np.random.Generator,
    n: int,
    *,
    log_hr: float = 0.0,
    confounding: float = 0.0,
    delay: tuple[float, float] = (12.0, 24.0),
    strategy: float | None = None,
) -> pd.DataFrame:
    """Event times that are exponential, with another rate from the treatment on.

    ``strategy`` overrides the treatment and leaves censoring out: treated by this time at the
    latest, or never (infinite).
    """
    x = (rng.random(n) < 0.5).astype(float)
    meant = rng.random(n) < 1.0 / (1.0 + np.exp(-2.0 * confounding * (x - 0.5)))
    at = np.where(meant, rng.uniform(*delay, n), np.inf)
    clock = rng.exponential(size=n)
    if strategy is not None:
        at = np.minimum(at, strategy) if np.isfinite(strategy) else np.full(n, np.inf)
    rate = 0.01 * np.exp(confounding * (x - 0.5))
    known = np.where(np.isfinite(at), at, 0.0)
    untreated = clock < np.where(np.isfinite(at), rate * known, np.inf)
    time = np.where(
        untreated, clock / rate, known + (clock - rate * known) / (rate * np.exp(log_hr))
    )
    end = rng.uniform(40.0, 120.0, n) if strategy is None else np.full(n, np.inf)
    stop = np.minimum(time, end)
    return pd.DataFrame(
        {
            "months": stop,
            "event": (time <= end).astype(int),
            "x": x,
            "treated_at": np.where(at < stop, at, np.nan),
        }
    )
