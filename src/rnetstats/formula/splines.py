"""Cubic splines that are linear in the tails: restricted (truncated power) and natural (B-spline).

References
----------
Harrell FE (2015). Regression Modeling Strategies, 2nd ed., section 2.4.5. Springer.
Durrleman S, Simon R (1989). Flexible regression models with cubic splines. Stat Med 8:551-561.
de Boor C (2001). A Practical Guide to Splines, revised ed. Springer.
Hastie TJ (1992). Generalized additive models. In: Statistical Models in S, chapter 7.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from rnetstats.formula.variables import Floats

__all__ = [
    "natural_basis",
    "natural_knots",
    "restricted_basis",
    "restricted_knots",
    "weighted_quantiles",
]

_SMALL_SAMPLE: Final = 100


def weighted_quantiles(x: Floats, probabilities: Floats, freq: Floats | None = None) -> Floats:
    """Quantiles by linear interpolation of order statistics (Hyndman and Fan's type 7).

    Parameters
    ----------
    x
        Values (n,).
    probabilities
        Shares (q,) between 0 and 1.
    freq
        Whole-number weights (n,): each value counts as so many rows.
    """
    if freq is None:
        return np.quantile(x, probabilities)
    order = np.argsort(x, kind="stable")
    ordered, last = x[order], np.cumsum(freq[order])
    place = probabilities * (last[-1] - 1)
    below = np.floor(place)
    low = ordered[np.searchsorted(last, below, side="right")]
    above = np.minimum(below + 1, last[-1] - 1)
    high = ordered[np.searchsorted(last, above, side="right")]
    return np.asarray(low + (place - below) * (high - low), dtype=np.float64)


def restricted_knots(x: Floats, count: int, freq: Floats | None = None) -> Floats:
    """Harrell's default knots: quantiles equally spaced between two outer ones.

    The outer shares are .10 and .90 for three knots, .05 and .95 for four to six, .025 and .975
    beyond. In samples of fewer than 100 the outer knots are the fifth smallest and the fifth
    largest value.
    """
    outer = 0.10 if count == 3 else 0.05 if count <= 6 else 0.025
    shares = np.linspace(outer, 1 - outer, count)
    knots = weighted_quantiles(x, shares, freq)
    total = len(x) if freq is None else float(freq.sum())
    if 10 <= total < _SMALL_SAMPLE:
        fifth = np.array([4.0, total - 5.0]) / (total - 1.0)
        knots[[0, -1]] = weighted_quantiles(x, fifth, freq)
    return knots


def restricted_basis(x: Floats, knots: Floats) -> Floats:
    """Restricted cubic spline, linear beyond the outer knots.

    Parameters
    ----------
    x
        Values (n,).
    knots
        At least three increasing knots (k,).

    Returns
    -------
    numpy.ndarray
        Columns (n, k - 1): ``x`` itself, then the nonlinear terms divided by the squared
        distance of the outer knots, so that all are on the scale of ``x``.
    """
    first, inner_last, last = knots[0], knots[-2], knots[-1]
    cubes = np.maximum(x[:, None] - knots, 0.0) ** 3
    scale = (last - first) ** 2
    width = last - inner_last
    start = knots[:-2]
    nonlinear = (
        cubes[:, :-2]
        - cubes[:, -2:-1] * (last - start) / width
        + cubes[:, -1:] * (inner_last - start) / width
    )
    return np.column_stack([x, nonlinear / scale])


def natural_knots(x: Floats, df: int, freq: Floats | None = None) -> tuple[Floats, Floats]:
    """Inner knots (df - 1,) at equally spaced quantiles, and boundary knots (2,) at the range."""
    inner = weighted_quantiles(x, np.linspace(0.0, 1.0, df + 1)[1:-1], freq)
    return inner, np.array([x.min(), x.max()])


def natural_basis(x: Floats, knots: Floats, boundary: Floats) -> Floats:
    """Natural cubic spline in a B-spline basis, linear beyond the boundary knots.

    The cubic B-splines without the first are projected on the complement of the two conditions
    that the second derivative is zero at the boundary (by a QR decomposition); there is no
    constant among the columns.

    Returns
    -------
    numpy.ndarray
        Columns (n, k + 1) for k inner knots.
    """
    from scipy.interpolate import BSpline

    low, high = boundary
    sequence = np.concatenate([[low] * 4, knots, [high] * 4])
    spline = BSpline(sequence, np.eye(len(knots) + 4), 3)
    values = spline(np.clip(x, low, high))
    for edge, outside in ((low, x < low), (high, x > high)):
        if outside.any():
            values[outside] += np.outer(x[outside] - edge, spline(edge, nu=1))
    conditions = spline(boundary, nu=2)[:, 1:]
    rotation = np.linalg.qr(conditions.T, mode="complete")[0]
    return np.asarray(values[:, 1:] @ rotation[:, 2:], dtype=np.float64)
