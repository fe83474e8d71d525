"""The limit of one tail: where the chance of a count at least as large has a given size."""

from __future__ import annotations

import math

from rnetstats.tables.exact_family import CountFamily, solve

__all__ = ["centre", "tail_limit"]


def tail_limit(family: CountFamily, count: int, alpha: float, *, mid: bool = False) -> float:
    """The theta at which ``P(K >= count)``, less half of ``P(K = count)`` if mid, is alpha."""
    at = count - family.low
    if at == 0:
        return -math.inf

    def excess(theta: float) -> float:
        p = family.pmf(theta)
        tail = p[at:].sum() - (0.5 * p[at] if mid else 0.0)
        return math.log(tail) - math.log(alpha) if tail > 0.0 else -math.inf

    if mid and count == family.high and alpha >= 0.5:
        return math.inf
    middle, step = centre(family, count)
    return solve(lambda theta: max(excess(theta), -1e3), middle, step)


def centre(family: CountFamily, count: int) -> tuple[float, float]:
    """A finite theta near the estimate, and about two standard errors of it.

    They are the slope of the log weights at ``count``, and what their curvature there says.
    """
    weight = family.log_weight
    at = min(max(count - family.low, 1), len(weight) - 1)
    slope = float(weight[at - 1] - weight[at])
    if at + 1 == len(weight):
        return slope, 1.0
    curvature = float(2.0 * weight[at] - weight[at - 1] - weight[at + 1])
    return slope, min(1.0, 2.0 * math.sqrt(curvature))
