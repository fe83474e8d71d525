"""The censoring distribution, and inverse probability of censoring weights.

G(t), the probability of being still uncensored after t, is the Kaplan-Meier estimate that takes
the censorings as its events. At a tied time events leave the risk set before the censorings are
counted. All functions take one sample or a batch of frequency weights.

References
----------
Gerds TA, Schumacher M (2006). Consistent estimation of the expected Brier score in general
survival models with right-censored event times. Biometrical Journal 48, 1029-1040.
Uno H, Cai T, Pencina MJ, D'Agostino RB, Wei LJ (2011). On the C-statistics for evaluating overall
adequacy of risk prediction procedures with censored survival data. Statistics in Medicine 30,
1105-1117.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.newton import FloatArray, IntArray

__all__ = ["CensoringCurve", "censoring_survival", "ipcw_weights", "leaving_order"]


@dataclass(frozen=True, eq=False)
class CensoringCurve:
    """A step function, 1 from the beginning.

    Attributes
    ----------
    time
        (k,) distinct times, ascending.
    survival
        (k,) or (B, k), G just after each time. It is 0 from the last time on if the last row is
        censored.
    """

    time: FloatArray
    survival: FloatArray

    def at(self, times: ArrayLike) -> FloatArray:
        """G(t), censorings at t counted: (...) for one sample, (B, ...) for a batch."""
        return self._steps(np.searchsorted(self.time, np.asarray(times), side="right"))

    def before(self, times: ArrayLike) -> FloatArray:
        """G(t-), censorings at t not counted: (...) for one sample, (B, ...) for a batch."""
        return self._steps(np.searchsorted(self.time, np.asarray(times), side="left"))

    def _steps(self, passed: IntArray) -> FloatArray:
        """Values after so many of the distinct times."""
        ones = np.ones((*self.survival.shape[:-1], 1))
        return np.concatenate((ones, self.survival), axis=-1)[..., passed]


def leaving_order(stop: FloatArray, event_any: ArrayLike) -> IntArray:
    """Order in which the rows leave the risk set: by time, events before censorings, (n,)."""
    return np.lexsort((~np.asarray(event_any).astype(bool), stop))


def censoring_survival(
    stop: ArrayLike, event_any: ArrayLike, freq: ArrayLike | None = None
) -> CensoringCurve:
    """Estimate the censoring distribution by Kaplan and Meier's method.

    Parameters
    ----------
    stop
        (n,) times.
    event_any
        (n,) whether the row ended in an event of whatever cause, that is not censored.
    freq
        None, (n,) or (B, n) whole numbers that stand for replicated rows; zero is allowed.

    Returns
    -------
    CensoringCurve
        Its survival has the shape (k,), or (B, k) for `freq` of shape (B, n).
    """
    ends = np.asarray(stop, dtype=np.float64)
    copies = np.ones(ends.size) if freq is None else np.asarray(freq, dtype=np.float64)
    order = leaving_order(ends, event_any)
    leaving = copies[..., order]
    left = np.cumsum(leaving[..., ::-1], axis=-1)[..., ::-1]
    censored = ~np.asarray(event_any).astype(bool)[order]
    # Rows that are censored at one time leave one after the other: the factors telescope into
    # that of the time, (left - all of them) / left.
    factor = np.ones(left.shape)
    np.divide(left - leaving, left, out=factor, where=censored & (left > 0))
    survival = factor.cumprod(axis=-1)
    time, first = np.unique(ends[order], return_index=True)
    last = np.append(first[1:], ends.size) - 1
    return CensoringCurve(time, survival[..., last])


def ipcw_weights(
    stop: ArrayLike, status_any: ArrayLike, horizon: float, curve: CensoringCurve
) -> FloatArray:
    """Weights that let the rows whose status at the horizon is known stand for all.

    Parameters
    ----------
    stop
        (n,) times.
    status_any
        (n,) whether the row ended in an event of whatever cause.
    horizon
        In the unit of the times.
    curve
        Of :func:`censoring_survival` on the same rows and frequencies.

    Returns
    -------
    array of shape (n,) or (B, n)
        1 / G(T-) for an event at T <= horizon, 1 / G(horizon) for T > horizon, 0 for a row
        censored by the horizon. Frequencies are not multiplied in. A row that a replicate lacks,
        past everything that it holds, has the weight 0.
    """
    ends = np.asarray(stop, dtype=np.float64)
    beyond = ends > horizon
    known = beyond | np.asarray(status_any).astype(bool)
    uncensored = np.where(beyond, curve.at(horizon)[..., None], curve.before(ends))
    weights = np.zeros(uncensored.shape)
    np.divide(1.0, uncensored, out=weights, where=known & (uncensored > 0))
    return weights
