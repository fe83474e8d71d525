from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rnetstats as rn
from competing_cases import cases_with, prepared, random_rows
from rnetstats._core.result import Result
from rnetstats.errors import (
    ConvergenceError,
    DataError,
    DataNotKeptError,
    FormulaError,
    OptionError,
    TooFewEventsError,
)
from support import assert_close, case, read

CASES = cases_with("finegray_coef")
FORMULA = "Surv(t, code) ~ x + s"


def parts_of(name):
    reference = case("competing", name)
    values, spec = reference["values"], reference["spec"]
    time, code = spec["outcome"]
    formula = f"Surv({time}, {code}) ~ {' + '.join(values['terms'])}"
    return values, prepared(reference), formula, spec["cause"]


@pytest.mark.parametrize("name", CASES)
def test_cmprsk_convention(name):
    values, data, formula, cause = parts_of(name)
    fit = rn.fine_gray(data, formula, cause=cause, penalty=None, censoring="with-events")
    frame, summary = fit.to_frame(), fit.glance().iloc[0]
    assert frame["term"].tolist() == values["terms"]
    assert frame["measure"].eq("sHR").all()
    assert summary["n_events"] == values["n_events"]
    assert summary["converged"] == values["converged"]
    for column, field in {
        "coef": "coef",
        "estimate": "shr",
        "std_error": "se",
        "statistic": "z",
        "p_value": "p",
    }.items():
        assert_close(frame[column], values[field])
    assert_close(fit.vcov, values["vcov"])
    assert_close(np.log(frame["conf_low"]), values["ci_lower"])
    assert_close(np.log(frame["conf_high"]), values["ci_upper"])
    value, null = summary["log_likelihood"], summary["log_likelihood_null"]
    assert_close(value, values["pseudo_loglik"])
    assert_close(null, values["pseudo_loglik_null"])
    assert_close(2.0 * (value - null), values["pseudo_lr_chi2"])
    want = values["predicted_cif"]
    patient = {term: [x] for term, x in want["covariates"].items()}
    assert_close(fit.cumulative_incidence(patient, want["time"])["incidence"], want["cif"])


@pytest.mark.parametrize("name", CASES)
def test_finegray_convention(name):
    values, data, formula, cause = parts_of(name)
    fit = rn.fine_gray(data, formula, cause=cause, penalty=None, variance="weights-known")
    assert_close(fit.coef, values["finegray_coef"])
    assert_close(fit.to_frame()["std_error"], values["finegray_robust_se"])
    # the default variance counts that the censoring distribution was estimated too
    default = rn.fine_gray(data, formula, cause=cause, penalty=None)
    assert_close(default.coef, values["finegray_coef"])
    ratio = default.to_frame()["std_error"] / fit.to_frame()["std_error"]
    assert ratio.between(0.95, 1.05).all()
    assert not np.allclose(ratio, 1.0, atol=1e-9)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("name", CASES)
def test_cause_specific_hazards(name, ties):
    values, data, formula, cause = parts_of(name)
    fit = rn.cox(data, formula, cause=cause, ties=ties, penalty=None, ci="wald")
    assert_close(fit.coef, values[f"cause_specific_{ties}_coef"])
    assert_close(fit.to_frame()["std_error"], values[f"cause_specific_{ties}_se"])


@pytest.mark.slow
@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_weights_are_replicated_rows_in_any_order_and_unit_of_time(seed):
    data = random_rows(seed, 60)
    options = {"cause": 1, "penalty": "firth"}
    weighted = rn.fine_gray(data, FORMULA, freq_weights="w", **options)
    copies = data.loc[data.index.repeat(data["w"])].sample(frac=1.0, random_state=seed)
    again = rn.fine_gray(copies.assign(t=copies["t"] * 30.0), FORMULA, **options)
    numbers = ["n", "n_events", "coef", "std_error", "p_value"]
    mine, theirs = weighted.to_frame()[numbers], again.to_frame()[numbers]
    assert_close(mine, theirs.to_numpy(), rel=1e-6, floor=1e-9)
    patient = {"x": [0.5], "s": [1]}
    mine = weighted.cumulative_incidence(patient, [8.0])
    theirs = again.cumulative_incidence(patient, [240.0])
    for column in ("incidence", "std_error", "conf_low", "conf_high"):
        assert_close(mine[column], theirs[column], rel=1e-6)


def test_without_competing_events_it_is_cox_with_a_robust_variance():
    data = random_rows(5, 80, causes=1)
    mine = rn.fine_gray(data, FORMULA, cause=1, penalty=None).to_frame()
    cox = rn.cox(data, FORMULA, ties="breslow", penalty=None, robust=True).to_frame()
    for column in ("coef", "std_error", "p_value", "conf_low", "conf_high"):
        assert_close(mine[column], cox[column])


def test_one_binary_covariate_follows_the_incidence_of_its_groups():
    data = read("rnet_like_b.csv")
    formula = "Surv(dfs_months, event_type) ~ margin_positive"
    fit = rn.fine_gray(data, formula, cause=2, penalty=None)
    curves = rn.cumulative_incidence(data, formula, cause=2, ci="cloglog").at([24, 60])
    model = fit.cumulative_incidence({"margin_positive": [0, 1]}, [24, 60])
    assert np.abs(model["incidence"] - curves["incidence"]).max() < 0.03
    assert np.abs(model["std_error"] / curves["std_error"] - 1.0).max() < 0.35
    inside = (model["conf_low"] < model["incidence"]) & (model["incidence"] < model["conf_high"])
    assert inside.all()


@pytest.mark.slow
def test_limits_of_the_incidence_are_those_of_the_derivatives():
    data = random_rows(7, 60)
    patients = {"x": [0.3, -1.0], "s": [1, 0]}
    weights = data["w"].to_numpy()
    fit = rn.fine_gray(data, FORMULA, cause=1, penalty=None, freq_weights=weights)
    found = fit.cumulative_incidence(patients, [4, 8])

    def level(counts):
        again = rn.fine_gray(data, FORMULA, cause=1, penalty=None, freq_weights=counts)
        frame = again.cumulative_incidence(patients, [4, 8])
        return np.log(-np.log1p(-frame["incidence"].to_numpy()))

    # a thousandth of a patient more or less: all weights times 1000
    base = 1000 * weights
    slopes = [(level(base + e) - level(base - e)) * 500.0 for e in np.eye(60, dtype=int)]
    error = np.sqrt(weights @ np.square(slopes))
    hazard = -np.log1p(-found["incidence"])
    assert_close(found["std_error"], (1 - found["incidence"]) * hazard * error, rel=1e-5)
    assert_close(
        found["conf_high"], -np.expm1(-hazard * np.exp(1.959963984540054 * error)), rel=1e-5
    )


def test_clusters_of_one_row_give_the_same_variance():
    data = random_rows(6, 80).assign(id=np.arange(80))
    plain = rn.fine_gray(data, FORMULA, cause=1)
    single = rn.fine_gray(data, FORMULA + " + cluster(id)", cause=1)
    assert_close(single.vcov, plain.vcov)
    pairs = rn.fine_gray(data.assign(id=data["id"] // 2), FORMULA + " + cluster(id)", cause=1)
    assert pairs.to_frame()["method"].str.contains("cluster-robust").all()
    patient = {"x": [0.0], "s": [1]}
    mine, theirs = (f.cumulative_incidence(patient, [6]) for f in (single, plain))
    assert_close(mine["std_error"], theirs["std_error"])


def test_a_level_without_events_gets_no_wald_interval():
    data = read("rnet_like_b.csv")
    formula = "Surv(dfs_months, event_type) ~ method"
    fit = rn.fine_gray(data, formula, cause=1)
    lost = fit.to_frame()["conf_low"].isna()
    assert lost.any()
    assert np.isfinite(fit.to_frame()["estimate"]).all()
    assert fit.to_frame().loc[lost, ["std_error", "p_value", "conf_high"]].isna().all(axis=None)
    assert any("No Wald limits" in note for note in fit.notes)
    profile = rn.fine_gray(data, formula, cause=1, ci="profile").to_frame()
    assert np.isfinite(profile[["conf_low", "conf_high", "p_value"]]).all(axis=None)
    plain = rn.fine_gray(data, formula, cause=1, penalty=None)
    assert not np.isfinite(plain.coef).all()
    with pytest.raises(ConvergenceError, match="penalty='firth'"):
        plain.cumulative_incidence(data.iloc[:2], [12])
    methods = list(data["method"].unique())
    risks = fit.cumulative_incidence({"method": methods}, [36])
    assert risks["std_error"].isna().any()
    assert risks["incidence"].gt(0.0).all()
    assert "nan" not in fit.display().to_string()


def test_what_is_counted_and_noted():
    cohort = rn.load_cohort("duan2024")
    fit = rn.fine_gray(cohort, "Surv(dfs_months, event_type) ~ margin_positive", cause=1)
    counts = cohort["event_type"].value_counts()
    assert fit.event_counts == {"1": counts[1], "2": counts[2], "censored": counts[0]}
    assert fit.meaning["2"] == "death without recurrence"
    row = fit.glance().iloc[0]
    assert (row["n_events"], row["n_competing"]) == (counts[1], counts[2])
    assert np.isnan(row["aic"])
    assert any("sandwich variance tends to be too small" in note for note in fit.notes)
    assert fit.predict({"margin_positive": [0, 1]}).tolist() == [0.0, fit.coef.iloc[0]]
    baseline = fit.baseline()
    assert baseline["incidence"].is_monotonic_increasing
    assert len(baseline) == cohort.loc[cohort["event_type"] == 1, "dfs_months"].nunique()
    assert fit.term_tests()["p_value"].item() == pytest.approx(fit.to_frame()["p_value"].item())


def test_a_fit_read_back_has_its_numbers_and_no_rows():
    fit = rn.fine_gray(random_rows(2, 60), FORMULA, cause=1)
    back = Result.from_dict(json.loads(json.dumps(fit.to_dict())))
    assert_close(back.to_frame()["coef"], fit.to_frame()["coef"])
    assert back.event_counts == fit.event_counts
    with pytest.raises(DataNotKeptError):
        back.baseline()


@pytest.mark.parametrize(
    ("formula", "options", "error", "message"),
    [
        (FORMULA, {"cause": 3}, OptionError, "cause=3 is no event of column 'code'"),
        (FORMULA, {"cause": pd.NA}, OptionError, "cause=<NA> is no event of column 'code'"),
        (FORMULA, {"cause": None}, OptionError, "cause= names the event"),
        (FORMULA, {"cause": 1, "penalty": "ridge"}, OptionError, "penalty='ridge'"),
        (FORMULA, {"cause": 1, "censoring": "crr"}, OptionError, "censoring='crr'"),
        (FORMULA, {"cause": 1, "variance": "robust"}, OptionError, "variance='robust'"),
        (
            FORMULA + " + cluster(g)",
            {"cause": 1, "ci": "profile"},
            OptionError,
            "no meaning with cluster",
        ),
        ("Surv(a, t, code) ~ x", {"cause": 1}, FormulaError, "takes no late entry"),
        ("Surv(t, code) ~ x + strata(s)", {"cause": 1}, FormulaError, "takes no strata"),
        ("Surv(t, code) ~ 1", {"cause": 1}, OptionError, "needs a term"),
        ("Surv(t, code == 1) ~ x", {"cause": 1}, FormulaError, "by the option cause="),
        ("Surv(t, rare) ~ x + s", {"cause": 1, "penalty": None}, TooFewEventsError, "2 parameters"),
        ("Surv(t, half) ~ x", {"cause": 1}, DataError, "1.5 in row 2"),
    ],
)
def test_what_is_refused(formula, options, error, message):
    data = random_rows(1, 30).assign(a=0.5, rare=0, half=1.0)
    data.loc[[0, 3], "rare"] = [1, 2]
    data.loc[1, "half"] = 1.5
    with pytest.raises(error, match=message):
        rn.fine_gray(data, formula, **options)


def test_times_past_follow_up_are_refused():
    fit = rn.fine_gray(random_rows(2, 60), FORMULA, cause=1)
    with pytest.raises(OptionError, match="follow-up ends at 11"):
        fit.cumulative_incidence({"x": [0.0], "s": [1]}, [12])


def test_cause_specific_cox_is_that_of_the_other_events_censored():
    data = random_rows(8, 80)
    coded = rn.cox(data, FORMULA, cause=2)
    plain = rn.cox(data, "Surv(t, code == 2) ~ x + s")
    numbers = ["n", "n_events", "coef", "std_error", "conf_low", "conf_high", "p_value"]
    assert_close(coded.to_frame()[numbers], plain.to_frame()[numbers].to_numpy())
    other = int((data["code"] == 1).sum())
    assert any(f"code = 2: {other} other events count as censored" in n for n in coded.notes)
    with pytest.raises(OptionError, match="fine_gray"):
        coded.survival(data, [5])
    with pytest.raises(OptionError, match="fine_gray"):
        rn.risk_model(coded, horizon=5)
    with pytest.raises(OptionError, match="together with cause="):
        rn.cox(data, "Surv(t, code == 2) ~ x", censor=9)
    with pytest.raises(OptionError, match="cause=5 is no event"):
        rn.cox(data, FORMULA, cause=5)
    late = rn.cox(data.assign(a=0.5), "Surv(a, t, code) ~ x + s", cause=2)
    assert_close(late.coef, coded.coef)
    table = rn.univariable(data, FORMULA, cause=2)
    assert_close(table.to_frame()["n_events"], [(data["code"] == 2).sum()] * 2)


def test_a_code_of_censoring_that_nobody_has_is_noted():
    rows = {"t": [1, 2, 3, 4, 5, 6], "code": [1, 0, 2, 1, 0, 1], "x": [0, 1, 1, 0, 0, 1]}
    for fit in (rn.fine_gray, rn.cox):
        notes = fit(rows, "Surv(t, code) ~ x", cause=1, censor=9).notes
        assert any("No row has the censoring code 9" in note for note in notes)
        right = fit(rows, "Surv(t, code) ~ x", cause=1).notes
        assert not any("censoring code" in note for note in right)
