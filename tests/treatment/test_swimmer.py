"""Lanes of patients: by hand, on the cohort, and what cannot be laid out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.lines import Line2D

import rnetstats as rn
from rnetstats.errors import ColumnError, DataError, DataNotKeptError, OptionError
from rnetstats.treatment.swimmer import SwimmerResult

PATIENTS: dict[str, Any] = {
    "t": [9.0, 20.0, 31.0, 4.0],
    "code": [1, 0, 2, 0],
    "salvaged": [None, 2.0, 3.0, 4.0],
    "arm": ["b", "a", "a", "b"],
}
NAMES = {1: "recurrence", 2: "death"}


def test_words_of_events_go_by_code() -> None:
    with pytest.raises(OptionError, match="events must be a mapping"):
        rn.swimmer(PATIENTS, "Surv(t, code) ~ arm", events=["recurrence", "death"])  # type: ignore[arg-type]


def test_sums_by_hand() -> None:
    found = rn.swimmer(PATIENTS, "Surv(t, code) ~ arm", treatment_time="salvaged", events=NAMES)
    expected = pd.DataFrame(
        {
            "group": ["a", "b"],
            "n": [2, 2],
            "n_treated": [2, 0],
            "time_before": [5.0, 13.0],
            "time_after": [46.0, 0.0],
            "n_recurrence": [0, 1],
            "n_death": [1, 0],
        }
    )
    pd.testing.assert_frame_equal(found.to_frame(), expected)
    assert found.lanes is not None
    assert found.lanes["stop"].tolist() == [31.0, 20.0, 9.0, 4.0]


def test_person_time_is_that_of_follow_up() -> None:
    cohort = rn.load_cohort("duan2024")
    rows = cohort[cohort["salvage"] != "not_applicable"].copy()
    rows["salvaged_at"] = rows["salvage_days"] / 30.4375
    found = rn.swimmer(rows, "Surv(dfs_months, event_type) ~ 1", treatment_time="salvaged_at")
    whole = found.glance().iloc[0]
    assert whole["time_before"] + whole["time_after"] == pytest.approx(rows["dfs_months"].sum())
    assert whole["n_treated"] == rows["salvage_days"].notna().sum()
    codes = cohort.attrs["rnetstats"]["codes"]["event_type"]
    assert whole[f"n_{codes['1']}"] == (rows["event_type"] == 1).sum()
    assert set(found.lanes["event"]) == {"", codes["1"], codes["2"]}
    rows.attrs = {}
    bare = rn.swimmer(rows, "Surv(dfs_months, event_type) ~ 1", treatment_time="salvaged_at")
    assert bare.to_frame().columns[-2:].tolist() == ["n_1", "n_2"]


def test_an_event_of_0_and_1_has_the_name_of_its_column() -> None:
    rows = {**PATIENTS, "recurrence": [1, 0, 1, 0]}
    found = rn.swimmer(rows, "Surv(t, recurrence) ~ arm", treatment_time="salvaged")
    assert found.to_frame()["n_recurrence"].tolist() == [1, 1]
    assert "Recurrence" in found.display().columns
    legend = found.plot().get_legend()
    assert legend is not None
    assert "recurrence" in [text.get_text() for text in legend.get_texts()]
    cohort = rn.load_cohort("duan2024")
    labelled = rn.swimmer(cohort, "Surv(dfs_months, dfs_event) ~ 1")
    assert labelled.lanes is not None
    assert set(labelled.lanes["event"]) == {"", "recurrence or death"}
    named = rn.swimmer(rows, "Surv(t, recurrence) ~ 1", events={1: "local recurrence"})
    assert "n_local recurrence" in named.to_frame().columns


def test_one_code_can_be_the_event() -> None:
    found = rn.swimmer(PATIENTS, "Surv(t, code == 2) ~ arm", treatment_time="salvaged")
    frame = found.to_frame()
    assert frame.columns[-1] == "n_code == 2"
    assert frame["n_code == 2"].tolist() == [1, 0]
    assert frame["time_before"].tolist() == [5.0, 13.0]
    named = rn.swimmer(PATIENTS, "Surv(t, code == 2) ~ arm", events=NAMES)
    assert named.to_frame()["n_death"].tolist() == [1, 0]
    cohort = rn.load_cohort("duan2024")
    codes = cohort.attrs["rnetstats"]["codes"]["event_type"]
    coded = rn.swimmer(cohort, "Surv(dfs_months, event_type == 2) ~ 1")
    assert coded.glance()[f"n_{codes['2']}"].item() == (cohort["event_type"] == 2).sum()
    none = rn.swimmer(PATIENTS, "Surv(t, code == 3) ~ arm")
    assert any("No patient has an event" in note for note in none.notes)
    with pytest.raises(OptionError, match="events must be a mapping"):
        rn.swimmer(PATIENTS, "Surv(t, code == 2) ~ 1", events=["death"])  # type: ignore[arg-type]


def test_plot_has_a_lane_and_a_mark_for_each_patient() -> None:
    found = rn.swimmer(PATIENTS, "Surv(t, code) ~ arm", treatment_time="salvaged", events=NAMES)
    axes = found.plot()
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a\n(n = 2)", "b\n(n = 2)"]
    points = sum(len(part.get_offsets()) for part in axes.collections if len(part.get_offsets()))
    assert points >= 2 + 2  # days of treatment, events


def test_without_treatment_or_rows() -> None:
    found = rn.swimmer(PATIENTS, "Surv(t, code) ~ 1")
    assert found.to_frame()["n_treated"].tolist() == [0]
    found.plot()
    again = SwimmerResult.from_dict(found.to_dict())
    with pytest.raises(DataNotKeptError, match="patient rows"):
        again.plot()


def test_what_cannot_be_laid_out() -> None:
    late = PATIENTS | {"salvaged": [10.0, None, None, None]}
    with pytest.raises(DataError, match="after the end of follow-up"):
        rn.swimmer(late, "Surv(t, code) ~ 1", treatment_time="salvaged")
    with pytest.raises(OptionError, match="also hold the code 2"):
        rn.swimmer(PATIENTS, "Surv(t, code) ~ 1", events={1: "recurrence"})


def test_nobody_treated_and_truth_values_for_times() -> None:
    nobody = {**PATIENTS, "salvaged": [None] * 4}
    found = rn.swimmer(nobody, "Surv(t, code) ~ 1", treatment_time="salvaged")
    assert found.to_frame()[["n_treated", "time_after"]].to_numpy().tolist() == [[0, 0.0]]
    flags = {**PATIENTS, "salvaged": [False, True, True, True]}
    with pytest.raises(ColumnError, match="truth values"):
        rn.swimmer(flags, "Surv(t, code) ~ 1", treatment_time="salvaged")


@pytest.mark.parametrize("events", [None, NAMES])
def test_a_cohort_without_events_is_laid_out(events: Any) -> None:
    found = rn.swimmer(
        {**PATIENTS, "code": [0, 0, 0, 0]},
        "Surv(t, code) ~ arm",
        treatment_time="salvaged",
        events=events,
    )
    assert found.to_frame()["time_before"].tolist() == [5.0, 13.0]
    assert [name for name in found.to_frame() if name.startswith("n_")] == ["n_treated"]
    assert found.lanes is not None and (found.lanes["event"] == "").all()
    assert any("No patient has an event" in note for note in found.notes)
    assert found.glance()["n"].iloc[0] == 4 and len(found.display()) == 2
    found.plot()
    # an event in a row that is left out is none
    lost = {**PATIENTS, "t": [np.nan, 20.0, np.nan, 4.0]}
    assert rn.swimmer(lost, "Surv(t, code) ~ 1").glance()["n"].iloc[0] == 2


def test_an_event_has_its_mark_whichever_others_occur() -> None:
    """Recurrence looks alike in two reports, of which one begins with a death."""

    def marks(code: list[int]) -> dict[str, str]:
        found = rn.swimmer({**PATIENTS, "code": code}, "Surv(t, code) ~ arm", events=NAMES)
        legend = found.plot().get_legend()
        assert legend is not None
        lines = [h for h in legend.legend_handles if isinstance(h, Line2D)]
        return {
            str(h.get_label()): str(h.get_marker()) for h in lines if h.get_label() != "follow-up"
        }

    both = marks([1, 0, 2, 0])
    assert list(both) == ["recurrence", "death"]
    assert len(set(both.values())) == 2
    assert marks([2, 1, 1, 0]) == both
    assert marks([0, 0, 2, 2]) == {"death": both["death"]}
    assert marks([1, 1, 0, 0]) == {"recurrence": both["recurrence"]}
