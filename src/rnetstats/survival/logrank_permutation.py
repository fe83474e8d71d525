"""Monte Carlo permutation of group labels for the log-rank test, by linear scores.

Labels are exchanged within strata. With two groups the statistic is the absolute sum of one
group's scores; with more, the quadratic form of the sums in their permutation variance.

References
----------
Phipson B, Smyth GK. Permutation P-values should never be zero. Stat Appl Genet Mol Biol
2010;9:39 (the share (1 + b)/(1 + B)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnetstats._core.random import CHUNK, chunk_generators
from rnetstats.kernels.ranks import permutation_sums

__all__ = [
    "MonteCarloP",
    "least_as_large",
    "monte_carlo_p",
    "permutation_p",
    "permutation_statistic",
]

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

_BLOCK = 4_000_000  # shuffled scores held at once


@dataclass(frozen=True)
class MonteCarloP:
    """A P value with its Monte Carlo standard error."""

    p_value: float
    mcse: float


def monte_carlo_p(exceeding: int, draws: int) -> MonteCarloP:
    """Return (1 + b) / (1 + B) and its Monte Carlo standard error."""
    p = (1.0 + exceeding) / (1.0 + draws)
    return MonteCarloP(p, float(np.sqrt(p * (1.0 - p) / draws)))


def least_as_large(observed: float) -> float:
    """Return the smallest chi-square that counts as reaching the observed one.

    Its root may be smaller by what rounding does to equal sums, those of 0 too.
    """
    return max(math.sqrt(observed) * (1.0 - 1e-9) - 1e-9, 0.0) ** 2


def permutation_p(
    scores: Floats, group: Codes, strata: Codes | None, *, draws: int, seed: int
) -> MonteCarloP:
    """Return the Monte Carlo P value of a linear rank statistic.

    Parameters
    ----------
    scores : array, shape (n,)
        They sum to 0 within each stratum.
    group : int array, shape (n,)
        Codes 0 ... k - 1.
    strata : int array, shape (n,), optional
    draws : int
        Number of relabellings B.
    seed : int
    """
    observed, inverse = _quadratic_form(scores, group, strata)
    least = least_as_large(observed)
    two = len(inverse) == 1
    exceeding = 0
    for part, rng in chunk_generators(seed, draws):
        if two:
            sums = permutation_sums(rng, scores, group == 1, CHUNK, strata=strata)[:, None]
        else:
            sums = _group_sums(rng, scores, group, strata)
        form = np.einsum("bi,ij,bj->b", sums, inverse, sums)[: part.stop - part.start]
        exceeding += int(np.count_nonzero(form >= least))
    return monte_carlo_p(exceeding, draws)


def permutation_statistic(scores: Floats, group: Codes, strata: Codes | None) -> float:
    """Return the quadratic form of the groups' sums in their permutation variance."""
    return _quadratic_form(scores, group, strata)[0]


def _quadratic_form(scores: Floats, group: Codes, strata: Codes | None) -> tuple[float, Floats]:
    """Return the observed form and the inverse variance of the sums of all groups but the first."""
    k = int(group.max()) + 1
    variance = np.zeros((k, k))
    for rows in _strata_rows(len(scores), strata):
        if len(rows) > 1:
            counts = np.bincount(group[rows], minlength=k)
            spread = np.diag(counts) - np.outer(counts, counts) / len(rows)
            variance += spread * float(np.sum(scores[rows] ** 2)) / (len(rows) - 1)
    inverse = np.linalg.pinv(variance[1:, 1:], hermitian=True).astype(np.float64)
    sums = np.bincount(group, scores, k)[1:]
    return float(sums @ inverse @ sums), inverse


def _strata_rows(n: int, strata: Codes | None) -> list[Codes]:
    if strata is None:
        return [np.arange(n)]
    return [np.flatnonzero(strata == code) for code in np.unique(strata)]


def _group_sums(
    rng: np.random.Generator, scores: Floats, group: Codes, strata: Codes | None
) -> Floats:
    """Return the sums of groups 1 ... k - 1 under a chunk of relabellings, shape (CHUNK, k - 1)."""
    k = int(group.max()) + 1
    total = np.zeros((CHUNK, k))
    for rows in _strata_rows(len(scores), strata):
        counts = np.bincount(group[rows], minlength=k)
        present = np.flatnonzero(counts)
        bounds = np.append(0, np.cumsum(counts[present]))[:-1]
        size = max(1, _BLOCK // len(rows))
        for first in range(0, CHUNK, size):
            block = np.broadcast_to(scores[rows], (min(size, CHUNK - first), len(rows)))
            shuffled = rng.permuted(block, axis=1)
            sums = np.add.reduceat(shuffled, bounds, axis=1)
            total[first : first + len(block), present] += sums
    return total[:, 1:]
