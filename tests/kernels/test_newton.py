"""Newton's ascent: convergence, divergence, failure, fixed coordinates, each by itself."""

from __future__ import annotations

import numpy as np
import pytest

from rnetstats.kernels.newton import (
    DIVERGED,
    FAILED,
    OK,
    STATUS_TEXT,
    maximise,
    rows_of,
    solve_symmetric,
)
from support import assert_close


def quadratic(centres: np.ndarray, curvature: np.ndarray):
    """Log-likelihoods -(b - c)' M (b - c) / 2, one centre a replicate."""

    def evaluate(beta, index):
        away = beta - centres[index]
        score = -away @ curvature
        value = 0.5 * (away * score).sum(axis=1)
        return value, score, np.tile(curvature, (len(beta), 1, 1))

    return evaluate


CENTRES = np.array([[1.0, -2.0], [0.5, 4.0], [-3.0, 0.0]])
CURVATURE = np.array([[2.0, 0.5], [0.5, 1.0]])


def test_a_quadratic_is_maximised_in_one_step_and_confirmed() -> None:
    fit = maximise(quadratic(CENTRES, CURVATURE), np.zeros((3, 2)))
    assert_close(fit.coef, CENTRES)
    assert_close(fit.score, np.zeros((3, 2)))
    assert (fit.status == OK).all()
    assert (fit.iterations <= 3).all()
    assert STATUS_TEXT[fit.status[0]] == "ok"


def test_coordinates_that_are_not_free_keep_their_start() -> None:
    free = np.array([[True, True], [True, False], [False, False]])
    start = np.full((3, 2), 0.25)
    fit = maximise(quadratic(CENTRES, CURVATURE), start, free=free)
    assert_close(fit.coef[0], CENTRES[0])
    assert fit.coef[1, 1] == 0.25
    # Given the second coordinate, the first is best where the gradient in it is 0.
    assert_close(fit.coef[1, 0], 0.5 - 0.5 / 2.0 * (0.25 - 4.0))
    assert (fit.coef[2] == 0.25).all()
    assert (fit.status == OK).all()
    assert_close(fit.information[1], CURVATURE)


def test_a_step_that_rounds_to_nothing_is_not_taken_again() -> None:
    # A likelihood whose score keeps pointing up a slope that its value denies.
    calls = []

    def evaluate(beta, index):
        calls.append(len(beta))
        value = np.where(beta[:, 0] == 1e6, 0.0, -1.0)
        return value, np.full((len(beta), 1), 1e-6), np.ones((len(beta), 1, 1))

    fit = maximise(evaluate, np.array([[1e6]]), retry=False)
    assert fit.status[0] == FAILED
    assert fit.coef[0, 0] == 1e6
    assert len(calls) < 60


def test_a_step_that_rounds_to_nothing_is_taken_once_and_settles() -> None:
    # The spacing of numbers at 1e6 is 1.2e-10: half of the step is nothing.
    def evaluate(beta, index):
        value = np.where(beta[:, 0] == 1e6, 0.0, -1.0)
        return value, np.full((len(beta), 1), 1e-10), np.ones((len(beta), 1, 1))

    fit = maximise(evaluate, np.array([[1e6]]), retry=False)
    assert fit.status[0] == OK
    assert_close(fit.coef[0, 0], 1e6, rel=1e-15)


def test_a_long_step_after_one_that_gained_nothing_is_halved_all_the_same() -> None:
    # Coefficient: value, score, information.
    places = {0.0: (-1.0, 1.0, 1.0), 1.0: (-1.0, 1.0, 0.25), 3.0: (0.0, 0.0, 1.0)}

    def evaluate(beta, index):
        value, score, information = places.get(float(beta[0, 0]), (-9.0, 0.0, 1.0))
        return np.array([value]), np.array([[score]]), np.array([[[information]]])

    fit = maximise(evaluate, np.zeros((1, 1)), retry=False)
    assert fit.status[0] == OK
    assert fit.coef[0, 0] == 3.0


def test_steps_that_overshoot_are_halved() -> None:
    # log-likelihood -sqrt(1 + b^2): Newton's step from 5 is -130.
    def evaluate(beta, index):
        b = beta[:, 0]
        root = np.sqrt(1 + b**2)
        return -root, (-b / root)[:, None], (root**-3)[:, None, None]

    fit = maximise(evaluate, np.array([[5.0], [0.1]]))
    assert (fit.status == OK).all()
    assert_close(fit.coef, np.zeros((2, 1)), floor=1e-8)


def test_steps_that_swing_about_the_maximum_are_cut_in_half() -> None:
    # -b^2 with half its curvature: each step ends as high on the other side.
    def evaluate(beta, index):
        size = len(beta)
        return -(beta[:, 0] ** 2), -2.0 * beta, np.ones((size, 1, 1))

    fit = maximise(evaluate, np.array([[3.0], [-0.5]]), retry=False)
    assert (fit.status == OK).all()
    assert_close(fit.coef, np.zeros((2, 1)), floor=1e-12)


@pytest.mark.parametrize(("apart", "status"), [(1e-12, OK), (2e-15, DIVERGED)])
@pytest.mark.parametrize("unit", [1.0, 1e-3, 1e-6])
def test_columns_nearly_alike_have_a_maximum_in_any_unit(unit, apart, status) -> None:
    # A quadratic of two columns, of which the second is the first but for a share `apart`.
    scale = np.diag([1.0, unit])
    curvature = scale @ np.array([[1.0, 1.0 - apart], [1.0 - apart, 1.0]]) @ scale

    def evaluate(beta, index):
        score = -beta @ curvature
        information = np.broadcast_to(curvature, (len(beta), 2, 2))
        return 0.5 * np.vecdot(beta, score), score, information

    assert maximise(evaluate, np.zeros((1, 2)), concave=True, retry=False).status[0] == status


def test_an_exponential_tail_diverges() -> None:
    # -exp(-b) has no maximum; -exp(-b) - exp(b - 30) has one, far away, at b = 15.
    far = np.array([np.inf, 30.0])

    def evaluate(beta, index):
        b = beta[:, 0]
        down, up = np.exp(-b), np.exp(b - far[index])
        return -down - up, (down - up)[:, None], (down + up)[:, None, None]

    fit = maximise(evaluate, np.zeros((2, 1)))
    assert fit.status[0] == DIVERGED
    assert fit.coef[0, 0] > 15
    assert fit.iterations[0] < 40
    assert fit.status[1] == OK
    assert_close(fit.coef[1], [15.0])


def test_a_singular_information_is_never_ok() -> None:
    def evaluate(beta, index):
        value = -np.exp(-beta[:, 0])
        score = np.column_stack([np.exp(-beta[:, 0]), np.zeros(len(beta))])
        information = np.zeros((len(beta), 2, 2))
        information[:, 0, 0] = np.exp(-beta[:, 0])
        return value, score, information

    assert maximise(evaluate, np.zeros((1, 2))).status[0] == DIVERGED


def test_what_fails_is_tried_again_from_zero_and_reported() -> None:
    tried = []

    def evaluate(beta, index):
        tried.append(beta[:, 0].copy())
        b = beta[:, 0]
        value = np.where(np.abs(b) < 3, -(b**2), np.nan)
        value = np.where(index == 1, np.nan, value)
        return value, -2 * beta, np.full((len(b), 1, 1), 2.0)

    fit = maximise(evaluate, np.array([[1.0], [1.0], [50.0]]))
    assert fit.status[0] == OK
    assert fit.status[1] == FAILED
    assert fit.status[2] == OK
    assert_close(fit.coef[2], [0.0])
    assert any((start == 0.0).all() and len(start) == 1 for start in tried)
    alone = maximise(evaluate, np.array([[1.0], [1.0], [50.0]]), retry=False)
    assert alone.status[2] == FAILED


def test_a_batch_of_none() -> None:
    fit = maximise(quadratic(CENTRES[:0], CURVATURE), np.zeros((0, 2)))
    assert fit.coef.shape == (0, 2)


def test_solving_reports_the_singular_ones() -> None:
    matrices = np.stack([CURVATURE, np.zeros((2, 2)), 2 * CURVATURE])
    right = np.ones((3, 2))
    solution, singular = solve_symmetric(matrices, right)
    np.testing.assert_array_equal(singular, [False, True, False])
    assert_close(CURVATURE @ solution[0], right[0])
    assert_close(2 * CURVATURE @ solution[2], right[2])
    both, _ = solve_symmetric(matrices[[0, 2]], np.stack([np.eye(2), np.eye(2)]))
    assert_close(both[1], np.linalg.inv(2 * CURVATURE))


def test_one_row_belongs_to_every_replicate() -> None:
    array = np.arange(6.0).reshape(3, 2)
    assert rows_of(array[:1], np.array([0, 1])).shape == (1, 2)
    assert rows_of(array, np.arange(3)) is array
    np.testing.assert_array_equal(rows_of(array, np.array([2])), array[[2]])


def test_a_saddle_is_left_for_the_maximum_beside_it() -> None:
    def evaluate(beta, index):
        x, y = beta.T
        value = -(((x**2 - 1) ** 2) / 4 + y**2 / 2) + 0.01 * x**3
        score = np.stack([-(x**2 - 1) * x + 0.03 * x**2, -y], axis=1)
        information = np.zeros((len(beta), 2, 2))
        information[:, 0, 0], information[:, 1, 1] = 3 * x**2 - 1 - 0.06 * x, 1.0
        return value, score, information

    fit = maximise(evaluate, np.array([[0.0, 1.0], [0.9, 1.0]]))
    assert fit.status.tolist() == [OK, OK]
    higher = (0.03 + np.sqrt(0.03**2 + 4)) / 2
    np.testing.assert_allclose(fit.coef, [[higher, 0.0]] * 2, atol=1e-9)
