"""Calibration of a risk by a time: reference values, competing causes and edges."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import DataError, OptionError
from rnetstats.prediction.pseudo_regression import cloglog, pseudo_regression, risk_of
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
    with pytest.raises(OptionError, match="resamples"):
        rn.calibration(data, "Surv(t, e) ~ risk", time=60.0, resamples=10)
    with pytest.raises(OptionError, match="cloglog"):
        rn.calibration(data, "Surv(t, e) ~ risk", time=60.0, smoother="logistic")
    with pytest.raises(DataError, match="late entry"):
        rn.calibration(
            data.assign(s=-0.5 + 0 * data["t"]).assign(s=0.0, t=data["t"] + 1.0),
            "Surv(s, t, e) ~ risk",
            time=60.0,
        )


def test_past_the_last_event_of_all_the_risk_is_one():
    t, rng = np.arange(1.0, 31.0), np.random.default_rng(1)
    data = {"t": t, "e": np.ones(30), "r": rng.uniform(0.5, 0.9, 30)}
    m = rn.calibration(data, "Surv(t, e) ~ r", time=50.0).to_frame().iloc[0]
    assert m["observed_risk"] == 1.0
    assert m["observed_high"] == 1.0
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
