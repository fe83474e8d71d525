"""Imputed analyses are right where complete cases are wrong: simulated, with known truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from rnetstats.kernels.cox import fit_cox, prepare
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.missing.imputer import imputer
from rnetstats.missing.rubin import pool_numbers

M = 5


def least_squares(y, X):
    inverse = np.linalg.inv(X.T @ X)
    b = inverse @ X.T @ y
    residual = y - X @ b
    return b, np.diag(inverse) * (residual @ residual) / (len(y) - X.shape[1])


def judged(pooled, complete, truth):
    """Bias in Monte Carlo errors of both analyses, and the coverage of the pooled limits."""
    estimate = np.array([p.estimate for p in pooled])
    limits = np.array([p.limits(0.95) for p in pooled])
    coverage = ((limits[:, 0] < truth) & (limits[:, 1] > truth)).mean(axis=0)
    complete = np.array(complete)
    errors = [a.std(axis=0, ddof=1) / np.sqrt(len(a)) for a in (estimate, complete)]
    gaps = [(a.mean(axis=0) - truth) / e for a, e in zip((estimate, complete), errors, strict=True)]
    return gaps[0], gaps[1], coverage


def enough(coverage, replicates):
    return coverage >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / replicates)


def linear(replicates, method, strength, seed=7, n=300):
    rng = np.random.default_rng(seed)
    truth = np.array([1.0, 0.5, 0.5])
    pooled, complete = [], []
    for _ in range(replicates):
        z = rng.normal(size=n)
        x = 0.5 * z + rng.normal(size=n)
        y = 1 + 0.5 * x + 0.5 * z + rng.normal(size=n)
        gone = rng.random(n) < expit(strength * (y - 1) - 0.7)
        data = pd.DataFrame({"x": np.where(gone, np.nan, x), "y": y, "z": z})
        made = imputer(data, columns=["x", "y", "z"], method={"x": method})
        X = np.column_stack([np.ones(n), x, z])
        complete.append(least_squares(y[~gone], X[~gone])[0])
        found = []
        for _ in range(M):
            X[gone, 1] = made.draw(rng)[0]["x"]
            found.append(least_squares(y, X))
        Q, U = zip(*found, strict=True)
        pooled.append(pool_numbers(np.array(Q), np.array(U), n - 3))
    return judged(pooled, complete, truth)


def test_a_linear_model_with_values_missing_by_the_outcome():
    imputed, complete, coverage = linear(120, "normal", 1.5)
    assert np.abs(imputed).max() < 3
    assert np.abs(complete).min() > 5
    assert enough(coverage, 120).all()


@pytest.mark.slow
def test_matching_is_unbiased_where_donors_are_near():
    imputed, complete, coverage = linear(300, "pmm", 0.4)
    assert np.abs(imputed).max() < 3
    assert np.abs(complete[0]) > 5
    assert (coverage > 0.90).all()  # matching is known to be a little short


def test_a_logistic_model_with_a_binary_covariate():
    rng = np.random.default_rng(11)
    truth, n, replicates = np.array([-0.5, 0.8, 0.5]), 400, 100
    pooled, complete = [], []
    for _ in range(replicates):
        z = rng.normal(size=n)
        x = (rng.random(n) < expit(0.7 * z)).astype(float)
        y = (rng.random(n) < expit(truth[0] + truth[1] * x + truth[2] * z)).astype(float)
        gone = rng.random(n) < expit(-2.0 + 1.2 * y + 1.2 * z * y)
        data = pd.DataFrame({"x": np.where(gone, np.nan, x), "y": y, "z": z})
        made = imputer(data)
        X = np.stack([np.column_stack([np.ones(n), x, z])] * M)
        complete.append(fit_logistic(X[0][~gone], y[~gone]).coef[0])
        for k in range(M):
            X[k, gone, 1] = made.draw(rng)[0]["x"]
        fit = fit_logistic(X, y)
        variances = np.diagonal(fit.covariance, axis1=1, axis2=2)
        pooled.append(pool_numbers(fit.coef, variances, n - 3))
    imputed, without, coverage = judged(pooled, complete, truth)
    # Firth's absence leaves the logistic model's own small-sample bias, well under 3 errors here
    assert np.abs(imputed).max() < 3
    assert np.abs(without[[0, 2]]).min() > 5
    assert enough(coverage, replicates).all()


@pytest.mark.slow
def test_a_cox_model_needs_the_hazard_in_the_imputation():
    rng = np.random.default_rng(5)
    truth, n, replicates = np.array([0.7, 0.5]), 300, 50
    pooled, naive, complete = [], [], []
    for _ in range(replicates):
        z = rng.normal(size=n)
        x = (rng.random(n) < expit(z)).astype(float)
        time = rng.exponential(np.exp(-truth[0] * x - truth[1] * z))
        stop = np.minimum(time, rng.exponential(2.0, n))
        event = time <= stop
        gone = rng.random(n) < expit(-1.0 + 1.5 * event * (z > 0))
        data = pd.DataFrame(
            {"x": np.where(gone, np.nan, x), "z": z, "t": stop, "d": event.astype(int)}
        )
        sets = prepare(None, stop, event, None)
        inside = prepare(None, stop[~gone], event[~gone], None)
        complete.append(fit_cox(np.column_stack([x, z])[~gone], inside).coef[0])
        for outcome, kept in (("Surv(t, d)", pooled), (None, naive)):
            made = imputer(data, columns=["x", "z"], outcome=outcome)
            X = np.stack([np.column_stack([x, z])] * M)
            for k in range(M):
                X[k, gone, 0] = made.draw(rng)[0]["x"]
            fit = fit_cox(X, sets)
            variances = np.diagonal(fit.covariance, axis1=1, axis2=2)
            kept.append(pool_numbers(fit.coef, variances, event.sum() - 2))
    with_hazard, _, coverage = judged(pooled, complete, truth)
    without, _, _ = judged(naive, complete, truth)
    assert np.abs(with_hazard).max() < 3
    assert enough(coverage, replicates).all()
    assert without[0] < -5  # the outcome left out pulls the effect towards none
