"""Power of the log-rank test by drawing in which arm each event falls, in their order.

With patients counted, the numbers at risk shrink by the events; nobody is censored before the last
of them, and follow-up is the same in both arms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from rnetstats._core.random import CHUNK, chunk_generators
from rnetstats.treatment.split_laws import Arms
from rnetstats.treatment.split_power import Errors, errors_of

__all__ = ["SEQUENCE_TESTS", "Sequences"]

Floats = NDArray[np.float64]

SEQUENCE_TESTS = ("logrank", "logrank-exact")
_STEPS = 40
_NEAR = 1e-9
_CACHED = 1 << 14  # numbers of a block
_WIDEST = 15.0


class Sequences:
    """Sequences of events, the same draws for every hazard ratio.

    Parameters
    ----------
    arms : Arms
    events : int
    alpha : float
    test : {"logrank", "logrank-exact"}
        Critical value of chi-square, or of |observed - expected| among the draws without effect
        (the permutation test's).
    draws, seed : int
    """

    def __init__(
        self, arms: Arms, events: int, *, alpha: float, test: str, draws: int, seed: int
    ) -> None:
        self.arms, self.events, self.test = arms, events, test
        rows = [
            rng.random((CHUNK, events))[: part.stop - part.start]
            for part, rng in chunk_generators(seed, draws)
        ]
        self.uniform = np.ascontiguousarray(np.concatenate(rows).T)  # event by event
        self.critical = float(chdtri(1, alpha))
        if test == "logrank-exact":
            distance = np.abs(self._distance(*self.drawn(1.0))[0])
            values, counts = np.unique(np.round(distance, 10), return_counts=True)
            tail = np.cumsum(counts[::-1])[::-1] / draws
            beyond = values[tail < alpha]
            self.critical = float(beyond[0]) if beyond.size else np.inf

    def drawn(self, ratio: float) -> tuple[NDArray[np.bool_], Floats]:
        """Return in which events arm 1 was hit (d, B), and the odds of it at no effect (d, B)."""
        arms, (events, draws) = self.arms, self.uniform.shape
        odds = np.full((events, draws), arms.odds)
        if arms.n_1 is None or arms.n_2 is None:
            return self.uniform < ratio * odds / (1.0 + ratio * odds), odds
        hit = np.zeros((events, draws), dtype=bool)
        first = np.full(draws, float(arms.n_1))
        second = np.full(draws, float(arms.n_2))
        with np.errstate(divide="ignore"):
            for j in range(events):
                odds[j] = first / second
                weighted = ratio * first
                hit[j] = self.uniform[j] * (weighted + second) < weighted
                first -= hit[j]
                second -= ~hit[j]
        return hit, odds

    def _distance(self, hit: NDArray[np.bool_], odds: Floats) -> tuple[Floats, Floats]:
        """Observed less expected events of arm 1, and the variance, (B,)."""
        expected = 1.0 - 1.0 / (1.0 + odds)
        return (hit - expected).sum(axis=0), (expected * (1.0 - expected)).sum(axis=0)

    def significant(self, hit: NDArray[np.bool_], odds: Floats) -> NDArray[np.bool_]:
        """Return which sequences the test calls significant, (B,)."""
        distance, variance = self._distance(hit, odds)
        if self.test == "logrank-exact":
            return np.asarray(np.round(np.abs(distance), 10) >= self.critical)
        return np.asarray(distance**2 > self.critical * variance)

    def power(self, ratios: Floats) -> Floats:
        """Return the share of significant sequences at each hazard ratio (h,)."""
        return np.array([self.significant(*self.drawn(float(ratio))).mean() for ratio in ratios])

    def errors(self, ratios: Floats) -> Errors:
        """Return power and errors at each hazard ratio, estimates by Firth's Cox regression."""
        parts = []
        for ratio in ratios:
            hit, odds = self.drawn(float(ratio))
            rows = self.significant(hit, odds)
            law = np.full((1, int(rows.sum())), 1.0 / len(rows))
            if not rows.any():
                law, estimate = np.zeros((1, 1)), np.zeros((1, 1))
            else:
                hit, odds = hit[:, rows], odds[:, rows]
                step = max(1, _CACHED // self.events)
                blocks = [slice(at, at + step) for at in range(0, hit.shape[1], step)]
                estimate = np.concatenate([_firth(hit[:, b], odds[:, b]) for b in blocks])[None]
            parts.append(errors_of(law, estimate, np.array([ratio])))
        return Errors(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _firth(hit: NDArray[np.bool_], odds: Floats) -> Floats:
    """Firth's log hazard ratio of each sequence (B,): the bracketed root of the penalised score."""
    size, hits = hit.shape[1], hit.sum(axis=0)
    low, high, at = np.full(size, -_WIDEST), np.full(size, _WIDEST), np.zeros(size)
    odds = np.minimum(odds, 1e300)
    for _ in range(_STEPS):
        p = 1.0 - 1.0 / (1.0 + odds * np.exp(at))
        spread = p * (1.0 - p)
        information = np.maximum(spread.sum(axis=0), 1e-300)
        pull = 0.5 * (spread * (1.0 - 2.0 * p)).sum(axis=0) / information
        score = hits - p.sum(axis=0) + pull
        low, high = np.where(score > 0, at, low), np.where(score > 0, high, at)
        step = at + score / information
        before, at = at, np.where((step > low) & (step < high), step, 0.5 * (low + high))
        if np.abs(at - before).max() < _NEAR:
            break
    return at
