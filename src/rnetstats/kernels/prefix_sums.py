"""Sums of weights over a prefix of a sequence, below, at and above a number, in log time.

References
----------
Claude F, Navarro G, Ordonez A (2015). The wavelet matrix: an efficient wavelet tree for large
alphabets. Information Systems 47, 15-32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnetstats.kernels.newton import FloatArray, IntArray

__all__ = ["PrefixSums"]


class PrefixSums:
    """Sums of weights among the first k of a sequence of whole numbers, below, at and above one.

    A wavelet matrix: the numbers are split by their bits, highest first, each split stable, with
    running sums of what goes to the side of the zeros. A query takes one step a bit.

    Parameters
    ----------
    numbers
        (N,) whole numbers, not negative.
    weights
        (N,).
    """

    def __init__(self, numbers: IntArray, weights: FloatArray) -> None:
        same = weights[:1].sum() if weights.size and (weights == weights[0]).all() else 0.0
        self.unit = float(same) or 1.0
        self.plain = same > 0
        self.total = _from_zero(weights)
        self.bits = int(numbers.max(initial=0)).bit_length()
        self._levels: list[tuple[NDArray[np.int32], FloatArray | None]] = []
        for level in range(self.bits - 1, -1, -1):
            zero = (numbers >> level) & 1 == 0
            heavy = None if self.plain else _from_zero(np.where(zero, weights, 0.0))
            self._levels.append((_from_zero(zero).astype(np.int32), heavy))
            order = np.concatenate((np.flatnonzero(zero), np.flatnonzero(~zero)))
            numbers, weights = numbers[order], weights[order]
        self._sorted = _from_zero(weights)

    def query(self, many: IntArray, number: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Sums over the first `many` (Q,), of numbers below, equal to and above `number` (Q,)."""
        low, high = np.zeros_like(many), many
        below = np.zeros(many.size)
        outside = number >= 1 << self.bits
        for level, (zeros, weights) in zip(range(self.bits - 1, -1, -1), self._levels, strict=True):
            one = (number >> level) & 1 == 1
            left, right = zeros[low], zeros[high]
            gained = right - left if weights is None else weights[high] - weights[low]
            below += np.where(one, gained, 0)
            low = np.where(one, zeros[-1] + low - left, left)
            high = np.where(one, zeros[-1] + high - right, right)
        total = self.total[many]
        equal = np.where(outside, 0.0, self._sorted[high] - self._sorted[low])
        below = np.where(outside, total, below * (self.unit if self.plain else 1.0))
        return below, equal, total - below - equal


def _from_zero(values: NDArray[Any]) -> NDArray[Any]:
    """Running sums that begin with 0, one longer than the values."""
    return np.concatenate(([0], np.cumsum(values)))
