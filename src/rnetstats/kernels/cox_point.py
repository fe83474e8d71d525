"""What Cox's partial likelihood needs at one coefficient vector a replicate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnetstats.kernels.cox_ties import TieSums
from rnetstats.kernels.newton import FloatArray


@dataclass(frozen=True, eq=False)
class CoxPoint:
    """All that the partial likelihood needs at one coefficient vector a replicate.

    Attributes
    ----------
    risk
        (A, m) weighted risk of each kept row, divided by exp(shift).
    shift
        (A,) what was taken off the linear predictor.
    s0, s1, t0, t1
        (A, E), (A, p, E): sums over the risk set and over the tied events, weighted by risk.
    ties
        Sums over the terms of each time.
    """

    risk: FloatArray
    shift: FloatArray
    s0: FloatArray
    s1: FloatArray
    t0: FloatArray
    t1: FloatArray
    ties: TieSums

    def moments(self) -> tuple[FloatArray, FloatArray]:
        """Sums over the terms of each time of mean / D and of mean a / D, each (A, p, E)."""
        second = self.ties.powers[1]
        if not self.ties.tied:
            plain = self.s1 * second[0][:, None]
            return plain, np.zeros((1, 1, 1))
        first = self.s1 * second[0][:, None] - self.t1 * second[1][:, None]
        return first, self.s1 * second[1][:, None] - self.t1 * second[2][:, None]
