"""The largest of several weighted log-rank tests, with the P of their joint distribution.

The four statistics share their events and are highly correlated; as S + (1 - S) = 1, one of them is
a sum of two others. Their joint distribution is normal of rank r <= 3: the P value is an integral
over the directions of r-space, for which the distance at which a direction leaves the region of
smaller statistics is known in closed form.

References
----------
Karrison TG. Versatile tests for comparing survival curves based on weighted log-rank statistics.
Stata J 2016;16:678-90. Lin RS, Lin J, Roychoudhury S, et al. Alternative analysis methods for time
to event endpoints under nonproportional hazards. Stat Biopharm Res 2020;12:187-98.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.distributions import two_sided_p
from rnetstats.kernels.ranks import logrank_combination
from rnetstats.kernels.risksets import RiskSets

__all__ = ["MaxCombo", "max_combo", "tail_of_largest"]

Floats = NDArray[np.float64]

POWERS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0))
_NODES = 240  # of each of two angles
_NOTHING = 1e-10  # share of the largest eigenvalue that counts as none


@dataclass(frozen=True)
class MaxCombo:
    """The largest |z| with its P, and the tests that it was taken of."""

    statistic: float
    p_value: float
    components: pd.DataFrame


def max_combo(sets: RiskSets, group: NDArray[np.intp]) -> MaxCombo:
    """Test two groups by the largest of four weighted log-rank statistics.

    Parameters
    ----------
    sets : RiskSets
    group : int array, shape (n,)
        Codes 0 and 1.
    """
    difference, covariance = logrank_combination(sets, group, POWERS)
    error = np.sqrt(np.diag(covariance))
    known = error > 1e-12 * error.max()  # a single event time has no weight once 1 - S counts
    z = np.divide(difference, error, out=np.full(len(error), np.nan), where=known)
    correlation = covariance[np.ix_(known, known)] / np.outer(error[known], error[known])
    largest = float(np.nanmax(np.abs(z)))
    rho, gamma = zip(*POWERS, strict=True)
    return MaxCombo(
        statistic=largest,
        p_value=tail_of_largest(largest, correlation),
        components=pd.DataFrame({"rho": rho, "gamma": gamma, "z": z, "p_value": two_sided_p(z)}),
    )


def tail_of_largest(largest: float, correlation: Floats) -> float:
    """Return P(max |Z_i| >= largest) for standard normal Z of a correlation of rank 3 at most.

    Parameters
    ----------
    largest : float
    correlation : array, shape (m, m)

    Raises
    ------
    ValueError
        If the rank is above 3.
    """
    from scipy.special import gammaincc

    values, vectors = np.linalg.eigh(correlation)
    kept = values > _NOTHING * values[-1]
    rank = int(np.count_nonzero(kept))
    if rank > 3:
        msg = "a correlation of rank 4 or more"
        raise ValueError(msg)
    factor = vectors[:, kept] * np.sqrt(values[kept])
    directions, weight = _directions(rank)
    reach = np.abs(directions @ factor.T).max(axis=1)
    return float(weight @ gammaincc(rank / 2.0, (largest / reach) ** 2 / 2.0))


def _directions(rank: int) -> tuple[Floats, Floats]:
    """Return points of half the unit sphere of r-space (the rest mirrors it), and weights."""
    if rank == 1:
        return np.ones((1, 1)), np.ones(1)
    angle = (np.arange(_NODES) + 0.5) * np.pi / _NODES
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    if rank == 2:
        return circle, np.full(_NODES, 1.0 / _NODES)
    height, share = np.polynomial.legendre.leggauss(_NODES)
    radius = np.sqrt(1.0 - height**2)
    points = np.concatenate(
        [
            (radius[:, None, None] * circle).reshape(-1, 2),
            np.repeat(height, _NODES)[:, None],
        ],
        axis=1,
    )
    return points, np.repeat(share / 2.0, _NODES) / _NODES
