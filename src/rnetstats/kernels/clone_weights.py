"""Probabilities of staying in an arm after cloning: the models of treatment, batched."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rnetstats.kernels.cox import cox_likelihood, fit_cox
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.newton import FloatArray, IntArray
from rnetstats.kernels.risksets import RiskSets, prepare

if TYPE_CHECKING:
    from rnetstats.kernels.clone_censor import Clones

__all__ = ["Hazard", "staying_hazard", "staying_shares"]


class Hazard(NamedTuple):
    """Cumulative hazard of treatment: steps (B, K + 1), and the step (k,) of each time asked."""

    steps: FloatArray
    places: IntArray


def staying_shares(clones: Clones, freq: FloatArray) -> FloatArray:
    """Probabilities (B, n) of treatment by the end of the grace period, among those at risk then.

    1 where everybody at risk was treated, 0 where nobody was.
    """
    at_risk = clones.stop > clones.grace
    held = freq * at_risk
    chosen = clones.in_grace.astype(float)
    n, k = held.sum(axis=1), held @ chosen
    share = np.divide(k, n, out=np.ones(len(n)), where=n > 0.0)[:, None]
    found = np.broadcast_to(share, freq.shape)
    mixed = np.flatnonzero((k > 0.0) & (k < n))
    if not clones.X.shape[1] or not mixed.size:
        return np.array(found)
    rows = np.flatnonzero(at_risk)
    design = np.column_stack([np.ones(len(clones.X)), clones.X])
    fit = fit_logistic(design[rows], chosen[rows], freq=held[np.ix_(mixed, rows)], firth=True)
    found = np.array(found)
    found[mixed] = 1.0 / (1.0 + np.exp(-np.clip(fit.coef @ design.T, -700.0, 700.0)))
    return found


def staying_hazard(
    clones: Clones, freq: FloatArray, times: FloatArray
) -> tuple[Hazard, FloatArray]:
    """Cumulative hazards of treatment before given times, and each patient's relative hazard.

    Returns
    -------
    hazard : Hazard
        At the means of the covariates. Missing in a replicate whose covariates so nearly order the
        treatments that their sums are beyond what a number can hold.
    risk : array of shape (B, n)
        Their product is minus the log of the probability of being untreated.
    """
    left = clones.leaves_untreated
    # an event comes before a treatment at the same time: its patient is at risk until just before
    stop = np.where(left, clones.treated_at, np.nextafter(clones.stop, 0.0))
    if not clones.ever:
        stop = np.minimum(stop, clones.grace)
    nobody = np.zeros(len(times), dtype=np.int64), np.ones(freq.shape)
    if not left.any():
        return Hazard(np.zeros((len(freq), 1)), nobody[0]), nobody[1]
    sets = prepare(None, stop, left)
    rising = sets.times[::-1]
    places = np.searchsorted(rising, times, side="left")
    if clones.X.shape[1]:
        steps, risk = _cox(clones.X, sets, freq)
    else:
        steps, risk = _product_limit(sets, freq), nobody[1]
    total = np.zeros((len(freq), rising.size + 1))
    np.cumsum(steps[:, ::-1], axis=1, out=total[:, 1:])
    return Hazard(total, places), risk


def _cox(X: FloatArray, sets: RiskSets, freq: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Steps (B, K) of the hazard at the centre of X by Efron's rule, falling times; risks."""
    carrying = sets.sort(freq)[:, sets.deaths].sum(axis=1) > 0.0
    steps, risk = np.zeros((len(freq), sets.n_times)), np.ones(freq.shape)
    rows = np.flatnonzero(carrying)
    if not rows.size:
        return steps, risk
    held = freq[rows]
    coef = fit_cox(X, sets, freq=held, firth=True).coef
    likelihood = cox_likelihood(X, sets, freq=held)
    block = likelihood.block(np.arange(rows.size))
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        point = likelihood.point(coef * likelihood.scale, block)
        hazard = point.ties.powers[0][0] * np.exp(-point.shift)[:, None]
    hazard = np.where(likelihood.weights.counts > 0.0, hazard, 0.0)
    steps[rows] = np.where(np.isfinite(hazard).all(axis=1, keepdims=True), hazard, np.nan)
    eta = coef @ (X - likelihood.design.centre).T
    risk[rows] = np.exp(np.minimum(eta, 700.0))
    return steps, risk


def _product_limit(sets: RiskSets, freq: FloatArray) -> FloatArray:
    """Minus the logs (B, K) of the steps of the product-limit estimate, falling times.

    Where all that are left are treated at once nobody remains to be weighted: no step.
    """
    held = sets.sort(freq)
    n_risk, treated = sets.risk_sums(held), sets.death_sums(held[:, sets.deaths])
    left = n_risk - treated
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((treated > 0.0) & (left > 0.0), np.log(n_risk) - np.log(left), 0.0)
