"""Searches side by side find what each finds alone, in as many rounds as the longer one."""

from __future__ import annotations

import numpy as np
import pytest

from logistic_designs import small_data
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import FloatArray, Found, IntArray
from rnetstats.kernels.profile import (
    limits_about,
    restricted_about,
    restricted_and_limits,
    standardised,
)
from rnetstats.kernels.search import Search, alone, both


def bowl(beta: FloatArray, index: IntArray) -> Found:
    """A quadratic log-likelihood with its maximum at 1."""
    del index
    away = beta - 1.0
    information = np.broadcast_to(np.eye(beta.shape[1]), (len(beta), *np.eye(2).shape))
    return -0.5 * (away * away).sum(axis=1), -away, information


def stepping(start: float, rounds: int) -> Search[list[float]]:
    """Ask for as many points, each nearer by half, and return the likelihoods met."""
    beta, met = np.full((rounds, 2), start), []
    for _ in range(rounds):
        value, score, _ = yield beta
        assert len(value) == len(beta)
        met.append(float(value[0]))
        beta = beta + 0.5 * score
    return met


def test_two_searches_of_different_length_and_width() -> None:
    one, other = both(bowl, stepping(3.0, 2), stepping(5.0, 4))
    assert one == [-4.0, -1.0]
    assert other == [-16.0, -4.0, -1.0, -0.25]
    assert alone(bowl, stepping(3.0, 2)) == one


def test_a_search_that_asks_for_nothing() -> None:
    assert both(bowl, stepping(3.0, 0), stepping(3.0, 1)) == ([], [-4.0])


@pytest.mark.parametrize("firth", [False, True])
def test_tests_and_limits_side_by_side(firth: bool) -> None:
    X, y = small_data(2, n=200)
    fit = fit_logistic(X, y, firth=firth)
    rounds = []

    def counting(beta: FloatArray, index: IntArray) -> Found:
        rounds.append(len(beta))
        return LogisticLikelihood(X, y, firth=firth)(beta, index)

    unit = standardised(LogisticLikelihood(X, y, firth=firth), fit.coef[0])
    sets = [(1,), (2,), (1, 2)]
    apart = restricted_about(unit, sets), limits_about(unit)
    asked = standardised(counting, fit.coef[0])._replace(several=unit.several)
    rounds.clear()
    held, limits = restricted_and_limits(asked, sets)
    np.testing.assert_allclose(held.log_likelihood, apart[0].log_likelihood, rtol=1e-14)
    np.testing.assert_allclose(limits.lower, apart[1].lower, rtol=1e-12)
    np.testing.assert_allclose(limits.upper, apart[1].upper, rtol=1e-12)
    assert rounds[0] == len(sets) + 2 * X.shape[1]
    assert len(rounds) <= 6
