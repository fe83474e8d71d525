"""Rows that are alike, written once with their counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.links import with_intercept
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.newton import LOST_TERM, OK
from rnetstats.kernels.row_patterns import LikeRows, collapsed

N, B = 120, 7


def _drawn(seed: int, p: int, *, shared: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 2, (N, p) if shared else (B, N, p)).astype(float)
    y = (rng.random(N) < 0.3).astype(float)
    return X, y, rng.multinomial(N, np.full(N, 1.0 / N), size=B).astype(float)


@given(seed=st.integers(0, 10**6), p=st.integers(0, 3), shared=st.booleans())
def test_every_row_is_counted_under_its_own_pattern(seed: int, p: int, shared: bool) -> None:
    X, y, freq = _drawn(seed, p, shared=shared)
    columns, outcome, counts = collapsed(X, y, freq)
    everywhere = np.broadcast_to(X, (B, N, p))
    for pattern, result, count in zip(columns, outcome, counts.T, strict=True):
        alike = (everywhere == pattern).all(axis=2) & (y == result)
        np.testing.assert_array_equal(count, (freq * alike).sum(axis=1))
    np.testing.assert_array_equal(counts.sum(axis=1), freq.sum(axis=1))


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("firth", [True, False])
def test_the_fits_are_those_of_the_rows(shared: bool, firth: bool) -> None:
    X, y, freq = _drawn(5, 3, shared=shared)
    X[..., 2] *= np.arange(N) < 4  # rare: lost, or separated, in some replicates
    columns, outcome, counts = collapsed(X, y, freq)
    whole = fit_logistic(with_intercept(X), y, freq=freq, firth=firth)
    short = fit_logistic(with_intercept(columns), outcome, freq=counts, firth=firth)
    assert len(outcome) < N / 4
    np.testing.assert_array_equal(short.status, whole.status)
    np.testing.assert_array_equal(short.lost, whole.lost)
    good = np.isin(whole.status, (OK, LOST_TERM))
    assert good.any()
    np.testing.assert_allclose(short.coef[good], whole.coef[good], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(
        short.log_likelihood_penalized[good], whole.log_likelihood_penalized[good], rtol=1e-11
    )


def test_other_numbers_and_too_many_patterns_are_left_alone() -> None:
    X, y, freq = _drawn(1, 2, shared=True)
    measured = X.copy()
    measured[3, 0] = 2.0
    wide, _, _ = _drawn(1, 9, shared=True)
    for design in (measured, wide, np.hstack([wide, X])):
        assert collapsed(design, y, freq)[0] is design


def test_rows_that_are_alike_are_predicted_alike_to_the_last_bit() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(7, 6))[rng.integers(0, 7, 527)]
    coef = rng.normal(size=(101, 6))
    found = LikeRows(X).predictor(coef)
    assert all(len(np.unique(row)) == 7 for row in found)
    np.testing.assert_allclose(found, coef @ X.T, rtol=1e-12, atol=1e-13)
    other = rng.normal(size=(31, 6))
    np.testing.assert_array_equal(LikeRows(other).predictor(coef), coef @ other.T)
