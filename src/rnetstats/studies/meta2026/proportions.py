"""Shares of studies pooled on the logit scale, one group or several."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from rnetstats.evidence.proportions import meta_proportions

__all__ = ["FEWEST", "PooledShare", "pool_shares"]

FEWEST = 5
"""Series below which a prediction interval is not shown (chosen): it would span everything."""


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


def pool_shares(rows: pd.DataFrame) -> PooledShare:
    """Pool ``events`` of ``n`` by inverse variance of logits, REML; one study by exact limits.

    Parameters
    ----------
    rows : DataFrame
        ``study, events, n``, one row a study, ``n`` above 0.
    """
    found = meta_proportions(rows, transform="logit", ci="hartung-knapp-wider")
    row = found.glance().iloc[0]
    alone = len(rows) == 1
    return PooledShare(
        k=len(rows),
        events=int(row["events"]),
        n=int(row["n"]),
        estimate=float(row["estimate"]),
        low=float(row["conf_low"]),
        high=float(row["conf_high"]),
        pi_low=float(row["pi_low"]),
        pi_high=float(row["pi_high"]),
        i2=float(row["i2"]),
        method="one study, exact limits" if alone else "logit, REML, Hartung-Knapp or wider",
    )
