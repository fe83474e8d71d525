"""Ridge logistic regression: score equations, limits, weights, effective degrees of freedom."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from logistic_designs import small_data
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.resampling import bootstrap_counts
from rnetstats.kernels.ridge import best, ridge_deviance, ridge_logistic


@given(st.integers(0, 2**32 - 1))
def test_the_penalised_score_is_zero_and_risks_are_right_on_average(seed: int) -> None:
    X, y = small_data(seed, 50)
    levels = np.array([0.3, 5.0, 80.0])
    fit = ridge_logistic(X, y, levels)
    s2 = X.var(axis=0, ddof=1)
    for k, penalty in enumerate(levels):
        risk = expit(X @ fit.coef[0, k])
        score = X.T @ (y - risk) - penalty * s2 * np.append(0.0, fit.coef[0, k, 1:])
        np.testing.assert_allclose(score, 0.0, atol=1e-8)
        np.testing.assert_allclose(risk.mean(), y.mean(), rtol=1e-9)
        W = risk * (1 - risk)
        information = X.T @ (X * W[:, None])
        P = np.diag(penalty * np.append(0.0, s2[1:]))
        trace = np.trace(information @ np.linalg.inv(information + P)) - 1
        np.testing.assert_allclose(fit.df[0, k], trace, rtol=1e-8)
        value = y @ np.log(risk) + (1 - y) @ np.log1p(-risk)
        np.testing.assert_allclose(fit.log_likelihood[0, k], value, rtol=1e-9)
        np.testing.assert_allclose(fit.aic[0, k], -2 * value + 2 * (trace + 1), rtol=1e-8)


def test_no_penalty_is_maximum_likelihood_and_a_huge_one_the_share() -> None:
    X, y = small_data(5, 80)
    fit = ridge_logistic(X, y, [0.0, 1e12])
    plain = fit_logistic(X, y)
    np.testing.assert_allclose(fit.coef[0, 0], plain.coef[0], rtol=1e-8)
    np.testing.assert_allclose(fit.df[0], [2.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(fit.coef[0, 1, 1:], 0.0, atol=1e-8)
    np.testing.assert_allclose(expit(fit.coef[0, 1, 0]), y.mean(), rtol=1e-9)


def test_an_independent_optimiser_finds_the_same() -> None:
    X, y = small_data(11, 70)
    s2 = X.var(axis=0, ddof=1)

    def loss(b: np.ndarray) -> float:
        eta = X @ b
        return float(np.logaddexp(0, eta).sum() - y @ eta + 0.5 * 4.0 * (s2[1:] @ b[1:] ** 2))

    found = minimize(
        loss, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13}
    )
    np.testing.assert_allclose(ridge_logistic(X, y, [4.0]).coef[0, 0], found.x, atol=1e-5)


@given(st.integers(0, 2**32 - 1))
def test_replicates_are_replicated_rows(seed: int) -> None:
    X, y = small_data(seed, 30)
    counts = bootstrap_counts(np.random.default_rng(seed), 30, 3)
    fit = ridge_logistic(X, y, [1.0, 10.0], freq=counts)
    for b, count in enumerate(counts):
        rows = np.repeat(np.arange(30), count)
        if len(np.unique(y[rows])) < 2:
            assert np.isnan(fit.coef[b]).all()
            continue
        alone = ridge_logistic(X[rows], y[rows], [1.0, 10.0])
        np.testing.assert_allclose(fit.coef[b], alone.coef[0], rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(fit.df[b], alone.df[0], rtol=1e-8, atol=1e-9)


def test_units_do_not_matter() -> None:
    X, y = small_data(2, 60)
    scale = np.array([1.0, 1e6, 1e-5])
    fit, other = ridge_logistic(X, y, [2.0]), ridge_logistic(X * scale, y, [2.0])
    np.testing.assert_allclose(other.coef * scale, fit.coef, rtol=1e-8)


def test_where_a_column_begins_does_not_matter() -> None:
    X, y = small_data(2, 60)
    counts = bootstrap_counts(np.random.default_rng(3), 60, 4)
    begin = np.array([0.0, 1e7, -3e6])
    designs = [X + begin, np.repeat((X + begin)[None], 4, axis=0)]
    fit = ridge_logistic(X, y, [0.5, 2.0], freq=counts)
    for design in designs:
        other = ridge_logistic(design, y, [0.5, 2.0], freq=counts)
        np.testing.assert_allclose(other.coef[..., 1:], fit.coef[..., 1:], rtol=1e-6)
        moved = other.coef[..., 0] + other.coef @ begin
        np.testing.assert_allclose(moved, fit.coef[..., 0], atol=1e-6)
        np.testing.assert_allclose(other.df, fit.df, rtol=1e-6)


def test_separated_data_have_an_estimate_only_with_a_penalty() -> None:
    X = np.column_stack([np.ones(10), np.arange(10.0)])
    y = (X[:, 1] > 4).astype(float)
    fit = ridge_logistic(X, y, [0.0, 1.0])
    assert np.isnan(fit.coef[0, 0]).all()
    assert np.isfinite(fit.coef[0, 1]).all()
    assert fit.by_aic()[0] == 1


def test_a_constant_column_stays_at_zero() -> None:
    X, y = small_data(4, 40)
    X = np.column_stack([X, np.ones(40) * 3.0])
    fit = ridge_logistic(X, y, [1.0])
    np.testing.assert_allclose(fit.coef[0, 0, :3], ridge_logistic(X[:, :3], y, [1.0]).coef[0, 0])
    assert fit.coef[0, 0, 3] == 0.0


def test_deviance_of_folds_is_that_of_fits_without_them() -> None:
    X, y = small_data(8, 60)
    folds = np.arange(60) % 5
    found = ridge_deviance(X, y, folds, [0.5, 20.0])
    expected = np.zeros(2)
    for fold in range(5):
        fit = ridge_logistic(X[folds != fold], y[folds != fold], [0.5, 20.0])
        held = folds == fold
        for k in range(2):
            p = expit(X[held] @ fit.coef[0, k])
            expected[k] -= 2 * (y[held] @ np.log(p) + (1 - y[held]) @ np.log1p(-p))
    np.testing.assert_allclose(found[0], expected, rtol=1e-9)
    assert best(np.array([[np.nan, 3.0, 2.0]])).tolist() == [2]


def test_own_designs_agree_with_a_shared_one() -> None:
    X, y = small_data(9, 40)
    counts = bootstrap_counts(np.random.default_rng(1), 40, 3)
    shared = ridge_logistic(X, y, [1.0], freq=counts).coef
    own = ridge_logistic(np.repeat(X[None], 3, axis=0), y, [1.0], freq=counts).coef
    np.testing.assert_allclose(own, shared, rtol=1e-8)


def test_folds_without_an_estimate_are_missing_without_a_warning() -> None:
    x = np.arange(12.0)
    X = np.column_stack([np.ones(12), x])
    found = ridge_deviance(X, (x > 5).astype(float), np.arange(12) % 3, [0.0, 1.0])
    assert np.isnan(found[0, 0])
    assert np.isfinite(found[0, 1])
