"""Schedules of visits: cells by hand, biases of known size, and a cohort moved by hand."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import DataError, FormulaError, OptionError, TooFewEventsError
from rnetstats.treatment.schedule_cells import arm_cells, draw_counts, joined
from rnetstats.treatment.schedule_fits import AS_EXACT, COX, TURNBULL, WEIBULL
from rnetstats.treatment.schedule_simulation import simulate

VISITS = {"sparse": 12, "dense": 3}


def cells(sensitivity: float = 1.0, **options: Any) -> Any:
    settings: dict[str, Any] = {"hazard": 0.02, "shape": 1.0, "arm": 0}
    visits, end = np.array([10.0, 20.0]), np.array([25.0])
    return arm_cells(visits, end, np.ones(1), sensitivity=sensitivity, **{**settings, **options})


def test_cells_by_hand() -> None:
    made = cells()
    assert made.left.tolist() == [0, 10, 20]
    assert made.right.tolist() == [10, 20, np.inf]
    assert made.stop.tolist() == [10, 20, 25]
    s = np.exp(-0.02 * np.array([10.0, 20.0]))
    np.testing.assert_allclose(made.probability, [1 - s[0], s[0] - s[1], s[1]], atol=1e-14)
    # an exponential time within (0, 10]: its mean is 1/h - 10 / (exp(10 h) - 1)
    mean = 1 / 0.02 - 10 / np.expm1(0.2)
    assert made.delay[0] == pytest.approx(10 - mean, abs=1e-10)


def test_a_visit_that_misses_half() -> None:
    made = cells(0.5)
    s = np.exp(-0.02 * np.array([10.0, 20.0]))
    first, second = 1 - s[0], s[0] - s[1]
    np.testing.assert_allclose(made.probability[:2], [first / 2, first / 4 + second / 2])
    assert made.probability.sum() == pytest.approx(1.0, abs=1e-14)


def test_several_ends_of_follow_up_share_the_patients() -> None:
    made = arm_cells(
        np.array([10.0, 20.0]),
        np.array([15.0, 25.0]),
        np.array([0.75, 0.25]),
        hazard=0.02,
        shape=1.4,
        sensitivity=1.0,
        arm=1,
    )
    assert made.probability.sum() == pytest.approx(1.0)
    survival = np.exp(-(np.array([0.2, 0.4]) ** 1.4))
    detected = 0.75 * (1 - survival[0]) + 0.25 * (1 - survival[1])
    assert made.probability[made.event].sum() == pytest.approx(detected)


def test_an_end_of_follow_up_given_twice_counts_twice() -> None:
    ends = [12.0, 60.0, 36.0, 60.0, 60.0]
    found = simulate(VISITS, follow_up=ends, replicates=2, n=50, seed=1)
    arms = found.arms.set_index("arm")
    happened = -np.expm1(-0.02 * np.array(ends))
    assert arms["events"].to_numpy() == pytest.approx([happened.mean()] * 2)
    assert arms.loc["sparse", "detected"] == pytest.approx(happened.mean())
    assert found.options["follow_up"] == sorted(ends)
    again = simulate(VISITS, follow_up=[*ends, *ends], replicates=2, n=50, seed=1)
    pd.testing.assert_frame_equal(again.to_frame(), found.to_frame())


def test_drawn_counts_have_the_cells_probabilities_and_are_prefixes() -> None:
    both = joined([cells(), cells(hazard=0.05, arm=1)])
    counts = draw_counts(both, [100, 300], 400, 1)
    np.testing.assert_array_equal(draw_counts(both, [100, 300], 7, 1), counts[:7])
    assert (counts[:, both.arm == 1].sum(axis=1) == 300).all()
    share = counts[:, both.arm == 1].mean(axis=0) / 300
    expected = both.probability[both.arm == 1]
    assert (np.abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / 120_000)).all()


def test_denser_visits_bias_times_of_detection_and_not_intervals() -> None:
    found = simulate(VISITS, n=700, replicates=60, seed=3)
    table = found.table.set_index(["analysis", "measure"])
    naive = table.loc[(AS_EXACT, "HR")]
    assert np.log(naive["estimate"]) > 6 * naive["mcse"]
    assert naive["rejected"] > 0.1
    for name in (WEIBULL, COX):
        row = table.loc[(name, "HR")]
        assert abs(np.log(row["estimate"])) < 3 * row["mcse"]
        assert row["rejected"] < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)
    at = "risk difference at 60"
    for name in (AS_EXACT, WEIBULL, TURNBULL):
        row = table.loc[(name, at)]
        assert abs(row["estimate"]) < 3 * row["mcse"]
    # at a visit of both arms the analyses of the risk have the same data
    assert table.loc[(AS_EXACT, at), "estimate"] == pytest.approx(
        table.loc[(TURNBULL, at), "estimate"], abs=1e-9
    )
    delay = found.arms["mean_delay"]
    assert delay[0] == pytest.approx(6.2, abs=0.1) and delay[1] == pytest.approx(1.5, abs=0.05)
    assert found.lead_time == pytest.approx(delay[1] - delay[0])


def test_equal_visits_bias_nothing_and_a_true_difference_is_found() -> None:
    same = simulate({"a": 6, "b": 6}, hazard={"a": 0.02, "b": 0.03}, replicates=40, seed=1)
    ratio = same.table[same.table["measure"] == "HR"]
    assert same.lead_time == pytest.approx(0.0, abs=0.4)
    np.testing.assert_allclose(ratio["truth"], 1.5)
    assert (np.abs(np.log(ratio["estimate"] / 1.5))[1:] < 3 * ratio["mcse"][1:]).all()
    assert (ratio["rejected"] > 0.9).all()


def test_options_and_notes_of_the_simulation() -> None:
    found = simulate(
        VISITS, n=60, follow_up=[30, 50], sensitivity=0.8, horizon=20, replicates=5, seed=1
    )
    assert TURNBULL not in set(found.table["analysis"])
    assert any("finds 80 %" in note for note in found.notes)
    assert any("no visit of both arms" in note for note in found.notes)
    again = rn.schedule_sensitivity(
        visits=VISITS, n=60, follow_up=[30, 50], sensitivity=0.8, horizon=20, replicates=5, seed=1
    )
    pd.testing.assert_frame_equal(again.table, found.table)
    few = simulate(VISITS, n=5, hazard=0.002, replicates=10, seed=1)
    assert any("no finite estimate" in note for note in few.notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"visits": {"a": 6}}, "compares two arms; visits names 1"),
        ({"visits": 6}, "says for each arm"),
        ({"visits": {"a": 6, "b": 70}}, "'b' has no visit"),
        ({"visits": VISITS, "hazard": {"sparse": 0.1}}, "hazard does not say .* arm 'dense'"),
        ({"visits": VISITS, "hazard": -1.0}, "hazard of sparse must be at least"),
        ({"visits": VISITS, "sensitivity": 0.0}, "sensitivity must lie"),
        ({"visits": VISITS, "horizon": 90}, "beyond the shortest follow-up"),
        ({"visits": VISITS, "follow_up": []}, "must be positive and finite"),
        ({"visits": VISITS, "n": 1}, "at least 2"),
        ({"visits": VISITS, "until": 60}, "until belong to data"),
        ({"visits": VISITS, "formula": "Surv(t, e) ~ a"}, "needs data"),
    ],
)
def test_simulations_that_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        rn.schedule_sensitivity(**options)


def by_hand() -> pd.DataFrame:
    """Arm a every 12 months, arm b every 6; b's detections at 6, 12, 18 and 30."""
    return pd.DataFrame(
        {
            "t": [12.0, 24, 36, 40, 6, 12, 18, 30, 33, 44],
            "e": [1, 1, 0, 0, 1, 1, 1, 1, 0, 0],
            "arm": list("aaaabbbbbb"),
            "closing": [50.0, 50, 50, 50, 50, 50, 20, 50, 50, 50],
        }
    )


FORMULA = "Surv(t, e) ~ arm"
SCHEDULES = {"a": 12, "b": 6}


def test_detections_moved_by_hand() -> None:
    data = by_hand()
    found = rn.schedule_sensitivity(data, FORMULA, visits=SCHEDULES)
    shifts = found.shifts.set_index("group")
    assert shifts.loc["b"].tolist() == [4, 3, 4.5, 6, 0]
    assert shifts.loc["a"].tolist() == [2, 0, 0, 0, 0]
    table = found.to_frame()
    assert table["analysis"].tolist()[:3] == [
        "as observed",
        "b on the visits of a",
        "all on the visits of a",
    ]
    assert table["n_events"].tolist() == [4] * 4
    for name, times in (
        ("as observed", data["t"]),
        ("b on the visits of a", [12.0, 24, 36, 40, 12, 12, 24, 36, 33, 44]),
    ):
        fit = rn.cox(data.assign(t=times), FORMULA).to_frame().iloc[0]
        row = table[table["analysis"] == name].iloc[0]
        assert row["estimate"] == pytest.approx(fit["estimate"], rel=1e-10)
        assert row["p_value"] == pytest.approx(fit["p_value"], rel=1e-10)


def test_detections_after_the_end_of_follow_up_are_censored_there() -> None:
    found = rn.schedule_sensitivity(by_hand(), FORMULA, visits=SCHEDULES, until="closing")
    assert found.shifts["n_lost"].tolist() == [0, 1]
    moved = found.to_frame().set_index("analysis").loc["b on the visits of a"]
    assert moved["n_events"] == 3
    times = [12.0, 24, 36, 40, 12, 12, 20, 36, 33, 44]
    data = by_hand().assign(t=times, e=[1, 1, 0, 0, 1, 1, 0, 1, 0, 0])
    assert moved["estimate"] == pytest.approx(rn.cox(data, FORMULA).to_frame()["estimate"].iloc[0])
    assert any("1 detection falls after" in note for note in found.notes)


def test_a_visit_and_an_end_that_rounding_parts_are_one_time() -> None:
    """Times in years: 3 x 0.1 is above 0.3 to a computer."""
    by_arm = {"t": [0.3, 0.6, 0.9, 1.4, 0.25, 0.55, 1.15, 1.4], "e": [1, 1, 1, 0, 1, 1, 1, 0]}
    data = pd.DataFrame(by_arm | {"arm": ["a"] * 4 + ["b"] * 4})
    data["end"] = [0.3, 0.6, 0.9, 1.4, 0.3, 0.6, 1.2, 1.4]
    found = rn.schedule_sensitivity(data, FORMULA, visits={"a": 0.1, "b": 0.05}, until="end")
    shifts = found.shifts.set_index("group")
    assert shifts["n_lost"].tolist() == [0, 0]
    assert shifts["n_moved"].tolist() == [0, 3]
    assert shifts.loc["b", "mean_shift"] == pytest.approx(0.05)
    moved = found.to_frame().set_index("analysis").loc["b on the visits of a"]
    times = np.array([3.0, 6, 9, 14, 3, 6, 12, 14])
    whole = rn.cox(data.assign(t=times), FORMULA).to_frame()["estimate"].iloc[0]
    assert moved["estimate"] == pytest.approx(whole, rel=1e-10)


def test_a_simulated_visit_at_the_end_of_follow_up_takes_place() -> None:
    options = {"n": 200, "hazard": 0.3, "replicates": 50, "seed": 1}
    tenths = rn.schedule_sensitivity(visits={"a": 0.1, "b": 0.6}, follow_up=[1.2, 0.6], **options)
    options["hazard"] = 0.03
    whole = rn.schedule_sensitivity(visits={"a": 1, "b": 6}, follow_up=[12, 6], **options)
    np.testing.assert_allclose(tenths.lead_time, whole.lead_time / 10, rtol=1e-9)
    columns = ["estimate", "q025", "q975", "rejected"]
    got, want = (each.to_frame()[columns].to_numpy(float) for each in (tenths, whole))
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_equal_schedules_move_nothing() -> None:
    data = by_hand().assign(t=lambda d: np.where(d["e"] == 1, np.ceil(d["t"] / 12) * 12, d["t"]))
    table = rn.schedule_sensitivity(data, FORMULA, visits={"a": 12, "b": 12}).to_frame()
    np.testing.assert_allclose(table["estimate"][:3], table["estimate"].iloc[0])


def test_a_distance_longer_than_follow_up_has_its_visit() -> None:
    """Follow-up ends at 44 months: arm a is seen at 120, 240, ... only."""
    found = rn.schedule_sensitivity(by_hand(), FORMULA, visits={"a": 120, "b": 6})
    moved = by_hand().assign(t=lambda d: np.where((d["arm"] == "b") & (d["e"] == 1), 120, d["t"]))
    table = found.to_frame().set_index("analysis")
    want = rn.cox(moved, FORMULA).to_frame()["estimate"].iloc[0]
    assert table.loc["b on the visits of a", "estimate"] == pytest.approx(want)
    assert found.options["visits"]["a"] == []


def test_moving_undoes_the_bias_of_denser_visits() -> None:
    """3,000 patients without a difference, arm b seen four times as often."""
    rng = np.random.default_rng(1)
    arm = np.arange(3000) % 2
    step = np.where(arm == 1, 3.0, 12.0)
    right = np.ceil(rng.exponential(50.0, 3000) / step) * step
    data = pd.DataFrame({"t": np.minimum(right, 60.0), "e": (right <= 60).astype(int), "arm": arm})
    table = rn.schedule_sensitivity(data, FORMULA, visits={0: 12, 1: 3}).to_frame()
    ratio = table.set_index("analysis")
    for name in ("1 on the visits of 0", "all on the visits of 0"):
        assert ratio.loc["as observed", "estimate"] > 1.06 * ratio.loc[name, "estimate"]
        assert ratio.loc[name, "conf_low"] < 1.0 < ratio.loc[name, "conf_high"]
    last = table.iloc[-1]
    assert last["analysis"].startswith("interval-censored")
    assert last["conf_low"] < 1.0 < last["conf_high"]


@pytest.mark.slow
def test_an_arm_without_events_and_three_groups() -> None:
    data = by_hand()
    data.loc[data["arm"] == "a", "e"] = 0
    table = rn.schedule_sensitivity(data, FORMULA, visits=SCHEDULES).to_frame()
    assert (table["reference_events"] == 0).all() and np.isfinite(table["estimate"]).all()
    three = by_hand().assign(arm=list("aaabbbbccc"))
    result = rn.schedule_sensitivity(three, FORMULA, visits={"a": 12, "b": 6, "c": 6})
    assert result.to_frame()["level"].tolist() == ["b", "c"] * 4
    assert "the others on the visits of a" in set(result.to_frame()["analysis"])
    result.plot()
    simulate(VISITS, n=80, replicates=5, seed=1).plot()
    plt.close("all")


@pytest.mark.parametrize(
    ("data", "formula", "options", "error", "message"),
    [
        (by_hand(), FORMULA, {"visits": {"a": 12}}, OptionError, "when group 'b' is seen"),
        (by_hand(), FORMULA, {"visits": {"a": [12], "b": 6}}, DataError, "give later visits"),
        (by_hand(), "Surv(t, e) ~ 1", {"visits": {"all": 12}}, DataError, "between groups"),
        (by_hand(), None, {"visits": SCHEDULES}, OptionError, "give the formula"),
        (by_hand(), FORMULA, {"visits": SCHEDULES, "n": 5}, OptionError, "n belong to the simul"),
        (by_hand(), FORMULA, {"visits": SCHEDULES, "until": 10}, DataError, "until= is missing or"),
        (
            by_hand().assign(e=0),
            FORMULA,
            {"visits": SCHEDULES},
            TooFewEventsError,
            "no detection to move",
        ),
        (
            by_hand().assign(s=0.0),
            "Surv(s, t, e) ~ arm",
            {"visits": SCHEDULES},
            FormulaError,
            "one row a patient",
        ),
    ],
)
def test_cohorts_that_are_refused(
    data: Any, formula: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        rn.schedule_sensitivity(data, formula, **options)


def test_cohorts_whose_intervals_do_not_say_who_came_first_have_no_ratio() -> None:
    found = rn.schedule_sensitivity(
        visits={"a": 6, "b": 12}, n=50, hazard=3.0, follow_up=60, replicates=2, seed=1
    )
    table = found.to_frame()
    ratios = table[table["measure"] == "HR"]
    assert ratios[["estimate", "mcse", "q025", "q975", "rejected"]].isna().all(axis=None)
    assert any("no finite estimate by interval-censored, Cox" in note for note in found.notes)
