"""The product-limit estimator on arrays: counts, survival and the variance of its logarithm.

Intervals are (start, stop]: a row is at risk at ``t`` when ``start < t <= stop``. Events at a time
come before the censorings at that time.

References
----------
Kaplan EL, Meier P. Nonparametric estimation from incomplete observations. J Am Stat Assoc
1958;53:457-81. Greenwood M. The natural duration of cancer. HMSO, London 1926.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["AFTER_ZERO", "ProductLimit", "at_risk", "product_limit"]

Floats = NDArray[np.float64]

AFTER_ZERO = float(np.nextafter(0.0, 1.0))
"""When rows that start at 0 are at risk: at time 0 they are counted as all are without entries."""

_BLOCK = 2_000_000  # cells of the rows x times matrix of influences held at once


@dataclass(frozen=True)
class ProductLimit:
    """One curve, a row for each distinct stop time; all arrays have shape (k,).

    Attributes
    ----------
    time : array
        Distinct stop times, ascending, in the unit of the data.
    n_risk, n_event, n_censor : array
        Weighted counts: at risk just before the time, events and censorings at it.
    survival : array
        The product-limit estimate just after the time.
    log_variance : array
        Variance of ``log(survival)``; missing where survival is 0.
    hazard : array
        The cumulative hazard (Nelson-Aalen), with ``hazard_variance``.
    """

    time: Floats
    n_risk: Floats
    n_event: Floats
    n_censor: Floats
    survival: Floats
    log_variance: Floats
    hazard: Floats
    hazard_variance: Floats

    @property
    def std_error(self) -> Floats:
        """Standard error on the survival scale; missing where survival is 0."""
        return np.asarray(self.survival * np.sqrt(self.log_variance))


def at_risk(
    times: Floats, stop: Floats, start: Floats | None = None, weights: Floats | None = None
) -> Floats:
    """Return the weight at risk just before each time: rows with ``start < t <= stop``.

    Parameters
    ----------
    times : array, shape (m,)
    stop, start, weights : array, shape (n,)
        ``start=None`` means that everybody is at risk from the beginning, time 0 included: so are
        the rows with a start of 0.

    Returns
    -------
    array, shape (m,)
    """
    weights = np.ones(len(stop)) if weights is None else weights
    risk = _weight_from(times, stop, weights)
    if start is None:
        return risk
    return risk - _weight_from(np.maximum(times, AFTER_ZERO), start, weights)


def _weight_from(times: Floats, values: Floats, weights: Floats) -> Floats:
    """Return the weight of the rows whose value is ``>= t``, for each ``t``."""
    order = np.argsort(values, kind="stable")
    from_here = np.append(np.cumsum(weights[order][::-1])[::-1], 0.0)
    return np.asarray(from_here[np.searchsorted(values[order], times, side="left")])


def product_limit(
    stop: Floats,
    event: NDArray[np.bool_],
    *,
    start: Floats | None = None,
    weights: Floats | None = None,
    robust: bool = False,
    cluster: NDArray[np.intp] | None = None,
) -> ProductLimit:
    """Estimate one survival curve.

    Parameters
    ----------
    stop : array, shape (n,)
        Time of event or censoring.
    event : bool array, shape (n,)
    start : array, shape (n,), optional
        Time of entry (left truncation), below ``stop``.
    weights : array, shape (n,), optional
        Positive weights; whole numbers stand for replicated rows.
    robust : bool
        Variances by the infinitesimal jackknife (sampling weights) in place of Greenwood.
    cluster : int array, shape (n,), optional
        Codes of the units that the robust variance takes as independent; rows by default. A single
        one leaves all variances missing.

    Returns
    -------
    ProductLimit
    """
    weights = np.ones(len(stop)) if weights is None else weights
    time, slot = np.unique(stop, return_inverse=True)
    n_event: Floats = np.bincount(slot, weights * event, len(time)).astype(np.float64)
    n_censor = np.bincount(slot, weights * ~event, len(time)).astype(np.float64)
    n_risk = at_risk(time, stop, start, weights)
    # weighted sums that should cancel leave rounding dust: the last step to 0 must be exact
    everyone = n_event >= n_risk * (1.0 - 1e-12)
    n_event = np.where(everyone & (n_event > 0.0), n_risk, n_event)
    step = n_event / n_risk
    survival: Floats = np.asarray(np.cumprod(1.0 - step))
    with np.errstate(divide="ignore", invalid="ignore"):
        log_scale = 1.0 / (n_risk - n_event)
    if cluster is not None and event.any() and np.unique(cluster).size == 1:
        # the influences of all rows sum to nothing
        log_variance = hazard_variance = np.full(len(time), np.nan)
    elif robust:
        data = _Rows(stop, event, start, weights, cluster)
        log_variance = _influence_variance(data, time, step, log_scale)
        hazard_variance = _influence_variance(data, time, step, 1.0 / n_risk)
    else:
        log_variance = np.cumsum(np.where(n_event > 0.0, step * log_scale, 0.0))
        hazard_variance = np.cumsum(step / n_risk)
    return ProductLimit(
        time=time,
        n_risk=n_risk,
        n_event=n_event,
        n_censor=n_censor,
        survival=survival,
        log_variance=np.where(survival > 0.0, log_variance, np.nan),
        hazard=np.cumsum(step),
        hazard_variance=hazard_variance,
    )


def log_survival_influence(
    stop: Floats,
    event: NDArray[np.bool_],
    at: float,
    *,
    start: Floats | None = None,
    weights: Floats | None = None,
) -> Floats:
    """Return what each row, with its weight, adds to the error of ``log S(at)``.

    The sum of their squares (of their sums within clusters) is the infinitesimal jackknife variance
    of one curve; the sum of the products of two curves', over clusters in both, their covariance.

    Parameters
    ----------
    stop, event, start, weights : arrays, shape (n,)
        As in :func:`product_limit`.
    at : float

    Returns
    -------
    array, shape (n,)
    """
    curve = product_limit(stop, event, start=start, weights=weights)
    rows = _Rows(stop, event, start, np.ones(len(stop)) if weights is None else weights, None)
    place = int(np.searchsorted(curve.time, at, side="right")) - 1
    if place < 0:
        return np.zeros(len(stop))
    with np.errstate(divide="ignore"):
        scale = 1.0 / (curve.n_risk - curve.n_event)
    step = curve.n_event / curve.n_risk
    return np.asarray(-_influences(rows, curve.time, step, scale, np.array([[place]]))[0])


@dataclass(frozen=True)
class _Rows:
    stop: Floats
    event: NDArray[np.bool_]
    start: Floats | None
    weights: Floats
    cluster: NDArray[np.intp] | None


def _influence_variance(rows: _Rows, time: Floats, step: Floats, scale: Floats) -> Floats:
    """Sum the squared influences of rows (or clusters) on a sum of steps, at each time.

    A row's influence on the sum up to ``t`` is ``sum scale (dN_i - Y_i step)`` over the times up
    to ``t``: ``scale`` is ``1 / (n - d)`` for ``-log S`` and ``1 / n`` for the cumulative hazard.
    """
    variance = np.empty(len(time))
    width = max(1, _BLOCK // len(rows.stop))
    for low in range(0, len(time), width):
        block = np.arange(low, min(low + width, len(time)))[:, None]
        influence = _influences(rows, time, step, scale, block)
        if rows.cluster is not None:
            influence = np.stack([np.bincount(rows.cluster, line) for line in influence])
        variance[block[:, 0]] = np.sum(influence**2, axis=1)
    return variance


def _influences(
    rows: _Rows, time: Floats, step: Floats, scale: Floats, block: NDArray[np.intp]
) -> Floats:
    """Weighted influences (b, n) of the rows on the sum up to each of b places (b, 1)."""
    finite = np.where((step > 0.0) & np.isfinite(scale), scale, 0.0)
    drift = np.append(0.0, np.cumsum(finite * step))
    last = np.searchsorted(time, rows.stop)
    first = (
        np.zeros(len(last), dtype=np.intp)
        if rows.start is None
        else np.searchsorted(time, rows.start, side="right")
    )
    jump = rows.event * finite[last]
    seen = drift[np.clip(block + 1, first, last + 1)] - drift[first]
    return np.asarray(rows.weights * (jump * (last <= block) - seen))
