"""How a number of events splits between two arms under a hazard ratio, and what tests make of it.

Given d events under proportional hazards and follow-up that is the same in both arms, each event
falls on a patient still event-free, those of arm 1 weighing the hazard ratio: the events of arm 1
have Wallenius' noncentral hypergeometric law; with a share in place of numbers of patients (events
rare) it is binomial. At a hazard ratio of 1 the first is the law of Fisher's test.

References
----------
Wallenius KT (1963). Biased sampling: the non-central hypergeometric probability distribution. PhD
thesis, Stanford University.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlogy

from rnetstats._core.distributions import chi_square_p
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.newton import OK
from rnetstats.tables.fisher import fisher_p

__all__ = ["TESTS", "Arms", "log_hazard_ratios", "split_p_values", "split_probabilities"]

Floats = NDArray[np.float64]

TESTS = ("fisher", "mid-p", "binomial", "firth")
_TIE = 1.0 + 1e-7


@dataclass(frozen=True)
class Arms:
    """Two arms: their patients, or only the share of arm 1."""

    share: float
    n_1: int | None = None
    n_2: int | None = None

    @property
    def sized(self) -> bool:
        """Whether the numbers of patients are known."""
        return self.n_1 is not None

    @property
    def odds(self) -> float:
        """Patients of arm 1 for one of arm 2."""
        return self.share / (1.0 - self.share)

    @property
    def n(self) -> int:
        """Patients of both arms."""
        assert self.n_1 is not None
        assert self.n_2 is not None
        return self.n_1 + self.n_2


def split_probabilities(arms: Arms, events: int, ratios: Floats) -> Floats:
    """Return the law of the events of arm 1.

    Parameters
    ----------
    arms : Arms
    events : int
        Of both arms together, d.
    ratios : array of shape (h,)
        Hazard ratios, arm 1 against arm 2.

    Returns
    -------
    array of shape (h, d + 1)
    """
    if arms.n_1 is not None and arms.n_2 is not None:
        return _wallenius(arms.n_1, arms.n_2, events, ratios)
    k = np.arange(events + 1.0)
    chance = ratios * arms.odds / (1.0 + ratios * arms.odds)
    ways = gammaln(events + 1.0) - gammaln(k + 1.0) - gammaln(events - k + 1.0)
    logs = ways + xlogy(k, chance[:, None]) + xlogy(events - k, 1.0 - chance[:, None])
    return np.asarray(np.exp(logs))


def _wallenius(n_1: int, n_2: int, events: int, ratios: Floats) -> Floats:
    """Event by event: state a is the number of events so far in arm 1."""
    law = np.zeros((len(ratios), events + 1))
    law[:, 0] = 1.0
    for done in range(events):
        a = np.arange(done + 1.0)
        first = ratios[:, None] * np.maximum(n_1 - a, 0.0)
        second = np.maximum(n_2 - (done - a), 0.0)
        total = first + second
        chance = np.divide(first, total, out=np.zeros_like(total), where=total > 0)
        now = law[:, : done + 1]
        moved = now * chance
        law[:, : done + 1] = now - moved
        law[:, 1 : done + 2] += moved
    return np.maximum(law, 0.0)


def split_p_values(arms: Arms, events: int, test: str) -> Floats:
    """Return P of each split 0 ... d of the events, (d + 1,); missing for one that cannot be."""
    a = np.arange(events + 1)
    if arms.n_1 is None or arms.n_2 is None:
        return _binomial(arms.share, events) if test == "binomial" else _jeffreys(arms, events)
    possible = (a <= arms.n_1) & (events - a <= arms.n_2)
    found = np.full(events + 1, np.nan)
    a = a[possible]
    if test == "binomial":
        found[possible] = _binomial(arms.share, events)[possible]
    elif test == "firth":
        found[possible] = _firth(a, arms.n_1, events - a, arms.n_2)
    else:
        kind = "two-sided" if test == "fisher" else "mid-p"
        c = events - a
        found[possible] = fisher_p(a, arms.n_1 - a, c, arms.n_2 - c, alternative=kind)
    return found


def _binomial(share: float, events: int) -> Floats:
    """Exact conditional test of equal rates: all splits that are no more likely."""
    law = split_probabilities(Arms(share), events, np.ones(1))[0]
    ordered = np.sort(law)
    below = np.searchsorted(ordered, law * _TIE, side="right")
    return np.asarray(np.minimum(np.cumsum(ordered)[below - 1], 1.0))


def _jeffreys(arms: Arms, events: int) -> Floats:
    """Penalised likelihood-ratio test of the share of the events in arm 1 (Firth's penalty)."""
    a = np.arange(events + 1.0)

    def height(p: Floats | float) -> Floats:
        return np.asarray((a + 0.5) * np.log(p) + (events - a + 0.5) * np.log1p(-np.asarray(p)))

    top = height((a + 0.5) / (events + 1.0))
    return np.asarray(chi_square_p(np.maximum(2.0 * (top - height(arms.share)), 0.0), 1))


def _firth(a: NDArray[np.intp], n_1: int, c: NDArray[np.intp], n_2: int) -> Floats:
    """Penalised likelihood-ratio test of Firth's logistic regression, all tables in one batch."""
    X = np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    y = np.array([1.0, 0.0, 1.0, 0.0])
    freq = np.stack([a, n_1 - a, c, n_2 - c], axis=1).astype(float)
    full = fit_logistic(X, y, freq=freq, firth=True, start=np.zeros(2))
    start, free = np.zeros(2), np.array([True, False])
    null = fit_logistic(X, y, freq=freq, firth=True, start=start, free=free)
    fall = full.log_likelihood_penalized - null.log_likelihood_penalized
    p = np.asarray(chi_square_p(np.maximum(2.0 * fall, 0.0), 1))
    return np.where((full.status == OK) & (null.status == OK), p, np.nan)


def log_hazard_ratios(arms: Arms, events: int) -> Floats:
    """Return the estimate of each split (d + 1,), by Firth's penalty: finite at both ends."""
    a = np.arange(events + 1.0)
    return np.asarray(np.log((a + 0.5) / (events - a + 0.5)) - np.log(arms.odds))
