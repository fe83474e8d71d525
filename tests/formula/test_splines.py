"""Spline bases against R, and what makes them splines: linear tails, smooth joints."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.formula.splines import (
    natural_basis,
    natural_knots,
    restricted_basis,
    restricted_knots,
    weighted_quantiles,
)
from support import assert_close, case, read

# splines::ns(c(1, 2, 3, 4, 5, 7, 9, 12), knots = c(4, 6), Boundary.knots = c(2, 8)), R 4.2.2
NS_ROWS = [
    [0.12677314, -0.3803194, 0.2535463],
    [0.0, 0.0, 0.0],
    [-0.09686347, 0.3530904, -0.2353936],
    [-0.01426895, 0.5428068, -0.3618712],
    [0.32047336, 0.4760799, -0.2965533],
    [0.34590826, 0.3372752, 0.2959832],
    [-0.67857143, 0.5357143, 1.1428571],
    [-2.28571429, 0.8571429, 2.4285714],
]
VALUES = st.lists(st.integers(-500, 500), min_size=12, max_size=60, unique=True).map(
    lambda values: np.array(values) / 10
)


def test_natural_spline_of_r() -> None:
    values = case("logistic_ml", "birthwt_ns")["values"]
    x = read("birthwt.csv")["lwt"].to_numpy(dtype=float)
    knots, boundary = natural_knots(x, 3)
    assert_close(knots, values["knots"])
    assert_close(boundary, values["boundary_knots"])
    assert_close(natural_basis(x, knots, boundary)[:5], values["basis_rows_1_to_5"])


def test_natural_spline_of_r_beyond_its_boundary() -> None:
    x = np.array([1.0, 2, 3, 4, 5, 7, 9, 12])
    basis = natural_basis(x, np.array([4.0, 6.0]), np.array([2.0, 8.0]))
    np.testing.assert_allclose(basis, NS_ROWS, atol=5e-8)


def test_restricted_spline_of_rms() -> None:
    values = case("logistic_ml", "birthwt_rcs4")["values"]
    x = read("birthwt.csv")["lwt"].to_numpy(dtype=float)
    knots = restricted_knots(x, 4)
    assert_close(knots, values["knots"])
    assert_close(restricted_basis(x, knots)[:5], values["basis_rows_1_to_5"])


def test_restricted_spline_by_hand() -> None:
    # Knots 0, 1, 2: (x+^3 - 2 (x-1)+^3 + (x-2)+^3) / 4; past 2 it is 6 (x - 1) / 4.
    x = np.array([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 5.0])
    bent = [0.0, 0.0, 0.125 / 4, 1 / 4, 6 / 4, 12 / 4, 24 / 4]
    np.testing.assert_allclose(
        restricted_basis(x, np.array([0.0, 1, 2])), np.column_stack([x, bent]), atol=1e-14
    )


@pytest.mark.parametrize(
    ("count", "shares"),
    [
        (3, [0.10, 0.5, 0.90]),
        (4, [0.05, 0.35, 0.65, 0.95]),
        (5, [0.05, 0.275, 0.5, 0.725, 0.95]),
        (6, [0.05, 0.23, 0.41, 0.59, 0.77, 0.95]),
        (7, [0.025, 0.1833, 0.3417, 0.5, 0.6583, 0.8167, 0.975]),
    ],
)
def test_default_knots_stand_at_harrells_shares(count: int, shares: list[float]) -> None:
    x = np.linspace(0, 1, 1001)
    np.testing.assert_allclose(restricted_knots(x, count), shares, atol=5e-5)


def test_small_samples_put_the_outer_knots_at_the_fifth_values() -> None:
    x = np.arange(1.0, 51)
    np.testing.assert_allclose(restricted_knots(x, 4)[[0, -1]], [5, 46])
    np.testing.assert_allclose(restricted_knots(np.arange(1.0, 101), 4)[0], 5.95)


@given(VALUES, st.integers(3, 6))
def test_splines_are_linear_in_the_tails(x: np.ndarray, size: int) -> None:
    low, high = x.min(), x.max()
    width = high - low
    inner = np.linspace(low + 0.1 * width, high - 0.1 * width, size)
    tails = np.array([low - 3 * width, low - 2 * width, low - width]), high + width * np.arange(3)
    for basis in (
        lambda z: restricted_basis(z, np.array([low, *inner, high])),
        lambda z: natural_basis(z, inner, np.array([low, high])),
    ):
        for tail in tails:
            rows = basis(tail)
            second = rows[0] - 2 * rows[1] + rows[2]
            np.testing.assert_allclose(second, 0, atol=1e-8 * np.abs(rows).max())


@given(VALUES)
def test_both_bases_span_the_same_functions(x: np.ndarray) -> None:
    knots = np.quantile(x, [0.05, 0.35, 0.65, 0.95])
    z = np.linspace(knots[0] - 5, knots[-1] + 5, 40)
    restricted = np.column_stack([np.ones(40), restricted_basis(z, knots)])
    natural = natural_basis(z, knots[1:-1], knots[[0, -1]])
    fitted = restricted @ np.linalg.lstsq(restricted, natural, rcond=None)[0]
    np.testing.assert_allclose(fitted, natural, atol=1e-6 * max(1.0, np.abs(natural).max()))


@given(VALUES, st.lists(st.integers(0, 4), min_size=60, max_size=60))
def test_weighted_quantiles_are_those_of_replicated_rows(x: np.ndarray, counts: list[int]) -> None:
    freq = np.array(counts[: len(x)], dtype=float)
    freq[0] += 1
    shares = np.array([0.0, 0.05, 0.3, 0.5, 0.95, 1.0])
    expected = np.quantile(np.repeat(x, freq.astype(int)), shares)
    np.testing.assert_allclose(weighted_quantiles(x, shares, freq), expected, atol=1e-12)
