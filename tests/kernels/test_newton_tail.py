"""Along the tail of a separated likelihood several steps are taken at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from scipy.special import expit

import rnetstats as rn
from rnetstats.formula.splines import restricted_basis, restricted_knots
from rnetstats.kernels.cox import CoxFit, fit_cox
from rnetstats.kernels.logistic import LogisticFit, fit_logistic
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.newton import DIVERGED, OK, maximise
from rnetstats.kernels.newton_steps import RUNNING, Points, judge
from rnetstats.kernels.risksets import prepare
from support import assert_close

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


def narrowly_separated(gap: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Intercept, an x that separates 40 rows from 20 by a gap between two of them, and a count."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.normal(size=60))
    x[40] = x[39] + gap
    x[41:] = np.maximum(x[41:], x[40] + 0.01 * np.arange(1, 20))
    count = rng.integers(0, 9, 60)
    count[39:41] = 5
    return np.column_stack([np.ones(60), x, count]), (np.arange(60) >= 40).astype(float)


@pytest.mark.parametrize("gap", [1e-2, 1e-3, 1e-4, 1e-6])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_narrow_gap_is_climbed_to_the_end(gap: float, seed: int) -> None:
    """Far out two rows alone have weight, and the information of three coefficients is singular."""
    X, y = narrowly_separated(gap, seed)
    likelihood = LogisticLikelihood(X / np.abs(X).max(axis=0), y[None])
    for concave in (False, True):
        fit = maximise(likelihood.scaled, np.zeros((1, 3)), concave=concave)
        assert fit.status[0] == DIVERGED
        assert -2e-8 < fit.log_likelihood[0] <= 0.0  # its supremum


def test_what_separated_outcomes_do_not_need_has_a_statistic_of_zero() -> None:
    X, y = narrowly_separated(1e-4)
    data = {"x": X[:, 1], "count": X[:, 2], "y": y, "noise": np.arange(60) % 2}
    fit = rn.logistic(data, "y ~ x + count + noise", penalty=None)
    table = fit.to_frame().set_index("term")
    assert fit.summary["log_likelihood"] == pytest.approx(0.0, abs=1e-7)
    np.testing.assert_allclose(table.loc[["count", "noise"], "statistic"], 0.0, atol=1e-6)
    np.testing.assert_allclose(fit.term_tests()["statistic"][1:], 0.0, atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_what_is_held_stays_on_the_way_to_the_end(seed: int) -> None:
    X, y = narrowly_separated(1e-4, seed)
    X = np.column_stack([X, np.random.default_rng(9).normal(size=60)])
    likelihood = LogisticLikelihood(X / np.abs(X).max(axis=0), y[None])
    start, free = np.array([[0.0, 0.0, 0.0, 0.7]]), np.array([[True, True, True, False]])
    fit = maximise(likelihood.scaled, start, free=free)
    assert fit.status[0] == DIVERGED
    assert fit.coef[0, 3] == 0.7
    assert -2e-8 < fit.log_likelihood[0] <= 0.0  # its supremum


def bent_in_a_small_sample(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Intercept and three columns of a spline of 40 values; a steep rise of risk with them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=40)
    y = (rng.random(40) < expit(4.0 * x - 2.0)).astype(float)
    spline = restricted_basis(x, restricted_knots(x, 4))
    return np.column_stack([np.ones(40), spline]), y


def separated(uphill: np.ndarray) -> bool:
    """Whether some direction leads up, or level, along every row, by linear programming."""
    rows = uphill / np.abs(uphill).max(axis=0)
    box = [(-1, 1)] * rows.shape[1]
    found = linprog(  # presolving, scipy 1.14 takes one of these programs for infeasible
        -rows.sum(axis=0),
        A_ub=-rows,
        b_ub=np.zeros(len(rows)),
        bounds=box,
        options={"presolve": False},
    )
    return bool(-found.fun > 1e-6)


def has_a_maximum_unless_separated(fit: LogisticFit | CoxFit, uphill: np.ndarray) -> bool:
    """Whether the data are separated, as the fit must have found."""
    apart = separated(uphill)
    assert (fit.status[0] == OK) != apart
    assert apart or (fit.covariance[0].diagonal() > 0.0).all()
    return apart


def test_curves_that_separate_never_pass_for_a_maximum() -> None:
    """Far out fewer rows than coefficients have weight, and no step is long any more."""
    many = 0
    for seed in range(60):
        X, y = bent_in_a_small_sample(seed)
        fit = fit_logistic(X, y)
        many += has_a_maximum_unless_separated(fit, np.where(y > 0.0, 1.0, -1.0)[:, None] * X)
    assert many >= 10


def test_monotone_curves_never_pass_for_a_maximum() -> None:
    many = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        X = bent_in_a_small_sample(seed)[0][:, 1:]
        time = rng.exponential(np.exp(-2.0 * X[:, 0]))
        event = (rng.random(40) < 0.1) | (time == np.median(time[:39]))
        gaps = [X[i] - X[(time >= time[i]) & (np.arange(40) != i)] for i in np.flatnonzero(event)]
        fit = fit_cox(X, prepare(None, time, event))
        many += has_a_maximum_unless_separated(fit, np.concatenate(gaps))
    assert many >= 10


def test_a_step_does_not_go_along_what_is_flat_to_rounding() -> None:
    information = np.array([[[4.0, 1e-9], [1e-9, 1e-17]]])
    found = np.zeros(1), np.array([[0.8, 1e-3]]), information
    start = np.zeros((1, 2))
    step, verdict = judge(Points.at(start, np.arange(1), found, None))
    assert verdict[0] == RUNNING
    assert_close(step[0, 0], 0.2)
    assert abs(step[0, 1]) < 1e-6  # not 1e14, from where no coefficient could be told


@pytest.mark.parametrize("seed", range(6))
def test_information_that_is_rounding_is_no_maximum(seed: int) -> None:
    """A patient with the first event and a column of their own: its coefficient is infinite."""
    rng = np.random.default_rng(seed)
    time, event = rng.exponential(30, 150).round(1) + 1, rng.integers(0, 2, 150)
    z, level = rng.integers(0, 2, 150), rng.choice(list("abc"), 150)
    dummies = np.column_stack([level == "b", level == "c"]).astype(float)
    time[0], event[0] = 0.5, 1
    X = np.column_stack([dummies, z, np.arange(150) == 0, dummies * z[:, None]])
    fit = fit_cox(X, prepare(None, time, event))
    assert fit.status[0] == DIVERGED
    others = fit_cox(np.delete(X[1:], 3, axis=1), prepare(None, time[1:], event[1:]))
    assert_close(fit.log_likelihood[0], others.log_likelihood[0], rel=1e-9)
    assert_close(np.delete(fit.coef[0], 3), others.coef[0], rel=1e-6)


def two_of_a_level(seed: int, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns, times and events: one of two patients of a level has the first event, another z."""
    rng = np.random.default_rng(seed)
    z, level = rng.random(n).round(3), rng.integers(0, 2, n)
    time, event = rng.exponential(20, n).round(1) + 0.2, rng.random(n) < 0.6
    lone = np.arange(n) < 2
    level[lone] = 0
    time[:2], event[:2], z[:2] = (0.1, 3.0), (True, False), (0.8, 0.3)
    return np.column_stack([level, lone, z, level * z, lone * z]).astype(float), time, event


@pytest.mark.parametrize(("seed", "n"), [(421, 100), (1220, 100), (656, 30), (26, 300)])
def test_information_of_two_columns_that_is_rounding_is_no_maximum(seed: int, n: int) -> None:
    X, time, event = two_of_a_level(seed, n)
    fit = fit_cox(X, prepare(None, time, event))
    assert fit.status[0] == DIVERGED
    # far out the first event is certain, and then the other patient has no risk any more
    kept = np.arange(n) > 1
    others = fit_cox(X[kept][:, [0, 2, 3]], prepare(None, time[kept], event[kept]))
    assert_close(fit.log_likelihood[0], others.log_likelihood[0], rel=1e-9)
    assert_close(fit.coef[0, [0, 2, 3]], others.coef[0], rel=1e-6)


@pytest.mark.parametrize(("seed", "n"), [(30, 100), (56, 100), (65, 100), (0, 30)])
def test_hypotheses_on_infinite_coefficients_are_fitted_to_the_end(seed: int, n: int) -> None:
    X, time, event = two_of_a_level(seed, n)
    names = ["level", "lone", "z", "both", "own"]
    data = {"t": time, "e": event.astype(int), **dict(zip(names, X.T, strict=True))}
    model = rn.cox(data, "Surv(t, e) ~ " + " + ".join(names), penalty=None)
    whole, sets = model.summary["log_likelihood"], prepare(None, time, event)
    for j, found in enumerate(model.to_frame()["statistic"]):
        without = fit_cox(np.delete(X, j, axis=1), sets).log_likelihood[0]
        assert found == pytest.approx(max(2 * (whole - without), 0.0), abs=1e-6)


@pytest.mark.parametrize("seed", [132, 238])
def test_a_long_step_into_rounding_is_made_good_by_short_ones(seed: int) -> None:
    """One of three patients of a level has the first event and another value of z."""
    rng = np.random.default_rng(seed)
    z, lone = (rng.random(150) < 0.5).astype(float), (np.arange(150) < 3).astype(float)
    size = np.exp(rng.normal(1.5, 1.5, 150))
    z[:3] = 1.0, 0.0, 0.0
    time, event = np.ceil(rng.exponential(30, 150)), (rng.random(150) < 0.6).astype(float)
    event[:3], time[0] = 1.0, 0.5
    X, sets = np.column_stack([lone, z, np.log(size), lone * z]), prepare(None, time, event)
    fit = fit_cox(X, sets, firth=True)
    assert fit.status[0] == OK
    near = fit_cox(X, sets, firth=True, start=[1.0, 0.0, 0.0, 5.0])
    assert_close(fit.coef, near.coef, rel=1e-6)
    assert np.abs(fit.coef).max() < 10.0
