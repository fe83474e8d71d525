"""What a paired comparison of two models says, whatever they are compared by."""

from __future__ import annotations

from typing import Final

from rnetstats._core.distributions import normal_quantile, two_sided_p

__all__ = ["DIFFERENCE", "wald_of"]

DIFFERENCE: Final = (
    "difference",
    "std_error",
    "conf_low",
    "conf_high",
    "statistic",
    "p_value",
    "method",
)
"""Columns of a table of pairs, behind those that say what is compared."""


def wald_of(difference: float, error: float, conf_level: float) -> dict[str, float]:
    """Return the Wald test of a difference with a positive standard error, and its limits."""
    half = normal_quantile(conf_level) * error
    statistic = difference / error
    return {
        "std_error": error,
        "conf_low": difference - half,
        "conf_high": difference + half,
        "statistic": statistic,
        "p_value": float(two_sided_p(statistic)),
    }
