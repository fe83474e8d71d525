"""Percentile limits and their P from replicates; an infinite replicate counts as infinite.

A replicate without a value is missing: it is left out here, and counted and told by the caller. An
infinite one (a ratio whose denominator drew no event) has its place at the end of the order: left
out, it would narrow the limits just where the data are fewest.

References
----------
Efron B, Tibshirani RJ (1993). An Introduction to the Bootstrap. Chapman & Hall, chapter 13.
Hyndman RJ, Fan Y (1996). Sample quantiles in statistical packages. The American Statistician
50:361-365: definition 7.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from rnetstats.kernels.newton import FloatArray

__all__ = ["MOST_UNDEFINED", "percentile_limits", "percentile_p", "percentiles"]

MOST_UNDEFINED: Final = 0.05
"""Share of replicates without a value above which no limits are made of the others."""

_WHOLE = 1e-9  # a place in the order is whole but for rounding


def percentile_limits(replicates: FloatArray, conf_level: float) -> tuple[FloatArray, FloatArray]:
    """Percentile limits of replicates (B, ...), each of the shape of one replicate.

    See Also
    --------
    percentiles : how missing and infinite replicates count.
    """
    tail = (1.0 - conf_level) / 2.0
    low, high = percentiles(replicates, (tail, 1.0 - tail))
    return low, high


def percentiles(replicates: FloatArray, shares: Iterable[float]) -> FloatArray:
    """Quantiles over the first axis of replicates.

    Parameters
    ----------
    replicates : array of shape (B, ...)
        Missing ones are left out.
    shares : k floats
        Between 0 and 1.

    Returns
    -------
    array of shape (k, ...)
        Linear between order statistics. Between a number and an infinity nothing lies: there the
        one further out stands, the lower for shares up to a half. Missing without any replicate.
    """
    places = [float(share) for share in shares]
    each = np.ascontiguousarray(np.moveaxis(np.asarray(replicates, dtype=float), 0, -1))
    ordered = np.sort(each.reshape(int(np.prod(each.shape[:-1])), each.shape[-1]), axis=1)
    held = ordered.shape[1] - np.isnan(ordered).sum(axis=1)  # missing ones come last
    use = held > 0
    rows, last = ordered[use], held[use] - 1
    found = np.full((len(places), len(ordered)), np.nan)
    for k, share in enumerate(places):
        found[k, use] = _at(rows, share * last, last, upper=share > 0.5)
    return found.reshape(len(places), *each.shape[:-1])


def _at(rows: FloatArray, place: FloatArray, last: FloatArray, *, upper: bool) -> FloatArray:
    """Read sorted rows (m, B) at places (m,) in their order, the last of which is given."""
    near = np.rint(place)
    place = np.where(np.abs(place - near) < _WHOLE, near, place)
    low = np.floor(place).astype(np.intp)
    ends = np.stack([low, np.minimum(low + 1, last).astype(np.intp)], axis=1)
    below, above = np.take_along_axis(rows, ends, axis=1).T
    share = place - low
    with np.errstate(invalid="ignore"):
        between = below + share * (above - below)
    outer = np.where(share > 0.0, above, below) if upper else below
    finite = np.isfinite(below) & np.isfinite(above)
    return np.asarray(np.where(finite, between, outer))


def percentile_p(replicates: FloatArray, null: float) -> float:
    """Two-sided P that belongs to the percentile limits: twice the smaller tail beyond the null.

    Of the replicates (B,) that have a value; missing without any.
    """
    known = replicates[~np.isnan(replicates)]
    if not known.size:
        return float("nan")
    tail = min(int((known <= null).sum()), int((known >= null).sum()))
    return min(1.0, 2.0 * (1 + tail) / (1 + known.size))
