"""FLIC and FLAC at array level, against logistf and by their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from logistic_designs import logistic_case, small_data
from rnetstats.kernels.flic import fit_flac, flic_intercept
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.newton import DIVERGED
from rnetstats.kernels.resampling import bootstrap_counts
from support import assert_close, case, case_ids

BOTH = [name for name in case_ids("logistic_firth") if name != "rnet_zero_events"]


@pytest.mark.parametrize("name", BOTH)
def test_flic_agrees_with_its_reference(name: str) -> None:
    X, y, freq, values = logistic_case(case("logistic_firth", name))
    fit = fit_logistic(X, y, freq=freq, firth=True)
    intercept = flic_intercept(X, y, fit.coef, freq=freq)
    coef = np.append(intercept, fit.coef[0, 1:])
    assert_close(coef, values["flic_coef"])
    risk = expit(X @ coef)
    assert_close(risk[:10], values["flic_fitted_first10"])
    assert_close(np.average(risk, weights=freq), values["flic_mean_fitted"])


def augmented(
    X: np.ndarray, y: np.ndarray, freq: np.ndarray | None, coef: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The data with pseudo-observations, as Puhr et al. (2017) define them."""
    w = np.ones(len(y)) if freq is None else freq
    p = expit(X @ coef)
    spread = w * p * (1 - p)
    h = spread * ((X @ np.linalg.inv(X.T @ (X * spread[:, None]))) * X).sum(axis=1)
    mark = np.repeat([0.0, 1.0, 1.0], len(y))
    stacked = np.column_stack([np.vstack([X, X, X]), mark])
    return stacked, np.concatenate([y, y, 1 - y]), np.concatenate([w, h / 2, h / 2])


def irls_covariance(X: np.ndarray, y: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inverse information at the estimate, and as glm.fit (epsilon 1e-14) leaves it behind."""
    mu = (w * y + 0.5) / (w + 1.0)
    eta, old = np.log(mu / (1 - mu)), np.inf
    for _ in range(200):
        spread = w * mu * (1 - mu)
        root = np.sqrt(spread)
        target = (eta + (y - mu) / (mu * (1 - mu))) * root
        eta = X @ np.linalg.lstsq(X * root[:, None], target, rcond=None)[0]
        mu = expit(eta)
        deviance = -2 * float(w @ np.where(y == 1, np.log(mu), np.log1p(-mu)))
        if abs(deviance - old) / (abs(deviance) + 0.1) < 1e-14:
            break
        old = deviance
    final = w * mu * (1 - mu)
    return np.linalg.inv(X.T @ (X * final[:, None])), np.linalg.inv(X.T @ (X * spread[:, None]))


@pytest.mark.parametrize("name", BOTH)
def test_flac_agrees_with_its_reference(name: str) -> None:
    X, y, freq, values = logistic_case(case("logistic_firth", name))
    fit = fit_logistic(X, y, freq=freq, firth=True)
    flac = fit_flac(X, y, fit, freq=freq)
    assert_close(flac.coef[0], values["flac_coef"])
    assert_close(flac.indicator[0], values["flac_augmented_indicator_coef"])
    X3, y3, w3 = augmented(X, y, freq, fit.coef[0])
    at_estimate, at_last_step = irls_covariance(X3, y3, w3)
    p = X.shape[1]
    assert_close(np.sqrt(np.diag(at_last_step))[:p], values["flac_se_fisher"])
    # R's glm.fit keeps the weights of its last step but one, which may not have converged (the
    # standard error is off by up to 3e-7 where the data are separated); ours are the estimate's.
    assert_close(flac.covariance[0], at_estimate[:p, :p])
    assert_close(np.sqrt(np.diag(flac.covariance[0])), values["flac_se_fisher"], rel=1e-6)
    risk = expit(X @ flac.coef[0])
    assert_close(risk[:10], values["flac_fitted_first10"])
    assert_close(np.average(risk, weights=freq), values["flac_mean_fitted"])


def test_without_events_there_is_neither() -> None:
    X, y, freq, _ = logistic_case(case("logistic_firth", "rnet_zero_events"))
    fit = fit_logistic(X, y, freq=freq, firth=True)
    assert np.isnan(flic_intercept(X, y, fit.coef, freq=freq)).all()
    flac = fit_flac(X, y, fit, freq=freq)
    assert np.isnan(flac.coef).all()
    assert flac.status[0] == DIVERGED


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1), st.integers(8, 40))
def test_replicates_are_replicated_rows(seed: int, n: int) -> None:
    X, y = small_data(seed, n)
    counts = bootstrap_counts(np.random.default_rng(seed), len(y), 4)
    fit = fit_logistic(X, y, freq=counts, firth=True)
    intercept = flic_intercept(X, y, fit.coef, freq=counts)
    flac = fit_flac(X, y, fit, freq=counts)
    for b, count in enumerate(counts):
        rows = np.repeat(np.arange(len(y)), count)
        if len(np.unique(y[rows])) < 2:
            assert np.isnan(intercept[b])
            assert np.isnan(flac.coef[b]).all()
            continue
        alone = fit_logistic(X[rows], y[rows], firth=True)
        if fit.status[b] != 0 or alone.status[0] != 0:
            continue
        share = y[rows].mean()
        risk = expit(X[rows] @ np.append(intercept[b], fit.coef[b, 1:]))
        np.testing.assert_allclose(risk.mean(), share, rtol=1e-10)
        np.testing.assert_allclose(
            intercept[b], flic_intercept(X[rows], y[rows], alone.coef)[0], rtol=1e-8, atol=1e-8
        )
        one = fit_flac(X[rows], y[rows], alone)
        np.testing.assert_allclose(flac.coef[b], one.coef[0], rtol=1e-7, atol=1e-7)
        # FLAC's score equations: risks are right on average too, over the observed rows
        np.testing.assert_allclose(expit(X[rows] @ one.coef[0]).mean(), share, rtol=1e-8)


def test_designs_of_their_own_give_the_same_as_a_shared_one() -> None:
    X, y, _, _ = logistic_case(case("logistic_firth", "birthwt"))
    counts = bootstrap_counts(np.random.default_rng(3), len(y), 5)
    fit = fit_logistic(X, y, freq=counts, firth=True)
    own = np.repeat(X[None], 5, axis=0)
    np.testing.assert_allclose(
        flic_intercept(own, y, fit.coef, freq=counts),
        flic_intercept(X, y, fit.coef, freq=counts),
        rtol=1e-12,
    )
    shared = fit_flac(X, y, fit, freq=counts).coef
    np.testing.assert_allclose(fit_flac(own, y, fit, freq=counts).coef, shared, rtol=1e-9)


def test_an_offset_counts_in_both() -> None:
    X, y, _, _ = logistic_case(case("logistic_firth", "birthwt"))
    shift = np.linspace(-1.0, 1.0, len(y))
    fit = fit_logistic(X, y, firth=True, offset=shift)
    for coef in (
        np.append(flic_intercept(X, y, fit.coef, offset=shift), fit.coef[0, 1:]),
        fit_flac(X, y, fit, offset=shift).coef[0],
    ):
        np.testing.assert_allclose(expit(X @ coef + shift).mean(), y.mean(), rtol=1e-10)


def test_the_intercept_is_found_however_far_away_the_search_begins() -> None:
    X, y, freq, _ = logistic_case(case("logistic_firth", "birthwt"))
    coef = fit_logistic(X, y, freq=freq, firth=True).coef
    want = flic_intercept(X, y, coef, freq=freq)
    weights = np.vstack([np.ones(len(y)), 1.0 + (y > 0)])
    for start in (-800.0, 90.0, 300.0):
        far = np.repeat(coef, 2, axis=0)
        far[:, 0] = start
        found = flic_intercept(X, y, far, freq=weights)
        assert_close(found[0], want[0], rel=1e-9)
        risk = expit(X[:, 1:] @ far[1, 1:] + found[1])
        assert_close(np.average(risk, weights=weights[1]), np.average(y, weights=weights[1]))
