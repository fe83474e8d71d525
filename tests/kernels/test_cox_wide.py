"""Monotone Cox likelihoods: as far as the supremum, beyond the range of a number."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from rnetstats.kernels.cox import cox_likelihood, fit_cox
from rnetstats.kernels.cox_exact import Polynomials
from rnetstats.kernels.cox_wide import WideRow, evaluate_wide, penalty_wide
from rnetstats.kernels.newton import DIVERGED, OK
from rnetstats.kernels.profile import FOUND, NO_LIMIT, NOT_FOUND, profile_limits
from rnetstats.kernels.risksets import prepare
from support import assert_close

CHI2_95 = 3.841458820694124


def many_levels(seed: int, levels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return indicators of a factor, times with ties and few events."""
    in_turn = np.arange(30) * levels // 30
    group = np.random.default_rng(seed).integers(0, levels, 30) if seed else in_turn
    X = (group[:, None] == np.unique(group)[1:]).astype(float)
    return X, np.arange(1, 31) // 2 + 1.0, np.array([1, 0, 0] * 10)


@given(seed=st.integers(0, 999), efron=st.booleans(), late=st.booleans())
def test_set_by_set_is_the_likelihood(seed: int, efron: bool, late: bool) -> None:
    rng = np.random.default_rng(seed)
    n, p = 40, 3
    stop = rng.integers(2, 9, n).astype(float)
    start = rng.integers(0, 2, n).astype(float) if late else None
    sets = prepare(start, stop, rng.random(n) < 0.6, rng.integers(0, 2, n))
    freq, case = rng.integers(0, 3, n).astype(float), rng.uniform(0.5, 2.0, n)
    likelihood = cox_likelihood(
        rng.normal(size=(n, p)), sets, freq=freq, case=case, ties="efron" if efron else "breslow"
    )
    gamma, index = rng.normal(size=(1, p)), np.zeros(1, dtype=int)
    block = likelihood.block(index)
    if not (block.events > 0).any():
        return
    row = WideRow(
        likelihood.design.x,
        likelihood.design.linear_predictor(gamma)[0],
        block.rows[0],
        block.counts[0],
        block.events[0],
        block.mean[0],
        likelihood.tied,
    )
    value, score, information = evaluate_wide(row, sets)
    for found, expected in zip(
        (value, score, information), likelihood.scaled(gamma, index), strict=True
    ):
        np.testing.assert_allclose(found, expected[0], rtol=1e-9, atol=1e-11)
    likelihood.firth = True
    penalty = penalty_wide(row, sets, np.linalg.inv(information))
    np.testing.assert_allclose(
        score + penalty, likelihood.scaled(gamma, index)[1][0], rtol=1e-8, atol=1e-10
    )


def penalised_by_hand(beta: float, x: np.ndarray, event: np.ndarray) -> float:
    """Firth's penalised likelihood of one column, in order of the times, in logarithms."""
    value = information = 0.0
    for i in np.flatnonzero(event):
        eta = beta * x[i:]
        log_share = eta - logsumexp(eta)
        share = np.exp(log_share)
        value += log_share[0]
        information += share @ (x[i:] - share @ x[i:]) ** 2
    return value + 0.5 * np.log(information) if information > 0 else -np.inf


@pytest.mark.parametrize(("seed", "n"), [(1, 40), (6, 40), (2, 90), (5, 90)])
def test_firths_estimate_of_a_column_that_orders_the_events_is_found(seed: int, n: int) -> None:
    """Risks differ there by hundreds of powers of ten."""
    rng = np.random.default_rng(seed)
    x, event = np.sort(rng.normal(size=n))[::-1], rng.random(n) < 0.4
    event[0] = True
    sets = prepare(None, np.arange(1.0, n + 1), event)
    fit = fit_cox(x[:, None], sets, firth=True)
    assert fit.status[0] == OK
    grid = np.geomspace(0.1, 2e4, 300)
    values = np.array([penalised_by_hand(beta, x, event) for beta in grid])
    best = int(np.argmax(values))
    found = minimize_scalar(
        lambda beta: -penalised_by_hand(beta, x, event),
        bounds=(grid[best - 1], grid[best + 1]),
        method="bounded",
        options={"xatol": 1e-6},
    )
    assert found.x * np.ptp(x) > 350.0
    assert_close(fit.coef[0, 0], found.x, rel=1e-5)
    assert_close(fit.log_likelihood_penalized[0], -found.fun, rel=1e-9)
    likelihood = cox_likelihood(x[:, None], sets, firth=True)
    limits = profile_limits(likelihood, fit.coef[0])
    assert (limits.status == FOUND).all()
    for limit in (limits.lower[0], limits.upper[0]):
        fall = -found.fun - penalised_by_hand(limit, x, event)
        assert_close(2.0 * fall, CHI2_95, rel=1e-7)
    # A search, which asks for many points, does without a value so far out.
    far, one = 2.0 * fit.coef, np.zeros(1, dtype=int)
    assert not likelihood.within_range(far, one)[0] > -1e6
    near = 0.01 * fit.coef
    for found, expected in zip(
        likelihood.within_range(near, one), likelihood(near, one), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
@pytest.mark.parametrize("n", [10, 30, 200])
def test_a_completely_monotone_likelihood_diverges_to_its_supremum(n: int, ties: str) -> None:
    # The row with the event always has the largest x: the likelihood rises to 1.
    X, sets = np.arange(n, 0, -1.0)[:, None], prepare(None, np.arange(1.0, n + 1), np.ones(n))
    fit = fit_cox(X, sets, ties=ties)
    assert fit.status[0] == DIVERGED
    assert -1e-8 < fit.log_likelihood[0] <= 1e-12
    assert np.isfinite(fit.information).all()
    found = profile_limits(cox_likelihood(X, sets, ties=ties), 0.05 * fit.coef[0], maximum=0.0)
    assert found.status.tolist() == [[FOUND, NO_LIMIT]]
    assert found.upper[0] == np.inf
    # By hand, each event has 1 = sum of exp(-j b) over the rows below it: a geometric sum.
    q = np.exp(-found.lower[0])
    value = -np.log((1.0 - q ** np.arange(1, n + 1)) / (1.0 - q)).sum()
    assert_close(-2.0 * value, CHI2_95, rel=1e-8)


def test_batches_go_as_far_as_single_fits() -> None:
    n = 100
    rng = np.random.default_rng(1)
    X, sets = np.arange(n, 0, -1.0)[:, None], prepare(None, np.arange(1.0, n + 1), np.ones(n))
    freq = rng.integers(1, 3, (6, n)).astype(float)
    freq[:, 0] = 1.0
    case = rng.uniform(0.5, 2.0, n)
    fits = fit_cox(X, sets, freq=np.ones((6, n)), case=case)
    assert (fits.status == DIVERGED).all()
    assert_close(fits.log_likelihood, np.full(6, -(case * np.log(case)).sum()))
    tied = fit_cox(X, sets, freq=freq)  # of two replicated rows, either may be the first
    assert (tied.status == DIVERGED).all()
    assert_close(tied.log_likelihood, -np.log(2.0) * (freq == 2).sum(axis=1))


@pytest.mark.slow
@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
@pytest.mark.parametrize("levels", [3, 6])
def test_profiles_from_a_diverged_estimate_have_a_status(levels: int, ties: str) -> None:
    for seed in (0,) if ties == "exact" else (0, 1):  # it takes longer
        X, stop, event = many_levels(seed, levels)
        sets = prepare(None, stop, event)
        fit = fit_cox(X, sets, ties=ties)
        assert np.isfinite(fit.log_likelihood[0])
        found = profile_limits(cox_likelihood(X, sets, ties=ties), fit.coef[0])
        limits = np.column_stack([found.lower, found.upper])
        assert (np.isfinite(limits) == (found.status == FOUND)).all()
        assert (np.isinf(limits) == (found.status == NO_LIMIT)).all()
        assert (np.isnan(limits) == (found.status == NOT_FOUND)).all()


@given(seed=st.integers(0, 999), order=st.integers(1, 4))
def test_polynomials_are_sums_over_subsets(seed: int, order: int) -> None:
    rng = np.random.default_rng(seed)
    eta, x = rng.normal(scale=3.0, size=7), rng.normal(size=(7, 2))
    held = Polynomials(order, 2)
    for one, row in zip(eta, x, strict=True):
        held.add(float(one), row)
    subsets = [list(part) for part in combinations(range(7), order)]
    share = np.exp([eta[part].sum() for part in subsets])
    sums = np.array([x[part].sum(axis=0) for part in subsets])
    assert_close(held.log[order], np.log(share.sum()), floor=1e-12)
    share /= share.sum()
    mean = share @ sums
    np.testing.assert_allclose(held.mean[order], mean, rtol=1e-10, atol=1e-12)
    centred = sums - mean
    log, slope, curve = held.term(order)
    assert log == held.log[order]
    np.testing.assert_array_equal(slope, held.mean[order])
    np.testing.assert_allclose(curve, (centred.T * share) @ centred, rtol=1e-9, atol=1e-12)


def test_polynomials_far_apart_keep_their_logarithm() -> None:
    held = Polynomials(2, 1)
    for eta in (0.0, -2000.0, -1000.0):  # the two largest make the polynomial of order 2
        held.add(eta, np.array([eta]))
    np.testing.assert_allclose(held.log, [0.0, 0.0, -1000.0])
    np.testing.assert_allclose(held.mean[:, 0], [0.0, 0.0, -1000.0])
    np.testing.assert_array_equal(held.term(2)[2], 0.0)
