"""Innermost intervals and their masses: by hand, against Kaplan-Meier, and by the certificate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.nonnegative import ascend, quadratic_maximum
from rnetstats.kernels.turnbull import Npmle, innermost, npmle, survival_bounds

INF = np.inf


def fit(left: list[float], right: list[float], freq: list[float] | None = None) -> Npmle:
    inner = innermost(np.array(left, float), np.array(right, float))
    weight = None if freq is None else np.array(freq, float)
    return npmle(inner.first, inner.last, len(inner.left), weight)


def test_innermost_intervals_of_turnbull_1976() -> None:
    inner = innermost(np.array([0.0, 2, 1, 4, 5]), np.array([3.0, 6, INF, 5, 8]))
    np.testing.assert_array_equal(inner.left, [2, 4, 5])
    np.testing.assert_array_equal(inner.right, [3, 5, 6])
    np.testing.assert_array_equal(inner.first, [0, 0, 0, 1, 2])
    np.testing.assert_array_equal(inner.last, [0, 2, 2, 1, 2])


def test_ends_at_one_time_stand_in_their_order() -> None:
    """Exact at 5; (3, 5]; (5, 7]; censored at 5: the exact time lies in the second, not others."""
    inner = innermost(np.array([5.0, 3, 5, 5]), np.array([5.0, 5, 7, INF]))
    np.testing.assert_array_equal(inner.left, [5, 5])
    np.testing.assert_array_equal(inner.right, [5, 7])
    np.testing.assert_array_equal(inner.first, [0, 0, 1, 1])
    np.testing.assert_array_equal(inner.last, [0, 0, 1, 1])


def test_masses_worked_by_hand() -> None:
    """Two in (0, 6], one in (6, 12], one in (0, 12], two after 12: a third is past 12.

    The masses are (4/9, 2/9, 3/9): of 4 events two thirds fall in the first half, as 2 to 1.
    """
    found = fit([0, 0, 6, 0, 12, 12], [6, 6, 12, 12, INF, INF])
    np.testing.assert_allclose(found.mass, [4 / 9, 2 / 9, 3 / 9], atol=1e-12)
    by_hand = 2 * np.log(4 / 9) + np.log(2 / 9) + np.log(6 / 9) + 2 * np.log(3 / 9)
    assert found.log_likelihood == pytest.approx(by_hand, abs=1e-12)
    assert found.unique and found.converged


def test_a_mass_on_the_boundary() -> None:
    """(0, 1], (0, 2] and (1, 3], (2, 3]: all in (0, 1] and (2, 3], none in (1, 2]."""
    found = fit([0, 0, 1, 2], [1, 2, 3, 3])
    np.testing.assert_allclose(found.mass, [0.5, 0.0, 0.5], atol=1e-12)


def test_masses_that_the_likelihood_does_not_tell_apart() -> None:
    """Two rows that cover both of two intervals: any split of the mass is a maximum."""
    assert fit([0, 2], [1, 3]).unique
    assert not npmle(np.array([0, 0]), np.array([1, 1]), 2).unique


@given(
    times=st.lists(st.integers(0, 12), min_size=1, max_size=25),
    seed=st.integers(0, 10_000),
)
def test_exact_and_right_censored_times_give_kaplan_meier(times: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    stop = np.array(times, dtype=float)
    event = rng.uniform(size=len(stop)) < 0.6
    found = fit(list(stop), list(np.where(event, stop, INF)))
    inner = innermost(stop, np.where(event, stop, INF))
    moments = np.unique(stop)
    survival, product = [], 1.0
    for t in moments:
        product *= 1.0 - (event & (stop == t)).sum() / (stop >= t).sum()
        survival.append(product)
    _, high = survival_bounds(inner.left, inner.right, found.mass, moments)
    np.testing.assert_allclose(high, survival, atol=1e-8)
    assert found.excess <= 1e-10


def random_rows(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    left = rng.integers(0, 15, n).astype(float)
    right = left + rng.integers(1, 12, n)
    return left, np.where(rng.uniform(size=n) < 0.3, INF, right)


@given(seed=st.integers(0, 10_000), n=st.integers(1, 60))
def test_certificate_and_invariants(seed: int, n: int) -> None:
    left, right = random_rows(seed, n)
    inner = innermost(left, right)
    found = npmle(inner.first, inner.last, len(inner.left))
    assert found.converged
    assert found.mass.sum() == pytest.approx(1.0, abs=1e-12)
    # the gradient, computed afresh: at most 1 anywhere, 1 wherever there is mass
    share = np.array(
        [found.mass[a : b + 1].sum() for a, b in zip(inner.first, inner.last, strict=True)]
    )
    columns = np.arange(len(found.mass))[:, None]
    covers = (columns >= inner.first) & (columns <= inner.last)
    gradient = (covers / share).mean(axis=1)
    assert gradient.max() <= 1.0 + 1e-9
    np.testing.assert_allclose(gradient[found.mass > 1e-6], 1.0, atol=1e-6)
    # rows' probabilities do not depend on the order of rows, or on weights for repeats
    order = np.random.default_rng(seed + 1).permutation(n)
    again = innermost(left[order], right[order])
    other = npmle(again.first, again.last, len(again.left))
    assert other.log_likelihood == pytest.approx(found.log_likelihood, abs=1e-8)
    freq = np.random.default_rng(seed).integers(0, 4, n).astype(float)
    if freq.any():
        rows = np.repeat(np.arange(n), freq.astype(int))
        weighted = npmle(inner.first, inner.last, len(inner.left), freq)
        written = npmle(inner.first[rows], inner.last[rows], len(inner.left))
        np.testing.assert_allclose(weighted.mass, written.mass, atol=1e-10)


def test_survival_between_and_at_the_ends() -> None:
    left, right = np.array([0.0, 4.0, 9.0]), np.array([2.0, 4.0, INF])
    mass = np.array([0.2, 0.3, 0.5])
    low, high = survival_bounds(left, right, mass, np.array([0.0, 1, 2, 3, 4, 9, 10]))
    np.testing.assert_allclose(low, [1, 0.8, 0.8, 0.8, 0.5, 0.5, 0.0])
    np.testing.assert_allclose(high, [1, 1, 0.8, 0.8, 0.5, 0.5, 0.5])


def test_quadratic_over_the_orthant_by_hand() -> None:
    """Without the bound q = (2, -1); with it, the first alone: q = (1.5, 0)."""
    gram = np.array([[2.0, 1.0], [1.0, 2.0]])
    np.testing.assert_allclose(quadratic_maximum(gram, np.array([3.0, 0.0])), [1.5, 0.0], atol=1e-9)
    np.testing.assert_allclose(quadratic_maximum(gram, np.array([3.0, 3.0])), [1.0, 1.0], atol=1e-9)
    assert not quadratic_maximum(gram, np.array([-1.0, -2.0])).any()


def test_ascent_says_when_it_has_not_arrived() -> None:
    def value(x: np.ndarray) -> float:
        return float(np.log(x).sum() - x.sum()) if (x > 0).all() else -np.inf

    def slope(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 1.0 / x - 1.0, np.diag(1.0 / x**2)

    x, excess, _ = ascend(value, slope, np.array([0.1, 5.0]), mass=2.0)
    np.testing.assert_allclose(x, 1.0, atol=1e-8)
    assert excess <= 1e-10
    assert ascend(value, slope, np.array([0.1, 5.0]), mass=2.0, max_iter=1)[1] > 1e-3
