"""Pointwise bootstrap limits of decision curves, and of the differences between them.

References
----------
Vickers AJ, Cronin AM, Elkin EB, Gonen M (2008). Extensions to decision curve analysis. BMC Medical
Informatics and Decision Making 8, 53.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.random import chunk_generators
from rnetstats.kernels.percentiles import MOST_UNDEFINED, percentile_limits
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.prediction.decision import Curves, Decision

__all__ = ["LEAST_EVENTS", "Bands", "bands", "limits", "resampled"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LEAST_EVENTS = 5


@dataclass(frozen=True, eq=False)
class Bands:
    """Limits of s strategies at k thresholds.

    Attributes
    ----------
    limits : dict
        Net benefit, standardised too, and the rates of true and all positives, each an array
        (2, s, k): lower and upper limits.
    differences : dict
        For each pair (i, j) of strategies, i < j, limits (2, k) of net benefit i less j.
    enough : bool array of shape (s, k)
        Where there are events enough for limits.
    undefined : int array of shape (s, k)
        Resamples in which the net benefit is undefined.
    """

    limits: dict[str, Floats]
    differences: dict[tuple[int, int], Floats]
    enough: Flags
    undefined: NDArray[np.intp]


def bands(
    decision: Decision,
    freq: Floats | None,
    point: Curves,
    *,
    resamples: int,
    conf_level: float,
    seed: int,
) -> Bands:
    """Resample patients and read the limits of every quantity off the same resamples."""
    drawn = resampled(decision, freq, resamples, seed)
    enough = _enough(decision, freq, point)
    values = {
        "net_benefit": drawn.net_benefit,
        "standardized_net_benefit": drawn.standardized,
        "tp_rate": drawn.tp_rate,
        "positive_rate": drawn.tp_rate + drawn.fp_rate,
    }
    n = len(enough)
    found = {
        name: np.stack([limits(each[i], conf_level, enough[i]) for i in range(n)], axis=1)
        for name, each in values.items()
    }
    gains = drawn.net_benefit
    differences = {
        (i, j): limits(gains[i] - gains[j], conf_level, enough[i] & enough[j])
        for i in range(n)
        for j in range(i + 1, n)
    }
    return Bands(found, differences, enough, np.isnan(gains).sum(axis=1))


def resampled(decision: Decision, freq: Floats | None, resamples: int, seed: int) -> Curves:
    """Decision curves of bootstrap samples; cases and controls apart if they were sampled so.

    Rows with a frequency weight are drawn as the patients they stand for.
    """
    n = decision.risk.shape[1]
    strata = decision.event.astype(np.intp) if decision.prevalence is not None else None
    parts = []
    for part, rng in chunk_generators(seed, resamples):
        counts = bootstrap_counts(rng, n, part.stop - part.start, strata=strata, freq=freq)
        parts.append(decision.curves(counts))
    names = ("tp_rate", "fp_rate", "net_benefit", "n_positive", "n_events")
    joined = {name: np.concatenate([getattr(p, name) for p in parts], axis=1) for name in names}
    return Curves(prevalence=np.concatenate([p.prevalence for p in parts]), **joined)


def limits(values: Floats, conf_level: float, enough: Flags) -> Floats:
    """Percentile limits (2, k) of replicates (B, k), over those in which they are defined.

    Missing where ``enough`` (k,) is false, or more than 5 % of the replicates are undefined.
    """
    found = np.full((2, values.shape[1]), np.nan)
    use = enough & (np.isnan(values).mean(axis=0) <= MOST_UNDEFINED)
    found[:, use] = percentile_limits(values[:, use], conf_level)
    return found


def _enough(decision: Decision, freq: Floats | None, point: Curves) -> Flags:
    """Where there are five events: among all patients, and among the positives.

    A binary outcome needs as many patients without the event. Treating nobody has no error.
    """
    counted = np.ones(decision.event.size) if freq is None else freq
    n_events = counted[decision.event].sum()
    fewest = n_events if decision.y is None else min(n_events, counted.sum() - n_events)
    enough: Flags = (point.n_events[:, 0] >= LEAST_EVENTS) & np.isfinite(point.net_benefit[:, 0])
    enough[1] = True
    return enough & bool(fewest >= LEAST_EVENTS)
