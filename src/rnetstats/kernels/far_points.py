"""Points far from an estimate, to look for other maxima from."""

from __future__ import annotations

import numpy as np

from rnetstats.kernels.firth import inverse_information
from rnetstats.kernels.newton import FloatArray

__all__ = ["affordable", "along_profiles", "far_from", "in_all_directions"]

_FAR = 5.0  # standard errors
_DISTANCES = (3.0, 6.0)  # standard errors of one coefficient, times the root of their number
_SEED = 1993  # directions are always the same ones
_WORK = 2**19  # fits, times the cube of coefficients


def affordable(p: int) -> int:
    """How many fits a search may make in a model of p coefficients: each costs the cube of them."""
    return max(1, _WORK // p**3)


def far_from(estimate: FloatArray, information: FloatArray, size: int) -> FloatArray:
    """Points along all profiles of an estimate, and some in scattered directions.

    Parameters
    ----------
    estimate : array of shape (p,)
    information : array of shape (p, p)
        There.
    size : int
        Scattered ones.

    Returns
    -------
    array of shape (2 p + size, p)
        Of shape (0, p) where the information gives a coefficient no variance.
    """
    covariance = inverse_information(information[None])[0]
    if not (covariance.diagonal() > 0).all():
        return np.empty((0, len(estimate)))
    return np.concatenate(
        [along_profiles(estimate, covariance), in_all_directions(estimate, covariance, size)]
    )


def along_profiles(estimate: FloatArray, covariance: FloatArray) -> FloatArray:
    """Points far out on the profile of each coefficient, were the likelihood quadratic.

    Parameters
    ----------
    estimate : array of shape (p,)
    covariance : array of shape (p, p)

    Returns
    -------
    array of shape (2 p, p)
    """
    away = _FAR * covariance / np.sqrt(covariance.diagonal())[:, None]
    return np.concatenate([estimate + away, estimate - away])


def in_all_directions(estimate: FloatArray, covariance: FloatArray, size: int) -> FloatArray:
    """Points on two ellipsoids of confidence about an estimate, in scattered directions.

    Where other maxima are hangs on several coefficients together. In trials with small data sets a
    direction taken at random led to the highest one as often as not from some five standard errors.

    Parameters
    ----------
    estimate : array of shape (p,)
    covariance : array of shape (p, p)
    size : int

    Returns
    -------
    array of shape (size, p)
        More points begin with fewer.
    """
    p = len(estimate)
    directions = np.random.default_rng(_SEED).normal(size=(size, p))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    directions *= np.sqrt(p) * np.resize(_DISTANCES, size)[:, None]
    variances = covariance.diagonal()
    errors = np.sqrt(np.where(variances > 0, variances, 1.0))
    values, vectors = np.linalg.eigh(covariance / (errors[:, None] * errors))
    points: FloatArray = estimate + errors * (
        directions * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    )
    return points
