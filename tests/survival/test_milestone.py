from __future__ import annotations

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import DataError, DataNotKeptError, FormulaError, OptionError
from rnetstats.survival.milestone import MilestoneResult
from support import assert_close, case, read

DFS = "Surv(dfs_months, dfs_event) ~ margin_positive"
RARE = "Surv(dfs_months, recurrence) ~ margin_positive"


@pytest.fixture(scope="module")
def cohort():
    return rn.load_cohort("duan2024")


@pytest.mark.parametrize("ci", ["log-log", "plain", "bpcp"])
def test_groups_are_those_of_the_curves(cohort, ci):
    times = [10.0, 36.0, 59.95]
    found = rn.milestone(cohort, DFS, times=times, ci=ci).to_frame()
    found = found.sort_values(["group", "time"])
    want = rn.kaplan_meier(cohort, DFS, ci=ci).at(times)
    for column, other in (
        ("n_risk", "n_risk"),
        ("estimate", "survival"),
        ("std_error", "std_error"),
        ("conf_low", "conf_low"),
        ("conf_high", "conf_high"),
    ):
        assert_close(found[column], want[other].to_numpy())


def test_differences_worked_by_hand():
    # group a: 1 - 1/4 = 3/4 at 3; group b: (1 - 1/4)(1 - 1/3) = 1/2
    data = {"t": [1, 4, 5, 6, 1, 2, 4, 5], "e": [1, 0, 0, 0, 1, 1, 0, 0], "g": list("aaaabbbb")}
    found = rn.milestone(data, "Surv(t, e) ~ g", times=3, ci="plain").contrasts()
    errors = np.sqrt([0.75 * 0.25 / 4, 0.5 * 0.5 / 4])  # without censoring, binomial
    gap, ratio = found.iloc[0], found.iloc[1]
    reach = 1.959963984540054 * np.hypot(*errors)
    assert_close(gap[["estimate", "conf_low", "conf_high"]], [-0.25, -0.25 - reach, -0.25 + reach])
    reach = 1.959963984540054 * np.hypot(errors[0] / 0.75, errors[1] / 0.5)
    want = np.array([1, np.exp(-reach), np.exp(reach)]) * (2 / 3)
    assert_close(ratio[["estimate", "conf_low", "conf_high"]], want)
    hazards = rn.milestone(data, "Surv(t, e) ~ g", times=3, ci="log-log").contrasts().iloc[2]
    assert hazards["measure"] == "cumulative hazard ratio"
    assert_close(hazards["estimate"], np.log(0.5) / np.log(0.75))
    error = np.hypot(errors[0] / 0.75 / np.log(0.75), errors[1] / 0.5 / np.log(0.5))
    assert_close(hazards["conf_low"], hazards["estimate"] * np.exp(-1.959963984540054 * error))


def test_risk_mirrors_survival(cohort):
    for ci in ("auto", "plain", "log-log", "bpcp"):
        one, two = (
            rn.milestone(cohort, RARE, times=[24, 60], ci=ci, scale=scale)
            for scale in ("survival", "risk")
        )
        assert_close(two.to_frame()["conf_low"], 1 - one.to_frame()["conf_high"])
        gaps = [
            r.contrasts().query("measure.str.endswith('difference')").reset_index(drop=True)
            for r in (one, two)
        ]
        assert_close(gaps[1]["estimate"], -gaps[0]["estimate"], floor=1e-12)
        assert_close(gaps[1]["conf_high"], -gaps[0]["conf_low"], floor=1e-12)
        assert_close(gaps[1]["p_value"], gaps[0]["p_value"], rel=1e-6)


def test_few_events_take_beta_product_limits(cohort):
    found = rn.milestone(cohort, RARE, times=[36, 60])
    frame = found.to_frame()
    assert frame["n_events"].tolist()[:2] == [0, 4]
    assert set(frame["method"]) == {"beta product"}
    assert (frame["conf_low"] < frame["conf_high"]).all()
    assert any("fewer than 5 events in 0 (0), 1 (4)" in note for note in found.notes)
    assert set(rn.milestone(cohort, DFS, times=36).to_frame()["method"]) == {"log-log"}
    plain = rn.milestone(cohort, RARE, times=36, ci="plain")
    assert plain.to_frame()["conf_low"].isna().tolist() == [True, False]
    assert plain.contrasts()["p_value"].isna().all()
    assert any("no event" in note for note in plain.notes)


def test_no_event_in_either_arm():
    data = read("rnet_zero_events.csv")
    found = rn.milestone(data, RARE, times=24, scale="risk")
    assert (found.to_frame()["estimate"] == 0.0).all()
    assert (found.to_frame()["conf_high"] > 0.0).all()
    gap, ratio = (row for _, row in found.contrasts().iterrows())
    assert gap["conf_low"] < 0 < gap["conf_high"]
    assert gap["p_value"] == 1.0
    assert np.isnan(ratio["estimate"])
    assert ratio[["conf_low", "conf_high"]].tolist() == [0.0, np.inf]


def test_everybody_has_the_event_in_one_arm():
    data = {"t": [1, 2, 3, 1, 7, 8], "e": [1, 1, 1, 1, 0, 0], "g": list("aaabbb")}
    found = rn.milestone(data, "Surv(t, e) ~ g", times=5)
    row = found.to_frame().iloc[0]
    assert (row["estimate"], row["n_risk"], row["conf_low"]) == (0.0, 0, 0.0)
    assert 0.0 < row["conf_high"] < 1.0
    plain = rn.milestone(data, "Surv(t, e) ~ g", times=5, ci="log-log")
    assert any("has reached 0" in note for note in plain.notes)
    assert plain.to_frame()["conf_low"].isna().tolist() == [True, False]


def test_a_group_of_one(cohort):
    data = {"t": [9, 1, 2, 4, 5], "e": [0, 1, 0, 1, 0], "g": list("abbbb")}
    row = rn.milestone(data, "Surv(t, e) ~ g", times=3).to_frame().iloc[0]
    assert_close(row[["estimate", "conf_low", "conf_high"]], [1.0, 0.025, 1.0])


def test_numbers_at_risk_are_just_before_the_time():
    data = {"t": [1.0, 3, 3, 4], "e": [1, 1, 0, 0]}
    frame = rn.milestone(data, "Surv(t, e) ~ 1", times=[3, 3.5]).to_frame()
    assert frame["n_risk"].tolist() == [3, 1]
    assert frame["n_events"].tolist() == [2, 2]
    late = {"a": [0, 2, 0.0], "t": [4.0, 5, 2], "e": [0, 0, 1]}
    frame = rn.milestone(late, "Surv(a, t, e) ~ 1", times=[2, 3]).to_frame()
    assert frame["n_risk"].tolist() == [2, 2]


def test_times_past_the_follow_up_name_the_largest():
    data = {"t": [1, 2, 3, 1, 7, 8], "e": [1, 1, 0, 1, 0, 0], "g": list("aaabbb")}
    with pytest.raises(DataError, match=r"group 'a', which ends at 3; .* is 3"):
        rn.milestone(data, "Surv(t, e) ~ g", times=[2, 5])
    data["e"][2] = 1
    assert rn.milestone(data, "Surv(t, e) ~ g", times=5).to_frame()["estimate"].iloc[0] == 0.0
    for times in (0, -1, [], "x", [float("nan")]):
        with pytest.raises(OptionError, match="times"):
            rn.milestone(data, "Surv(t, e) ~ g", times=times)


def test_frequency_weights_are_replicated_rows(cohort):
    data = cohort.assign(w=1 + cohort["age"].astype(int) % 3)
    written = data.loc[np.repeat(data.index, data["w"])]
    for ci in ("log-log", "bpcp"):
        one = rn.milestone(data, DFS, times=36, ci=ci, freq_weights="w")
        two = rn.milestone(written, DFS, times=36, ci=ci)
        columns = ["n", "n_risk", "n_events", "estimate", "std_error", "conf_low", "conf_high"]
        assert_close(one.to_frame()[columns], two.to_frame()[columns].to_numpy())
        columns = ["estimate", "conf_low", "conf_high", "p_value"]
        assert_close(one.contrasts()[columns], two.contrasts()[columns].to_numpy(), rel=1e-7)


def test_pseudo_values_are_those_of_r():
    reference = case("rmst", "rnet_a_pseudo")
    values, data = reference["values"], read(reference["data"])
    times = values["times"]
    found = rn.milestone(data, "Surv(dfs_months, recurrence) ~ 1", times=times).pseudo_values()
    wide = found.pivot(index="row", columns="time", values="pseudo_value").to_numpy()
    assert_close(wide[:10], values["pseudosurv_first10"])
    assert_close(wide.mean(axis=0), values["pseudosurv_mean"])
    assert_close((wide**2).sum(axis=0), values["pseudosurv_sum_squares"])


def test_what_does_not_go_together_is_refused(cohort):
    with pytest.raises(OptionError, match="bpcp"):
        rn.milestone(cohort, DFS + " + cluster(centre)", times=36, ci="bpcp")
    with pytest.raises(FormulaError, match="strata"):
        rn.milestone(cohort, DFS + " + strata(sex)", times=36)
    for options in ({"ci": "exact"}, {"scale": "hazard"}, {"conf_level": 2}):
        with pytest.raises(OptionError):
            rn.milestone(cohort, DFS, times=36, **options)
    clustered = rn.milestone(cohort, RARE + " + cluster(centre)", times=36)
    assert clustered.to_frame()["method"].tolist() == ["none", "log-log"]
    with pytest.raises(OptionError, match="Pseudo-values"):
        clustered.pseudo_values()


def test_json_and_figure(cohort):
    found = rn.milestone(cohort, DFS, times=[12, 36, 60])
    again = MilestoneResult.from_dict(json.loads(json.dumps(found.to_dict())))
    pd.testing.assert_frame_equal(again.contrasts(), found.contrasts())
    with pytest.raises(DataNotKeptError):
        again.pseudo_values()
    axes = again.plot()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["12", "36", "60"]
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["no", "yes"]
    assert legend.get_title().get_text() == "Positive margin"
    axes.figure.canvas.draw()  # the legend covers no interval
    assert legend.get_window_extent().x0 >= axes.get_window_extent().x1
    plt.close("all")


def test_one_curve(cohort):
    found = rn.milestone(cohort, "Surv(dfs_months, dfs_event) ~ 1", times=36)
    assert found.contrasts().empty
    assert "P" not in found.display().columns


def test_a_curve_that_reached_zero():
    data = {"t": [1, 2, 3, 4, 2, 3, 5, 6], "e": [1, 1, 1, 1, 1, 0, 0, 1], "g": list("bbbbaaaa")}
    for ci in ("auto", "plain", "log-log"):
        found = rn.milestone(data, "Surv(t, e) ~ g", times=4.5, ci=ci)
        assert np.isnan(found.to_frame()["std_error"].iloc[1])
        assert any("b at 4.5: the curve has reached 0" in note for note in found.notes)
    ratio = rn.milestone(data, "Surv(t, e) ~ g", times=4.5).contrasts().iloc[1]
    assert ratio["conf_low"] == 0.0 and not np.signbit(ratio["conf_low"])
    assert ratio["conf_high"] > 0.0


@pytest.mark.parametrize("times", [True, "20", None, [12, True], ["12"], [12, None]])
def test_times_that_are_no_numbers(cohort, times):
    with pytest.raises(OptionError, match="times must be a number or a list of numbers, not"):
        rn.milestone(cohort, DFS, times=times)
