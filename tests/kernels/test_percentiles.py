"""Percentile limits: NumPy's where all is finite, infinities in their place, missing left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnetstats.kernels.percentiles import percentile_limits, percentile_p, percentiles

INF, NAN = np.inf, np.nan


@given(
    arrays(float, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=st.floats(-9, 9)),
    st.floats(0.5, 0.999),
)
def test_finite_replicates_have_numpys_quantiles(values, conf_level):
    tail = (1.0 - conf_level) / 2.0
    expected = np.quantile(values, [tail, 1.0 - tail], axis=0)
    np.testing.assert_allclose(percentile_limits(values, conf_level), expected, atol=1e-7)


def test_missing_replicates_are_left_out_column_by_column():
    values = np.array([[1.0, NAN, NAN], [NAN, 5.0, NAN], [3.0, 7.0, NAN], [2.0, NAN, NAN]])
    np.testing.assert_allclose(
        percentiles(values, (0.25, 0.5)), [[1.5, 5.5, NAN], [2.0, 6.0, NAN]], rtol=1e-15
    )


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        # 41 replicates: the places of 95 % limits are the second and the last but one
        ([*range(40), INF], 1.0, 39.0),
        ([*range(39), INF, INF], 1.0, INF),
        ([-INF, -INF, *range(39)], -INF, 37.0),
        # of 30 they lie between two replicates, 0.725 of the way from the outermost
        ([*range(29), INF], 0.725, INF),
        ([-INF, *range(29)], -INF, 27.275),
        ([*range(28), INF, INF], 0.725, INF),
        ([INF, INF, INF], INF, INF),
        ([-INF, INF], -INF, INF),
        ([NAN, 4.0], 4.0, 4.0),
    ],
)
def test_infinite_replicates_count_as_infinite(values, low, high):
    found = percentile_limits(np.array(values, dtype=float), 0.95)
    assert [float(end) for end in found] == pytest.approx([low, high], rel=1e-14)


@given(arrays(float, st.integers(1, 40), elements=st.floats(allow_nan=False)))
def test_limits_follow_any_rising_change_of_scale_at_whole_places(values):
    odd = np.concatenate([values] * 40)[:41]
    low, high = percentile_limits(odd, 0.95)
    ordered = np.sort(odd)
    assert (low, high) == (ordered[1], ordered[39])


def test_replicates_of_any_shape():
    values = np.random.default_rng(1).normal(size=(50, 2, 3))
    values[0, 1, 2] = NAN
    low, high = percentile_limits(values, 0.9)
    assert low.shape == high.shape == (2, 3)
    np.testing.assert_allclose(low, np.nanquantile(values, 0.05, axis=0), rtol=1e-12)
    assert percentile_limits(np.empty((0, 2)), 0.95)[0].tolist() == pytest.approx(
        [NAN, NAN], nan_ok=True
    )
    assert percentile_limits(np.empty((5, 0)), 0.95)[0].shape == (0,)


def test_p_is_twice_the_smaller_tail():
    assert percentile_p(np.array([*range(1, 20)], dtype=float), 0.0) == pytest.approx(2 / 20)
    assert percentile_p(np.array([*range(18), -INF, NAN], dtype=float), 0.5) == pytest.approx(
        2 * 3 / 20
    )
    assert percentile_p(np.array([-1.0, 0.0, 1.0]), 0.0) == 1.0
    for sign in (-1.0, 1.0):  # replicates at the null are beyond it, on either side
        ties = sign * np.array([0.0] * 4 + [*range(1, 16)])
        assert percentile_p(ties, 0.0) == pytest.approx(2 * 5 / 20)
    assert np.isnan(percentile_p(np.array([NAN]), 0.0))
