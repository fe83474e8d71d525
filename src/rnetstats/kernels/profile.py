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

from rnetstats.kernels.joint_limits import Wanted, joint_limits
from rnetstats.kernels.newton import Evaluate, FloatArray, IntArray
from rnetstats.kernels.restricted import restricted_about, restricted_fits
from rnetstats.kernels.unit import Unit, standardised
from rnetstats.kernels.walk import FOUND, LIMIT_TEXT, NO_LIMIT, NOT_FOUND, walk_outward

__all__ = [
    "FOUND",
    "LIMIT_TEXT",
    "NOT_FOUND",
    "NO_LIMIT",
    "ProfileLimits",
    "Unit",
    "limits_about",
    "profile_limits",
    "restricted_about",
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
        For the lower and the upper limit, see `LIMIT_TEXT`.
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
    chosen = np.arange(p) if columns is None else np.asarray(columns, dtype=np.int64)
    half = 0.5 * NormalDist().inv_cdf(0.5 + level / 2) ** 2
    target = (unit.value if maximum is None else maximum) - half
    wanted = Wanted(np.repeat(chosen, 2), np.tile([-1.0, 1.0], len(chosen)), target)
    limit = np.full(len(wanted.column), np.nan)
    points, status = np.full((len(limit), p), np.nan), np.full(len(limit), FOUND)
    if maximum is None:
        limit, points = joint_limits(unit, wanted, half)
    if not np.isfinite(limit).all():
        limit, status = walk_outward(
            unit.evaluate,
            unit.centre,
            wanted.column,
            wanted.side,
            target=target,
            several=unit.several(),
            found=(limit, points),
        )
    pairs = (limit * unit.scale[wanted.column]).reshape(-1, 2)
    return ProfileLimits(lower=pairs[:, 0], upper=pairs[:, 1], status=status.reshape(-1, 2))
