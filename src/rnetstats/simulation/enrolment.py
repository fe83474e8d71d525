"""Calendar time: when patients enter, and how long they can be followed.

Enrolment is uniform over the window, moved by one shift on the logistic scale: a fraction u of
the window becomes expit(logit(u) + shift). The shift is what brings the median follow-up to its
published value; no time is ever rescaled.
"""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from rnetstats.errors import RnetError
from rnetstats.simulation.recipe import MONTH_DAYS, Calendar

__all__ = ["administrative", "enrolment_day", "reverse_median", "solve_shift", "tenths"]

Array = NDArray[np.float64]
_STEPS = 32
_NEAR = 0.25
_SPREAD = 0.1


def _days(start: date, end: date) -> int:
    return (end - start).days


def enrolment_day(uniform: Array, shift: float, calendar: Calendar) -> NDArray[np.int64]:
    """Return the day of enrolment (n,), counted from the first day of the window."""
    window = _days(calendar.first, calendar.last) + 1
    fraction = expit(logit(uniform) + shift)
    return np.minimum(np.floor(fraction * window), window - 1).astype(np.int64)


def administrative(day: NDArray[np.int64], calendar: Calendar) -> Array:
    """Return the months from enrolment to the data cut-off."""
    return np.asarray((_days(calendar.first, calendar.cutoff) - day) / MONTH_DAYS)


def tenths(months: Array) -> Array:
    """Return completed tenths of a month, at least 0.1, as they are recorded.

    Rounding down keeps every time within the patient's calendar and every order between times.
    """
    return np.maximum(np.floor(months * 10.0 + 1e-9), 1.0) / 10.0


def reverse_median(time: Array, dead: NDArray[np.bool_]) -> float:
    """Return the median follow-up by reverse Kaplan-Meier: death censors, censoring counts.

    Parameters
    ----------
    time : (n,) array
        Months to death or end of follow-up.
    dead : (n,) bool array

    Returns
    -------
    float
        Infinite if the curve stays above one half.

    References
    ----------
    Schemper M, Smith TL (1996). A note on quantifying follow-up in studies of failure time.
    Controlled Clinical Trials 17, 343-346.
    """
    order = np.argsort(time + 1e-6 * dead, kind="stable")
    curve = np.cumprod(1.0 - ~dead[order] / np.arange(time.size, 0, -1))
    low = np.flatnonzero(curve <= 0.5 + 1e-12)
    return float(time[order[low[0]]]) if low.size else float("inf")


def solve_shift(
    uniform: Array, loss: Array, death: Array, calendar: Calendar, target: float
) -> float:
    """Return the shift of the enrolment law at which the median follow-up is ``target`` months.

    Bisection on the whole cohort with all random numbers held: the later the enrolment, the
    shorter the follow-up. The median moves in small jumps when a patient passes another, so of
    the shifts tried last the one nearest to the target is taken. The result is a function of the
    draws alone.

    Raises
    ------
    RnetError
        If no enrolment within the window gives this median.
    """

    def median(shift: float) -> float:
        months = administrative(enrolment_day(uniform, shift, calendar), calendar)
        followed = np.minimum(months, loss)
        return reverse_median(tenths(np.minimum(followed, death)), death <= followed)

    low, high = -8.0, 8.0
    if not median(high) <= target <= median(low):
        raise RnetError(
            f"A median follow-up of {target:g} months cannot be reached by enrolment between "
            f"{calendar.first} and {calendar.last} with a cut-off on {calendar.cutoff}."
        )
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if median(middle) > target else (low, middle)

    def miss(shift: float) -> float:
        return abs(median(shift) - target)

    tried = [low, high]
    if min(map(miss, tried)) > _NEAR:
        tried = [low + float(step) for step in np.linspace(-_SPREAD, _SPREAD, 201)]
    return min(tried, key=miss)
