"""Times that differ by rounding alone are one time, in the data and when asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.same_times import as_observed, merged_times, one_time

TENTHS = st.lists(st.integers(0, 600), min_size=1, max_size=30)


def noisy(tenths: list[int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return times in tenths, and the same a few last digits later, each also as it is."""
    clean = np.array(tenths, dtype=float) / 10.0
    later = clean * (1.0 + np.random.default_rng(seed).integers(0, 5, clean.size) * 2.0**-52)
    return np.append(clean, clean), np.append(clean, later)


@given(TENTHS, st.integers(0, 2**32 - 1))
def test_what_was_asked_for_is_what_was_merged(tenths: list[int], seed: int) -> None:
    clean, times = noisy(tenths, seed)
    (merged,) = merged_times([times])
    assert merged.tolist() == clean.tolist()
    assert as_observed(times, merged).tolist() == clean.tolist()
    assert float(as_observed(times.max(), merged)) == merged.max()


@given(TENTHS, st.integers(1, 9))
def test_other_times_stay_as_they_are(tenths: list[int], hundredths: int) -> None:
    observed = np.array(tenths, dtype=float) / 10.0
    between = observed + hundredths / 100.0
    assert as_observed(between, observed).tolist() == between.tolist()
    beyond = observed.max() * (1.0 + 1e-9) + 1e-9
    assert float(as_observed(beyond, observed)) == beyond


def test_a_time_just_below_the_only_one_is_that_one() -> None:
    assert float(as_observed(0.3, [0.1 + 0.2, 5.0])) == 0.1 + 0.2
    assert as_observed([0.0, 5.0 * (1 - 1e-15)], [0.1 + 0.2, 5.0]).tolist() == [0.0, 5.0]


def test_missing_and_infinite_times_stay() -> None:
    asked, observed = [np.nan, np.inf, 3.0, 0.0], [3.0, np.inf]
    np.testing.assert_array_equal(as_observed(asked, observed), asked)
    np.testing.assert_array_equal(as_observed(asked, [3.0]), asked)
    assert as_observed([], observed).size == 0


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (0.3, 0.1 + 0.2, True),
        (0.0, 0.0, True),
        (0.0, 1e-300, False),
        (60.0, 60.0 * (1 + 0.9e-10), True),
        (60.0, 60.0 * (1 + 1.1e-10), False),
        (60.0, np.inf, False),
        (60.0, np.nan, False),
    ],
)
def test_one_time(first: float, second: float, same: bool) -> None:
    assert bool(one_time(first, second)) == same
    assert bool(one_time(second, first)) == same


def test_times_that_differ_are_given_back_untouched() -> None:
    times = [np.array([1.0, 2.0]), np.array([3.0, 3.0])]
    assert merged_times(times) is times
