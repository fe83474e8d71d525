"""Hosmer and Lemeshow's statistic of many replicates at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.calibration_error import rank_quantile
from rnetstats.kernels.newton import FloatArray

__all__ = ["hosmer_lemeshow_statistic"]


def hosmer_lemeshow_statistic(
    y: ArrayLike, risk: ArrayLike, freq: ArrayLike | None = None, *, groups: int = 10
) -> FloatArray:
    """Sum over quantile groups of (observed - expected)^2 / expected, events and non-events.

    Parameters
    ----------
    y : array of shape (n,)
        0 or 1.
    risk : array of shape (n,) or (B, n)
    freq : array of shape (n,) or (B, n), optional
        Whole numbers: how often each row stands in the replicate.
    groups : int
        Bounded by type 7 quantiles of the risk and closed on the right; where quantiles coincide
        there are fewer.

    Returns
    -------
    array of shape (B,)
        Infinite where an event was given the risk 0, or a non-event the risk 1.

    References
    ----------
    Hosmer DW, Lemeshow S (1980). Goodness of fit tests for the multiple logistic regression model.
    Communications in Statistics A 9:1043-1069.
    """
    outcome = np.asarray(y, dtype=np.float64)
    risks = np.atleast_2d(np.asarray(risk, dtype=np.float64))
    counts = np.ones((1, outcome.size)) if freq is None else np.atleast_2d(np.asarray(freq, float))
    size = max(len(risks), len(counts))
    order = np.argsort(risks, axis=1)
    ordered = np.broadcast_to(np.take_along_axis(risks, order, 1), (size, outcome.size))
    weight = np.take_along_axis(np.broadcast_to(counts, (size, outcome.size)), order, 1)
    running = np.cumsum(weight, axis=1)
    events = np.cumsum(weight * outcome[order], axis=1)
    expected = np.cumsum(weight * ordered, axis=1)
    lowest = rank_quantile(ordered, running, 0.0)
    statistic = np.zeros(size)
    below = np.zeros((3, size))
    for place in np.arange(1, groups + 1) / groups:
        edge = rank_quantile(ordered, running, float(place))
        # One at the lowest risk bounds nothing, unless it is the last.
        upto = ((ordered <= edge[:, None]) & ((edge > lowest) | (place == 1.0))[:, None]).sum(1)
        rows = np.arange(size), np.maximum(upto - 1, 0)
        inside = np.stack([running[rows], events[rows], expected[rows]]) * (upto > 0)
        n, seen, thought = inside - below
        statistic += _part(seen, thought) + _part(n - seen, n - thought)
        below = inside
    return statistic


def _part(seen: FloatArray, thought: FloatArray) -> FloatArray:
    """Squared distance over what was expected; a group that matches exactly adds nothing."""
    gap = (seen - thought) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gap > 0.0, gap / thought, 0.0)
