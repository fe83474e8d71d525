"""Second derivatives carried over from one point: the same maximum in fewer steps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.bent import bent, curvature, differenced
from rnetstats.kernels.cox import cox_likelihood, fit_cox
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import OK, maximise
from rnetstats.kernels.risksets import prepare

ZERO = np.zeros(1, dtype=np.int64)


def patients(seed: int, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.normal(size=n), rng.integers(0, 2, n)])
    y = (rng.random(n) < 1.0 / (1.0 + np.exp(0.5 - X[:, 1]))).astype(float)
    y[:2] = 0.0, 1.0
    return X, y


@given(st.integers(0, 10_000))
def test_differences_of_the_score_are_the_second_derivatives(seed: int) -> None:
    X, y = patients(seed)
    likelihood = LogisticLikelihood(X, y, firth=True)
    at = np.full(3, 0.1)
    found = differenced(likelihood.scaled_expected, at)
    information = likelihood.expected(at[None], ZERO)[0]
    exact = curvature(information, likelihood.scaled_observed(at[None], ZERO)[2][0])
    assert found is not None
    assert exact is not None
    np.testing.assert_allclose(found, exact, atol=1e-6)


def test_only_the_matrix_changes_and_at_the_point_it_is_the_second_derivatives() -> None:
    X, y = patients(1)
    likelihood = LogisticLikelihood(X, y, firth=True)
    at, elsewhere = np.array([[0.2, 0.5, -0.1]]), np.array([[0.4, 0.1, 0.3]])
    observed = likelihood.scaled_observed(at, ZERO)[2]
    around = bent(
        likelihood.scaled_expected,
        curvature(likelihood.expected(at, ZERO)[0], observed[0]),
    )
    np.testing.assert_allclose(around(at, ZERO)[2], observed, rtol=1e-10)
    plain, other = likelihood.scaled_expected(elsewhere, ZERO), around(elsewhere, ZERO)
    np.testing.assert_array_equal(other[0], plain[0])
    np.testing.assert_array_equal(other[1], plain[1])
    assert (np.linalg.eigvalsh(other[2]) > 0.0).all()


def test_the_maximum_is_the_same_in_fewer_steps() -> None:
    X, y = patients(2)
    likelihood = LogisticLikelihood(X, y, firth=True)
    start = fit_logistic(X, y).coef * likelihood.scale
    plain = maximise(likelihood.scaled_expected, start)
    around = bent(likelihood.scaled_expected, differenced(likelihood.scaled_expected, start[0]))
    found = maximise(around, start)
    assert plain.status[0] == found.status[0] == OK
    assert found.iterations[0] < plain.iterations[0]
    np.testing.assert_allclose(found.coef, plain.coef, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_a_single_cox_fit_is_that_of_its_batch(seed: int) -> None:
    X, y = patients(seed)
    sets = prepare(None, np.random.default_rng(seed).exponential(size=len(y)).round(1) + 0.1, y)
    alone = fit_cox(X[:, 1:], sets, firth=True)
    twice = fit_cox(X[:, 1:], sets, firth=True, freq=np.ones((2, len(y))))
    assert alone.status[0] == OK
    np.testing.assert_allclose(twice.coef[1], alone.coef[0], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(twice.information[1], alone.information[0], rtol=1e-8)
    np.testing.assert_allclose(twice.log_likelihood[1], alone.log_likelihood[0], rtol=1e-12)
    score = cox_likelihood(X[:, 1:], sets, firth=True)(alone.coef, ZERO)[1]
    assert np.abs(score).max() < 1e-8


def test_what_cannot_be_carried_on_is_left() -> None:
    identity = np.eye(2)
    assert curvature(identity, np.diag([1.0, -1.0])) is None  # a saddle
    assert curvature(np.zeros((2, 2)), identity) is None
    assert curvature(identity, np.full((2, 2), np.nan)) is None
    assert curvature(identity, 3.0 * identity) is None  # another matter than a penalty
    X, y = patients(3)
    likelihood = LogisticLikelihood(X, y)
    assert bent(likelihood.scaled, None) == likelihood.scaled
    flat = bent(lambda beta, _: (beta[:, 0], beta, np.zeros((len(beta), 3, 3))), np.eye(3))
    np.testing.assert_array_equal(flat(np.ones((1, 3)), ZERO)[2], np.zeros((1, 3, 3)))
