from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import ColumnError, DataError, FormulaError, OptionError
from support import assert_close, case, read
from treatment_cohorts import SIX

SURV = "Surv(months, event)"


def split(data=SIX, formula=SURV, **options):
    options.setdefault("treatment_time", "salvage")
    return rn.split_at_treatment(data, formula, **options)


def test_six_patients_by_hand():
    found = split(id="patient")
    rows = [
        tuple(row) for row in found[["patient", "start", "stop", "event", "treated"]].to_numpy()
    ]
    assert rows == [
        ("A", 0, 4, 1, 0),
        ("B", 0, 2, 0, 0),
        ("B", 2, 10, 1, 1),
        ("C", 0, 5, 0, 0),
        ("C", 5, 12, 0, 1),
        ("D", 0, 6, 1, 0),
        ("E", 0, 15, 0, 0),
        ("F", 0, 8, 0, 0),
        ("F", 8, 20, 1, 1),
    ]
    account = found.attrs["rnetstats"]["split"]
    assert account["person_time_before"] == account["person_time_after"] == 67.0
    assert account["person_time_treated"] == 8 + 7 + 12
    assert (account["patients"], account["rows"], account["events"]) == (6, 9, 4)
    assert "67 months and 4 events agree" in " ".join(account["notes"])


def cohort_a():
    a = read("rnet_like_a.csv")
    # the reference cohort has months to one decimal, a salvage in the first days at 0.1
    a["salvage_months"] = [
        math.nan if math.isnan(days) else max(round(days / 30.4375, 1), 0.1)
        for days in a["salvage_days"]
    ]
    return rn.split_at_treatment(
        a,
        "Surv(dfs_months, recurrence)",
        treatment_time="salvage_months",
        id="patient_id",
        treated="salvaged",
    )


def test_reference_rows_are_reproduced():
    want = read("rnet_like_a_tdc.csv")
    found = cohort_a()
    pd.testing.assert_frame_equal(found[want.columns], want, check_dtype=False)


def test_reference_fits_agree_on_the_split_data():
    formula = "Surv(start, stop, event) ~ salvaged + margin_positive + size_mm"
    values = case("cox", "rnet_a_time_dependent_salvage")["values"]
    fit = rn.cox(cohort_a(), formula, penalty=None, ci="wald")
    assert_close(fit.coef, list(values["coef"].values()))
    assert_close(np.sqrt(np.diag(fit.vcov)), list(values["se"].values()))
    assert_close(fit.glance()["log_likelihood"][0], values["loglik"])
    firth = case("cox_firth", "rnet_a_time_dependent")["values"]
    assert_close(rn.cox(cohort_a(), formula).coef, list(firth["coef"].values()), rel=1e-6)


@given(st.integers(0, 2**32 - 1))
def test_person_time_and_events_agree_before_and_after(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30))
    stop = rng.integers(1, 40, n) / 3.0
    share = rng.choice([0.0, 0.2, 0.7, 1.0], n)
    data = pd.DataFrame(
        {
            "months": stop,
            "event": rng.integers(0, 2, n),
            "salvage": np.where(rng.random(n) < 0.6, stop * share, np.nan),
            "x": rng.normal(size=n),
        }
    )
    found = split(data)
    length = found["stop"] - found["start"]
    assert (length > 0).all()
    per_patient = length.groupby(found["id"]).sum()
    np.testing.assert_allclose(per_patient, stop, rtol=1e-12)
    assert (found.groupby("id")["event"].sum().to_numpy() == data["event"]).all()
    at = data["salvage"].where(data["salvage"] < stop)
    treated = (stop - at).fillna(0.0)
    np.testing.assert_allclose(length.where(found["treated"] == 1, 0.0).sum(), treated.sum())
    # within a patient the rows touch, and treatment is not taken back
    for _, own in found.groupby("id"):
        assert own["start"].iloc[0] == 0.0
        assert (own["start"].to_numpy()[1:] == own["stop"].to_numpy()[:-1]).all()
        assert own["treated"].is_monotonic_increasing


def test_treatment_at_the_start_and_at_the_end():
    data = {"months": [5.0, 5.0, 5.0], "event": [1, 1, 0], "salvage": [0.0, 5.0, 5.0]}
    found = split(data)
    assert found["treated"].tolist() == [1, 0, 0]
    assert len(found) == 3
    notes = found.attrs["rnetstats"]["split"]["notes"]
    assert any("2 patient(s) treated at the very end" in note for note in notes)


def test_all_outcomes_end_at_the_treatment_in_the_first_row():
    data = pd.DataFrame(
        {
            "months": [9.0, 8.0],
            "code": [2, 1],
            "dfs": [True, True],
            "kind": pd.Categorical(["death", "none"], ["none", "death"]),
            "salvage": [3.0, np.nan],
            "age": [50, 60],
        }
    )
    found = split(data, "Surv(months, code)", outcomes=["dfs"])
    assert found["event"].tolist() == [0, 2, 1]
    assert found["code"].tolist() == [0, 2, 1]
    assert found["dfs"].tolist() == [False, True, True]
    assert found["age"].tolist() == [50, 50, 60]
    assert found.attrs["rnetstats"]["split"]["events"] == 2
    with pytest.raises(OptionError, match="no level"):
        split(data, "Surv(months, code)", outcomes=["kind"])
    one = split(data, "Surv(months, code == 1)")
    assert one["event"].tolist() == [0, 0, 1]


def test_data_and_labels_stay_as_they_are():
    cohort = rn.load_cohort("duan2024")
    before = cohort.copy(deep=True)
    found = split(
        cohort, "Surv(dfs_months, recurrence)", treatment_time="salvage_months", id="patient_id"
    )
    pd.testing.assert_frame_equal(cohort, before)
    assert "split" not in cohort.attrs["rnetstats"]
    assert found.attrs["rnetstats"]["synthetic"]
    assert found["method"].dtype == cohort["method"].dtype
    rn.cox(found, "Surv(start, stop, event) ~ treated + size_mm + cluster(patient_id)")


def test_nobody_treated_leaves_one_row_each():
    found = split(SIX.assign(salvage=np.nan), id="patient")
    assert len(found) == 6
    assert not found["treated"].any()


def test_missing_times_are_counted():
    found = split(SIX.assign(months=SIX["months"].where(SIX["patient"] != "E")), id="patient")
    account = found.attrs["rnetstats"]["split"]
    assert account["patients"] == 5
    assert "1 of 6 rows left out for missing values" in account["notes"][0]
    with pytest.raises(DataError, match="missing='drop'"):
        split(SIX.assign(months=SIX["months"].where(SIX["patient"] != "E")), missing="raise")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"salvage": [np.nan, -1, 5, np.nan, np.nan, 8]}, r"negative for B; time counts from"),
        ({"salvage": [5, 11, 5, np.nan, np.nan, 8]}, r"after the end of follow-up .* for A, B \("),
        ({"salvage": [np.nan, np.inf, 5, np.nan, np.nan, 8]}, "infinite"),
        ({"months": [0.0, 10, 12, 6, 15, 20]}, "event is at time 0 for A"),
        ({"patient": list("ABCDEA")}, "more than one row: A"),
        ({"patient": [None, *"BCDEF"]}, "missing in row 1"),
        ({"months": [-4.0, 10, 12, 6, 15, 20]}, "negative in row 1"),
    ],
)
def test_wrong_rows_are_named(change, words):
    with pytest.raises(DataError, match=words):
        split(SIX.assign(**change), id="patient")


@pytest.mark.parametrize("dtype", [bool, "boolean", object])
def test_who_was_treated_is_no_time_of_treatment(dtype):
    flags = pd.Series([False, True, True, False, False, True], dtype=dtype)
    with pytest.raises(ColumnError, match="truth values, which say who was treated"):
        split(SIX.assign(salvage=flags))


def test_a_patient_without_follow_up_is_left_out_with_a_note():
    data = SIX.assign(months=[4.0, 10, 12, 6, 0.0, 20])
    found = split(data, id="patient")
    assert "E" not in set(found["patient"])
    notes = found.attrs["rnetstats"]["split"]["notes"]
    assert any("1 patient(s) with months = 0 left out" in note for note in notes)


def test_names_and_formulas_that_cannot_be():
    with pytest.raises(ColumnError, match="already"):
        split(SIX.assign(start=0.0))
    with pytest.raises(ColumnError, match="another name with treated="):
        split(SIX.assign(treated=0))
    with pytest.raises(ColumnError, match="'id' already"):
        split(SIX.rename(columns={"patient": "id"}))
    for wrong in (2, [2]):
        with pytest.raises(ColumnError, match="no column"):
            split(ever_treated=wrong)
    with pytest.raises(OptionError, match="treated="):
        split(treated="stop")
    with pytest.raises(FormulaError, match="one row a patient"):
        split(SIX.assign(begin=0.0), "Surv(begin, months, event)")
    with pytest.raises(ColumnError, match="salvage"):
        split(treatment_time="salvag")
    with pytest.raises(ColumnError, match="time of treatment"):
        split(SIX.assign(salvage=list("abcdef")))


def test_a_formula_that_is_none_is_called_so():
    with pytest.raises(FormulaError) as caught:
        split(formula=None)
    assert "column" not in str(caught.value)
