"""Interpolated loess: cuts by hand, what it reproduces, ties and few values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.loess import loess
from rnetstats.kernels.loess_interpolated import (
    _knots,
    interpolated_operator,
    loess_interpolated,
)
from rnetstats.kernels.neighbourhoods import distinct


def test_cuts_by_hand() -> None:
    # 20 rows, a neighbourhood of 15, pieces of 3: cut after the 10th, 5th and 15th, 3rd, 8th, ...
    knots = _knots(distinct(np.arange(20.0)), 0.75)
    middle = [2, 4, 7, 9, 12, 14, 17]
    np.testing.assert_allclose(knots, [-0.095, *middle, 19.095])
    # Among ties the next gap above the median (1 2 2 2 | 3), then below it (1 | 2 2 2), as long as
    # the piece goes on in both directions: 1 2 2 2 2 is cut among its ties.
    above = np.array([1.0, 2.0, 2.0, 2.0, 3.0])
    np.testing.assert_allclose(_knots(distinct(above), 1.0)[1:-1], [1.0, 2.0])
    below = np.array([1.0, 2.0, 2.0, 2.0, 2.0])
    np.testing.assert_allclose(_knots(distinct(below), 1.0)[1:-1], [2.0])


@given(st.integers(0, 999), st.sampled_from([1, 2]), st.sampled_from([0.5, 0.75, 1.0]))
def test_polynomials_are_reproduced_and_weights_are_rows(
    seed: int, degree: int, span: float
) -> None:
    rng = np.random.default_rng(seed)
    x, freq = np.round(rng.random(40), 2), rng.integers(1, 4, 40)
    y = rng.integers(0, 2, 40).astype(float)
    curve = loess_interpolated(x, 1.0 - x**degree, span=span, degree=degree)
    np.testing.assert_allclose(curve, 1.0 - x**degree, atol=1e-10)
    weighted = loess_interpolated(x, y, freq, span=span, degree=degree)
    again = loess_interpolated(np.repeat(x, freq), np.repeat(y, freq), span=span, degree=degree)
    np.testing.assert_allclose(np.repeat(weighted, freq), again, atol=1e-9)
    rows = distinct(x, freq)
    operator = interpolated_operator(rows, rows.x, span=span, degree=degree)
    np.testing.assert_allclose((operator @ rows.mean(y, freq))[rows.place], weighted, atol=1e-9)
    np.testing.assert_allclose(operator.sum(axis=1), 1.0, atol=1e-9)


def test_it_is_near_the_curve_fitted_at_each_point() -> None:
    rng = np.random.default_rng(1)
    x = rng.random(300)
    y = (rng.random(300) < x).astype(float)
    apart = np.abs(loess_interpolated(x, y) - loess(x, y))
    assert 0.0 < apart.max() < 0.02


@pytest.mark.parametrize(
    "x",
    [
        [0.2, 0.2, 0.2],
        [0.1, 0.4],
        [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.3, 0.9],
        [0.1, 0.3, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9],
        [0.1, 0.2, 0.3],
    ],
)
@pytest.mark.parametrize("degree", [0, 1, 2])
def test_few_values_and_ties(x: list[float], degree: int) -> None:
    level = loess_interpolated(x, np.full(len(x), 0.3), degree=degree)
    np.testing.assert_allclose(level, 0.3, atol=1e-10)
    y = np.arange(len(x)) % 2
    assert np.isfinite(loess_interpolated(x, y, degree=degree)).all()
