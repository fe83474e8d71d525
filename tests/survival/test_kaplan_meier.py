from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import DataError, FormulaError, OptionError
from rnetstats.survival.kaplan_meier import KaplanMeierResult
from support import assert_close, case, case_ids, read
from survival_cases import curve_case

SCALES = {"plain": "plain", "log": "log", "log-log": "loglog"}
PUBLIC = [name for name in case_ids("kaplan_meier") if name != "lung_fractional_weights_greenwood"]


def fitted(name, **options):
    made = curve_case(case("kaplan_meier", name))
    if name == "lung_integer_weights":
        options["freq_weights"] = made.weights
    if name == "lung_fractional_weights_robust":
        options["sampling_weights"] = made.weights
    return rn.kaplan_meier(made.data, made.formula, **options)


@pytest.mark.parametrize("ci", SCALES)
@pytest.mark.parametrize("name", PUBLIC)
def test_result_gives_the_reference_curves(name, ci):
    values, key = case("kaplan_meier", name)["values"], SCALES[ci]
    result = fitted(name, ci=ci)
    frame, at = result.to_frame(), result.at(at_times(values), extend=True)
    for label in values["groups"]:
        group = label.partition("=")[2] or "all"
        found, want = frame[frame["group"] == group], values["curve"][label]
        for column, field in {
            "time": "time",
            "n_risk": "n_risk",
            "n_event": "n_event",
            "n_censor": "n_censor",
            "survival": "surv",
        }.items():
            assert_close(found[column], want[field])
        hazard = result.cumulative_hazard()
        hazard = hazard[hazard["group"] == group]
        assert_close(hazard["hazard"], want["cumhaz"])
        assert_close(hazard["std_error"], want["std_err_cumhaz"])
        here, points = at[at["group"] == group], values["at_times"][label]
        assert_close(here["n_risk"], points["n_risk"])
        assert_close(here["survival"], points["surv"])
        if not any(want["n_event"]):
            # R prints 1 to 1 with an error of 0; here an arm without events has neither
            assert found[["std_error", "conf_low", "conf_high"]].isna().all(axis=None)
            assert here[["std_error", "conf_low", "conf_high"]].iloc[1:].isna().all(axis=None)
            continue
        assert_close(found["std_error"], want["std_err_surv"])
        assert_close(found["conf_low"], want[f"ci_{key}_lower"])
        assert_close(found["conf_high"], want[f"ci_{key}_upper"])
        assert_close(here["std_error"], points["std_err_surv"])
        assert_close(here["conf_low"], points[f"ci_{key}_lower"])
        assert_close(here["conf_high"], points[f"ci_{key}_upper"])


def at_times(values):
    return next(iter(values["at_times"].values()))["time"]


@pytest.mark.parametrize(
    "name", [n for n in PUBLIC if "reverse_km" in str(list(case("kaplan_meier", n)["values"]))]
)
def test_reverse_curves_give_the_follow_up_of_the_reference(name):
    values = case("kaplan_meier", name)["values"]["reverse_km_follow_up_quantiles"]
    for ci, key in SCALES.items():
        frame = fitted(name, ci=ci, reverse=True).quantile()
        for label, by_scale in values.items():
            found = frame[frame["group"] == (label.partition("=")[2] or "all")]
            assert_close(found["estimate"], by_scale[key]["estimate"])
            assert_close(found["conf_low"], by_scale[key]["lower"])
            assert_close(found["conf_high"], by_scale[key]["upper"])


def test_number_at_risk_is_counted_just_before_the_time():
    # 527 patients in whole months: 450 reach month 24, 11 of them leave in it; a count at the end
    # of the interval would print 439
    stop = np.repeat([10.0, 24.0, 60.0], [77, 11, 439])
    data = {"t": stop, "e": np.zeros(527, int)}
    table = rn.kaplan_meier(data, "Surv(t, e) ~ 1").risk_table([0, 24, 24.5, 60, 61])
    assert table["n_risk"].tolist() == [527, 450, 439, 439, 0]
    assert table["n_censor"].tolist() == [0, 77, 88, 88, 527]
    assert table["n_event"].tolist() == [0] * 5


def test_number_at_risk_with_late_entry_leaves_out_those_entering_at_the_time():
    heart = read("heart.csv")
    times = [5.0, 16.0, 100.0, 365.0]
    table = rn.kaplan_meier(heart, "Surv(start, stop, event) ~ transplant").risk_table(times)
    for row in table.to_dict("records"):
        mine = heart[heart["transplant"] == int(row["group"])]
        inside = (mine["start"] < row["time"]) & (row["time"] <= mine["stop"])
        assert row["n_risk"] == inside.sum()
    at_own_entry = ((heart["start"] <= 5) & (heart["stop"] >= 5) & (heart["transplant"] == 1)).sum()
    assert at_own_entry > table.loc[table["group"].eq("1") & table["time"].eq(5), "n_risk"].item()


def test_those_who_start_at_0_are_at_risk_at_0():
    data = pd.DataFrame({"s": [0, 0, 0, 2], "t": [1, 3, 4, 5], "e": [1, 2, 0, 1]})
    single = data.assign(e=(data["e"] == 1).astype(int))
    curves = rn.kaplan_meier(single, "Surv(s, t, e) ~ 1")
    assert curves.risk_table([0, 1, 2, 3])["n_risk"].tolist() == [3, 3, 2, 3]
    assert curves.at(0)["n_risk"].tolist() == [3]
    causes = rn.cumulative_incidence(data, "Surv(s, t, e) ~ 1")
    assert causes.risk_table([0, 3])["n_risk"].tolist() == [3, 3]
    from_0 = rn.kaplan_meier(single.assign(s=0), "Surv(s, t, e) ~ 1")
    everybody = rn.kaplan_meier(single, "Surv(t, e) ~ 1")
    times = [0, 1, 2.5, 5]
    pd.testing.assert_frame_equal(from_0.risk_table(times), everybody.risk_table(times))


def test_an_arm_without_events_gets_a_bound_or_none():
    data = read("rnet_like_b.csv")
    formula = "Surv(dfs_months, recurrence) ~ method"
    for ci in SCALES:
        result = rn.kaplan_meier(data, formula, ci=ci)
        arm = result.to_frame().query("group == 'ESD'")
        assert arm["survival"].eq(1.0).all()
        assert arm[["std_error", "conf_low", "conf_high"]].isna().all(axis=None)
        assert any("ESD: no event" in note and "bpcp" in note for note in result.notes)
        assert result.at(60).query("group == 'ESD'")["conf_low"].isna().all()
    bounds = rn.kaplan_meier(data, formula, ci="bpcp").at([0, 12, 60]).query("group == 'ESD'")
    n = data.query("method == 'ESD'")["dfs_months"]
    left = [len(n), (n > 12).sum(), (n > 60).sum()]
    assert_close(bounds["conf_low"], 0.025 ** (1 / np.array(left)))
    assert bounds["conf_high"].tolist() == [1.0] * 3


def test_missing_limits_are_explained():
    result = rn.kaplan_meier({"t": [1, 2, 3], "e": [0, 1, 1]}, "Surv(t, e) ~ 1")
    text = " ".join(result.notes)
    assert "before the first event, at 2" in text
    assert "reaches 0 at 3" in text
    late = {"s": [0, 0, 2], "t": [1, 1, 5], "e": [1, 1, 0]}
    result = rn.kaplan_meier(late, "Surv(s, t, e) ~ 1", ci="plain")
    assert any("still to enter" in note for note in result.notes)


def test_rows_of_sampling_weight_0_are_counted_in_a_note():
    data = {"t": [1, 2, 3, 4, 5], "e": [1, 0, 1, 1, 0], "w": [0, 1.5, 0.5, 2, 0]}
    formula = "Surv(t, e) ~ 1"
    for result in (
        rn.kaplan_meier(data, formula, sampling_weights="w"),
        rn.rmst(data, formula, tau=3, sampling_weights="w"),
        rn.milestone(data, formula, times=3, sampling_weights="w"),
    ):
        assert "2 of 5 rows left out for a sampling weight of 0." in result.notes
    all_used = rn.kaplan_meier(data, formula, sampling_weights=[1, 1.5, 0.5, 2, 1])
    assert not any("left out" in note for note in all_used.notes)


def test_every_curve_says_that_it_ended_before_others_entered():
    late = {"s": [0, 0, 2, 2, 2], "t": [1, 1, 5, 6, 7], "e": [1, 1, 1, 0, 0], "g": list("aabab")}
    formula = "Surv(s, t, e) ~ 1"
    for result in (
        rn.kaplan_meier(late, formula),
        rn.rmst(late, formula, tau=4),
        rn.milestone(late, formula, times=[3, 4]),
        rn.cumulative_incidence(late, formula),
    ):
        assert sum("everybody at risk at 1 had the event" in note for note in result.notes) == 1
    for result in (rn.rmst(late, formula, tau=1), rn.milestone(late, formula, times=[0.5, 1])):
        assert not any("still to enter" in note for note in result.notes)
    groups = rn.rmst(late, "Surv(s, t, e) ~ g", tau=4).notes
    assert sum("still to enter" in note for note in groups) == 1
    assert any(note.startswith("a: everybody at risk at 1") for note in groups)


def test_values_past_the_last_time_are_missing_unless_carried():
    result = rn.kaplan_meier({"t": [1, 2, 3], "e": [1, 0, 0]}, "Surv(t, e) ~ 1")
    plain, carried = result.at([3, 4]), result.at([3, 4], extend=True)
    assert plain["beyond"].tolist() == [False, True]
    assert plain["survival"].isna().tolist() == [False, True]
    assert_close(carried["survival"], [2 / 3, 2 / 3])
    ended = rn.kaplan_meier({"t": [1, 2], "e": [1, 1]}, "Surv(t, e) ~ 1").at(9)
    assert ended["survival"].tolist() == [0.0]


def test_quantiles_take_the_middle_of_a_flat_piece():
    data = read("toy_km_flat_median.csv")
    median = rn.kaplan_meier(data, "Surv(time, status) ~ 1").median
    assert median["estimate"].tolist() == [4.0]
    assert median.columns.tolist() == ["group", "q", "estimate", "conf_low", "conf_high"]


def test_cluster_gives_robust_errors():
    data = read("lung.csv")
    twice = pd.concat([data, data], ignore_index=True).assign(id=np.tile(np.arange(len(data)), 2))
    formula = "Surv(time, status == 2) ~ sex"
    one = rn.kaplan_meier(data, formula, sampling_weights=np.ones(len(data))).to_frame()
    two = rn.kaplan_meier(twice, f"{formula} + cluster(id)").to_frame()
    assert_close(two["std_error"], one["std_error"].to_numpy())
    naive = rn.kaplan_meier(twice, formula).to_frame()
    assert np.nanmax(np.abs(naive["std_error"] - two["std_error"])) > 0.01


def test_rows_left_out_are_reported():
    data = read("lung.csv")
    gap = data.assign(sex=data["sex"].where(data.index != 3))
    result = rn.kaplan_meier(gap, "Surv(time, status == 2) ~ sex")
    assert result.n_missing == 1
    assert result.glance()["n_missing"].item() == 1
    assert result.glance()["n"].item() == 227
    assert any("sex" in note for note in result.notes)


def test_results_survive_json():
    result = fitted("heart_start_stop")
    again = KaplanMeierResult.from_dict(json.loads(json.dumps(result.to_dict(), allow_nan=False)))
    pd.testing.assert_frame_equal(again.to_frame(), result.to_frame(), check_dtype=False)
    pd.testing.assert_frame_equal(again.at([5, 100]), result.at([5, 100]), check_dtype=False)
    pd.testing.assert_frame_equal(again.quantile(), result.quantile(), check_dtype=False)
    assert "not reached" in fitted("rnet_a_dfs").display().to_string()


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"ci": "loglog"}, OptionError, "log-log"),
        ({"conf_level": 95}, OptionError, "0.95"),
        ({"mid_p": True}, OptionError, "bpcp"),
        ({"mid_p": "yes"}, OptionError, "True or False"),
        ({"reverse": [True]}, OptionError, "True or False"),
        ({"ci": "bpcp", "sampling_weights": [1.0, 2.0, 1.0]}, OptionError, "sampling_weights"),
        ({"freq_weights": [1, 2, 1], "sampling_weights": [1, 2, 1]}, OptionError, "not both"),
        ({"freq_weights": [1.5, 1, 1]}, DataError, "whole"),
        ({"missing": "impute"}, OptionError, "drop"),
    ],
)
def test_options_that_cannot_be(options, error, words):
    with pytest.raises(error, match=words):
        rn.kaplan_meier({"t": [1, 2, 3], "e": [1, 0, 1]}, "Surv(t, e) ~ 1", **options)


@pytest.mark.parametrize(
    ("data", "formula", "error", "words"),
    [
        ({"t": [1, 2], "e": [0, 2]}, "Surv(t, e) ~ 1", DataError, "0 or 1"),
        ({"t": [1, -2], "e": [0, 1]}, "Surv(t, e) ~ 1", DataError, "negative"),
        (
            {"t": [1, 2], "e": [0, 1], "g": [1, 2]},
            "Surv(t, e) ~ 1 + strata(g)",
            FormulaError,
            "strata",
        ),
        ({"s": [0, 2], "t": [1, 2], "e": [0, 1]}, "Surv(s, t, e) ~ 1", DataError, "before"),
        ({"t": [1, 2, 3], "e": [0, 1, 1], "x": [1.5, 2, 3]}, "Surv(t, e) ~ x", DataError, "I\\(x"),
    ],
)
def test_data_that_cannot_be(data, formula, error, words):
    with pytest.raises(error, match=words):
        rn.kaplan_meier(data, formula)


def test_bpcp_refuses_late_entry():
    data = {"s": [0, 0], "t": [1, 2], "e": [0, 1]}
    with pytest.raises(OptionError, match="late entry"):
        rn.kaplan_meier(data, "Surv(s, t, e) ~ 1", ci="bpcp")


@pytest.mark.parametrize("times", [[-1.0], [np.nan], ["x"], [], [[1.0]]])
def test_times_that_cannot_be(times):
    result = rn.kaplan_meier({"t": [1, 2], "e": [0, 1]}, "Surv(t, e) ~ 1")
    with pytest.raises(OptionError, match="times"):
        result.at(times)
    with pytest.raises(OptionError, match="times"):
        result.risk_table(times)


def test_time_zero_is_allowed_and_noted():
    result = rn.kaplan_meier({"t": [0, 0, 2], "e": [1, 0, 1]}, "Surv(t, e) ~ 1", ci="bpcp")
    assert_close(result.to_frame()["survival"], [2 / 3, 0.0])
    assert result.risk_table(0)["n_risk"].tolist() == [3]
    assert any("= 0" in note for note in result.notes)


people = st.lists(
    st.tuples(st.integers(0, 20), st.booleans(), st.sampled_from("abc")), min_size=3, max_size=30
).filter(lambda rows: len({g for _, _, g in rows}) > 1)


@given(people, st.randoms())
def test_names_and_order_of_groups_and_rows_change_no_number(rows, random):
    data = pd.DataFrame(rows, columns=["t", "e", "g"])
    one = rn.kaplan_meier(data, "Surv(t, e) ~ g", ci="bpcp").to_frame()
    names = {"a": "z", "b": "y", "c": "x"}
    order = random.sample(range(len(data)), len(data))
    other = data.iloc[order].assign(g=lambda d: d["g"].map(names))
    two = rn.kaplan_meier(other, "Surv(t, e) ~ g", ci="bpcp").to_frame()
    two["group"] = two["group"].map({v: k for k, v in names.items()})
    two = two.sort_values(["group", "time"], ignore_index=True)
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize("ci", ["plain", "log"])
def test_limits_of_one_before_the_first_event_are_said_to_be_no_certainty(ci: str) -> None:
    data = {"t": [1.0, 2.0, 3.0, 4.0, 1.0, 3.0], "e": [0, 1, 0, 1, 1, 0], "g": list("aaaabb")}
    fit = rn.kaplan_meier(data, "Surv(t, e) ~ g", ci=ci)
    first = fit.to_frame().iloc[0]
    assert (first["conf_low"], first["conf_high"]) == (1.0, 1.0)
    told = [note for note in fit.notes if "no statement of certainty" in note]
    assert len(told) == 1, "group b has its event at its first time"
    assert told[0].startswith("a: before the first event, at 2, ")
    assert "ci='bpcp'" in told[0]
    for other in ("log-log", "bpcp"):
        notes = rn.kaplan_meier(data, "Surv(t, e) ~ g", ci=other).notes
        assert not any("certainty" in note for note in notes)


def test_whole_counts_are_whole_numbers() -> None:
    data = {"t": [1.0, 2.0, 3.0], "e": [0, 1, 1], "w": [1.0, 2.0, 3.0], "h": [1.0, 0.5, 2.0]}
    for weights in ({}, {"freq_weights": "w"}):
        row = rn.kaplan_meier(data, "Surv(t, e) ~ 1", **weights).glance()
        assert row["n"].dtype.kind == row["n_events"].dtype.kind == "i", weights
    row = rn.kaplan_meier(data, "Surv(t, e) ~ 1", sampling_weights="h").glance()
    assert (row["n"].item(), row["n_events"].item()) == (3.5, 2.5)


def test_bpcp_says_why_a_standard_error_is_missing():
    data = {"t": [1, 2, 3, 1, 2, 3], "e": [1, 1, 1, 0, 0, 0], "g": list("aaabbb")}
    found = rn.kaplan_meier(data, "Surv(t, e) ~ g", ci="bpcp")
    assert found.to_frame()["std_error"].isna().tolist() == [False, False, True, True, True, True]
    assert any(
        n == "a: the curve reaches 0 at 3; no standard error is defined from there."
        for n in found.notes
    )
    assert any(n.startswith("b: no event") and "exact bounds" in n for n in found.notes)
