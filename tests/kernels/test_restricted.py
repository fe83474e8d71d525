"""Restricted fits in few steps: the same maximum as by the safeguarded ascent."""

from __future__ import annotations

import numpy as np
import pytest

from logistic_designs import small_data
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import OK
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
