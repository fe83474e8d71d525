"""A Weibull hazard that changes by a factor at a given time: its integral and its inverse."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["cumulative", "inverse"]

Array = NDArray[np.float64]


def cumulative(
    time: Array | float, eta: Array, shape: float, change: Array, factor: Array
) -> Array:
    """Integrate the hazard exp(eta) * shape * t**(shape - 1) * (factor if t > change else 1).

    Parameters
    ----------
    time : (n,) array or float
        Months, at least 0.
    eta : (n,) array
        Log rate.
    shape : float
        Shape of the Weibull law.
    change : (n,) array
        When the hazard changes; infinite for never.
    factor : (n,) array
        Hazard ratio from then on.

    Returns
    -------
    (n,) array
    """
    before = np.minimum(time, change) ** shape
    after = np.maximum(np.power(time, shape) - before, 0.0)
    return np.asarray(np.exp(eta) * (before + factor * after))


def inverse(total: Array, eta: Array, shape: float, change: Array, factor: Array) -> Array:
    """Return the time at which :func:`cumulative` reaches ``total`` (n,)."""
    units = total * np.exp(-eta)
    turn = change**shape
    late = units > turn
    beyond = np.where(late, turn, 0.0) + (units - np.where(late, turn, 0.0)) / np.where(
        late, factor, 1.0
    )
    return np.asarray(beyond ** (1.0 / shape))
