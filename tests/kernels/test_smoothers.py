"""Lowess and loess of a single sample."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.loess import loess, loess_operator
from rnetstats.kernels.lowess import lowess, lowess_operator
from rnetstats.kernels.neighbourhoods import distinct, window_width


def sample(seed: int, n: int = 60, digits: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.round(rng.beta(1.5, 4.0, n), digits)
    y = (rng.random(n) < x).astype(float)
    return x, y, rng.integers(1, 4, n).astype(float)


@given(st.integers(0, 10_000), st.sampled_from([1, 2, 6]), st.floats(0.05, 1.0))
def test_window_holds_the_nearest_rows(seed, digits, share):
    x, _, freq = sample(seed, 40, digits)
    rows = distinct(x, freq)
    q = max(1.0, np.floor(share * freq.sum()))
    points = np.linspace(0.0, 1.0, 17)
    width = window_width(rows.x, np.cumsum(rows.count), points, q)
    each = np.repeat(x, freq.astype(int))
    wanted = np.sort(np.abs(each - points[:, None]), axis=1)[:, int(q) - 1]
    np.testing.assert_allclose(width, wanted, atol=1e-14)


@pytest.mark.parametrize("smooth", [lowess, loess])
@given(seed=st.integers(0, 10_000), digits=st.sampled_from([1, 2, 6]))
def test_frequency_weights_are_replicated_rows(smooth, seed, digits):
    x, y, freq = sample(seed, 40, digits)
    times = freq.astype(int)
    replicated = smooth(np.repeat(x, times), np.repeat(y, times))
    np.testing.assert_allclose(
        np.repeat(smooth(x, y, freq), times), replicated, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("smooth", [lowess, loess])
@given(seed=st.integers(0, 10_000))
def test_a_straight_line_stays_itself(smooth, seed):
    x, _, _ = sample(seed, 50, 6)
    np.testing.assert_allclose(smooth(x, 0.2 + 0.7 * x), 0.2 + 0.7 * x, atol=1e-9)


def test_a_parabola_stays_itself_under_loess_of_degree_two():
    x, _, _ = sample(3, 50, 6)
    np.testing.assert_allclose(loess(x, x**2), x**2, atol=1e-10)
    assert np.abs(loess(x, x**2, degree=1) - x**2).max() > 1e-4


@pytest.mark.parametrize("smooth", [lowess, loess])
def test_one_value_gets_the_mean(smooth):
    np.testing.assert_allclose(smooth([0.3, 0.3, 0.3, 0.3], [0, 1, 0, 0]), 0.25)


def test_few_values_get_their_own_means_where_neighbourhoods_have_no_width():
    x = np.repeat([0.1, 0.5], 10)
    y = np.tile([1.0, 0.0, 0.0, 0.0, 0.0], 4)
    np.testing.assert_allclose(lowess(x, y, span=0.4), 0.2)
    np.testing.assert_allclose(loess(x, y, span=0.4), 0.2)


def test_lowess_by_hand():
    # five rows, a neighbourhood of four: at 2 the farthest of the four lies at distance 2
    x, y = np.arange(5.0), np.array([0.0, 1.0, 0.0, 1.0, 1.0])
    w = np.array([0.0, (1 - 0.125) ** 3, 1.0, (1 - 0.125) ** 3, 0.0])
    wanted = (w @ y) / w.sum()  # symmetric weights: the line's value is the mean
    assert lowess(x, y, span=0.8, delta=0.0)[2] == pytest.approx(wanted, rel=1e-12)
    assert loess(x, y, span=0.8, degree=1)[2] == pytest.approx(wanted, rel=1e-12)


def test_operators_give_the_curves():
    x, y, freq = sample(5)
    rows = distinct(x, freq)
    mean = rows.mean(y, freq)
    at = np.linspace(x.min(), x.max(), 9)
    np.testing.assert_allclose(lowess_operator(rows, at) @ mean, lowess(x, y, freq, at=at))
    np.testing.assert_allclose(loess_operator(rows, at) @ mean, loess(x, y, freq, at=at))
    np.testing.assert_allclose(loess_operator(rows, at).sum(axis=1), 1.0)


def test_delta_interpolates_between_few_values():
    x, y, _ = sample(6, 200, 6)
    exact, coarse = lowess(x, y, delta=0.0), lowess(x, y)
    assert 0.0 < np.abs(exact - coarse).max() < 2e-3


def test_many_points_are_interpolated():
    rng = np.random.default_rng(1)
    x = rng.random(2300)
    y = (rng.random(2300) < x).astype(float)
    few = x[:40]
    assert np.abs(loess(x, y)[:40] - loess(x, y, at=few)).max() < 1e-3


def test_loess_between_two_values_counts_both_alike():
    x, y = np.repeat([0.0, 1.0], 10), np.repeat([0.2, 0.8], 10)
    assert loess(x, y, at=[0.5], degree=0)[0] == pytest.approx(0.5)
    assert loess(x, y, at=[0.5])[0] == pytest.approx(0.5)


def test_quick_loess_is_near():
    x, y, freq = sample(7, 80, 6)
    rows, at = distinct(x, freq), np.linspace(0.05, 0.5, 9)
    exact, quick = (loess_operator(rows, at, quick=q) @ rows.mean(y, freq) for q in (False, True))
    np.testing.assert_allclose(quick, exact, atol=1e-6)


@pytest.mark.slow
def test_loess_of_many_values_needs_little_memory() -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(size=30_000)
    y = (rng.random(x.size) < x).astype(float)
    tracemalloc.start()
    curve = loess(x, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6
    direct = loess_operator(distinct(x), [0.3, 0.7]) @ distinct(x).mean(y)
    assert np.allclose(np.interp([0.3, 0.7], np.sort(x), curve[np.argsort(x)]), direct, atol=1e-5)
