"""Calibration of a risk by a time: reference values, competing causes and edges."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import DataError, OptionError
from rnetstats.prediction.calibration_spline import Smoother
from rnetstats.prediction.calibration_times import Times
from rnetstats.prediction.pseudo_regression import (
    cloglog,
    pseudo_regression,
    pseudo_regressions,
    risk_of,
)
from rnetstats.prediction.survival_resampling import again_at
from support import assert_close, case, golden, numbers, read

CASES = [c["id"] for c in golden("calibration") if "brier_ipcw" in c["values"]]
PREDICTOR = {
    "veteran_180": lambda d: 1.6 - 0.033 * d["karno"],
    "rnet_a_60": lambda d: -5.2 + 0.1 * d["size_mm"] + 1.2 * d["margin_positive"],
    "rnet_b_60_competing": lambda d: -4.4 + 0.1 * d["size_mm"] + 1.0 * d["margin_positive"],
}


@cache
def rows_of(name: str) -> pd.DataFrame:
    """Columns t, e and risk of a case."""
    about = case("calibration", name)
    data = read(about["data"])
    spec = about["spec"]
    risk = 1.0 - np.exp(-np.exp(PREDICTOR[name](data)))
    return pd.DataFrame({"t": data[spec["time"]], "e": data[spec["status"]], "risk": risk})


@cache
def judged(name: str, smoother: str = "cloglog", groups: int = 5):
    cause = 1 if "competing" in name else None
    time = case("calibration", name)["values"]["time"]
    return rn.calibration(
        rows_of(name),
        "Surv(t, e) ~ risk",
        time=time,
        cause=cause,
        smoother=smoother,
        groups=groups,
    )


@pytest.mark.parametrize("name", CASES)
def test_reference_scores(name):
    v = case("calibration", name)["values"]
    m = judged(name).to_frame().iloc[0]
    kind = "aj" if "competing" in name else "km"
    for own, theirs in {
        "brier": "brier_ipcw",
        "brier_std_error": "brier_ipcw_se",
        "brier_null": "brier_null_km",
        "ipa": "ipa",
        "brier_scaled": "ipa",
        "auc": "auc_ipcw",
        "auc_std_error": "auc_ipcw_se",
        "mean_predicted": "mean_predicted",
        "observed_risk": f"observed_{kind}_risk",
        "oe": f"oe_ratio_{kind}",
    }.items():
        assert_close(m[own], v[theirs])


@pytest.mark.parametrize("name", [n for n in CASES if "competing" not in n])
def test_reference_slope_curve_and_groups(name):
    v = case("calibration", name)["values"]
    wanted = v["groups"]
    result = judged(name, groups=len(wanted["n"]))
    m = result.to_frame().iloc[0]
    line = [m["slope"], m["slope_std_error"], m["slope_low"], m["slope_high"]]
    assert_close(line, numbers(v["cloglog_slope"]))
    for index in ("ici", "e50", "e90", "emax", "eci"):
        assert_close(m[index], v["cox_cloglog_curve"][index])
    assert_close(
        result.calibrated()["calibrated"][:10], v["cox_cloglog_curve"]["calibrated_first10"]
    )
    table = result.groups()
    for own, theirs in {
        "n": "n",
        "mean_predicted": "mean_predicted",
        "observed": "observed_km_risk",
        "std_error": "se_km",
    }.items():
        assert_close(table[own], numbers(wanted[theirs]))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("smoother", ["loess", "lowess", "rcs"])
def test_other_curves_are_near_the_straight_one(name, smoother):
    straight, curve = judged(name).to_frame(), judged(name, smoother)
    assert curve.to_frame().loc[0, "ici"] == pytest.approx(straight.loc[0, "ici"], abs=0.02)
    points = curve.curve()
    inside = points["observed"].between(0, 1)
    assert (points["conf_low"] <= points["observed"] + 1e-9)[inside].all()
    assert (points["observed"] <= points["conf_high"] + 1e-9)[inside].all()


@pytest.mark.parametrize("smoother", ["loess", "lowess", "rcs", "cloglog"])
@pytest.mark.parametrize("name", ["veteran_180", "rnet_b_60_competing"])
def test_frequency_weights_are_replicated_rows(name, smoother):
    data = rows_of(name)[:120].reset_index(drop=True)
    freq = np.random.default_rng(4).integers(0, 3, 120)
    options = {"time": 60.5, "smoother": smoother, "groups": 3}
    options["cause"] = 1 if "competing" in name else None
    weighted = rn.calibration(data, "Surv(t, e) ~ risk", freq_weights=freq, **options)
    plain = rn.calibration(data.loc[data.index.repeat(freq)], "Surv(t, e) ~ risk", **options)
    for one, other in (
        (weighted.to_frame().drop(columns=["model", "smoother"]), plain.to_frame()),
        (weighted.curve().drop(columns=["model", "smoother"]), plain.curve()),
        (weighted.groups().drop(columns="model"), plain.groups()),
        (weighted.tests()[["statistic", "p_value"]], plain.tests()),
    ):
        np.testing.assert_allclose(
            one.to_numpy(float), other[one.columns].to_numpy(float), rtol=1e-6, atol=1e-8
        )


def test_without_censoring_loess_is_that_of_the_outcomes():
    rng = np.random.default_rng(8)
    risk = rng.uniform(0.05, 0.8, 120)
    t = rng.exponential(1.0, 120)
    t = np.where(rng.random(120) < risk, t / (1 + t), 1.5 + t)
    timed = rn.calibration({"t": t, "e": np.ones(120), "r": risk}, "Surv(t, e) ~ r", time=1.0)
    plain = rn.calibration({"y": (t <= 1.0).astype(int), "r": risk}, "y ~ r")
    names = ["ici", "e50", "e90", "emax", "brier", "brier_scaled", "oe"]
    np.testing.assert_allclose(
        timed.to_frame()[names].to_numpy(float), plain.to_frame()[names].to_numpy(float), rtol=1e-9
    )


def test_a_slope_of_later_hazards_is_told_where_the_risks_by_the_time_are_right():
    rng = np.random.default_rng(11)
    rate = 0.02 * np.exp(rng.normal(size=1500))
    hazard = rng.exponential(size=1500)
    # The predictor acts on the hazard up to 12 months, and not after.
    time = np.where(hazard < 12 * rate, hazard / rate, 12 + (hazard - 12 * rate) / 0.03)
    end = rng.uniform(6, 120, 1500)
    data = {"t": np.minimum(time, end), "e": (time <= end).astype(int), "p": -np.expm1(-12 * rate)}
    found = rn.calibration(data, "Surv(t, e) ~ p", time=12)
    row, p_values = found.to_frame().iloc[0], found.tests().set_index("test")["p_value"]
    assert row["slope_high"] < 0.6
    assert p_values["intercept 0 and slope 1"] > 0.05
    assert any("The slope comes from a Cox regression over" in note for note in found.notes)
    spline = rn.calibration(data, "Surv(t, e) ~ p", time=12, smoother="rcs")
    assert spline.to_frame().loc[0, "ici"] > 3 * row["ici"]
    assert any("The slope, and the curve with the distances" in note for note in spline.notes)
    data["c"] = data["e"] * rng.integers(1, 3, 1500)
    competing = rn.calibration(data, "Surv(t, c) ~ p", time=12, cause=1)
    assert not any("The slope comes" in note for note in competing.notes)


def test_a_cox_fit_on_its_own_rows_has_slope_one():
    data = read("veteran.csv")
    fit = rn.cox(data, "Surv(time, status) ~ karno", penalty=None)
    result = rn.calibration(data, "Surv(time, status) ~ 1", models={"A": fit}, time=180.5)
    m = result.to_frame().iloc[0]
    assert m["slope"] == pytest.approx(1.0, abs=1e-7)
    assert any("apparent" in note for note in result.notes)


def test_levels_and_figure():
    result = judged("veteran_180", "rcs")
    levels = result.levels().set_index("level")
    assert "too low" in levels.loc["mean", "verdict"]
    assert levels.loc["weak", "verdict"].startswith("departs")
    assert levels.loc["moderate", "verdict"].startswith("departs")
    assert result.plot(groups=True).has_data()
    assert result.to_frame()[["nagelkerke_r2", "spiegelhalter_z"]].isna().all(axis=None)
    assert any("not defined for censored times" in note for note in result.notes)


def test_levels_are_not_judged_with_ten_events():
    result = judged("rnet_a_60")
    verdicts = result.levels().set_index("level")["verdict"]
    assert verdicts["mean"] == "no departure shown"
    assert verdicts["weak"] == verdicts["moderate"] == "cannot be judged"
    assert any("ten events a parameter" in note for note in result.notes)


def test_no_event_by_the_time():
    data = {"t": np.arange(1.0, 41.0), "e": np.repeat([0, 1], 20), "r": np.linspace(0.01, 0.2, 40)}
    for smoother in ("loess", "lowess", "rcs", "cloglog"):
        result = rn.calibration(data, "Surv(t, e) ~ r", time=10.0, smoother=smoother)
        m = result.to_frame().iloc[0]
        assert m["oe"] == m["oe_low"] == 0.0
        # beta product limits: nobody of 30 left at the time has had it
        assert m["observed_high"] == pytest.approx(1.0 - 0.025 ** (1 / 30), rel=1e-6)
        assert np.isnan(m["slope"])
        assert any("no event by the horizon" in note for note in result.notes)
        assert "nan" not in " ".join(result.display().to_numpy().ravel()).split()


def test_patients_all_censored_at_the_very_horizon():
    """The study closes at five years: survival then is known, a Brier score weighs no control."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=200)
    t = rng.exponential(60 * np.exp(-x))
    data = pd.DataFrame({"t": np.minimum(t, 60.0).round(2), "e": (t <= 60).astype(int)})
    data["p"] = -np.expm1(-np.exp(x))
    found = rn.calibration(data, "Surv(t, e) ~ p", time=60, resamples=100, seed=1)
    row = found.to_frame().iloc[0]
    assert row["observed_risk"] == pytest.approx(data["e"].mean())
    for name in ("brier", "brier_std_error", "brier_null", "brier_scaled", "ipa", "auc"):
        assert np.isnan(row[name]), name
    assert any("(missing): Brier score, scaled Brier score, AUC." in note for note in found.notes)
    assert row[["ici_low", "ici_high", "oe_low", "oe_high"]].notna().all()
    later = rn.calibration(data, "Surv(t, e) ~ p", time=59.9).to_frame().iloc[0]
    known = (data["e"] == 1) & (data["t"] <= 59.9)
    assert later["brier"] == pytest.approx(((known - data["p"]) ** 2).mean(), abs=2e-3)
    assert later["ipa"] > 0.1


def test_the_code_of_a_cause_does_not_matter():
    base = rows_of("rnet_b_60_competing")
    options = {"time": 60.5, "resamples": 20, "seed": 1}
    first = rn.calibration(base, "Surv(t, e) ~ risk", cause=1, **options)
    turned = base.assign(e=base["e"].map({0: 0, 1: 2, 2: 1}))
    second = rn.calibration(turned, "Surv(t, e) ~ risk", cause=2, **options)
    pd.testing.assert_frame_equal(first.to_frame(), second.to_frame())
    pd.testing.assert_frame_equal(first.curve(), second.curve())
    pd.testing.assert_frame_equal(first.groups(), second.groups())


def test_identical_risks_and_risks_at_the_edge():
    base = rows_of("veteran_180")
    for smoother in ("loess", "lowess", "rcs", "cloglog"):
        same = rn.calibration(
            base.assign(risk=0.6), "Surv(t, e) ~ risk", time=180.5, smoother=smoother
        )
        m = same.to_frame().iloc[0]
        assert np.isnan(m["slope"])
        assert m["ici"] == pytest.approx(abs(m["observed_risk"] - 0.6), abs=1e-9)
        assert any("all the same" in note for note in same.notes)
    late = base.index[base["t"] > 180.5][:2]
    edge = base.assign(risk=base["risk"].where(~base.index.isin(late), 0.0))
    for smoother in ("loess", "rcs", "cloglog"):
        result = rn.calibration(edge, "Surv(t, e) ~ risk", time=180.5, smoother=smoother)
        assert np.isfinite(result.to_frame().loc[0, ["slope", "ici"]].astype(float)).all()
        assert any("exactly 0 or 1" in note for note in result.notes)
    with pytest.raises(DataError, match="exactly 1"):
        rn.calibration(
            base.assign(risk=base["risk"].where(~base.index.isin(late), 1.0)),
            "Surv(t, e) ~ risk",
            time=180.5,
        )


def test_what_is_refused():
    data = rows_of("rnet_a_60")
    with pytest.raises(OptionError, match="time="):
        rn.calibration(data, "Surv(t, e) ~ risk")
    with pytest.raises(DataError, match="Follow-up ends"):
        rn.calibration(data, "Surv(t, e) ~ risk", time=1e4)
    with pytest.raises(OptionError, match="cloglog"):
        rn.calibration(data, "Surv(t, e) ~ risk", time=60.0, smoother="logistic")
    with pytest.raises(DataError, match="survived until then"):
        rn.calibration(
            data.assign(s=-0.5 + 0 * data["t"]).assign(s=0.0, t=data["t"] + 1.0),
            "Surv(s, t, e) ~ risk",
            time=60.0,
        )


def test_past_the_last_event_of_all_the_risk_is_one():
    t, rng = np.arange(1.0, 31.0), np.random.default_rng(1)
    data = {"t": t, "e": np.ones(30), "r": rng.uniform(0.5, 0.9, 30)}
    result = rn.calibration(data, "Surv(t, e) ~ r", time=50.0)
    m = result.to_frame().iloc[0]
    assert m["observed_risk"] == 1.0
    assert m["observed_high"] == 1.0
    assert np.isnan(m["observed_std_error"])
    assert any("standard error of the observed risk" in note for note in result.notes)
    assert 0.8 < m["observed_low"] < 1.0


def test_pseudo_regression_recovers_a_saturated_fit():
    x = np.repeat([0.0, 1.0], 50)
    y = np.concatenate([np.arange(50) < 10, np.arange(50) < 30]).astype(float)
    found = pseudo_regression(np.column_stack([np.ones(100), x]), y)
    assert found is not None
    coef, covariance = found
    np.testing.assert_allclose(risk_of(np.array([coef[0], coef.sum()])), [0.2, 0.6], rtol=1e-9)
    # the sandwich is that of two proportions by the delta method
    slope = -np.log1p(-0.2) * 0.8
    assert covariance[0, 0] == pytest.approx(0.2 * 0.8 / 50 / slope**2, rel=1e-8)
    np.testing.assert_allclose(cloglog(risk_of(np.array([-3.0, 0.5]))), [-3.0, 0.5])


def test_pseudo_regression_says_where_it_does_not_settle():
    X = np.column_stack([np.ones(20), np.ones(20)])
    assert pseudo_regression(X, np.tile([0.0, 1.0], 10)) is None


def test_regressions_of_many_replicates_are_those_of_each():
    rng = np.random.default_rng(5)
    X = np.column_stack([np.ones(80), rng.normal(size=(80, 2))])
    values = (rng.random((6, 80)) < risk_of(X @ [-0.8, 0.7, 0.2])) + rng.normal(0, 0.1, (6, 80))
    freq = rng.multinomial(80, np.full(80, 1 / 80), size=6).astype(float)
    freq[3] = 0.0
    values[4] = X[:, 1] > 0.0  # separated: the steps do not settle
    found = pseudo_regressions(X, values, freq)
    for k in (0, 1, 2, 5):
        held = freq[k] > 0
        alone = pseudo_regression(X[held], values[k, held], freq[k, held])
        assert alone is not None
        np.testing.assert_allclose(found[k], alone[0], rtol=1e-9)
        eta = X @ alone[0]  # the estimating equations hold
        slope = np.exp(eta - np.exp(eta))
        assert np.abs((freq[k] * slope * (values[k] - risk_of(eta))) @ X).max() < 1e-8
    assert np.isnan(found[3]).all()
    assert pseudo_regression(X, values[4]) is None
    assert np.isnan(found[4]).all()


RESAMPLED = {"time": 60.5, "resamples": 80, "seed": 3}


@pytest.mark.parametrize("smoother", ["loess", "lowess", "rcs", "cloglog"])
@pytest.mark.parametrize("name", ["veteran_180", "rnet_b_60_competing"])
def test_band_over_resamples(name, smoother):
    data, cause = rows_of(name), 1 if "competing" in name else None
    formula = "Surv(t, e) ~ risk"
    options = {"smoother": smoother, "cause": cause}
    result = rn.calibration(data, formula, **RESAMPLED, **options)
    plain = rn.calibration(data, formula, time=60.5, **options)
    curve, analytic = result.curve(), plain.curve()
    pd.testing.assert_series_equal(curve["observed"], analytic["observed"])
    assert (curve["conf_low"] <= curve["conf_high"]).all()
    middle = slice(25, 60)
    widths = [(c["conf_high"] - c["conf_low"])[middle].mean() for c in (curve, analytic)]
    assert 0.6 < widths[0] / widths[1] < 1.6
    m, same = result.to_frame().iloc[0], plain.to_frame().iloc[0]
    assert m["oe"] == same["oe"]
    assert m["ici"] == same["ici"]
    assert m["oe_low"] < m["oe"] < m["oe_high"]
    assert 0.6 < (m["oe_high"] - m["oe_low"]) / (same["oe_high"] - same["oe_low"]) < 1.6
    assert 0.0 <= m["ici_low"] < m["ici"] < m["ici_high"]
    assert any("percentiles over resamples" in note for note in result.notes)
    assert "ICI (95 % CI)" in result.display()
    pd.testing.assert_frame_equal(
        curve, rn.calibration(data, formula, **RESAMPLED, **options).curve()
    )


@pytest.mark.parametrize("smoother", ["lowess", "rcs", "cloglog"])
@pytest.mark.parametrize("name", ["veteran_180", "rnet_b_60_competing"])
def test_a_resample_is_the_calibration_of_its_patients(name, smoother):
    """Curve and observed risk are those of the drawn patients judged by themselves."""
    base = rows_of(name)
    n, cause = len(base), 1 if "competing" in name else None
    judged_by = {"time": 60.5, "cause": cause, "smoother": smoother}
    shown = rn.calibration(base, "Surv(t, e) ~ risk", **judged_by).curve()
    counts = np.random.default_rng(2).multinomial(n, np.full(n, 1 / n)).astype(float)
    ends = [base["risk"].idxmin(), base["risk"].idxmax()]
    counts[ends] = np.maximum(counts[ends], 1.0)  # the same range of risks, and so the same points
    code = base["e"].to_numpy().astype(int)
    times = Times(base["t"].to_numpy(float), code, 1, cause is not None, 60.5, None)
    how = Smoother(smoother, 2 / 3, knots=3)
    again = again_at(times, base["risk"].to_numpy(), how, shown["predicted"].to_numpy())
    assert again.observed is not None
    alone = rn.calibration(base, "Surv(t, e) ~ risk", freq_weights=counts, knots=3, **judged_by)
    m = alone.to_frame().iloc[0]
    assert_close(again.observed(counts[None])[0], m["observed_risk"])
    found, curve = again.curves(counts[None])[0], alone.curve()["observed"].clip(0, 1)
    if smoother == "rcs":  # its knots stay where they are in all rows
        assert np.abs(found - curve).max() < 0.2
    else:
        np.testing.assert_allclose(found, curve, rtol=1e-7)


def test_frequency_weights_draw_patients():
    base = rows_of("veteran_180")[:80].reset_index(drop=True)
    freq = np.arange(80) % 3
    options = {**RESAMPLED, "smoother": "cloglog"}
    weighted = rn.calibration(base, "Surv(t, e) ~ risk", freq_weights=freq, **options)
    many = rn.calibration(base.loc[base.index.repeat(freq)], "Surv(t, e) ~ risk", **options)
    ends = ["conf_low", "conf_high"]
    np.testing.assert_allclose(weighted.curve()[ends], many.curve()[ends], rtol=1e-7)
    names = ["oe_low", "oe_high", "ici_low", "ici_high", "emax_high"]
    np.testing.assert_allclose(
        weighted.to_frame()[names].to_numpy(float),
        many.to_frame()[names].to_numpy(float),
        rtol=1e-7,
    )


def test_no_resampling_limits_with_few_events_by_the_time():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"t": np.arange(1.0, 61.0), "risk": rng.uniform(0.02, 0.2, 60)})
    data["e"] = data["t"].isin([3, 9, 14, 18, 50, 52, 54]).astype(int)
    plain = rn.calibration(data, "Surv(t, e) ~ risk", time=30.0)
    few = rn.calibration(data, "Surv(t, e) ~ risk", time=30.0, resamples=50, seed=1)
    assert few.curve()[["conf_low", "conf_high"]].isna().all(axis=None)
    assert few.to_frame()[["ici_low", "emax_high"]].isna().all(axis=None)
    assert few.to_frame().loc[0, "oe_high"] == plain.to_frame().loc[0, "oe_high"]
    said = "no resampling limits with fewer than five events by the horizon, or patients known"
    assert any(said in note and "(4 here)" in note for note in few.notes)
    enough = rn.calibration(data, "Surv(t, e) ~ risk", time=50.0, resamples=50, seed=1)
    assert enough.curve()["conf_low"].notna().any()
    assert any("Limits of only 50 resamples" in note for note in enough.notes)


def test_late_entry_would_make_right_risks_look_too_low():
    """Why it is refused: Kaplan-Meier's curve is that of all, the mean risk that of survivors."""
    rng = np.random.default_rng(7)
    hazard = rng.choice([0.1, 0.5], 4000)
    entry, t = rng.choice([0.0, 2.0], 4000), rng.exponential(1.0 / hazard)
    seen = t > entry
    data = pd.DataFrame({"s": entry, "t": t.clip(max=6.0), "e": (t <= 6.0).astype(int)})[seen]
    observed = 1.0 - rn.kaplan_meier(data, "Surv(s, t, e) ~ 1").at([5.0])["survival"].iloc[0]
    right = -np.expm1(-5.0 * hazard)
    assert abs(observed / right.mean() - 1.0) < 0.03
    assert observed / right[seen].mean() > 1.05
