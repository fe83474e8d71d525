"""Shares of studies pooled on the logit scale, one group or several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from rnetstats.evidence.meta import meta_analysis
from rnetstats.tables.proportion_limits import clopper_pearson_limits

__all__ = ["FEWEST", "PooledShare", "pool_shares"]

FEWEST = 5
"""Series below which a prediction interval is not shown (chosen): it would span everything."""

_CORRECTION = 0.5


@dataclass(frozen=True)
class PooledShare:
    """A pooled share with its limits, all shares of 1; missing where undefined."""

    k: int
    events: int
    n: int
    estimate: float
    low: float
    high: float
    pi_low: float
    pi_high: float
    i2: float
    method: str


def pool_shares(rows: pd.DataFrame, *, ci: str = "hartung-knapp-wider") -> PooledShare:
    """Pool ``events`` of ``n`` by inverse variance of logits, REML; one study by exact limits.

    Parameters
    ----------
    rows : DataFrame
        ``study, events, n``, one row a study, ``n`` above 0.
    ci : str
        As of :func:`rnetstats.meta_analysis`.
    """
    events, n = rows["events"].to_numpy(float), rows["n"].to_numpy(float)
    sums = int(events.sum()), int(n.sum())
    if len(rows) == 1:
        low, high = (float(x) for x in clopper_pearson_limits(sums[0], sums[1], 0.95))
        share = sums[0] / sums[1]
        return PooledShare(
            k=1,
            events=sums[0],
            n=sums[1],
            estimate=share,
            low=low,
            high=high,
            pi_low=np.nan,
            pi_high=np.nan,
            i2=np.nan,
            method="one study, exact limits",
        )
    added = np.where((events == 0) | (events == n), _CORRECTION, 0.0)
    a, b = events + added, n - events + added
    fit = meta_analysis(
        {"study": rows["study"], "coef": np.log(a / b), "std_error": np.sqrt(1 / a + 1 / b)},
        measure="generic",
        ci=ci,
    ).glance()
    row = fit.iloc[0]
    names = ("estimate", "conf_low", "conf_high", "pi_low", "pi_high")
    estimate, low, high, pi_low, pi_high = (float(expit(row[name])) for name in names)
    return PooledShare(
        k=len(rows),
        events=sums[0],
        n=sums[1],
        estimate=estimate,
        low=low,
        high=high,
        pi_low=pi_low,
        pi_high=pi_high,
        i2=float(row["i2"]),
        method="logit, REML, Hartung-Knapp or wider",
    )
