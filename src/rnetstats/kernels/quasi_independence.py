"""Test whether intervals and the windows they were seen in are independent, as is supposed.

References
----------
Tsai WY. Testing the assumption of independence of truncation time and failure time. Biometrika
1990;77:169-77. Martin EC, Betensky RA. Testing quasi-independence of failure and truncation times
via conditional Kendall's tau. J Am Stat Assoc 2005;100:484-92.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ConditionalTau", "conditional_tau"]

Floats = NDArray[np.float64]

_CELLS = 40_000  # of intervals by windows at one time: few enough to stay in the cache


@dataclass(frozen=True)
class ConditionalTau:
    """Kendall's tau of the comparable pairs, with its score and variance under independence.

    Attributes
    ----------
    score, variance : float
        Concordant less discordant pairs, and its variance; scores of strata can be added.
    pairs : int
        Comparable pairs: either interval would have fitted into both windows.
    """

    score: float
    variance: float
    pairs: int

    @property
    def tau(self) -> float:
        """The score over the number of pairs; missing without any."""
        return self.score / self.pairs if self.pairs else float("nan")

    @property
    def z(self) -> float:
        """The standardised score; missing where it cannot vary."""
        return self.score / self.variance**0.5 if self.variance > 0.0 else float("nan")

    def __add__(self, other: ConditionalTau) -> ConditionalTau:
        return ConditionalTau(
            self.score + other.score, self.variance + other.variance, self.pairs + other.pairs
        )


def conditional_tau(interval: Floats, window: Floats) -> ConditionalTau:
    """Count comparable pairs of right-truncated rows.

    At each interval x the rows that could have shown it are those with interval <= x <= window.
    Under independence those that have the interval x are a random sample of them, as regards the
    windows; this gives the variance, ties included.

    Parameters
    ----------
    interval, window : array, shape (n,)
        Each interval is at most its window.

    Returns
    -------
    ConditionalTau
    """
    times, at = np.unique(interval, return_inverse=True)
    ends, end = np.unique(window, return_inverse=True)
    before = np.zeros(len(ends))  # rows with a shorter interval, by their window
    found = ConditionalTau(0.0, 0.0, 0)
    step = max(1, _CELLS // len(ends)) if len(ends) else 1
    for start in range(0, len(times), step):
        x = times[start : start + step]
        rows = (at >= start) & (at < start + len(x))
        cell = (at[rows] - start) * len(ends) + end[rows]
        own = np.bincount(cell, minlength=len(x) * len(ends)).reshape(len(x), -1)
        begun = before + np.cumsum(own, axis=0)
        before = begun[-1]
        found += _compare(own, np.where(ends >= x[:, None], begun, 0.0))
    return found


def _compare(own: NDArray[np.intp], at_risk: Floats) -> ConditionalTau:
    """Add up over intervals: the rows (T, W) that have each of them, and those that could have."""
    n, d = at_risk.sum(axis=1), own.sum(axis=1)
    some = n > d
    own, at_risk, n, d = own[some], at_risk[some], n[some], d[some]
    # each window's place among those at risk: smaller less larger ones
    place = 2.0 * np.cumsum(at_risk, axis=1) - at_risk - n[:, None]
    spread = np.vecdot(at_risk, place**2) / n
    pairs = d * (n - d)
    return ConditionalTau(
        score=float((own * place).sum()),
        variance=float((pairs / (n - 1.0) * spread).sum()),
        pairs=int(pairs.sum()),
    )
