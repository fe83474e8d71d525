"""Hosmer and Lemeshow's statistic of many replicates at once."""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.calibration_error import rank_quantiles
from rnetstats.kernels.local_lines import row_search
from rnetstats.kernels.newton import FloatArray
from rnetstats.kernels.ordered import Ordered, pick

__all__ = ["hosmer_lemeshow_of"]


def hosmer_lemeshow_of(rows: Ordered, *, groups: int = 10) -> FloatArray:
    """Sum over quantile groups of (observed - expected)^2 / expected, events and non-events.

    Parameters
    ----------
    rows : Ordered
        From :func:`rnetstats.kernels.ordered.in_order`, risks as scores.
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
    running = np.cumsum(rows.w, axis=1)
    events, expected = (np.cumsum(rows.w * part, axis=1) for part in (rows.y, rows.x))
    edges = rank_quantiles(rows.x, running, np.arange(groups + 1) / groups)
    lowest, edges = edges[:, :1], edges[:, 1:]
    upto = row_search(rows.x, np.nextafter(edges, np.inf))
    upto[:, :-1] *= (edges > lowest)[:, :-1]  # one at the lowest risk bounds nothing but the last
    inside = [
        pick(part, np.maximum(upto - 1, 0)) * (upto > 0) for part in (running, events, expected)
    ]
    n, seen, thought = (np.diff(part, axis=1, prepend=0.0) for part in inside)
    return np.asarray((_part(seen, thought) + _part(n - seen, n - thought)).sum(axis=1))


def _part(seen: FloatArray, thought: FloatArray) -> FloatArray:
    """Squared distance over what was expected; a group that matches exactly adds nothing."""
    gap = (seen - thought) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gap > 0.0, gap / thought, 0.0)
