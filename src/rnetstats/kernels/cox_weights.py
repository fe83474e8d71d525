"""Frequency and sampling weights of a Cox model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnetstats.kernels.newton import FloatArray
from rnetstats.kernels.risksets import RiskSets


@dataclass(frozen=True, eq=False)
class CoxWeights:
    """Weights of kept rows and what follows from them; the first axis is B, or 1 if shared.

    Attributes
    ----------
    rows
        (B, m) frequency times sampling weight, or None for ones.
    counts
        (B, E) events of each time, each as often as its frequency; without those of sampling
        weight 0, of which no tie is made.
    total, mean
        (B, E) weight of these events, and its mean, the weight of one term.
    """

    rows: FloatArray | None
    counts: FloatArray
    total: FloatArray
    mean: FloatArray


def cox_weights(
    sets: RiskSets, freq: FloatArray | None = None, case: FloatArray | None = None
) -> CoxWeights:
    """Weights of the kept rows.

    Parameters
    ----------
    sets
        Risk sets.
    freq
        (n,) or (B, n) whole numbers: how often each row stands in the replicate.
    case
        (n,) or (B, n) sampling weights. A term of Efron's likelihood has the mean weight of the
        tied events.
    """
    given = [sets.sort(np.atleast_2d(part)) for part in (freq, case) if part is not None]
    died = np.ones((1, sets.deaths.size)) if freq is None else given[0][:, sets.deaths]
    if case is not None:
        died = died * (given[-1][:, sets.deaths] > 0.0)
    counts = sets.death_sums(died)
    if not given:
        return CoxWeights(None, counts, counts, np.ones_like(counts))
    rows = given[0] if len(given) == 1 else given[0] * given[1]
    if case is None:
        return CoxWeights(rows, counts, counts, np.ones_like(counts))
    total = sets.death_sums(rows[:, sets.deaths])
    counts = np.broadcast_to(counts, total.shape)
    return CoxWeights(rows, counts, total, total / np.where(counts > 0, counts, 1.0))
