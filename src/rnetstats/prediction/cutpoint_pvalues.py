"""P values of a statistic that was maximised over cut-offs.

Under no association the standardised statistics of two splits, of m1 < m2 rows in the lower
group, have the correlation sqrt(m1 (N - m2) / (m2 (N - m1))): a Markov chain along the splits.
The approximations integrate that process; the permutation P needs no approximation.

References
----------
Miller R, Siegmund D (1982). Maximally selected chi square statistics. Biometrics 38, 1011-1016.
Lausen B, Schumacher M (1992). Maximally selected rank statistics. Biometrics 48, 73-85.
Lausen B, Sauerbrei W, Schumacher M (1994). Classification and regression trees (CART) used for
the exploration of prognostic factors measured on different scales. In: Dirschedl P, Ostermann R
(eds), Computational Statistics, 483-496. Physica.
Hothorn T, Lausen B (2003). On the exact distribution of maximally selected rank statistics.
Computational Statistics & Data Analysis 43, 121-137.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from rnetstats._core.random import CHUNK, chunk_generators
from rnetstats.errors import BudgetError, OptionError

__all__ = ["exact_gauss_p", "lau92_p", "lau94_p", "permuted_maxima"]

Floats = NDArray[np.float64]

_BUDGET = 4e9  # multiplications of the integration, some ten seconds
_CELLS = 1 << 21  # permuted numbers held at once


def _density(z: Floats | float) -> Floats:
    return np.asarray(np.exp(-0.5 * np.square(z)) / math.sqrt(2.0 * math.pi))


def lau92_p(b: float, minprop: float, maxprop: float) -> float:
    """P of Lausen and Schumacher (1992), of Miller and Siegmund's form.

    Parameters
    ----------
    b
        The maximal standardised statistic.
    minprop, maxprop
        Smallest and largest share of the rows in the lower group.

    Returns
    -------
    float
        1 for b < 1, where the expansion for large b has no meaning.

    Raises
    ------
    OptionError
        If the shares reach 0 or 1, where the approximation is infinite.
    """
    if not 0.0 < minprop < maxprop < 1.0:
        raise OptionError(
            f"p_method='lau92' needs 0 < minprop < maxprop < 1, not {minprop:g} and {maxprop:g}; "
            "narrow them, or choose 'lau94', 'exact-gauss' or 'permutation'."
        )
    if b < 1.0:
        return 1.0
    odds = maxprop * (1.0 - minprop) / ((1.0 - maxprop) * minprop)
    height = float(_density(b))
    return min(max(4.0 * height / b + height * (b - 1.0 / b) * math.log(odds), 0.0), 1.0)


def lau94_p(b: float, below: Floats, total: float) -> float:
    """P of Lausen, Sauerbrei and Schumacher (1994), an improved Bonferroni bound.

    Parameters
    ----------
    b
        The maximal standardised statistic.
    below
        (k,) rows in the lower group of each split, ascending.
    total
        All rows.

    Returns
    -------
    float
        Not capped: for small b the bound exceeds 1.
    """
    m1, m2 = below[:-1], below[1:]
    t = np.sqrt(1.0 - m1 * (total - m2) / (m2 * (total - m1)))
    steps = math.exp(-0.5 * b * b) / math.pi * (t - (b * b / 4.0 - 1.0) * t**3 / 6.0)
    return float(2.0 * ndtr(-b) + steps.sum())


def exact_gauss_p(b: float, below: Floats, total: float) -> float:
    """P of the Gaussian limit: 1 - P(|Z_j| <= b for every split).

    The chain is integrated from split to split by Gauss-Legendre quadrature on (-b, b), with as
    many nodes as its narrowest step needs: no simulation.

    Raises
    ------
    BudgetError
        If there are too many rows and splits.
    """
    if b <= 0.0:
        return 1.0
    m1, m2 = below[:-1], below[1:]
    square = m1 * (total - m2) / (m2 * (total - m1))
    rho, width = np.sqrt(square), np.sqrt(1.0 - square)
    nodes = 48 if not width.size else 32 + math.ceil(1.4 * math.pi * b / float(width.min()))
    if nodes**2 * width.size > _BUDGET:
        raise BudgetError(
            f"p_method='exact-gauss' would take {nodes} nodes for each of {width.size} splits; "
            "choose 'lau94' or 'permutation'."
        )
    z, weight = np.polynomial.legendre.leggauss(nodes)
    z, weight = b * z, b * weight
    inside = _density(z)
    for r, s in zip(rho, width, strict=True):
        step = _density((z[:, None] - r * z) / s)
        step *= (weight / s) * inside
        inside = step.sum(axis=1)
    return min(max(1.0 - float(weight @ inside), 0.0), 1.0)


def permuted_maxima(
    statistic: Callable[[NDArray[np.intp]], Floats], n: int, *, draws: int, seed: int
) -> Floats:
    """Maxima under random relabelling of the outcomes.

    Parameters
    ----------
    statistic
        Takes permutations (b, n) of the rows' numbers; returns the maximum (b,) of each.
    n
        Rows.
    draws, seed
        Permutations, and the seed of their chunks of 256.

    Returns
    -------
    array of shape (draws,)
    """
    found = np.empty(draws)
    block = max(1, _CELLS // n)
    for rows, rng in chunk_generators(seed, draws, CHUNK):
        size = rows.stop - rows.start
        for at in range(0, size, block):
            labels = np.broadcast_to(np.arange(n), (min(block, size - at), n))
            begin = rows.start + at
            found[begin : begin + len(labels)] = statistic(rng.permuted(labels, axis=1))
    return found
