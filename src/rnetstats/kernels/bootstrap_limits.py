"""Limits from bootstrap replicates: normal, basic, percentile and BCa.

References
----------
Efron B (1987). Better bootstrap confidence intervals. JASA 82:171-185.
Davison AC, Hinkley DV (1997). Bootstrap Methods and their Application. Cambridge University
Press: sections 2.7.4 (influence by regression), 5.2 and 5.3 (limits).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from rnetstats.kernels.newton import FloatArray
from rnetstats.kernels.percentiles import percentiles

__all__ = [
    "QUANTILES",
    "acceleration",
    "bca_levels",
    "jackknife_influence",
    "quantiles",
    "regression_influence",
]

QUANTILES = ("normal", "linear")
_NORMAL = NormalDist()


def quantiles(replicates: FloatArray, levels: FloatArray, kind: str) -> FloatArray:
    """Quantiles of replicates.

    Parameters
    ----------
    replicates : array of shape (R,)
    levels : array of shape (k,)
        Between 0 and 1.
    kind : {"normal", "linear"}
        Between the order statistics at (R + 1) times the level, on the scale of normal quantiles
        (Davison & Hinkley, formula 5.8); or linear between those at 1 + (R - 1) times the level.

    Returns
    -------
    array of shape (k,)
        Beyond the extreme order statistics these stand; missing where a level is.
    """
    if kind == "linear":
        found = np.full(len(levels), np.nan)
        known = np.isfinite(levels)
        found[known] = percentiles(replicates, levels[known])
        return found
    ordered = np.sort(replicates)
    return np.array([_between(ordered, float(level)) for level in levels])


def _between(ordered: FloatArray, level: float) -> float:
    size = len(ordered)
    if not np.isfinite(level):
        return np.nan
    place = (size + 1) * level
    k = int(place)
    if k == 0 or k >= size:
        return float(ordered[0 if k == 0 else size - 1])
    if place - k < 1e-10:  # a level such as 0.975 of 999 is a whole place but for rounding
        return float(ordered[k - 1])
    if k + 1 - place < 1e-10:
        return float(ordered[k])
    here, low, high = (_NORMAL.inv_cdf(p) for p in (level, k / (size + 1), (k + 1) / (size + 1)))
    return float(ordered[k - 1] + (here - low) / (high - low) * (ordered[k] - ordered[k - 1]))


def bca_levels(z0: float, a: float, levels: FloatArray) -> FloatArray:
    """Levels of the percentile limits after the correction for bias and acceleration.

    Parameters
    ----------
    z0 : float
        Normal quantile of the share of replicates below the estimate.
    a : float
        Acceleration.
    levels : array of shape (k,)

    Returns
    -------
    array of shape (k,)
        Missing where `z0` is infinite or the acceleration leaves no limit.
    """
    out = np.full(len(levels), np.nan)
    if not np.isfinite(z0) or not np.isfinite(a):
        return out
    for i, level in enumerate(levels):
        moved = z0 + _NORMAL.inv_cdf(float(level))
        if 1.0 - a * moved > 0.0:
            out[i] = _NORMAL.cdf(z0 + moved / (1.0 - a * moved))
    return out


def acceleration(influence: FloatArray) -> float:
    """Acceleration from empirical influence values (n,); missing where they are all zero."""
    size = float(np.abs(influence).max(initial=0.0))
    if not 0.0 < size < np.inf:
        return float("nan")
    scaled = influence / size
    return float((scaled**3).sum() / (6.0 * (scaled**2).sum() ** 1.5))


def jackknife_influence(left_out: FloatArray) -> FloatArray:
    """Influence of each unit from the values without it, both of shape (n,)."""
    return np.asarray((len(left_out) - 1.0) * (left_out.mean() - left_out))


def regression_influence(replicates: FloatArray, counts: FloatArray) -> FloatArray:
    """Influence of each unit from the regression of replicates on how often it was drawn.

    Parameters
    ----------
    replicates : array of shape (R,)
    counts : array of shape (R, n)

    Returns
    -------
    array of shape (n,)
        With mean 0; missing where there are not more replicates than units.
    """
    size, n = counts.shape
    if size <= n:
        return np.full(n, np.nan)
    # The counts of a replicate add up to n: the first unit's is left out, its slope is 0.
    design = np.column_stack((np.ones(size), counts[:, 1:] / n))
    slopes = np.linalg.lstsq(design, replicates, rcond=None)[0][1:]
    influence = np.concatenate(([0.0], slopes))
    return np.asarray(influence - influence.mean())
