"""P values and limits in a family of counts, by five definitions of a two-sided test.

``central``
    Twice the smaller tail (Fisher's exact limits of Cornfield 1956, Clopper & Pearson 1934,
    Garwood 1936).
``mid-p``
    The same with half the probability of the observed count (Lancaster 1961); not conservative.
``minlike``
    All counts no more likely than the observed one (the usual two-sided Fisher test; Sterne 1954).
``blaker``
    All counts whose smaller tail is no larger than the observed one (Blaker 2000).

The parameters not rejected by the last two need not form an interval: the limits enclose all of
them (Fay 2010), and ``gap`` says whether values between the limits are rejected.

References
----------
Blaker H (2000) Can J Stat 28:783-798. Fay MP (2010) Biostatistics 11:373-374. Sterne TE (1954)
Biometrika 41:275-278. Lancaster HO (1961) JASA 56:223-234.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from rnetstats.tables.exact_family import CountFamily, solve

__all__ = ["TIE", "Limits", "exact_limits", "exact_p_values", "one_sided_limits"]

TIE = 1.0 + 1e-7
"""Probabilities within this factor count as equal, as in Fisher's test elsewhere."""

_LONG = 20_000
"""Families longer than this are cut before anything is solved."""


class Limits(NamedTuple):
    """Limits of theta; ``gap`` is true if values between them are rejected."""

    low: float
    high: float
    gap: bool = False


def exact_p_values(family: CountFamily, count: int, theta: float) -> dict[str, float]:
    """P values of ``theta`` for an observed ``count``.

    Returns
    -------
    dict
        Keys ``less``, ``greater`` (one-sided) and ``central``, ``mid-p``, ``minlike``, ``blaker``.
    """
    p = family.pmf(theta)
    at = family.checked(count) - family.low
    below, above = np.cumsum(p), np.cumsum(p[::-1])[::-1]
    smaller = np.minimum(below, above)
    mid = min(below[at], above[at]) - 0.5 * p[at]
    values = {
        "less": below[at],
        "greater": above[at],
        "central": 2.0 * smaller[at],
        "mid-p": 2.0 * mid,
        "minlike": p[p <= p[at] * TIE].sum(),
        "blaker": p[smaller <= smaller[at] * TIE].sum(),
    }
    return {name: min(1.0, float(value)) for name, value in values.items()}


def one_sided_limits(family: CountFamily, count: int, alpha: float, *, mid: bool = False) -> Limits:
    """The lower and the upper limit of one-sided level ``1 - alpha`` each."""
    low = _tail_limit(family, count, alpha, mid=mid)
    return Limits(low, -_tail_limit(family.reflected(), -count, alpha, mid=mid))


def exact_limits(family: CountFamily, count: int, alpha: float) -> dict[str, Limits]:
    """Limits of theta of level ``1 - alpha`` by each two-sided definition."""
    family = _near(family, family.checked(count))
    wide = one_sided_limits(family, count, 1e-6 * alpha)
    family = _window(family, wide.low, wide.high, count)
    found = {
        "central": one_sided_limits(family, count, alpha / 2.0),
        "mid-p": one_sided_limits(family, count, alpha / 2.0, mid=True),
    }
    # Blaker's P is at most twice the tail; the other's second tail may be longer than the first.
    for name, breaks, start in (
        ("minlike", _minlike_break, 1e-6 * alpha),
        ("blaker", _blaker_break, 0.5 * alpha),
    ):
        low, gap_low = _hull_limit(family, count, alpha, breaks, start)
        high, gap_high = _hull_limit(family.reflected(), -count, alpha, breaks, start)
        found[name] = Limits(low, -high, gap_low or gap_high)
    return found


def _tail_limit(family: CountFamily, count: int, alpha: float, *, mid: bool = False) -> float:
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
    centre, step = _centre(family, count)
    return solve(lambda theta: max(excess(theta), -1e3), centre, step)


def _centre(family: CountFamily, count: int) -> tuple[float, float]:
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


Break = Callable[[CountFamily, int, int], float]


def _minlike_break(family: CountFamily, count: int, other: int) -> float:
    """The theta at which ``other`` is as likely as ``count``."""
    weight = family.log_weight
    gain = weight[other - family.low] - weight[count - family.low]
    return float(gain / (count - other))


def _blaker_break(family: CountFamily, count: int, other: int) -> float:
    """The theta at which ``P(K <= other) = P(K >= count)``."""
    at, to = count - family.low, other - family.low

    def excess(theta: float) -> float:
        p = family.pmf(theta)
        upper, lower = p[at:].sum(), p[: to + 1].sum()
        return math.log(max(upper, 1e-300)) - math.log(max(lower, 1e-300))

    return solve(excess, _minlike_break(family, count, other), 0.1 * _centre(family, count)[1])


def _hull_limit(
    family: CountFamily, count: int, alpha: float, next_break: Break, start: float
) -> tuple[float, bool]:
    """The smallest theta that is not rejected, and whether a larger one below the estimate is.

    Below the estimate ``p(theta) = P(K >= count) + P(K <= other)``, where ``other`` steps up by one
    at each break. Between breaks p falls, then rises (1 - p is the probability of an interval of
    counts), so the first crossing is found by looking at the ends of each piece. The walk begins
    where the tail ``P(K >= count)`` is ``start``.
    """
    if count == family.low:
        return -math.inf, False
    top = _tail_limit(family, count, alpha)
    here = _tail_limit(family, count, start)
    other = _first_other(family, count, here, next_break)
    limit: float | None = None
    gap = False
    while here < top:
        ahead = next_break(family, count, other + 1) if other + 1 < count else math.inf
        end = min(ahead, top)

        def excess(theta: float, other: int = other) -> float:
            tails = family.upper_tail(count, theta) + family.lower_tail(other, theta)
            return tails - alpha

        if limit is None:
            if excess(here) > 0.0:
                limit = here
            elif excess(end) >= 0.0:
                limit = float(brentq(excess, here, end, xtol=1e-15, rtol=1e-15))
        if limit is not None and end > max(here, limit):
            gap = _dips(family, count, other, alpha, (max(here, limit), end))
            if gap:
                break
        here, other = end, other + 1
    return (top if limit is None else limit), gap


def _first_other(family: CountFamily, count: int, theta: float, next_break: Break) -> int:
    """The largest ``other`` whose break lies at or below ``theta`` (``low - 1`` if none)."""
    below, above = family.low - 1, count
    while above - below > 1:
        middle = (below + above) // 2
        if next_break(family, count, middle) <= theta:
            below = middle
        else:
            above = middle
    return below


def _near(family: CountFamily, count: int) -> CountFamily:
    """Of a long family the counts within 60 standard errors (and 400), enough for any level."""
    size = len(family.log_weight)
    if size <= _LONG:
        return family
    reach = math.ceil(120.0 / _centre(family, count)[1]) + 400
    at = count - family.low
    first, last = max(0, at - reach), min(size, at + reach + 1)
    return CountFamily(family.low + first, family.log_weight[first:last])


def _window(family: CountFamily, low: float, high: float, count: int) -> CountFamily:
    """The family without the counts that are beyond reach for every theta in [low, high]."""
    first, last = 0, len(family.log_weight) - 1
    if math.isfinite(low):
        first = int(np.argmax(np.cumsum(family.pmf(low)) > 1e-30))
    if math.isfinite(high):
        last -= int(np.argmax(np.cumsum(family.pmf(high)[::-1]) > 1e-30))
    first, last = min(first, count - family.low), max(last, count - family.low)
    return CountFamily(family.low + first, family.log_weight[first : last + 1])


def _dips(
    family: CountFamily, count: int, other: int, alpha: float, piece: tuple[float, float]
) -> bool:
    """Whether ``P(K >= count) + P(K <= other)`` is clearly below alpha somewhere in a piece.

    The first tail rises and the second falls with theta, so that the sum is nowhere below that of
    the first at the start and the second at the end; mostly that settles it.
    """
    low, high = piece
    if family.upper_tail(count, low) + family.lower_tail(other, high) >= alpha:
        return False

    def total(theta: float) -> float:
        return family.upper_tail(count, theta) + family.lower_tail(other, theta)

    return bool(minimize_scalar(total, bounds=piece, method="bounded").fun < alpha - 1e-9)
