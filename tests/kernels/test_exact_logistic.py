"""Conditional distributions of sufficient statistics, against going through every outcome."""

from __future__ import annotations

import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.exact_logistic import conditional_weights, patterns


def brute(X: np.ndarray, observed: np.ndarray, j: int) -> dict[int, int]:
    """Count the outcomes of each value of statistic j that keep all other statistics."""
    found: dict[int, int] = {}
    others = [i for i in range(X.shape[1]) if i != j]
    for y in itertools.product((0, 1), repeat=len(X)):
        t = X.T @ np.array(y)
        if (t[others] == observed[others]).all():
            found[int(t[j])] = found.get(int(t[j]), 0) + 1
    return found


@given(st.integers(0, 10_000))
def test_weights_are_those_of_every_outcome_gone_through(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 10))
    X = np.column_stack([np.ones(n), rng.integers(-1, 3, n), rng.integers(0, 2, n)]).astype(int)
    y = rng.integers(0, 2, n)
    distinct, size, observed = patterns(X, y, np.ones(n, dtype=int))
    assert size.sum() == n
    for j in (1, 2):
        counted = conditional_weights(distinct, size, observed, j, 10_000)
        assert counted is not None
        low, log_weight = counted
        expected = brute(X, observed, j)
        got = {low + k: math.exp(w) for k, w in enumerate(log_weight) if w > -math.inf}
        assert got.keys() == expected.keys()
        for value, number in expected.items():
            assert math.isclose(got[value], number, rel_tol=1e-10)


def test_a_table_of_two_by_two_is_the_hypergeometric_distribution() -> None:
    X = np.column_stack([np.ones(12), np.r_[np.ones(5), np.zeros(7)]]).astype(int)
    y = np.r_[1, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    counted = conditional_weights(*patterns(X, y, np.ones(12, dtype=int)), 1, 1000)
    assert counted is not None
    low, log_weight = counted
    expected = [math.comb(5, k) * math.comb(7, 4 - k) for k in range(5)]
    assert low == 0
    np.testing.assert_allclose(np.exp(log_weight), expected, rtol=1e-12)


def test_weights_count_as_rows_and_a_budget_is_kept() -> None:
    X = np.array([[1, 0], [1, 1], [1, 0], [1, 1]])
    y, count = np.array([0, 0, 1, 1]), np.array([30, 20, 5, 9])
    rows = np.repeat(np.arange(4), count)
    weighted = conditional_weights(*patterns(X, y, count), 1, 1000)
    long = conditional_weights(*patterns(X[rows], y[rows], np.ones(64, dtype=int)), 1, 1000)
    assert weighted is not None
    assert long is not None
    np.testing.assert_allclose(weighted[1], long[1], rtol=1e-12)
    assert conditional_weights(*patterns(X, y, count), 1, 3) is None
