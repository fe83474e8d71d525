"""Test statistics of millions of 2x2 tables at once.

A table is given by the events and the events' absence in each of two groups (``a, b`` and
``c, d``); all arguments are arrays that broadcast against each other. Statistics are signed: they
are positive where group 2 has the larger risk. At fixed events the signed roots of Pearson's and
Yates' chi-square rise with ``b`` and fall with ``d``; this is what lets a search leave out whole
boxes of tables (see :mod:`rnetstats.kernels.two_by_two_boxes`).

References
----------
Pearson K (1900) Philos Mag 50:157-175. Yates F (1934) Suppl J R Stat Soc 1:217-235. Woolf B (1955)
Ann Hum Genet 19:251-253.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from rnetstats.kernels.newton import FloatArray, IntArray

__all__ = ["likelihood_ratio_z", "log_odds_ratio", "pearson_z", "wald_z", "yates_z"]

Counts: TypeAlias = "IntArray | FloatArray | int"


def _floats(*cells: Counts) -> list[FloatArray]:
    return [np.asarray(cell, dtype=np.float64) for cell in cells]


def pearson_z(a: Counts, b: Counts, c: Counts, d: Counts) -> FloatArray:
    """Signed root of Pearson's chi-square; 0 where a margin is empty and there is nothing to test.

    Parameters
    ----------
    a, b : int array
        Events and non-events of group 1.
    c, d : int array
        The same of group 2.

    Returns
    -------
    array
    """
    a, b, c, d = _floats(a, b, c, d)
    return _chi(c * b - a * d, a, b, c, d)


def yates_z(a: Counts, b: Counts, c: Counts, d: Counts) -> FloatArray:
    """As :func:`pearson_z` with Yates' correction, which never goes past no difference."""
    a, b, c, d = _floats(a, b, c, d)
    cross = c * b - a * d
    half = 0.5 * (a + b + c + d)
    less = np.maximum(np.abs(cross) - half, 0.0)
    return _chi(np.copysign(less, cross), a, b, c, d)


def _chi(
    cross: FloatArray, a: FloatArray, b: FloatArray, c: FloatArray, d: FloatArray
) -> FloatArray:
    m, n, events, rest = a + b, c + d, a + c, b + d
    spread = m * n * events * rest
    return cross * np.sqrt((m + n) / np.where(spread > 0.0, spread, np.inf))


def likelihood_ratio_z(a: Counts, b: Counts, c: Counts, d: Counts) -> FloatArray:
    """Signed root of the likelihood-ratio chi-square (G)."""
    a, b, c, d = _floats(a, b, c, d)
    m, n, events, rest = a + b, c + d, a + c, b + d
    total = m + n
    half = sum(
        _entropy(x, m_i * e_i / np.maximum(total, 1.0))
        for x, m_i, e_i in ((a, m, events), (b, m, rest), (c, n, events), (d, n, rest))
    )
    return np.copysign(np.sqrt(2.0 * np.maximum(half, 0.0)), c * b - a * d)


def _entropy(observed: FloatArray, expected: FloatArray) -> FloatArray:
    """``observed log(observed / expected)``, 0 where nothing is observed."""
    present = observed > 0.0
    ratio = np.divide(observed, expected, out=np.ones(present.shape), where=present)
    return observed * np.log(ratio)


def log_odds_ratio(
    a: Counts, b: Counts, c: Counts, d: Counts, *, add: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """Log odds ratio of group 1 over group 2 and its standard error.

    ``add`` goes to every cell. Where a cell is then empty the ratio is infinite (or missing where
    both products are 0) and so is the standard error.
    """
    cells = [cell + add for cell in np.broadcast_arrays(*_floats(a, b, c, d))]
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = [np.log(cell) for cell in cells]
        ratio = (logs[0] + logs[3]) - (logs[1] + logs[2])
        error = np.sqrt(sum(1.0 / cell for cell in cells))
    return ratio, error


def wald_z(a: Counts, b: Counts, c: Counts, d: Counts, *, add: float = 0.0) -> FloatArray:
    """Wald's statistic of the log odds ratio, signed as the others; 0 with an empty cell."""
    ratio, error = log_odds_ratio(a, b, c, d, add=add)
    usable = np.isfinite(error)
    return np.where(usable, -np.where(usable, ratio, 0.0) / np.where(usable, error, 1.0), 0.0)
