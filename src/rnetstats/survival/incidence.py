"""The Aalen-Johansen estimator on arrays: incidence of each cause and its variance, in one pass.

Intervals are (start, stop]. At a tied time events of all causes come before the censorings. With
F the incidence of a cause, S the event-free survival just before a time, n at risk, d events of
which a are of the cause, and D = F(t) - F(now), three variances of F(t) are sums over times:

- ``delta``: D^2 d / (n (n - d)) - 2 D S a / n^2 + S^2 a (n - a) / n^3, from multinomial counts;
  with one cause Greenwood's. Without late entry it is the infinitesimal jackknife.
- ``aalen``: (S / n - D / (n - d))^2 v(a) + (D / (n - d))^2 v(d - a), causes taken as independent,
  with v(k) = k (n - k) / (n - 1).
- ``jackknife``: the rows' (or clusters') squared influences.

References
----------
Aalen OO, Johansen S (1978). An empirical transition matrix for non-homogeneous Markov chains based
on censored observations. Scand J Stat 5:141-150. Aalen OO (1978). Nonparametric estimation of
partial transition probabilities in multiple decrement models. Ann Stat 6:534-545.
Gaynor JJ, Feuer EJ, Tan CC, et al (1993). On the use of cause-specific failure and conditional
failure probabilities. J Am Stat Assoc 88:400-409.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats.survival.product_limit import at_risk

__all__ = ["Incidence", "incidence"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_BLOCK = 2_000_000  # cells of the rows x times matrix of influences held at once


@dataclass(frozen=True)
class Incidence:
    """Curves of J causes over the k distinct stop times of a group.

    Attributes
    ----------
    time, n_risk, n_censor : array, shape (k,)
        ``n_risk`` just before the time.
    n_event : array, shape (J, k)
    incidence, variance : array, shape (J, k)
        Just after the time. Before a cause's first event its variance is 0.
    event_free : array, shape (k,)
        The product-limit estimate of having had no event of any cause.
    """

    time: Floats
    n_risk: Floats
    n_censor: Floats
    n_event: Floats
    incidence: Floats
    variance: Floats
    event_free: Floats


@dataclass(frozen=True)
class _Rows:
    stop: Floats
    code: Ints
    start: Floats | None
    weights: Floats
    cluster: Ints | None


@dataclass(frozen=True)
class _Steps:
    """One group's counts: ``n_event`` (k,) of all causes, ``before`` the event-free survival."""

    time: Floats
    n_risk: Floats
    n_event: Floats
    before: Floats


def incidence(
    stop: Floats,
    code: Ints,
    n_causes: int,
    *,
    start: Floats | None = None,
    weights: Floats | None = None,
    variance: str = "delta",
    cluster: Ints | None = None,
) -> Incidence:
    """Estimate the cumulative incidence of each cause in one group.

    Parameters
    ----------
    stop : array, shape (n,)
    code : int array, shape (n,)
        0 for censored, 1, ..., J for the causes.
    n_causes : int
        J.
    start : array, shape (n,), optional
        Late entry.
    weights : array, shape (n,), optional
        Whole numbers that stand for replicated rows.
    variance : {"delta", "aalen", "jackknife"}
    cluster : int array, shape (n,), optional
        Units that the jackknife takes as independent; rows by default.

    Returns
    -------
    Incidence
    """
    rows = _Rows(stop, code, start, np.ones(len(stop)) if weights is None else weights, cluster)
    time, slot = np.unique(stop, return_inverse=True)
    counts = np.stack(
        [np.bincount(slot, rows.weights * (code == j), len(time)) for j in range(n_causes + 1)]
    )
    n_risk = at_risk(time, stop, start, weights)
    n_event = counts[1:].sum(axis=0)
    event_free = np.cumprod(1.0 - n_event / n_risk)
    before = np.append(1.0, event_free[:-1])
    steps = _Steps(time, n_risk, n_event, before)
    curves = np.cumsum(before * counts[1:] / n_risk, axis=1)
    found = [
        _variance(rows, steps, j + 1, counts[j + 1], curves[j], variance) for j in range(n_causes)
    ]
    return Incidence(
        time=time,
        n_risk=n_risk,
        n_censor=counts[0].astype(np.float64),
        n_event=counts[1:].astype(np.float64),
        incidence=curves,
        variance=np.maximum(np.stack(found), 0.0),
        event_free=event_free,
    )


def _variance(
    rows: _Rows, steps: _Steps, cause: int, own: Floats, curve: Floats, kind: str
) -> Floats:
    """Return the variance of one cause's curve at each time, zero before its first event."""
    if kind == "jackknife":
        found = _jackknife(rows, steps, cause, own, curve)
    else:
        found = _closed_form(steps, own, curve, kind)
    return np.where(np.cumsum(own) > 0.0, found, 0.0)


def _closed_form(steps: _Steps, own: Floats, curve: Floats, kind: str) -> Floats:
    """Sum a D^2 + b - 2 c D over the times until t, D = F(t) - F(now), by running sums."""
    n, d, left = steps.n_risk, steps.n_event, steps.n_risk - steps.n_event
    # where all at risk have an event F rises no further, and D is 0
    per_left = np.divide(1.0, left, out=np.zeros_like(left), where=left > 0.0)
    share = steps.before / n
    if kind == "aalen":
        mine, others = _hypergeometric(own, n), _hypergeometric(d - own, n)
        square = (mine + others) * per_left**2
        constant, cross = share**2 * mine, share * per_left * mine
    else:
        square = d * per_left / n
        constant, cross = share**2 * own * (n - own) / n, share * own / n
    linear = np.cumsum(square * curve) + np.cumsum(cross)
    still = np.cumsum(square * curve**2 + constant + 2.0 * cross * curve)
    found: Floats = curve**2 * np.cumsum(square) - 2.0 * curve * linear + still
    return found


def _hypergeometric(count: Floats, n: Floats) -> Floats:
    """Variance k (n - k) / (n - 1) of k events among n; 1 for a single event."""
    several = count > 1.0
    spread = np.divide(n - count, n - 1.0, out=np.ones_like(n), where=several)
    return np.asarray(count * spread)


def _jackknife(rows: _Rows, steps: _Steps, cause: int, own: Floats, curve: Floats) -> Floats:
    """Sum the squared influences of rows, or of clusters, on the curve at each time.

    A row moves the curve by its own event, by being at risk, and by what both do to the
    event-free survival before later events of the cause.
    """
    n, left, last_step = steps.n_risk, steps.n_risk - steps.n_event, np.diff(curve, prepend=0.0)
    per_left = np.divide(1.0, left, out=np.zeros_like(left), where=left > 0.0)
    share = steps.before / n
    exposed = np.append(0.0, np.cumsum(share * own / n))  # being at risk for the cause
    log_free = np.append(0.0, np.cumsum(steps.n_event * per_left / n))  # and for any event
    carried = np.append(0.0, np.cumsum(last_step * log_free[:-1]))
    level = np.append(0.0, curve)
    last = np.searchsorted(steps.time, rows.stop)
    first = (
        np.zeros_like(last)
        if rows.start is None
        else np.searchsorted(steps.time, rows.start, side="right")
    )
    jump = (rows.code == cause) * share[last]
    after = log_free[last + 1] - log_free[first] - (rows.code > 0) * per_left[last]
    variance = np.empty(len(steps.time))
    width = max(1, _BLOCK // len(last))
    for low in range(0, len(variance), width):
        block = np.arange(low, min(low + width, len(variance)))[:, None]
        until = np.clip(block + 1, first, last + 1)
        moved = jump * (last <= block) - (exposed[until] - exposed[first])
        moved += carried[until] - carried[first] - log_free[first] * (level[until] - level[first])
        moved += np.maximum(level[np.maximum(block + 1, last + 1)] - level[last + 1], 0.0) * after
        variance[block[:, 0]] = _squares(rows.weights, moved, rows.cluster)
    return variance


def _squares(weights: Floats, moved: Floats, cluster: Ints | None) -> Floats:
    """Sum squared influences (m, n): each replicate of a row by itself, or sums of clusters."""
    if cluster is None:
        return np.asarray(moved**2 @ weights)
    if np.unique(cluster).size == 1:  # influences that sum to nothing: no variance is known
        return np.full(len(moved), np.nan)
    sums = np.stack([np.bincount(cluster, line) for line in moved * weights])
    return np.asarray(np.sum(sums**2, axis=1))
