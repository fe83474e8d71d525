"""Profile-likelihood limits and restricted fits, for any model that can be evaluated in batches.

All coefficients and both sides are one batch. Limits are first sought by the joint Newton method
of Venzon and Moolgavkar; where the likelihood is not nearly quadratic, by a walk outward from the
estimate (:mod:`rnetstats.kernels.walk`).

References
----------
Venzon DJ, Moolgavkar SH (1988). A method for computing profile-likelihood-based confidence
intervals. Applied Statistics 37:87-94.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from rnetstats.kernels.joint_limits import Limits, Wanted, joint_limits
from rnetstats.kernels.newton import Evaluate, FloatArray, IntArray, NewtonFit
from rnetstats.kernels.restricted import (
    free_columns,
    nearly_quadratic,
    restricted_about,
    restricted_fits,
    restricted_from,
)
from rnetstats.kernels.search import alone, both
from rnetstats.kernels.unit import Unit, standardised
from rnetstats.kernels.walk import FOUND, NO_LIMIT, NOT_FOUND, walk_outward

__all__ = [
    "FOUND",
    "NOT_FOUND",
    "NO_LIMIT",
    "ProfileLimits",
    "Unit",
    "limits_about",
    "profile_limits",
    "restricted_about",
    "restricted_and_limits",
    "restricted_fits",
    "standardised",
]


@dataclass(frozen=True)
class ProfileLimits:
    """Profile-likelihood limits of k coefficients.

    Attributes
    ----------
    lower, upper : arrays of shape (k,)
        Infinite where the likelihood never falls that far; NaN where the search failed.
    status : int array of shape (k, 2)
        Of the lower and the upper limit: `FOUND`, `NO_LIMIT` where it is infinite, or
        `NOT_FOUND`.
    """

    lower: FloatArray
    upper: FloatArray
    status: IntArray


def profile_limits(
    evaluate: Evaluate,
    estimate: FloatArray,
    columns: Sequence[int] | None = None,
    *,
    level: float = 0.95,
    maximum: float | None = None,
) -> ProfileLimits:
    """Limits at which twice the fall of the profile log-likelihood is the chi-square quantile.

    Parameters
    ----------
    evaluate : Evaluate
        Of one data set; penalised, if the limits are to be.
    estimate : array of shape (p,)
        The maximum; or, with `maximum`, any point at which the likelihood can be evaluated well.
    columns : sequence of int, optional
        All coefficients by default.
    level : float
        Of confidence.
    maximum : float, optional
        The supremum of a likelihood without a maximum (separated data).

    Returns
    -------
    ProfileLimits
    """
    return limits_about(standardised(evaluate, estimate), columns, level=level, maximum=maximum)


def limits_about(
    unit: Unit,
    columns: Sequence[int] | None = None,
    *,
    level: float = 0.95,
    maximum: float | None = None,
) -> ProfileLimits:
    """Do the same as :func:`profile_limits` from what :func:`standardised` has found."""
    p = len(unit.centre)
    wanted, half = _wanted(unit, range(p) if columns is None else columns, level, maximum)
    if maximum is None:
        return _limits_from(alone(unit.evaluate, joint_limits(unit, wanted, half)), unit, wanted)
    size = len(wanted.column)
    return _limits_from((np.full(size, np.nan), np.full((size, p), np.nan)), unit, wanted)


def restricted_and_limits(
    unit: Unit, restrictions: Sequence[Sequence[int]], *, level: float = 0.95
) -> tuple[NewtonFit, ProfileLimits]:
    """Return restricted fits and the limits of all coefficients, sought side by side.

    See :func:`restricted_fits` and :func:`profile_limits`.
    """
    p = len(unit.centre)
    free = free_columns(restrictions, p)
    wanted, half = _wanted(unit, range(p), level)
    fit, limits = both(
        unit.evaluate, nearly_quadratic(unit, free), joint_limits(unit, wanted, half)
    )
    return restricted_from(fit, unit, free), _limits_from(limits, unit, wanted)


def _wanted(
    unit: Unit, columns: Sequence[int], level: float, maximum: float | None = None
) -> tuple[Wanted, float]:
    """Both limits of some coefficients, and by how much the likelihood has fallen there."""
    chosen = np.asarray(columns, dtype=np.int64)
    half = 0.5 * NormalDist().inv_cdf(0.5 + level / 2) ** 2
    target = (unit.value if maximum is None else maximum) - half
    return Wanted(np.repeat(chosen, 2), np.tile([-1.0, 1.0], len(chosen)), target), half


def _limits_from(found: Limits, unit: Unit, wanted: Wanted) -> ProfileLimits:
    """Walk to the limits that were not found together."""
    limit, status = found[0], np.full(len(found[0]), FOUND)
    if not np.isfinite(limit).all():
        limit, status = walk_outward(
            unit.evaluate,
            unit.centre,
            wanted.column,
            wanted.side,
            target=wanted.target,
            search=unit.search if unit.several() else None,
            found=found,
        )
    pairs = (limit * unit.scale[wanted.column]).reshape(-1, 2)
    return ProfileLimits(lower=pairs[:, 0], upper=pairs[:, 1], status=status.reshape(-1, 2))
