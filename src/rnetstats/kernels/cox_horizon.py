"""Cumulative baseline hazard at one time of many Cox fits at once."""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.cox_ties import efron_sums, tie_terms, untied_sums
from rnetstats.kernels.newton import FloatArray
from rnetstats.kernels.risksets import RiskSets

__all__ = ["hazard_until"]


def hazard_until(
    sets: RiskSets,
    predictor: FloatArray,
    horizon: float,
    *,
    freq: FloatArray | None = None,
    ties: str = "efron",
) -> FloatArray:
    """Return the cumulative hazard until a time of a row with linear predictor 0.

    Parameters
    ----------
    sets : RiskSets
        Of one stratum.
    predictor : array of shape (B, n)
        Linear predictors, not centred.
    horizon : float
        An event at this very time counts.
    freq : array of shape (n,) or (B, n), optional
        Whole numbers: how often each row stands in the replicate.
    ties : {"efron", "breslow"}

    Returns
    -------
    array of shape (B,)
        Missing where the predictors lie too far apart for a number: a risk set's risk beside the
        largest is nil.

    References
    ----------
    Therneau TM, Grambsch PM (2000). Modeling Survival Data. Springer, section 10.2.
    """
    counts = np.atleast_2d(np.ones(sets.n) if freq is None else np.asarray(freq, dtype=float))
    top = predictor.max(axis=1, keepdims=True)
    risk = sets.sort(np.exp(predictor - top) * counts)
    here = sets.sort(counts)[..., sets.deaths]
    events = np.broadcast_to(sets.death_sums(here), (len(risk), sets.n_times))
    total = sets.risk_sums(risk)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if ties == "efron" and (sets.tied or bool((events > 1).any())):
            terms = tie_terms(events, np.ones_like(events))
            sums = efron_sums(total, sets.death_sums(risk[..., sets.deaths]), terms, 1)
        else:
            sums = untied_sums(total, events, 1)
        steps = sums.powers[0][0]
        found = steps[:, sets.times <= horizon].sum(axis=1) * np.exp(-top[:, 0])
    return np.where(np.isfinite(found), found, np.nan)
