"""What the fits of all imputations remember of each variable, as one summary."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median_low
from typing import Any

from rnetstats.regression.model import RegressionResult

__all__ = ["common_variables"]


def common_variables(fits: Sequence[RegressionResult]) -> dict[str, dict[str, Any]]:
    """Summarise each variable over m fits.

    Returns
    -------
    dict
        As :func:`rnetstats.regression.variables.summarise_variables` gives it: of a numeric
        variable the range of all fits, and the middle one of their medians and quartiles (a mean
        would have digits that no patient has); else the first fit's.
    """
    found = {}
    for name, first in fits[0].variables.items():
        each = [fit.variables[name] for fit in fits]
        numeric = all("quartiles" in about for about in each)
        found[name] = _numeric(each) if numeric else first
    return found


def _numeric(each: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "typical": median_low(about["typical"] for about in each),
        "values": (),
        "low": min(about["low"] for about in each),
        "high": max(about["high"] for about in each),
        "quartiles": tuple(median_low(about["quartiles"][k] for about in each) for k in (0, 1)),
    }
