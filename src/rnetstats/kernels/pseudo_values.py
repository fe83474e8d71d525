"""Risk by a time under censoring, of one cause among several, and its jack-knife pseudo-values.

The risk is the Aalen-Johansen estimate; with a single cause one minus the Kaplan-Meier estimate.

References
----------
Aalen OO, Johansen S (1978). An empirical transition matrix for nonhomogeneous Markov chains based
on censored observations. Scandinavian Journal of Statistics 5:141-150.
Andersen PK, Klein JP, Rosthoj S (2003). Generalised linear models for correlated
pseudo-observations, with applications to multi-state models. Biometrika 90:15-27.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnetstats.kernels.newton import FloatArray
from rnetstats.kernels.ratio import ratio

__all__ = ["pseudo_values", "risk_by", "risks_by"]


def risk_by(
    stop: ArrayLike,
    code: ArrayLike,
    horizon: float,
    freq: ArrayLike | None = None,
    *,
    cause: int = 1,
) -> tuple[float, float]:
    """Estimate the risk of a cause by a time.

    Parameters
    ----------
    stop : array of shape (n,)
        Times.
    code : int array of shape (n,)
        0 for censored, else the cause. At a tied time events come before censorings.
    horizon : float
        Beyond the last time the last value is carried on.
    freq : array of shape (n,), optional
        Whole numbers.
    cause : int

    Returns
    -------
    risk, std_error : float
        Greenwood's standard error for a single cause (NaN at risk 1), the jack-knife's otherwise.
    """
    ends, codes, weight = _arrays(stop, code, freq)
    _, deaths, own, at_risk = (part[0] for part in _counts(ends, codes, weight, horizon, cause))
    risk = float(_incidence(at_risk[None], deaths[None], own[None])[0])
    if np.array_equal(deaths, own):
        left = at_risk - deaths
        if (left <= 0.0).any():
            return risk, float("nan")
        return risk, float((1.0 - risk) * np.sqrt((deaths / (at_risk * left)).sum()))
    values, held = pseudo_values(ends, codes, horizon, weight[0], cause=cause), weight[0]
    total = float(held.sum())
    if total < 2.0:
        return risk, float("nan")
    spread = float(held @ (values - held @ values / total) ** 2)
    return risk, float(np.sqrt(spread / (total * (total - 1.0))))


def risks_by(
    stop: ArrayLike,
    code: ArrayLike,
    horizon: float,
    freq: ArrayLike,
    *,
    cause: int = 1,
) -> FloatArray:
    """Estimate the risk of a cause by a time in many replicates.

    Parameters
    ----------
    stop, code, horizon, cause
        As in :func:`risk_by`.
    freq : array of shape (B, n)
        Whole numbers, zero allowed: how often each row stands in the replicate.

    Returns
    -------
    array of shape (B,)
    """
    ends, codes, weight = _arrays(stop, code, freq)
    _, deaths, own, at_risk = _counts(ends, codes, weight, horizon, cause)
    return _incidence(at_risk, deaths, own)


def pseudo_values(
    stop: ArrayLike,
    code: ArrayLike,
    horizon: float,
    freq: ArrayLike | None = None,
    *,
    cause: int = 1,
) -> FloatArray:
    """Jack-knife pseudo-values of the risk by a time: n F - (n - 1) F without the row.

    Without censoring before the horizon they are the outcomes, 0 or 1.

    Parameters
    ----------
    stop, code, horizon, cause
        As in :func:`risk_by`.
    freq : array of shape (n,) or (B, n), optional
        Whole numbers; of a row that stands for several, one is left out. The value of a row that
        a replicate lacks means nothing.

    Returns
    -------
    array of shape (n,), or (B, n) for `freq` of that shape
    """
    ends, codes, weight = _arrays(stop, code, freq)
    single = freq is None or np.ndim(freq) == 1
    times, deaths, own, at_risk = _counts(ends, codes, weight, horizon, cause)
    if not times.size:
        return np.zeros(ends.size if single else weight.shape)
    total = weight.sum(axis=1, keepdims=True)
    full = _incidence(at_risk, deaths, own)[:, None]
    passed = np.searchsorted(times[0], ends, side="right")
    seen = np.where((codes > 0) & (ends <= horizon), np.where(codes == cause, 2, 1), 0)
    # rows with the same place and the same end have the same value
    kinds, place = np.unique(3 * passed + seen, return_inverse=True)
    without = _left_out(deaths, own, at_risk, kinds // 3, kinds % 3)
    values = (total * full - (total - 1.0) * without)[:, place]
    return np.asarray(values[0] if single else values)


def _left_out(
    deaths: FloatArray,
    own: FloatArray,
    at_risk: FloatArray,
    reach: NDArray[np.int64],
    kind: NDArray[np.int64],
) -> FloatArray:
    """Risk (B, m) without a row that ends at the ``reach``-th time, as censored, event or cause.

    Up to there one fewer is at risk; what follows is as in all rows, and its share of those who
    come so far is summed from the end.
    """
    fewer = at_risk - 1.0
    one = np.ones((len(deaths), 1))
    survival = np.hstack([one, np.cumprod(1.0 - ratio(deaths, fewer), axis=1)])
    found = np.hstack([0.0 * one, np.cumsum(survival[:, :-1] * ratio(own, fewer), axis=1)])
    after = np.zeros(survival.shape)
    jumps, steps = ratio(own, at_risk), ratio(deaths, at_risk)
    for k in range(deaths.shape[1] - 1, -1, -1):
        after[:, k] = jumps[:, k] + (1.0 - steps[:, k]) * after[:, k + 1]
    last = np.maximum(reach - 1, 0)
    jump = ratio(own[:, last] - (kind == 2), fewer[:, last])
    step = ratio(deaths[:, last] - (kind > 0), fewer[:, last])
    passed = found[:, last] + survival[:, last] * (jump + (1.0 - step) * after[:, reach])
    return np.asarray(np.minimum(np.where(reach > 0, passed, after[:, :1]), 1.0))


def _arrays(
    stop: ArrayLike, code: ArrayLike, freq: ArrayLike | None
) -> tuple[FloatArray, NDArray[np.int64], FloatArray]:
    """Times and codes (n,), and weights (B, n)."""
    ends = np.asarray(stop, dtype=np.float64)
    weight = np.ones(ends.size) if freq is None else np.asarray(freq, dtype=np.float64)
    return ends, np.asarray(code).astype(np.int64), np.atleast_2d(weight)


def _counts(
    ends: FloatArray, codes: NDArray[np.int64], weight: FloatArray, horizon: float, cause: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Event times (1, k) up to the horizon; events, those of the cause, and rows at risk (B, k)."""
    event = np.flatnonzero((codes > 0) & (ends <= horizon))
    event = event[np.argsort(ends[event], kind="stable")]
    times, first = np.unique(ends[event], return_index=True)
    died = weight[:, event]
    deaths, own = (
        np.add.reduceat(part, first, axis=1) if first.size else part
        for part in (died, died * (codes[event] == cause))
    )
    order = np.argsort(ends, kind="stable")
    from_here = np.cumsum(weight[:, order[::-1]], axis=1)[:, ::-1]
    at_risk = from_here[:, np.searchsorted(ends[order], times, side="left")]
    return times[None], deaths, own, at_risk


def _incidence(at_risk: FloatArray, deaths: FloatArray, own: FloatArray) -> FloatArray:
    """Risk (B,) at the end of the times (B, k)."""
    step, jump = ratio(deaths, at_risk), ratio(own, at_risk)
    survival = np.cumprod(1.0 - step, axis=1)
    before = np.column_stack([np.ones(len(step)), survival[:, :-1]])
    return np.asarray(np.minimum((before * jump).sum(axis=1), 1.0))
