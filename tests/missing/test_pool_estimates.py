from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.errors import ConvergenceError, DataError, OptionError
from rnetstats.missing.joint_tests import d1, d2, large_sample_df, reiter_df
from rnetstats.missing.pool_estimates import pool_estimates
from rnetstats.missing.rubin import barnard_rubin, pool_numbers
from support import assert_close, case, read

NUMBERS = {
    "qbar": "estimate",
    "ubar": "within",
    "b": "between",
    "t": "total",
    "df": "df",
    "r": "riv",
    "fmi": "fmi",
}


@pytest.mark.parametrize(("key", "dfcom"), [("n_infinite", np.inf), ("n_60_k_2", 58)])
def test_scalars_are_those_of_the_reference(key, dfcom):
    values = case("missing", "scalar_five")["values"]
    row = pool_estimates(values["Q"], values["U"], dfcom).to_frame().iloc[0]
    for name, column in NUMBERS.items():
        assert_close(row[column], values[key][name])


def linear_model(terms):
    """Coefficients and covariances of chl ~ terms by least squares, one a completed set."""
    data = read("imputed_nhanes2.csv")
    Q, U = [], []
    for _, part in data.groupby("imputation"):
        X = np.column_stack([np.ones(len(part)), part[terms].to_numpy(float)])
        y = part["chl"].to_numpy(float)
        inverse = np.linalg.inv(X.T @ X)
        b = inverse @ X.T @ y
        Q.append(b)
        U.append(inverse * ((y - X @ b) @ (y - X @ b) / (len(y) - X.shape[1])))
    return np.array(Q), np.array(U)


def test_a_linear_model_is_that_of_the_reference():
    found = case("missing", "nhanes_lm")
    want, terms = found["values"], found["spec"]["terms"]
    Q, U = linear_model(terms)
    names = ["(Intercept)", *terms]
    assert names == want["terms"]
    result = pool_estimates(Q, U, want["dfcom"], names=names)
    frame = result.to_frame()
    assert len(Q) == want["m"]
    for key, column in {
        "estimate": "estimate",
        "within_ubar": "within",
        "between_b": "between",
        "total_t": "total",
        "std_error": "std_error",
        "df_barnard_rubin": "df",
        "riv": "riv",
        "lambda": "lambda",
        "fmi": "fmi",
        "statistic": "statistic",
        "p": "p_value",
        "ci_lower": "conf_low",
        "ci_upper": "conf_high",
    }.items():
        assert_close(frame[column], want[key])
    assert_close(Q, want["per_imputation_coef"])
    assert_close(np.sqrt(np.diagonal(U, axis1=1, axis2=2)), want["per_imputation_se"])
    assert_close((want["m"] - 1) * (1 + 1 / frame["riv"]) ** 2, want["df_rubin_1987_old"])
    tested = np.atleast_1d(want["tested_terms"]).tolist()
    for key, options in {
        "D1_large_sample_df": {"small_sample": False},
        "D1_reiter_df": {},
        "D2_wald": {"method": "D2"},
    }.items():
        row = result.joint_test(tested, **options).iloc[0]
        shown = [row[k] for k in ("statistic", "df", "df2", "p_value", "riv")]
        assert_close(shown, [want[key][k] for k in ("F", "df1", "df2", "p", "riv")])


def test_worked_by_hand():
    # Q 1, 2, 3: mean 2, between 1; within 0.5; total 0.5 + 4/3
    row = pool_estimates([1, 2, 3], [0.4, 0.5, 0.6]).to_frame().iloc[0]
    assert_close(row[["estimate", "within", "between", "total"]], [2, 0.5, 1, 0.5 + 4 / 3])
    assert_close(row["riv"], (4 / 3) / 0.5)
    assert_close(row["lambda"], (4 / 3) / (0.5 + 4 / 3))
    assert_close(row["df"], 2 / row["lambda"] ** 2)
    # D1 with one parameter is the squared t
    test = pool_estimates([1, 2, 3], [0.4, 0.5, 0.6]).joint_test(small_sample=False).iloc[0]
    assert_close(test["statistic"], row["statistic"] ** 2)


@given(
    st.lists(st.floats(-5, 5), min_size=2, max_size=8),
    st.floats(0.1, 10),
    st.floats(-3, 3),
    st.floats(2, 500),
)
def test_pooling_moves_with_the_numbers(Q, scale, shift, dfcom):
    estimates, variances = np.array(Q), np.linspace(0.5, 1.5, len(Q))
    one = pool_numbers(estimates[:, None], variances[:, None], dfcom)
    other = pool_numbers(shift + scale * estimates[:, None], scale**2 * variances[:, None], dfcom)
    np.testing.assert_allclose(other.estimate, shift + scale * one.estimate, atol=1e-9)
    np.testing.assert_allclose(other.total, scale**2 * one.total, rtol=1e-9)
    np.testing.assert_allclose(other.fmi, one.fmi, atol=1e-9)
    assert 0.0 <= one.share[0] < 1.0
    assert one.share[0] <= one.fmi[0] <= 1.0
    assert one.df[0] <= dfcom
    assert one.total[0] >= one.within[0]


def test_d1_does_not_depend_on_the_parametrisation():
    rng = np.random.default_rng(1)
    Q = rng.normal(size=(12, 3))
    roots = rng.normal(size=(12, 5, 3))
    U = np.einsum("mij,mik->mjk", roots, roots)
    turn = rng.normal(size=(3, 3))
    assert_close(d1(Q @ turn.T, turn @ U @ turn.T, 80.0)[:5], d1(Q, U, 80.0)[:5])


def test_nothing_missing_gives_the_tests_of_the_complete_data():
    assert large_sample_df(5, 2, 0.0) == np.inf
    dfcom = 40.0
    assert_close(reiter_df(20, 3, 0.0, dfcom), (dfcom + 1) / (dfcom + 3) * dfcom)
    test = d2(np.full(4, 6.0), 2)
    assert_close([test.statistic, test.p_value], [3.0, np.exp(-3.0)])


@pytest.mark.parametrize(("m", "k"), [(2, 1), (3, 1), (4, 1), (5, 1), (2, 2), (3, 2), (2, 4)])
def test_few_imputations_still_have_degrees_of_freedom(m, k):
    for riv in (0.01, 0.5, 3.0):
        df2 = reiter_df(m, k, riv, 100.0)
        assert 0.0 < df2 <= 100.0
        if k == 1:  # the test of one coefficient is its t test
            assert_close(df2, barnard_rubin(m, riv / (1.0 + riv), 100.0))


@pytest.mark.parametrize(("m", "k"), [(5, 1), (3, 2), (2, 4)])
def test_four_degrees_between_imputations_leave_the_level_of_a_test(m, k):
    rng = np.random.default_rng(3)
    replicates, within, between = 4000, 1.0, 0.1
    centre = np.sqrt(within + between) * rng.normal(size=(replicates, 1, k))
    Q = centre + np.sqrt(between) * rng.normal(size=(replicates, m, k))
    U = np.tile(np.eye(k) * within, (m, 1, 1))
    rejected = np.mean([d1(one, U, 300.0).p_value < 0.05 for one in Q])
    assert 0.03 < rejected < 0.08


def test_bad_input_is_refused_in_words():
    with pytest.raises(DataError, match="one imputation"):
        pool_estimates([1.0], [0.5])
    with pytest.raises(DataError, match="shape"):
        pool_estimates(np.zeros((2, 2, 2)), [0.5, 0.5])
    with pytest.raises(DataError, match=r"U has shape \(3,\)"):
        pool_estimates([1.0, 2.0], [0.5, 0.5, 0.5])
    with pytest.raises(DataError, match="the same count"):
        pool_estimates([[1.0, 2.0], [1.0]], [0.5, 0.5])
    with pytest.raises(ConvergenceError, match="imputation 2"):
        pool_estimates([1.0, np.inf, 2.0], [0.5, 0.5, 0.5])
    with pytest.raises(DataError, match="negative, infinite or missing in imputation 1"):
        pool_estimates([1.0, 2.0], [-0.5, 0.5])
    for bad in (0, -3, np.nan, "many", True):
        with pytest.raises(OptionError, match="dfcom"):
            pool_estimates([1.0, 2.0], [0.5, 0.5], bad)
    with pytest.raises(OptionError, match="names"):
        pool_estimates([1.0, 2.0], [0.5, 0.5], names=["a", "b"])
    with pytest.raises(OptionError, match="names"):
        pool_estimates([1.0, 2.0], [0.5, 0.5], names=3)
    with pytest.raises(DataError, match="a computer cannot hold"):
        pool_estimates([1e200, 2e200], [0.5, 0.5])
    with pytest.raises(OptionError, match="covariance"):
        pool_estimates(np.ones((2, 2)), np.ones((2, 2))).joint_test()
    with pytest.raises(OptionError, match=r"no estimate 'slop'.*slope"):
        pool_estimates([1.0, 2.0], [0.5, 0.5], names=["slope"]).joint_test(["slop"])


def test_no_variance_at_all_is_noted():
    result = pool_estimates([1.0, 1.0], [0.0, 0.0])
    assert "no variance" in result.notes[0]
    assert result.to_frame()["p_value"].isna().all()
    assert "nan" not in result.display().to_string().lower()


def test_variance_between_imputations_alone_is_noted():
    result = pool_estimates(
        [[1.0, 1.0], [2.0, 3.0]], [[0.0, 1.0], [0.0, 1.0]], 100, names=["a", "b"]
    )
    assert any(note.startswith("a: all variance lies between") for note in result.notes)
    table = result.to_frame().set_index("name")
    assert table.loc["a", ["conf_low", "conf_high", "p_value"]].isna().all()
    assert table.loc["b", ["conf_low", "conf_high", "p_value"]].notna().all()
    assert not pool_estimates([1.0, 2.0], [0.0, 0.0]).to_frame()["p_value"].isna().any()


def test_joint_tests_take_names_in_any_list_and_each_once():
    rng = np.random.default_rng(3)
    result = pool_estimates(rng.normal(size=(5, 3)), np.tile(np.eye(3), (5, 1, 1)), 60)
    want = result.joint_test(["1", "3"])
    for names in (np.array(["1", "3"]), pd.Index(["1", "3"]), pd.Series(["1", "3", "1"])):
        pd.testing.assert_frame_equal(result.joint_test(names), want)
    pd.testing.assert_frame_equal(result.joint_test(np.array("2")), result.joint_test("2"))
