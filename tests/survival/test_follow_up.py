from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.errors import ColumnError, DataError, FormulaError, OptionError
from rnetstats.survival.follow_up import FollowUpResult
from support import assert_close, case, read

TOY = {"t": [2.0, 4.0, 6.0, 8.0], "e": [1, 0, 0, 0], "g": list("aabb")}


def test_medians_are_those_of_the_reference():
    values = case("kaplan_meier", "rnet_a_dfs")["values"]["reverse_km_follow_up_quantiles"]
    result = rn.follow_up(read("rnet_like_a.csv"), "Surv(dfs_months, recurrence) ~ margin_positive")
    frame = result.to_frame().set_index("group")
    for group in ("0", "1"):
        want = values[f"margin_positive={group}"]["loglog"]
        assert_close(frame.loc[group, ["q25", "median", "q75"]], want["estimate"])
        limits = [want["lower"]["q50"], want["upper"]["q50"]]
        assert_close(frame.loc[group, ["conf_low", "conf_high"]], limits)
    assert frame.index.tolist() == ["all", "0", "1"]
    assert frame["n"].tolist() == [527, 346, 181]
    assert_close(frame.loc["all", "person_time"], frame["person_time"].iloc[1:].sum())


def test_table_worked_by_hand():
    frame = rn.follow_up(TOY, "Surv(t, e) ~ g").to_frame().set_index("group")
    # reverse curve of all: 1 until 4 (3 at risk), 2/3, at 6 1/3, at 8 0
    assert frame.loc["all", "median"] == 6.0
    assert frame.loc["all", "naive_median_censored"] == 6.0
    assert frame["person_time"].tolist() == [20.0, 6.0, 14.0]
    assert frame["n_events"].tolist() == [1, 1, 0]
    assert frame["completeness"].isna().all()


def test_completeness_counts_the_event_as_complete():
    # possible: 2 (its event), 10, 10, 10 against 2 + 4 + 6 + 8 seen
    result = rn.follow_up(TOY, "Surv(t, e) ~ g", potential=[10, 10, 10, 10])
    assert_close(result.to_frame()["completeness"], [20 / 32, 6 / 12, 14 / 20])
    # cut at 5: 2 of 2, 4 of 5, and 5 of 5 twice
    cut = rn.follow_up(TOY, "Surv(t, e) ~ 1", potential=5)
    assert_close(cut.to_frame()["completeness"], [16 / 17])


def test_completeness_from_dates():
    dates = ["2020-01-01", "2020-01-11", "2020-01-21", "2020-01-31"]
    days = (pd.Timestamp("2020-02-10") - pd.to_datetime(dates)).days.to_numpy()
    assert days.tolist() == [40, 30, 20, 10]
    data = {**TOY, "in": dates}
    want = 20 / (2 + 30 + 20 + 10)
    for closing in ("2020-02-10", dt.date(2020, 2, 10), pd.Timestamp("2020-02-10")):
        result = rn.follow_up(data, "Surv(t, e) ~ 1", enrolled="in", closing=closing, unit="days")
        assert_close(result.to_frame()["completeness"], [want])
    in_weeks = rn.follow_up(
        {**data, "t": np.array(TOY["t"]) / 7},
        "Surv(t, e) ~ 1",
        enrolled="in",
        closing=closing,
        unit="weeks",
    )
    assert_close(in_weeks.to_frame()["completeness"], [want])


@pytest.mark.parametrize("empty", [None, np.nan, pd.NaT])
def test_rows_without_a_date_are_left_out_of_the_index_alone(empty):
    """The event of the first row is followed to the end, but counted only with a date."""
    data = {**TOY, "in": [empty, "2020-01-11", "2020-01-21", "2020-01-31"]}
    options = {"enrolled": "in", "closing": "2020-02-10", "unit": "days"}
    result = rn.follow_up(data, "Surv(t, e) ~ g", **options)
    frame = result.to_frame().set_index("group")
    # possible: 30, 20, 10 against 4 + 6 + 8 seen
    assert_close(frame["completeness"], [18 / 60, 4 / 30, 14 / 30])
    assert frame["n_completeness"].tolist() == [3, 1, 2]
    plain = rn.follow_up(TOY, "Surv(t, e) ~ g").to_frame().set_index("group")
    rest = ["n", "n_events", "person_time", "median", "naive_median_censored"]
    pd.testing.assert_frame_equal(frame[rest], plain[rest])
    assert plain["n_completeness"].tolist() == [0, 0, 0]
    (said,) = [note for note in result.notes if "completeness" in note]
    assert "'in' is empty in row 1 (1 of 4)" in said

    # a group without any date has no index, the others have
    data["in"] = [empty, empty, "2020-01-21", "2020-01-31"]
    result = rn.follow_up(data, "Surv(t, e) ~ g", **options)
    assert_close(result.to_frame()["completeness"], [14 / 30, np.nan, 14 / 30])
    assert any("rows 1, 2 (2 of 4)" in note for note in result.notes)
    told = "a: no patient has a date of enrolment: no completeness index."
    assert told in result.notes
    assert told not in rn.follow_up(TOY, "Surv(t, e) ~ g").notes


def test_no_date_at_all_and_dates_that_cannot_be_read_are_refused():
    for dates in ([None] * 4, pd.Series([pd.NaT] * 4)):
        with pytest.raises(DataError, match="'in' is empty in every row used"):
            rn.follow_up(
                {**TOY, "in": dates}, "Surv(t, e) ~ 1", enrolled="in", closing="2020-02-10"
            )
    data = {**TOY, "in": [None, "2020-01-11", "soon", "2020-01-31"]}
    with pytest.raises(DataError, match="row 3 column 'in' holds no date"):
        rn.follow_up(data, "Surv(t, e) ~ 1", enrolled="in", closing="2020-02-10")


def test_a_time_zone_leaves_the_day_as_it_is_written():
    days = ["2020-01-11", "2020-01-21", "2020-01-21", "2020-01-31"]
    options = {"enrolled": "in", "closing": "2020-02-10", "unit": "days"}
    plain = rn.follow_up({**TOY, "in": days}, "Surv(t, e) ~ 1", **options).to_frame()
    aware = pd.to_datetime(pd.Series(days))
    for dates in (
        aware.dt.tz_localize("Asia/Tokyo"),
        [
            f"{day}T00:00{zone}"
            for day, zone in zip(days, ["Z", "+09:00", "-0300", ""], strict=True)
        ],
        [stamp.tz_localize("Asia/Seoul").to_pydatetime() for stamp in aware],
    ):
        found = rn.follow_up({**TOY, "in": dates}, "Surv(t, e) ~ 1", **options).to_frame()
        pd.testing.assert_frame_equal(found, plain)
    options["closing"] = pd.Timestamp("2020-02-10", tz="Europe/Paris")
    found = rn.follow_up({**TOY, "in": days}, "Surv(t, e) ~ 1", **options).to_frame()
    pd.testing.assert_frame_equal(found, plain)


def test_without_potential_follow_up_a_note_says_what_is_needed():
    result = rn.follow_up(TOY, "Surv(t, e) ~ 1")
    assert any("enrolled=" in note and "closing=" in note for note in result.notes)


def test_follow_up_longer_than_possible_is_told():
    result = rn.follow_up(TOY, "Surv(t, e) ~ 1", potential=[10, 10, 5, 10])
    assert any("row 3" in note and "by at most 1" in note for note in result.notes)
    assert_close(result.to_frame()["completeness"], [20 / (2 + 10 + 6 + 10)])


def test_shares_followed():
    frame = rn.follow_up(TOY, "Surv(t, e) ~ g").followed([2, 5])
    everybody = frame[frame["group"] == "all"]
    assert everybody["n_observed"].tolist() == [4, 2]
    assert everybody["n_event"].tolist() == [0, 1]
    assert everybody["share_followed"].tolist() == [1.0, 0.75]


def test_json_and_text():
    result = rn.follow_up(read("rnet_like_a.csv"), "Surv(dfs_months, recurrence) ~ margin_positive")
    again = FollowUpResult.from_dict(json.loads(json.dumps(result.to_dict(), allow_nan=False)))
    pd.testing.assert_frame_equal(again.to_frame(), result.to_frame(), check_dtype=False)
    pd.testing.assert_frame_equal(again.followed(60), result.followed(60), check_dtype=False)
    shown = result.display()
    assert "Median of censored times (naive)" in shown.columns
    assert shown["Person-months"].tolist()[0] == "30,467"
    assert result.glance()["n_missing"].item() == 0


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"enrolled": "in"}, OptionError, "both"),
        ({"enrolled": "in", "closing": "2021-13-01"}, OptionError, "no date"),
        ({"enrolled": "in", "closing": ""}, OptionError, "no date"),
        ({"enrolled": "in", "closing": pd.NaT}, OptionError, "no date"),
        ({"enrolled": "in", "closing": 20210101}, OptionError, "no date"),
        ({"enrolled": "in", "closing": "2019-01-01"}, DataError, "after the closing"),
        ({"enrolled": "g", "closing": "2021-01-01"}, DataError, "rows 1, 2"),
        ({"enrolled": "inn", "closing": "2021-01-01"}, ColumnError, "Did you mean"),
        ({"potential": [1, 2]}, DataError, "2 values for 4 rows"),
        ({"potential": [1, 2, 3, -1]}, DataError, "row 4"),
        ({"potential": "g"}, DataError, "numbers"),
        ({"potential": 0}, OptionError, "positive"),
        ({"potential": 5, "closing": "2021-01-01"}, OptionError, "not both"),
        ({"unit": "fortnights"}, OptionError, "months"),
        ({"unit": ["months"]}, OptionError, "months"),
        ({"conf_level": 2}, OptionError, "conf_level"),
    ],
)
def test_options_that_cannot_be(options, error, words):
    data = {**TOY, "in": ["2020-01-01"] * 4}
    with pytest.raises(error, match=words):
        rn.follow_up(data, "Surv(t, e) ~ 1", **options)


def test_late_entry_and_strata_are_refused():
    data = {**TOY, "s": [0, 1, 1, 1]}
    with pytest.raises(FormulaError, match="time 0"):
        rn.follow_up(data, "Surv(s, t, e) ~ 1")
    with pytest.raises(FormulaError, match="strata"):
        rn.follow_up(data, "Surv(t, e) ~ 1 + strata(g)")


def test_what_is_not_reached_is_told():
    data = {"t": [1, 2, 3, 4, 5, 6], "e": [1, 1, 1, 0, 0, 1], "g": list("aaabbb")}
    result = rn.follow_up(data, "Surv(t, e) ~ g", potential=9)
    assert "a: nobody is censored, so follow-up has no estimate." in result.notes
    assert any(note.startswith("all: the upper quartile") for note in result.notes)
    whole = rn.follow_up({"t": [1, 2, 3, 4], "e": [0, 0, 0, 0]}, "Surv(t, e) ~ 1", potential=9)
    gaps = whole.to_frame()[["median", "q25", "q75", "conf_low", "conf_high"]].isna().any(axis=None)
    assert gaps == any("not reached" in note for note in whole.notes)
