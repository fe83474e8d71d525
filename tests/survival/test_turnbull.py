"""Turnbull's curves: by hand, against Kaplan-Meier, invariants, and what is refused."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from interval_cases import RCT_MASSES, RT_MASSES, cosmesis
from rnetstats.errors import (
    ColumnError,
    DataError,
    DataNotKeptError,
    FormulaError,
    OptionError,
    TooFewEventsError,
)
from rnetstats.survival.interval_rows import IntervalRows
from rnetstats.survival.interval_test import hazard_scores
from support import read

FORMULA = "Interval(l, r) ~ arm"
SIX = {"l": [0, 0, 6, 0, 12, 12], "r": [6, 6, 12, 12, None, None]}


def visits_data(seed: int, n: int, *, every: float = 6.0, hazard: float = 0.03) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    arm = np.repeat(["a", "b"], [n // 2, n - n // 2])
    time = rng.exponential(1.0 / hazard, n)
    right = np.ceil(time / every) * every
    censored = right > 60.0
    return pd.DataFrame(
        {
            "arm": arm,
            "l": np.where(censored, 60.0, right - every),
            "r": np.where(censored, np.inf, right),
            "time": time,
        }
    )


def test_six_patients_by_hand() -> None:
    curve = rn.turnbull(SIX, "Interval(l, r) ~ 1")
    frame = curve.to_frame()
    np.testing.assert_allclose(frame["mass"], [4 / 9, 2 / 9, 3 / 9], atol=1e-12)
    at = curve.at([0, 3, 6, 9, 12, 13])
    np.testing.assert_allclose(at["survival_low"], [1, 5 / 9, 5 / 9, 3 / 9, 3 / 9, 0], atol=1e-12)
    np.testing.assert_allclose(at["survival_high"], [1, 1, 5 / 9, 5 / 9, 3 / 9, 3 / 9], atol=1e-12)
    assert at["determined"].tolist() == [True, False, True, False, True, False]
    median = curve.quantile([0.5, 0.9])
    assert median[["low", "high"]].iloc[0].tolist() == [6, 12]
    assert median[["low", "high"]].iloc[1].isna().all()
    groups = curve.groups.iloc[0]
    assert (groups["n"], groups["n_events"], groups["n_left"], groups["n_interval"]) == (6, 4, 3, 1)
    assert curve.glance()["excess"].iloc[0] <= 1e-10


def test_a_quantile_on_a_flat_piece_spans_it() -> None:
    data = {"l": [0, 0, 9, 9], "r": [3, 3, 12, 12]}
    found = rn.turnbull(data, "Interval(l, r) ~ 1").quantile(0.5)
    assert found[["low", "high"]].iloc[0].tolist() == [0, 12]


def test_equals_kaplan_meier_for_exact_and_right_censored_data() -> None:
    data = read("veteran.csv")
    data = data.assign(l=data["time"], r=np.where(data["status"] == 1, data["time"], np.inf))
    curve = rn.turnbull(data, "Interval(l, r) ~ trt")
    km = rn.kaplan_meier(data, "Surv(time, status) ~ trt").to_frame()
    for group, part in km.groupby("group"):
        at = curve.at(part["time"].tolist())
        at = at[at["group"] == group]
        np.testing.assert_allclose(at["survival_high"], part["survival"], atol=1e-8)
        assert at["determined"].all()


@pytest.mark.slow
@given(seed=st.integers(0, 1000), scale=st.sampled_from([0.25, 30.4375, 365.25]))
def test_rescaling_order_and_weights(seed: int, scale: float) -> None:
    data = visits_data(seed, 30)
    curve = rn.turnbull(data, FORMULA)
    scaled = rn.turnbull(data.assign(l=data["l"] * scale, r=data["r"] * scale), FORMULA)
    np.testing.assert_allclose(scaled.to_frame()["mass"], curve.to_frame()["mass"], atol=1e-8)
    np.testing.assert_allclose(scaled.to_frame()["left"], curve.to_frame()["left"] * scale)
    mixed = rn.turnbull(data.sample(frac=1.0, random_state=seed), FORMULA)
    assert sorted(mixed.groups["log_likelihood"].round(8)) == sorted(
        curve.groups["log_likelihood"].round(8)
    )
    again = data.groupby(["arm", "l", "r"], as_index=False).size()
    weighted = rn.turnbull(again, FORMULA, freq_weights="size")
    np.testing.assert_allclose(weighted.to_frame()["mass"], curve.to_frame()["mass"], atol=1e-8)
    assert weighted.groups["n"].tolist() == curve.groups["n"].tolist()


def test_survival_at_visits_is_that_of_the_truth() -> None:
    """2,000 patients on a schedule: the estimate at the visits is the observed share free."""
    data = visits_data(3, 2000)
    curve = rn.turnbull(data, "Interval(l, r) ~ 1")
    times = np.arange(6.0, 61.0, 6.0)
    at = curve.at(times.tolist())
    observed = [(data["time"] > t).mean() for t in times]
    np.testing.assert_allclose(at["survival_low"], observed, atol=1e-10)
    error = np.sqrt(np.exp(-0.03 * times) * (1 - np.exp(-0.03 * times)) / 2000)
    assert (np.abs(at["survival_low"] - np.exp(-0.03 * times)) < 4 * error).all()


@pytest.mark.slow
def test_bootstrap_limits_at_a_visit_are_those_of_a_binomial_share() -> None:
    data = visits_data(5, 300)
    curve = rn.turnbull(data, "Interval(l, r) ~ 1", resamples=400, seed=1)
    row = curve.at(24.0).iloc[0]
    share = row["survival_low"]
    error = np.sqrt(share * (1 - share) / 300)
    assert row["conf_low"] == pytest.approx(share - 1.96 * error, abs=0.35 * error)
    assert row["conf_high"] == pytest.approx(share + 1.96 * error, abs=0.35 * error)
    inside = curve.at(27.0).iloc[0]
    assert inside["conf_low"] < inside["survival_low"] < inside["survival_high"]
    assert inside["conf_low"] == pytest.approx(curve.at(30.0)["conf_low"].iloc[0])
    again = rn.turnbull(data, "Interval(l, r) ~ 1", resamples=400, seed=1)
    pd.testing.assert_frame_equal(again.limits, curve.limits)


def test_few_events_have_no_bootstrap_limits() -> None:
    data = visits_data(1, 60)
    data["r"] = data["r"].where((data["arm"] == "a") | (data.index < 34), np.inf)
    curve = rn.turnbull(data, FORMULA, resamples=50, seed=1)
    assert curve.groups["n_events"].tolist()[1] in range(1, 5)
    assert set(curve.limits["group"]) == {"a"}
    at = curve.at(12.0)
    assert at["conf_low"].isna().tolist() == [False, True]
    assert any("need at least 5 and are not given" in note for note in curve.notes)
    assert rn.turnbull(data, FORMULA).seed is None


def test_an_arm_without_events_and_one_patient() -> None:
    data = visits_data(1, 40)
    data["r"] = data["r"].where(data["arm"] == "a", np.inf)
    curve = rn.turnbull(data, FORMULA)
    assert any("Group b: no event among 20" in note for note in curve.notes)
    last = data.loc[data["arm"] == "b", "l"].max()
    at = curve.at([float(last), float(last) + 1.0])
    assert at[at["group"] == "b"]["survival_low"].tolist() == [1.0, 0.0]
    alone = rn.turnbull({"l": [3.0], "r": [6.0]}, "Interval(l, r) ~ 1")
    assert alone.to_frame()["mass"].tolist() == [1.0]
    assert len(alone.display()) == 1


def test_all_right_censored() -> None:
    curve = rn.turnbull({"l": [3.0, 8.0], "r": [None, None]}, "Interval(l, r) ~ 1")
    assert curve.at(8.0)["survival_low"].tolist() == [1.0]
    assert any("no event among 2" in note for note in curve.notes)
    curve.plot()
    plt.close("all")


@pytest.mark.parametrize(
    ("data", "formula", "options", "error", "message"),
    [
        ({"l": [3.0, 2], "r": [1.0, 4]}, "Interval(l, r) ~ 1", {}, DataError, "after 'r' in row 1"),
        ({"l": [-3.0, 2], "r": [1.0, 4]}, "Interval(l, r) ~ 1", {}, DataError, "negative in row 1"),
        ({"l": ["a", "b"], "r": [1.0, 4]}, "Interval(l, r) ~ 1", {}, ColumnError, "categories"),
        (
            {"l": [None, None], "r": [None, None]},
            "Interval(l, r) ~ 1",
            {},
            ColumnError,
            "no values",
        ),
        ({"l": [1.0], "r": [2.0]}, "Interval(l, right) ~ 1", {}, ColumnError, "no column 'right'"),
        (SIX, "Surv(l, r) ~ 1", {}, FormulaError, "is no interval"),
        (SIX, "Interval(l, r) ~ 1", {"resamples": -1}, OptionError, "resamples"),
        (SIX, "Interval(l, r) ~ 1", {"conf_level": 95}, OptionError, "Write 0.95"),
        (
            {**SIX, "s": [1, 1, 1, 2, 2, 2]},
            "Interval(l, r) ~ strata(s)",
            {},
            FormulaError,
            "groups, not strata",
        ),
    ],
)
def test_what_is_refused(
    data: Any, formula: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        rn.turnbull(data, formula, **options)


def test_groups_of_a_0_1_column_are_no_and_yes_in_the_plot() -> None:
    data = {"l": [1.0, 2, 3, 4], "r": [2.0, 3, None, 6], "g": [0, 0, 1, 1]}
    axes = rn.turnbull(data, "Interval(l, r) ~ g").plot()
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts[:2] == ["no (2 events of 2)", "yes (1 events of 2)"]
    plt.close("all")


def test_the_plot_shades_what_is_not_determined() -> None:
    curve = rn.turnbull(visits_data(2, 80), FORMULA, resamples=30, seed=1)
    axes = curve.plot()
    boxes = curve.to_frame()
    wide = (boxes["left"] < boxes["right"]) & np.isfinite(boxes["right"])
    assert len(axes.collections) == wide.sum()
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "fall somewhere within" in texts
    assert any("bootstrap" in text for text in texts)
    plt.close("all")


def rows_of(data: pd.DataFrame) -> IntervalRows:
    codes, labels = pd.factorize(data["arm"])
    left, right = data["l"].to_numpy(float), data["r"].to_numpy(float)
    return IntervalRows(left, right, codes.astype(np.intp), tuple(labels))


def test_scores_by_hand_and_their_sum() -> None:
    """Masses 4/9, 2/9, 3/9, so that survival is 1, 5/9, 3/9, 0."""
    left, right = np.array([0.0, 0, 6, 0, 12, 12]), np.array([6.0, 6, 12, 12, np.inf, np.inf])
    rows = IntervalRows(left, right, np.zeros(6, dtype=np.intp), ("all",))
    first = -(5 / 9 * np.log(5 / 9)) / (4 / 9)
    second = (5 / 9 * np.log(5 / 9) - 3 / 9 * np.log(3 / 9)) / (2 / 9)
    both = -(3 / 9 * np.log(3 / 9)) / (6 / 9)
    by_hand = [first, first, second, both, np.log(3 / 9), np.log(3 / 9)]
    scores = hazard_scores(rows)
    np.testing.assert_allclose(scores, by_hand, atol=1e-10)
    assert scores.sum() == pytest.approx(0.0, abs=1e-10)


def test_the_test_is_near_the_log_rank_test_for_exact_times() -> None:
    data = read("veteran.csv")
    data = data.assign(l=data["time"], r=np.where(data["status"] == 1, data["time"], np.inf))
    found = rn.turnbull(data, "Interval(l, r) ~ celltype").test(resamples=999, seed=1)
    known = rn.logrank(data, "Surv(time, status) ~ celltype", method="permutation", seed=1)
    assert found.df == 3
    assert found.statistic == pytest.approx(known.statistic, rel=0.15)
    assert found.table["score"].sum() == pytest.approx(0.0, abs=1e-8)
    sign = np.sign(known.to_frame()["observed"] - known.to_frame()["expected"])
    np.testing.assert_array_equal(np.sign(found.table["score"]), sign)
    assert found.p_value == pytest.approx(1 / 1000)


@pytest.mark.slow
def test_the_permutation_p_is_uniform_under_no_difference() -> None:
    p = [
        rn.turnbull(visits_data(s, 60), FORMULA).test(resamples=199, seed=s).p_value
        for s in range(60)
    ]
    assert 0.35 < np.mean(p) < 0.65
    assert np.mean(np.array(p) <= 0.1) < 0.25


def test_arms_of_the_same_patients_have_a_permutation_p_of_one() -> None:
    # scores of 0 in floating point, where other relabellings may be nearer to it
    data = {"l": 4 * [12.0, 0, 3], "r": 4 * [15.0, 3, 9], "arm": 2 * list("aaabbb")}
    assert rn.turnbull(data, FORMULA).test(resamples=199, seed=1).p_value == 1.0


def test_what_the_test_refuses() -> None:
    with pytest.raises(DataError, match="at least two groups"):
        rn.turnbull(SIX, "Interval(l, r) ~ 1").test()
    none = {"l": [1.0, 2, 3, 4], "r": [None] * 4, "arm": list("aabb")}
    with pytest.raises(TooFewEventsError, match="no event"):
        rn.turnbull(none, FORMULA).test()
    result = rn.turnbull(visits_data(1, 30), FORMULA)
    with pytest.raises(DataNotKeptError):
        type(result).from_dict(result.to_dict()).test()
    same = {"l": [0.0] * 4, "r": [6.0] * 4, "arm": list("aabb")}
    assert rn.turnbull(same, FORMULA).test(resamples=19, seed=1).p_value == 1.0


@pytest.mark.parametrize(("chemo", "masses"), [(0, RT_MASSES), (1, RCT_MASSES)])
def test_published_masses_of_the_cosmesis_data(chemo: int, masses: Any) -> None:
    data = cosmesis()
    frame = rn.turnbull(data[data["chemo"] == chemo], "Interval(l, r) ~ 1").to_frame()
    found = {(row["left"], row["right"]): round(row["mass"], 4) for row in frame.to_dict("records")}
    assert found == masses


def test_rows_that_say_nothing_can_still_be_drawn() -> None:
    nothing = {"left": [0.0, 0.0], "right": [np.inf, np.inf]}
    axes = rn.turnbull(nothing, "Interval(left, right) ~ 1").plot()
    assert axes.get_xlim() == (0.0, 1.0)
    plt.close(axes.figure)


def test_a_handful_of_resamples_gives_no_limits() -> None:
    data = {"left": [0.0, 2.0, 4.0], "right": [3.0, 5.0, np.inf]}
    with pytest.raises(OptionError, match="resamples=19 are too few for limits"):
        rn.turnbull(data, "Interval(left, right) ~ 1", resamples=19)
