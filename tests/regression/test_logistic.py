"""Logistic regression: R's numbers, invariants, tables by hand, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import (
    ColumnError,
    ConvergenceError,
    DataError,
    DataNotKeptError,
    OptionError,
    TooFewEventsError,
)
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.regression.logistic import LogisticResult, logistic
from support import assert_close, case, numbers, read

ML_FORMULAS = {
    "birthwt_two": "low ~ age + lwt",
    "birthwt_intercept": "low ~ 1",
    "birthwt_full": "low ~ age + lwt + C(race) + smoke + ptl + ht + ui + ftv",
    "birthwt_interaction": "low ~ lwt + smoke * C(race)",
    "birthwt_badly_scaled": "low ~ bwt_ug + lwt_tiny",
    "birthwt_agg_weights": "low ~ C(race) + smoke + ht",
    "menarche_grouped": "y ~ Age",
    "rnet_a_margin": "margin_positive ~ size_mm + method + lvi + grade + location",
    "rnet_a_rare": "recurrence ~ margin_positive + size_mm",
    "rnet_a_complete_case": "margin_positive ~ nlr + size_mm",
    "sex2_ml": "case ~ age + oc + vic + vis",
    "birthwt_ns": "low ~ age + ns(lwt, 3)",
    "birthwt_rcs4": "low ~ age + rcs(lwt, 4)",
}
FIRTH_FORMULAS = {
    "sex2": "case ~ age + oc + vic + vicl + vis + dia",
    "sexagg_weights": "case ~ age + oc + vic + vicl + vis + dia",
    "endometrial": "HG ~ NV + PI + EH",
    "birthwt": "low ~ age + lwt + C(race) + smoke + ht",
    "rnet_a_rare": "recurrence ~ margin_positive + size_mm + lvi",
    "rnet_a_one": "recurrence ~ margin_positive",
    "rnet_b_method": "recurrence ~ method + size_mm + margin_positive",
    "toy_complete": "y ~ x",
    "toy_quasi": "y ~ x + z",
    "toy_zero_cell": "y ~ x",
    "rnet_a_missing_nlr": "recurrence ~ log(nlr) + margin_positive",
}
INTERCEPTS = ("birthwt_full", "birthwt_interaction")
FREQUENCIES = {
    "birthwt_agg_weights": "count",
    "menarche_grouped": "freq",
    "sexagg_weights": "COUNT",
}


def prepared(name: str, golden: dict) -> pd.DataFrame:
    data = read(golden["data"])
    if name == "birthwt_badly_scaled":
        return data.assign(bwt_ug=data["age"] * 1e6, lwt_tiny=data["lwt"] * 1e-5)
    if name == "menarche_grouped":
        yes = data.assign(y=1, freq=data["Menarche"].astype(int))
        no = data.assign(y=0, freq=(data["Total"] - data["Menarche"]).astype(int))
        return pd.concat([yes, no], ignore_index=True)
    if name == "rnet_a_margin":
        return data[data["method"] != "other"]
    return data


def fit_case(topic: str, name: str, formulas: dict[str, str]) -> tuple[LogisticResult, dict]:
    golden = case(topic, name)
    data = prepared(name, golden)
    fit = logistic(
        data,
        formulas[name],
        penalty=None if topic == "logistic_ml" else "firth",
        freq_weights=FREQUENCIES.get(name),
    )
    return fit, golden["values"]


@pytest.mark.parametrize("name", ML_FORMULAS)
def test_maximum_likelihood_agrees_with_r(name: str) -> None:
    fit, values = fit_case("logistic_ml", name, ML_FORMULAS)
    table, summary = fit.to_frame(), fit.summary
    grouped = name == "menarche_grouped"
    assert_close(table["coef"], values["coef"])
    assert_close(table["std_error"], values["se"])
    assert_close(fit.covariance, values["vcov"])
    assert_close(table["estimate"], values["odds_ratio"])
    if not grouped:  # R's likelihood of grouped data holds the binomial coefficients
        assert_close(summary["log_likelihood"], values["loglik"])
        assert_close(summary["aic"], values["aic"])
        assert_close(summary["bic"], values["bic_sum_weights"])
        assert_close(-2.0 * summary["log_likelihood_null"], values["null_deviance"])
    if values["lr_overall_df"]:
        assert_close(summary["statistic"], values["lr_overall_chi2"])
        assert summary["df"] == values["lr_overall_df"]
        assert_close(summary["p_value"], values["lr_overall_p"])
    assert summary["n"] == values["sum_weights"]
    if "profile_ci_lower" in values:
        low, high, _ = fit.engine.limits(0.95)  # exp() of a badly scaled one is 0 or infinite
        with np.errstate(over="ignore"):
            assert_close(np.exp(low), table["conf_low"], rel=1e-12, floor=0.0)
        # Some of the reference's limits of intercepts are no roots of the profile: see below.
        first = 1 if name in INTERCEPTS else 0
        for limit, side in ((low, "lower"), (high, "upper")):
            expected = numbers(values[f"profile_ci_{side}"])[first:]
            assert_close(limit[first:], expected, rel=1e-6, floor=1e-9)
    if not FREQUENCIES.get(name) and name != "rnet_a_complete_case":
        predicted = fit.predict(prepared(name, case("logistic_ml", name)))
        assert_close(predicted.to_numpy()[:10], values["fitted_first10"])
    for term, expected in values.get("lr_drop1", {}).items():
        mine = fit.term_tests().set_index("term")
        if term.startswith("b") and term[1:].isdigit():
            continue  # R names single columns of the spline; tested for linearity below
        ours = next((t for t in mine.index if _same_term(t, term)), None)
        assert ours is not None, term
        row = mine.loc[[ours]].iloc[0]
        assert row["df"] == expected["df"]
        assert_close(row["statistic"], expected["chi2"])
        assert_close(row["p_value"], expected["p"])


@pytest.mark.parametrize("name", INTERCEPTS)
def test_profile_limits_of_an_intercept_solve_their_equation(name: str) -> None:
    """R's own confint() agrees with ours; the tabulated roots of these two models do not."""
    fit, values = fit_case("logistic_ml", name, ML_FORMULAS)
    row = fit.to_frame().iloc[0]
    for side, name in (("lower", "conf_low"), ("upper", "conf_high")):
        limit = np.log(row[name])
        assert limit == pytest.approx(numbers(values[f"mass_confint_{side}"])[0], rel=1e-3)
        held = fit_logistic(
            fit.engine.X[:, 1:], read("birthwt.csv")["low"], offset=np.full(189, limit)
        )
        fall = 2.0 * (fit.summary["log_likelihood"] - held.log_likelihood[0])
        assert_close(fall, 3.841458820694124)


def _same_term(ours: str, r: str) -> bool:
    plain = r.replace("factor(", "C(").replace(
        "rcspline.eval(lwt, nk = 4, inclx = TRUE, norm = 2)", "rcs(lwt, 4)"
    )
    return ours == plain or (r.startswith("ns(lwt") and ours == "ns(lwt, 3)")


@pytest.mark.parametrize(
    ("name", "spline"), [("birthwt_ns", "ns(lwt, 3)"), ("birthwt_rcs4", "rcs(lwt, 4)")]
)
def test_linearity_of_splines_agrees_with_r(name: str, spline: str) -> None:
    fit, values = fit_case("logistic_ml", name, ML_FORMULAS)
    tests = fit.term_tests()
    row = tests[(tests["term"] == spline) & (tests["test"] == "linearity")].iloc[0]
    expected = values["lr_nonlinear"]
    assert_close(row["statistic"], expected["chi2"] if isinstance(expected, dict) else expected)


def test_sandwich_variances_agree_with_r() -> None:
    values = case("logistic_ml", "rnet_a_robust")["values"]
    data = read("rnet_like_a.csv")
    data = data.assign(group=np.arange(len(data)) % 25)
    plain = logistic(data, "margin_positive ~ size_mm + lvi", penalty=None, ci="wald")
    assert_close(plain.to_frame()["std_error"], values["se_model"])
    robust = logistic(data, "margin_positive ~ size_mm + lvi", penalty=None, robust=True)
    assert_close(robust.to_frame()["std_error"], values["se_hc0"])
    assert_close(robust.covariance, values["vcov_hc0"])
    assert set(robust.to_frame()["method"]) == {"ML, Wald (sandwich HC0)"}
    clustered = logistic(data, "margin_positive ~ size_mm + lvi + cluster(group)", penalty=None)
    assert_close(clustered.to_frame()["std_error"], values["se_cluster_hc0_no_adjust"])
    assert any("25 clusters" in note for note in clustered.notes)


@pytest.mark.parametrize("name", FIRTH_FORMULAS)
def test_firth_agrees_with_r(name: str) -> None:
    fit, values = fit_case("logistic_firth", name, FIRTH_FORMULAS)
    table, summary = fit.to_frame(), fit.summary
    assert_close(table["coef"], values["coef"])
    assert_close(table["std_error"], values["se_fisher"])
    assert_close(fit.covariance, values["vcov_fisher"])
    assert_close(np.log(table["conf_low"]), values["pl_ci_lower"], rel=1e-6, floor=1e-9)
    assert_close(np.log(table["conf_high"]), values["pl_ci_upper"], rel=1e-6, floor=1e-9)
    assert_close(table["statistic"], values["plr_chi2"])
    assert_close(table["p_value"], values["plr_p"])
    assert_close(summary["log_likelihood_penalized"], values["loglik_penalised_full"])
    assert_close(summary["log_likelihood"], values["loglik_unpenalised_at_estimate"])
    assert_close(summary["statistic"], values["lr_overall_chi2"])
    assert np.isnan(summary["aic"])
    assert np.isnan(summary["bic"])


@pytest.mark.parametrize("name", ["rnet_a_size_lvi", "birthwt_smoke"])
def test_standardised_risks_agree_with_r(name: str) -> None:
    golden = case("bounds", name)
    spec, values = golden["spec"], golden["values"]
    fit = logistic(
        read(golden["data"]), f"{spec['outcome']} ~ {' + '.join(spec['terms'])}", penalty=None
    )
    table = fit.risks(spec["exposure"]).to_frame().set_index(["measure", "value"])
    for value in (0, 1):
        row = table.loc[("risk", value)]
        assert_close(row["estimate"], values[f"risk_{value}"])
        assert_close(row["std_error"], values[f"risk_{value}_se"])
    row = table.loc[("risk difference", 1)]
    assert_close(row["estimate"], values["difference"])
    assert_close(row["std_error"], values["difference_se"])
    row = table.loc[("risk ratio", 1)]
    assert_close(row["estimate"], values["ratio"])
    assert_close(row["std_error"], values["log_ratio_se"])
    assert_close(
        [row["conf_low"], row["conf_high"]], [values["ratio_lower"], values["ratio_upper"]]
    )


def test_one_binary_covariate_under_firth_adds_one_half_to_each_cell() -> None:
    table = {"y": [1] * 8 + [0] * 173 + [1] * 4 + [0] * 342, "x": [1] * 181 + [0] * 346}
    fit = logistic(table, "y ~ x")
    by_hand = (8.5 * 342.5) / (173.5 * 4.5)
    assert_close(fit.to_frame()["estimate"].iloc[1], by_hand)


def test_saturated_maximum_likelihood_gives_the_cross_product() -> None:
    table = {"y": [1] * 8 + [0] * 173 + [1] * 4 + [0] * 342, "x": [1] * 181 + [0] * 346}
    row = logistic(table, "y ~ x", penalty=None, ci="wald").to_frame().iloc[1]
    assert_close(row["estimate"], 8 * 342 / (173 * 4))
    assert_close(row["std_error"], np.sqrt(1 / 8 + 1 / 173 + 1 / 4 + 1 / 342))


def test_separated_data_give_infinite_estimates_with_a_finite_limit() -> None:
    data = read("endometrial.csv")
    fit = logistic(data, "HG ~ NV + PI + EH", penalty=None)
    row = fit.to_frame().set_index("term").loc["NV"]
    assert row["estimate"] == np.inf
    assert row["conf_high"] == np.inf
    assert row["conf_low"] > 1.0
    assert row["p_value"] < 0.01
    assert not fit.summary["converged"]
    assert fit.summary["separation"] == "quasi"
    assert any("NV" in note for note in fit.notes)
    # The limit is where the profile has fallen by 3.84 / 2: refit with NV in the offset.
    held = data.assign(held=data["NV"] * np.log(row["conf_low"]))
    at_limit = logistic(held, "HG ~ PI + EH + offset(held)", penalty=None)
    fall = 2.0 * (fit.summary["log_likelihood"] - at_limit.summary["log_likelihood"])
    assert fall == pytest.approx(3.841458820694124, rel=1e-5)
    with pytest.raises(ConvergenceError, match="firth"):
        fit.predict(data)
    with pytest.raises(ConvergenceError, match="firth"):
        fit.risks("NV")


def test_firth_says_which_term_is_separated() -> None:
    fit = logistic(read("endometrial.csv"), "HG ~ NV + PI + EH")
    assert fit.summary["separation"] == "quasi"
    assert any("no finite estimate for NV" in note for note in fit.notes)
    assert fit.summary["converged"]


@pytest.mark.slow
@given(seed=st.integers(0, 10_000))
def test_frequency_weights_are_replicated_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {"x": rng.normal(size=40), "g": rng.choice(["a", "b"], 40), "w": rng.integers(1, 4, 40)}
    )
    data["y"] = (rng.random(40) < 0.5).astype(int)
    data.loc[[0, 1], "y"] = [0, 1]
    data.loc[[0, 1], "g"] = ["a", "b"]
    one = logistic(data, "y ~ x + g", freq_weights="w")
    two = logistic(data.loc[data.index.repeat(data["w"])], "y ~ x + g")
    skip = ["term", "level", "measure", "method"]
    np.testing.assert_allclose(
        one.to_frame().drop(columns=skip).astype(float),
        two.to_frame().drop(columns=skip).astype(float),
        rtol=1e-7,
        atol=1e-9,
    )
    for key in ("n", "n_events", "df", "log_likelihood", "log_likelihood_penalized", "statistic"):
        assert one.summary[key] == pytest.approx(two.summary[key], rel=1e-9)


@pytest.mark.slow
@given(seed=st.integers(0, 10_000), scale=st.sampled_from([1e-6, 0.1, 30.0, 1e7]))
def test_scale_order_and_coding_do_not_matter(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"x": rng.normal(5, 2, 60), "z": rng.integers(0, 2, 60)})
    data["y"] = (rng.random(60) < 1 / (1 + np.exp(-(data["x"] - 5)))).astype(int)
    data.loc[[0, 1, 2, 3], ["z", "y"]] = [[0, 0], [0, 1], [1, 0], [1, 1]]
    first = logistic(data, "y ~ x + z").to_frame().set_index("term")
    shuffled = data.sample(frac=1.0, random_state=seed).assign(x=lambda d: d["x"] * scale)
    again = logistic(shuffled, "y ~ z + x").to_frame().set_index("term")
    for name in ("coef", "std_error"):
        assert again.loc["x", name] * scale == pytest.approx(first.loc["x", name], rel=1e-7)
    assert again.loc["z", "conf_low"] == pytest.approx(first.loc["z", "conf_low"], rel=1e-6)
    assert again.loc["x", "p_value"] == pytest.approx(
        first.loc["x", "p_value"], rel=1e-6, abs=1e-10
    )
    flipped = logistic(data.assign(y=1 - data["y"]), "y ~ x + z").to_frame().set_index("term")
    assert flipped.loc["z", "coef"] == pytest.approx(-first.loc["z", "coef"], rel=1e-7, abs=1e-9)


def test_interaction_and_joint_tests() -> None:
    data = read("birthwt.csv")
    tests = logistic(data, "low ~ lwt + smoke * C(race)", penalty=None).term_tests()
    assert tests["test"].tolist() == ["joint", "joint", "joint", "interaction"]
    assert tests["df"].tolist() == [1, 3, 4, 2]
    without = logistic(data, "low ~ lwt + C(race)", penalty=None)
    full = logistic(data, "low ~ lwt + smoke * C(race)", penalty=None)
    fall = 2 * (full.summary["log_likelihood"] - without.summary["log_likelihood"])
    assert_close(tests["statistic"].iloc[1], fall)


def test_firth_term_tests_keep_the_penalty_of_the_full_design() -> None:
    values = case("logistic_firth", "birthwt")["values"]
    fit, _ = fit_case("logistic_firth", "birthwt", FIRTH_FORMULAS)
    tests = fit.term_tests().set_index("term")
    chi2 = dict(zip(values["terms"], numbers(values["plr_chi2"]), strict=True))
    assert_close(tests.loc["lwt", "statistic"], chi2["lwt"])
    assert set(tests["method"]) == {"penalized likelihood ratio"}


def test_effect_of_a_spline_is_one_at_its_reference_and_free_of_the_basis() -> None:
    data = read("birthwt.csv")
    fit = logistic(data, "low ~ age + rcs(lwt, 4)", penalty=None)
    table = fit.effect("lwt", values=[100, 121, 180], reference=121).to_frame()
    assert table["estimate"].iloc[1] == 1.0
    assert table["std_error"].iloc[1] == 0.0
    risk = fit.predict({"age": [25, 25], "lwt": [100, 121]}).to_numpy()
    odds = risk / (1 - risk)
    assert_close(table["estimate"].iloc[0], odds[0] / odds[1])


def test_effect_of_a_numeric_term_is_its_coefficient() -> None:
    fit = logistic(read("birthwt.csv"), "low ~ age + lwt", penalty=None, ci="wald")
    row = fit.effect("lwt", values=[11.0], reference=10.0).to_frame().iloc[0]
    own = fit.to_frame().set_index("term").loc["lwt"]
    for name in ("estimate", "conf_low", "conf_high", "std_error"):
        assert_close(row[name], own[name])


def test_risks_of_all_levels_and_of_quartiles() -> None:
    data = read("rnet_like_a.csv")
    data = data[data["method"] != "other"]
    fit = logistic(data, "margin_positive ~ method + size_mm")
    table = fit.risks("method", reference="ESD").to_frame()
    assert table["measure"].value_counts().to_dict() == {
        "risk": 3,
        "risk difference": 2,
        "risk ratio": 2,
    }
    risk = table[table["measure"] == "risk"].set_index("value")["estimate"]
    shown = table[(table["measure"] == "risk difference") & (table["value"] == "cEMR")]
    assert_close(shown["estimate"].iloc[0], risk["cEMR"] - risk["ESD"])
    inside = table[table["measure"] == "risk"]
    assert ((inside["conf_low"] > 0) & (inside["conf_high"] < 1)).all()
    quartiles = fit.risks("size_mm").to_frame()["value"].unique()
    np.testing.assert_allclose(quartiles, np.quantile(data["size_mm"], [0.25, 0.75]))


def test_risks_say_what_rests_on_the_penalty() -> None:
    data = pd.DataFrame({"y": [0] * 200 + [1] * 8 + [0] * 92, "arm": [0] * 200 + [1] * 100})
    empty = logistic(data, "y ~ arm").risks("arm")
    assert any("The data are separated" in note for note in empty.notes)
    data.loc[:1, "y"] = 1
    data["x"], data["z"], data["v"] = np.random.default_rng(1).normal(size=(3, 300))
    fit = logistic(data, "y ~ arm + x + z + v")
    (said,) = [note for note in fit.risks("arm").notes if "towards a half" in note]
    assert f"{100 * fit.predict(data).mean():.1f} % on average, where 3.3 % had" in said
    plain = logistic(data, "y ~ arm + x", penalty=None).risks("arm")
    assert len(plain.notes) == 1


def test_residuals_square_to_the_deviance() -> None:
    fit = logistic(read("birthwt.csv"), "low ~ age + lwt", penalty=None)
    assert_close(np.sum(fit.residuals() ** 2), -2.0 * fit.summary["log_likelihood"])
    assert abs(fit.residuals("response").sum()) < 1e-8
    with pytest.raises(OptionError, match="deviance"):
        fit.residuals("devience")


def test_what_needs_rows_says_so_after_reading_back() -> None:
    fit = logistic(read("birthwt.csv"), "low ~ age + lwt")
    again = LogisticResult.from_dict(fit.to_dict())
    assert_close(
        again.predict({"age": [20], "lwt": [120]}), fit.predict({"age": [20], "lwt": [120]})
    )
    for call in (again.term_tests, lambda: again.risks("age"), again.residuals):
        with pytest.raises(DataNotKeptError, match="patient rows"):
            call()


def test_missing_rows_are_counted_named_and_noted() -> None:
    data = read("rnet_like_a_missing.csv")
    fit = rn.logistic(data, "margin_positive ~ nlr + size_mm")
    missing = int(data["nlr"].isna().sum())
    assert fit.summary["n_missing"] == missing > 0
    assert fit.summary["n"] == len(data) - missing
    assert any("nlr" in note and str(missing) in note for note in fit.notes)
    with pytest.raises(DataError, match="nlr"):
        rn.logistic(data, "margin_positive ~ nlr", missing="raise")


@pytest.mark.parametrize(
    ("change", "formula", "options", "error", "says"),
    [
        ({}, "low ~ agee", {}, ColumnError, "Did you mean 'age'"),
        ({"low": 0}, "low ~ age", {}, TooFewEventsError, "No row has the outcome"),
        ({"low": 1}, "low ~ age", {}, TooFewEventsError, "Every row has the outcome"),
        ({"low": 2}, "low ~ age", {}, DataError, "must be 0 or 1"),
        ({}, "low ~ age", {"penalty": "frith"}, OptionError, "firth"),
        ({}, "low ~ age", {"ci": "profil"}, OptionError, "profile"),
        ({}, "low ~ age", {"conf_level": 95}, OptionError, "0.95"),
        ({}, "low ~ age", {"ci": "profile", "robust": True}, OptionError, "robust"),
        ({}, "low ~ age", {"freq_weights": "age2"}, ColumnError, "age2"),
        ({"twice": None}, "low ~ age + twice", {}, ColumnError, "age"),
    ],
)
def test_bad_input_is_refused_in_words(change, formula, options, error, says) -> None:
    data = read("birthwt.csv")
    for name, value in change.items():
        data[name] = 2 * data["age"] if value is None else value
    with pytest.raises(error, match=says):
        logistic(data, formula, **options)


def test_more_terms_than_events_is_an_error_for_ml_and_a_note_for_firth() -> None:
    rng = np.random.default_rng(3)
    data = {f"x{i}": rng.normal(size=60) for i in range(5)} | {"y": [1] * 3 + [0] * 57}
    formula = "y ~ x0 + x1 + x2 + x3 + x4"
    with pytest.raises(TooFewEventsError, match="5 parameters for 3"):
        logistic(data, formula, penalty=None)
    assert any("5 parameters for 3" in note for note in logistic(data, formula).notes)


def test_unknown_options_are_refused() -> None:
    with pytest.raises(TypeError, match="weights"):
        logistic(read("birthwt.csv"), "low ~ age", weights="lwt")  # type: ignore[call-arg]


def test_limits_where_the_penalised_likelihood_has_several_maxima() -> None:
    rows = [
        (-0.322852832382, 0, "a", 0),
        (-0.569365334872, 0, "c", 0),
        (0.0514025433805, 0, "b", 1),
        (0.937295090297, 0, "b", 1),
        (1.0256885707, 0, "c", 1),
        (0.327195011641, 0, "b", 1),
        (-0.17494833979, 0, "c", 0),
        (1.63194986648, 0, "a", 1),
        (-0.41929291622, 1, "b", 0),
        (-0.245118594616, 1, "c", 0),
    ]
    table = logistic(pd.DataFrame(rows, columns=["x", "z", "f", "y"]), "y ~ x + z + f").to_frame()
    # a Newton solver in R, with 200 starts at each limit
    low = [-13.2354842701411, -0.196019058011765, -7.49109283284962, -2.28334983077456]
    high = [2.29174413253065, 8.71709430823705, 2.60488968958959, 14.2048411208213]
    assert_close(np.log(table["conf_low"]), [*low, -5.16223758534894], rel=1e-6)
    assert_close(np.log(table["conf_high"]), [*high, 13.4869240880282], rel=1e-6)


def test_a_ratio_beyond_the_range_of_numbers_is_said() -> None:
    data = read("birthwt.csv").assign(tiny=lambda d: d["age"] * 1e-5)
    fit = logistic(data, "low ~ tiny + smoke")
    row = fit.to_frame().set_index("term").loc["tiny"]
    assert np.isfinite(row["coef"])
    assert row["conf_high"] == np.inf or row["conf_low"] == 0
    assert any("tiny" in note and "larger units" in note for note in fit.notes)
    assert not any("larger units" in note for note in logistic(data, "low ~ age + smoke").notes)


def overlapping_by(gap: float, seed: int) -> pd.DataFrame:
    """Outcomes that x would separate, were two neighbouring rows not exchanged."""
    rng = np.random.default_rng(seed)
    x = np.sort(rng.normal(size=30))
    x[15] = x[14] + gap
    x[16:] = np.maximum(x[16:], x[15] + 0.01 * np.arange(1, 15))
    data = pd.DataFrame({"x": x, "b": rng.integers(0, 2, 30), "y": np.repeat([0, 1], 15)})
    data.loc[[14, 15], "y"] = [1, 0]
    data.loc[[14, 15], "b"] = seed % 2
    return data


@pytest.mark.parametrize("seed", [3, 6, 8])
def test_limits_of_outcomes_nearly_separated_solve_their_equation(seed: int) -> None:
    data = overlapping_by(1e-3, seed)
    fit = logistic(data, "y ~ x + b", penalty=None)
    row = fit.to_frame().set_index("term").loc["x"]
    assert fit.summary["separation"] == "none"
    # Held at the limit: x less a constant, so that the offset stays small where it matters.
    away = (data["x"] - data.loc[14, "x"]) * np.log(row["conf_low"])
    held = logistic(data.assign(held=away), "y ~ b + offset(held)", penalty=None)
    fall = 2.0 * (fit.summary["log_likelihood"] - held.summary["log_likelihood"])
    assert fall == pytest.approx(3.841458820694124, rel=1e-6)


def test_an_estimate_too_far_out_points_to_firth() -> None:
    data = overlapping_by(1e-4, 0)
    with pytest.raises(ConvergenceError, match=r"but for a few rows.*penalty='firth'"):
        logistic(data, "y ~ x + b", penalty=None)
    assert np.isfinite(logistic(data, "y ~ x + b").to_frame()["coef"]).all()
