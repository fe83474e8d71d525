"""Along the tail of a separated likelihood several steps are taken at once."""

from __future__ import annotations

import numpy as np
import pytest

from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import DIVERGED, OK, maximise

X = np.column_stack([np.ones(8), np.arange(8.0) - 3.5])
SEPARATED = np.array([0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
REGULAR = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0])


@pytest.mark.parametrize("concave", [False, True])
def test_a_separated_likelihood_diverges_either_way(concave: bool) -> None:
    likelihood = LogisticLikelihood(X, np.array([SEPARATED, REGULAR]))
    fit = maximise(likelihood.scaled, np.zeros((2, 2)), concave=concave)
    assert fit.status.tolist() == [DIVERGED, OK]
    assert -1e-7 < fit.log_likelihood[0] <= 0.0  # its supremum


def test_the_tail_takes_fewer_steps_and_others_the_same() -> None:
    likelihood = LogisticLikelihood(X, np.array([SEPARATED, REGULAR]))
    step_by_step = maximise(likelihood.scaled, np.zeros((2, 2)))
    at_once = maximise(likelihood.scaled, np.zeros((2, 2)), concave=True)
    assert at_once.iterations[0] < 0.7 * step_by_step.iterations[0]
    assert at_once.iterations[1] == step_by_step.iterations[1]
    np.testing.assert_array_equal(at_once.coef[1], step_by_step.coef[1])
    np.testing.assert_allclose(at_once.log_likelihood, step_by_step.log_likelihood, atol=1e-8)
