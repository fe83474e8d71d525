"""Inputs that a regression must take as they are, or refuse in words."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import (
    ConvergenceError,
    DataError,
    FormulaError,
    OptionError,
    TooFewEventsError,
)
from rnetstats.formula.design import model_frame
from rnetstats.kernels.newton import FAILED
from rnetstats.regression.fitting import check_converged, finite_everywhere
from support import read


def cohort(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "y": rng.integers(0, 2, n),
            "x": rng.normal(size=n),
            "z": rng.normal(size=n),
            "g": rng.choice(list("abc"), n),
            "time": rng.exponential(10, n).round(2) + 0.01,
            "event": rng.integers(0, 2, n),
            "weights": rng.integers(0, 4, n),
            "sw": rng.uniform(0.5, 2.0, n),
            "id": np.repeat(np.arange(n // 2), 2),
            "s": rng.choice(["u", "v"], n),
            "k": rng.integers(1, 4, n),
            "b": rng.integers(0, 2, n).astype(bool),
        }
    )


WEIGHTS = (
    {},
    {"freq_weights": "weights"},
    {"sampling_weights": "sw"},
    {"freq_weights": "weights", "sampling_weights": "sw"},
    {"robust": True},
    {"ci": "wald", "conf_level": 0.9},
)
RIGHT = ("x*g", "rcs(x, 3)*g", "ns(x, 3) + z", "C(k, ref=2)*b", "I(x > 0) + log(time)")


@pytest.mark.parametrize("right", RIGHT)
@pytest.mark.parametrize("options", WEIGHTS, ids=str)
def test_every_kind_of_term_takes_every_kind_of_weight(right: str, options: dict) -> None:
    for penalty in ("firth", None):
        fit = rn.logistic(cohort(), f"y ~ {right}", penalty=penalty, **options)
        numbers = fit.to_frame().select_dtypes("number")
        assert np.isfinite(numbers).all(axis=None)
        assert np.isfinite(fit.term_tests()["p_value"]).all()
        table = fit.display()
        assert "nan" not in table.to_string().lower()


@pytest.mark.parametrize("right", ["x + strata(s)", "g*z + cluster(id)", "x + offset(z)"])
@pytest.mark.parametrize("options", WEIGHTS[:5], ids=str)
def test_cox_takes_strata_clusters_and_offsets(right: str, options: dict) -> None:
    fit = rn.cox(cohort(), f"Surv(time, event) ~ {right}", **options)
    assert np.isfinite(fit.to_frame().select_dtypes("number")).all(axis=None)
    back = type(fit).from_dict(json.loads(json.dumps(fit.to_dict(), allow_nan=False)))
    pd.testing.assert_frame_equal(back.to_frame(), fit.to_frame(), check_dtype=False)
    np.testing.assert_allclose(back.predict(cohort()), fit.predict(cohort()))


def test_names_and_levels_are_only_names() -> None:
    data = cohort()
    odd = pd.DataFrame(
        {
            "a b": data["x"],
            "größe": data["z"],
            "weights": data["weights"],
            "time": data["time"],
            "y": data["y"],
            "lev": pd.Categorical(
                data["g"].map({"a": "x:y", "b": "p[q]", "c": "ü<b>$x$"}),
                categories=["unused", "x:y", "p[q]", "ü<b>$x$"],
            ),
        }
    )
    fit = rn.logistic(odd, "y ~ `a b`*lev + größe + weights + time")
    plain = rn.logistic(data, "y ~ x*g + z + weights + time")
    np.testing.assert_allclose(fit.coef, plain.coef, rtol=1e-9)
    assert any("'unused'" in note for note in fit.notes)
    assert fit.effect("lev").to_frame()["value"].tolist() == ["x:y", "p[q]", "ü<b>$x$"]
    assert "<b>" not in fit._repr_html_()


def test_mapping_lists_and_odd_indexes_give_the_same_numbers() -> None:
    data = cohort()
    expected = rn.logistic(data, "y ~ x*g").coef
    labelled = data.set_index(pd.Index(["r"] * len(data)))
    for same in ({c: data[c].tolist() for c in data}, labelled):
        np.testing.assert_allclose(rn.logistic(same, "y ~ x*g").coef, expected, rtol=1e-12)
    assert list(rn.logistic(data, "y ~ x*g").predict(labelled[:2]).index) == ["r", "r"]


@pytest.mark.parametrize("left", ["yb", "yB", "yI", "yt == 'yes'", "yc == 'yes'"])
def test_outcomes_of_every_type(left: str) -> None:
    data = cohort()
    data["yb"] = data["y"] == 1
    data["yB"] = data["yb"].astype("boolean")
    data["yI"] = data["y"].astype("Int64")
    data["yt"] = np.where(data["y"] == 1, "yes", "no")
    data["yc"] = data["yt"].astype("category")
    expected = rn.logistic(data, "y ~ x").coef
    np.testing.assert_allclose(rn.logistic(data, f"{left} ~ x").coef, expected, rtol=1e-12)
    times = rn.cox(data, f"Surv(time, {left}) ~ x").coef
    np.testing.assert_allclose(times, rn.cox(data, "Surv(time, y) ~ x").coef, rtol=1e-12)


def test_scales_do_not_matter_and_effects_far_away_do_not_overflow() -> None:
    data = cohort()
    data["x1"], data["x2"] = data["x"] * 1e9, data["z"] * 1e-9
    for penalty in ("firth", None):
        wide = rn.logistic(data, "y ~ x1 + x2", penalty=penalty)
        near = rn.logistic(data, "y ~ x + z", penalty=penalty)
        factors = np.array([1.0, 1e9, 1e-9])
        np.testing.assert_allclose(wide.coef * factors, near.coef, rtol=1e-6)
        np.testing.assert_allclose(
            wide.to_frame()["p_value"], near.to_frame()["p_value"], rtol=1e-6
        )
        far = wide.effect("x2", values=[0, 1, -1])
        assert set(np.round(far.to_frame()["estimate"][1:])) == {0.0, np.inf}
        assert "∞" in far.display().to_string()
        risks = wide.risks("x2", values=[0, 1e3, -1e3])
        assert any("last digit" in note for note in risks.notes)
        missing = risks.to_frame().query("estimate.isna()")
        assert len(missing) and missing[["std_error", "p_value"]].isna().all(axis=None)


def test_a_term_without_rows_to_speak_of() -> None:
    """One row of a level: finite under Firth, infinite with a finite limit without."""
    data = pd.DataFrame({"y": np.arange(30) % 2, "g": ["a"] * 15 + ["b"] * 14 + ["c"]})
    firth = rn.logistic(data, "y ~ g").to_frame()
    assert np.isfinite(firth["conf_high"]).all()
    single = rn.logistic(data, "y ~ g", penalty=None).to_frame().iloc[-1]
    assert np.isposinf(single["estimate"]) and np.isfinite(single["conf_low"])
    assert 0.0 < single["p_value"] < 1.0


@pytest.mark.parametrize("verb", ["logistic", "cox"])
def test_wald_limits_of_infinite_estimates_are_missing_and_noted(verb: str) -> None:
    x = np.r_[np.arange(10.0), np.arange(9.0, 19.0)]
    data = {"y": [0] * 10 + [1] * 10, "x": x, "t": 20.0 - np.arange(20.0), "e": [0] * 10 + [1] * 10}
    data["z"] = np.sin(np.arange(20.0))
    left = "y" if verb == "logistic" else "Surv(t, e)"
    fit = getattr(rn, verb)(data, f"{left} ~ x + z", penalty=None, robust=True)
    row = fit.to_frame().set_index("term").loc["x"]
    assert np.isposinf(row["estimate"]) and np.isnan(row["conf_low"]) and np.isnan(row["p_value"])
    assert any("x" in note and "no Wald limits" in note for note in fit.notes)
    assert fit.term_tests()["p_value"].isna().iloc[0]
    assert "nan" not in fit.display().to_string().lower()


def test_few_clusters_give_missing_joint_tests_with_a_note_and_one_is_refused() -> None:
    data = cohort().assign(c=np.arange(60) % 2, one=1)
    fit = rn.cox(data, "Surv(time, event) ~ x + g + cluster(c)", penalty=None)
    tests = fit.term_tests().set_index("term")
    assert np.isnan(tests.loc["g", "p_value"]) and np.isfinite(tests.loc["x", "p_value"])
    assert any("g" in note and "missing" in note for note in fit.notes)
    assert any("2 clusters of c" in note for note in fit.notes)
    with pytest.raises(DataError, match=r"cluster\(one\) has one value"):
        rn.logistic(data, "y ~ x + cluster(one)")


def test_rows_of_sampling_weight_zero_do_not_enter() -> None:
    data = cohort()
    weights = np.where(data["x"] > 1.0, 0.0, 1.0)
    for verb, left in ((rn.logistic, "y"), (rn.cox, "Surv(time, event)")):
        fit = verb(data, f"{left} ~ x + g", sampling_weights=weights)
        kept = verb(data[weights > 0], f"{left} ~ x + g", sampling_weights=weights[weights > 0])
        np.testing.assert_allclose(fit.coef, kept.coef, rtol=1e-7)
        np.testing.assert_allclose(fit.vcov, kept.vcov, rtol=1e-6)
        assert any("sampling weight of 0" in note for note in fit.notes)
    with pytest.raises(TooFewEventsError, match="weight above 0"):
        rn.logistic(data, "y ~ x", sampling_weights=1.0 - data["y"])
    with pytest.raises(TooFewEventsError, match="weight above 0"):
        rn.cox(data, "Surv(time, event) ~ x", sampling_weights=1.0 - data["event"])


def test_events_of_sampling_weight_zero_are_no_ties() -> None:
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"x": rng.normal(size=80), "time": rng.integers(1, 9, 80), "s": 0})
    data["event"] = (rng.uniform(size=80) < 0.5).astype(int)
    data["w"] = rng.choice([0.0, 0.5, 2.0], 80)
    idle = pd.DataFrame({"x": [0.3, -1.0], "time": 5, "s": 1, "event": 1, "w": 0.0})
    data = pd.concat([data, idle], ignore_index=True)  # a stratum of tied events without weight
    for formula in ("Surv(time, event) ~ x", "Surv(time, event) ~ x + strata(s)"):
        for penalty in ("firth", None):
            fit = rn.cox(data, formula, sampling_weights="w", penalty=penalty)
            kept = rn.cox(data[data["w"] > 0], formula, sampling_weights="w", penalty=penalty)
            np.testing.assert_allclose(fit.coef, kept.coef, rtol=1e-7)
            np.testing.assert_allclose(fit.vcov, kept.vcov, rtol=1e-6)


def test_separation_hidden_by_weights_of_zero_is_found() -> None:
    data = pd.DataFrame({"y": [0, 0, 0, 1, 1, 1, 0], "x": [1.0, 2, 3, 4, 5, 6, 9]})
    weights = np.array([1.0, 1, 1, 1, 1, 1, 0])
    fit = rn.logistic(data, "y ~ x", sampling_weights=weights, penalty=None)
    assert fit.summary["separation"] == "complete"
    assert np.isposinf(fit.coef["x"])


def test_new_patients_with_missing_offsets_or_strata_are_refused() -> None:
    data = cohort()
    gap = data.assign(z=data["z"].where(data.index != 2), s=data["s"].where(data.index != 1))
    logit = rn.logistic(data, "y ~ x + offset(z)")
    with pytest.raises(DataError, match="'z' is missing in row 3"):
        logit.predict(gap)
    fit = rn.cox(data, "Surv(time, event) ~ x + strata(s) + offset(z)")
    with pytest.raises(DataError, match="'s' is missing in row 2"):
        fit.survival(gap.assign(z=data["z"]), [1.0])
    with pytest.raises(DataError, match="'z' is missing in row 3"):
        fit.survival(gap.assign(s=data["s"]), [1.0])


@pytest.mark.parametrize(
    ("times", "says"),
    [([], "list"), (["a"], "numbers"), ([1e9], "follow-up ends"), ([-1], "at least 0")],
)
def test_survival_refuses_times_that_mean_nothing(times: list, says: str) -> None:
    fit = rn.cox(cohort(), "Surv(time, event) ~ x")
    with pytest.raises(OptionError, match=says):
        fit.survival(cohort()[:2], times)


def test_new_patients_need_not_have_every_level() -> None:
    data = cohort()
    fit = rn.logistic(data, "y ~ I(g == 'b') + x")
    some = data[data["g"] != "b"]
    np.testing.assert_allclose(fit.predict(some), fit.predict(data)[some.index], rtol=1e-12)
    assert len(fit.risks("g").to_frame()) == 7
    assert fit.effect("x").to_frame()["estimate"].gt(0).all()
    with pytest.raises(DataError, match="no level 'q'"):
        rn.logistic(data, "y ~ I(g == 'q') + x")


@pytest.mark.parametrize(
    ("variable", "options", "says"),
    [
        ("x", {"values": ["a"]}, "numeric"),
        ("x", {"values": "abc"}, "list"),
        ("x", {"values": 3}, "list"),
        ("x", {"values": [[1, 2]]}, "numeric"),
        ("x", {"values": []}, "empty"),
        ("x", {"reference": float("nan")}, "numeric"),
        ("g", {"values": ["a", "zz"]}, "no level 'zz'"),
        ("g", {"reference": 1}, "no level 1"),
        ("k", {"reference": 9}, "no level 9"),
        ("nope", {}, "not in the model"),
        (3, {}, "not in the model"),
    ],
)
def test_effects_and_risks_refuse_values_in_words(variable, options: dict, says: str) -> None:
    fit = rn.logistic(cohort(), "y ~ x*g + C(k, ref=2)")
    for verb in (fit.effect, fit.risks):
        with pytest.raises(OptionError, match=says):
            verb(variable, **options)


def test_effects_take_arrays_references_outside_and_truth_values() -> None:
    fit = rn.logistic(cohort(), "y ~ rcs(z, 3) + b + C(k, ref=2)")
    assert len(fit.effect("z", values=np.array([1.0, 2.0]), reference=0).to_frame()) == 2
    assert fit.effect("b", values=[True, False]).to_frame()["estimate"].iloc[1] == 1.0
    levels = fit.effect("k", reference=3).to_frame().set_index("value")
    assert levels.loc[3, "estimate"] == 1.0
    assert fit.risks("z", values=[1.0], reference=0.0).to_frame()["measure"].nunique() == 3


def test_a_column_far_from_zero_is_named_when_the_fit_fails() -> None:
    data = cohort()
    data["year"] = data["x"] * data["z"] + 1e9
    try:
        fit = rn.logistic(data, "y ~ year")
    except (ConvergenceError, DataError) as error:
        assert "'year'" in str(error)
    else:
        near = rn.logistic(data.assign(year=data["year"] - 1e9), "y ~ year")
        np.testing.assert_allclose(fit.coef["year"], near.coef["year"], rtol=1e-4)


def test_robust_must_be_a_truth_value_and_a_column_may_begin_with_surv() -> None:
    data = cohort().assign(Survived=cohort()["y"])
    with pytest.raises(OptionError, match="robust"):
        rn.logistic(data, "y ~ x", robust="yes")
    table = rn.separation(data, "Survived ~ x").to_frame()
    assert table["term"].tolist() == ["(Intercept)", "x"]


def test_residuals_of_separated_data_are_finite() -> None:
    x = np.r_[np.arange(10.0), np.arange(9.0, 19.0)] * 50.0
    fit = rn.logistic({"y": [0] * 10 + [1] * 10, "x": x}, "y ~ x", penalty=None)
    for kind in ("deviance", "pearson", "response"):
        assert np.isfinite(fit.residuals(kind)).all()


def test_two_to_five_rows() -> None:
    """With so few rows Firth answers, with wide limits; by hand: log(3) is 1/2 added to a cell."""
    two = rn.logistic({"y": [0, 1], "x": [0, 1]}, "y ~ x").to_frame()
    np.testing.assert_allclose(two["coef"], [-np.log(3.0), 2.0 * np.log(3.0)], rtol=1e-8)
    four = rn.logistic({"y": [0, 1, 1, 0], "x": [0, 1, 0, 1]}, "y ~ x", penalty=None)
    np.testing.assert_allclose(four.coef, 0.0, atol=1e-10)
    five = rn.logistic({"y": [0, 1, 1, 0, 1], "x": [0, 1, 3, 1, 7]}, "y ~ x").to_frame()
    assert np.isfinite(five.select_dtypes("number")).all(axis=None)
    tied = rn.cox({"t": [1, 1], "e": [1, 1], "x": [0, 1]}, "Surv(t, e) ~ x").to_frame()
    np.testing.assert_allclose(tied["coef"], 0.0, atol=1e-10)


@pytest.mark.parametrize("ties", ["efron", "breslow", "exact"])
def test_several_infinite_coefficients_at_once_have_limits_on_their_other_side(ties: str) -> None:
    """Two levels without events, and a numeric term that stays finite."""
    data = {
        "t": np.arange(1, 31) // 2 + 1,
        "e": [1, 0, 0] * 10,
        "g": ["a", "b", "c"] * 5 + ["a", "c", "b"] * 5,
        "z": np.sin(np.arange(30)),
    }
    table = rn.cox(data, "Surv(t, e) ~ g + z", penalty=None, ties=ties).to_frame()
    assert np.isneginf(table["coef"][:2]).all() and np.isfinite(table["coef"][2])
    assert (table["conf_low"][:2] == 0.0).all()
    assert table["conf_high"].between(0.0, 1.0)[:2].all()
    assert table["p_value"].between(0.0, 1.0).all()
    only = rn.cox({"t": [1, 2, 3], "e": [1, 0, 1], "x": [0, 1, 0]}, "Surv(t, e) ~ x", penalty=None)
    row = only.to_frame().iloc[0]
    # By hand: exp(l(b)) = 1 / (2 + exp(b)), with supremum 1/2 as b falls; the limit is where
    # 2 log((2 + exp(b)) / 2) is the quantile of chi-square.
    assert np.isneginf(row["coef"])
    np.testing.assert_allclose(row["conf_high"], 2.0 * np.exp(3.841458820694124 / 2) - 2.0)


def test_complete_and_quasi_separation_have_limits_for_the_intercept_too() -> None:
    x = np.r_[np.arange(10.0), np.arange(9.0, 19.0)]
    for data in ({"x": x}, {"x": np.arange(20.0)}, {"x": x, "g": list("ab") * 10}):
        formula = "y ~ " + " + ".join(data)
        table = rn.logistic({"y": [0] * 10 + [1] * 10, **data}, formula, penalty=None).to_frame()
        assert not np.isfinite(table["coef"]).any()
        assert table[["conf_low", "conf_high", "p_value"]].notna().all(axis=None)
        assert np.isfinite(table.loc[1, "conf_low"]) and table.loc[1, "conf_low"] > 1.0


@pytest.mark.parametrize("verb", [rn.logistic, rn.univariable, rn.separation])
def test_strata_are_refused_for_a_binary_outcome(verb) -> None:
    data = read("rnet_like_a.csv")
    with pytest.raises(FormulaError, match=r"write C\(grade\) as a term"):
        verb(data, "margin_positive ~ nlr + strata(grade)")


@pytest.mark.parametrize("penalty", ["firth", None])
def test_a_large_offset_is_taken_back_by_the_intercept(penalty) -> None:
    data = read("rnet_like_a.csv").assign(far=lambda d: 80.0 + d["size_mm"] / 10)
    near = data.assign(far=data["far"] - 80.0)
    formula = "margin_positive ~ nlr + offset(far)"
    one = rn.logistic(data, formula, penalty=penalty)
    two = rn.logistic(near, formula, penalty=penalty)
    difference = one.to_frame()["coef"] - two.to_frame()["coef"]
    np.testing.assert_allclose(difference, [-80.0, 0.0], atol=1e-8)
    assert one.summary["log_likelihood_null"] == pytest.approx(two.summary["log_likelihood_null"])


def test_complete_separation_is_quiet_and_bounded() -> None:
    data = pd.DataFrame({"y": [0] * 20 + [1] * 20, "x": range(40)})
    row = rn.logistic(data, "y ~ x", penalty=None).to_frame().iloc[1]
    assert row["estimate"] == row["conf_high"] == np.inf
    assert 1.0 < row["conf_low"] < np.inf


@pytest.mark.parametrize("penalty", ["firth", "log-f", None])
def test_an_offset_out_of_all_bounds_is_named(penalty: str | None) -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"y": np.tile([0, 1, 1], 4), "a": rng.normal(size=12)})
    frame["years"] = 2000.0 * rng.normal(size=12)
    with pytest.raises(ConvergenceError, match=r"The offset differs by .* logarithm"):
        rn.logistic(frame, "y ~ a + offset(years)", penalty=penalty)


@pytest.mark.parametrize(
    ("right", "words"),
    [("x", "whether 'x' follows from the outcome"), ("x + z", "two columns that say nearly")],
)
def test_a_fit_that_fails_says_what_to_look_at(right: str, words: str) -> None:
    data = {"y": [0, 1, 0, 1, 1], "x": [1, 2, 3, 4, 6], "z": [2, 1, 4, 3, 7]}
    frame = model_frame(data, f"y ~ {right}")
    with pytest.raises(ConvergenceError, match=words):
        check_converged(frame, FAILED, finite_everywhere(frame.design.X.shape[1]), "firth")
