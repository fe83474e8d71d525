from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import rnetstats as rn
from rnetstats._core.schema import COEFFICIENT_COLUMNS
from rnetstats.errors import ConvergenceError, DataError, DataNotKeptError, OptionError
from rnetstats.missing.clip import root_of_rising
from rnetstats.missing.pool import pool
from rnetstats.missing.pooled_result import PooledResult
from support import assert_close, case, case_ids, read

CASES = [c for c in case_ids("missing") if c not in ("scalar_five", "nhanes_lm")]
COLUMNS = {
    "estimate": "coef",
    "within_ubar": "within",
    "between_b": "between",
    "std_error": "std_error",
    "df_barnard_rubin": "df",
    "riv": "riv",
    "lambda": "lambda",
    "fmi": "fmi",
    "statistic": "statistic",
    "p": "p_value",
}


def sets(found: dict[str, Any]) -> list[pd.DataFrame]:
    data = read(found["data"])
    if "1 to 5 only" in found["settings"]:
        data = data[data["imputation"] <= 5]
    return [part.reset_index(drop=True) for _, part in data.groupby("imputation")]


@cache
def pooled(name: str, penalty: str | None = None) -> PooledResult:
    found = case("missing", name)
    spec = found["spec"]
    terms = " + ".join(np.atleast_1d(spec["terms"]).tolist())
    outcome = spec["outcome"]
    if isinstance(outcome, list):
        left, fit = f"Surv({', '.join(outcome)})", rn.cox
    else:
        left, fit = outcome, rn.logistic
    made = pool([fit(d, f"{left} ~ {terms}", penalty=penalty) for d in sets(found)])
    assert isinstance(made, PooledResult)
    return made


@pytest.mark.parametrize("name", CASES)
def test_rubins_rules_are_those_of_the_reference(name):
    want, result = case("missing", name)["values"], pooled(name)
    frame = result.to_frame()
    assert tuple(frame.columns[: len(COEFFICIENT_COLUMNS)]) == COEFFICIENT_COLUMNS
    assert frame["term"].tolist() == want["terms"]
    for key, column in COLUMNS.items():
        assert_close(frame[column], want[key])
    assert_close(np.log(frame["conf_low"]), want["ci_lower"])
    assert_close(np.log(frame["conf_high"]), want["ci_upper"])
    assert_close(frame["std_error"] ** 2, want["total_t"])
    assert_close(np.diag(result.vcov), want["total_t"])
    assert_close(result.coef, want["estimate"])
    assert_close(result.coefs, want["per_imputation_coef"])
    variances = np.diagonal(result.covariances, axis1=1, axis2=2)
    assert_close(np.sqrt(variances), want["per_imputation_se"])
    glance = result.glance().iloc[0]
    assert_close([glance["imputations"], glance["df_complete"]], [want["m"], want["dfcom"]])
    old = (want["m"] - 1) * (1 + 1 / frame["riv"]) ** 2
    assert_close(old, want["df_rubin_1987_old"])


@pytest.mark.parametrize("name", [c for c in CASES if "D3" in case("missing", c)["values"]])
def test_joint_tests_are_those_of_the_reference(name):
    want, result = case("missing", name)["values"], pooled(name)
    terms = np.atleast_1d(want["tested_terms"]).tolist()
    asked = {
        "D1_large_sample_df": {"method": "D1", "small_sample": False},
        "D1_reiter_df": {"method": "D1"},
        "D2_wald": {"method": "D2"},
        "D3": {"method": "D3"},
    }
    for key, options in asked.items():
        row = result.joint_test(terms, **options).iloc[0]
        shown = [row[k] for k in ("statistic", "df", "df2", "p_value", "riv")]
        assert_close(shown, [want[key][k] for k in ("F", "df1", "df2", "p", "riv")])


def test_cox_has_the_likelihood_ratio_test_too():
    # D3 has no reference for Cox: with imputations that hardly differ it is the usual ratio
    data = sets(case("missing", "rnet_coxph"))
    formula = "Surv(os_months, death) ~ lognlr + age"
    fits = [rn.cox(d, formula, penalty=None) for d in data[:1] * 2]
    row = pool(fits).joint_test(["age"], "D3").iloc[0]
    assert row["riv"] == pytest.approx(0.0, abs=1e-9)
    plain = fits[0].to_frame().set_index("term").loc["age"]
    assert_close(row["statistic"], plain["statistic"], rel=1e-8)
    tests = pooled("rnet_coxph").term_tests("D3").set_index("term")
    near = pooled("rnet_coxph").term_tests("D1").set_index("term")
    assert tests.loc["age", "statistic"] == pytest.approx(near.loc["age", "statistic"], rel=0.1)


def test_equal_fits_pool_to_themselves():
    data = read("birthwt.csv")
    fit = rn.logistic(data, "low ~ C(race) + lwt", penalty=None, ci="wald")
    result = pool([fit] * 3)
    frame, plain = result.to_frame(), fit.to_frame()
    assert_close(frame["estimate"], plain["estimate"])
    assert_close(frame["std_error"], plain["std_error"])
    assert (frame["riv"] == 0).all()
    assert (frame["between"] == 0).all()
    # lambda is held at 1e-4: 2 / 1e-8 imputation degrees of freedom and nearly all of the data's
    dfcom = len(data) - 4
    seen = (dfcom + 1) / (dfcom + 3) * dfcom * (1 - 1e-4)
    old = 2 / 1e-8
    assert_close(frame["df"], [old * seen / (old + seen)] * 4)
    assert any("do not differ" in note for note in result.notes)
    wald = fit.term_tests()
    d2 = result.term_tests("D2").set_index("term")
    assert_close(d2["statistic"] * d2["df"], wald["statistic"])
    assert_close(d2["p_value"], wald["p_value"])


def test_pooling_does_not_depend_on_the_order_of_the_imputations():
    forward, backward = pooled("rnet_glm"), pooled("rnet_glm").fits[::-1]
    pd.testing.assert_frame_equal(forward.to_frame(), pool(backward).to_frame(), rtol=1e-12)


def test_splines_are_tested_for_linearity_in_either_basis():
    data = sets(case("missing", "rnet_glm"))
    tests = {}
    for basis in ("rcs(age, knots=[40, 52, 65])", "ns(age, knots=[52], boundary=[40, 65])"):
        fits = [rn.logistic(d, f"margin_positive ~ lognlr + {basis}", penalty=None) for d in data]
        result = pool(fits)
        tests[basis[:2]] = result.term_tests().set_index("test")
        assert result.display()["level"].tolist()[-1] == "spline, 2 df"
        d3 = result.term_tests("D3").set_index("test")
        assert d3.loc["linearity", "df"] == 1
    for method in ("joint", "linearity"):
        pair = [frame.loc[method, "statistic"] for frame in tests.values()]
        assert_close(np.ravel(pair[0])[-1], np.ravel(pair[1])[-1], rel=1e-6)


def test_univariable_tables_are_pooled_term_by_term():
    data = sets(case("missing", "rnet_glm"))
    tables = [rn.univariable(d, "margin_positive ~ lognlr + lvi", penalty=None) for d in data]
    result = pool(tables)
    one = pool([rn.logistic(d, "margin_positive ~ lognlr", penalty=None) for d in data])
    frame = result.to_frame()
    assert frame["term"].tolist() == ["lognlr", "lvi"]
    pd.testing.assert_series_equal(frame.iloc[0], one.to_frame().iloc[1], check_names=False)


def test_conf_level_and_labels():
    data = sets(case("missing", "rnet_glm"))
    fits = [rn.logistic(d, "margin_positive ~ lognlr") for d in data]
    narrow = pool(fits, conf_level=0.5).to_frame().iloc[1]
    reach = stats.t.ppf(0.75, narrow["df"]) * narrow["std_error"]
    assert_close(
        np.log([narrow["conf_low"], narrow["conf_high"]]), narrow["coef"] + [-reach, reach]
    )
    shown = pool(fits, conf_level=0.5).display()
    assert "50 % CI" in shown.columns
    assert "FMI" in shown.columns


def test_predictions_use_the_pooled_coefficients():
    result, data = pooled("rnet_glm"), sets(case("missing", "rnet_glm"))[0]
    b = result.coef
    want = 1 / (1 + np.exp(-(b.iloc[0] + b.iloc[1] * data["lognlr"] + b.iloc[2] * data["size_mm"])))
    assert_close(result.predict(data), want.to_numpy())
    times = pooled("rnet_coxph").predict(data)
    assert times.name == "linear_predictor"


@pytest.mark.parametrize(
    ("right", "options"),
    [
        ("x", {"sampling_weights": "w"}),
        ("x", {"robust": True}),
        ("x + cluster(g)", {}),
    ],
)
@pytest.mark.parametrize("verb", [rn.logistic, rn.cox])
def test_likelihoods_of_weighted_and_robust_fits_are_not_compared(verb, right, options):
    rng = np.random.default_rng(1)
    y, x = rng.integers(0, 2, 60), rng.normal(size=(2, 60))
    data = [
        {
            "y": y,
            "t": np.arange(1.0, 61.0),
            "x": own,
            "w": 1.0 + (x[0] > 0),
            "g": np.arange(60) // 3,
        }
        for own in x
    ]
    left = "y" if verb is rn.logistic else "Surv(t, y)"
    fits = [verb(one, f"{left} ~ {right}", penalty=None, **options) for one in data]
    with pytest.raises(OptionError, match="weighted and robust fits do not have; use D1 or D2"):
        pool(fits).term_tests("D3")


def test_firth_is_pooled_and_says_so():
    result = pooled("rnet_glm_three", "firth")
    assert any("CLIP" in note for note in result.notes)
    with pytest.raises(OptionError, match="penalised"):
        result.term_tests("D3")
    means = np.mean([fit.to_frame()["coef"] for fit in result.fits], axis=0)
    assert_close(result.to_frame()["coef"], means)


def test_clip_of_equal_fits_is_their_profile():
    fit = rn.logistic(read("birthwt.csv"), "low ~ C(race) + lwt + ht")
    clip = pool([fit, fit]).profile_limits()
    plain = fit.to_frame()
    assert_close(clip["conf_low"], plain["conf_low"], rel=1e-6)
    assert_close(clip["conf_high"], plain["conf_high"], rel=1e-6)
    assert_close(clip["p_value"], plain["p_value"], rel=1e-6)


def test_clip_solves_the_average_of_the_distributions():
    result = pooled("rnet_glm_three", "firth")
    clip = result.profile_limits().set_index("term").loc["lognlr"]
    plain = result.to_frame().set_index("term").loc["lognlr"]
    # where profiles are nearly normal it is close to Rubin's limits, at the likelihood's own width
    assert clip["conf_low"] == pytest.approx(plain["conf_low"], rel=0.02)
    assert clip["conf_high"] == pytest.approx(plain["conf_high"], rel=0.02)
    shares = []
    for fit in result.fits:
        data = fit.covariates | {"y": 0}
        assert data
        engine = fit.engine
        at = np.log(clip["conf_low"])
        from rnetstats.kernels.newton import maximise

        evaluate = engine.evaluator(engine.X)
        start = engine.reached.copy()
        start[1] = at
        free = np.array([[True, False, True, True]])
        value = maximise(evaluate, start[None], free=free).log_likelihood[0]
        root = np.sign(at - engine.reached[1]) * np.sqrt(2 * (engine.value - value))
        shares.append(stats.norm.cdf(root))
    assert_close(np.mean(shares), 0.025, rel=1e-6)


def test_results_survive_json_and_say_what_is_gone():
    result = pooled("rnet_glm_three")
    text = json.dumps(result.to_dict(), allow_nan=False)
    back = PooledResult.from_dict(json.loads(text))
    pd.testing.assert_frame_equal(back.to_frame(), result.to_frame(), check_dtype=False)
    pd.testing.assert_frame_equal(back.display(), result.display())
    pd.testing.assert_frame_equal(back.term_tests(), result.term_tests())
    assert back.fits is None
    with pytest.raises(DataNotKeptError):
        back.term_tests("D3")
    with pytest.raises(DataNotKeptError):
        back.profile_limits()


def few(n: int = 60, m: int = 3) -> list[pd.DataFrame]:
    rng = np.random.default_rng(5)
    return [
        pd.DataFrame(
            {
                "y": np.arange(n) % 2,
                "x": rng.normal(size=n),
                "g": rng.choice(list("abc"), n),
                "t": rng.exponential(size=n),
            }
        )
        for _ in range(m)
    ]


def test_bad_input_is_refused_in_words():
    data = few()
    fits = [rn.logistic(d, "y ~ x") for d in data]
    with pytest.raises(DataError, match=r"1 fit: .*at least two"):
        pool(fits[:1])
    with pytest.raises(DataError, match="0 fits"):
        pool([])
    with pytest.raises(OptionError, match="pool_estimates"):
        pool([1.0, 2.0])
    with pytest.raises(OptionError, match="pool_estimates"):
        pool(3)
    with pytest.raises(DataError, match="different formulas"):
        pool([fits[0], rn.logistic(data[1], "y ~ g")])
    with pytest.raises(OptionError, match="different penalty"):
        pool([fits[0], rn.logistic(data[1], "y ~ x", penalty=None)])
    with pytest.raises(OptionError, match="different kinds"):
        pool([fits[0], rn.cox(data[1], "Surv(t, y) ~ x")])
    with pytest.raises(DataError, match="unequal size: 60 and 50"):
        pool([fits[0], rn.logistic(data[1].iloc[:50], "y ~ x")])
    with pytest.raises(DataError, match="Name the knots"):
        pool([rn.logistic(d, "y ~ rcs(x, 3)") for d in data])
    joined = data[1].assign(g=data[1]["g"].replace("c", "a"))
    with pytest.raises(DataError, match="other levels in fit 2"):
        pool([rn.logistic(d, "y ~ g") for d in (data[0], joined)])
    with pytest.raises(OptionError, match="no term 'z'"):
        pool(fits).joint_test("z")
    with pytest.raises(OptionError, match="empty"):
        pool(fits).joint_test([])
    with pytest.raises(OptionError, match="D4"):
        pool(fits).term_tests("D4")


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ({"cause": 1}, {"cause": 2}, "different cause: 1 and 2"),
        ({"cause": 1}, {"cause": 1, "censor": 2}, "different censor"),
        (
            {"cause": 1, "penalty": "log-f"},
            {"cause": 1, "penalty": "log-f", "m": 3},
            "different m: 1",
        ),
    ],
)
def test_fits_of_other_causes_or_priors_are_refused(one, other, words):
    data = [d.assign(code=np.arange(len(d)) % 3) for d in few()]
    fits = [
        rn.cox(d, "Surv(t, code) ~ x", **kw) for d, kw in zip(data[:2], (one, other), strict=True)
    ]
    with pytest.raises(OptionError, match=words):
        pool(fits)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_infinite_estimates_are_refused_by_name():
    data = few(m=2)
    data[1]["x"] = np.where(data[1]["y"] == 1, 1.0, -1.0) + 0.01 * data[1]["x"]
    fits = [rn.logistic(d, "y ~ x", penalty=None) for d in data]
    with pytest.raises(ConvergenceError, match=r"imputation 2 .*penalty='firth'"):
        pool(fits)
    firth = pool([rn.logistic(d, "y ~ x") for d in data])
    assert np.isfinite(firth.to_frame()[["estimate", "std_error"]].to_numpy()).all()


def test_events_fewer_than_parameters_leave_one_degree_of_freedom():
    data = few(30, 2)
    for d in data:
        d["e"] = (np.arange(30) < 2).astype(int)
    fits = [rn.cox(d, "Surv(t, e) ~ x + y + g", ci="wald") for d in data]
    result = pool(fits)
    assert result.dfcom == 1.0
    assert any("2 events for 4 coefficients" in note for note in result.notes)


def test_counts_of_imputed_levels_are_means():
    data = few()
    result = pool([rn.logistic(d, "y ~ g") for d in data])
    frame = result.to_frame().set_index("level")
    want = np.mean([(d["g"] == "b").sum() for d in data])
    assert_close(frame.loc["b", "n"], want)
    assert len(result.references) == 1


def test_roots_far_from_where_the_search_begins_are_found():
    wanted = np.array([37.0, -41.0, 0.2, 0.0, np.inf])

    def rising(at, rows):
        return np.where(rows == 4, -1.0, np.arcsinh(at - np.minimum(wanted, 99)[rows]))

    found = root_of_rising(rising, np.zeros(5))
    np.testing.assert_allclose(found[:4], wanted[:4], atol=1e-7)
    assert np.isnan(found[4])  # never reaches 0


def test_what_was_left_out_and_not_imputed_is_not_said_to_be_complete():
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"y": rng.integers(0, 2, 60), "x": rng.normal(size=60)})
    data.loc[:9, "x"] = np.nan
    left = pool([rn.logistic(data, "y ~ x")] * 2)
    assert (
        "not imputed: 10 patients are left out for values that are still missing" in left.notes[0]
    )
    full = pool([rn.logistic(data.dropna(), "y ~ x")] * 2)
    assert full.notes[0] == (
        "The imputations do not differ: nothing that the model uses was missing."
    )


@pytest.mark.parametrize("method", ["D1", "D2", "D3"])
def test_a_term_that_is_named_twice_is_tested_once(method):
    data = rn.load_cohort("duan2024").head(200)
    fits = [
        rn.logistic(
            data.assign(nlr=data["nlr"] + 0.2 * np.sin(k * np.arange(200.0))),
            "margin_positive ~ size_mm + nlr",
            penalty=None,
        )
        for k in range(3)
    ]
    found = pool(fits).joint_test(["nlr", "nlr"], method)
    pd.testing.assert_frame_equal(found, pool(fits).joint_test("nlr", method))
