"""Odds ratios of a 2x2 table in closed form: sample odds ratio and Haldane-Anscombe.

References
----------
Woolf B (1955) Ann Hum Genet 19:251-253. Haldane JBS (1956) Ann Hum Genet 20:309-311. Anscombe FJ
(1956) Biometrika 43:461-464.
"""

from __future__ import annotations

import math

from rnetstats._core.distributions import normal_quantile

__all__ = ["haldane_anscombe", "sample_odds_ratio", "woolf_limits"]


def sample_odds_ratio(a: float, b: float, c: float, d: float) -> tuple[float, float]:
    """``ad / bc`` and the standard error of its logarithm (infinite with an empty cell).

    The ratio is NaN where both products are 0.
    """
    if 0 in (a, b, c, d):
        top, bottom = a * d, b * c
        ratio = math.nan if top == bottom == 0 else (math.inf if bottom == 0 else 0.0)
        return ratio, math.inf
    return a * d / (b * c), math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)


def haldane_anscombe(a: float, b: float, c: float, d: float) -> tuple[float, float]:
    """As :func:`sample_odds_ratio` with 0.5 added to every cell: always finite."""
    return sample_odds_ratio(a + 0.5, b + 0.5, c + 0.5, d + 0.5)


def woolf_limits(ratio: float, std_error: float, conf_level: float) -> tuple[float, float]:
    """Normal limits of the log odds ratio, back on the ratio's scale."""
    half = normal_quantile(conf_level) * std_error
    return ratio * math.exp(-half), ratio * math.exp(half)
