"""Times of events and censorings from the points of a Kaplan-Meier curve and its numbers at risk.

The algorithm of Guyot, Ades, Ouwens and Welton. Between two times of the at-risk table the
censorings are spread evenly; the events then follow from the falls of the curve, rounded to whole
patients (halves to even); the number of censorings is changed until the number at risk at the next
time of the table is met. After the last time of the table the rate of censoring is that before, or
what meets the total of events.

References
----------
Guyot P, Ades AE, Ouwens MJNM, Welton NJ. Enhanced secondary analysis of survival data:
reconstructing the data from published Kaplan-Meier survival curves. BMC Med Res Methodol 2012;12:9.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PseudoCounts", "pseudo_counts", "pseudo_times"]

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class PseudoCounts:
    """What happens at and after each of k points, with m intervals of the at-risk table.

    Attributes
    ----------
    events, censored : int array, shape (k,)
        Events at each point, and censorings from it up to the next one.
    remaining : int
        At risk after the last point: censored there.
    survival : array, shape (k,)
        The product-limit estimate of the reconstructed data just after each point.
    first, last : int array, shape (m,)
        Positions of the first and last point of each interval.
    at_risk : int array, shape (m,)
        At risk just before the first point of each interval.
    """

    events: Ints
    censored: Ints
    remaining: int
    survival: Floats
    first: Ints
    last: Ints
    at_risk: Ints


@dataclass
class _Walk:
    """The state of the reconstruction, changed interval by interval."""

    time: Floats
    survival: Floats
    at_risk: list[int]
    events: list[int]
    censored: list[int]
    reached: list[float]  # the survival that the events so far give, after each point
    start: int = 0  # point of the last event before the interval
    end: int = 0  # and after it

    def through(self, low: int, stop: int, n: int, censored: Ints) -> int:
        """Walk over the points low ... stop - 1 from n patients; return those left."""
        last = self.start
        for k in range(low, stop):
            level = self.reached[last]
            fall = 1.0 - self.survival[k] / level if level > 0.0 else 0.0
            events = 0 if k == 0 else min(max(round(n * fall), 0), n)
            self.at_risk[k], self.events[k] = n, events
            self.reached[k] = level * (1.0 - events / n) if n > 0 else level
            n -= events
            self.censored[k] = min(int(censored[k - low]), n)
            n -= self.censored[k]
            if events:
                last = k
        self.end = last
        return n

    def spread(self, low: int, high: int, stop: int, number: int) -> Ints:
        """Count the censorings after each point low ... stop - 1, evenly over low to high.

        A censoring at a point's time comes after that point.
        """
        size = max(stop - low, 0)
        if number <= 0 or size == 0:
            return np.zeros(size, dtype=np.intp)
        from_, to = self.time[low], self.time[high]
        at = from_ + np.arange(1, number + 1) * (to - from_) / (number + 1)
        place = np.searchsorted(self.time[low:stop], at, side="right") - 1
        return np.bincount(np.clip(place, 0, size - 1), minlength=size)


def pseudo_counts(
    time: Floats,
    survival: Floats,
    risk_time: Floats,
    n_risk: Ints,
    *,
    events: int | None = None,
    iterate: bool = True,
) -> PseudoCounts:
    """Reconstruct the events and censorings of one curve.

    Parameters
    ----------
    time, survival : array, shape (k,)
        The curve: (0, 1) first, times rising or equal, survival never rising.
    risk_time, n_risk : array, shape (m,)
        The at-risk table, from time 0; each interval holds a point at least.
    events : int, optional
        The total of events. Without it, and with one time in the table, nobody is censored before
        the last point.
    iterate : bool
        Change the censorings of the last interval until the total is met (or comes nearest), as
        the paper does. Otherwise all who do not have the event are taken to be censored in the
        last interval, evenly, and the total is in general not met.

    Returns
    -------
    PseudoCounts
        Whose counts add up to ``n_risk[0]``.
    """
    k, m = len(time), len(risk_time)
    first = np.searchsorted(time, risk_time, side="left")
    last = np.append(first[1:] - 1, k - 1)
    walk = _Walk(time, survival, [0] * k, [0] * k, [0] * k, [1.0] * k)
    n, lost = int(n_risk[0]), 0
    for i in range(m - 1):
        low, high, stop = int(first[i]), int(last[i]), int(first[i + 1])
        guess = round(n * survival[stop] / survival[low] - n_risk[i + 1]) if survival[low] else 0
        _, n = _meet_at_risk(walk, (low, high, stop), n, int(n_risk[i + 1]), guess)
        lost += sum(walk.censored[low:stop])
        walk.start = walk.end
    low, high = int(first[-1]), int(last[-1])
    tail = _tail_censorings(walk, (low, high), n, lost, int(last[-2]) if m > 1 else None)
    remaining = _last_interval(walk, (low, high), n, tail, events, iterate)
    return PseudoCounts(
        events=np.array(walk.events, dtype=np.intp),
        censored=np.array(walk.censored, dtype=np.intp),
        remaining=remaining,
        survival=np.array(walk.reached),
        first=first.astype(np.intp),
        last=last.astype(np.intp),
        at_risk=np.array([walk.at_risk[p] for p in first], dtype=np.intp),
    )


def _meet_at_risk(
    walk: _Walk, bounds: tuple[int, int, int], n: int, wanted: int, guess: int
) -> tuple[int, int]:
    """Find the censorings of an interval that leave ``wanted``; return them and what is left."""
    low, high, stop = bounds

    def left(number: int) -> int:
        return walk.through(low, stop, n, walk.spread(low, high, stop, number))

    return _fixed_point(left, wanted, guess, n)


def _fixed_point(
    outcome: Callable[[int], int], wanted: int, guess: int, most: int
) -> tuple[int, int]:
    """Raise the number by what is too much until the outcome is as wanted, or take the nearest.

    The outcome falls as the number rises, though rounding may let it jump over what is wanted: a
    number that comes back ends the search, and all between those seen are tried.
    """
    number, seen = min(max(guess, 0), most), set[int]()
    while number not in seen:
        seen.add(number)
        found = outcome(number)
        if found == wanted or (found < wanted and number == 0):
            return number, found
        number = min(max(number + found - wanted, 0), most)
    between = range(min(seen), max(seen) + 1)
    misses = [abs(outcome(number) - wanted) for number in between]
    number = between[int(np.argmin(misses))]
    return number, outcome(number)


def _tail_censorings(
    walk: _Walk, bounds: tuple[int, int], n: int, lost: int, before: int | None
) -> int:
    """Censorings after the last time of the table at the rate of those before."""
    low, high = bounds
    if before is None:
        return 0
    span = walk.time[before] - walk.time[0]
    rate = lost / span if span > 0.0 else 0.0
    return min(round(float(rate * (walk.time[high] - walk.time[low]))), n)


def _last_interval(
    walk: _Walk,
    bounds: tuple[int, int],
    n: int,
    tail: int,
    events: int | None,
    iterate: bool,
) -> int:
    """Fill the interval after the last time of the table; return who is left after it."""
    low, high = bounds
    left = 0

    def total(number: int) -> int:
        nonlocal left
        # nobody is censored after the last point: who is left there is counted apart
        lost = np.append(walk.spread(low, high, high, number), 0)
        left = walk.through(low, high + 1, n, lost)
        return sum(walk.events)

    before = sum(walk.events[:low])
    if events is None:
        total(tail)
    elif before >= events:
        # all events have happened: a flat curve has no more
        walk.survival = np.append(
            walk.survival[:low], np.full(high + 1 - low, walk.reached[walk.start])
        )
        total(0)
    elif iterate:
        _fixed_point(total, events, tail, n)
    else:
        total(min(max(n - (events - before), 0), n))
    return left


def pseudo_times(counts: PseudoCounts, time: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the times of the pseudo-patients, rising, and whether each ends in an event.

    Events stand at the points, censorings in the middle between two points, those who are left at
    the last point.

    Returns
    -------
    time : array, shape (n,)
    event : bool array, shape (n,)
    """
    after = np.append(time[1:], time[-1])
    times = np.concatenate(
        [
            np.repeat(time, counts.events),
            np.repeat((time + after) / 2.0, counts.censored),
            np.repeat(time[-1], counts.remaining),
        ]
    )
    happened = np.arange(len(times)) < counts.events.sum()
    order = np.lexsort((~happened, times))
    return times[order], happened[order]
