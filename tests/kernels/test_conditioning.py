"""Columns that nearly determine each other, and the same model in columns that do not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistic_designs import small_data
from rnetstats.kernels.conditioning import conditioned
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.kernels.resampling import bootstrap_counts
from support import assert_close


def far_data(seed: int, mean: float, n: int = 200) -> tuple[np.ndarray, ...]:
    """Return a design with a far column and its product with an indicator, and that near zero.

    The far column is a multiple of 1/8, so that moving it by a whole number is exact.
    """
    X, y = small_data(seed, n=n)
    flag = (np.arange(n) % 3 == 0).astype(float)
    x = np.round(8 * X[:, 1]) / 8
    designs = [
        np.column_stack([np.ones(n), flag, X[:, 2], value, flag * value]) for value in (x + mean, x)
    ]
    return (*designs, y)


def back_to_near(mean: float) -> np.ndarray:
    """Return the matrix that turns coefficients of the far design into those of the near one."""
    turn = np.eye(5)
    turn[0, 3] = turn[1, 4] = mean
    return turn


@pytest.mark.parametrize("mean", [50.0, 700.0, 1e4, 1e6])
@pytest.mark.parametrize("firth", [False, True])
def test_a_far_column_is_fitted_as_the_same_one_near_zero(mean: float, firth: bool) -> None:
    far, near, y = far_data(3, mean)
    fit, expected = (fit_logistic(X, y, firth=firth) for X in (far, near))
    back = back_to_near(mean)
    assert fit.status[0] == OK
    assert_close(fit.coef[0, 2:], expected.coef[0, 2:], rel=1e-8)
    assert_close(back @ fit.coef[0], expected.coef[0], rel=1e-13 * mean + 1e-8)
    assert_close(fit.log_likelihood_penalized, expected.log_likelihood_penalized, rel=1e-9)
    assert_close(fit.log_likelihood, expected.log_likelihood, rel=1e-9)
    assert_close(fit.covariance[0, 2:, 2:], expected.covariance[0, 2:, 2:], rel=1e-8)
    turn = np.linalg.inv(back)
    assert_close(fit.covariance[0], turn @ expected.covariance[0] @ turn.T, rel=1e-8)
    assert_close(fit.information[0], back.T @ expected.information[0] @ back, rel=1e-7)


@pytest.mark.slow
@given(seed=st.integers(0, 999), firth=st.booleans())
def test_resamples_of_a_far_column_are_those_near_zero(seed: int, firth: bool) -> None:
    far, near, y = far_data(seed, 3000.0, n=120)
    rare = (np.arange(120) < 2).astype(float)  # lost in some resamples, before the far columns
    far, near = (np.insert(X, 1, rare, axis=1) for X in (far[:, :4], near[:, :4]))
    counts = bootstrap_counts(np.random.default_rng(seed), 120, 8)
    fits, expected = (fit_logistic(X, y, freq=counts, firth=firth) for X in (far, near))
    np.testing.assert_array_equal(fits.lost, expected.lost)
    np.testing.assert_array_equal(fits.status, expected.status)
    good = np.isin(fits.status, (OK, LOST_TERM))
    assert_close(fits.coef[good, 1:], expected.coef[good, 1:], rel=1e-8)
    own = fit_logistic(np.tile(far, (8, 1, 1)), y, freq=counts, firth=firth)
    assert_close(own.coef[good], fits.coef[good], rel=1e-8)


def test_a_resample_that_loses_the_partner_of_a_product() -> None:
    # The product is determined by the indicator's rows: lost with it, or in its place.
    far, near, y = far_data(4, 700.0, n=60)
    counts = np.ones((3, 60))
    counts[1, far[:, 1] == 1] = 0  # no row of the indicator: both are lost
    counts[2, (far[:, 1] == 1) & (np.arange(60) > 0)] = 0  # one row: its product is a multiple
    for firth in (False, True):
        fits, expected = (fit_logistic(X, y, freq=counts, firth=firth) for X in (far, near))
        np.testing.assert_array_equal(fits.lost, expected.lost)
        assert not fits.lost[0].any()
        assert fits.lost[2].tolist() == [False, False, False, False, True]
        assert_close(fits.coef[1:, 3], expected.coef[1:, 3], rel=1e-7)
        assert not fits.coef[fits.lost].any()
        assert not fits.covariance[1, 1].any()


@pytest.mark.parametrize("held", [0, 1, 3, 4])
def test_a_held_coefficient_is_that_of_the_column_as_given(held: int) -> None:
    far, _, y = far_data(5, 1000.0)
    whole = fit_logistic(far, y, firth=True)
    start = np.zeros(5)
    start[held] = 0.5 * whole.coef[0, held]
    free = np.arange(5) != held
    fit = fit_logistic(far, y, firth=True, start=start, free=free)
    assert fit.status[0] == OK
    assert fit.coef[0, held] == start[held]
    assert not fit.covariance[0, held].any()
    # A maximum under the restriction: the penalised score of the free columns is nil.
    turned = conditioned(far, [held])
    assert turned is not None
    likelihood = LogisticLikelihood(turned.X, y, firth=True)
    value, score, _ = likelihood(turned.inward(fit.coef), np.zeros(1, dtype=int))
    assert np.abs(score[0, free]).max() < 1e-5
    assert_close(value, fit.log_likelihood_penalized, rel=1e-9)


@pytest.mark.parametrize("held", [(), (0,), (1,), (2,), (3,), (4,), (0, 3), (1, 4)])
@pytest.mark.parametrize("mean", [100.0, 1e6])
def test_new_columns_are_apart_and_span_the_same(mean: float, held: tuple[int, ...]) -> None:
    far, _, _ = far_data(6, mean)
    turned = conditioned(far, held)
    assert turned is not None
    assert turned.keeps(held)
    scaled = turned.X / np.linalg.norm(turned.X, axis=0)
    assert np.linalg.svd(scaled, compute_uv=False)[-1] > 0.02
    assert_close(np.linalg.det(turned.turn), 1.0)
    beta = np.array([0.3, -0.2, 0.1, 0.4, -0.5])
    assert_close(turned.inward(turned.outward(beta)), beta, rel=1e-9 * mean)
    near = turned.X @ beta
    np.testing.assert_allclose(far @ turned.outward(beta), near, rtol=0, atol=1e-13 * mean + 1e-9)


def test_by_hand_the_mean_of_a_year_goes_to_the_intercept() -> None:
    year = np.array([2014.0, 2015.0, 2016.0, 2019.0])
    turned = conditioned(np.column_stack([np.ones(4), year]))
    assert turned is not None
    np.testing.assert_array_equal(turned.X, np.column_stack([np.ones(4), [-2.0, -1.0, 0.0, 3.0]]))
    np.testing.assert_array_equal(turned.turn, [[1.0, -2016.0], [0.0, 1.0]])
    assert turned.keeps([1])
    assert not turned.keeps([0])


def test_columns_that_are_apart_or_dependent_stay_as_they_are() -> None:
    X, _ = small_data(7)
    assert conditioned(X) is None
    assert conditioned(np.column_stack([X, X[:, 1] - 2 * X[:, 2]])) is None
    assert conditioned(np.column_stack([X, X[:, 1] + 1e12])) is None
    assert conditioned(X[:2]) is None
