"""Counts and sizes whose percentage prints as given, in whole-number arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from rnetstats.errors import BudgetError
from rnetstats.evidence.worlds_printed import Window

__all__ = ["CountRanges", "count_ranges", "everything", "some_size"]

_LARGEST = 1 << 62
_MOST_COUNTS = 5_000_000


@dataclass(frozen=True, eq=False)
class CountRanges:
    """For each number of events the sizes that print the percentage.

    Attributes
    ----------
    events, n_low, n_high : int array of shape (m,)
        Every size from ``n_low`` to ``n_high`` does, and no other up to the limit.
    """

    events: np.ndarray
    n_low: np.ndarray
    n_high: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """How many sizes each number of events has."""
        return np.asarray(self.n_high - self.n_low + 1)

    @property
    def pairs(self) -> int:
        """How many pairs of events and size there are."""
        return int(self.sizes.sum())


def count_ranges(share: Window, at_most: int, *, at_least: int = 1) -> CountRanges:
    """Find all events and sizes whose percentage lies in a window.

    Events e of n print so if ``low <= 100 e / n < high``, that is if n lies between
    ``100 e / high`` and ``100 e / low``. Both are quotients of whole numbers, so that no pair is
    lost or won by rounding errors.

    Parameters
    ----------
    share : Window
        Per cent.
    at_most, at_least : int
        Largest and smallest size.

    Raises
    ------
    BudgetError
        If there are too many numbers of events to go through.
    """
    high = Fraction(100) if share.high is None else min(share.high, Fraction(100))
    most = int(high * at_most / 100)
    if most >= _MOST_COUNTS:
        raise BudgetError(
            f"Up to {at_most:,} patients there are {most:,} numbers of events to go through; the "
            f"limit is {_MOST_COUNTS:,}. Give a smaller limit on the patients."
        )
    events = np.arange(most + 1, dtype=np.int64)
    n_low = np.maximum(np.maximum(_from(events, share), events), max(at_least, 1))
    n_high = np.minimum(_to(events, share, at_most), at_most)
    some = n_low <= n_high
    return CountRanges(events[some], n_low[some], n_high[some])


def some_size(share: Window, events: int) -> bool:
    """Say whether so many events are this percentage of any number of patients."""
    if events == 0:
        return share.holds(Fraction(0))
    n = events  # the smallest size, and the largest percentage
    if share.high is not None and share.high < 100:
        if share.high <= 0:
            return False
        n = max(n, ceil(100 * events / share.high))
        n += not share.high_in and 100 * events == share.high * n
    return share.holds(Fraction(100 * events, n))


def everything() -> Window:
    """The window of a percentage that is not known."""
    return Window(Fraction(0), Fraction(100))


def _from(events: np.ndarray, share: Window) -> np.ndarray:
    """Smallest size at which the percentage is below the upper end."""
    if share.high is None or share.high > 100:
        return events
    over, under = _times(events, share.high)
    if under == 0:  # the upper end is 0 per cent
        return np.where((events == 0) & share.high_in, 1, _LARGEST)
    return -(-over // under) if share.high_in else over // under + 1


def _to(events: np.ndarray, share: Window, at_most: int) -> np.ndarray:
    """Largest size at which the percentage is above the lower end."""
    if share.low < 0 or (share.low == 0 and share.low_in):
        return np.full(events.shape, at_most)
    if share.low == 0:
        return np.where(events > 0, at_most, 0)
    over, under = _times(events, share.low)
    return over // under if share.low_in else -(-over // under) - 1


def _times(events: np.ndarray, end: Fraction) -> tuple[np.ndarray, int]:
    """``100 e / end`` as whole numbers above and below the line."""
    factor = 100 * end.denominator
    if factor * int(events[-1] if events.size else 0) >= _LARGEST:
        raise BudgetError(
            "The percentage has too many decimals for so many patients: their products do not fit "
            "64 bits. Give a smaller limit on the patients."
        )
    return factor * events, end.numerator
