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

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.blocks import block_size
from rnetstats.kernels.newton import FloatArray
from rnetstats.kernels.ratio import ratio
from rnetstats.kernels.risksets import RiskSets, prepare

__all__ = ["survival_many"]

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
    ends, held, at = (np.asarray(part, dtype=np.float64) for part in (stop, weights, times))
    held = np.atleast_2d(held)
    if held.shape[1] != ends.size:
        msg = f"weights have {held.shape[1]} columns for {ends.size} rows"
        raise ValueError(msg)
    if not (np.isfinite(held).all() and (held >= 0.0).all()):
        msg = "weights must be finite numbers of at least 0"
        raise ValueError(msg)
    sets = prepare(start, ends, event)
    passed = np.searchsorted(sets.times[::-1], at, side="right")
    order = np.argsort(ends, kind="stable")[::-1]
    found = np.empty((len(held), at.size))
    step = block_size(ends.size)
    for begin in range(0, len(held), step):
        rows = slice(begin, begin + step)
        value = _curves(sets, held[rows])[:, passed]
        carrying = held[rows][:, order] > 0.0
        last = np.where(carrying.any(axis=1), ends[order][carrying.argmax(axis=1)], -np.inf)
        found[rows] = np.where((at <= last[:, None]) | (value == 0.0), value, np.nan)
    return found


def _curves(sets: RiskSets, weights: FloatArray) -> FloatArray:
    """Survival after 0, 1, ... event times of a block of replicates, (b, E + 1)."""
    survival = np.ones((len(weights), sets.n_times + 1))
    if sets.n_times:
        kept = sets.sort(weights)
        n_risk = sets.risk_sums(kept)[:, ::-1]
        n_event = sets.death_sums(kept[:, sets.deaths])[:, ::-1]
        died = ratio(n_event, n_risk)
        np.cumprod(np.where(died >= _EVERYBODY, 0.0, 1.0 - died), axis=1, out=survival[:, 1:])
    return survival
