"""Cox regression: R's numbers, invariants, tables by hand, refusals."""

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
from rnetstats.regression.cox import cox
from rnetstats.regression.cox_result import CoxResult
from support import assert_close, case, numbers, read
from support import golden as golden_cases

RARE = "Surv(dfs_months, recurrence) ~ margin_positive + size_mm"
MODELS: dict[str, tuple[str, dict]] = {
    "lung_efron": ("Surv(time, status == 2) ~ age + sex + `ph.ecog`", {}),
    "lung_breslow": ("Surv(time, status == 2) ~ age + sex + `ph.ecog`", {"ties": "breslow"}),
    "lung_exact": ("Surv(time, status == 2) ~ age + sex + `ph.ecog`", {"ties": "exact"}),
    "veteran_strata": ("Surv(time, status) ~ karno + age + trt + strata(celltype)", {}),
    "veteran_factor": ("Surv(time, status) ~ celltype + karno * prior", {}),
    "heart_start_stop": ("Surv(start, stop, event) ~ age + surgery + transplant", {}),
    "heart_cluster": ("Surv(start, stop, event) ~ age + surgery + transplant + cluster(id)", {}),
    "kidney_cluster": ("Surv(time, status) ~ age + sex + cluster(id)", {}),
    "lung_weights_breslow": (
        "Surv(time, status == 2) ~ age + sex",
        {"ties": "breslow", "freq_weights": "w", "ci": "wald"},
    ),
    "lung_weights_robust": (
        "Surv(time, status == 2) ~ age + sex",
        {"sampling_weights": "w"},
    ),
    "rnet_a_rare": (RARE, {}),
    "rnet_a_time_dependent_salvage": (
        "Surv(start, stop, event) ~ salvaged + margin_positive + size_mm",
        {},
    ),
    "rnet_b_ties_efron": ("Surv(os_months, death) ~ age + size_mm", {}),
    "rnet_b_ties_breslow": ("Surv(os_months, death) ~ age + size_mm", {"ties": "breslow"}),
    "rnet_b_ties_exact": ("Surv(os_months, death) ~ age + size_mm", {"ties": "exact"}),
}
FIRTH = {
    "breast_full": None,
    "ovarian": "Surv(futime, fustat) ~ age + rx",
    "rnet_a_rare": "Surv(dfs_months, recurrence) ~ margin_positive + size_mm + lvi",
    "rnet_b_esd_ties": "Surv(dfs_months, recurrence) ~ esd + size_mm + margin_positive",
    "rnet_a_time_dependent": "Surv(start, stop, event) ~ salvaged + margin_positive + size_mm",
    "heart_start_stop": "Surv(start, stop, event) ~ age + surgery + transplant",
    "veteran": "Surv(time, status) ~ karno + age + trt",
    "breast_one": "Surv(TIME, CENS) ~ G",
}


def data_of(name: str, golden: dict) -> pd.DataFrame:
    data = read(golden["data"])
    if "weights" in name:
        third = 1 + data["age"] % 3
        data["w"] = 0.5 + (data["age"] % 5) / 4 if name.endswith("robust") else third
    if name == "rnet_b_esd_ties":
        data["esd"] = (data["method"] == "ESD").astype(int)
    return data


def fit_of(name: str, **more) -> tuple[CoxResult, dict, pd.DataFrame]:
    golden = case("cox", name)
    formula, options = MODELS[name]
    data = data_of(name, golden)
    fit = cox(data, formula, penalty=None, **{**options, **more})
    return fit, golden["values"], data


@pytest.mark.parametrize("name", MODELS)
def test_the_concordance_and_its_error_agree_with_r(name: str) -> None:
    fit, values, data = fit_of(name)
    found, expected = fit.concordance().iloc[0], values["concordance"]
    names = {"concordance": "c", "concordant": "concordant", "discordant": "discordant"}
    if "freq_weights" in MODELS[name][1]:  # patients here, sampling weights in R
        written = data.loc[data.index.repeat(data["w"])]
        again = cox(written, MODELS[name][0], penalty=None, ties="breslow").concordance()
        assert_close(found, again.iloc[0])
    else:
        names |= {"std_error": "se", "tied_time": "tied_y", "tied_both": "tied_xy"}
    for ours, r in (names | {"tied_score": "tied_x"}).items():
        assert_close(found[ours], expected[r])


@pytest.mark.parametrize("name", MODELS)
def test_maximum_likelihood_agrees_with_r(name: str) -> None:
    fit, values, _ = fit_of(name)
    table, summary = fit.to_frame(), fit.summary
    assert_close(table["coef"], values["coef"])
    assert_close(table["estimate"], values["hazard_ratio"])
    robust = "se_robust" in values
    assert_close(table["std_error"], values["se_robust" if robust else "se"])
    assert_close(fit.covariance, values["vcov_robust" if robust else "vcov"])
    assert_close(fit.engine.model_covariance, values["vcov"])
    assert_close(summary["log_likelihood"], values["loglik"])
    assert_close(summary["log_likelihood_null"], values["loglik_null"])
    assert summary["df"] == values["df"]
    assert_close(summary["concordance"], values["concordance"]["c"])
    if fit.engine.wald:
        assert_close(
            np.log(table["conf_low"]), values["robust_ci_lower" if robust else "wald_ci_lower"]
        )
        assert_close(table["p_value"], values["p_robust" if robust else "p_wald"])
    else:
        assert_close(summary["statistic"], values["lr_chi2"])
        assert_close(summary["p_value"], values["lr_p"])
        assert_close(summary["aic"], values["aic"])
    if "profile_ci" in values and not fit.engine.wald:
        limits = table.set_index("term").loc[values["profile_ci"]["term"]]
        assert_close(np.log(limits["conf_low"]), values["profile_ci"]["lower"], rel=1e-6)
        assert_close(np.log(limits["conf_high"]), values["profile_ci"]["upper"], rel=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_tests_of_the_whole_model_agree_with_r(name: str) -> None:
    fit, values, _ = fit_of(name)
    tests = fit.overall_tests().set_index("test")
    assert (tests["df"] == values["df"]).all()
    for test, key in (("likelihood ratio", "lr"), ("wald", "wald"), ("score", "score")):
        assert_close(tests.loc[test, "statistic"], values[f"{key}_chi2"])
        assert_close(tests.loc[test, "p_value"], values[f"{key}_p"], rel=1e-7)


WITH_RESIDUALS = [n for n in MODELS if "martingale_first10" in case("cox", n)["values"]]


@pytest.mark.parametrize("name", WITH_RESIDUALS)
def test_residuals_agree_with_r(name: str) -> None:
    fit, values, _ = fit_of(name)
    martingale = fit.residuals()
    assert_close(martingale[:10], values["martingale_first10"])
    deviance = fit.residuals("deviance")
    assert_close(deviance[:10], values["deviance_resid_first10"])
    schoenfeld = fit.residuals("schoenfeld")
    assert len(schoenfeld) == values["schoenfeld_rows"]
    assert_close(
        (schoenfeld.drop(columns="time") ** 2).sum(),
        np.atleast_1d(values["schoenfeld_sum_squares"]),
    )


@pytest.mark.parametrize("name", [n for n in MODELS if "cox_zph" in case("cox", n)["values"]])
def test_proportional_hazards_tests_agree_with_r(name: str) -> None:
    fit, values, _ = fit_of(name)
    for transform, expected in values["cox_zph"].items():
        ours = fit.proportional_hazards(transform=transform).to_frame()
        for row, r in zip(ours.to_dict("records"), expected.values(), strict=True):
            assert row["df"] == r["df"]
            assert_close(row["statistic"], r["chi2"])
            assert_close(row["p_value"], r["p"])


@pytest.mark.parametrize(
    "name", [n for n in MODELS if "predicted_survival" in case("cox", n)["values"]]
)
def test_survival_of_new_patients_agrees_with_r(name: str) -> None:
    fit, values, _ = fit_of(name)
    base = values["basehaz_uncentered"]
    steps = fit.baseline()
    for time, hazard in zip(base["time"], base["cumhaz"], strict=True):
        reached = steps[steps["time"] <= time]["cumulative_hazard"]
        assert_close(reached.iloc[-1] if len(reached) else 0.0, hazard)
    for patient in values["predicted_survival"]:
        new = {key: [value] for key, value in patient["covariates"].items()}
        table = fit.survival(new, patient["time"])
        assert_close(table["survival"], patient["surv"])
        assert_close(table["std_error"], patient["std_err_surv"])
        assert_close(table["conf_low"], patient["ci_log_lower"])
        assert_close(table["conf_high"], patient["ci_log_upper"])
        assert_close(table["risk"], 1.0 - numbers(patient["surv"]))


def firth_formula(name: str) -> str:
    spec = case("cox_firth", name)["spec"]
    return FIRTH.get(name) or f"Surv({', '.join(spec['outcome'])}) ~ {' + '.join(spec['terms'])}"


@pytest.mark.parametrize("name", [c["id"] for c in golden_cases("cox_firth")])
def test_firth_agrees_with_r(name: str) -> None:
    golden = case("cox_firth", name)
    values = golden["values"]
    fit = cox(data_of(name, golden), firth_formula(name), ties="breslow")
    table, summary = fit.to_frame(), fit.summary
    assert_close(table["coef"], values["coef"])
    assert_close(np.log(table["conf_low"]), values["pl_ci_lower"], rel=1e-6, floor=1e-9)
    assert_close(np.log(table["conf_high"]), values["pl_ci_upper"], rel=1e-6, floor=1e-9)
    assert_close(table["statistic"], values["plr_chi2"])
    assert_close(table["p_value"], values["plr_p"])
    assert_close(summary["log_likelihood_penalized"], values["loglik_penalised_full"])
    assert_close(summary["log_likelihood"], values["loglik_unpenalised_at_estimate"])
    assert_close(summary["statistic"], values["lr_overall_chi2"])
    assert np.isnan(summary["aic"])


def test_firth_with_efron_is_firth_with_breslow_without_ties() -> None:
    data = read("rnet_like_a.csv").sample(frac=1, random_state=1)
    times = data["dfs_months"] + np.arange(len(data)) * 1e-6
    data = data.assign(time=times)
    one = cox(data, "Surv(time, recurrence) ~ margin_positive + lvi").to_frame()
    two = cox(data, "Surv(time, recurrence) ~ margin_positive + lvi", ties="breslow").to_frame()
    columns = ["coef", "std_error", "conf_low", "conf_high", "p_value"]
    np.testing.assert_allclose(one[columns], two[columns], rtol=1e-9)


@pytest.mark.slow
@given(seed=st.integers(0, 10_000))
def test_frequency_weights_are_replicated_rows_even_with_efron_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "time": rng.integers(1, 8, 40),
            "event": rng.integers(0, 2, 40),
            "x": rng.normal(size=40),
            "w": rng.integers(1, 4, 40),
        }
    )
    data.loc[0, "event"] = 1
    one = cox(data, "Surv(time, event) ~ x", freq_weights="w")
    two = cox(data.loc[data.index.repeat(data["w"])], "Surv(time, event) ~ x")
    columns = [
        "coef",
        "std_error",
        "conf_low",
        "conf_high",
        "statistic",
        "p_value",
        "n",
        "n_events",
    ]
    np.testing.assert_allclose(
        one.to_frame()[columns].astype(float),
        two.to_frame()[columns].astype(float),
        rtol=1e-7,
        atol=1e-10,
    )
    assert one.summary["log_likelihood"] == pytest.approx(two.summary["log_likelihood"])
    assert one.summary["concordance"] == pytest.approx(two.summary["concordance"])


@pytest.mark.slow
@given(seed=st.integers(0, 10_000), factor=st.sampled_from([1e-3, 30.4375, 1e4]))
def test_time_unit_row_order_and_split_rows_do_not_matter(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "stop": rng.integers(2, 30, 50).astype(float),
            "event": (rng.random(50) < 0.5).astype(int),
            "x": rng.normal(size=50),
        }
    ).assign(start=0.0)
    data.loc[0, "event"] = 1
    first = cox(data, "Surv(stop, event) ~ x")
    scaled = data.assign(stop=data["stop"] * factor).sample(frac=1.0, random_state=seed)
    again = cox(scaled, "Surv(stop, event) ~ x")
    early = data.assign(stop=data["stop"] / 3, event=0)
    late = data.assign(start=data["stop"] / 3)
    split = cox(pd.concat([early, late]), "Surv(start, stop, event) ~ x")
    columns = ["coef", "std_error", "conf_low", "conf_high", "p_value"]
    for other in (again, split):
        np.testing.assert_allclose(
            other.to_frame()[columns], first.to_frame()[columns], rtol=1e-6, atol=1e-10
        )


def test_two_patients_by_hand() -> None:
    """One event among two at risk: the score test's parts are those of a coin."""
    data = {"time": [1.0, 2.0, 3.0], "event": [1, 1, 0], "x": [1.0, 0.0, 1.0]}
    fit = cox(data, "Surv(time, event) ~ x", penalty=None, ci="wald")
    # exp(b) / (2 exp(b) + 1) * 1 / (exp(b) + 1) is largest at exp(b) = 1 / sqrt(2).
    assert_close(fit.to_frame()["estimate"], [1 / np.sqrt(2)])


def test_monotone_likelihood_gives_infinity_with_a_finite_limit_or_firth() -> None:
    data = read("rnet_like_b.csv")
    data["other_method"] = (data["method"] != "ESD").astype(int)
    formula = "Surv(dfs_months, recurrence) ~ other_method"
    fit = cox(data, formula, penalty=None)
    row = fit.to_frame().iloc[0]
    assert row["estimate"] == row["conf_high"] == np.inf
    assert 0 < row["conf_low"] < np.inf
    assert 0 < row["p_value"] < 0.2
    assert fit.summary["separation"] != "none"
    assert any("firth" in note for note in fit.notes)
    with pytest.raises(ConvergenceError, match="firth"):
        fit.survival({"other_method": [1]}, [60])
    firth = cox(data, formula)
    assert np.isfinite(firth.to_frame()[["estimate", "conf_low", "conf_high"]]).all(axis=None)
    with pytest.raises(ConvergenceError, match="monotone"):
        firth.proportional_hazards()


def test_a_missing_test_of_proportional_hazards_has_a_note() -> None:
    data = {"t": [2, 2, 2, 4, 5], "e": [1, 1, 0, 0, 0], "x": [1, 2, 1, 4, 3]}
    found = cox(data, "Surv(t, e) ~ x").proportional_hazards()
    assert found.to_frame()["p_value"].isna().all()
    assert any(note.startswith("No test of x, GLOBAL:") for note in found.notes)


def test_what_needs_rows_says_so_after_reading_back() -> None:
    again = CoxResult.from_dict(cox(read("rnet_like_a.csv"), RARE).to_dict())
    for call in (
        again.baseline,
        again.concordance,
        again.proportional_hazards,
        again.residuals,
        lambda: again.survival({"margin_positive": [1], "size_mm": [8]}, [12]),
    ):
        with pytest.raises(DataNotKeptError, match="patient rows"):
            call()
    assert again.effect("size_mm").to_frame()["estimate"].notna().all()


def test_far_covariates_leave_no_silent_nan() -> None:
    data = read("veteran.csv")
    fit = cox(data, "Surv(time, status) ~ karno + age")
    far = fit.survival({"karno": [-1e5, 1e5], "age": [50, 50]}, [0, 0.5, 100])
    assert far.notna().all(axis=None)
    assert far["survival"].tolist() == [1, 1, 0, 1, 1, 1]
    shifted = data.assign(year=2e6 + 1000 * data["karno"] / data["karno"].max())
    baseline = cox(shifted, "Surv(time, status) ~ year").baseline()
    assert np.isposinf(baseline["cumulative_hazard"]).all()
    assert (baseline["survival"] == 0).all()


def test_limits_where_the_penalty_curves_as_much_as_the_likelihood() -> None:
    data = pd.DataFrame(
        {
            "start": [0.65, 0, 0, 0.11, 0, 0, 1.49],
            "stop": [0.755108, 0.348401, 0.639644, 0.313164, 0.919637, 0.839457, 2.931217],
            "event": [1, 0, 0, 1, 0, 0, 1],
            "x": [-0.465274, 0.52849, -0.515193, 0.039579, -0.5376, -1.216, 1.036427],
            "z": [0, 1, 0, 0, 0, 0, 0],
        }
    )
    others = pd.DataFrame({"start": [0.42], "stop": [1.983807], "event": [0], "x": [1.003672]})
    data = pd.concat([data, others.assign(z=0)], ignore_index=True)
    fit = cox(data, "Surv(start, stop, event) ~ x + z", ties="breslow")
    table = fit.to_frame()
    # a tight Newton solver in R, its limits by root finding
    assert_close(np.log(table["conf_low"]), [-1.44457702060382, -5.39436003329945], rel=1e-5)
    assert_close(np.log(table["conf_high"]), [2.29825932988007, 3.16178018071075], rel=1e-5)
    assert not any("not found" in note for note in fit.notes)


def test_a_limit_far_from_the_estimate_breaks_no_fit() -> None:
    rng, n = np.random.default_rng(0), 60
    data = pd.DataFrame(
        {
            "t": rng.exponential(size=n).round(2) + 0.01,
            "e": rng.integers(0, 2, n),
            "y": rng.integers(0, 2, n),
            "a": rng.normal(size=n),
            "b": rng.choice(["u", "v w", "x:y"], n),
            "c": rng.normal(size=n),
            "g": rng.integers(0, 2, n),
            "pos": rng.exponential(size=n) + 0.1,
        }
    )
    fit = cox(data, 'Surv(t, e) ~ I(a > 0) + rcs(pos, 4) * g + I(b == "u")')
    table = fit.to_frame()
    assert (table["conf_low"] < table["estimate"]).all()
    missing = table["conf_high"].isna()
    assert (table["conf_high"] > table["estimate"])[~missing].all()
    assert missing.any() == any("limit was not found" in note for note in fit.notes)


def test_survival_refuses_an_unknown_stratum_and_one_without_events() -> None:
    data = read("rnet_like_b.csv")
    fit = cox(data, "Surv(dfs_months, recurrence) ~ size_mm + strata(method)")
    assert fit.survival({"size_mm": [8], "method": ["cEMR"]}, [60])["risk"].between(0, 1).all()
    with pytest.raises(DataError, match="snare"):
        fit.survival({"size_mm": [8], "method": ["snare"]}, [60])
    with pytest.raises(DataError, match="no event"):
        fit.survival({"size_mm": [8], "method": ["ESD"]}, [60])


def test_time_zero_is_allowed_counted_and_noted() -> None:
    data = read("rnet_like_a.csv")
    data.loc[[0, 1], "dfs_months"] = 0.0
    fit = cox(data, RARE)
    assert any("2 rows have dfs_months = 0" in note for note in fit.notes)
    assert fit.summary["n"] == len(data)


@pytest.mark.parametrize(
    ("change", "formula", "options", "error", "says"),
    [
        ({"recurrence": 0}, RARE, {}, TooFewEventsError, "bpcp"),
        ({"recurrence": 2}, RARE, {}, DataError, "must be 0 or 1"),
        ({"dfs_months": -1.0}, RARE, {}, DataError, "negative"),
        ({"dfs_months": np.inf}, RARE, {}, DataError, "infinite"),
        ({"dfs_months": "soon"}, RARE, {}, ColumnError, "dfs_months"),
        ({"size_mm": 5.0}, RARE, {}, ColumnError, "size_mm"),
        ({}, RARE, {"ties": "exact"}, OptionError, "penalty=None"),
        ({}, RARE, {"ties": "efron "}, OptionError, "efron"),
        ({}, "Surv(dfs_months, recurrence) ~ 1", {}, OptionError, "term"),
        ({}, "Surv(os_months, dfs_months, recurrence) ~ lvi", {}, DataError, "not before"),
    ],
)
def test_bad_input_is_refused_in_words(change, formula, options, error, says) -> None:
    data = read("rnet_like_a.csv").assign(**change)
    with pytest.raises(error, match=says):
        cox(data, formula, **options)


def test_more_terms_than_events_is_an_error_for_ml_and_a_note_for_firth() -> None:
    rng = np.random.default_rng(4)
    data = {f"x{i}": rng.normal(size=40) for i in range(4)}
    data |= {"time": np.arange(1.0, 41.0), "event": [1, 1, 1] + [0] * 37}
    formula = "Surv(time, event) ~ x0 + x1 + x2 + x3"
    with pytest.raises(TooFewEventsError, match="4 parameters for 3"):
        cox(data, formula, penalty=None)
    assert any("4 parameters for 3 events" in note for note in cox(data, formula).notes)
    data["event"] = [1] + [0] * 39
    assert any("2 parameters for 1 event:" in note for note in cox(data, formula[:-10]).notes)


def test_univariable_keeps_strata_and_follows_the_outcome() -> None:
    from rnetstats.regression.univariable import univariable

    data = read("rnet_like_a.csv")
    table = univariable(data, "Surv(dfs_months, recurrence) ~ lvi + size_mm + strata(location)")
    alone = cox(data, "Surv(dfs_months, recurrence) ~ size_mm + strata(location)")
    row = table.to_frame().set_index("term").loc["size_mm"]
    own = alone.to_frame().iloc[0]
    assert_close([row["estimate"], row["p_value"]], [own["estimate"], own["p_value"]])
    binary = univariable(read("rnet_like_a_missing.csv"), "recurrence ~ nlr + lvi", penalty=None)
    assert binary.to_frame()["measure"].tolist() == ["OR", "OR"]
    assert binary.to_frame()["n"].nunique() == 2, "each term uses the rows complete for it"
    with pytest.raises(OptionError, match="ties"):
        univariable(data, "recurrence ~ lvi", ties="efron")


def test_rows_of_the_same_patients_are_told_from_patients():
    cohort = rn.load_cohort("duan2024")
    positive = cohort[cohort["margin_positive"] == 1]
    rows = rn.split_at_treatment(
        positive, "Surv(dfs_months, dfs_event)", treatment_time="salvage_months", id="patient_id"
    )
    formula = "Surv(start, stop, event) ~ treated + age"
    fit = cox(rows, f"{formula} + cluster(patient_id)")
    whole = fit.glance().iloc[0]
    assert whole["n"] == len(rows) > whole["n_clusters"] == len(positive) == 181
    assert any(
        note.startswith(f"{len(rows)} rows of 181 clusters by patient_id") for note in fit.notes
    )
    plain = cox(rows, formula)
    assert "n_clusters" not in plain.glance()
    assert not any("clusters" in note for note in plain.notes)
    alone = cox(positive, "Surv(dfs_months, dfs_event) ~ age + cluster(patient_id)")
    assert not any("rows of" in note for note in alone.notes)
