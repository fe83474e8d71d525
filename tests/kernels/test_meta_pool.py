"""Pooling by inverse variance: by hand, against matrices, in batches."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.meta_pool import inverse_variance, projection, studies
from support import assert_close


def test_by_hand() -> None:
    # Weights 1/(0.25 + 0.25) = 2, 1/(0.75 + 0.25) = 1: mean (2 * 1 + 1 * 4) / 3 = 2;
    # q = 2 * 1 + 1 * 4 = 6; variance 1/3.
    found = inverse_variance([1.0, 4.0], [0.25, 0.75], 0.25)
    assert_close(found.estimate, 2.0)
    assert_close(found.std_error, np.sqrt(1.0 / 3.0))
    assert_close(found.q, 6.0)
    assert_close(found.weights, [2.0, 1.0])
    assert found.df == 1.0


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_projection_and_coefficients_are_those_of_matrices(seed: int, p: int) -> None:
    rng = np.random.default_rng(seed)
    k = 6
    y, v, b = rng.normal(size=k), np.exp(rng.normal(size=k)), np.exp(rng.normal(size=k))
    x = np.column_stack([np.ones(k), rng.normal(size=(k, p - 1))])
    w = np.diag(1.0 / (v + 0.2))
    cov = np.linalg.inv(x.T @ w @ x)
    full = w - w @ x @ cov @ x.T @ w
    sets = studies(y, v, x=x if p > 1 else None)
    at = projection(sets, 1.0 / (v + 0.2))
    assert_close(at.trace(b), np.trace(full @ np.diag(b)))
    assert_close(at.trace_of_two(v, b), np.trace(full @ np.diag(v) @ full @ np.diag(b)))
    assert_close(at.trace_of_two(), np.trace(full @ full))
    assert_close(at.py, full @ y)
    assert_close(at.apply(v), full @ v)
    assert_close(at.quadratic, y @ full @ y)
    assert_close(at.log_det, np.linalg.slogdet(x.T @ w @ x)[1])
    found = inverse_variance(y, v, 0.2, x=x if p > 1 else None)
    assert_close(found.coef, cov @ x.T @ w @ y)
    assert_close(found.cov, cov)
    assert_close(found.q, y @ full @ y)


@given(st.integers(0, 2**32 - 1))
def test_studies_left_out_do_not_count(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, v = rng.normal(size=(2, 5)), np.exp(rng.normal(size=(2, 5)))
    mask = np.array([[True, False, True, True, False], [True] * 5])
    y[0, 1] = np.nan  # what is left out is not looked at
    found = inverse_variance(y, v, [0.1, 0.3], mask=mask)
    for i, tau2 in enumerate((0.1, 0.3)):
        alone = inverse_variance(y[i, mask[i]], v[i, mask[i]], tau2)
        assert_close(found.estimate[i], alone.estimate)
        assert_close(found.std_error[i], alone.std_error)
        assert_close(found.q[i], alone.q)
        assert found.df[i] == alone.df
