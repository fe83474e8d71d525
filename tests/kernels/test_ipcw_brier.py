"""Brier score under censoring."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.calibration import brier
from rnetstats.kernels.ipcw_brier import ipcw_brier


def sample(seed: int, n: int = 50):
    rng = np.random.default_rng(seed)
    stop = np.round(rng.exponential(10.0, n), 0) + 1.0
    code = rng.integers(0, 3, n)
    return stop, code, rng.uniform(0.05, 0.9, n), rng.integers(1, 4, n)


def test_without_censoring_it_is_the_plain_score():
    stop, code, risk, _ = sample(1)
    code = np.maximum(code, 1)
    y = ((code == 1) & (stop <= 8.0)).astype(float)
    score, error = ipcw_brier(stop, code, risk, 8.0)
    assert score[0] == pytest.approx(brier(y, risk)[0], rel=1e-12)
    squares = (y - risk) ** 2
    assert error[0] == pytest.approx(squares.std(ddof=1) / np.sqrt(len(y)), rel=1e-12)


@given(st.integers(0, 10_000))
def test_frequency_weights_are_replicated_rows(seed):
    stop, code, risk, freq = sample(seed)
    one = ipcw_brier(stop, code, np.vstack([risk, 1.0 - risk]), 8.0, freq)
    times = [np.repeat(a, freq) for a in (stop, code, risk)]
    other = ipcw_brier(times[0], times[1], np.vstack([times[2], 1.0 - times[2]]), 8.0)
    np.testing.assert_allclose(one, other, rtol=1e-10)


@given(st.integers(0, 10_000), st.floats(0.1, 50.0))
def test_the_unit_of_time_does_not_matter(seed, unit):
    stop, code, risk, _ = sample(seed)
    np.testing.assert_allclose(
        ipcw_brier(stop, code, risk, 8.5), ipcw_brier(stop * unit, code, risk, 8.5 * unit)
    )


def test_by_hand():
    # censored at 2 of four: G = 2/3 after it; the event at 1 weighs 1, those beyond 3 weigh 3/2
    stop, code = np.array([1.0, 2.0, 4.0, 5.0]), np.array([1, 0, 1, 0])
    risk = np.array([0.5, 0.5, 0.2, 0.4])
    score, _ = ipcw_brier(stop, code, risk, 3.0)
    assert score[0] == pytest.approx((0.25 + 1.5 * (0.04 + 0.16)) / 4)
