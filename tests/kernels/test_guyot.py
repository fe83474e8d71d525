"""Pseudo-counts from a survival curve and its numbers at risk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.guyot import pseudo_counts, pseudo_times

PERCENT = st.integers(0, 100)
STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=12)


def counts(time: list[float], survival: list[float], risk: dict[float, int], **options: object):
    return pseudo_counts(
        np.array(time, float),
        np.array(survival, float),
        np.array(list(risk), float),
        np.array(list(risk.values())),
        **options,
    )


def test_ten_patients_by_hand() -> None:
    # 10 at risk; one event at 1 (S .9); then 9 less 3 censored leave 6 at time 4; 3 of 6 at 5
    found = counts([0, 1, 2, 5, 6], [1, 0.9, 0.9, 0.45, 0.45], {0: 10, 4: 6})
    np.testing.assert_array_equal(found.events, [0, 1, 0, 3, 0])
    # the three lie at 0.5, 1 and 1.5 of the span 0 to 2: after the points 0, 1 and 1
    np.testing.assert_array_equal(found.censored[:3], [1, 2, 0])
    # 3 censored in 2 time units, one time unit from 5 to 6: round(1.5) = 2 of the 3 left
    np.testing.assert_array_equal(found.censored[3:], [2, 0])
    assert found.remaining == 1
    np.testing.assert_array_equal(found.at_risk, [10, 6])
    np.testing.assert_array_equal(found.first, [0, 3])
    np.testing.assert_array_equal(found.last, [2, 4])


def test_times_stand_at_points_between_them_and_at_the_end() -> None:
    found = counts([0, 1, 2, 5, 6], [1, 0.9, 0.9, 0.45, 0.45], {0: 10, 4: 6})
    time, event = pseudo_times(found, np.array([0.0, 1, 2, 5, 6]))
    np.testing.assert_array_equal(time, [0.5, 1, 1.5, 1.5, 5, 5, 5, 5.5, 5.5, 6])
    np.testing.assert_array_equal(event, [0, 1, 0, 0, 1, 1, 1, 0, 0, 0])


def test_halves_are_rounded_to_even() -> None:
    # 5 patients: a fall to 0.5 is 2.5 events (2), a fall to 0.3 would be 3.5 (4)
    assert counts([0, 1], [1, 0.5], {0: 5}).events[1] == 2
    assert counts([0, 1], [1, 0.3], {0: 5}).events[1] == 4


@pytest.mark.parametrize(("events", "reached"), [(6, 6), (5, 5), (8, 6)])
def test_total_of_events_is_met_where_the_curve_allows_it(events: int, reached: int) -> None:
    time, survival = np.arange(7.0), 1.0 - np.arange(7) / 10.0
    found = counts(list(time), list(survival), {0: 10}, events=events)
    assert found.events.sum() == reached
    assert found.events.sum() + found.censored.sum() + found.remaining == 10


def test_no_event_after_the_total_is_reached() -> None:
    found = counts([0, 1, 2, 3], [1, 0.8, 0.6, 0.2], {0: 10, 2.5: 6}, events=4)
    np.testing.assert_array_equal(found.events, [0, 2, 2, 0])
    assert found.remaining == 6


def test_without_iteration_all_others_are_censored_before_the_end() -> None:
    time, survival = np.arange(11.0), 1.0 - np.arange(11) / 20.0
    found = counts(list(time), list(survival), {0: 20}, events=8, iterate=False)
    assert found.censored.sum() == 12
    assert found.events.sum() < 8


def test_a_table_that_falls_less_than_the_curve_is_not_met() -> None:
    found = counts([0, 1, 2], [1, 0.5, 0.5], {0: 10, 1.5: 9})
    np.testing.assert_array_equal(found.at_risk, [10, 5])


@given(STEPS, st.integers(0, 5))
def test_steps_with_numbers_at_risk_at_each_event_come_back(
    steps: list[tuple[int, int]], left: int
) -> None:
    """Events and censorings at times 1, 2, ...; all numbers at risk are known."""
    d, c = np.array(steps).T
    n = int(d.sum() + c.sum()) + left + 1
    at_risk = n - np.append(0, np.cumsum(d + c)[:-1])
    survival = np.cumprod(1.0 - d / at_risk)
    time = np.arange(1.0, len(d) + 1.0)
    found = counts(
        [0.0, *time],
        [1.0, *survival],
        {0.0: n} | dict(zip(time.tolist(), at_risk.tolist(), strict=True)),
    )
    np.testing.assert_array_equal(found.events[1:], d)
    np.testing.assert_allclose(found.survival[1:], survival, rtol=1e-12)
    np.testing.assert_array_equal(found.at_risk[1:], at_risk)
    assert found.events.sum() + found.censored.sum() + found.remaining == n


@given(
    st.lists(PERCENT, min_size=1, max_size=12),
    st.integers(1, 60),
    st.lists(PERCENT, max_size=4),
    st.none() | st.integers(0, 60),
    st.booleans(),
)
def test_every_patient_is_counted_once(
    levels: list[int], n: int, shares: list[int], events: int | None, iterate: bool
) -> None:
    """Whatever the curve, its table and the total, however little they go together."""
    survival = np.sort([100, *levels])[::-1] / 100.0
    time = np.arange(float(len(survival)))
    places = np.linspace(0.0, len(time) - 1.0, len(shares) + 1).round()
    risk: dict[float, int] = {}
    for place, share in zip(places.tolist(), [100, *np.sort(shares)[::-1]], strict=True):
        risk.setdefault(place, n * share // 100)
    found = counts(list(time), list(survival), risk, events=events, iterate=iterate)
    assert found.events.sum() + found.censored.sum() + found.remaining == n
    assert min(found.events.min(), found.censored.min(), found.remaining) >= 0
    assert np.all(np.diff(found.survival) <= 0.0)
    times, happened = pseudo_times(found, time)
    assert len(times) == n
    assert happened.sum() == found.events.sum()
