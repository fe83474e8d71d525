"""Array-level calibration: many replicates at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.formula.splines import restricted_basis, restricted_knots
from rnetstats.kernels.calibration import (
    brier,
    brier_scaled,
    calibration_in_the_large,
    calibration_line,
    ici,
    log_likelihoods,
    spiegelhalter,
)
from rnetstats.kernels.calibration_error import restricted_columns, spline_knots
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.lowess import lowess
from rnetstats.kernels.newton import DIVERGED, LOST_TERM, OK

SCORES = {
    "brier": brier,
    "brier_scaled": brier_scaled,
    "nagelkerke": lambda y, p, f=None: log_likelihoods(y, p, f).nagelkerke,
    "spiegelhalter": spiegelhalter,
    "slope": lambda y, p, f=None: calibration_line(y, p, f).slope,
    "intercept": lambda y, p, f=None: calibration_line(y, p, f).intercept,
    "covariance": lambda y, p, f=None: calibration_line(y, p, f).covariance,
    "large": lambda y, p, f=None: calibration_in_the_large(y, p, f).intercept,
    "large variance": lambda y, p, f=None: calibration_in_the_large(y, p, f).variance,
    "lowess": ici,
}


def sample(seed: int, n: int = 80, size: int = 5, digits: int = 3):
    rng = np.random.default_rng(seed)
    risk = np.clip(np.round(rng.beta(2.0, 5.0, (size, n)), digits), 0.001, 0.999)
    y = (rng.random(n) < risk[0]).astype(float)
    freq = rng.multinomial(n, np.full(n, 1.0 / n), size).astype(float)
    return y, risk, freq


@pytest.mark.slow
@pytest.mark.parametrize("name", SCORES)
@given(seed=st.integers(0, 10_000), digits=st.sampled_from([1, 2, 6]))
def test_frequency_weights_are_replicated_rows(name, seed, digits):
    y, risk, freq = sample(seed, digits=digits)
    score = SCORES[name]
    found = score(y, risk, freq)
    for k, times in enumerate(freq.astype(int)):
        one = score(np.repeat(y, times), np.repeat(risk[k], times))[0]
        np.testing.assert_allclose(found[k], one, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", SCORES)
def test_a_plain_call_is_a_batch_of_one(name):
    y, risk, freq = sample(4, size=300, n=50)
    score = SCORES[name]
    whole = score(y, risk, freq)
    for k in (0, 130, 299):
        np.testing.assert_allclose(whole[k], score(y, risk[k], freq[k])[0], rtol=1e-10, atol=1e-12)
    shared = score(y, risk[0], freq)
    np.testing.assert_allclose(shared[7], score(y, risk[0], freq[7])[0], rtol=1e-10, atol=1e-12)
    same = score(y, risk, freq[0])
    np.testing.assert_allclose(same[7], score(y, risk[7], freq[0])[0], rtol=1e-10, atol=1e-12)


def test_scores_by_hand():
    y, p = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.8, 0.4, 0.6, 0.2])
    assert brier(y, p)[0] == pytest.approx((0.04 + 0.16 + 0.16 + 0.04) / 4)
    assert brier_scaled(y, p)[0] == pytest.approx(1 - 0.1 / 0.25)
    lean = 1 - 2 * p
    z = ((y - p) * lean).sum() / np.sqrt((lean**2 * p * (1 - p)).sum())
    assert spiegelhalter(y, p)[0] == pytest.approx(z)
    both = log_likelihoods(y, p)
    assert both.risk[0] == pytest.approx(2 * np.log(0.8) + 2 * np.log(0.6))
    assert both.null[0] == pytest.approx(4 * np.log(0.5))
    assert both.mcfadden[0] == pytest.approx(1 - both.risk[0] / both.null[0])


@given(st.integers(0, 10_000), st.floats(-3.0, 3.0), st.floats(0.2, 4.0))
def test_line_undoes_a_shift_and_a_stretch_of_the_logit(seed, shift, stretch):
    y, risk, _ = sample(seed, n=150, size=1)
    base = calibration_line(y, risk)
    lp = np.log(risk / (1 - risk))
    moved = calibration_line(y, 1 / (1 + np.exp(-(shift + stretch * lp))))
    assert base.status[0] == moved.status[0] == OK
    np.testing.assert_allclose(moved.slope, base.slope / stretch, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(
        moved.intercept, base.intercept - shift * base.slope / stretch, rtol=1e-7, atol=1e-8
    )


@pytest.mark.parametrize("scale", [0.02, 1.0, 12.0])
def test_line_is_the_general_fit(scale):
    rng = np.random.default_rng(9)
    lp = scale * rng.normal(-1.0, 1.0, 200)
    y = (rng.random(200) < 1 / (1 + np.exp(-lp / scale))).astype(float)
    risk = 1 / (1 + np.exp(-lp))
    line = calibration_line(y, risk)
    fit = fit_logistic(np.column_stack([np.ones(200), np.log(risk / (1 - risk))]), y)
    assert line.status[0] == fit.status[0] == OK
    np.testing.assert_allclose([line.intercept[0], line.slope[0]], fit.coef[0], rtol=1e-8)
    np.testing.assert_allclose(line.covariance[0], fit.covariance[0], rtol=1e-7)


def test_separated_outcomes_have_an_infinite_slope():
    p = np.array([0.1, 0.2, 0.7, 0.9])
    up, down = calibration_line([0, 0, 1, 1], p), calibration_line([1, 1, 0, 0], p)
    assert up.slope[0] == np.inf
    assert down.slope[0] == -np.inf
    assert up.status[0] == DIVERGED
    assert np.isnan(up.intercept[0])
    quasi = calibration_line([0, 0, 1, 1], [0.1, 0.7, 0.7, 0.9])
    assert quasi.slope[0] == np.inf


def test_identical_risks_have_no_slope():
    line = calibration_line([0, 1, 1, 0], [0.3, 0.3, 0.3, 0.3])
    assert line.status[0] == LOST_TERM
    assert np.isnan(line.slope[0])
    # rows that a replicate lacks do not count
    some = calibration_line([0, 1, 1, 0], [0.3, 0.3, 0.5, 0.6], [2, 2, 0, 0])
    assert some.status[0] == LOST_TERM


def test_a_replicate_without_both_outcomes():
    y, p = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.1, 0.4, 0.3, 0.8])
    freq = np.array([[2, 2, 0, 0], [0, 0, 1, 3], [1, 1, 1, 1]])
    assert np.isnan(calibration_line(y, p, freq).slope).tolist() == [True, True, False]
    assert calibration_in_the_large(y, p, freq).intercept[:2].tolist() == [-np.inf, np.inf]
    assert np.isnan(brier_scaled(y, p, freq)).tolist() == [True, True, False]
    assert np.isnan(log_likelihoods(y, p, freq).nagelkerke).tolist() == [True, True, False]
    assert np.isnan(ici(y, p, freq)).all(axis=1).tolist() == [True, True, False]
    np.testing.assert_allclose(brier(y, p, freq)[0], (0.01 + 0.16) / 2)


def test_risks_of_zero_and_one():
    y, p = np.array([0, 1, 0, 1, 1, 0.0]), np.array([0.0, 1.0, 0.2, 0.4, 0.7, 0.6])
    inner = calibration_line(y[2:], p[2:])
    whole = calibration_line(y, p)
    assert whole.slope[0] == pytest.approx(inner.slope[0], rel=1e-12)
    assert calibration_in_the_large(y, p).intercept[0] == pytest.approx(
        calibration_in_the_large(y[2:], p[2:]).intercept[0]
    )
    wrong = 1.0 - y
    assert np.isnan(calibration_line(wrong, p).slope[0])
    assert np.isnan(calibration_in_the_large(wrong, p).intercept[0])
    assert log_likelihoods(wrong, p).risk[0] == -np.inf
    # a contradiction in a row that the replicate lacks is none
    lacking = calibration_line(
        y[[0, 1, 2, 3, 4, 5]], [1.0, 0.0, 0.2, 0.4, 0.7, 0.6], [0, 0, 1, 1, 1, 1]
    )
    assert lacking.slope[0] == pytest.approx(inner.slope[0], rel=1e-12)
    # with such rows a falling line has no likelihood
    falling = calibration_line([0, 1, 1, 0, 0, 1.0], [0.0, 1.0, 0.2, 0.4, 0.7, 0.6])
    assert np.isnan(falling.slope[0])


def test_perfect_prediction():
    y = np.array([0, 1, 1, 0, 1.0])
    assert brier(y, y)[0] == 0.0
    assert brier_scaled(y, y)[0] == 1.0
    assert log_likelihoods(y, y).nagelkerke[0] == pytest.approx(1.0)
    np.testing.assert_allclose(ici(y, y)[0], 0.0, atol=1e-12)
    assert np.isnan(spiegelhalter(y, y)[0])


def test_ici_with_an_anchor_at_each_risk_is_that_of_the_exact_curve():
    y, risk, _ = sample(2, n=120, size=1, digits=2)
    gap = np.abs(lowess(risk[0], y, delta=0.0) - risk[0])
    wanted = [gap.mean(), np.quantile(gap, 0.5), np.quantile(gap, 0.9), gap.max()]
    np.testing.assert_allclose(ici(y, risk, points=120)[0], wanted, rtol=2e-3)


def test_batched_splines_are_harrells_basis():
    x = np.sort(sample(8, n=60, size=2, digits=6)[1], axis=1)
    knots = np.array([restricted_knots(row, 4) for row in x])
    found = restricted_columns(x, knots)
    for k in (0, 1):
        np.testing.assert_allclose(found[k], restricted_basis(x[k], knots[k]), atol=1e-12)
    np.testing.assert_allclose(spline_knots(x, np.ones(x.shape), (0.05, 0.35, 0.65, 0.95))[0],
                               np.quantile(x[0], (0.05, 0.35, 0.65, 0.95)))  # fmt: skip
    tied = restricted_columns(x, np.where([[True], [False]], knots, knots[:, :1]))
    np.testing.assert_array_equal(tied[0], found[0])
    np.testing.assert_array_equal(tied[1, :, 1:], 0.0)
    np.testing.assert_array_equal(tied[1, :, 0], x[1])


@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_many_patients_of_one_risk(share):
    rng = np.random.default_rng(0)
    p = np.where(rng.random(500) < share, 0.1, np.round(rng.beta(2, 5, 500), 2))
    y = (rng.random(500) < p).astype(float)
    gap = np.abs(lowess(p, y, delta=0.0) - p)
    found = ici(y, p)[0]
    assert np.isfinite(found).all()
    assert found[0] == pytest.approx(gap.mean(), abs=0.003)
    # whatever stands beside it in the batch
    other = rng.uniform(0.05, 0.6, 500)
    both = ici(y, np.vstack([p, other]))
    np.testing.assert_allclose(both, [found, ici(y, other)[0]], rtol=1e-10)


@pytest.mark.parametrize("scale", [40.0, 600.0])
def test_risks_of_many_orders_of_magnitude_keep_their_curve_in_bounds(scale):
    rng = np.random.default_rng(5)
    risk = np.exp(-scale * rng.random((20, 120)))
    y = (rng.random(120) < 0.35).astype(float)
    wanted = [np.abs(lowess(p, y, delta=0.0) - p).mean() for p in risk]
    np.testing.assert_allclose(ici(y, risk)[:, 0], wanted, atol=0.12)


@pytest.mark.parametrize("n", [120, 300, 900])
def test_ici_of_many_is_near_that_of_one(n):
    y, risk, _ = sample(12, n=n, size=1, digits=6)
    gap = np.abs(lowess(risk[0], y, delta=0.0) - risk[0])
    assert ici(y, risk)[0, 0] == pytest.approx(gap.mean(), abs=5e-4)


def test_likelihoods_of_one_event_and_without_the_rows_that_a_replicate_lacks() -> None:
    # 1 of 4 events: log(1/4) + 3 log(3/4); the row that could not be is not there
    y, risk = [1.0, 1.0, 0.0, 0.0, 0.0], [[0.0, 0.5, 0.2, 0.2, 0.2]]
    found = log_likelihoods(y, risk, [[0, 1, 1, 1, 1], [1, 1, 1, 1, 1]])
    np.testing.assert_allclose(found.null[0], np.log(1 / 4) + 3 * np.log(3 / 4))
    np.testing.assert_allclose(found.risk, [np.log(0.5) + 3 * np.log(0.8), -np.inf])
    found = log_likelihoods([1.0, 1.0, 0.0], [0.5, 0.5, 0.2])  # one without the event
    np.testing.assert_allclose(found.null, 2 * np.log(2 / 3) + np.log(1 / 3))
