"""Risk sets and interval sums against the definition."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.intervals import build_intervals
from rnetstats.kernels.risksets import prepare
from support import assert_close


@st.composite
def survival_data(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 40))
    stop = np.ceil(rng.exponential(4.0, n)) + 1.0
    start = stop - rng.integers(1, 5, n) if draw(st.booleans()) else None
    event = rng.random(n) < draw(st.sampled_from([0.0, 0.3, 1.0]))
    n_strata = draw(st.sampled_from([1, 2, 15]))
    strata = rng.integers(0, n_strata, n) if n_strata > 1 else None
    return start, stop, event, strata, rng.normal(size=(2, n))


def at_risk(start, stop, strata, sets):
    """(E, n) who is at risk at each event time, by definition."""
    begin = np.full(stop.size, -np.inf) if start is None else start
    codes = np.zeros(stop.size, int) if strata is None else strata
    t, s = sets.times[:, None], sets.strata[:, None]
    return (begin < t) & (stop >= t) & (codes == s)


@given(data=survival_data())
def test_sums_over_risk_sets_and_events(data):
    start, stop, event, strata, values = data
    sets = prepare(start, stop, event, strata)
    inside = at_risk(start, stop, strata, sets)
    assert_close(sets.risk_sums(sets.sort(values)), values @ inside.T, rel=1e-12)
    died = inside & event & (stop == sets.times[:, None])
    sums = sets.death_sums(sets.sort(values)[..., sets.deaths])
    assert_close(sums, values @ died.T, rel=1e-12)
    assert died.any(axis=1).all()
    assert died.sum() == event.sum()
    assert sorted(sets.rows) == np.flatnonzero(inside.any(axis=0)).tolist()


@given(data=survival_data())
def test_looking_up_in_order_changes_nothing(data):
    start, stop, event, strata, values = data
    plain = prepare(start, stop, event, strata)
    with mock.patch("rnetstats.kernels.risksets._MANY", 1):
        sets = prepare(start, stop, event, strata)
    assert sets.rows.tolist() == plain.rows.tolist()
    sums = [s.risk_sums(s.sort(values)) for s in (sets, plain)]
    assert sums[0].tolist() == sums[1].tolist()


@given(data=survival_data())
def test_spread_is_the_transpose_of_the_risk_sums(data):
    start, stop, event, strata, values = data
    sets = prepare(start, stop, event, strata)
    steps = values[:, :1] + np.arange(sets.n_times)
    inside = at_risk(start, stop, strata, sets)
    assert_close(sets.spread(steps), sets.sort(steps @ inside), rel=1e-12)


def test_a_large_value_that_has_gone_leaves_no_trace():
    stop = np.array([2.0, 4.0, 6.0])
    sets = prepare([0.0, 2.5, 4.5], stop, [1, 1, 1])
    values = np.array([1.0, 1e18, 3.0])
    assert_close(sets.risk_sums(sets.sort(values)), [3.0, 1e18, 1.0], rel=1e-15)
    spread = np.empty(3)
    spread[sets.rows] = sets.spread(np.array([1e-18, 1.0, 1e18]))
    assert_close(spread, [1e18, 1.0, 1e-18], rel=1e-15, floor=0)


@given(
    bounds=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 21)), min_size=1, max_size=30),
    seed=st.integers(0, 1000),
)
def test_interval_sums(bounds, seed):
    first = np.array([min(a, b - 1) for a, b in bounds])
    end = np.array([max(a + 1, b) for a, b in bounds])
    cover = (np.arange(21) >= first[:, None]) & (np.arange(21) < end[:, None])
    intervals = build_intervals(first, end, 21)
    rng = np.random.default_rng(seed)
    values, steps = rng.normal(size=(3, first.size)), rng.normal(size=(3, 21))
    assert_close(intervals.column_sums(values), values @ cover, rel=1e-12)
    assert_close(intervals.row_sums(steps), steps @ cover.T, rel=1e-12)


def test_event_times_fall_within_strata():
    sets = prepare(None, [5.0, 3.0, 3.0, 1.0, 2.0], [1, 1, 1, 0, 1], [7, 7, 2, 2, 2])
    assert sets.times.tolist() == [3.0, 2.0, 5.0, 3.0]
    assert sets.strata.tolist() == [2, 2, 7, 7]
    assert sets.stratum_bounds.tolist() == [0, 2, 4]
    assert not sets.tied
    assert 3 not in sets.rows  # censored before every event of its stratum


def test_no_event_gives_no_columns():
    sets = prepare(None, [1.0, 2.0], [0, 0])
    assert sets.n_times == 0
    assert sets.rows.size == 0


def test_bad_times_are_refused():
    with pytest.raises(ValueError, match="start is not before stop in 1 rows"):
        prepare([0.0, 2.0], [1.0, 2.0], [1, 1])
    with pytest.raises(ValueError, match="finite"):
        prepare(None, [1.0, np.nan], [1, 1])
    with pytest.raises(ValueError, match="event has shape"):
        prepare(None, [1.0, 2.0], [1])
