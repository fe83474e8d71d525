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
from typing import NamedTuple

import numpy as np

from rnetstats.tables.exact_family import CountFamily
from rnetstats.tables.exact_hull import blaker_break, hull_limit, minlike_break
from rnetstats.tables.exact_tail import centre, tail_limit

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
    family = _near(family, family.checked(count))
    low = tail_limit(family, count, alpha, mid=mid)
    return Limits(low, -tail_limit(family.reflected(), -count, alpha, mid=mid))


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
        ("minlike", minlike_break, 1e-6 * alpha),
        ("blaker", blaker_break, 0.5 * alpha),
    ):
        low, gap_low = hull_limit(family, count, alpha, breaks, start)
        high, gap_high = hull_limit(family.reflected(), -count, alpha, breaks, start)
        found[name] = Limits(low, -high, gap_low or gap_high)
    return found


def _near(family: CountFamily, count: int) -> CountFamily:
    """Of a long family the counts within 60 standard errors (and 400), enough for any level."""
    size = len(family.log_weight)
    if size <= _LONG:
        return family
    reach = math.ceil(120.0 / centre(family, count)[1]) + 400
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
