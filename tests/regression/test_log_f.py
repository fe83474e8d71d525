"""Log-F priors: reference fits, equality with augmented data, and their limits."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import ConvergenceError, OptionError
from rnetstats.kernels.cox import fit_cox, prepare
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.logistic import fit_logistic
from support import assert_close, case, case_ids, read

CASES = [name for name in case_ids("bounds") if "_m" in name and "bpcp" not in name]
TIME = "Surv(t, e)"


@pytest.mark.parametrize("name", CASES)
def test_reference_fits(name: str) -> None:
    reference = case("bounds", name)
    spec, expected = reference["spec"], reference["values"]
    formula = f"{spec['outcome']} ~ {' + '.join(spec['terms'])}"
    fit = rn.logistic(read(reference["data"]), formula, penalty="log-f", m=spec["m"])
    table = fit.to_frame()
    assert list(table["term"]) == expected["terms"] == list(expected["coef"])
    assert_close(table["coef"], expected["coef"])
    assert_close(table["std_error"], expected["se"])
    assert_close(np.log(table["conf_low"]), expected["pl_ci_lower"], rel=1e-6)
    assert_close(np.log(table["conf_high"]), expected["pl_ci_upper"], rel=1e-6)


def rows(seed: int, n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, z = rng.integers(0, 2, n), np.round(rng.normal(size=n), 2)
    risk = 1.0 / (1.0 + np.exp(1.0 - x - 0.5 * z))
    y = (rng.random(n) < risk).astype(int)
    y[:2] = [0, 1]
    t = np.ceil(rng.exponential(8.0 * np.exp(-0.5 * x)))
    return pd.DataFrame({"y": y, "x": x, "z": z, "t": t, "e": y, "g": rng.integers(0, 2, n)})


def augmented(data: pd.DataFrame, terms: list[str], m: float) -> tuple[np.ndarray, ...]:
    X = np.column_stack([np.ones(len(data)), data[terms]])
    pseudo = np.repeat(np.eye(X.shape[1])[1:], 2, axis=0)
    y = np.concatenate([data["y"], np.tile([1.0, 0.0], len(terms))])
    weight = np.concatenate([np.ones(len(data)), np.full(2 * len(terms), m / 2)])
    return np.vstack([X, pseudo]), y, weight


@pytest.mark.slow
@given(seed=st.integers(0, 10_000), m=st.floats(0.1, 5.0))
def test_equals_maximum_likelihood_on_augmented_data(seed: int, m: float) -> None:
    data = rows(seed)
    X, y, weight = augmented(data, ["x", "z"], m)
    whole = fit_logistic(X, y, case=weight)
    fit = rn.logistic(data, "y ~ x + z", penalty="log-f", m=m)
    assert_close(fit.coef, whole.coef[0])
    assert_close(fit.vcov, whole.covariance[0])
    assert_close(fit.summary["log_likelihood_penalized"], whole.log_likelihood[0])
    null = fit_logistic(X, y, case=weight, free=[True, False, True], start=np.zeros(3))
    statistic = fit.term_tests().set_index("term").loc["x", "statistic"]
    assert_close(statistic, 2 * (whole.log_likelihood[0] - null.log_likelihood[0]), floor=1e-8)


@pytest.mark.slow
@given(seed=st.integers(0, 10_000))
def test_a_vanishing_prior_is_maximum_likelihood(seed: int) -> None:
    data = rows(seed, 80)
    for fit in (rn.logistic, rn.cox):
        formula = ("y" if fit is rn.logistic else TIME) + " ~ x + z"
        plain = fit(data, formula, penalty=None)
        if plain.summary["separation"] != "none":
            continue
        near = fit(data, formula, penalty="log-f", m=1e-9)
        assert_close(near.coef, plain.coef, rel=1e-6, floor=1e-6)
        columns = ["conf_low", "conf_high", "p_value"]
        assert_close(near.to_frame()[columns], plain.to_frame()[columns], rel=1e-5)
        assert "log-F" in near.to_frame()["method"].iloc[0]


def test_two_by_two_by_hand() -> None:
    """The intercept is free, so that the score of the slope alone carries the prior.

    For events a of n1 and c of n0 the estimate has a - n1 p1 = m (expit(b) - 1/2), with the mean
    risk kept: n1 p1 + n0 p0 = a + c.
    """
    data = pd.DataFrame({"y": [1, 0, 1, 0], "x": [1, 1, 0, 0], "n": [8, 173, 4, 342]})
    for m in (0.5, 1.0, 2.0):
        fit = rn.logistic(data, "y ~ x", penalty="log-f", m=m, freq_weights="n")
        base, slope = fit.coef
        p0, p1 = 1 / (1 + np.exp(-base)), 1 / (1 + np.exp(-base - slope))
        assert_close(181 * p1 + 346 * p0, 12.0)
        assert_close(8 - 181 * p1, m * (1 / (1 + np.exp(-slope)) - 0.5))
        assert 0 < slope < np.log(8 * 342 / (4 * 173))


def partial(b: float, data: pd.DataFrame) -> float:
    """Breslow's log partial likelihood, written out."""
    total = 0.0
    for t, x, e in zip(data["t"], data["x"], data["e"], strict=True):
        if e:
            risk = np.exp(b * data.loc[data["t"] >= t, "x"]).sum()
            total += b * x - np.log(risk)
    return total


@pytest.mark.slow
@given(seed=st.integers(0, 10_000), m=st.floats(0.1, 5.0))
def test_cox_maximises_partial_likelihood_and_prior(seed: int, m: float) -> None:
    data = rows(seed)
    fit = rn.cox(data, f"{TIME} ~ x", penalty="log-f", m=m, ties="breslow")
    top = float(fit.coef.iloc[0])

    def height(b: float) -> float:
        return partial(b, data) + m / 2 * b - m * np.log1p(np.exp(b))

    assert_close(fit.summary["log_likelihood_penalized"], height(top), rel=1e-10)
    assert_close(fit.summary["log_likelihood"], partial(top, data), rel=1e-10)
    assert_close((height(top + 1e-4) - height(top - 1e-4)) / 2e-4, 0.0, floor=1e-6)
    low, high = np.log(fit.to_frame().loc[0, ["conf_low", "conf_high"]].astype(float))
    for end in (low, high):
        assert_close(2 * (height(top) - height(end)), 3.841458820694124, rel=1e-6)


def test_finite_where_an_arm_has_no_event() -> None:
    data = pd.DataFrame(
        {"t": np.arange(1, 21.0), "e": [0, 1] * 10, "x": [0, 1] * 10, "y": [0, 1] * 10}
    )
    for fit in (
        rn.cox(data, f"{TIME} ~ x", penalty="log-f"),
        rn.logistic(data, "y ~ x", penalty="log-f"),
    ):
        row = fit.to_frame().iloc[-1]
        assert 1 < row["conf_low"] < row["estimate"] < row["conf_high"] < np.inf
        assert any("log-F priors keep the estimates finite" in note for note in fit.notes)
        assert fit.summary["separation"] != "none"


@pytest.mark.parametrize("model", ["logistic", "cox"])
def test_replicates_are_one_batch(model: str) -> None:
    data, rng = rows(3, 60), np.random.default_rng(1)
    freq = rng.multinomial(60, np.full(60, 1 / 60), size=30).astype(float)
    Z = data[["x", "z"]].to_numpy(float)
    prior = LogF(np.eye(2), np.array([1.0, 2.0]))
    if model == "logistic":
        X, prior = np.column_stack([np.ones(60), Z]), LogF(np.eye(3)[1:], prior.strength)
        many = fit_logistic(X, data["y"], freq=freq, prior=prior)
        single = [fit_logistic(X, data["y"], freq=f, prior=prior) for f in freq]
        again = fit_logistic(
            np.repeat(X, freq[0].astype(int), 0),
            np.repeat(data["y"], freq[0].astype(int)),
            prior=prior,
        )
    else:
        sets = prepare(None, data["t"].to_numpy(), data["e"].to_numpy(bool), None)
        many = fit_cox(Z, sets, freq=freq, prior=prior)
        single = [fit_cox(Z, sets, freq=f, prior=prior) for f in freq]
        repeated = data.loc[np.repeat(data.index, freq[0].astype(int))]
        sets = prepare(None, repeated["t"].to_numpy(), repeated["e"].to_numpy(bool), None)
        again = fit_cox(repeated[["x", "z"]].to_numpy(float), sets, prior=prior)
    assert (many.status == 0).all()
    assert_close(many.coef, np.vstack([one.coef for one in single]))
    assert_close(many.log_likelihood, np.concatenate([one.log_likelihood for one in single]))
    assert_close(many.coef[0], again.coef[0])
    assert_close(many.information[0], again.information[0])


def test_a_lost_column_stays_lost() -> None:
    data = rows(5)
    X = np.column_stack([np.ones(len(data)), data[["x", "z"]]])
    freq = np.vstack([np.ones(len(data)), data["x"] == 0])
    fit = fit_logistic(X, data["y"], freq=freq, prior=LogF(np.eye(3)[1:], np.ones(2)))
    assert fit.lost.tolist() == [[False] * 3, [False, True, False]]
    assert fit.coef[1, 1] == 0.0


def test_columns_far_from_zero_keep_their_prior() -> None:
    data = rows(7)
    data["year"] = 2015.0 + data["z"]
    near = rn.logistic(data, "y ~ x + z", penalty="log-f", m=2)
    far = rn.logistic(data, "y ~ x + year", penalty="log-f", m=2)
    columns = ["coef", "std_error", "conf_low", "conf_high", "p_value"]
    assert_close(far.to_frame()[columns][1:], near.to_frame()[columns][1:], rel=1e-6)


def test_chosen_terms() -> None:
    data = rows(11)
    only = rn.logistic(data, "y ~ x + z", penalty="log-f", m={"x": 1})
    X, y, weight = augmented(data, ["x", "z"], 1.0)
    keep = np.r_[np.ones(len(data), bool), [True, True, False, False]]
    assert_close(only.coef, fit_logistic(X[keep], y[keep], case=weight[keep]).coef[0])
    assert any("stand on x," in note for note in only.notes)
    with pytest.raises(OptionError, match="'w', which is not a term"):
        rn.logistic(data, "y ~ x", penalty="log-f", m={"w": 1})


def test_separation_outside_the_prior_stays() -> None:
    data = rows(13)
    data["z"] = np.where(data["y"] == 1, 1.0, np.where(data["x"] == 1, 1.0, 0.0))
    fit = rn.logistic(data, "y ~ x + z", penalty="log-f", m={"x": 1})
    table = fit.to_frame().set_index("term")
    assert np.isinf(table.loc["z", "estimate"])
    assert np.isfinite(table.loc["z", "conf_low"])
    assert np.isfinite(table.loc["x", ["estimate", "conf_low", "conf_high"]].astype(float)).all()
    assert any("Without a prior, " in note for note in fit.notes)
    both = rn.logistic(data, "y ~ x + z", penalty="log-f")
    assert np.isfinite(both.to_frame()["estimate"]).all()


def test_univariable_keeps_each_terms_strength() -> None:
    data = rows(17)
    table = rn.univariable(data, "y ~ x + z", penalty="log-f", m={"z": 2}).to_frame()
    assert_close(table["coef"][0], rn.logistic(data, "y ~ x", penalty=None).coef["x"])
    single = rn.logistic(data, "y ~ z", penalty="log-f", m=2)
    assert_close(table["coef"][1], single.coef["z"])


def test_other_methods_of_a_fit() -> None:
    data = rows(19, 120)
    fit = rn.logistic(data, "y ~ x + z", penalty="log-f", m=2)
    assert_close(fit.predict(data).mean(), data["y"].mean())  # the intercept has no prior
    assert len(fit.risks("x").to_frame())
    assert fit.summary["test"] == "penalized likelihood ratio"
    assert np.isnan(fit.summary["aic"])
    assert fit.options["m"] == 2
    json.dumps(fit.to_dict())
    survival = rn.cox(data, f"{TIME} ~ x + z + strata(g)", penalty="log-f", m=2)
    assert (survival.baseline()["cumulative_hazard"] >= 0).all()
    check = survival.proportional_hazards()
    assert any("without the log-F priors" in note for note in check.notes)
    plain = rn.cox(data, f"{TIME} ~ x + z + strata(g)", penalty=None).proportional_hazards()
    assert_close(check.to_frame()["statistic"], plain.to_frame()["statistic"])


@pytest.mark.parametrize("m", [0, -1, np.nan, np.inf, "1", True, {}, {"x": -1}])
def test_bad_strength(m: object) -> None:
    with pytest.raises(OptionError):
        rn.logistic(rows(1), "y ~ x", penalty="log-f", m=m)


def test_m_belongs_to_log_f() -> None:
    with pytest.raises(OptionError, match="add penalty='log-f'"):
        rn.logistic(rows(1), "y ~ x", m=1)
    with pytest.raises(OptionError, match="log-f"):
        rn.cox(rows(1), f"{TIME} ~ x", penalty="logf")
    with pytest.raises(OptionError, match="maximum likelihood only"):
        rn.cox(rows(1), f"{TIME} ~ x", penalty="log-f", ties="exact")


def test_units_that_make_the_prior_void_are_named() -> None:
    data = rows(23)
    data["x"] = data["z"] * 1e6
    fit = rn.logistic(data, "y ~ x", penalty="log-f")
    assert any("standard deviation of x is far from 1" in note for note in fit.notes)
    apart = pd.DataFrame({"x": np.arange(6) * 1e6, "y": [0, 0, 0, 1, 1, 1]})
    with pytest.raises(ConvergenceError, match="per unit of its column"):
        rn.logistic(apart, "y ~ x", penalty="log-f", m=0.001)


def test_robust_limits_rest_on_the_penalised_information() -> None:
    data = rows(29, 200)
    fit = rn.logistic(data, "y ~ x", penalty="log-f", m=4, robust=True)
    X = np.column_stack([np.ones(200), data["x"]])
    p = fit.predict(data).to_numpy()
    bread = np.linalg.inv((X.T * (p * (1 - p))) @ X + np.diag([0.0, _bend(fit.coef["x"], 4)]))
    meat = (X.T * (data["y"].to_numpy() - p) ** 2) @ X
    assert_close(fit.vcov, bread @ meat @ bread)


def _bend(b: float, m: float) -> float:
    share = 1 / (1 + np.exp(-b))
    return m * share * (1 - share)
