"""Weighted product-limit curves of many replicates at once.

The rows are sorted into risk sets once; each replicate then costs two sums of its weights over
the event times. Sums over risk sets are made of what they hold, never as a difference of larger
sums, so that late entry leaves no rounding dust.

References
----------
Kaplan EL, Meier P (1958). Nonparametric estimation from incomplete observations. Journal of the
American Statistical Association 53:457-481.
Xie J, Liu C (2005). Adjusted Kaplan-Meier estimator and log-rank test with inverse probability of
treatment weighting for survival data. Statistics in Medicine 24:3089-3110.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.blocks import block_size
from rnetstats.kernels.newton import FloatArray
from rnetstats.kernels.risksets import RiskSets, prepare

__all__ = ["rmst_many", "survival_many"]

_EVERYBODY = 1.0 - 1e-12  # two sums of the same weights in another order differ by less


def survival_many(
    stop: ArrayLike,
    event: ArrayLike,
    weights: ArrayLike,
    times: ArrayLike,
    start: ArrayLike | None = None,
) -> FloatArray:
    """Survival probabilities of B replicates at given times.

    Parameters
    ----------
    stop : array of shape (n,)
        End of follow-up, in any unit of time.
    event : array of shape (n,)
        True where the row ends in the event.
    weights : array of shape (B, n) or (n,)
        Real numbers of at least 0; whole numbers stand for replicated rows.
    times : array of shape (k,)
        In the unit of `stop`, in any order.
    start : array of shape (n,), optional
        Entry; a row is at risk on (start, stop].

    Returns
    -------
    array of shape (B, k)
        1 before any event. Missing past the last time at which a row with weight is at risk,
        unless survival has reached 0 by then.

    Raises
    ------
    ValueError
        A weight is negative or no number, lengths differ, or a start is not before its stop.
    """
    ends, held, sets = _prepared(stop, event, weights, start)
    at = np.asarray(times, dtype=np.float64)
    passed = np.searchsorted(sets.times[::-1], at, side="right")
    found = np.empty((len(held), at.size))
    for rows, survival, last in _curves(sets, ends, held):
        value = survival[:, passed]
        known = (at <= last[:, None]) | (value == 0.0)
        found[rows] = np.where(known, value, np.nan)
    return found


def rmst_many(
    stop: ArrayLike,
    event: ArrayLike,
    weights: ArrayLike,
    tau: float,
    start: ArrayLike | None = None,
) -> FloatArray:
    """Restricted mean survival times of B replicates: the area under each curve up to tau.

    Parameters
    ----------
    stop, event, weights, start
        As in :func:`survival_many`.
    tau : float
        Above 0, in the unit of `stop`.

    Returns
    -------
    array of shape (B,)
        In the unit of `stop`. Missing where the curve does not reach tau.

    Raises
    ------
    ValueError
        As :func:`survival_many`; or tau is not above 0.

    References
    ----------
    Royston P, Parmar MKB (2013). Restricted mean survival time: an alternative to the hazard
    ratio. BMC Medical Research Methodology 13:152.
    """
    if not (np.isfinite(tau) and tau > 0.0):
        msg = f"tau must be a number above 0, not {tau!r}"
        raise ValueError(msg)
    ends, held, sets = _prepared(stop, event, weights, start)
    edges = np.concatenate(([0.0], np.clip(sets.times[::-1], 0.0, tau), [tau]))
    width = np.diff(edges)
    found = np.empty(len(held))
    for rows, survival, last in _curves(sets, ends, held):
        fallen = survival[:, np.searchsorted(sets.times[::-1], tau, side="right")] == 0.0
        found[rows] = np.where((tau <= last) | fallen, survival @ width, np.nan)
    return found


def _prepared(
    stop: ArrayLike, event: ArrayLike, weights: ArrayLike, start: ArrayLike | None
) -> tuple[FloatArray, FloatArray, RiskSets]:
    ends = np.asarray(stop, dtype=np.float64)
    held = np.atleast_2d(np.asarray(weights, dtype=np.float64))
    if held.shape[1] != ends.size:
        msg = f"weights have {held.shape[1]} columns for {ends.size} rows"
        raise ValueError(msg)
    if not (np.isfinite(held).all() and (held >= 0.0).all()):
        msg = "weights must be finite numbers of at least 0"
        raise ValueError(msg)
    return ends, held, prepare(start, ends, event)


def _curves(
    sets: RiskSets, ends: FloatArray, weights: FloatArray
) -> Iterator[tuple[slice, FloatArray, FloatArray]]:
    """Yield blocks: their slice, survival after 0, 1, ... event times (b, E + 1), last time (b,).

    The last time is that at which a row with weight is still at risk, -inf without any weight.
    """
    order = np.argsort(ends, kind="stable")[::-1]
    step = block_size(ends.size)
    for at in range(0, len(weights), step):
        block = weights[at : at + step]
        carrying = block[:, order] > 0.0
        last = np.where(carrying.any(axis=1), ends[order][carrying.argmax(axis=1)], -np.inf)
        survival = np.ones((len(block), sets.n_times + 1))
        if sets.n_times:
            kept = sets.sort(block)
            n_risk = sets.risk_sums(kept)[:, ::-1]
            n_event = sets.death_sums(kept[:, sets.deaths])[:, ::-1]
            died = np.divide(n_event, n_risk, out=np.zeros(n_risk.shape), where=n_event > 0.0)
            np.cumprod(np.where(died >= _EVERYBODY, 0.0, 1.0 - died), axis=1, out=survival[:, 1:])
        yield slice(at, at + len(block)), survival, last
