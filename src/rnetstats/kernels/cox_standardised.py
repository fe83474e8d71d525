"""Survival curves of many Cox fits at once, averaged over the cohort's covariates (g-formula).

References
----------
Robins J (1986). A new approach to causal inference in mortality studies with a sustained exposure
period. Mathematical Modelling 7:1393-1512.
Chang IM, Gelman R, Pagano M (1982). Corrected group prognostic curves and summary statistics.
Journal of Chronic Diseases 35:669-674.
"""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.cox_ties import efron_sums, tie_terms, untied_sums
from rnetstats.kernels.newton import FloatArray
from rnetstats.kernels.risksets import RiskSets

__all__ = ["hazard_steps", "mean_survival"]

_CELLS = 1 << 17  # cells of patients x times computed at once


def hazard_steps(
    sets: RiskSets, predictor: FloatArray, *, freq: FloatArray | None = None, ties: str = "efron"
) -> FloatArray:
    """Steps of the baseline hazard, of a row with linear predictor 0, at each event time.

    Parameters
    ----------
    sets : RiskSets
        Of one stratum.
    predictor : array of shape (B, n)
        Linear predictors; centred ones keep the exponential in range.
    freq : array of shape (n,) or (B, n), optional
        Whole numbers: how often each row stands in the replicate.
    ties : {"efron", "breslow"}

    Returns
    -------
    array of shape (B, E)
        By rising time.
    """
    counts = np.atleast_2d(np.ones(sets.n) if freq is None else np.asarray(freq, dtype=float))
    risk = sets.sort(np.exp(predictor) * counts)
    events = sets.death_sums(sets.sort(counts)[..., sets.deaths])
    events = np.broadcast_to(events, (len(risk), sets.n_times))
    total = sets.risk_sums(risk)
    if ties == "efron" and bool((events > 1).any()):
        terms = tie_terms(events, np.ones_like(events))
        sums = efron_sums(total, sets.death_sums(risk[..., sets.deaths]), terms, 1)
    else:
        sums = untied_sums(total, events, 1)
    return np.asarray(sums.powers[0][0][:, ::-1])


def mean_survival(
    predictor: FloatArray, cumulative: FloatArray, freq: FloatArray | None = None
) -> FloatArray:
    """Average exp(-H(t) exp(eta)) over the patients, (B, k).

    Parameters
    ----------
    predictor : array of shape (B, n)
        Of each patient, given a treatment.
    cumulative : array of shape (B, k)
        Cumulative baseline hazards.
    freq : array of shape (n,) or (B, n), optional
        Whole numbers: how often each row stands in the replicate.
    """
    size, n = predictor.shape
    counts = np.broadcast_to(1.0 if freq is None else freq, (size, n))
    share = counts / counts.sum(axis=1, keepdims=True)
    found = np.empty(cumulative.shape)
    risk = np.exp(predictor)
    width = max(1, _CELLS // n)
    for row in range(size):
        here = np.flatnonzero(share[row])  # a third of the patients are not drawn
        own, weight = -risk[row, here], share[row, here]
        for at in range(0, cumulative.shape[1], width):
            part = slice(at, at + width)
            found[row, part] = np.exp(np.multiply.outer(cumulative[row, part], own)) @ weight
    return found
