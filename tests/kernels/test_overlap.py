"""A proof of overlap: never for separated outcomes, mostly where there are enough events."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.overlap import surely_overlaps
from rnetstats.regression.recession import binary_separation


def proven(
    X: np.ndarray, y: np.ndarray, beta: np.ndarray, weights: np.ndarray | None = None
) -> bool:
    share = 1.0 / (1.0 + np.exp(-X @ beta))
    weight = np.ones(len(y)) if weights is None else weights
    information = (X.T * (weight * share * (1.0 - share))) @ X
    score = (weight * (y - share)) @ X
    return surely_overlaps(X, score, np.linalg.inv(information), weights)


@given(st.integers(0, 10**6), st.integers(6, 14), st.floats(-1.0, 1.0))
def test_what_is_proven_is_not_separated(seed: int, n: int, centre: float) -> None:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.integers(0, 4, size=n), rng.normal(size=n)])
    y = rng.integers(0, 2, size=n).astype(float)
    if np.linalg.matrix_rank(X) < 3 or y.min() == y.max():
        return
    beta = centre * rng.normal(size=3)
    if proven(X, y, beta):
        assert not binary_separation(X, y).found


def test_separated_outcomes_are_not_proven_to_overlap_at_any_of_many_points() -> None:
    X = np.column_stack([np.ones(40), np.linspace(-1.0, 1.0, 40)])
    y = (X[:, 1] > 0.3).astype(float)
    slopes = np.linspace(0.0, 60.0, 61)
    assert not any(proven(X, y, np.array([-0.3 * slope, slope])) for slope in slopes)


def test_one_patient_on_the_other_side_of_a_table_decides() -> None:
    X = np.column_stack([np.ones(60), np.repeat([0.0, 1.0], 30)])
    y = np.r_[np.tile([0.0, 1.0], 15), np.ones(30)]
    weights = np.ones(60)
    y[-8:] = 0.0
    fit = fit_logistic(X, y, firth=True)
    assert proven(X, y, fit.coef[0])
    weights[-8:] = 0.0  # who have no weight are not there: the second group has the outcome always
    assert binary_separation(X, y, weights).found
    assert not proven(X, y, fit_logistic(X, y, case=weights, firth=True).coef[0], weights)


@pytest.mark.parametrize("seed", range(5))
def test_ten_events_a_coefficient_suffice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(200), rng.normal(size=200), rng.integers(0, 2, size=200)])
    y = (rng.random(200) < 1.0 / (1.0 + np.exp(1.5 - 0.7 * X[:, 1]))).astype(float)
    assert proven(X, y, fit_logistic(X, y, firth=True).coef[0])
