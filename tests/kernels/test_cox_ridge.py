"""Ridge Cox regression: R's values, its estimating equations, and cross-validation by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rnetstats.kernels.cox import cox_likelihood, fit_cox
from rnetstats.kernels.cox_ridge import ridge_cox, ridge_cox_deviance
from rnetstats.kernels.newton import OK
from rnetstats.kernels.risksets import prepare
from support import assert_close, read

# R 4.2.2, survival 3.5-3: coxph(Surv(time, status) ~ ridge(karno, age, smallcell, trt, theta,
# scale = TRUE), ties, control = coxph.control(eps = 1e-12)) on veteran; coef, loglik[2], df.
FROM_R = {
    ("efron", 1): ([-0.0323773497, -0.0057266472, 0.3907352526, 0.2923162253], 3.9598820603),
    ("efron", 10): ([-0.0294081336, -0.0040344611, 0.3713690382, 0.2500863247], 3.6340991521),
    ("efron", 100): ([-0.0156046692, 0.0008399725, 0.2525442325, 0.0861064580], 2.0129592045),
    ("breslow", 10): ([-0.0292296767, -0.0039532425, 0.3678625725, 0.2452712242], 3.6343473482),
    ("breslow", 100): ([-0.0155266438, 0.0008469893, 0.2507517793, 0.0843596318], 2.0137074416),
}


def rows(n: int = 60, seed: int = 2):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) * [1.0, 5.0, 0.2]
    stop = np.ceil(4.0 * rng.exponential(np.exp(-X @ [0.5, 0.1, 0.0])))
    return X, prepare(None, stop, rng.random(n) < 0.7), rng


@pytest.mark.parametrize(("ties", "theta"), FROM_R)
def test_values_of_r(ties: str, theta: float) -> None:
    data = read("veteran.csv")
    small = (data["celltype"] == "smallcell").astype(float)
    X = np.column_stack([data["karno"], data["age"], small, data["trt"]])
    sets = prepare(None, data["time"].to_numpy(float), data["status"].to_numpy() == 1)
    fit = ridge_cox(X, sets, [theta], ties=ties)
    coef, df = FROM_R[ties, theta]
    assert_close(fit.coef[0, 0], coef, rel=1e-6)
    assert_close(fit.df[0, 0], df, rel=1e-6)


def test_no_penalty_is_maximum_likelihood_and_a_large_one_leaves_nothing() -> None:
    X, sets, rng = rows()
    freq = rng.multinomial(60, np.full(60, 1 / 60), size=4).astype(float)
    plain, fit = fit_cox(X, sets, freq=freq), ridge_cox(X, sets, [1e9, 0.0], freq=freq)
    assert_close(fit.coef[:, 1], plain.coef)
    assert_close(fit.log_likelihood[:, 1], plain.log_likelihood)
    assert_close(fit.df[:, 1], np.full(4, 3.0))
    np.testing.assert_allclose(fit.coef[:, 0], 0.0, atol=1e-6)
    assert_close(fit.log_likelihood[:, 0], plain.log_likelihood_null, rel=1e-6)
    assert_close(fit.aic, -2.0 * fit.log_likelihood + 2.0 * fit.df)


@pytest.mark.parametrize("penalty", [0.5, 20.0])
def test_the_penalised_score_is_zero_and_df_is_its_trace(penalty: float) -> None:
    X, sets, rng = rows()
    freq, offset = rng.integers(0, 3, 60).astype(float), rng.normal(size=60)
    fit = ridge_cox(X, sets, [penalty], freq=freq, offset=offset)
    beta, many = fit.coef[0], np.repeat(X, freq.astype(int), axis=0)
    ridge = penalty * many.var(axis=0, ddof=1)
    likelihood = cox_likelihood(X, sets, freq=freq, offset=offset)
    one = np.zeros(1, dtype=np.int64)

    def value(at: np.ndarray) -> float:
        return float(likelihood(at, one)[0][0] - 0.5 * ridge @ at[0] ** 2)

    for j in range(3):
        step = np.zeros((1, 3))
        step[0, j] = 1e-5 / X.std(axis=0)[j]
        assert abs(value(beta + step) - value(beta - step)) / 2e-5 < 1e-6
        assert value(beta) > max(value(beta + 100 * step), value(beta - 100 * step))
    information = likelihood(beta, one)[2][0]
    df = np.trace(information @ np.linalg.inv(information + np.diag(ridge)))
    assert_close(fit.df[0, 0], df)
    assert_close(fit.log_likelihood[0, 0], likelihood(beta, one)[0][0])


def test_units_and_frequencies_do_not_matter() -> None:
    X, sets, rng = rows()
    fit, other = ridge_cox(X, sets, [3.0, 30.0]), ridge_cox(X * [7.0, 0.1, 1.0], sets, [3.0, 30.0])
    assert_close(other.coef[0] * [7.0, 0.1, 1.0], fit.coef[0])
    stop, event = np.ceil(rng.exponential(5.0, 60)), rng.random(60) < 0.6
    freq = rng.integers(0, 3, 60)
    again = np.repeat(np.arange(60), freq)
    weighted = ridge_cox(X, prepare(None, stop, event), [5.0], freq=freq.astype(float))
    written = ridge_cox(X[again], prepare(None, stop[again], event[again]), [5.0])
    assert_close(weighted.coef, written.coef)
    assert_close(weighted.df, written.df)


def test_designs_of_their_own_and_columns_that_say_nothing() -> None:
    X, sets, rng = rows()
    freq = rng.multinomial(60, np.full(60, 1 / 60), size=3).astype(float)
    deep = ridge_cox(np.stack([X, X, X]), sets, [0.0, 4.0], freq=freq)
    assert_close(deep.coef, ridge_cox(X, sets, [0.0, 4.0], freq=freq).coef)
    wide = np.column_stack([X, np.full(60, 2.0), X[:, 0]])
    both = ridge_cox(wide, sets, [0.0, 4.0])
    assert (both.coef[0, :, 3] == 0.0).all()
    assert_close(both.coef[0, 0, :3], ridge_cox(X, sets, [0.0]).coef[0, 0])
    assert both.coef[0, 0, 4] == 0.0  # repeats the first, without a penalty to tell them apart
    assert_close(both.coef[0, 1, 0], both.coef[0, 1, 4])
    assert both.df[0, 1] < 3.0


def test_separated_and_without_events() -> None:
    x = np.arange(20.0)[:, None]
    sets = prepare(None, 20.0 - x[:, 0], np.ones(20, dtype=bool))
    fit = ridge_cox(x, sets, [0.0, 1.0])
    assert fit.status[0, 0] != OK
    assert np.isnan(fit.coef[0, 0, 0])
    assert fit.coef[0, 1, 0] > 0.0
    freq = np.array([np.ones(20), np.zeros(20)])
    assert np.isnan(ridge_cox(x, sets, [1.0], freq=freq).coef[1]).all()


def test_cross_validated_deviance_by_hand() -> None:
    X, sets, _ = rows()
    folds, levels = np.arange(60) % 4, np.array([1.0, 50.0])
    found = ridge_cox_deviance(X, sets, folds, levels)
    expected = np.zeros(2)
    for fold in range(4):
        rest = (folds != fold).astype(float)
        for k, level in enumerate(levels):
            beta = ridge_cox(X, sets, [level], freq=rest).coef[0]
            for weight, sign in ((None, 1.0), (rest, -1.0)):
                at = cox_likelihood(X, sets, freq=weight)(beta, np.zeros(1, dtype=np.int64))
                expected[k] -= 2.0 * sign * at[0][0]
    assert_close(found[0], expected)
    twice = ridge_cox_deviance(X, sets, folds, levels, freq=np.ones((2, 60)))
    assert_close(twice, np.vstack([found, found]))
    other = np.arange(60) // 15
    both = ridge_cox_deviance(X, sets, np.vstack([folds, other]), levels)
    assert_close(both, np.vstack([found, ridge_cox_deviance(X, sets, other, levels)]))
