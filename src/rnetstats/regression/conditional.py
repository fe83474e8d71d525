"""Inference on one log odds ratio from the conditional family of its sufficient statistic.

Unlike the families of a single table, these may leave values out in between.
"""

from __future__ import annotations

import math
from typing import Any

from rnetstats.tables.exact_family import CountFamily, solve
from rnetstats.tables.exact_inference import exact_p_values

__all__ = ["exp_or_infinite", "infer_conditionally"]


def infer_conditionally(
    family: CountFamily, seen: int, method: str, conf_level: float
) -> dict[str, Any]:
    """Return estimates, limits and P value of one log odds ratio.

    Parameters
    ----------
    family : CountFamily
        Of the sufficient statistic given all the others.
    seen : int
        Its observed value.
    method : {"central", "mid-p"}
    conf_level : float

    Returns
    -------
    dict
        ``coef, low, high`` on the log scale, ``median`` (unbiased) as an odds ratio, ``p_value``,
        and ``fixed``: whether only one value was possible, so that nothing can be estimated.
    """
    if family.low == family.high:
        nothing = dict.fromkeys(("coef", "low", "high", "median"), math.nan)
        return {**nothing, "p_value": 1.0, "fixed": True}
    alpha = (1.0 - conf_level) / 2.0
    mid = method == "mid-p"
    halves = [exp_or_infinite(_tail(f, s, 0.5, mid=False)) for f, s in _both(family, seen)]
    ends = [_tail(f, s, alpha, mid=mid) for f, s in _both(family, seen)]
    return {
        "coef": family.mle(seen),
        "low": ends[0],
        "high": -ends[1],
        "median": _between(halves[0], 1.0 / halves[1] if halves[1] else math.inf),
        "p_value": exact_p_values(family, seen, 0.0)[method],
        "fixed": False,
    }


def _both(family: CountFamily, seen: int) -> tuple[tuple[CountFamily, int], ...]:
    return (family, seen), (family.reflected(), -seen)


def _tail(family: CountFamily, seen: int, alpha: float, *, mid: bool) -> float:
    """The theta at which ``P(K >= seen)``, less half of ``P(K = seen)`` if mid, is alpha."""
    at = seen - family.low
    if at == 0:
        return -math.inf

    def excess(theta: float) -> float:
        p = family.pmf(theta)
        tail = float(p[at:].sum()) - (0.5 * float(p[at]) if mid else 0.0)
        return max(math.log(tail) - math.log(alpha), -1e3) if tail > 0.0 else -1e3

    return solve(excess, 0.0)


def _between(low: float, high: float) -> float:
    """The median unbiased odds ratio: between the two half-points on the log scale."""
    if low == 0.0:
        return high
    return low if math.isinf(high) else math.sqrt(low * high)


def exp_or_infinite(theta: float) -> float:
    """Return ``exp(theta)``, infinite where it overflows."""
    return math.inf if theta > 709.0 else math.exp(theta)
