from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.pseudo_values import pseudo_values
from rnetstats.kernels.rmst import (
    restricted_mean_influence,
    restricted_mean_pseudo_values,
    restricted_means,
)
from support import assert_close, case, read


@st.composite
def cohorts(draw):
    n = draw(st.integers(2, 14))
    stop = draw(st.lists(st.integers(1, 9), min_size=n, max_size=n))
    event = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    tau = draw(st.floats(0.5, 9.0))
    return np.array(stop, float), np.array(event), tau


def area_by_hand(stop, event, tau):
    """The area under the product-limit curve, carried on past the last time."""
    survival, area, before = 1.0, 0.0, 0.0
    for time in np.unique(stop[event & (stop <= tau)]):
        area, before = area + survival * (time - before), time
        survival *= 1.0 - np.sum(event & (stop == time)) / np.sum(stop >= time)
    return area + survival * (tau - before)


def test_worked_by_hand():
    # S is 3/4 from 1 and 3/8 from 3: 1 + 2 * 3/4 + 1 * 3/8; the areas left are 15/8 and 3/8
    found = restricted_means([1, 2, 3, 5], [1, 0, 1, 0], 4.0)
    assert_close(found.mean, [[2.875]])
    assert_close(found.variance, [[(15 / 8) ** 2 / (4 * 3) + (3 / 8) ** 2 / (2 * 1)]])


@given(cohorts())
def test_without_censoring_it_is_the_mean_and_its_binomial_like_error(data):
    stop, _, tau = data
    cut = np.minimum(stop, tau)
    found = restricted_means(stop, np.ones(len(stop)), tau)
    assert_close(found.mean, [[cut.mean()]])
    assert_close(found.variance, [[cut.var() / len(cut)]], floor=1e-12)
    assert_close(restricted_mean_pseudo_values(stop, np.ones(len(stop)), tau), cut)


@given(cohorts())
def test_the_area_is_the_sum_of_its_pieces_and_influences_vanish_in_sum(data):
    stop, event, tau = data
    stop = np.append(stop, 10.0)  # known up to every tau
    event = np.append(event, False)
    found = restricted_means(stop, event, [tau / 2, tau])
    assert_close(found.mean, [[area_by_hand(stop, event, t) for t in (tau / 2, tau)]])
    influence = restricted_mean_influence(stop, event, tau)
    assert abs(influence.sum()) < 1e-10
    assert_close(influence @ influence, found.variance[0, 1], floor=1e-12)


@given(cohorts())
def test_pseudo_values_are_those_of_leaving_out_one_by_one(data):
    stop, event, tau = data
    n = len(stop)
    whole = area_by_hand(stop, event, tau)
    want = [
        n * whole - (n - 1) * area_by_hand(np.delete(stop, i), np.delete(event, i), tau)
        for i in range(n)
    ]
    assert_close(restricted_mean_pseudo_values(stop, event, tau), want, floor=1e-9)


@given(cohorts(), st.integers(0, 2**31))
def test_weights_are_replicated_rows_and_replicates_do_not_touch(data, seed):
    stop, event, tau = data
    freq = np.random.default_rng(seed).integers(0, 4, (3, len(stop)))
    freq[:, 0] += 1
    found = restricted_means(stop, event, tau, freq)
    for b in range(3):
        again = np.repeat(np.arange(len(stop)), freq[b])
        alone = restricted_means(stop[again], event[again], tau)
        assert_close(found.mean[b], alone.mean[0])
        assert_close(found.variance[b], alone.variance[0], floor=1e-12)
    kept = freq[0] > 0
    some = restricted_mean_pseudo_values(stop[kept], event[kept], tau, freq[0][kept])
    again = np.repeat(np.arange(len(stop)), freq[0])
    written = restricted_mean_pseudo_values(stop[again], event[again], tau)
    assert_close(np.repeat(some, freq[0][kept]), written, floor=1e-9)


@given(cohorts())
def test_time_scales(data):
    stop, event, tau = data
    one, ten = (restricted_means(f * stop, event, f * tau) for f in (1.0, 10.0))
    assert_close(ten.mean, 10.0 * one.mean)
    assert_close(ten.variance, 100.0 * one.variance)


def test_unknown_past_the_last_time_unless_the_curve_is_at_zero():
    found = restricted_means([1, 2], [1, 0], [2.0, 2.5])
    assert np.isnan(found.mean[0]).tolist() == [False, True]
    assert_close(restricted_means([1, 2], [1, 1], 7.0).mean, [[1.5]])


def test_late_entry_is_open_on_the_left():
    # at 2 only the first and third are at risk: the second enters at 2
    found = restricted_means([2, 4, 5], [1, 0, 0], 4.0, start=[0, 2, 0])
    assert_close(found.mean, [[2.0 + 2.0 * 0.5]])


@pytest.mark.parametrize("name", ["veteran_pseudo", "rnet_a_pseudo"])
def test_pseudo_values_of_r(name):
    reference = case("rmst", name)
    values, data = reference["values"], read(reference["data"])
    columns = ["time", "status"] if name.startswith("vet") else ["dfs_months", "recurrence"]
    stop, event = (data[c].to_numpy() for c in columns)
    found = restricted_mean_pseudo_values(stop, event, values["tmax"])
    assert_close(found[:10], values["pseudomean_first10"])
    assert_close(found.mean(), values["pseudomean_mean"])
    assert_close(found @ found, values["pseudomean_sum_squares"])
    at = np.column_stack([1.0 - pseudo_values(stop, event, t) for t in values["times"]])
    assert_close(at[:10], values["pseudosurv_first10"])
    assert_close(at.mean(axis=0), values["pseudosurv_mean"])
    assert_close((at**2).sum(axis=0), values["pseudosurv_sum_squares"])


def test_influence_is_the_derivative_by_a_weight_with_late_entry_too():
    rng = np.random.default_rng(8)
    stop = rng.integers(2, 12, 25).astype(float)
    start = np.where(rng.random(25) < 0.5, 0.0, np.floor(stop * rng.random(25)))
    event, weight, tau = rng.random(25) < 0.6, rng.integers(1, 4, 25) / 2.0, 8.5
    steps = 1e-5 * np.eye(25)
    above, below = (
        restricted_means(stop, event, tau, weight + way * steps, start=start).mean[:, 0]
        for way in (1.0, -1.0)
    )
    found = restricted_mean_influence(stop, event, tau, weight, start=start)
    assert_close(found, (above - below) / 2e-5, rel=1e-6, floor=1e-8)
