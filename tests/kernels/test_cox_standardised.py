"""Baseline hazards and averaged curves of many Cox fits."""

from __future__ import annotations

import numpy as np
import pytest

from rnetstats.kernels.cox import cox_likelihood, fit_cox
from rnetstats.kernels.cox_baseline import baseline_hazard, cumulative_hazard
from rnetstats.kernels.cox_horizon import hazard_until
from rnetstats.kernels.cox_residuals import (
    fitted_cox,
    martingale_residuals,
    score_residuals,
)
from rnetstats.kernels.cox_standardised import hazard_steps, mean_survival
from rnetstats.kernels.risksets import prepare


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_curves_are_the_average_of_single_fits(ties: str, late: bool) -> None:
    rng = np.random.default_rng(4)
    n = 80
    start = rng.integers(0, 3, n).astype(float) if late else None
    stop = rng.integers(1, 12, n) + (0.0 if start is None else start)
    event, X = rng.random(n) < 0.6, rng.normal(size=(n, 2))
    freq = rng.integers(0, 3, (5, n)).astype(float)
    sets = prepare(start, stop, event)
    fit = fit_cox(X, sets, freq=freq, ties=ties)
    predictor = fit.coef @ X.T
    steps = hazard_steps(sets, predictor, freq=freq, ties=ties)
    upto = np.cumsum(steps, axis=1)
    times = sets.times[::-1]
    found = mean_survival(predictor, upto, freq)
    for k, copies in enumerate(freq):
        again = np.repeat(np.arange(n), copies.astype(int))
        own = prepare(None if start is None else start[again], stop[again], event[again])
        base = baseline_hazard(fitted_cox(cox_likelihood(X[again], own, ties=ties), fit.coef[k]))
        hazard, _ = cumulative_hazard(base, X[again], times)
        np.testing.assert_allclose(found[k], np.exp(-hazard).mean(axis=0), rtol=1e-10)
    np.testing.assert_allclose(
        upto[:, 4], hazard_until(sets, predictor, times[4], freq=freq, ties=ties), rtol=1e-10
    )


def test_wide_and_narrow_blocks_agree() -> None:
    rng = np.random.default_rng(1)
    predictor, hazard = rng.normal(size=(2, 50_000)), np.sort(rng.random((2, 7)))
    direct = np.exp(-hazard[:, :, None] * np.exp(predictor)[:, None, :]).mean(axis=2)
    np.testing.assert_allclose(mean_survival(predictor, hazard), direct, rtol=1e-12)


@pytest.mark.parametrize("moved", [60.0, -60.0])
def test_a_large_offset_moves_the_baseline_and_nothing_else(moved: float) -> None:
    rng = np.random.default_rng(2)
    stop, event = rng.integers(1, 9, 40).astype(float), rng.random(40) < 0.6
    X, beta, sets = rng.normal(size=(40, 2)), np.array([0.3, -0.5]), prepare(None, stop, event)
    plain = fitted_cox(cox_likelihood(X, sets), beta)
    far = fitted_cox(cox_likelihood(X, sets, offset=np.full(40, moved)), beta)
    one, other = baseline_hazard(plain), baseline_hazard(far)
    unit = np.exp(-moved)
    np.testing.assert_allclose(other.hazard, one.hazard * unit, rtol=1e-10)
    np.testing.assert_allclose(other.variance, one.variance * unit**2, rtol=1e-10)
    np.testing.assert_allclose(other.mean_hazard, one.mean_hazard * unit, rtol=1e-9)
    for residuals in (martingale_residuals, score_residuals):
        np.testing.assert_allclose(residuals(far), residuals(plain), rtol=1e-9, atol=1e-12)
