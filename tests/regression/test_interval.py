"""Regression of interval-censored times: R's values, limits of known models, and edges."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

import rnetstats as rn
from interval_cases import cosmesis, mixed_veteran
from rnetstats.errors import (
    ConvergenceError,
    DataError,
    FormulaError,
    OptionError,
    RnetError,
    TooFewEventsError,
)
from rnetstats.kernels.interval_cox import cox_intervals
from rnetstats.kernels.interval_weibull import weibull_intervals
from support import at_once, read

FORMULA = "Interval(l, r) ~ arm"
NUMBERS = ["coef", "std_error", "estimate", "conf_low", "conf_high", "statistic"]


def simulated(seed: int, n: int, *, ratio: float = 2.0, every: Any = (6.0, 6.0)) -> pd.DataFrame:
    """Weibull times (shape 1.3) in two arms, seen every so many months up to 60."""
    rng = np.random.default_rng(seed)
    arm = np.arange(n) % 2
    hazard = np.where(arm == 1, ratio, 1.0)
    time = 50.0 * (rng.exponential(size=n) / hazard) ** (1 / 1.3)
    step = np.where(arm == 1, every[1], every[0])
    right = np.ceil(time / step) * step
    seen = right <= 60.0
    return pd.DataFrame(
        {
            "arm": arm,
            "l": np.where(seen, right - step, np.floor(60.0 / step) * step),
            "r": np.where(seen, right, np.inf),
            "found": np.where(seen, right, 60.0),
            "event": seen.astype(int),
        }
    )


# Run by hand with R 4 and survival 3.5-3:
# survreg(Surv(l, r, type = "interval2") ~ ..., control = list(rel.tolerance = 1e-14)), where l is
# NA for 0 and r NA for none; a hazard ratio is exp(-coef / scale), the shape 1 / scale.
def test_weibull_is_r_survreg_on_the_cosmesis_data() -> None:
    fit = rn.interval_regression(cosmesis(), "Interval(l, r) ~ chemo")
    scale, coef = 0.619339705211414, -0.567550536563053
    row = fit.to_frame().iloc[0]
    assert row["coef"] == pytest.approx(-coef / scale, rel=1e-8)
    assert fit.base["shape"] == pytest.approx(1 / scale, rel=1e-8)
    assert fit.glance()["log_likelihood"].iloc[0] == pytest.approx(-143.320827109903, rel=1e-10)
    assert row["statistic"] == pytest.approx(2 * (148.792431153626 - 143.320827109903), rel=1e-8)
    ratio = fit.time_ratios().iloc[0]
    assert ratio["coef"] == pytest.approx(coef, rel=1e-8)
    assert ratio["std_error"] == pytest.approx(0.175729563322277, rel=1e-6)
    assert ratio["p_value"] == row["p_value"]


def test_weibull_is_r_survreg_with_exact_times_and_weights() -> None:
    data = mixed_veteran()
    fit = rn.interval_regression(data, "Interval(l, r) ~ trt + karno")
    counts = fit.glance().iloc[0]
    assert [counts[k] for k in ("n_right", "n_exact", "n_left", "n_interval")] == [9, 43, 25, 60]
    scale = 1.055328489297519
    expected = np.array([-0.13331996240697255, 0.03584254306811339])
    np.testing.assert_allclose(fit.coef, -expected / scale, rtol=1e-7)
    assert counts["log_likelihood"] == pytest.approx(-435.7024479854997, rel=1e-10)
    statistic = fit.to_frame()["statistic"].iloc[0]
    assert statistic == pytest.approx(2 * (435.9511372931524 - 435.7024479854997), rel=1e-6)
    ratios = fit.time_ratios()
    np.testing.assert_allclose(ratios["coef"], expected, rtol=1e-7)
    np.testing.assert_allclose(
        ratios["std_error"], [0.188845152758744694, 0.005067404462344862], rtol=1e-6
    )
    # R's quantiles of a patient with trt 2, karno 60: by them a quarter and a half have died
    times = [28.06872700356984, 71.00125570589471]
    risk = fit.survival({"trt": [2], "karno": [60]}, times)["risk"]
    np.testing.assert_allclose(risk, [0.25, 0.5], rtol=1e-7)
    weighted = rn.interval_regression(data, "Interval(l, r) ~ trt + karno", freq_weights="w")
    expected = np.array([-0.23549125681762801, 0.03364424293521889]) / 1.048317870452769
    np.testing.assert_allclose(weighted.coef, -expected, rtol=1e-7)


def test_cosmesis_under_any_baseline() -> None:
    """Finkelstein (1986) gives 0.79 to 0.80 for the coefficient, standard error 0.29."""
    fit = rn.interval_regression(cosmesis(), "Interval(l, r) ~ chemo", model="cox")
    row = fit.to_frame().iloc[0]
    assert row["coef"] == pytest.approx(0.797, abs=0.005)
    assert row["n_events"] == 56
    assert fit.base["excess"] < 1e-10


@pytest.mark.parametrize("formula", ["trt", "trt + karno + C(celltype)"])
def test_exact_times_give_breslow_partial_likelihood(formula: str) -> None:
    data = read("veteran.csv")
    data = data.assign(l=data["time"], r=np.where(data["status"] == 1, data["time"], np.inf))
    fit = rn.interval_regression(data, f"Interval(l, r) ~ {formula}", model="cox")
    known = rn.cox(data, f"Surv(time, status) ~ {formula}", penalty=None, ties="breslow")
    np.testing.assert_allclose(fit.to_frame()[NUMBERS], known.to_frame()[NUMBERS], rtol=1e-8)
    baseline, breslow = fit.baseline(), known.baseline()
    new = {"trt": [1], "karno": [60], "celltype": [data["celltype"].iloc[0]]}
    bounds = fit.survival(new, breslow["time"].tolist())
    survival = known.survival(new, breslow["time"].tolist())["survival"]
    np.testing.assert_allclose(bounds["survival_high"], survival, rtol=1e-8)
    assert (baseline["left"] == baseline["right"]).all()


@pytest.mark.slow
def test_tight_intervals_are_near_the_cox_model() -> None:
    data = simulated(1, 600, every=(0.05, 0.05))
    fit = rn.interval_regression(data, FORMULA, model="cox").to_frame().iloc[0]
    known = rn.cox(data, "Surv(found, event) ~ arm", penalty=None, ties="breslow")
    row = known.to_frame().iloc[0]
    assert fit["coef"] == pytest.approx(row["coef"], abs=0.01)
    assert fit["std_error"] == pytest.approx(row["std_error"], rel=0.01)
    assert fit["conf_low"] == pytest.approx(row["conf_low"], rel=0.015)


def test_exact_weibull_agrees_with_a_general_optimiser() -> None:
    data = simulated(2, 120)
    left, right, arm = (data[name].to_numpy(float) for name in ("l", "r", "arm"))

    def minus(theta: np.ndarray) -> float:
        rate = np.exp(theta[0] + theta[2] * arm)
        shape = np.exp(theta[1])
        before = np.exp(-rate * left**shape)
        after = np.where(np.isinf(right), 0.0, np.exp(-rate * right**shape))
        return -float(np.log(np.maximum(before - after, 1e-300)).sum())

    best = minimize(minus, [-5.0, 0.2, 0.5], method="BFGS", options={"gtol": 1e-8})
    fit = rn.interval_regression(data, FORMULA)
    assert fit.glance()["log_likelihood"].iloc[0] == pytest.approx(-best.fun, abs=1e-8)
    assert fit.coef.iloc[0] == pytest.approx(best.x[2], abs=1e-5)


@pytest.mark.parametrize("build", [weibull_intervals, cox_intervals])
def test_profile_scores_are_derivatives(build: Any) -> None:
    data = mixed_veteran()
    X = data[["trt", "karno"]].to_numpy(float)
    evaluate = build(X, left=data["l"].to_numpy(), right=data["r"].to_numpy())
    index = np.zeros(1, dtype=np.int64)
    at = np.array([0.3, -0.02])
    _, score, information = evaluate(at[None, :], index)
    for j, h in enumerate((1e-4, 1e-5)):
        step = np.zeros(2)
        step[j] = h
        (up,), up_score, _ = evaluate((at + step)[None, :], index)
        (down,), down_score, _ = evaluate((at - step)[None, :], index)
        assert score[0, j] == pytest.approx((up - down) / (2 * h), rel=1e-5, abs=1e-4)
        slope = (down_score - up_score)[0] / (2 * h)
        np.testing.assert_allclose(information[0, j], slope, rtol=1e-4, atol=1e-3)


@pytest.mark.slow
@given(seed=st.integers(0, 500), scale=st.sampled_from([0.0328, 30.4375]))
@settings(max_examples=3)
@pytest.mark.parametrize("model", ["weibull", "cox"])
def test_invariants(model: str, seed: int, scale: float) -> None:
    data = simulated(seed, 60, ratio=1.5)
    fit = rn.interval_regression(data, FORMULA, model=model).to_frame()
    scaled = data.assign(l=data["l"] * scale, r=data["r"] * scale)
    mixed = data.sample(frac=1.0, random_state=seed)
    grouped = data.groupby(["arm", "l", "r"], as_index=False).size()
    for other, options in ((scaled, {}), (mixed, {}), (grouped, {"freq_weights": "size"})):
        again = rn.interval_regression(other, FORMULA, model=model, **options).to_frame()
        np.testing.assert_allclose(again[NUMBERS], fit[NUMBERS], rtol=2e-7, atol=1e-9)
        assert again["n_events"].tolist() == fit["n_events"].tolist()
    turned = rn.interval_regression(data.assign(arm=1 - data["arm"]), FORMULA, model=model)
    assert turned.coef.iloc[0] == pytest.approx(-fit["coef"].iloc[0], rel=1e-7, abs=1e-9)


def test_recovers_the_truth_where_times_of_detection_are_biased() -> None:
    """1,500 patients, no difference; one arm is seen every 3 months, the other every 18."""
    data = simulated(7, 1500, ratio=1.0, every=(18.0, 3.0))
    naive = rn.cox(data, "Surv(found, event) ~ arm", penalty=None).to_frame().iloc[0]
    assert naive["conf_low"] > 1.0
    for model in ("weibull", "cox"):
        row = rn.interval_regression(data, FORMULA, model=model).to_frame().iloc[0]
        assert row["conf_low"] < 1.0 < row["conf_high"]
        assert abs(row["coef"]) < 3 * row["std_error"]


def test_hazard_ratio_and_limits_of_known_truth() -> None:
    data = simulated(3, 1200, every=(12.0, 6.0))
    for model in ("weibull", "cox"):
        row = rn.interval_regression(data, FORMULA, model=model).to_frame().iloc[0]
        assert abs(row["coef"] - np.log(2.0)) < 3 * row["std_error"]
    fit = rn.interval_regression(data, FORMULA)
    assert fit.base["shape"] == pytest.approx(1.3, abs=0.15)
    ratio = fit.time_ratios().iloc[0]
    assert ratio["conf_low"] < 2.0 ** (-1 / 1.3) < ratio["conf_high"]
    truth = np.exp(-((30.0 / 50.0) ** 1.3))
    row = fit.survival({"arm": [0]}, 30.0).iloc[0]
    assert row["conf_low"] < truth < row["conf_high"]


def test_limits_of_time_ratios_are_where_the_likelihood_has_fallen() -> None:
    """For two arms the time ratio's profile is that of a two-sample scale shift."""
    data = simulated(5, 80)
    fit = rn.interval_regression(data, FORMULA)
    ratio = fit.time_ratios().iloc[0]
    best = fit.glance()["log_likelihood"].iloc[0]
    for limit in (ratio["conf_low"], ratio["conf_high"]):
        shift = np.where(data["arm"] == 1, limit, 1.0)
        moved = data.assign(l=data["l"] / shift, r=data["r"] / shift)
        none = rn.interval_regression(moved, FORMULA).glance()["log_likelihood_null"].iloc[0]
        assert 2 * (best - none) == pytest.approx(3.841458820694124, rel=1e-6)


@pytest.mark.parametrize("model", ["weibull", "cox"])
def test_an_arm_without_events_is_named(model: str) -> None:
    data = simulated(1, 100)
    data.loc[data["arm"] == 0, "r"] = np.inf
    fit = rn.interval_regression(data, FORMULA, model=model)
    row = fit.to_frame().iloc[0]
    assert np.isposinf(row["estimate"]) and np.isposinf(row["conf_high"])
    assert row["conf_low"] > 1.0 and row["p_value"] < 0.01
    assert fit.glance()["separation"].iloc[0] == "monotone"
    assert any("No event among the rows with arm = 0" in note for note in fit.notes)
    with pytest.raises(ConvergenceError, match="finite coefficients"):
        fit.survival({"arm": [1]}, 12.0)
    # the supremum is that of a fit to the arm with events, with the other at risk for nothing
    far = rn.interval_regression(
        data.assign(o=np.where(data["arm"] == 0, -60.0, 0.0), x=1 - data.index % 3),
        "Interval(l, r) ~ x + offset(o)",
        model=model,
    )
    assert fit.glance()["log_likelihood"].iloc[0] == pytest.approx(
        far.glance()["log_likelihood_null"].iloc[0], abs=1e-6
    )
    prior = rn.interval_regression(data, FORMULA, model=model, penalty="log-f").to_frame().iloc[0]
    assert 1.0 < prior["estimate"] < np.inf and prior["conf_high"] < np.inf
    assert "log-F(1, 1)" in prior["method"]


@pytest.mark.parametrize("model", ["weibull", "cox"])
def test_no_infinity_is_seen_where_there_is_none(model: str) -> None:
    data = simulated(1, 100)
    data.loc[(data["arm"] == 0) & (data.index > 6), "r"] = np.inf
    assert data.loc[data["arm"] == 0, "r"].lt(np.inf).any()
    fit = rn.interval_regression(data, FORMULA, model=model)
    assert fit.glance()["separation"].iloc[0] == "none"
    assert np.isfinite(fit.to_frame()["estimate"]).all()


def test_log_f_is_the_posterior_mode() -> None:
    data = simulated(4, 60)
    fit = rn.interval_regression(data, FORMULA, penalty="log-f", m=2)
    X = data[["arm"]].to_numpy(float)
    evaluate = weibull_intervals(X, left=data["l"].to_numpy(), right=data["r"].to_numpy())

    def minus(b: np.ndarray) -> float:
        value = evaluate(b[None, :], np.zeros(1, dtype=np.int64))[0][0]
        return -float(value + b[0] - 2.0 * np.log1p(np.exp(b[0])))

    best = minimize(minus, [0.0], method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12})
    assert fit.coef.iloc[0] == pytest.approx(best.x[0], abs=1e-6)


@pytest.mark.parametrize(
    ("change", "formula", "options", "error", "message"),
    [
        ({"r": np.inf}, FORMULA, {}, TooFewEventsError, "All 40 rows used are right-censored"),
        ({}, "Interval(l, r) ~ 1", {}, OptionError, "needs a term"),
        ({}, "Interval(l, r) ~ arm + strata(s)", {}, FormulaError, "no strata"),
        ({}, "Surv(l, arm) ~ s", {}, FormulaError, "is no interval"),
        ({}, FORMULA, {"model": "gompertz"}, OptionError, "'weibull', 'cox'"),
        ({}, FORMULA, {"penalty": "firth"}, OptionError, "'log-f'"),
        ({}, FORMULA, {"m": 1}, OptionError, "penalty='log-f'"),
        ({"l": 0.0, "r": 6.0}, FORMULA, {}, ConvergenceError, "Weibull shape is infinite"),
        ({"l": 0.0, "r": 0.0}, FORMULA, {}, DataError, "event at time 0"),
        ({"l": -1.0}, FORMULA, {}, DataError, "negative in rows 1, 2"),
        ({"arm": 1}, FORMULA, {}, RnetError, "arm"),
    ],
)
def test_what_is_refused(
    change: dict[str, Any], formula: str, options: dict[str, Any], error: Any, message: str
) -> None:
    data = simulated(1, 40).assign(s=[1, 2] * 20, **change)
    with pytest.raises(error, match=message):
        rn.interval_regression(data, formula, **options)


def test_one_patient_is_refused() -> None:
    with pytest.raises(RnetError):
        rn.interval_regression({"l": [1.0], "r": [2.0], "arm": [1]}, FORMULA)


def test_results_are_tidy_and_come_back() -> None:
    data = simulated(1, 80)
    for model in ("weibull", "cox"):
        fit = rn.interval_regression(data, FORMULA, model=model)
        again = type(fit).from_dict(fit.to_dict())
        new = {"arm": [0, 1]}
        pd.testing.assert_frame_equal(again.survival(new, [6, 30]), fit.survival(new, [6, 30]))
        pd.testing.assert_frame_equal(again.baseline(), fit.baseline())
        assert len(fit.term_tests()) == 1
        fit.plot()
        fit.effect("arm")
        with pytest.raises(OptionError, match="last visit"):
            fit.survival(new, 600)
    with pytest.raises(OptionError, match="belong to model='weibull'"):
        fit.time_ratios()
    plt.close("all")


def small(left: list[float], right: list[float | None], arm: str) -> pd.DataFrame:
    return pd.DataFrame({"l": left, "r": np.array(right, dtype=float), "arm": list(arm)})


def test_nobody_free_after_the_last_interval() -> None:
    """The last jump is infinite: survival is 0 after it, and the limits are found at once."""
    data = small([1, 2, 3, 4, 0], [2, 3, None, 6, 1], "aabbb")
    fit = rn.interval_regression(data, FORMULA, model="cox")
    row = fit.to_frame().iloc[0]
    assert 0.0 < row["conf_low"] < row["estimate"] < row["conf_high"] < np.inf
    # from a search by hand over the coefficient: the profile log-likelihood is -6.66090 at 0
    assert fit.glance()["log_likelihood_null"].iloc[0] == pytest.approx(-6.6608952, abs=1e-7)
    assert np.isinf(fit.baseline()["cumulative_hazard"].iloc[-1])
    bounds = fit.survival({"arm": ["a"]}, [5, 6])
    assert bounds["survival_low"].tolist() == [0.0, 0.0]
    assert bounds["survival_high"].iloc[0] > 0.0 and bounds["survival_high"].iloc[1] == 0.0
    again = type(fit).from_dict(fit.to_dict())
    pd.testing.assert_frame_equal(again.survival({"arm": ["a"]}, [5, 6]), bounds)


@pytest.mark.parametrize("model", ["weibull", "cox"])
def test_an_arm_whose_events_all_come_first(model: str) -> None:
    data = small([0, 0, 0, 6, 0, 6, 3, 2], [6, 6, 3, None, 6, None, 9, 5], "aaabbbbb")
    fit = rn.interval_regression(data, FORMULA, model=model)
    row = fit.to_frame().iloc[0]
    assert row["estimate"] == row["conf_low"] == 0.0
    assert 0.0 < row["conf_high"] < 1.0
    # P and limits are of one method: the limit excludes 1 as P is below 0.05
    assert 0.01 < row["p_value"] < 0.05


def test_intervals_that_do_not_say_who_came_first() -> None:
    data = small([0, 0, 0, 0], [6, 6, 6, 6], "aabb")
    with pytest.raises(TooFewEventsError, match="who came first"):
        rn.interval_regression(data, FORMULA, model="cox")


def test_columns_of_odd_scales() -> None:
    data = simulated(1, 120).assign(x=lambda d: np.sin(d.index.to_numpy() * 1.7))
    plain = rn.interval_regression(data, "Interval(l, r) ~ x").to_frame().iloc[0]
    for scale in (1e-5, 1e5):
        moved = data.assign(x=data["x"] * scale + 3.0 * scale)
        row = rn.interval_regression(moved, "Interval(l, r) ~ x").to_frame().iloc[0]
        assert row["coef"] * scale == pytest.approx(plain["coef"], rel=1e-6)
        assert row["statistic"] == pytest.approx(plain["statistic"], rel=1e-6)


@pytest.mark.slow
def test_two_infinite_coefficients_are_found_at_once() -> None:
    """Far out jumps differ by many powers of ten, and their maximum is still certified."""
    data = {
        "l": [1, 1, 2, 3],
        "r": [2, np.nan, 3, np.nan],
        "arm": [0, 1, 0, 1],
        "x": [0, 0.37, 0.74, 0.11],
    }
    with at_once(5.0):  # about 1; by halvings against a wall, minutes
        fit = rn.interval_regression(data, "Interval(l, r) ~ arm + x", model="cox")
    table = fit.to_frame()
    assert table["estimate"].tolist() == [0.0, 0.0]
    # every event may come as surely as one likes: the supremum is 0
    assert fit.glance()["log_likelihood"].iloc[0] == pytest.approx(0.0, abs=1e-8)
    # without arm the first of two at risk has the event at each time, 2 log(1/2) by symmetry
    assert table["statistic"].iloc[1] == pytest.approx(2 * np.log(4), rel=1e-7)
    assert table["conf_high"].to_numpy() == pytest.approx([0.2017, 2.5995], rel=1e-3)
    assert any("monotone" in note for note in fit.notes)


def test_the_baseline_is_certified_far_out() -> None:
    X = np.array([[0, 0], [1, 0.37], [0, 0.74], [1, 0.11]])
    ends = np.array([1.0, 1, 2, 3]), np.array([2, np.inf, 3, np.inf])
    likelihood = cox_intervals(X, left=ends[0], right=ends[1])
    for far in ([-30.0, -17.0], [-45.0, -20.0], [-60.0, 13.0]):
        found = likelihood.baseline(np.array(far))
        assert found.excess < 1e-9
        assert (found.size > 0.0).all()


@pytest.mark.parametrize("model", ["weibull", "cox"])
def test_an_offset_is_a_coefficient_that_is_known(model: str) -> None:
    rng = np.random.default_rng(6)
    n = 60
    x, z = rng.normal(size=n).round(1), rng.integers(0, 2, n)
    time = rng.exponential(8.0 * np.exp(-0.5 * x))
    left = np.floor(time)
    right = np.where(left > 12, np.inf, left + 2)
    data = {"l": np.minimum(left, 13), "r": right, "x": x, "z": z, "o": 0.6 * x}
    plain = rn.interval_regression(data, "Interval(l, r) ~ x + z", model=model)
    held = rn.interval_regression(data, "Interval(l, r) ~ x + z + offset(o)", model=model)
    np.testing.assert_allclose(held.coef, plain.coef - [0.6, 0.0], atol=2e-5)
    np.testing.assert_allclose(
        held.glance()["log_likelihood"], plain.glance()["log_likelihood"], rtol=1e-8
    )
