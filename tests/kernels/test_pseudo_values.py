"""Risk by a time under censoring, and its pseudo-values."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.kernels.pseudo_values import pseudo_values, risk_by, risks_by
from rnetstats.survival.product_limit import product_limit


def sample(seed: int, n: int = 30, causes: int = 2):
    rng = np.random.default_rng(seed)
    stop = np.round(rng.exponential(10.0, n), 0) + 1.0
    return stop, rng.integers(0, causes + 1, n), rng.integers(1, 4, n)


@given(st.integers(0, 10_000), st.sampled_from([1, 2]), st.floats(0.0, 40.0))
def test_pseudo_values_leave_one_row_out(seed, causes, horizon):
    stop, code, _ = sample(seed, causes=causes)
    n = len(stop)
    values = pseudo_values(stop, code, horizon)
    whole = risk_by(stop, code, horizon)[0]
    for i in range(n):
        keep = np.arange(n) != i
        without = risk_by(stop[keep], code[keep], horizon)[0]
        assert values[i] == pytest.approx(n * whole - (n - 1) * without, abs=1e-10)


@pytest.mark.parametrize("horizon", [5.0, 9.0, 20.0])
def test_the_error_of_a_risk_is_the_jackknifes_among_causes_and_greenwoods_alone(horizon):
    stop, code, _ = sample(4)
    n = len(stop)
    kept = [np.arange(n) != i for i in range(n)]
    without = np.array([risk_by(stop[k], code[k], horizon)[0] for k in kept])
    jackknife = np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    assert risk_by(stop, code, horizon)[1] == pytest.approx(jackknife, rel=1e-10)
    alone = product_limit(stop, code == 1)
    place = int(np.searchsorted(alone.time, horizon, side="right")) - 1
    greenwood = alone.survival[place] * np.sqrt(alone.log_variance[place])
    found = risk_by(stop, (code == 1).astype(int), horizon)
    assert found == pytest.approx((1.0 - alone.survival[place], greenwood), rel=1e-10)


@given(st.integers(0, 10_000), st.sampled_from([1, 2]))
def test_frequency_weights_are_replicated_rows(seed, causes):
    stop, code, freq = sample(seed, causes=causes)
    many = np.repeat(stop, freq), np.repeat(code, freq)
    np.testing.assert_allclose(risk_by(stop, code, 9.0, freq), risk_by(*many, 9.0), rtol=1e-10)
    np.testing.assert_allclose(
        np.repeat(pseudo_values(stop, code, 9.0, freq), freq), pseudo_values(*many, 9.0), atol=1e-10
    )


@given(st.integers(0, 10_000))
def test_without_censoring_pseudo_values_are_outcomes(seed):
    stop, code, _ = sample(seed)
    code = np.maximum(code, 1)
    outcome = ((code == 1) & (stop <= 9.0)).astype(float)
    np.testing.assert_allclose(pseudo_values(stop, code, 9.0), outcome, atol=1e-10)
    assert risk_by(stop, code, 9.0)[0] == pytest.approx(outcome.mean())


@given(st.integers(0, 10_000))
def test_one_cause_is_kaplan_meier(seed):
    stop, code, _ = sample(seed, causes=1)
    curve = product_limit(stop, code > 0)
    last = np.searchsorted(curve.time, 9.0, side="right") - 1
    risk, error = risk_by(stop, code, 9.0)
    assert risk == pytest.approx(1.0 - curve.survival[last])
    np.testing.assert_allclose(error, curve.std_error[last], equal_nan=True)


def test_before_anything_happens():
    assert risk_by([5.0, 6.0], [1, 0], 2.0) == (0.0, 0.0)
    assert pseudo_values([5.0, 6.0], [1, 0], 2.0).tolist() == [0.0, 0.0]


def test_many_rows_take_one_pass() -> None:
    rng = np.random.default_rng(3)
    n = 50_000
    stop, code = rng.exponential(size=n), rng.integers(0, 3, n)
    tracemalloc.start()
    found = pseudo_values(stop, code, 1.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6
    full = risk_of_all(stop, code, 1.0)
    for row in (0, 1, int(stop.argmin()), int(stop.argmax())):
        rest = np.arange(n) != row
        without = risk_of_all(stop[rest], code[rest], 1.0)
        assert np.isclose(found[row], n * full - (n - 1) * without, atol=1e-7)


def risk_of_all(stop: np.ndarray, code: np.ndarray, horizon: float) -> float:
    """The Aalen-Johansen estimate, row by row in order of time (no ties)."""
    order = np.argsort(stop)
    at_risk = np.arange(stop.size, 0, -1)
    survival = np.cumprod(1.0 - (code[order] > 0) / at_risk)
    jumps = np.append(1.0, survival[:-1]) * (code[order] == 1) / at_risk
    return float(jumps[stop[order] <= horizon].sum())


@pytest.mark.parametrize("causes", [1, 2])
def test_replicates_at_once_are_replicates_one_by_one(causes):
    rng = np.random.default_rng(3)
    stop, code = np.ceil(rng.exponential(8.0, 60)), rng.integers(0, causes + 1, 60)
    freq = np.vstack([rng.multinomial(60, np.full(60, 1 / 60), size=5), np.ones(60, dtype=int)])
    freq[4] = np.where(code == 0, 2, 0)  # a replicate without events
    values, risks = pseudo_values(stop, code, 9.0, freq), risks_by(stop, code, 9.0, freq)
    assert risks[4] == 0.0
    for row, found, risk in zip(freq, values, risks, strict=True):
        held = row > 0
        alone = pseudo_values(stop[held], code[held], 9.0, row[held])
        np.testing.assert_allclose(found[held], alone, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(risk, risk_by(stop[held], code[held], 9.0, row[held])[0])
