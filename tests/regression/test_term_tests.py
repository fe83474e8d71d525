"""Tests of terms against explicit nested refits; what other packages get wrong."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import OptionError
from rnetstats.kernels.logistic import fit_logistic
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.profile import restricted_fits
from support import assert_close, case, numbers, read

FULL = "low ~ ns(lwt, 3)*smoke + C(race) + rcs(age, 3)"
NESTED = {
    ("ns(lwt, 3)", "joint"): "low ~ smoke + C(race) + rcs(age, 3)",
    ("smoke", "joint"): "low ~ ns(lwt, 3) + C(race) + rcs(age, 3)",
    ("C(race)", "joint"): "low ~ ns(lwt, 3)*smoke + rcs(age, 3)",
    ("rcs(age, 3)", "joint"): "low ~ ns(lwt, 3)*smoke + C(race)",
    ("rcs(age, 3)", "linearity"): "low ~ ns(lwt, 3)*smoke + C(race) + age",
    ("ns(lwt, 3)", "linearity"): "low ~ lwt*smoke + C(race) + rcs(age, 3)",
    ("ns(lwt, 3):smoke", "interaction"): "low ~ ns(lwt, 3) + smoke + C(race) + rcs(age, 3)",
}


def test_likelihood_ratios_of_interactions_and_splines_equal_nested_refits() -> None:
    data = read("birthwt.csv")
    fit = rn.logistic(data, FULL, penalty=None)
    tests = fit.term_tests().set_index(["term", "test"])
    assert set(tests.index) == set(NESTED)
    for key, formula in NESTED.items():
        small = rn.logistic(data, formula, penalty=None)
        expected = 2.0 * (fit.summary["log_likelihood"] - small.summary["log_likelihood"])
        assert_close(tests.loc[key, "statistic"], expected, rel=1e-7)
        assert tests.loc[key, "df"] == fit.summary["df"] - small.summary["df"]


def test_cox_likelihood_ratios_equal_nested_refits() -> None:
    data = read("veteran.csv")
    left = "Surv(time, status) ~ "
    options = {"penalty": None, "ties": "breslow"}
    fit = rn.cox(data, left + "ns(karno, 3)*trt + celltype + strata(prior)", **options)
    tests = fit.term_tests().set_index(["term", "test"])["statistic"]
    nested = {
        ("ns(karno, 3)", "joint"): "trt + celltype",
        ("ns(karno, 3)", "linearity"): "karno*trt + celltype",
        ("celltype", "joint"): "ns(karno, 3)*trt",
        ("ns(karno, 3):trt", "interaction"): "ns(karno, 3) + trt + celltype",
    }
    for key, right in nested.items():
        small = rn.cox(data, f"{left}{right} + strata(prior)", **options)
        expected = 2.0 * (fit.summary["log_likelihood"] - small.summary["log_likelihood"])
        assert_close(tests[key], expected, rel=1e-7)


def test_linearity_beside_another_spline_is_of_its_own_variable_alone() -> None:
    """Line times bend of the other is no bend: the smaller model is a line times a spline."""
    data = read("birthwt.csv")
    full = rn.logistic(data, "low ~ rcs(age, 3)*ns(lwt, 3) + smoke", penalty=None)
    tests = full.term_tests().set_index(["term", "test"])
    for spline, right in {
        "rcs(age, 3)": "age*ns(lwt, 3) + smoke",
        "ns(lwt, 3)": "rcs(age, 3)*lwt + smoke",
    }.items():
        small = rn.logistic(data, f"low ~ {right}", penalty=None)
        row = tests.loc[(spline, "linearity")]
        expected = 2.0 * (full.summary["log_likelihood"] - small.summary["log_likelihood"])
        assert row["df"] == full.summary["df"] - small.summary["df"]
        assert_close(row["statistic"], expected, rel=1e-7)


def test_wald_linearity_of_two_splines_agrees_with_anova_of_rms() -> None:
    """Of anova(lrm(low ~ rcs(age, 3)*rcs(lwt, 3))), rms 6.5-0: rows with higher order factors."""
    formula = "low ~ rcs(age, 3)*rcs(lwt, 3)"
    fit = rn.logistic(read("birthwt.csv"), formula, penalty=None, ci="wald")
    tests = fit.term_tests().set_index(["term", "test"])
    anova = {
        ("rcs(age, 3)", "joint"): (5.373103614502, 6),
        ("rcs(age, 3)", "linearity"): (2.108347433673, 3),
        ("rcs(lwt, 3)", "joint"): (8.140219666459, 6),
        ("rcs(lwt, 3)", "linearity"): (4.685050686426, 3),
        ("rcs(age, 3):rcs(lwt, 3)", "interaction"): (3.073310094592, 4),
    }
    assert set(tests.index) == set(anova)
    for key, (statistic, df) in anova.items():
        assert tests.loc[key, "df"] == df
        assert_close(tests.loc[key, "statistic"], statistic, rel=1e-7)


def test_wald_tests_of_splines_do_not_depend_on_their_basis() -> None:
    """b' V^-1 b by hand for the joint test; the same linearity by rcs() with the same knots."""
    data = read("birthwt.csv")
    fit = rn.logistic(data, "low ~ rcs(lwt, 4) + C(race)", robust=True, penalty=None)
    tests = fit.term_tests().set_index(["term", "test"])
    b, v = fit.coef.to_numpy(), fit.vcov.to_numpy()
    for key, part in {
        ("rcs(lwt, 4)", "joint"): [1, 2, 3],
        ("rcs(lwt, 4)", "linearity"): [2, 3],
        ("C(race)", "joint"): [4, 5],
    }.items():
        expected = b[part] @ np.linalg.solve(v[np.ix_(part, part)], b[part])
        assert_close(tests.loc[key, "statistic"], expected)
        assert tests.loc[key, "df"] == len(part)
        assert tests.loc[key, "method"] == "Wald (sandwich HC0)"
    assert_close(tests.loc[("C(race)", "joint"), "statistic"], fit.joint["statistic"].iloc[-1])


def test_firth_keeps_the_penalty_of_the_full_design_for_splines_too() -> None:
    """Restricted by hand: the line is kept, the bend held at 0, the penalty untouched."""
    data = read("birthwt.csv")
    fit = rn.logistic(data, "low ~ rcs(lwt, 3) + smoke")
    statistic = fit.term_tests().set_index(["term", "test"])["statistic"]
    X, y = fit.engine.X, fit.engine.frame.outcome.y
    evaluate = LogisticLikelihood(X, y=y, weights=None, offset=None, firth=True)
    full = fit_logistic(X, y, firth=True)
    held = restricted_fits(evaluate, full.coef[0], [(2,), (1, 2)])
    expected = 2.0 * (full.log_likelihood_penalized[0] - held.log_likelihood)
    assert_close(statistic[("rcs(lwt, 3)", "linearity")], expected[0])
    assert_close(statistic[("rcs(lwt, 3)", "joint")], expected[1])
    dropped = rn.logistic(data, "low ~ lwt + smoke")
    naive = 2.0 * (
        fit.summary["log_likelihood_penalized"] - dropped.summary["log_likelihood_penalized"]
    )
    assert abs(naive - expected[0]) > 0.1  # the mistake that this test is about


def test_effects_with_interactions_are_those_of_the_level_shown() -> None:
    data = read("birthwt.csv")
    fit = rn.logistic(data, "low ~ lwt*C(race, ref=2) + smoke", penalty=None)
    assert fit.variables["race"]["values"][0] == 2
    found = fit.effect("lwt", values=[100.0, 120.0], reference=110.0).to_frame()
    assert_close(found["coef"], np.array([-10.0, 10.0]) * fit.coef["lwt"])
    assert_close(found["std_error"], 10.0 * np.sqrt(fit.vcov.loc["lwt", "lwt"]) * np.ones(2))
    levels = fit.effect("race").to_frame().set_index("value")
    median = fit.variables["lwt"]["typical"]
    expected = fit.coef["C(race)[3]"] + median * fit.coef["lwt:C(race)[3]"]
    assert_close(levels.loc[3, "coef"], expected)


def test_an_effect_is_shown_where_other_variables_are_held() -> None:
    data = read("birthwt.csv")
    fit = rn.logistic(data, "low ~ lwt*C(race) + smoke*age", penalty=None)
    found = fit.effect("race", values=[3], at={"lwt": 90, "smoke": 1}).to_frame().iloc[0]
    light = rn.logistic(
        data.assign(above=data["lwt"] - 90), "low ~ above*C(race) + smoke*age", penalty=None
    )
    assert_close(found["coef"], light.coef["C(race)[3]"])
    assert_close(found["std_error"] ** 2, light.vcov.loc["C(race)[3]", "C(race)[3]"])


def test_a_held_variable_bends_a_spline_with_it() -> None:
    data = read("birthwt.csv")
    fit = rn.logistic(data, "low ~ rcs(lwt, 3)*C(race) + smoke*age", penalty=None)
    found = fit.effect("race", values=[3], at={"lwt": 90}).to_frame()["estimate"]
    risk = fit.predict({"lwt": [90, 90], "race": [1, 3], "smoke": [1, 1], "age": [30, 30]})
    odds = (risk / (1 - risk)).to_numpy()
    assert_close(found.iloc[0], odds[1] / odds[0])


def test_the_note_on_an_interaction_says_where_others_are_held() -> None:
    fit = rn.logistic(read("birthwt.csv"), "low ~ lwt*C(race) + smoke*lwt")
    assert fit.effect("smoke", at={"lwt": 90}).notes[-1].endswith("is shown with lwt at 90.")
    rest = "the other variables at their median or reference level"
    assert fit.effect("smoke").notes[-1].endswith(f"is shown with {rest}.")
    assert fit.effect("lwt", at={"race": 2}).notes[-1].endswith(f"with race at 2 and {rest}.")


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ({"smokes": 1}, "'smokes' is not in the model. Did you mean 'smoke'"),
        ({"race": 9}, "'race' has no level 9"),
        ({"lwt": 1}, "at holds other variables"),
        (["race"], "at must map"),
    ],
)
def test_where_a_variable_cannot_be_held_is_refused(at: Any, said: str) -> None:
    fit = rn.logistic(read("birthwt.csv"), "low ~ lwt*C(race) + smoke")
    with pytest.raises(OptionError, match=said):
        fit.effect("lwt", at=at)


def test_risks_with_interactions_splines_and_weights_by_hand() -> None:
    data = read("birthwt.csv")
    weights = 1 + data["age"].to_numpy() % 3
    fit = rn.logistic(data, "low ~ smoke*C(race) + rcs(lwt, 3)", freq_weights=weights)
    risks = fit.risks("smoke").to_frame()
    p1, p0 = (fit.predict(data.assign(smoke=k)) for k in (1, 0))
    mean1, mean0 = (float(np.average(p, weights=weights)) for p in (p1, p0))
    shown = dict(zip(risks["measure"] + risks["value"].astype(str), risks["estimate"], strict=True))
    assert_close(shown["risk1"], mean1)
    assert_close(shown["risk difference1"], mean1 - mean0)
    assert_close(shown["risk ratio1"], mean1 / mean0)


def test_statsmodels_converges_under_quasi_separation_and_we_say_infinite() -> None:
    sm = pytest.importorskip("statsmodels.api")
    data = pd.DataFrame({"y": [0, 1] * 6 + [0] * 4, "x": [0] * 12 + [1] * 4})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = sm.GLM(
            data["y"], sm.add_constant(data[["x"]].astype(float)), family=sm.families.Binomial()
        ).fit()
    assert theirs.converged and theirs.pvalues["x"] > 0.99  # "converged", nothing said
    ml = rn.logistic(data, "y ~ x", penalty=None)
    row = ml.to_frame().iloc[1]
    assert np.isneginf(row["coef"]) and row["p_value"] < 0.05
    assert any("x" in note and "infinite" in note for note in ml.notes)
    firth = rn.logistic(data, "y ~ x")
    assert_close(firth.coef["x"], np.log(0.5 / 4.5))  # 1/2 in each cell
    assert any("x" in note for note in firth.notes)


def test_entry_times_are_open_as_statsmodels_has_them_closed() -> None:
    phreg = pytest.importorskip("statsmodels.duration.hazard_regression")
    data = read("heart.csv")
    columns = ["age", "surgery", "transplant"]
    theirs = phreg.PHReg(
        data["stop"], data[columns], status=data["event"], entry=data["start"], ties="efron"
    ).fit()
    ours = rn.cox(data, "Surv(start, stop, event) ~ age + surgery + transplant", penalty=None)
    assert_close(ours.coef["age"], case("cox", "heart_start_stop")["values"]["coef"]["age"])
    assert abs(ours.coef["age"] - 0.03054) < 1e-5
    assert abs(theirs.params[0] - 0.03085) < 1e-5


WEIGHTED = {
    "lung_age_sex": ("lung.csv", "Surv(time, status == 2) ~ age + sex", lambda d: 1 + d["age"] % 3),
    "rnet_b_death": (
        "rnet_like_b.csv",
        "Surv(os_months, death) ~ age + size_mm",
        lambda d: 1 + d["age"] % 2,
    ),
    "rnet_a_rare": (
        "rnet_like_a.csv",
        "Surv(dfs_months, recurrence) ~ margin_positive + size_mm",
        lambda d: 1 + (d["age"] % 4 == 0),
    ),
}


@pytest.mark.parametrize("name", WEIGHTED)
@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_frequency_weights_are_replicated_rows_and_sampling_weights_are_r_s(
    name: str, ties: str
) -> None:
    file, formula, weight = WEIGHTED[name]
    data = read(file)
    weights = weight(data).to_numpy(dtype=float)
    values = case("bootstrap", name)["values"]
    options = {"penalty": None, "ties": ties}
    freq = rn.cox(data, formula, freq_weights=weights, **options)
    rows = values[f"replicated_rows_{ties}"]
    assert_close(freq.coef, numbers(rows["coef"]))
    assert_close(freq.to_frame()["std_error"], rows["se"])
    assert_close(freq.summary["log_likelihood"], rows["loglik"])
    assert_close(freq.summary["log_likelihood_null"], rows["loglik_null"])
    assert freq.summary["n"] == rows["n"]
    sampled = rn.cox(data, formula, sampling_weights=weights, **options)
    assert_close(sampled.coef, numbers(values[f"weights_{ties}"]["coef"]))
    if ties == "efron" and name != "rnet_a_rare":
        assert np.abs(freq.coef - sampled.coef).max() > 1e-6


def test_lifelines_agrees_where_it_is_right() -> None:
    lifelines = pytest.importorskip("lifelines")
    data = read("veteran.csv")[["time", "status", "karno", "age"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lifelines.CoxPHFitter().fit(data, "time", "status")
    ours = rn.cox(data, "Surv(time, status) ~ karno + age", penalty=None, ci="wald")
    assert_close(ours.coef, theirs.params_.to_numpy(), rel=1e-5)
    assert_close(ours.to_frame()["std_error"], theirs.standard_errors_.to_numpy(), rel=1e-5)


def skewed(spread: float = 1.2) -> dict[str, np.ndarray]:
    """300 patients with a marker as skewed as bilirubin, clusters of three, both outcomes."""
    rng = np.random.default_rng(7)
    log_x = rng.normal(size=300)
    time, end = rng.exponential(np.exp(-0.5 * log_x)), rng.uniform(0.0, 3.0, 300)
    return {
        "x": np.exp(spread * log_x),
        "y": (rng.random(300) < 1.0 / (1.0 + np.exp(-log_x))).astype(int),
        "time": np.minimum(time, end),
        "event": (time <= end).astype(int),
        "id": np.arange(300) % 100,
        "centre": np.arange(300) % 4,
    }


@pytest.mark.parametrize("knots", [5, 7])
@pytest.mark.parametrize("more", ["", " + cluster(id)", "robust"])
@pytest.mark.parametrize("left", ["y", "Surv(time, event)"])
def test_wald_tests_of_a_spline_of_a_skewed_variable_do_not_depend_on_its_columns(
    left: str, more: str, knots: int
) -> None:
    data = skewed()
    verb = rn.logistic if left == "y" else rn.cox
    options: dict[str, Any] = {"penalty": None, "ci": "wald", "robust": more == "robust"}
    tail = more.removeprefix("robust")
    spline = verb(data, f"{left} ~ rcs(x, {knots}){tail}", **options)
    columns = spline.engine.X[:, -(knots - 1) :]
    apart = np.linalg.qr(columns - columns.mean(axis=0))[0]  # the same model
    for j in range(knots - 1):
        data[f"q{j}"] = apart[:, j] * 300.0**0.5
    free = " + ".join(f"q{j}" for j in range(knots - 1))
    plain = verb(data, f"{left} ~ {free}{tail}", **options)
    assert_close(spline.summary["log_likelihood"], plain.summary["log_likelihood"], rel=1e-9)
    expected = plain.overall_tests().set_index("test").loc["wald", "statistic"]
    found = spline.term_tests().set_index("test")["statistic"]
    assert_close(found["joint"], expected, rel=2e-4)
    overall = spline.overall_tests().set_index("test").loc["wald", "statistic"]
    assert_close(overall, expected, rel=2e-4)
    bent = [f"q{j}" for j in range(1, knots - 1)]  # q1, ... bend the curve, q0 does not
    covariance = plain.vcov.loc[bent, bent].to_numpy()
    own = plain.coef[bent].to_numpy()
    assert_close(found["linearity"], own @ np.linalg.solve(covariance, own), rel=2e-4)


@pytest.mark.parametrize("knots", [5, 7])
def test_parametric_joint_tests_of_a_spline_do_not_depend_on_its_columns(knots: int) -> None:
    data = skewed()
    design = rn.logistic(data, f"y ~ rcs(x, {knots})", penalty=None).engine.X[:, 1:]
    apart = np.linalg.qr(design - design.mean(axis=0))[0]
    for j in range(knots - 1):
        data[f"q{j}"] = apart[:, j] * 300.0**0.5
    spline = rn.parametric(data, f"Surv(time, event) ~ rcs(x, {knots})")
    plain = rn.parametric(
        data, "Surv(time, event) ~ " + " + ".join(f"q{j}" for j in range(knots - 1))
    )
    assert_close(spline.summary["log_likelihood"], plain.summary["log_likelihood"], rel=1e-9)
    own = np.asarray(plain.law["coef"])[1:knots]
    covariance = np.asarray(plain.law["covariance"])[1:knots, 1:knots]
    expected = own @ np.linalg.solve(covariance, own)
    assert_close(spline.joint["statistic"].iloc[0], expected, rel=2e-4)


@pytest.mark.parametrize("penalty", ["firth", None])
@pytest.mark.parametrize("ci", ["wald", "profile"])
def test_fine_gray_takes_a_spline_of_a_skewed_variable(penalty: str | None, ci: str) -> None:
    data = skewed(1.5)
    data["code"] = data["event"] * (1 + np.arange(300) % 2)
    design = rn.logistic(data, "y ~ rcs(x, 6)", penalty=None).engine.X[:, 1:]
    apart = np.linalg.qr(design - design.mean(axis=0))[0]  # the same model
    for j in range(5):
        data[f"q{j}"] = apart[:, j] * 300.0**0.5
    data["z"] = np.sin(np.arange(300.0))
    options: dict[str, Any] = {"cause": 1, "penalty": penalty, "ci": ci}
    spline = rn.fine_gray(data, "Surv(time, code) ~ rcs(x, 6) + z", **options)
    plain = rn.fine_gray(data, "Surv(time, code) ~ q0 + q1 + q2 + q3 + q4 + z", **options)
    assert_close(spline.summary["log_likelihood"], plain.summary["log_likelihood"], rel=1e-9)
    numbers = ["estimate", "conf_low", "conf_high", "std_error", "p_value"]
    found, want = (fit.to_frame()[numbers].iloc[-1] for fit in (spline, plain))
    assert_close(found, want, rel=1e-6)
    times = [0.5, 1.0]
    new = pd.DataFrame(data).head(4)
    found, want = (fit.cumulative_incidence(new, times) for fit in (spline, plain))
    assert_close(found["incidence"], want["incidence"], rel=1e-6)
    assert_close(found["std_error"], want["std_error"], rel=1e-5)


def test_a_generalised_gamma_law_takes_a_spline_of_a_skewed_variable() -> None:
    data = skewed(1.5)
    design = rn.logistic(data, "y ~ rcs(x, 5)", penalty=None).engine.X[:, 1:]
    apart = np.linalg.qr(design - design.mean(axis=0))[0]
    for j in range(4):
        data[f"q{j}"] = apart[:, j] * 300.0**0.5
    left, law = "Surv(time, event) ~ ", "generalised gamma"
    spline = rn.parametric(data, f"{left} rcs(x, 5)", distribution=law)
    plain = rn.parametric(data, f"{left} q0 + q1 + q2 + q3", distribution=law)
    assert_close(spline.summary["log_likelihood"], plain.summary["log_likelihood"], rel=1e-9)
    found, want = (fit.to_frame()[["coef", "std_error"]].tail(2) for fit in (spline, plain))
    assert_close(found, want, rel=1e-5)


def test_a_missing_joint_test_says_why() -> None:
    data = skewed()
    few = rn.cox(data, "Surv(time, event) ~ rcs(x, 7) + cluster(centre)", penalty=None)
    assert np.isnan(few.term_tests()["statistic"].iloc[0])
    assert "the cluster-robust variance has too few dimensions (clusters) for it." in few.notes[-1]
    close = skewed(spread=2.6)
    by_wald = rn.logistic(close, "y ~ rcs(x, 7)", penalty=None, ci="wald")
    assert np.isnan(by_wald.term_tests()["statistic"].iloc[0])
    assert by_wald.notes[-1] == (
        "The joint test of rcs(x, 7), the whole model is missing: the columns nearly determine "
        "each other, and their covariance cannot be inverted."
    )
    law = rn.parametric(close, "Surv(time, event) ~ rcs(x, 6)")
    assert np.isnan(law.joint["statistic"].iloc[0])
    assert any(note.startswith("The joint test of rcs(x, 6) is missing") for note in law.notes)
