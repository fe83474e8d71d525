"""Restricted fits in few steps: the same maximum as by the safeguarded ascent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from logistic_designs import small_data
from rnetstats.kernels import restricted
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import OK, Evaluate
from rnetstats.kernels.profile_points import ascents
from rnetstats.kernels.restricted import restricted_fits


@pytest.mark.parametrize("firth", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_the_likelihood_is_that_of_the_converged_fit(seed: int, firth: bool) -> None:
    X, y = small_data(seed, n=200)
    fit = fit_logistic(X, y, firth=firth)
    sets = [(1,), (2,), (1, 2), (0, 1, 2)]
    held = restricted_fits(LogisticLikelihood(X, y, firth=firth), fit.coef[0], sets)
    assert (held.status == OK).all()
    for row, part in enumerate(sets):
        free = np.isin(np.arange(3), part, invert=True)
        again = fit_logistic(X, y, firth=firth, free=free)
        expected = again.log_likelihood_penalized[0]
        assert held.log_likelihood[row] == pytest.approx(expected, rel=1e-13)
        np.testing.assert_allclose(held.coef[row], again.coef[0], atol=1e-7)
        assert (held.coef[row, list(part)] == 0.0).all()


def test_a_coefficient_far_from_zero_is_held_by_the_safeguarded_ascent() -> None:
    X, y = small_data(3, n=200)
    y = (X[:, 1] + 0.05 * X[:, 2] > 0).astype(float)
    y[:6] = 1.0 - y[:6]
    fit = fit_logistic(X, y, firth=True)
    held = restricted_fits(LogisticLikelihood(X, y, firth=True), fit.coef[0], [(1,)])
    again = fit_logistic(X, y, firth=True, free=np.array([True, False, True]))
    assert held.status[0] == OK
    assert held.iterations[0] > 3
    assert fit.log_likelihood_penalized[0] - held.log_likelihood[0] > 20.0
    assert held.log_likelihood[0] == pytest.approx(again.log_likelihood_penalized[0], rel=1e-12)


def test_tests_of_many_coefficients_share_the_fits_from_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[int] = []

    def counted(evaluate: Evaluate, start: np.ndarray, **options: Any) -> Any:
        begun.append(len(start))
        return ascents(evaluate, start, **options)

    monkeypatch.setattr(restricted, "ascents", counted)
    rng = np.random.default_rng(5)
    for p in (4, 14):
        X = np.column_stack([np.ones(60), rng.normal(size=(60, p - 1))])
        X[0, 1] = 30.0  # a patient with much leverage
        y = (rng.random(60) < 0.4).astype(float)
        fit = fit_logistic(X, y, firth=True)
        likelihood = LogisticLikelihood(X, y, firth=True)
        restricted_fits(likelihood, fit.coef[0], [(j,) for j in range(p)])
    assert begun[0] == 4 * 4 * 4  # two along each profile and two in other directions, each test
    assert 14 < begun[1] <= 400
