"""Ratios that are zero where there is nothing to divide by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnetstats.kernels.newton import FloatArray

__all__ = ["ratio"]


def ratio(above: ArrayLike, below: NDArray[Any]) -> FloatArray:
    """Divide arrays that broadcast; 0 where the divisor is not above 0, as where nobody is left."""
    shape = np.broadcast_shapes(np.shape(above), below.shape)
    return np.asarray(np.divide(above, below, out=np.zeros(shape), where=below > 0.0))
