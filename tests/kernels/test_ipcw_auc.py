"""AUC at a time under censoring."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.ipcw_auc import ipcw_auc
from rnetstats.kernels.roc import auc
from rnetstats.kernels.time_roc import time_auc


def sample(seed: int, n: int = 60):
    rng = np.random.default_rng(seed)
    stop = np.round(rng.exponential(10.0, n), 0) + 1.0
    return stop, rng.integers(0, 3, n), np.round(rng.random(n), 1), rng.integers(1, 4, n)


@given(st.integers(0, 10_000))
def test_it_is_the_time_dependent_auc_with_all_others_as_controls(seed):
    stop, code, score, freq = sample(seed)
    other = time_auc(stop, code == 1, code > 0, score, 8.5, controls="all non-cases", freq=freq)
    assert ipcw_auc(stop, code, score, 8.5, freq)[0] == pytest.approx(other.auc, rel=1e-10)


@given(st.integers(0, 10_000))
def test_frequency_weights_are_replicated_rows(seed):
    stop, code, score, freq = sample(seed)
    many = (np.repeat(a, freq) for a in (stop, code, score))
    np.testing.assert_allclose(
        ipcw_auc(stop, code, score, 8.5, freq), ipcw_auc(*many, 8.5), rtol=1e-10
    )


def test_without_censoring_it_is_the_plain_auc():
    stop, code, score, _ = sample(3)
    code = np.maximum(code, 1)
    y = ((code == 1) & (stop <= 8.5)).astype(float)
    found, error = ipcw_auc(stop, code, score, 8.5)
    assert found == pytest.approx(auc(y, score)[0], rel=1e-12)
    assert 0.0 < error < 0.2


def test_without_cases_or_controls():
    assert np.isnan(ipcw_auc([5.0, 6.0], [1, 0], [0.2, 0.4], 2.0)).all()
    assert np.isnan(ipcw_auc([1.0, 2.0], [1, 1], [0.2, 0.4], 5.0)).all()
