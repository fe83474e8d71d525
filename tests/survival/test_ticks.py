from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnetstats.survival.ticks import round_times


@pytest.mark.parametrize(
    ("last", "most", "label", "want"),
    [
        (117.9, 8, "Months", [0, 24, 48, 72, 96]),
        (117.9, 4, "dfs_months", [0, 36, 72, 108]),
        (1022.0, 4, "days", [0, 500, 1000]),
        (0.0, 4, "", [0]),
        (23.0, 6, "months", [0, 5, 10, 15, 20]),
        (0.7, 5, "years", [0, 0.2, 0.4, 0.6]),
    ],
)
def test_round_times(last, most, label, want):
    assert round_times(last, most, label) == pytest.approx(want)


@example(0.0009999999999999987, 2, "months")
@given(st.floats(1e-6, 1e6), st.integers(2, 12), st.sampled_from(["months", "days"]))
def test_times_are_even_and_few(last, most, label):
    times = round_times(last, most, label)
    assert 1 <= len(times) <= most
    assert times[0] == 0.0
    assert times[-1] <= last * (1 + 1e-6) + 1e-9
