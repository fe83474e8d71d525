"""The walk along a profile, and the look for higher branches at its limits."""

from __future__ import annotations

import numpy as np
import pytest

from logistic_designs import small_data
from rnetstats.kernels.branches import Around, Reached, higher_points
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import FloatArray, IntArray
from rnetstats.kernels.profile_points import ascents, fit_points, known_starts
from rnetstats.kernels.walk import FOUND, walk_outward

HALF_CHI2_95 = 3.841458820694124 / 2


class Counted:
    """A likelihood that remembers where it was asked for."""

    def __init__(self, likelihood: LogisticLikelihood) -> None:
        self.likelihood = likelihood
        self.asked: list[FloatArray] = []

    def __call__(self, beta: FloatArray, index: IntArray) -> tuple[FloatArray, ...]:
        self.asked.append(beta.copy())
        return self.likelihood(beta, index)


def walked(seed: int, n: int = 12) -> tuple[Counted, FloatArray, FloatArray, float]:
    X, y = small_data(seed, n=n, beta=2.0)
    fit = fit_logistic(X, y, firth=True)
    target = float(fit.log_likelihood_penalized[0]) - HALF_CHI2_95
    scale = np.sqrt(np.diag(fit.covariance[0]))
    likelihood = LogisticLikelihood(X * scale, y, firth=True)
    shift = float(np.log(scale).sum())  # the penalty of the columns in standard errors
    return Counted(likelihood), fit.coef[0] / scale, scale, target + shift


@pytest.mark.parametrize("seed", range(6))
def test_no_start_of_the_look_for_higher_branches_is_evaluated_twice(seed: int) -> None:
    evaluate, centre, _, target = walked(seed)
    column, side = np.repeat(np.arange(len(centre)), 2), np.tile([-1.0, 1.0], len(centre))
    limit, status = walk_outward(evaluate, centre, column, side, target=target)
    assert (status == FOUND).all()
    around = Around.of(evaluate, centre, column)
    assert around is not None
    begin = centre + (limit - centre[column])[:, None] * around.ahead
    points = np.array([one.point.beta for one in fit_points(evaluate, begin, column, target)])
    everyone = np.arange(len(column))
    reached = Reached(everyone, column, limit, points, np.ones(len(column), dtype=bool))
    for others in (False, True):
        evaluate.asked.clear()
        higher_points(evaluate, around, reached, target, others=others)
        starts, limits, first, *_ = evaluate.asked
        assert len(starts) >= len(column)
        np.testing.assert_array_equal(limits, points)
        begun = {row.tobytes() for row in starts}
        again = np.array([row.tobytes() in begun for row in first])
        _, _, information = evaluate(first, np.arange(len(first)))
        flat = np.linalg.eigvalsh(information[again])[:, -1] < 1e-6
        assert flat.all()  # there is nothing to make a step by


def test_a_limit_alone_has_no_others_to_start_from() -> None:
    evaluate, centre, _, target = walked(1)
    column = np.array([1])
    around = Around.of(evaluate, centre, column)
    assert around is not None
    np.testing.assert_array_equal(around.points[0], centre)
    assert len(around.points) == 1 + 2 * len(centre)
    one = Reached(np.zeros(1, int), column, centre[column], centre[None], np.ones(1, dtype=bool))
    assert higher_points(evaluate, around, one, target, others=True) == {}
    (point,) = higher_points(evaluate, around, one, target, others=False).values()
    assert point.height == pytest.approx(HALF_CHI2_95, abs=1e-8)


def test_limits_found_in_another_way_stand_and_are_not_walked_to() -> None:
    evaluate, centre, _, target = walked(1, n=60)
    column, side = np.repeat(np.arange(len(centre)), 2), np.tile([-1.0, 1.0], len(centre))
    limit, _ = walk_outward(evaluate, centre, column, side, target=target)
    points = np.tile(centre, (len(column), 1))
    evaluate.asked.clear()
    again, status = walk_outward(
        evaluate, centre, column, side, target=target, found=(limit, points)
    )
    assert not evaluate.asked
    assert (status == FOUND).all()
    np.testing.assert_array_equal(again, limit)
    some = np.where(np.arange(len(column)) == 3, np.nan, limit)
    again, _ = walk_outward(evaluate, centre, column, side, target=target, found=(some, points))
    np.testing.assert_allclose(again, limit, rtol=1e-10)


def test_starts_out_of_reach_are_left_out() -> None:
    evaluate, centre, _, target = walked(2)
    starts = np.array([centre, np.full(len(centre), 1e5), np.full(len(centre), np.nan)])
    which, first = known_starts(evaluate, starts)
    np.testing.assert_array_equal(which, [0])
    (point, gain, failed), *rest = fit_points(
        evaluate, starts[:1].copy(), np.array([1]), target, first=first
    )
    assert not rest
    assert not failed
    assert point.at == centre[1]
    assert point.height == pytest.approx(HALF_CHI2_95)
    assert gain == pytest.approx(0.0, abs=1e-9)


def test_ascents_begin_where_the_likelihood_is_known_and_keep_what_is_held() -> None:
    evaluate, centre, _, target = walked(2)
    nowhere, far = np.full(len(centre), np.nan), centre + np.array([0.5, -0.5, 0.5])
    free = np.array([[True, True, True], [True, True, True], [True, True, False]])
    climbed = ascents(evaluate, np.array([nowhere, centre, far]), free=free, max_iter=50)
    assert climbed is not None
    which, fit = climbed
    np.testing.assert_array_equal(which, [1, 2])
    np.testing.assert_allclose(fit.coef[0], centre, atol=1e-6)
    assert fit.coef[1, 2] == far[2]
    assert fit.log_likelihood[0] == pytest.approx(target + HALF_CHI2_95)
    assert fit.log_likelihood[1] < fit.log_likelihood[0] - 1e-3
    assert ascents(evaluate, nowhere[None], max_iter=50) is None


def test_ascents_that_end_in_a_matrix_without_a_decomposition_are_none() -> None:
    evaluate, centre, _, _ = walked(2)
    starts = 0

    def breaks(beta: FloatArray, index: IntArray) -> tuple[FloatArray, ...]:
        nonlocal starts
        starts += 1
        if starts > 1:
            raise np.linalg.LinAlgError
        return evaluate(beta, index)

    assert ascents(breaks, centre[None] + 0.5, max_iter=5) is None
    assert starts == 2


@pytest.mark.parametrize("failures", [1, 2, 5])
def test_a_fit_that_fails_between_two_points_does_not_lose_the_limit(failures: int) -> None:
    evaluate, centre, _, target = walked(1, n=60)
    column, side = np.array([1]), np.array([1.0])
    (limit,), _ = walk_outward(evaluate, centre, column, side, target=target)
    outside, failed = np.inf, set[float]()

    def breaks(beta: FloatArray, index: IntArray) -> tuple[FloatArray, ...]:
        nonlocal outside
        value, score, information = evaluate(beta, index)
        at = float(beta[0, 1])
        if limit < at < outside and outside == np.inf:
            outside = at
        elif at < outside < np.inf and len(failed) < failures:
            failed.add(at)
        if at in failed:
            score = np.full_like(score, np.nan)
            value = np.full_like(value, np.nan)
        return value, score, information

    (again,), (status,) = walk_outward(breaks, centre, column, side, target=target)
    assert len(failed) == failures
    assert status == FOUND
    assert again == pytest.approx(limit, rel=1e-9)


@pytest.mark.parametrize("beyond", [1.2, 3.0])
def test_a_start_beyond_the_limit_walks_back_to_it(beyond: float) -> None:
    evaluate, centre, _, target = walked(1, n=60)
    for which, side in ((1, 1.0), (2, -1.0)):
        column, sides = np.array([which]), np.array([side])
        (limit,), _ = walk_outward(evaluate, centre, column, sides, target=target)
        start = centre.copy()
        start[which] += beyond * (limit - centre[which])
        (again,), (status,) = walk_outward(evaluate, start, column, sides, target=target)
        assert status == FOUND
        assert again == pytest.approx(limit, rel=1e-9)
