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

__all__ = ["pseudo_values", "risk_by"]


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
    _, deaths, own, at_risk = _counts(ends, codes, weight, horizon, cause)
    risk = float(_incidence(at_risk[None], deaths[None], own[None])[0])
    if np.array_equal(deaths, own):
        left = at_risk - deaths
        if (left <= 0.0).any():
            return risk, float("nan")
        return risk, float((1.0 - risk) * np.sqrt((deaths / (at_risk * left)).sum()))
    values = pseudo_values(ends, codes, horizon, weight, cause=cause)
    total = float(weight.sum())
    if total < 2.0:
        return risk, float("nan")
    spread = float(weight @ (values - weight @ values / total) ** 2)
    return risk, float(np.sqrt(spread / (total * (total - 1.0))))


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
    stop, code, horizon, freq, cause
        As in :func:`risk_by`; of a row that stands for several, one is left out.

    Returns
    -------
    array of shape (n,)
    """
    ends, codes, weight = _arrays(stop, code, freq)
    times, deaths, own, at_risk = _counts(ends, codes, weight, horizon, cause)
    total = float(weight.sum())
    if not times.size:
        return np.zeros(ends.size)
    full = float(_incidence(at_risk[None], deaths[None], own[None])[0])
    passed = np.searchsorted(times, ends, side="right")
    seen = np.where((codes > 0) & (ends <= horizon), np.where(codes == cause, 2, 1), 0)
    # rows with the same place and the same end have the same value
    kinds, place = np.unique(3 * passed + seen, return_inverse=True)
    without = _left_out(deaths, own, at_risk, kinds // 3, kinds % 3)
    return np.asarray(total * full - (total - 1.0) * without[place])


def _left_out(
    deaths: FloatArray,
    own: FloatArray,
    at_risk: FloatArray,
    reach: NDArray[np.int64],
    kind: NDArray[np.int64],
) -> FloatArray:
    """Risk (m,) without a row that ends at the ``reach``-th time, as censored, event or cause.

    Up to there one fewer is at risk; what follows is as in all rows, and its share of those who
    come so far is summed from the end.
    """
    fewer = at_risk - 1.0
    survival = np.append(1.0, np.cumprod(1.0 - _share(deaths, fewer)))
    found = np.append(0.0, np.cumsum(survival[:-1] * _share(own, fewer)))
    later = [0.0]
    steps = zip(_share(own, at_risk)[::-1], _share(deaths, at_risk)[::-1], strict=True)
    for jump, step in steps:
        later.append(jump + (1.0 - step) * later[-1])
    after = np.array(later[::-1])
    last = np.maximum(reach - 1, 0)
    here = reach > 0
    jump = _share(own[last] - (kind == 2), fewer[last])
    step = _share(deaths[last] - (kind > 0), fewer[last])
    passed = found[last] + survival[last] * (jump + (1.0 - step) * after[reach])
    return np.asarray(np.minimum(np.where(here, passed, after[0]), 1.0))


def _share(count: FloatArray, at_risk: FloatArray) -> FloatArray:
    """Count over those at risk, 0 where nobody is."""
    return np.asarray(np.divide(count, at_risk, out=np.zeros(at_risk.shape), where=at_risk > 0.0))


def _arrays(
    stop: ArrayLike, code: ArrayLike, freq: ArrayLike | None
) -> tuple[FloatArray, NDArray[np.int64], FloatArray]:
    ends = np.asarray(stop, dtype=np.float64)
    weight = np.ones(ends.size) if freq is None else np.asarray(freq, dtype=np.float64)
    return ends, np.asarray(code).astype(np.int64), weight


def _counts(
    ends: FloatArray, codes: NDArray[np.int64], weight: FloatArray, horizon: float, cause: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Event times up to the horizon; events, those of the cause, and rows at risk at each."""
    event = (codes > 0) & (ends <= horizon)
    times, place = np.unique(ends[event], return_inverse=True)
    size = len(times)
    deaths = np.bincount(place, weight[event], size).astype(np.float64)
    own = np.bincount(place, weight[event] * (codes[event] == cause), size).astype(np.float64)
    order = np.argsort(ends, kind="stable")
    from_here: FloatArray = np.append(np.cumsum(weight[order][::-1])[::-1], 0.0)
    return times, deaths, own, from_here[np.searchsorted(ends[order], times, side="left")]


def _incidence(at_risk: FloatArray, deaths: FloatArray, own: FloatArray) -> FloatArray:
    """Risk (b,) at the end of the times (b, k)."""
    step, jump = _share(deaths, at_risk), _share(own, at_risk)
    survival = np.cumprod(1.0 - step, axis=1)
    before = np.column_stack([np.ones(len(step)), survival[:, :-1]])
    return np.asarray(np.minimum((before * jump).sum(axis=1), 1.0))
