"""Gray's k-sample test of cumulative incidence: scores and their covariance.

With Y_r at risk in group r, S_r its event-free survival and 1 - F_r = G_r that of the cause of
interest, R_r = Y_r G_r / S_r is its risk set of the subdistribution and h_r = Y_r / S_r, all just
before a time. The score of group k adds L (d_k - d R_k / R) over times with d events of the cause,
L = (1 - F0) ** rho and dF0 = d / h the incidence under the hypothesis. In the martingales of group
r it has the coefficients

    a = L (1[k = r] - h_k / h) + (1 - G0 / S_r) C / h_r    for the cause of interest,
    b = -(G0 / S_r) C / h_r                                for the competing causes,

C = the sum of L (1[k = r] - h_k / h) h_r dF0 / G0 over later times, G0 and S_r just after the
time: competing events change the risk sets that follow. The variances of a time's counts are
h_r dF0 under the hypothesis, and the observed ones, each with a factor for ties.

References
----------
Gray RJ (1988). A class of K-sample tests for comparing the cumulative incidence of a competing
risk. Annals of Statistics 16, 1141-1154.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnetstats.kernels.newton import FloatArray, IntArray
from rnetstats.kernels.ratio import ratio

__all__ = ["GrayTable", "gray_table"]


class GrayTable(NamedTuple):
    """Sums over times and strata.

    Attributes
    ----------
    observed, expected
        (K,) events of the cause, weighted by L, and their number under the hypothesis.
    variance
        (K, K) of observed less expected.
    """

    observed: FloatArray
    expected: FloatArray
    variance: FloatArray


class _Times(NamedTuple):
    """Quantities (K, T) of the groups at the T times with an event; (T,) those of the pool."""

    own: FloatArray
    others: FloatArray
    n_risk: FloatArray
    free_before: FloatArray
    free: FloatArray
    risk: FloatArray
    pooled: FloatArray
    pooled_before: FloatArray
    step: FloatArray


def gray_table(
    stop: FloatArray,
    code: IntArray,
    group: IntArray,
    n_groups: int,
    *,
    cause: int,
    rho: float = 0.0,
    freq: FloatArray | None = None,
    strata: IntArray | None = None,
) -> GrayTable:
    """Return the scores of Gray's test for one cause.

    Parameters
    ----------
    stop
        (n,) end of follow-up.
    code
        (n,) 0 censored, 1, 2, ... the causes.
    group
        (n,) codes from 0.
    n_groups
        K.
    cause
        The cause of interest.
    rho
        Power of the weight (1 - F0) ** rho.
    freq
        (n,) whole numbers that stand for replicated rows.
    strata
        (n,) codes; scores and variances are added over strata.
    """
    counts = np.ones(stop.size) if freq is None else freq
    codes = np.zeros(stop.size, dtype=np.intp) if strata is None else strata
    observed, expected = np.zeros(n_groups), np.zeros(n_groups)
    variance = np.zeros((n_groups, n_groups))
    for stratum in np.unique(codes):
        rows = codes == stratum
        at = _times(stop[rows], code[rows], group[rows], n_groups, cause, counts[rows])
        weight = at.pooled_before**rho
        observed += at.own @ weight
        share = ratio(at.risk, at.risk.sum(axis=0))
        expected += share @ (weight * at.own.sum(axis=0))
        variance += _variance(at, weight)
    return GrayTable(observed, expected, variance)


def _times(
    stop: FloatArray,
    code: IntArray,
    group: IntArray,
    n_groups: int,
    cause: int,
    counts: FloatArray,
) -> _Times:
    moments = np.unique(stop[code > 0])
    last = np.searchsorted(moments, stop, side="right")  # event times that a row reaches
    shape = (n_groups, moments.size + 1)

    def table(rows: FloatArray, place: IntArray) -> FloatArray:
        sums = np.bincount(group * shape[1] + place, rows, shape[0] * shape[1])
        return sums.reshape(shape).astype(np.float64)

    n_risk = np.cumsum(table(counts, last)[:, ::-1], axis=1)[:, ::-1][:, 1:]
    own = table(counts * (code == cause), last)[:, 1:]
    events = table(counts * (code > 0), last)[:, 1:]
    free: FloatArray = np.cumprod(1.0 - ratio(events, n_risk), axis=1).astype(np.float64)
    before = _shifted(free)
    incidence = np.cumsum(before * ratio(own, n_risk), axis=1)
    inverse = ratio(n_risk, before)
    step = ratio(own.sum(axis=0), inverse.sum(axis=0))
    pooled = 1.0 - np.cumsum(step)
    return _Times(
        own=own,
        others=events - own,
        n_risk=n_risk,
        free_before=before,
        free=free,
        risk=inverse * _shifted(1.0 - incidence),
        pooled=pooled,
        pooled_before=_shifted(pooled),
        step=step,
    )


def _shifted(curves: FloatArray) -> FloatArray:
    """Values just before each time of curves (..., T) that begin at 1."""
    before = np.ones_like(curves)
    before[..., 1:] = curves[..., :-1]
    return before


def _variance(at: _Times, weight: FloatArray) -> FloatArray:
    inverse = ratio(at.n_risk, at.free_before)
    total, own = inverse.sum(axis=0), at.own.sum(axis=0)
    share = ratio(inverse, total)
    variance = np.zeros((len(inverse), len(inverse)))
    for r, mine in enumerate(inverse):
        here = mine > 0.0
        contrast = weight * ((np.arange(len(inverse)) == r)[:, None] - share) * here
        drift = contrast * ratio(mine * at.step, at.pooled_before)
        later = np.cumsum(drift[:, ::-1], axis=1)[:, ::-1] - drift
        scaled = ratio(later, mine)
        fall = ratio(at.pooled, at.free[r])
        first = contrast + (1.0 - fall) * scaled
        second = -fall * scaled
        spread = mine * at.step * _tie_factor(own, total * at.free_before[r])
        variance += (first * spread) @ first.T
        spread = at.others[r] * _tie_factor(at.others[r], at.n_risk[r])
        variance += (second * spread) @ second.T
    return variance


def _tie_factor(events: FloatArray, n_risk: FloatArray) -> FloatArray:
    """Finite-population factor (n - d) / (n - 1) where several events tie, else 1."""
    several = (events > 1.0) & (n_risk > 1.0)
    return np.divide(n_risk - events, n_risk - 1.0, out=np.ones_like(n_risk), where=several)
