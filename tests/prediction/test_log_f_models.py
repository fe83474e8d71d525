"""A model with log-F priors keeps them wherever it is made again."""

from __future__ import annotations

import numpy as np
import pandas as pd

import rnetstats as rn
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.prediction.refit_fixed import refit_of_fit
from support import assert_close


def rows(n: int = 150) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    x, z = rng.integers(0, 2, n), rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(1.5 - x - z))).astype(int)
    return pd.DataFrame({"y": y, "x": x, "z": z, "t": rng.exponential(5.0, n), "e": y})


def test_refits_of_resamples_have_the_prior() -> None:
    data = rows()
    counts = np.random.default_rng(1).multinomial(150, np.full(150, 1 / 150), size=7).astype(float)
    X = np.column_stack([np.ones(150), data[["x", "z"]]])
    fit = rn.logistic(data, "y ~ x + z", penalty="log-f", m=4)
    prior = LogF(np.eye(3)[1:], np.array([4.0, 4.0]))
    expected = fit_logistic(X, data["y"], freq=counts, prior=prior).coef @ X.T
    assert_close(refit_of_fit(fit).again(counts, np.arange(7)).predictor, expected)
    survival = rn.cox(data, "Surv(t, e) ~ x + z", penalty="log-f", m=4)
    strong = np.abs(refit_of_fit(survival).again(counts, np.arange(7)).predictor).mean()
    plain = rn.cox(data, "Surv(t, e) ~ x + z", penalty=None)
    assert strong < np.abs(refit_of_fit(plain).again(counts, np.arange(7)).predictor).mean()


def test_the_risk_model_is_the_fit() -> None:
    data = rows()
    fit = rn.logistic(data, "y ~ x + z", penalty="log-f", m=4)
    for intercept in ("flic", "model"):
        model = rn.risk_model(fit, intercept=intercept)
        assert "log-F(4, 4)" in model.method
        assert_close(model.predict(data)["risk"], fit.predict(data), rel=1e-6)
        assert_close(model.covariance, fit.vcov, rel=1e-6)


def test_validation_and_shrinkage_run() -> None:
    data = rows()
    fit = rn.logistic(data, "y ~ x + z", penalty="log-f", m=1)
    assert len(rn.validate(fit, resamples=20, seed=1).to_frame())
    found = rn.shrink(fit, method="bootstrap", resamples=20, seed=1).to_frame()
    assert_close(found["coef"][1:], fit.coef[1:])
