"""Harrell's concordance and Gini's mean difference of many replicates at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.newton import FloatArray

__all__ = ["gini_mean_difference", "harrell"]

_CELLS = 1 << 18  # pairs looked at together


def harrell(
    stop: ArrayLike, event: ArrayLike, score: ArrayLike, freq: ArrayLike | None = None
) -> FloatArray:
    """Share of comparable pairs in which the higher score has the earlier event; ties count half.

    Parameters
    ----------
    stop, event
        (n,) time and whether it ends in the event; a row censored at the time of an event
        outlives it.
    score
        (n,) or (B, n).
    freq
        (n,) or (B, n) whole numbers, optional.

    Returns
    -------
    array of shape (B,)
        NaN without comparable pairs.

    References
    ----------
    Harrell FE, Lee KL, Mark DB (1996). Multivariable prognostic models. Statistics in Medicine
    15:361-387.
    """
    ends, died = np.asarray(stop, dtype=float), np.asarray(event).astype(bool)
    scores = np.atleast_2d(np.asarray(score, dtype=float))
    counts = np.ones((1, ends.size)) if freq is None else np.atleast_2d(np.asarray(freq, float))
    cases = np.flatnonzero(died)
    later = (ends > ends[cases, None]) | ((ends == ends[cases, None]) & ~died)
    size = max(len(scores), len(counts))
    found = np.full(size, np.nan)
    for b in range(size):
        x = scores[b if len(scores) > 1 else 0]
        w = counts[b if len(counts) > 1 else 0]
        right = pairs = 0.0
        for part in range(0, cases.size, max(1, _CELLS // max(ends.size, 1))):
            rows = slice(part, part + max(1, _CELLS // max(ends.size, 1)))
            here = cases[rows]
            above = (x[here, None] > x).astype(np.float64)
            above += 0.5 * (x[here, None] == x)
            above *= later[rows]
            right += float(w[here] @ (above @ w))
            pairs += float(w[here] @ (later[rows] @ w))
        if pairs > 0:
            found[b] = right / pairs
    return found


def gini_mean_difference(x: ArrayLike, freq: ArrayLike | None = None) -> FloatArray:
    """Mean absolute difference of two different rows.

    Parameters
    ----------
    x
        (n,) or (B, n).
    freq
        (n,) or (B, n) whole numbers, optional.

    Returns
    -------
    array of shape (B,)
        NaN where there are fewer than two rows.

    References
    ----------
    David HA (1968). Gini's mean difference rediscovered. Biometrika 55:573-575.
    """
    values = np.atleast_2d(np.asarray(x, dtype=float))
    counts = (
        np.ones((1, values.shape[1])) if freq is None else np.atleast_2d(np.asarray(freq, float))
    )
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, 1)
    if len(order) == 1:
        weight = counts[:, order[0]]
    else:
        weight = np.take_along_axis(np.broadcast_to(counts, values.shape), order, 1)
    running = np.cumsum(weight, axis=1)
    total = running[:, -1]
    # A row is above those before it and below those after it.
    place = 2.0 * running - weight - total[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 2.0 * (weight * ordered * place).sum(axis=1) / (total * (total - 1.0))
    return np.where(total > 1.0, found, np.nan)
