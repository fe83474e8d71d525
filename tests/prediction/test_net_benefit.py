"""Decision curves: reference values, traps, and what must always hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import (
    ColumnError,
    DataError,
    FormulaError,
    OptionError,
    TooFewEventsError,
)
from support import assert_close, at_once, case, case_ids, read

NAMES = {"all": "treat all", "none": "treat none"}
COMPETING = {"cause": "diagnosed with cancer", "censor": "censor"}
FIELDS = ("tp_rate", "fp_rate", "net_benefit", "harm")

# What each reference case asks: the left side, risks, and options beside the thresholds.
ASKED = {
    "binary_two": ("cancer ~ cancerpredmarker + famhistory", {}),
    "binary_marker_as_probability": ("cancer ~ 1", {}),
    "binary_harm": (
        "cancer ~ cancerpredmarker + famhistory",
        {"harm": {"cancerpredmarker": 0.02, "famhistory": 0.005}},
    ),
    "binary_nper100": ("cancer ~ cancerpredmarker", {"per": 100}),
    "calib_model_and_rival": ("y ~ p_model + p_rival", {}),
    "case_control_prevalence": (
        "casecontrol ~ cancerpredmarker + famhistory",
        {"prevalence": 0.15},
    ),
    "survival": ("Surv(ttcancer, cancer) ~ cancerpredmarker + famhistory", {"time": 1.5}),
    "survival_time_1": ("Surv(ttcancer, cancer) ~ cancerpredmarker", {"time": 1}),
    "competing": ("Surv(ttcancer, cancer_cr) ~ cancerpredmarker", {"time": 1.5, **COMPETING}),
    "rnet_a_survival": ("Surv(dfs_months, recurrence) ~ risk", {"time": 60.05}),
}


def reference_result(name):
    made = case("decision_curve", name)
    data = read(made["data"])
    formula, options = ASKED[name]
    if name == "rnet_a_survival":
        linear = -5.2 + 0.1 * data["size_mm"] + 1.2 * data["margin_positive"]
        data = data.assign(risk=1 - np.exp(-np.exp(linear)))
    if name == "binary_marker_as_probability":
        fit = rn.logistic(data, "cancer ~ marker", penalty=None)
        options = options | {"models": {"marker": fit}}
    thresholds = made["values"]["models"]["all"]["threshold"]
    result = rn.decision_curve(data, formula, thresholds=thresholds, **{"per": 1, **options})
    return result, made["values"]


def test_every_reference_case_is_asked():
    assert set(ASKED) == set(case_ids("decision_curve"))


@pytest.mark.parametrize("name", ASKED)
def test_reference_values(name):
    result, values = reference_result(name)
    frame = result.to_frame()
    assert_close(result.n, values["n"])
    prevalence = values["prevalence"]
    prevalence = prevalence["TRUE"] if isinstance(prevalence, dict) else prevalence
    assert_close(result.prevalence, prevalence)
    assert set(frame["model"]) == {NAMES.get(m, m) for m in values["models"]}
    for model, want in values["models"].items():
        found = frame[frame["model"] == NAMES.get(model, model)]
        for field in ("threshold", *FIELDS):
            assert_close(found[field], want[field])
        assert_close(found["interventions_avoided"], want["net_intervention_avoided"])
        if "standardized_net_benefit" in want:
            assert_close(found["standardized_net_benefit"], want["standardized_net_benefit"])


def cohort(seed: int = 1, n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    a = rng.random(n)
    y = (rng.random(n) < a).astype(int)
    stop = rng.exponential(10.0, n)
    code = rng.integers(0, 3, n)
    b = np.clip(a + rng.normal(0, 0.2, n), 0, 1)
    return pd.DataFrame({"y": y, "a": a, "b": b, "stop": stop, "code": code, "e": code == 1})


def of(result, model):
    frame = result.to_frame()
    return frame[frame["model"] == model].reset_index(drop=True)


def test_by_hand():
    # 2 of 5 have the event; at 0.5 the model finds one of them and one without.
    data = {"y": [1, 0, 1, 0, 0], "p": [0.9, 0.5, 0.2, 0.3, 0.1]}
    result = rn.decision_curve(data, "y ~ p", thresholds=[0.2, 0.5])
    model = of(result, "p")
    np.testing.assert_allclose(model["net_benefit"], [0.4 - 0.4 * 0.25, 0.0], atol=1e-15)
    np.testing.assert_allclose(model["standardized_net_benefit"], [0.75, 0.0], atol=1e-15)
    # treat all: 0.4 - 0.6 / 4 = 0.25 and -0.2
    np.testing.assert_allclose(of(result, "treat all")["net_benefit"], [0.25, -0.2])
    np.testing.assert_allclose(model["interventions_avoided"], [100 * 0.05 * 4, 100 * 0.2])
    np.testing.assert_array_equal(model["n_positive"], [4, 2])
    impact = result.clinical_impact("p", population=50)
    np.testing.assert_allclose(impact["n_high_risk"], [40, 20])
    np.testing.assert_allclose(impact["n_with_event"], [20, 10])


def test_named_columns_come_first():
    columns = list(rn.decision_curve(cohort(), "y ~ a").to_frame().columns)
    assert columns[:9] == [
        "model", "threshold", "tp_rate", "fp_rate", "net_benefit", "standardized_net_benefit",
        "interventions_avoided", "conf_low", "conf_high",
    ]  # fmt: skip


def test_default_thresholds():
    levels = of(rn.decision_curve(cohort(), "y ~ a"), "a")["threshold"]
    np.testing.assert_array_equal(levels, [k / 100 for k in range(1, 100)])


@given(seed=st.integers(0, 5000))
def test_treat_all_and_none_hold_whatever_the_model(seed):
    data = cohort(seed, 60)
    result = rn.decision_curve(data, "y ~ a", thresholds=[0.1, 0.3, 0.6])
    share, odds = data["y"].mean(), np.array([0.1, 0.3, 0.6]) / np.array([0.9, 0.7, 0.4])
    np.testing.assert_allclose(
        of(result, "treat all")["net_benefit"], share - (1 - share) * odds, atol=1e-14
    )
    np.testing.assert_array_equal(of(result, "treat none")["net_benefit"], 0.0)
    np.testing.assert_array_equal(of(result, "treat all")["interventions_avoided"], 0.0)


@pytest.mark.slow
@given(seed=st.integers(0, 5000), kind=st.sampled_from(["binary", "survival", "competing"]))
def test_weights_equal_replicated_rows_bands_included(seed, kind):
    data = cohort(seed, 50)
    freq = np.random.default_rng(seed).integers(1, 4, 50)
    long = data.loc[np.repeat(data.index, freq)].reset_index(drop=True)
    left, options = {
        "binary": ("y", {}),
        "survival": ("Surv(stop, e)", {"time": 6.0}),
        "competing": ("Surv(stop, code)", {"time": 6.0, "cause": 1}),
    }[kind]
    options |= {"thresholds": [0.1, 0.3, 0.5], "resamples": 20, "seed": 3}
    weighted = rn.decision_curve(data, f"{left} ~ a", freq_weights=freq, **options)
    replicated = rn.decision_curve(long, f"{left} ~ a", **options)
    for one, other in (
        (weighted.curves, replicated.curves),
        (weighted.compare(), replicated.compare()),
    ):
        pd.testing.assert_frame_equal(one, other, rtol=1e-10, atol=1e-10)


def test_events_are_counted_by_their_weights_before_limits_are_given():
    """Three rows of events stand for six patients, and six rows for four."""
    data = pd.DataFrame({"y": [1, 1, 1] + [0] * 9, "p": np.linspace(0.9, 0.1, 12)})
    options = {"thresholds": [0.15], "resamples": 40, "seed": 2}
    counted = rn.decision_curve(data, "y ~ p", freq_weights=np.full(12, 2), **options).curves
    assert counted.query("model == 'p'")["conf_low"].notna().all()
    bare = rn.decision_curve(data, "y ~ p", **options).curves
    assert bare.query("model == 'p'")["conf_low"].isna().all()


def test_row_order_does_not_matter():
    data = cohort()
    one = rn.decision_curve(data, "Surv(stop, e) ~ a + b", time=5.0).curves
    turned = rn.decision_curve(data[::-1], "Surv(stop, e) ~ a + b", time=5.0).curves
    pd.testing.assert_frame_equal(one, turned, rtol=1e-12, atol=1e-12)


def test_own_prevalence_changes_nothing():
    data = cohort()
    plain = rn.decision_curve(data, "y ~ a").curves
    same = rn.decision_curve(data, "y ~ a", prevalence=float(data["y"].mean())).curves
    pd.testing.assert_frame_equal(plain, same, rtol=1e-12, atol=1e-12)


def test_harm_is_subtracted_everywhere():
    data = cohort()
    plain = of(rn.decision_curve(data, "y ~ a + b"), "b")["net_benefit"]
    harmed = rn.decision_curve(data, "y ~ a + b", harm={"b": 0.03})
    np.testing.assert_allclose(of(harmed, "b")["net_benefit"], plain - 0.03)
    assert (of(harmed, "a")["harm"] == 0.0).all()


# ------------------------------------------------------------------ traps


def test_cox_model_is_judged_on_risk_never_on_survival():
    data = read("veteran.csv")
    fit = rn.cox(data, "Surv(time, status) ~ karno")
    options = {"time": 90.0, "thresholds": [0.3, 0.5, 0.7]}
    found = rn.decision_curve(data, "Surv(time, status) ~ 1", models={"Cox": fit}, **options)
    survival = fit.survival(data, [90.0])["survival"].to_numpy()
    columns = data.assign(right=1 - survival, wrong=survival)
    given_ = rn.decision_curve(columns, "Surv(time, status) ~ right + wrong", **options)
    model = of(found, "Cox")["net_benefit"]
    np.testing.assert_allclose(model, of(given_, "right")["net_benefit"], atol=1e-12)
    assert (model > of(given_, "wrong")["net_benefit"] + 0.1).all()
    assert model[1] > max(0.0, of(found, "treat all")["net_benefit"][1])


def test_cox_model_on_the_example_of_dcurves():
    # Packages that take S(t) for the risk print -0.168 here.
    data = read("df_surv.csv")
    fit = rn.cox(data, "Surv(ttcancer, cancer) ~ cancerpredmarker", penalty=None)
    left = "Surv(ttcancer, cancer) ~ "
    options = {"time": 1.0, "thresholds": [0.25]}
    found = rn.decision_curve(data, left + "1", models={"Cox": fit}, **options)
    assert round(of(found, "Cox")["net_benefit"].item(), 3) == 0.062
    data = data.assign(survival=fit.survival(data, [1.0])["survival"].to_numpy())
    wrong = rn.decision_curve(data, left + "survival", **options)
    assert round(of(wrong, "survival")["net_benefit"].item(), 3) == -0.168


def test_impossible_risks_and_missing_outcomes_are_told():
    data = cohort()
    with pytest.raises(DataError, match=r"1\.4 is outside"):
        rn.decision_curve(data.assign(a=data["a"].where(data.index != 3, 1.4)), "y ~ a")
    holes = data.assign(y=data["y"].astype(float).where(data.index > 1))
    result = rn.decision_curve(holes, "y ~ a")
    assert result.glance()["n_missing"].item() == 2
    assert result.n == len(data) - 2
    assert any("2" in note and "missing" in note for note in result.notes)
    with pytest.raises(DataError):
        rn.decision_curve(holes, "y ~ a", missing="raise")
    with pytest.raises((ColumnError, DataError)):
        rn.decision_curve(data.assign(y=data["y"] + 1), "y ~ a")


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"thresholds": [0.2, 1.0]}, OptionError, "does not exist at 1"),
        ({"thresholds": [20, 30]}, OptionError, "Write 0.2 for 20 %"),
        ({"thresholds": [-0.1]}, OptionError, "not in"),
        ({"thresholds": []}, OptionError, "not empty"),
        ({"thresholds": ["low"]}, OptionError, "numbers"),
        ({"thresholds": [np.nan]}, OptionError, "not in"),
        ({"time": 5.0}, OptionError, "belongs to Surv"),
        ({"cause": 1}, OptionError, "competing risks"),
        ({"censor": 9}, OptionError, "together with cause"),
        ({"harm": {"x": 0.1}}, OptionError, "no model judged here"),
        ({"harm": {"a": -0.1}}, OptionError, "harm"),
        ({"harm": 0.1}, OptionError, "mapping"),
        ({"prevalence": 0.0}, OptionError, "prevalence"),
        ({"prevalence": 15}, OptionError, "prevalence"),
        ({"action": " "}, OptionError, "in words"),
        ({"resamples": -1}, OptionError, "resamples"),
        ({"per": 0}, OptionError, "per"),
        ({"conf_level": 95}, OptionError, "0.95"),
    ],
)
def test_options_are_checked(options, error, words):
    with pytest.raises(error, match=words):
        rn.decision_curve(cohort(), "y ~ a", **options)


@pytest.mark.parametrize(
    ("formula", "options", "error", "words"),
    [
        ("Surv(stop, e) ~ a", {}, OptionError, "needs the horizon"),
        ("Surv(stop, e) ~ a", {"time": 1e6}, DataError, "past the last follow-up"),
        ("Surv(stop, e) ~ a", {"time": 5.0, "prevalence": 0.1}, OptionError, "binary outcome"),
        ("Surv(stop, e) ~ a", {"time": 1e-9}, TooFewEventsError, "no benefit"),
        ("Surv(zero, stop, e) ~ a", {"time": 5.0}, FormulaError, "once, at time zero"),
        ("none ~ a", {}, TooFewEventsError, "no benefit"),
        ("every ~ a", {"prevalence": 0.2}, DataError, "cases and controls"),
    ],
)
def test_outcomes_are_checked(formula, options, error, words):
    data = cohort().assign(zero=0.0, none=0, every=1)
    with pytest.raises(error, match=words):
        rn.decision_curve(data, formula, **options)


def test_a_model_may_not_take_a_strategys_name():
    data = cohort()
    with pytest.raises(OptionError, match="strategy by itself"):
        rn.decision_curve(data, "y ~ 1", models={"treat all": rn.logistic(data, "y ~ a")})


def test_threshold_zero_is_the_prevalence():
    data = cohort()
    result = rn.decision_curve(data, "y ~ a", thresholds=[0.0, 0.2])
    for name in ("a", "treat all"):
        assert of(result, name)["net_benefit"][0] == pytest.approx(data["y"].mean())
        assert np.isnan(of(result, name)["interventions_avoided"][0])
    assert any("threshold 0" in note for note in result.notes)


# ------------------------------------------------------------------ bands and differences


def test_bands_are_percentiles_of_resampled_curves():
    from rnetstats.kernels.resampling import bootstrap_counts

    data = cohort()
    options = {"thresholds": [0.2, 0.4], "resamples": 100, "seed": 5, "conf_level": 0.9}
    result = rn.decision_curve(data, "y ~ a + b", **options)
    child = np.random.SeedSequence(5).spawn(1)[0]
    counts = bootstrap_counts(np.random.default_rng(child), len(data), 100)
    for k, t in enumerate(options["thresholds"]):
        gain = {}
        for name in "ab":
            act = (data[name] >= t).to_numpy()
            tp = counts[:, act & (data["y"] == 1)].sum(axis=1) / len(data)
            fp = counts[:, act & (data["y"] == 0)].sum(axis=1) / len(data)
            gain[name] = tp - fp * t / (1 - t)
            row = of(result, name).iloc[k]
            limits = np.quantile(gain[name], [0.05, 0.95])
            np.testing.assert_allclose([row["conf_low"], row["conf_high"]], limits, atol=1e-13)
        row = result.difference("a", "b").iloc[k]
        limits = np.quantile(gain["a"] - gain["b"], [0.05, 0.95])
        np.testing.assert_allclose([row["conf_low"], row["conf_high"]], limits, atol=1e-13)


@pytest.mark.slow
def test_bands_cover_as_often_as_they_say():
    # Net benefit of a given risk, true value by its law: P(y = 1) = a, a uniform.
    t = 0.3
    truth = (1 - t**2) / 2 - (1 - t) ** 2 / 2 * t / (1 - t)
    inside = 0
    for seed in range(200):
        row = of(
            rn.decision_curve(cohort(seed), "y ~ a", thresholds=[t], resamples=200, seed=seed), "a"
        ).iloc[0]
        inside += row["conf_low"] <= truth <= row["conf_high"]
    error = np.sqrt(0.95 * 0.05 / 200)
    assert abs(inside / 200 - 0.95) < 3 * error


def test_differences_turn_round_and_agree_with_the_curves():
    result = rn.decision_curve(cohort(), "y ~ a + b", resamples=50, seed=1)
    ab, ba = result.difference("a", "b"), result.difference("b", "a")
    np.testing.assert_allclose(ab["difference"], -ba["difference"])
    np.testing.assert_allclose(ab["conf_low"], -ba["conf_high"])
    gains = {m: of(result, m)["net_benefit"] for m in ("a", "b", "treat all", "treat none")}
    np.testing.assert_allclose(ab["difference"], gains["a"] - gains["b"])
    table = result.compare()
    assert len(table.groupby(["model", "versus"])) == 6
    for (one, other), rows in table.groupby(["model", "versus"]):
        want = (gains[one] - gains[other]).to_numpy()
        np.testing.assert_allclose(rows["difference"], want, atol=1e-15)
    against_none = result.difference("a", "treat none")
    np.testing.assert_allclose(against_none["conf_low"], of(result, "a")["conf_low"])
    with pytest.raises(OptionError, match="named twice"):
        result.difference("a", "a")
    with pytest.raises(OptionError, match="no strategy 'c'"):
        result.difference("a", "c")


def test_interventions_avoided_are_the_gain_over_treating_all():
    result = rn.decision_curve(cohort(), "y ~ a", resamples=50, seed=1, per=1000)
    found = result.interventions_avoided("a")
    gain, t = result.difference("a", "treat all"), found["threshold"]
    for name, of_gain in (
        ("interventions_avoided", "difference"),
        ("conf_low", "conf_low"),
        ("conf_high", "conf_high"),
    ):
        np.testing.assert_allclose(found[name], 1000 * gain[of_gain] * (1 - t) / t, atol=1e-9)
    assert (found["per"] == 1000).all()


def test_few_events_give_no_limits():
    data = cohort()
    few = data.assign(y=(data.index < 4).astype(int))
    for frame in (few, few.assign(y=1 - few["y"])):
        result = rn.decision_curve(frame, "y ~ a", resamples=50, seed=1)
        assert result.to_frame()["conf_low"].isna().all()
        assert result.compare()["conf_high"].isna().all()
        assert any("fewer than 5" in note for note in result.notes)


def test_limits_end_where_fewer_than_five_events_are_positive():
    result = rn.decision_curve(cohort(), "y ~ a", resamples=50, seed=1)
    model = of(result, "a")
    assert (model["n_events"] < 5).any()
    np.testing.assert_array_equal(model["conf_low"].isna(), model["n_events"] < 5)
    assert any("no limits at" in note for note in result.notes)


def test_same_seed_same_limits_and_shorter_runs_are_prefixes():
    data = cohort()
    one, two = (rn.decision_curve(data, "y ~ a", resamples=60, seed=9).curves for _ in "ab")
    pd.testing.assert_frame_equal(one, two)
    free = rn.decision_curve(data, "y ~ a", resamples=10)
    again = rn.decision_curve(data, "y ~ a", resamples=10, seed=free.seed)
    pd.testing.assert_frame_equal(free.curves, again.curves)
    assert rn.decision_curve(data, "y ~ a").seed is None


def test_cases_and_controls_are_resampled_apart_under_a_known_prevalence():
    data = cohort()
    result = rn.decision_curve(data, "y ~ a", prevalence=0.1, resamples=50, seed=1)
    everybody = of(result, "treat all")
    np.testing.assert_allclose(everybody["conf_low"], everybody["net_benefit"])
    model = of(result, "a").iloc[30]
    assert model["conf_low"] < model["net_benefit"] < model["conf_high"]


# ------------------------------------------------------------------ time to event


def test_complete_follow_up_equals_the_binary_outcome():
    data = cohort()
    timed = data.assign(t=np.where(data["y"] == 1, 2.0, 9.0))
    one = rn.decision_curve(timed, "Surv(t, y) ~ a + b", time=5.0).curves
    two = rn.decision_curve(data, "y ~ a + b").curves
    pd.testing.assert_frame_equal(one, two, rtol=1e-12, atol=1e-12)


def test_positives_lost_before_the_horizon_are_undefined_and_told():
    data = {"t": [1.0, 2.0, 3.0, 9.0], "e": [1, 0, 1, 0], "p": [0.9, 0.9, 0.2, 0.2]}
    result = rn.decision_curve(data, "Surv(t, e) ~ p", time=5.0, thresholds=[0.1, 0.5])
    gain = of(result, "p")["net_benefit"]
    assert np.isfinite(gain[0])
    assert np.isnan(gain[1])
    assert any("undefined" in note and "threshold 0.5" in note for note in result.notes)
    assert "nan" not in repr(result)


def test_competing_events_lower_the_risk():
    data = cohort()
    options = {"time": 8.0, "thresholds": [0.2]}
    censored = rn.decision_curve(data, "Surv(stop, e) ~ a", **options)
    competing = rn.decision_curve(data, "Surv(stop, code) ~ a", cause=1, **options)
    assert competing.prevalence < censored.prevalence
    assert competing.n_events == censored.n_events
    assert any("Aalen-Johansen" in note for note in competing.notes)
    assert any("Kaplan-Meier" in note for note in censored.notes)


# ------------------------------------------------------------------ apparent, corrected, shown


def fitted(**options):
    data = cohort()
    fit = rn.logistic(data, "y ~ b")
    return rn.decision_curve(
        data, "y ~ a", models={"fit": fit}, thresholds=[0.2, 0.4, 0.6], **options
    )


def test_a_model_on_its_own_rows_is_called_apparent():
    result = fitted()
    kinds = dict(zip(result.to_frame()["model"], result.to_frame()["curve"], strict=True))
    assert kinds == {
        "treat all": "reference", "treat none": "reference", "a": "given", "fit": "apparent"
    }  # fmt: skip
    assert any("optimistic" in note and note.startswith("fit") for note in result.notes)
    assert "fit (apparent)" in set(result.display()["Strategy"])
    data = cohort()
    other = rn.decision_curve(cohort(2), "y ~ 1", models={"fit": rn.logistic(data, "y ~ b")})
    assert set(other.to_frame()["curve"]) == {"reference", "given"}


def test_corrected_curves_stand_beside_the_apparent_ones():
    result = fitted()
    own = of(result, "fit")
    tp, fp = own["tp_rate"] - 0.01, own["fp_rate"] + 0.02
    band = {"conf_low": [0.0, 0.0, 0.0], "conf_high": [0.5, 0.4, 0.3]}
    band["thresholds"] = own["threshold"]
    both = result.with_corrected("fit", tp_rate=tp, fp_rate=fp, note="By bootstrap.", **band)
    rows = both.to_frame()
    rows = rows[rows["curve"] == "corrected"].reset_index(drop=True)
    t = rows["threshold"]
    np.testing.assert_allclose(rows["net_benefit"], tp - fp * t / (1 - t))
    np.testing.assert_allclose(
        rows["standardized_net_benefit"], rows["net_benefit"] / result.prevalence
    )
    gain = rows["net_benefit"] - of(result, "treat all")["net_benefit"]
    np.testing.assert_allclose(rows["interventions_avoided"], 100 * gain * (1 - t) / t)
    np.testing.assert_allclose(rows["conf_high"], band["conf_high"])
    assert both.notes[-1] == "By bootstrap."
    assert len(result.to_frame()) == len(rows) * 4
    assert "fit (corrected)" in set(both.display()["Strategy"])
    again = both.with_corrected("fit", rows["net_benefit"])
    assert len(again.to_frame()) == len(both.to_frame())
    alone = again.to_frame().query("curve == 'corrected'").reset_index(drop=True)
    assert alone["tp_rate"].isna().all()
    for name in ("standardized_net_benefit", "interventions_avoided"):
        np.testing.assert_allclose(alone[name], rows[name])
    assert "nan" not in repr(again)
    assert set(both.clinical_impact("fit")["curve"]) == {"apparent", "corrected"}
    assert set(again.clinical_impact("fit")["curve"]) == {"apparent"}
    with pytest.raises(OptionError, match="either net_benefit"):
        result.with_corrected("fit", tp_rate=tp)
    with pytest.raises(OptionError, match="3 values"):
        result.with_corrected("fit", tp_rate=tp[:2], fp_rate=fp)
    for other in ([0.2, 0.4, 0.7], [0.6, 0.4, 0.2], [0.2, np.nan, 0.6]):
        with pytest.raises(OptionError, match=r"number [123] is .*, that of the result 0\.[246]"):
            result.with_corrected("fit", tp, thresholds=other)
    with pytest.raises(OptionError, match="3 values"):
        result.with_corrected("fit", tp, thresholds=[0.2, 0.4])
    with pytest.raises(OptionError, match="no strategy"):
        result.with_corrected("treat all", tp)
    stored = type(both).from_dict(both.to_dict())
    pd.testing.assert_frame_equal(stored.to_frame(), both.to_frame(), check_dtype=False)


def test_table_on_display_speaks_of_round_thresholds_that_somebody_reaches():
    data = cohort()
    shown = rn.decision_curve(data.assign(a=data["a"] / 2), "y ~ a").display()
    assert list(dict.fromkeys(shown["Threshold"])) == [
        "0.01", "0.02", "0.05", "0.1", "0.2", "0.3", "0.4"
    ]  # fmt: skip
    few = rn.decision_curve(data, "y ~ a", thresholds=[0.13, 0.27]).display()
    assert list(few["Threshold"].unique()) == ["0.13", "0.27"]
    nobody = rn.decision_curve(data.assign(a=0.0), "y ~ a", thresholds=[0.1, 0.2])
    assert list(nobody.display()["Threshold"].unique()) == ["0.1", "0.2"]
    assert any("nobody is at or above" in note for note in nobody.notes)


def test_numpy_options_are_written_too():
    import json

    data = cohort()
    options = {"time": np.float64(5.0), "cause": np.int64(1), "per": np.int64(10)}
    result = rn.decision_curve(data, "Surv(stop, code) ~ a", resamples=np.int64(3), **options)
    again = type(result).from_dict(json.loads(json.dumps(result.to_dict(), allow_nan=False)))
    pd.testing.assert_frame_equal(again.glance(), result.glance(), check_dtype=False)


def test_the_action_is_named():
    result = fitted(action="closer resection")
    assert "closer resection" in result.notes[0]
    assert result.glance()["action"].item() == "closer resection"
    assert {"treat all", "treat none"} <= set(result.to_frame()["model"])


@pytest.mark.parametrize(
    ("threshold", "words"),
    [(0.2, "1:4"), (0.3, "3:7"), (0.5, "1:1"), (0.75, "3:1"), (0.01, "1:99"), (0.0, "0"),
     (0.137, "1:6.3")],
)  # fmt: skip
def test_odds_as_spoken(threshold, words):
    from rnetstats.prediction.net_benefit_display import odds_text

    assert odds_text(threshold) == words


def test_curves_are_one_pass():
    # A loop over thresholds and resamples takes many seconds here; this must not come near.
    data = cohort(n=527)
    with at_once(2.0):
        rn.decision_curve(data, "y ~ a", resamples=1000, seed=1)


@given(seed=st.integers(0, 2**32 - 1), weighted=st.booleans())
def test_a_model_that_acts_on_all_is_treat_all_to_the_last_bit(seed: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    data = {
        "p": rng.uniform(0.3, 0.9, 41),
        "y": np.append(1, rng.integers(0, 2, 40)),
        "n": rng.integers(1, 4, 41),
    }
    freq = {"freq_weights": "n"} if weighted else {}
    found = rn.decision_curve(
        data, "y ~ p", thresholds=[0.05, 0.1, 0.2, 0.3], resamples=10, seed=1, **freq
    )
    same = found.difference("p", "treat all")[["difference", "conf_low", "conf_high"]]
    np.testing.assert_array_equal(same, 0.0)


def test_limits_of_patients_at_high_risk_are_shares_of_the_population():
    found = rn.decision_curve(cohort(), "y ~ a", thresholds=[0.2, 0.4], resamples=60, seed=4)
    impact = found.clinical_impact("a", population=500)
    rates = found.curves.query("model == 'a'")
    for name, short in (("n_high_risk", "positive"), ("n_with_event", "tp")):
        for end in ("low", "high"):
            shares = rates[f"{short}_{end}"].to_numpy()
            np.testing.assert_allclose(impact[f"{name}_{end}"], 500 * shares, rtol=1e-12)
        assert (impact[f"{name}_low"] < impact[name]).all()
        assert (impact[name] < impact[f"{name}_high"]).all()
