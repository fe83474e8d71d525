"""Every split of a marker in two groups, for many replicates at once.

A split puts the rows with x <= v in the lower group, v being a value that the replicate holds, and
the others in the upper one. Sums over the lower group come from one running sum along the sorted
marker.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Flags",
    "Floats",
    "Splits",
    "allowed_splits",
    "best_of",
    "chosen_cut",
    "cut_values",
    "running_sums",
    "splits_of",
]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.intp]

_TIE = 1e-10  # statistics closer than this, relative to the largest, are equal
_DIGITS = 12  # significant digits of a value halfway between two others


@dataclass(frozen=True, eq=False)
class Splits:
    """The distinct values of a marker.

    Attributes
    ----------
    order
        (n,) rows by rising marker.
    last
        (k,) place in that order of the last row of each distinct value.
    values
        (k,) distinct values, ascending.
    """

    order: Integers
    last: Integers
    values: Floats


def splits_of(x: ArrayLike) -> Splits:
    """Sort a marker (n,) once for all replicates."""
    marker = np.asarray(x, dtype=np.float64)
    order = np.argsort(marker, kind="stable")
    values, first = np.unique(marker[order], return_index=True)
    return Splits(order, np.append(first[1:], marker.size) - 1, values)


def running_sums(splits: Splits, amounts: Floats) -> Floats:
    """Sums (B, k) of amounts (B, n) over the rows with x at most each distinct value."""
    return np.asarray(np.cumsum(amounts[:, splits.order], axis=1)[:, splits.last])


def allowed_splits(below: Floats, minprop: float, maxprop: float) -> Flags:
    """Which splits a replicate may choose.

    The value itself is held by the replicate, neither group is empty, and the lower group has at
    least floor(N minprop) and at most floor(N maxprop) rows.

    Parameters
    ----------
    below
        (B, k) rows with x at most each distinct value.
    minprop, maxprop
        Shares of the N rows.
    """
    total = below[:, -1:]
    held = np.diff(below, axis=1, prepend=0.0) > 0
    inside = (below >= _whole(total * minprop)) & (below <= _whole(total * maxprop))
    return np.asarray(held & inside & (below > 0) & (below < total))


def _whole(rows: Floats) -> Floats:
    """Whole rows in a product that may fall short of a whole number by rounding."""
    return np.asarray(np.floor(rows + 1e-9))


def best_of(
    statistic: Floats, allowed: Flags, direction: str | None, exact: bool
) -> tuple[Flags, Floats]:
    """Which splits are equally good, and which way the marker points.

    Parameters
    ----------
    statistic
        (B, k), positive where the upper group has the more events.
    allowed
        (B, k).
    direction
        ">=": more events above; "<=": below; None: whichever gives the larger statistic, ">=" of
        equal ones.
    exact
        Equal numbers only, or up to rounding.

    Returns
    -------
    tuple
        Flags (B, k) of the best splits, and the sign (B,), +1.0 for ">=".
    """
    upper = np.where(allowed, statistic, -np.inf).max(axis=1)
    lower = np.where(allowed, -statistic, -np.inf).max(axis=1)
    largest = np.maximum(upper, lower)
    slack = 0.0 if exact else _TIE * np.maximum(np.abs(largest), 1.0)
    with np.errstate(invalid="ignore"):
        if direction is None:
            sign = np.where(upper >= largest - slack, 1.0, -1.0)
        else:
            sign = np.full(len(upper), 1.0 if direction == ">=" else -1.0)
        best = np.where(sign > 0, upper, lower)
        reaching = sign[:, None] * statistic >= (best - slack)[:, None]
    return allowed & reaching, sign


def cut_values(splits: Splits, below: Floats, report: str) -> Floats:
    """The cut-off (B, k) that each split is reported by.

    Parameters
    ----------
    splits
        Of the marker.
    below
        (B, k) rows with x at most each distinct value.
    report
        "below": the largest value of the lower group. "above": the smallest of the upper group.
        "midpoint": halfway between the two.
    """
    lower = np.broadcast_to(splits.values, below.shape)
    if report == "below":
        return lower
    held = np.diff(below, axis=1, prepend=0.0) > 0
    later = np.where(held, splits.values, np.inf)[:, ::-1]
    onward = np.minimum.accumulate(later, axis=1)[:, ::-1]
    upper = np.concatenate((onward[:, 1:], np.full((len(below), 1), np.inf)), axis=1)
    return upper if report == "above" else _halfway(lower, upper)


def chosen_cut(best: Flags, cuts: Floats, rule: str) -> Floats:
    """One cut-off (B,) among equally good ones; NaN where there is none.

    Parameters
    ----------
    best
        (B, k) the best splits.
    cuts
        (B, k) or (1, k) their cut-offs.
    rule
        "median" (the mean of the middle two of an even number) or "first", the smallest.
    """
    count = best.sum(axis=1)
    rank = np.cumsum(best, axis=1)
    rows, values = np.arange(len(best)), np.broadcast_to(cuts, best.shape)

    def nth(place: Integers) -> Floats:
        return np.asarray(values[rows, np.argmax(rank > place[:, None], axis=1)])

    zero = np.zeros_like(count)
    lower = nth(zero if rule == "first" else np.maximum(count - 1, 0) // 2)
    upper = lower if rule == "first" else nth(np.maximum(count // 2, 0))
    with np.errstate(invalid="ignore"):
        middle = np.where(lower == upper, lower, _halfway(lower, upper))
    return np.where(count > 0, middle, np.nan)


def _halfway(lower: Floats, upper: Floats) -> Floats:
    """Halfway between two values, without the last digits of the arithmetic.

    So the middle of 0.1 and 0.3 is the 0.2 of the data, and of 0 and 0.4 too: else `x >= cut`
    would part a value from itself, and one cut-off would count as two.
    """
    middle = np.asarray(lower + (upper - lower) / 2.0)
    finite = np.abs(middle[np.isfinite(middle)])
    largest = float(finite.max()) if finite.size else 0.0
    if not 1e-9 < largest < 1e11:  # beyond these the power of ten is not exact
        return middle
    scale = 10.0 ** (_DIGITS - int(np.ceil(np.log10(largest))))
    rounded = np.rint(middle * scale) / scale
    return np.where((lower < rounded) & (rounded < upper), rounded, middle)
