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
    score = variance = 0.0
    pairs = 0
    for x in np.unique(interval):
        rows = (interval <= x) & (window >= x)
        n, own = int(rows.sum()), interval[rows] == x
        d = int(own.sum())
        if n <= d:
            continue
        # each window's place among those at risk: smaller less larger ones
        inside = window[rows]
        ordered = np.sort(inside)
        smaller = np.searchsorted(ordered, inside, side="left")
        place = smaller + np.searchsorted(ordered, inside, side="right") - n
        score += float(place[own].sum())
        variance += d * (n - d) / (n - 1) * float(np.mean(place.astype(float) ** 2))
        pairs += d * (n - d)
    return ConditionalTau(score, variance, pairs)
