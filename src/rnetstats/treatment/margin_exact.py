"""Exact unconditional inference on a risk difference, ordered by the score.

P against "the difference is ``delta`` or more" is the largest probability, over all risks with a
difference of ``delta``, of tables whose score statistic is as low as the one observed. Since the
order changes with ``delta``, P is the largest at ``delta`` and at all places of a grid beyond it,
so that a margin is rejected exactly if the limit does not reach it.

References
----------
Chan ISF (1998). Exact tests of equivalence and efficacy with a non-zero lower bound for comparative
studies. Stat Med 17:1403-1413. Chan ISF, Zhang Z (1999). Test-based exact confidence intervals for
the difference of two binomial proportions. Biometrics 55:1202-1209.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py, xlogy

from rnetstats.tables.two_proportions import score_z

__all__ = ["BUDGET", "ExactDifference", "score_level"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

BUDGET = 250_000  # tables; above, the score stands alone

_NUISANCE = 81  # risks at which the probability is taken first
_ROUNDS = 3  # with two of a finer look around the highest
_PLACES = 81  # differences of the grid
_SMALL = 1e-5  # where P on the grid has fallen so far, the grid ends
_TIE = 1e-10
_LISTED = 3_000  # tables of which all are looked at; of more, the boundary is sought by halving


def _binomial(n: int, p: Floats) -> Floats:
    """Probabilities (k, n + 1) of 0 to n events at each of k risks."""
    x = np.arange(n + 1.0)
    choose = gammaln(n + 1.0) - gammaln(x + 1.0) - gammaln(n - x + 1.0)
    risk = np.clip(p, 0.0, 1.0)[:, None]
    return np.asarray(np.exp(choose + xlogy(x, risk) + xlog1py(n - x, -risk)))


def _boundary(n_new: int, n_reference: int, delta: float, seen: float) -> Integers:
    """The fewest reference events, for 0 to n_new new ones, whose statistic is ``seen`` or lower.

    The statistic falls with the events of the reference: n_reference + 1 where it never gets there.
    """
    a = np.arange(n_new + 1.0)
    if n_new * n_reference < _LISTED:
        z = score_z(a[:, None], n_new, np.arange(n_reference + 1.0), n_reference, delta)
        return np.asarray(np.sum(z > seen, axis=1), dtype=np.intp)
    low, high = np.full(a.shape, -1.0), np.full(a.shape, n_reference + 1.0)
    for _ in range(int(np.ceil(np.log2(n_reference + 2.0))) + 1):
        middle = np.floor(0.5 * (low + high))
        inside = (middle >= 0.0) & (middle <= n_reference)
        z = score_z(a, float(n_new), np.clip(middle, 0, n_reference), float(n_reference), delta)
        reached = inside & (z <= seen)
        open_ = high - low > 1.0
        high = np.where(open_ & reached, middle, high)
        low = np.where(open_ & ~reached, middle, low)
    return high.astype(np.intp)


def _tail(boundary: Integers, n_reference: int, delta: float, risk: Floats) -> Floats:
    """Probability of the tables from the boundary on, at each risk (k,) of the reference."""
    mass = _binomial(n_reference, risk)[:, ::-1].cumsum(axis=1)[:, ::-1]
    beyond = np.concatenate([mass, np.zeros((len(risk), 1))], axis=1)[:, boundary]
    new = _binomial(len(boundary) - 1, risk + delta)
    return np.asarray(np.einsum("ki,ki->k", new, beyond))


def _largest(boundary: Integers, n_reference: int, delta: float) -> float:
    """The largest such probability over all risks with this difference."""
    low, high = max(0.0, -delta), min(1.0, 1.0 - delta)
    best, size = 0.0, _NUISANCE
    for _ in range(_ROUNDS):
        risk = np.linspace(low, high, size)
        mass = _tail(boundary, n_reference, delta, risk)
        top = int(np.argmax(mass))
        best = max(best, float(mass[top]))
        width = (high - low) / (size - 1)
        low, high, size = max(low, risk[top] - width), min(high, risk[top] + width), 21
        if high <= low:
            break
    return min(best, 1.0)


@dataclass(frozen=True)
class ExactDifference:
    """Risk difference by the exact unconditional test; see the module."""

    x_new: int
    n_new: int
    x_reference: int
    n_reference: int
    method: str = "exact unconditional (Chan-Zhang)"

    @property
    def estimate(self) -> float:
        """New less reference."""
        return self.x_new / self.n_new - self.x_reference / self.n_reference

    def _p_at(self, delta: float) -> float:
        """P of a low statistic at one difference."""
        if delta >= 1.0:
            return float(self.estimate >= 1.0)
        m, n = self.n_new, self.n_reference
        z = float(score_z(self.x_new, m, self.x_reference, n, delta))
        return _largest(_boundary(m, n, delta, z + _TIE * (1.0 + abs(z))), n, delta)

    @cached_property
    def _grid(self) -> tuple[Floats, Floats]:
        """Differences from the estimate to 1, closer near the estimate, and P at each."""
        places = self.estimate + (1.0 - self.estimate) * np.linspace(0.0, 1.0, _PLACES) ** 2
        p: list[float] = []
        for place in places:
            p.append(self._p_at(float(place)))
            if p[-1] < _SMALL:
                break
        return places[: len(p)], np.array(p)

    @cached_property
    def _mirrored(self) -> ExactDifference:
        """The same table with events and non-events exchanged."""
        return ExactDifference(
            self.n_new - self.x_new,
            self.n_new,
            self.n_reference - self.x_reference,
            self.n_reference,
        )

    def p_below(self, value: float) -> float:
        """P against "the difference is ``value`` or more"."""
        if value <= self.estimate:
            return 1.0
        places, p = self._grid
        beyond = p[places >= value]
        return float(max([self._p_at(min(value, 1.0)), *beyond.tolist()]))

    def p_above(self, value: float) -> float:
        """P against "the difference is ``value`` or less"."""
        return self._mirrored.p_below(-value)

    def _upper(self, alpha: float) -> float:
        places, p = self._grid
        kept = np.flatnonzero(p > alpha)
        if not kept.size:
            return float(places[0])
        last = int(kept[-1])
        if last == len(places) - 1:
            return float(places[last])
        low, high = float(places[last]), float(places[last + 1])
        for _ in range(32):
            middle = 0.5 * (low + high)
            if self._p_at(middle) > alpha:
                low = middle
            else:
                high = middle
        return high

    def limits(self, alpha: float) -> tuple[float, float]:
        """Limits that hold all differences not rejected one-sidedly at ``alpha``."""
        return -self._mirrored._upper(alpha), self._upper(alpha)


def score_level(
    n_new: int, n_reference: int, margin: float, alpha: float, *, places: int = 201
) -> float:
    """Return the largest real level of the one-sided score test against a margin.

    All tables are enumerated, at ``places`` risks of the reference whose difference is the margin.

    Parameters
    ----------
    n_new, n_reference : int
        Patients in each arm.
    margin : float
        The difference under the hypothesis "the margin or more"; in (-1, 1).
    alpha : float
        The nominal level.

    Returns
    -------
    float
    """
    from scipy.special import ndtri

    boundary = _boundary(n_new, n_reference, margin, float(ndtri(alpha)))
    risk = np.linspace(max(0.0, -margin), min(1.0, 1.0 - margin), places)
    return float(_tail(boundary, n_reference, margin, risk).max())
