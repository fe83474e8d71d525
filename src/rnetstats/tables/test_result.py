"""What a test on arrays returns."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["TestResult"]


@dataclass(frozen=True)
class TestResult:
    """One test.

    Attributes
    ----------
    name : str
        The test in words, with its correction or approximation.
    statistic : float
        t, F, W (rank-sum), V (signed-rank) or chi-square; missing where there is none.
    df : tuple of float
        Degrees of freedom: none, one or two.
    p_value : float
        Two-sided P.
    effect : str
        The effect that goes with the test in words, where there is one.
    estimate, conf_low, conf_high : float
        It, and its limits.
    """

    __test__ = False

    name: str
    statistic: float
    df: tuple[float, ...]
    p_value: float
    effect: str = ""
    estimate: float = math.nan
    conf_low: float = math.nan
    conf_high: float = math.nan
