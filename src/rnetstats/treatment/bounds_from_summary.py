"""Bounds from what a paper prints: patients, and person-time or the median follow-up."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from rnetstats._core.options import positive_int, real
from rnetstats.errors import DataError, OptionError
from rnetstats.survival.bpcp import beta_product_limits
from rnetstats.survival.curve_tables import time_points
from rnetstats.treatment.bounds import Followed

__all__ = ["followed_summary", "least_person_time", "survival_of_those_left"]

_RISK_NOTE = (
    "The bound on the risk is that of an event within each patient's own follow-up, whatever its "
    "length; it is not the risk at a time."
)


def least_person_time(n: int, median: float, shortest: float = 0.0) -> float:
    """Return the least person-time of n patients with this median of their observed times."""
    half = math.ceil(n / 2)
    return half * median + (n - half) * shortest


def followed_summary(
    n: int | None,
    person_time: float | None,
    median: float | None,
    shortest: float,
    events: int,
    times: float | Sequence[float] | None,
    conf_level: float,
) -> tuple[Followed, tuple[str, ...]]:
    """Read what was printed.

    Raises
    ------
    OptionError, DataError
    """
    count = None if n is None else positive_int("n", n)
    events = positive_int("events", events, minimum=0)
    if count is not None and events > count:
        raise DataError(f"There cannot be more events ({events}) than patients ({count}).")
    shortest = real("shortest_follow_up", shortest, low=0.0)
    notes, least = [], False
    if person_time is not None:
        person_time = real("person_time", person_time, low=0.0, closed=False)
    if median is not None:
        median = real("median_follow_up", median, low=0.0, closed=False)
        if count is None:
            raise OptionError("median_follow_up= bounds the person-time of n patients: add n=.")
        if shortest > median:
            raise OptionError("shortest_follow_up is longer than the median follow-up.")
        if person_time is None:
            person_time, least = least_person_time(count, median, shortest), True
            notes.append(_least_note(count, median, shortest))
        elif person_time < least_person_time(count, median, shortest) * (1.0 - 1e-9):
            raise OptionError(
                f"person_time={person_time:g} is less than {count} patients with a median of "
                f"{median:g} must have; are both in one unit?"
            )
    elif shortest and count is not None and person_time is None:
        person_time, least = count * shortest, True
        notes.append(f"The person-time is at least {count} times {shortest:g}.")
    survival, more = _survival(count, median, events, times, conf_level)
    notes += more
    if count is not None:
        notes.append(_RISK_NOTE)
    return Followed("all", count, events, person_time, least, survival), tuple(notes)


def _least_note(n: int, median: float, shortest: float) -> str:
    half, least = math.ceil(n / 2), least_person_time(n, median, shortest)
    rest = f" + {n - half} x {shortest:g}" if shortest else ""
    return (
        f"At least {half} of {n} patients were followed for at least the median, so that the "
        f"person-time is at least {half} x {median:g}{rest} = {least:,.1f}; the rate is bounded "
        "with that (its true bound is lower still). This takes the median to be that of the "
        "observed times: a reverse Kaplan-Meier median, where many left by dying, is longer."
    )


def _survival(
    n: int | None,
    median: float | None,
    events: int,
    times: float | Sequence[float] | None,
    conf_level: float,
) -> tuple[pd.DataFrame, list[str]]:
    """Survival up to the median follow-up, to which at least half were watched without an event."""
    if median is None or n is None:
        if times is not None:
            raise OptionError("Survival at times= needs n= and median_follow_up=, or data.")
        return survival_of_those_left(0, [], conf_level), []
    wanted = time_points(median if times is None else times)
    if not wanted.size or (wanted <= 0).any():
        raise OptionError(f"times must be positive numbers, not {times!r}.")
    if (wanted > median).any():
        raise OptionError(
            f"times={wanted.max():g} is beyond the median follow-up of {median:g}: how many were "
            "watched for so long is not known."
        )
    if events:
        note = "When the events happened is not known: survival at a time is not bounded."
        return survival_of_those_left(0, [], conf_level), [note]
    return survival_of_those_left(math.ceil(n / 2), list(wanted), conf_level), []


def survival_of_those_left(left: int, times: Sequence[float], conf_level: float) -> pd.DataFrame:
    """Return the limits of survival where `left` patients were watched past a time, all event-free.

    Columns ``sides, time, n, estimate, conf_low, conf_high``.
    """
    one, none = np.ones(1), np.zeros(1)
    rows = []
    for time in times:
        for sides, inner in (("two-sided", conf_level), ("one-sided", 2.0 * conf_level - 1.0)):
            low, _ = beta_product_limits(left * one, none, left * one, conf_level=inner)
            rows.append((sides, float(time), left, 1.0, float(low[0]), 1.0))
    columns = ["sides", "time", "n", "estimate", "conf_low", "conf_high"]
    return pd.DataFrame(rows, columns=columns)
