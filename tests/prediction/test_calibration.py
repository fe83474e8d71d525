"""Calibration of 0/1 outcomes: reference values, edges and what the result says."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

import rnetstats as rn
from rnetstats._core.frame import label_of
from rnetstats.errors import DataError, DataNotKeptError, FormulaError, OptionError
from rnetstats.prediction.calibration_binary import binary_measures
from rnetstats.prediction.calibration_groups import binary_groups, group_codes, hosmer_lemeshow
from rnetstats.prediction.calibration_result import MEASURES, CalibrationResult
from support import assert_close, case, golden, numbers, read

CASES = [c["id"] for c in golden("calibration") if "slope" in c["values"]]
CURVES = {
    "lowess_iter0_default_delta": {"smoother": "lowess"},
    "lowess_iter0_delta0": {"smoother": "lowess", "delta": 0.0},
    "loess_degree2_direct": {"smoother": "loess"},
    "loess_degree2_interpolate": {"smoother": "loess-interpolated"},
    "loess_degree1_direct": {"smoother": "loess", "degree": 1},
    "logistic_recalibration_curve": {"smoother": "logistic"},
}


@cache
def rows_of(name: str) -> pd.DataFrame:
    """Columns y and p of a case."""
    about = case("calibration", name)
    data = read(about["data"])
    if "First 120 rows" in about["settings"]:
        data = data[:120]
    if about["spec"]["probability"] not in data:
        data = data.assign(risk=expit(-5 + 0.15 * data["size_mm"] + 1.2 * data["margin_positive"]))
    names = {about["spec"]["outcome"]: "y", about["spec"]["probability"]: "p"}
    frame = data[list(names)].rename(columns=names)
    return frame.assign(y=frame["y"].astype(int))


@cache
def judged(name: str, **options: Any) -> CalibrationResult:
    return rn.calibration(rows_of(name), "y ~ p", **options)


@pytest.mark.parametrize("name", CASES)
def test_reference_measures(name):
    v = case("calibration", name)["values"]
    m = judged(name).to_frame().iloc[0]
    plain = {
        "n": "n",
        "events": "n_events",
        "mean_observed": "mean_observed",
        "mean_predicted": "mean_predicted",
        "oe_ratio": "oe",
        "se_log_oe": "oe_log_std_error",
        "brier": "brier",
        "brier_null": "brier_null",
        "brier_scaled": "brier_scaled",
        "nagelkerke_r2_as_is": "nagelkerke_r2",
        "nagelkerke_r2_recalibrated": "nagelkerke_r2_recalibrated",
        "cox_snell_r2_as_is": "cox_snell_r2",
        "mcfadden_r2_as_is": "mcfadden_r2",
        "spiegelhalter_z": "spiegelhalter_z",
        "spiegelhalter_p_two_sided": "spiegelhalter_p",
        "auc": "auc",
        "loglik_as_is": "log_likelihood",
        "loglik_null": "log_likelihood_null",
    }
    for golden_name, own in plain.items():
        assert_close(m[own], v[golden_name])
    lines = {
        "citl_slope_fixed_at_1": ("intercept", "intercept"),
        "slope": ("slope", "slope"),
        "joint_intercept_slope_free": ("joint_intercept", "joint"),
    }
    for golden_name, (value, stem) in lines.items():
        found = [m[value], m[f"{stem}_std_error"], m[f"{stem}_low"], m[f"{stem}_high"]]
        assert_close(found, numbers(v[golden_name]))


@pytest.mark.parametrize("name", CASES)
def test_reference_tests(name):
    v = case("calibration", name)["values"]
    found = judged(name).tests().set_index("test")
    for test, wanted in {
        "intercept 0, given slope 1": v["lr_intercept_given_slope_1"],
        "slope 1, given a free intercept": v["lr_slope_given_intercept_free"],
        "intercept 0 and slope 1": v["unreliability_u"],
    }.items():
        row = found.loc[test]
        assert_close(row["statistic"], wanted["chi2"], floor=1e-9)
        # P runs with the root of the statistic where that is zero but for rounding
        assert_close(row["p_value"], wanted["p"], floor=1e-9 if wanted["chi2"] > 1e-9 else 1e-6)
        assert row["df"] == wanted["df"]
    n = v["n"]
    both = found.loc["intercept 0 and slope 1", "statistic"]
    assert_close((both - 2.0) / n, v["unreliability_u"]["U"])


@pytest.mark.parametrize("count", [10, 5])
@pytest.mark.parametrize("name", CASES)
def test_reference_hosmer_lemeshow(name, count):
    v = case("calibration", name)["values"][f"hosmer_lemeshow_g{count}"]
    data = rows_of(name)
    y, p = data["y"].to_numpy(float), data["p"].to_numpy(float)
    table = binary_groups(y, p, None, count, 0.95)
    assert len(table) == v["groups"]
    assert_close(table["n"], v["group_n"])
    assert_close(table["n_events"], v["observed_events"])
    assert_close(table["n"] * table["mean_predicted"], v["expected_events"])
    statistic, df, tail = hosmer_lemeshow(table, fitted=True)
    assert_close([statistic, df, tail], [v["chi2"], v["df_model_data"], v["p_model_data"]])
    statistic, df, tail = hosmer_lemeshow(table, fitted=False)
    assert_close([statistic, df, tail], [v["chi2"], v["groups"], v["p_external_df_g"]])


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("name", CASES)
def test_reference_curves(name, curve):
    v = case("calibration", name)["values"][curve]
    result = judged(name, **CURVES[curve])
    m = result.to_frame().iloc[0]
    for index in ("ici", "e50", "e90", "emax", "eci"):
        assert_close(m[index], v[index])
    assert_close(result.calibrated()["calibrated"][:10], v["calibrated_first10"])


def test_columns_stand_in_their_order():
    assert tuple(judged("calib_model").to_frame().columns[:13]) == MEASURES


def test_several_models_and_weights_and_names():
    data = read("calib_model.csv")
    result = rn.calibration(data, "y ~ p_model + p_rival")
    assert result.to_frame()["model"].tolist() == ["p_model", "p_rival"]
    alone = rn.calibration(data, "y ~ p_rival").to_frame().iloc[0]
    assert_close(
        result.to_frame().iloc[1][list(MEASURES[1:])].astype(float),
        alone[list(MEASURES[1:])].astype(float),
    )
    for table in (result.curve(), result.groups(), result.levels(), result.tests()):
        assert set(table["model"]) == {"p_model", "p_rival"}


@pytest.mark.parametrize("smoother", ["loess", "loess-interpolated", "lowess", "rcs", "logistic"])
def test_frequency_weights_are_replicated_rows(smoother):
    data = read("calib_model.csv")[:150].assign(p=lambda d: d["p_model"].round(2))
    freq = np.random.default_rng(3).integers(0, 4, 150)
    whole = data.loc[data.index.repeat(freq)]
    weighted = rn.calibration(data, "y ~ p", freq_weights=freq, smoother=smoother)
    plain = rn.calibration(whole, "y ~ p", smoother=smoother)
    one, other = (r.to_frame().drop(columns=["model", "smoother"]) for r in (weighted, plain))
    np.testing.assert_allclose(one.to_numpy(float), other.to_numpy(float), rtol=1e-7, atol=1e-10)
    values = ["predicted", "observed", "conf_low", "conf_high"]
    np.testing.assert_allclose(
        weighted.curve()[values].to_numpy(float),
        plain.curve()[values].to_numpy(float),
        rtol=1e-7,
        atol=1e-9,
    )
    groups = [r.groups().drop(columns="model").to_numpy(float) for r in (weighted, plain)]
    np.testing.assert_allclose(*groups, rtol=1e-9)
    counts = [r.distribution.drop(columns="model").to_numpy(float) for r in (weighted, plain)]
    np.testing.assert_array_equal(*counts)


@pytest.mark.slow
@given(st.integers(0, 10_000))
def test_row_order_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    n = 60
    p = np.round(rng.beta(2, 3, n), 2).clip(0.01, 0.99)
    y = (rng.random(n) < p).astype(int)
    y[:2] = 0, 1
    order = rng.permutation(n)
    one, other = (
        rn.calibration({"y": a, "p": b}, "y ~ p").to_frame().drop(columns=["model", "smoother"])
        for a, b in ((y, p), (y[order], p[order]))
    )
    np.testing.assert_allclose(one.to_numpy(float), other.to_numpy(float), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("smoother", ["loess", "rcs", "logistic"])
def test_the_calibration_of_no_event_mirrors_that_of_the_event(smoother):
    data = rows_of("calib_model")[:150]
    other = data.assign(y=1 - data["y"], p=1.0 - data["p"])
    one, mirror = (
        rn.calibration(d, "y ~ p", smoother=smoother).to_frame().iloc[0] for d in (data, other)
    )
    for name in ("intercept", "joint_intercept"):
        assert_close(mirror[name], -one[name], rel=1e-7)
    names = ["slope", "brier", "nagelkerke_r2", "spiegelhalter_z", "ici", "e50", "e90", "emax"]
    assert_close(mirror[names], one[names].to_list(), rel=1e-6)


def test_perfect_prediction():
    y = np.tile([0, 1, 1, 0, 1], 8)
    result = rn.calibration({"y": y, "p": y.astype(float)}, "y ~ p")
    m = result.to_frame().iloc[0]
    assert m["brier"] == 0.0
    assert m["brier_scaled"] == 1.0
    np.testing.assert_allclose(m[["ici", "e50", "e90", "emax"]].astype(float), 0.0, atol=1e-12)
    assert np.isnan(m["slope"])
    assert np.isnan(m["spiegelhalter_z"])
    text = " ".join(result.notes)
    assert "risk of exactly 0 or 1 (40 patients)" in text
    assert "every risk is 0 or 1" in text


def test_separated_risks_have_an_infinite_slope_with_a_note():
    p = np.concatenate([np.linspace(0.1, 0.4, 15), np.linspace(0.6, 0.9, 15)])
    y = np.repeat([0, 1], 15)
    result = rn.calibration({"y": y, "p": p}, "y ~ p")
    m = result.to_frame().iloc[0]
    assert m["slope"] == np.inf
    assert np.isnan(m["joint_intercept"])
    assert np.isfinite(m["intercept"])
    assert m["nagelkerke_r2_recalibrated"] == pytest.approx(1.0)
    assert any("separate" in note for note in result.notes)
    wrong = rn.calibration({"y": 1 - y, "p": p}, "y ~ p")
    assert wrong.to_frame().loc[0, "slope"] == -np.inf
    spline = rn.calibration({"y": y, "p": p}, "y ~ p", smoother="rcs")
    assert np.isnan(spline.to_frame().loc[0, "ici"])
    assert any("curve does not exist" in note for note in spline.notes)


@pytest.mark.parametrize("smoother", ["loess", "loess-interpolated", "lowess", "rcs", "logistic"])
def test_identical_risks(smoother):
    y = np.tile([1, 0, 0, 0], 10)
    result = rn.calibration({"y": y, "p": np.full(40, 0.4)}, "y ~ p", smoother=smoother)
    m = result.to_frame().iloc[0]
    assert np.isnan(m["slope"])
    np.testing.assert_allclose(m[["ici", "e50", "e90", "emax"]].astype(float), 0.15)
    assert np.isfinite(m["intercept"])
    assert any("all the same" in note for note in result.notes)
    assert len(result.groups()) == 1
    assert np.isfinite(m["hosmer_lemeshow_p"])
    assert result.plot().has_data()


@pytest.mark.parametrize("outcome", [0, 1])
def test_an_outcome_that_does_not_vary(outcome):
    p = np.linspace(0.05, 0.6, 30)
    result = rn.calibration({"y": np.full(30, outcome), "p": p}, "y ~ p")
    m = result.to_frame().iloc[0]
    assert m["intercept"] == (-np.inf if outcome == 0 else np.inf)
    assert m[["slope", "brier_scaled", "nagelkerke_r2"]].isna().all()
    assert m["brier"] == pytest.approx(((p - outcome) ** 2).mean())
    assert m["ici"] == pytest.approx(np.abs(p - outcome).mean())
    if outcome == 0:
        assert m["oe"] == 0.0
        assert m["oe_high"] == pytest.approx(-np.log(0.025) / p.sum())
    assert any("the event:" in note for note in result.notes)
    assert result.levels()["verdict"].str.contains("cannot be judged").any()
    assert "nan" not in " ".join(result.display().to_numpy().ravel()).split()


def test_risks_of_zero_and_one():
    rng = np.random.default_rng(5)
    p = rng.uniform(0.1, 0.9, 60)
    y = (rng.random(60) < p).astype(int)
    base = rn.calibration({"y": y, "p": p}, "y ~ p").to_frame().iloc[0]
    data = {"y": np.append(y, [0, 1]), "p": np.append(p, [0.0, 1.0])}
    result = rn.calibration(data, "y ~ p")
    m = result.to_frame().iloc[0]
    for name in ("slope", "intercept", "joint_intercept", "log_likelihood"):
        assert m[name] == pytest.approx(base[name], rel=1e-10)
    assert any("exactly 0 or 1" in note for note in result.notes)
    for smoother in ("rcs", "logistic", "lowess"):
        found = rn.calibration(data, "y ~ p", smoother=smoother)
        assert np.isfinite(found.to_frame().loc[0, "ici"])
        assert np.isfinite(found.curve()["observed"]).all()
    contradicted = {"y": np.append(y, [1]), "p": np.append(p, [0.0])}
    with pytest.raises(DataError, match=r"'p' gives a risk of exactly 0 .*row 61.*clip"):
        rn.calibration(contradicted, "y ~ p")


def test_bad_input_is_refused_or_counted():
    data = read("calib_model.csv")[:80]
    with pytest.raises(DataError, match=r"outside \[0, 1\]"):
        rn.calibration(data.assign(p_model=1.4), "y ~ p_model")
    with pytest.raises(DataError, match="negative"):
        rn.calibration(data, "y ~ p_model", freq_weights=np.full(80, -1))
    gaps = data.assign(
        y=data["y"].where(data.index > 3), p_model=data["p_model"].where(data.index < 70)
    )
    assert rn.calibration(gaps, "y ~ p_model").glance().loc[0, "n_missing"] == 14
    with pytest.raises(DataError):
        rn.calibration(gaps, "y ~ p_model", missing="raise")
    with pytest.raises(FormulaError):
        rn.calibration(data, "y ~ log(p_model)")
    few = rn.calibration(data[:12], "y ~ p_model")
    assert any("Only 12 patients" in note for note in few.notes)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"smoother": "spline"}, "loess"),
        ({"smoother": "cloglog"}, "cloglog"),
        ({"span": 0.5, "smoother": "rcs"}, "span"),
        ({"delta": 0.1}, "delta"),
        ({"degree": 3}, "degree"),
        ({"knots": 9}, "knots"),
        ({"groups": 1}, "groups"),
        ({"conf_level": 95}, "0.95"),
        ({"time": 5.0}, "time="),
        ({"resamples": -1}, "resamples"),
    ],
)
def test_options_are_checked(options, word):
    with pytest.raises(OptionError, match=word):
        rn.calibration(read("calib_model.csv"), "y ~ p_model", **options)


@pytest.mark.parametrize("degree", [1, 2])
def test_a_loess_curve_is_a_weighted_line_or_parabola_at_each_risk(degree):
    """Tricube weights of the nearest half of the patients, least squares at each point shown."""
    rng = np.random.default_rng(6)
    risk = np.sort(rng.uniform(0.05, 0.95, 80))
    data = pd.DataFrame({"y": (rng.random(80) < risk).astype(int), "p": risk})
    shown = rn.calibration(data, "y ~ p", smoother="loess", span=0.5, degree=degree).curve()
    for at, observed in shown[["predicted", "observed"]].to_numpy()[::7]:
        away = np.abs(risk - at)
        weight = np.clip(1.0 - (away / np.sort(away)[39]) ** 3, 0.0, None) ** 3
        columns = np.vander(risk - at, degree + 1, increasing=True)
        root = np.sqrt(weight)
        by_hand = np.linalg.lstsq(columns * root[:, None], data["y"] * root, rcond=None)[0][0]
        assert observed == pytest.approx(by_hand, rel=1e-8)


@pytest.mark.parametrize("smoother", ["loess", "loess-interpolated", "lowess", "rcs", "logistic"])
def test_bootstrap_band(smoother):
    data = read("calib_model.csv")
    options = {"smoother": smoother, "resamples": 60, "seed": 11}
    result = rn.calibration(data, "y ~ p_model", **options)
    curve, analytic = result.curve(), rn.calibration(data, "y ~ p_model", smoother=smoother).curve()
    pd.testing.assert_series_equal(curve["observed"], analytic["observed"])
    assert (curve["conf_low"] <= curve["conf_high"]).all()
    middle = slice(10, 60)
    widths = [(c["conf_high"] - c["conf_low"])[middle].mean() for c in (curve, analytic)]
    assert 0.7 < widths[0] / widths[1] < 1.4
    again = rn.calibration(data, "y ~ p_model", **options)
    pd.testing.assert_frame_equal(curve, again.curve())
    assert result.seed == 11
    m = result.to_frame().iloc[0]
    assert 0.0 <= m["ici_low"] < m["ici"] < m["ici_high"]
    # O/E keeps its analytic limits
    assert m["oe_low"] == rn.calibration(data, "y ~ p_model").to_frame().loc[0, "oe_low"]


def test_no_resampling_limits_with_fewer_than_five_events():
    data = {"y": np.repeat([1, 0], [4, 46]), "p": np.linspace(0.3, 0.01, 50)}
    result = rn.calibration(data, "y ~ p", resamples=50, seed=1)
    assert result.curve()[["conf_low", "conf_high"]].isna().all(axis=None)
    assert any("fewer than five" in note for note in result.notes)


@pytest.mark.slow
def test_analytic_limits_cover():
    """At given risks the band of right risks covers the ideal line about as often as it says."""
    rng = np.random.default_rng(20)
    inside, runs = np.zeros(3), 60
    for _ in range(runs):
        p = rng.beta(2, 4, 250)
        y = (rng.random(250) < p).astype(int)
        curve = rn.calibration({"y": y, "p": p}, "y ~ p", smoother="lowess").curve()
        at = [0.15, 0.3, 0.5]
        low, high = (np.interp(at, curve["predicted"], curve[c]) for c in ("conf_low", "conf_high"))
        inside += (low <= at) & (at <= high)
    assert (inside / runs > 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs)).all()


def test_levels_say_what_the_numbers_say():
    data = read("calib_model.csv")
    levels = rn.calibration(data, "y ~ p_model").levels().set_index("level")
    assert list(levels.index) == ["mean", "weak", "moderate", "strong"]
    assert levels.loc["mean", "verdict"] == "no departure shown"
    assert "too extreme" in levels.loc["weak", "verdict"]
    assert levels.loc["moderate", "verdict"] == "departs"
    assert levels.loc["strong", "verdict"] == "cannot be judged"
    high = rn.calibration(data.assign(p=data["p_model"] ** 0.4), "y ~ p").levels()
    assert "too high" in high.loc[0, "verdict"]
    low = rn.calibration(data.assign(p=data["p_model"] / 4), "y ~ p").levels()
    assert "too low" in low.loc[0, "verdict"]


def test_right_risks_with_many_events_show_no_departure():
    rng = np.random.default_rng(2)
    p = rng.beta(2, 3, 1500)
    y = (rng.random(1500) < p).astype(int)
    levels = rn.calibration({"y": y, "p": p}, "y ~ p", smoother="rcs").levels()
    assert levels["verdict"].tolist()[:3] == ["no departure shown"] * 3


def test_a_model_judged_on_its_own_rows():
    data = read("birthwt.csv")
    fit = rn.logistic(data, "low ~ age + lwt + smoke", penalty=None)
    result = rn.calibration(data, "low ~ 1", models={"A": fit})
    m = result.to_frame().iloc[0]
    np.testing.assert_allclose([m["intercept"], m["slope"], m["oe"]], [0.0, 1.0, 1.0], atol=1e-8)
    assert m["hosmer_lemeshow_df"] == 8
    assert any("apparent" in note for note in result.notes)
    outside = rn.calibration(data[:100], "low ~ 1", models={"A": fit})
    assert outside.to_frame().loc[0, "hosmer_lemeshow_df"] == 10


def test_groups_are_closed_on_the_right_and_may_be_fewer():
    risk = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    assert group_codes(risk, None, 5).tolist() == [0, 0, 1, 2, 3, 4]
    assert group_codes(np.array([0.1, 0.1, 0.1, 0.9]), None, 4).tolist() == [0, 0, 0, 1]
    assert group_codes(risk, None, 50).max() == 5
    freq = np.array([1.0, 3, 1, 1, 2, 4])
    code = group_codes(risk, freq, 3)
    np.testing.assert_array_equal(
        np.repeat(code, freq.astype(int)), group_codes(np.repeat(risk, freq.astype(int)), None, 3)
    )


def test_measures_by_hand():
    y, p = np.array([1.0, 0, 1, 0]), np.array([0.8, 0.4, 0.6, 0.2])
    m, _ = binary_measures(y, p, None, 0.95)
    assert m["oe"] == pytest.approx(1.0)
    assert m["oe_high"] == pytest.approx(7.224687667772 / 2.0)  # Garwood, 2 events
    assert m["intercept"] == pytest.approx(0.0, abs=1e-12)  # the risks are symmetric


def test_result_keeps_no_rows_in_json():
    result = judged("calib_model")
    again = type(result).from_dict(result.to_dict())
    pd.testing.assert_frame_equal(again.curve(), result.curve())
    with pytest.raises(DataNotKeptError):
        again.calibrated()


def test_figures():
    data = read("calib_model.csv")
    result = rn.calibration(data, "y ~ p_model + p_rival")
    assert len(result.plot().get_legend().get_texts()) == 3
    one = result.plot(model="p_model", groups=True)
    assert len(one.get_legend().get_texts()) == 4
    with pytest.raises(OptionError, match="model"):
        result.plot(model="p_modle")
    rare = rn.calibration(rows_of("rnet_b_formula_risk"), "y ~ p").plot()
    assert rare.get_xlim()[1] < 0.6


def test_the_figure_names_the_event_by_its_label():
    cohort = rn.load_cohort("duan2024").assign(risk=0.3)
    cohort["risk"] += 0.01 * cohort["size_mm"]
    assert rn.calibration(cohort, "margin_positive ~ risk").outcome == "Positive margin"
    timed = rn.calibration(cohort, "Surv(dfs_months, dfs_event) ~ risk", time=36)
    assert timed.outcome == f"{label_of(cohort, 'dfs_event')} by 36"
    bare = {"margin_positive": cohort["margin_positive"], "risk": cohort["risk"]}
    assert rn.calibration(bare, "margin_positive ~ risk").outcome == "margin_positive"


def test_each_p_of_the_levels_says_what_it_tests():
    found = judged("calib_model").levels().set_index("level")["finding"]
    joint = (
        judged("calib_model").tests().set_index("test").loc["intercept 0 and slope 1", "p_value"]
    )
    assert found["weak"].endswith(f"P {joint:.3f} of intercept and slope together")
    assert found["moderate"].endswith("of a spline")


@pytest.mark.parametrize("formula", ["y ~ p", "Surv(t, y) ~ p", "Surv(t, c) ~ p"])
def test_a_line_in_the_place_of_a_spline_is_said_to_be_one(formula):
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"p": np.tile([0.2, 0.4, 0.6], 20), "t": rng.integers(1, 30, 60)})
    data["y"] = (rng.random(60) < data["p"]).astype(int)
    data["c"] = data["y"] * rng.integers(1, 3, 60)
    options: dict[str, Any] = {} if formula.startswith("y") else {"time": 12}
    options |= {"cause": 1} if "c)" in formula else {}
    few = rn.calibration(data, formula, smoother="rcs", knots=5, **options)
    line = rn.calibration(data, formula, smoother="cloglog" if options else "logistic", **options)
    assert_close(few.to_frame()["ici"], line.to_frame()["ici"])
    assert any("too few, or too often alike, for a spline of 5 knots" in n for n in few.notes)
    assert not any("for a spline" in note for note in line.notes)
    data["p"] = rng.uniform(0.1, 0.9, 60)
    usual = rn.calibration(data, formula, smoother="rcs", knots=3, **options)
    assert not any("for a spline" in note for note in usual.notes)
