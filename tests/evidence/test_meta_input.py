"""What a meta-analysis refuses, and what it answers where the data are odd."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import ColumnError, DataError, OptionError, TooFewEventsError
from support import assert_close

TRIALS: dict[str, list[Any]] = {
    "study": ["A", "B", "C", "D"],
    "events_1": [12, 8, 30, 15],
    "n_1": [100, 80, 250, 120],
    "events_2": [20, 9, 45, 28],
    "n_2": [100, 82, 240, 118],
}
RATIOS: dict[str, list[Any]] = {
    "study": ["A", "B", "C"],
    "estimate": [0.7, 0.8, 1.2],
    "std_error": [0.2, 0.3, 0.25],
}
LIMITS = {"study": ["A", "B", "C"], "estimate": [0.7, 0.8, 1.2]}
MEANS: dict[str, list[Any]] = {
    "mean_1": [1.0, 2.0],
    "sd_1": [1.0, 1.0],
    "n_1": [5, 6],
    "mean_2": [1.5, 2.0],
    "sd_2": [1.0, 1.0],
    "n_2": [5, 6],
}


def without(data: dict[str, list[Any]], name: str) -> dict[str, list[Any]]:
    return {key: values for key, values in data.items() if key != name}


@pytest.mark.parametrize(
    ("data", "measure", "error", "match"),
    [
        ({**TRIALS, "n_1": [10, 80, 250, 120]}, "OR", DataError, r"more than n_1 in row 1 \(A\)"),
        ({**TRIALS, "events_1": [-1, 8, 30, 15]}, "OR", DataError, "is negative"),
        ({**TRIALS, "events_1": [1.5, 8, 30, 15]}, "OR", DataError, "no whole number"),
        ({**TRIALS, "n_2": [0, 82, 240, 118]}, "RD", DataError, "not above 0"),
        ({**TRIALS, "n_2": [1e17, 82, 240, 118]}, "RD", DataError, "too large a count"),
        ({**TRIALS, "n_1": [np.inf, 82, 240, 118]}, "RD", DataError, "infinite"),
        ({**TRIALS, "events_1": ["a", 8, 30, 15]}, "OR", DataError, "mixes numbers and text"),
        ({**TRIALS, "events_1": [None] * 4}, "OR", ColumnError, "all 4 are missing"),
        ({**TRIALS, "events_1": [None, 8, 30, 15], "n_2": [100, None, None, None]}, "OR", DataError,
         "No study has all its columns"),
        (without(TRIALS, "n_2"), "OR", ColumnError, "there is no n_2"),
        (TRIALS, "HR", ColumnError, "needs the columns coef, std_error"),
        (pd.DataFrame(TRIALS).iloc[:0], "OR", DataError, "no rows"),
        ([1, 2], "OR", DataError, "must be a DataFrame"),
        ({**TRIALS, "events_1": [0] * 4, "events_2": [0] * 4}, "OR", TooFewEventsError,
         "an event in either arm: no odds ratio"),
        ({**TRIALS, "events_1": TRIALS["n_1"], "events_2": TRIALS["n_2"]}, "RR", TooFewEventsError,
         "Every patient of every study had the event"),
        ({"events_1": [0, 5], "n_1": [4, 5], "events_2": [0, 5], "n_2": [4, 5]}, "OR",
         TooFewEventsError,
         "gives an odds ratio: no event in either arm; events in all patients of both arms. Take"),
        ({**RATIOS, "std_error": [0.0, 0.3, 0.2]}, "HR", DataError, "std_error is not above 0"),
        ({**RATIOS, "std_error": [-0.1, 0.3, 0.2]}, "HR", DataError, "std_error is not above 0"),
        ({**RATIOS, "std_error": [1e-200, 0.3, 0.2]}, "HR", DataError, "too small"),
        ({**RATIOS, "std_error": [1e200, 0.3, 0.2]}, "HR", DataError, "beyond 1e.30"),
        ({**RATIOS, "estimate": [-0.7, 0.8, 1.2]}, "HR", DataError, "log estimates go to coef"),
        ({"coef": [800.0, 1.0], "std_error": [1.0, 1.0]}, "OR", DataError, "no logarithm of an"),
        ({**LIMITS, "conf_low": [0.5, 0.6, 1.3], "conf_high": [0.9, 1.2, 1.9]}, "HR", DataError,
         r"do not hold their estimate in row 3 \(C\)"),
        ({**LIMITS, "conf_low": [0.9, 0.6, 0.7], "conf_high": [0.5, 1.2, 1.9]}, "HR", DataError,
         "do not hold"),
        ({**LIMITS, "conf_low": [0.0, 0.6, 0.7], "conf_high": [0.9, 1.2, 1.9]}, "HR", DataError,
         "conf_low is not above 0"),
        ({**MEANS, "sd_1": [-1.0, 1.0]}, "MD", DataError, "sd_1 is negative"),
        ({**MEANS, "n_1": [1, 6]}, "SMD", DataError, "no standard deviation"),
        ({**MEANS, "sd_1": [0, 0], "sd_2": [0, 0]}, "MD", TooFewEventsError, "deviations are 0"),
        ({"events_1": [1], "time_1": [0.0], "events_2": [1], "time_2": [3.0]}, "IRR", DataError,
         "time_1 is not above 0"),
        ({"events_1": [0], "time_1": [5.0], "events_2": [0], "time_2": [3.0]}, "IRR",
         TooFewEventsError, "no rate ratio"),
    ],
)  # fmt: skip
def test_data_that_cannot_be(data: Any, measure: str, error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        rn.meta_analysis(data, measure=measure)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"measure": "SMDD"}, "Did you mean 'SMD'"),
        ({"measure": None}, "measure=None is not allowed"),
        ({"tau2": "dl"}, "Did you mean 'DL'.*A number holds the variance fixed"),
        ({"tau2": -1.0}, "must be at least 0, not"),
        ({"tau2": True}, "tau2=True"),
        ({"tau2": float("nan")}, "finite"),
        ({"ci": "hk"}, "hartung-knapp"),
        ({"prediction": "HTS"}, "Did you mean 'hts'"),
        ({"conf_level": 95}, "Write 0.95"),
        ({"limits_level": 1.0}, "limits_level"),
        ({"correction": -0.5}, "must be at least 0, not"),
        ({"missing": "ignore"}, "missing='ignore'"),
        ({"columns": ["tpos"]}, "must be a mapping"),
        ({"columns": {"event_1": "tpos"}}, "Did you mean 'events_1'"),
        ({"columns": {"events_1": 3}}, "must be a column's name"),
        ({"columns": {"events_1": "n_1", "events_2": "n_1"}}, "'n_1' twice"),
    ],
)
def test_options_that_are_refused(options: dict[str, Any], match: str) -> None:
    with pytest.raises(OptionError, match=match):
        rn.meta_analysis(TRIALS, **{"measure": "OR", **options})
    with pytest.raises(ColumnError, match="Did you mean 'events_1'"):
        rn.meta_analysis(TRIALS, measure="OR", columns={"events_1": "event_1"})


def test_missing_values_are_counted_or_refused() -> None:
    gaps = {**TRIALS, "events_1": [None, 8, 30, 15]}
    found = rn.meta_analysis(gaps, measure="OR")
    assert found.to_frame()["used"].tolist() == [False, True, True, True]
    assert found.to_frame()["note"][0] == "left out: events_1 missing"
    assert "Values are missing in row 1 (A): left out (1 of 4 studies)." in found.notes
    assert found.to_frame()["weight"][0] == 0.0
    assert "–" in found.display().iloc[0].to_list()
    rest = rn.meta_analysis(pd.DataFrame(TRIALS).iloc[1:], measure="OR")
    assert_close(found.estimate, rest.estimate)
    with pytest.raises(DataError, match="missing='drop'"):
        rn.meta_analysis(gaps, measure="OR", missing="raise")
    errors = {**RATIOS, "std_error": [None, 0.2, 0.3]}
    assert rn.meta_analysis(errors, measure="HR").k_used == 2


def test_one_study_keeps_its_own_limits() -> None:
    one = {name: values[:1] for name, values in TRIALS.items()}
    found = rn.meta_analysis(one, measure="OR")
    row, study = found.glance().iloc[0], found.to_frame().iloc[0]
    for name in ("estimate", "conf_low", "conf_high"):
        assert_close(row[name], study[name])
    assert row[["tau2", "tau2_low", "tau2_high", "i2", "q", "q_p", "pi_low"]].isna().all()
    assert any(note.startswith("One study alone") for note in found.notes)
    assert study["weight"] == 100.0


def test_equal_estimates_leave_hartung_and_knapp_without_a_test() -> None:
    twice = {name: [values[0]] * 3 for name, values in TRIALS.items()}
    found = rn.meta_analysis(twice, measure="OR")
    assert found.conf_low == found.conf_high == found.estimate
    assert np.isnan(found.glance()["p_value"][0])
    assert any("all equal" in note for note in found.notes)
    floor = rn.meta_analysis(twice, measure="OR", ci="hartung-knapp-adhoc")
    assert floor.conf_low < floor.estimate
    assert any("rows 1, 2, 3" in note for note in found.notes)  # of one name


def test_names_of_studies() -> None:
    numbered = rn.meta_analysis(without(TRIALS, "study"), measure="OR")
    assert numbered.to_frame()["study"].tolist() == [f"Study {i}" for i in (1, 2, 3, 4)]
    assert any("no column of study names" in note for note in numbered.notes)
    gaps = rn.meta_analysis({**TRIALS, "study": ["A", None, " ", 2004.0]}, measure="OR")
    assert gaps.to_frame()["study"].tolist() == ["A", "Study 2", "Study 3", "2004"]
    twice = rn.meta_analysis({**TRIALS, "study": ["A", "A", "B", "C"]}, measure="OR")
    assert any("'A' in rows 1, 2" in note for note in twice.notes)


def test_zero_cells_are_said_and_point_to_models_for_rare_events() -> None:
    data = {**TRIALS, "events_1": [0, 8, 0, 15], "events_2": [0, 9, 5, 28]}
    found = rn.meta_analysis(data, measure="OR")
    assert found.rare
    assert found.to_frame()["note"].tolist() == [
        "left out: no event in either arm",
        "",
        "0.5 added",
        "",
    ]
    text = " ".join(found.notes)
    assert "0.5 was added to all four cells of 1 of 4 studies" in text
    assert "1 of 4 studies left out, as they tell nothing of the odds ratio" in text
    assert "2 of 4 studies have a zero cell" in text
    assert "rare_events()" in text
    kept = rn.meta_analysis(data, measure="RD")
    assert kept.k_used == 4
    assert kept.to_frame()["note"][0] == "0.5 added"
    bare = rn.meta_analysis(data, measure="OR", correction=0.0)
    assert bare.k_used == 2
    cause = "left out, as inverse variance cannot weigh their odds ratio (a zero cell"
    assert next(note for note in bare.notes if cause in note).endswith(": row 3 (C).")
    assert any("they tell nothing of the odds ratio (no event" in note for note in bare.notes)
    common = rn.meta_analysis(TRIALS, measure="OR")
    assert not common.rare
    assert not any("Rare events" in note for note in common.notes)
    few = rn.meta_analysis({**TRIALS, "n_2": [2000, 820, 2400, 1180]}, measure="OR")
    assert few.rare
    assert any("have the event" in note and "zero cell" not in note for note in few.notes)


def test_limits_off_the_middle_are_pointed_at() -> None:
    limits = {"conf_low": [0.5, 0.6, 1.15], "conf_high": [0.98, 1.07, 1.9]}
    found = rn.meta_analysis({**LIMITS, **limits}, measure="HR")
    (note,) = [note for note in found.notes if "misprint" in note]
    assert "row 3 (C)" in note
    assert "row 1" not in note


def test_columns_that_were_named_are_taken() -> None:
    both = {**TRIALS, "or": [0.5, 0.9, 0.6, 0.5], "low": [0.2, 0.3, 0.4, 0.2], "high": [2, 3, 1, 1]}
    names = {"estimate": "or", "conf_low": "low", "conf_high": "high"}
    found = rn.meta_analysis(both, measure="OR", columns=names)
    assert_close(found.to_frame()["estimate"], both["or"])
    assert_close(
        rn.meta_analysis(both, measure="OR").estimate,
        rn.meta_analysis(TRIALS, measure="OR").estimate,
    )


def test_frames_of_other_types_are_read() -> None:
    plain = rn.meta_analysis(TRIALS, measure="RR").glance()
    frame = pd.DataFrame(TRIALS, index=[7, 7, 2, 1])
    for other in (frame, frame.convert_dtypes(), frame.astype({"study": "category"})):
        pd.testing.assert_frame_equal(rn.meta_analysis(other, measure="RR").glance(), plain)


def test_equal_estimates_leave_a_regression_without_tests() -> None:
    data = {"coef": [0.0] * 5, "std_error": [0.5, 0.25, 0.5, 0.25, 0.5], "x": [1, 2, 3, 4, 6]}
    none = rn.meta_analysis(data, measure="generic").meta_regression("x")
    assert none.tests["p_value"].isna().all()
    assert any("no residual" in note for note in none.notes)


def test_a_weight_far_above_all_others_leaves_the_pooled_figures_right() -> None:
    data = {
        "coef": [0.1, 0.2, -0.3, 0.4],
        "std_error": [1e-12, 0.2, 0.3, 0.4],
        "g": ["a", "b", "a", "b"],
    }
    found = rn.meta_analysis(data, measure="generic", ci="wald")
    assert_close(found.estimate, 0.1, rel=1e-8)
    assert found.heterogeneity["tau2"][0] == 0.0
    w = [1 / Fraction(error) ** 2 for error in data["std_error"]]  # tr(PP), at a tau2 of 0
    first, second, third = (sum(part**power for part in w) for power in (1, 2, 3))
    trace = second - 2 * third / first + (second / first) ** 2
    assert_close(found.heterogeneity["tau2_std_error"][0], float(2 / trace) ** 0.5)
    assert_close(found.cumulative().sets["estimate"].iloc[-1], 0.1, rel=1e-8)


def test_an_order_that_is_none_is_refused() -> None:
    with pytest.raises(OptionError, match="order must be a column's name or one value a study"):
        rn.meta_analysis(TRIALS, measure="OR").cumulative(3)  # type: ignore[arg-type]


def test_one_study_that_gives_nothing_is_one() -> None:
    one = {"events_1": [0], "n_1": [20], "events_2": [1], "n_2": [40]}
    with pytest.raises(TooFewEventsError, match="The one study gives no odds ratio: a zero cell"):
        rn.meta_analysis(one, measure="OR", correction=0.0)
    two = {name: values * 2 for name, values in one.items()}
    with pytest.raises(TooFewEventsError, match="None of the 2 studies gives an odds ratio: a ze"):
        rn.meta_analysis(two, measure="OR", correction=0.0)
