"""Restricted mean survival time of many replicates at once, its influences and pseudo-values.

The area under the Kaplan-Meier curve up to ``tau``. A jump at an event time moves all of the curve
that follows, so that the variance is a sum over event times of the squared area that is left,
times Greenwood's term. It is the variance of the *estimator*, not of ``min(T, tau)``.

References
----------
Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. J Am Stat Assoc
1958;53:457-81 (section 6.2). Royston P, Parmar MKB. Restricted mean survival time: an alternative
to the hazard ratio. BMC Med Res Methodol 2013;13:152. Andersen PK, Hansen MG, Klein JP. Regression
analysis of restricted mean survival time based on pseudo-observations. Lifetime Data Anal
2004;10:335-50.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnetstats.kernels.ratio import ratio

__all__ = [
    "RestrictedMeans",
    "restricted_mean_influence",
    "restricted_mean_pseudo_values",
    "restricted_means",
]

Floats = NDArray[np.float64]

_CELLS = 4_000_000  # of a block's replicates x (rows + event times x taus)


@dataclass(frozen=True, eq=False)
class RestrictedMeans:
    """Restricted means of B replicates at T times; both arrays have shape (B, T).

    Missing where the replicate's curve is not known up to the time: nobody with weight is followed
    so long, and the curve has not reached 0.
    """

    mean: Floats
    variance: Floats


@dataclass(frozen=True, eq=False)
class _Steps:
    """Event times (K,); jumps and Greenwood's terms of replicates (B, K)."""

    times: Floats
    step: Floats
    green: Floats
    inverse: Floats


def restricted_means(
    stop: ArrayLike,
    event: ArrayLike,
    tau: ArrayLike,
    freq: ArrayLike | None = None,
    *,
    start: ArrayLike | None = None,
) -> RestrictedMeans:
    """Estimate the restricted mean survival time.

    Parameters
    ----------
    stop, event : arrays of shape (n,)
        Times, and whether they end in an event.
    tau : float or array of shape (T,)
        Times up to which the area is taken.
    freq : array of shape (n,) or (B, n), optional
        Weights, zero allowed; whole numbers stand for replicated rows.
    start : array of shape (n,), optional
        Entry; a row is at risk on (start, stop].

    Returns
    -------
    RestrictedMeans
    """
    ends, flags = np.asarray(stop, dtype=np.float64), np.asarray(event, dtype=bool)
    entry = None if start is None else np.asarray(start, dtype=np.float64)
    points = np.atleast_1d(np.asarray(tau, dtype=np.float64))
    weight = np.atleast_2d(np.ones(ends.size) if freq is None else np.asarray(freq, np.float64))
    width = ends.size * (2 + points.size)
    size = max(1, _CELLS // max(width, 1))
    blocks = [
        _means(ends, flags, points, weight[b : b + size], entry)
        for b in range(0, len(weight), size)
    ]
    return RestrictedMeans(
        np.concatenate([mean for mean, _ in blocks]),
        np.concatenate([variance for _, variance in blocks]),
    )


def _means(
    stop: Floats, event: NDArray[np.bool_], tau: Floats, weight: Floats, start: Floats | None
) -> tuple[Floats, Floats]:
    steps = _steps(stop, event, float(tau.max()), weight, start)
    survival, area = _areas(steps)
    index = np.searchsorted(steps.times, tau, side="right")
    before = np.append(0.0, steps.times)[index]
    mean = area[:, index] + survival[:, index] * (tau - before)
    left = np.maximum(mean[:, :, None] - area[:, None, 1:], 0.0)  # 0 beyond each tau
    variance = np.einsum("btk,bk->bt", left**2, steps.green)
    last = np.where(weight > 0.0, stop, -np.inf).max(axis=1, initial=-np.inf)
    unknown = (tau > last[:, None]) & (survival[:, index] > 0.0)
    return np.where(unknown, np.nan, mean), np.where(unknown, np.nan, variance)


def _steps(
    stop: Floats, event: NDArray[np.bool_], last: float, weight: Floats, start: Floats | None
) -> _Steps:
    """Jumps at the event times up to ``last``."""
    seen = event & (stop <= last)
    times, place = np.unique(stop[seen], return_inverse=True)
    n_risk = _weight_from(times, stop, weight)
    if start is not None:
        n_risk = n_risk - _weight_from(times, start, weight)
    n_event = np.zeros((len(weight), times.size))
    if times.size:
        order = np.argsort(place, kind="stable")
        bounds = np.searchsorted(place[order], np.arange(times.size))
        n_event = np.add.reduceat(weight[:, seen][:, order], bounds, axis=1)
    # sums of weights that should cancel leave rounding dust: the last step to 0 must be exact
    everyone = (n_event > 0.0) & (n_event >= n_risk * (1.0 - 1e-12))
    step = np.divide(n_event, n_risk, out=np.zeros_like(n_event), where=n_event > 0.0)
    step[everyone] = 1.0
    kept = (n_event > 0.0) & ~everyone
    inverse = np.divide(1.0, n_risk - n_event, out=np.zeros_like(n_event), where=kept)
    return _Steps(times, step, step * inverse, inverse)


def _weight_from(times: Floats, values: Floats, weight: Floats) -> Floats:
    """Weight (B, K) of the rows whose value is at or above each time."""
    order = np.argsort(values, kind="stable")
    sums = np.zeros((len(weight), values.size + 1))
    sums[:, :-1] = np.cumsum(weight[:, order[::-1]], axis=1)[:, ::-1]
    return sums[:, np.searchsorted(values[order], times, side="left")]


def _areas(steps: _Steps) -> tuple[Floats, Floats]:
    """Survival just after, and area up to, time 0 and each event time; both (B, K + 1)."""
    one = np.ones((len(steps.step), 1))
    survival = np.concatenate([one, np.cumprod(1.0 - steps.step, axis=1)], axis=1)
    pieces = survival[:, :-1] * np.diff(steps.times, prepend=0.0)
    return survival, np.concatenate([0.0 * one, np.cumsum(pieces, axis=1)], axis=1)


def restricted_mean_influence(
    stop: ArrayLike,
    event: ArrayLike,
    tau: float,
    weights: ArrayLike | None = None,
    *,
    start: ArrayLike | None = None,
) -> Floats:
    """Influence of each row on the restricted mean, for one unit of its weight.

    The sum of the squared weighted influences is the infinitesimal jackknife variance.

    Parameters
    ----------
    stop, event, tau, start
        As in :func:`restricted_means`.
    weights : array of shape (n,), optional

    Returns
    -------
    array of shape (n,)
    """
    ends, flags = np.asarray(stop, dtype=np.float64), np.asarray(event, dtype=bool)
    entry = None if start is None else np.asarray(start, dtype=np.float64)
    weight = np.ones((1, ends.size)) if weights is None else np.atleast_2d(weights).astype(float)
    steps = _steps(ends, flags, tau, weight, entry)
    survival, area = _areas(steps)
    reached = float(steps.times[-1]) if steps.times.size else 0.0
    mean = area[0, -1] + survival[0, -1] * (tau - reached)
    scale = (mean - area[0, 1:]) * steps.inverse[0]
    drift = np.append(0.0, np.cumsum(scale * steps.step[0]))
    passed = np.searchsorted(steps.times, ends, side="right")
    first = 0 if entry is None else np.searchsorted(steps.times, entry, side="right")
    own = flags & (ends <= tau)
    jump = np.where(own, np.append(0.0, scale)[np.where(own, passed, 0)], 0.0)
    return np.asarray(drift[passed] - drift[first] - jump)


def restricted_mean_pseudo_values(
    stop: ArrayLike, event: ArrayLike, tau: float, freq: ArrayLike | None = None
) -> Floats:
    """Jack-knife pseudo-values of the restricted mean: n m - (n - 1) m without the row.

    All of them take one pass: without a row there is one fewer at risk up to its end, and the curve
    that follows is, relative to its value there, that of all rows. Without censoring before ``tau``
    they are ``min(T, tau)``.

    Parameters
    ----------
    stop, event, tau
        As in :func:`restricted_means`; the last value of a curve is carried on.
    freq : array of shape (n,), optional
        Positive whole numbers; of a row that stands for several, one is left out.

    Returns
    -------
    array of shape (n,)
    """
    ends, flags = np.asarray(stop, dtype=np.float64), np.asarray(event, dtype=bool)
    weight = np.ones(ends.size) if freq is None else np.asarray(freq, dtype=np.float64)
    own = flags & (ends <= tau)
    times, place = np.unique(ends[own], return_inverse=True)
    if not times.size:
        return np.full(ends.size, tau)
    deaths = np.bincount(place, weight[own], times.size).astype(np.float64)
    at_risk = _weight_from(times, ends, weight[None])[0]
    gaps = np.diff(times, prepend=0.0, append=tau)
    fewer = at_risk - 1.0
    before = np.append(1.0, np.cumprod(1.0 - np.minimum(ratio(deaths, fewer), 1.0)))
    area = np.append(0.0, np.cumsum(before[:-1] * gaps[:-1]))
    after = np.empty(times.size + 1)  # area that follows an event time, for one who is there
    after[-1] = gaps[-1]
    for k in range(times.size - 1, -1, -1):
        after[k] = gaps[k] + (1.0 - deaths[k] / at_risk[k]) * after[k + 1]
    passed = np.searchsorted(times, ends, side="right")
    last = np.maximum(passed - 1, 0)
    step = np.minimum(ratio(deaths[last] - (own & (ends == times[last])), fewer[last]), 1.0)
    without = np.where(
        passed > 0, area[passed] + before[last] * (1.0 - step) * after[passed], after[0]
    )
    total = float(weight.sum())
    return np.asarray(total * after[0] - (total - 1.0) * without)
