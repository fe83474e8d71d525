"""What Cox's partial likelihood needs at one coefficient vector a replicate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rnetstats.kernels.cox_ties import TieSums
from rnetstats.kernels.newton import FloatArray


class CoxPoint(NamedTuple):
    """Risks of all rows and their sums at each event time.

    Attributes
    ----------
    risk
        (A, m) weighted risk of each kept row, divided by exp(shift).
    shift
        (A,) what was taken off the linear predictor.
    s0, s1, t1
        (A, E), (A, p, E): sums over the risk set, and (A, p, E) over the tied events, weighted by
        risk; the last is empty without ties.
    ties
        Sums over the terms of each time.
    segments
        (E, A, 1 + p + p (p + 1) / 2) sums over the rows between event times, or None.
    """

    risk: FloatArray
    shift: FloatArray
    s0: FloatArray
    s1: FloatArray
    t1: FloatArray
    ties: TieSums
    segments: FloatArray | None

    def moments(self) -> tuple[FloatArray, FloatArray]:
        """Sums over the terms of each time of m / D and of m a / D, m the mean of x; (A, p, E)."""
        second = self.ties.powers[1]
        first = self.s1 * second[0][:, None]
        if not self.ties.tied:
            return first, self.t1
        first -= self.t1 * second[1][:, None]
        return first, self.s1 * second[1][:, None] - self.t1 * second[2][:, None]

    def expected(self) -> FloatArray:
        """Sum over terms of the mean of x, (A, p)."""
        powers = self.ties.powers[0]
        expected: FloatArray = (self.s1 @ powers[0][..., None])[..., 0]
        if self.ties.tied:
            expected -= (self.t1 @ powers[1][..., None])[..., 0]
        return expected

    def between(self, moments: tuple[FloatArray, FloatArray]) -> FloatArray:
        """Sum over terms of the mean of x times its transpose, (A, p, p)."""
        left, right = moments[0], self.s1
        if self.ties.tied:
            left = np.concatenate(moments, axis=-1)
            right = np.concatenate((self.s1, -self.t1), axis=-1)
        between: FloatArray = left @ right.swapaxes(1, 2)
        return between
