"""The built-in codebook of the 527-patient study, on the synthetic files of its shape."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rnetstats.data.builtin import builtin_codebook
from rnetstats.data.read import read_cohort
from rnetstats.errors import CodebookError, ColumnError, DataError
from support import data_path

FILES = ("rnet_like_a.csv", "rnet_like_a_missing.csv", "rnet_like_b.csv", "rnet_zero_events.csv")


def raw(name: str = "rnet_like_a.csv") -> pd.DataFrame:
    return pd.read_csv(data_path(name))


@pytest.mark.parametrize("name", FILES)
def test_values_are_those_of_the_file(name: str) -> None:
    cohort = read_cohort(data_path(name), codebook="duan2024")
    plain = raw(name)
    assert len(cohort) == len(plain)
    for column in plain:
        if plain[column].dtype.kind in "if":
            np.testing.assert_array_equal(cohort[column].to_numpy(dtype=float), plain[column])
        else:
            assert list(cohort[column].astype(object)) == list(plain[column])


def test_counts_of_the_first_file() -> None:
    cohort = read_cohort(data_path("rnet_like_a.csv"), codebook="duan2024")
    assert (len(cohort), cohort["margin_positive"].sum(), cohort["recurrence"].sum()) == (
        527,
        181,
        12,
    )
    assert cohort["dfs_event"].sum() == (raw()["event_type"] > 0).sum()
    assert list(cohort["method"].cat.categories) == ["cEMR", "mEMR", "ESD", "other"]
    assert cohort["location"].cat.categories[0] == "middle"
    assert cohort["salvage_months"].dropna().to_numpy() == pytest.approx(
        raw()["salvage_days"].dropna().to_numpy() / 30.4375, rel=1e-15
    )
    assert cohort["event_type"].dtype == np.int64


def test_what_is_known_of_a_cohort_travels_with_it() -> None:
    about = read_cohort(data_path("rnet_like_b.csv"), codebook="duan2024").attrs["rnetstats"]
    assert about["labels"]["size_mm"] == "Tumour size"
    assert about["units"]["dfs_months"] == "months"
    assert about["codes"]["event_type"]["2"] == "death without recurrence"
    assert about["absent"] == ["centre", "enrolment_date"]
    assert about["missing"] == {}  # no salvage, no day of salvage: not a missing value
    assert about["structural"]["salvage_days"] == 263
    assert about["synthetic"] is False
    assert about["provenance"]["codebook"] == "duan2024"
    assert len(about["provenance"]["sha256"]) == 64
    notes = " ".join(about["notes"])
    assert "method: no row has the level other." in notes
    assert "dfs_event: derived: recurrence == 1 or death == 1." in notes
    assert "'enrolment_date' is not in the file; skipped without it" in notes


def test_missing_values_are_counted() -> None:
    cohort = read_cohort(data_path("rnet_like_a_missing.csv"), codebook="duan2024")
    assert cohort.attrs["rnetstats"]["missing"] == {"nlr": 21}
    assert "nlr: missing in 21 of 527 rows." in cohort.attrs["rnetstats"]["notes"]


def test_no_events_are_noted_not_refused() -> None:
    cohort = read_cohort(data_path("rnet_zero_events.csv"), codebook="duan2024")
    assert cohort["recurrence"].sum() == 0
    assert "recurrence: all values are the same (0)." in cohort.attrs["rnetstats"]["notes"]


def test_event_type_is_derived_where_the_file_lacks_it() -> None:
    with_it = read_cohort(raw(), codebook="duan2024")
    without = read_cohort(raw().drop(columns="event_type"), codebook="duan2024")
    pd.testing.assert_series_equal(with_it["event_type"], without["event_type"])
    pd.testing.assert_series_equal(with_it["dfs_event"], without["dfs_event"])


def test_reading_twice_changes_nothing() -> None:
    once = read_cohort(data_path("rnet_like_a_missing.csv"), codebook="duan2024")
    twice = read_cohort(once, codebook="duan2024")
    pd.testing.assert_frame_equal(once, twice)


def test_the_caller_s_frame_is_not_changed() -> None:
    frame = raw()
    before = frame.copy(deep=True)
    read_cohort(frame, codebook="duan2024")
    pd.testing.assert_frame_equal(frame, before)
    assert frame.attrs == {}


def changed(**cells: tuple[int, object]) -> pd.DataFrame:
    """The first file with one cell a column changed: row (from 1), value."""
    frame = raw().astype(object)
    for column, (row, value) in cells.items():
        frame.iloc[row - 1, frame.columns.get_loc(column)] = value
    return frame


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"patient_id": (2, "A0001")}, "'A0001' occurs again, in rows 1, 2"),
        ({"patient_id": (3, None)}, "no identifier in row 3"),
        ({"age": (1, "sixty")}, "column 'age': 'sixty' in row 1 is not a number"),
        ({"age": (1, 150)}, "'150' in row 1 is outside the range 0 to 120 years"),
        ({"size_mm": (4, "4,9")}, 'If the comma is the decimal mark, say so: decimal = ","'),
        ({"size_mm": (4, 24.5)}, "'24.5' in row 4 is outside the range 0.1 to 20 mm"),
        ({"nlr": (5, float("inf"))}, "column 'nlr': 'inf' in row 5 is infinite"),
        ({"method": (6, "EMR-c")}, "'EMR-c' in row 6 is not a known level. Known are 'cEMR'"),
        ({"location": (6, "Lower")}, "Did you mean 'lower'"),
        ({"recurrence": (7, 2)}, "column 'recurrence': '2' in row 7 is not 0 or 1"),
        ({"death": (7, "Yes")}, "is not 0 or 1"),
        ({"dfs_months": (1, -3)}, "column 'dfs_months': '-3' in row 1 is negative"),
        ({"dfs_months": (1, 25)}, r"cannot exceed .*row 1 \(there dfs_months = 25, os_months = 19"),
        ({"event_type": (1, 5)}, r"'5' in row 1 is not a known code. The codes are 0 \(censored\)"),
        ({"event_type": (1, 2)}, "'event_type' contradicts .*row 1: there it is 2, by the rule 0"),
        ({"salvage_days": (2, 5000)}, "salvage must come before the end of follow-up"),
        ({"salvage_days": (1, 10)}, "has a value where it does not apply .*row 1"),
        ({"salvage": (1, "not_applicable")}, "a patient with a positive margin has salvage"),
        ({"os_months": (1, 160), "dfs_months": (1, 160)}, "after the codebook's last date 2024"),
    ],
)
def test_one_wrong_cell(cells: dict[str, tuple[int, object]], message: str) -> None:
    with pytest.raises(DataError, match=f"(?s){message}"):
        read_cohort(changed(**cells), codebook="duan2024")


def test_a_derived_column_is_not_blamed_for_the_column_that_it_follows_from() -> None:
    with pytest.raises(DataError, match="'salvage_days' has a value where") as caught:
        read_cohort(changed(salvage_days=(1, 10)), codebook="duan2024")
    assert "salvage_months" not in str(caught.value)


def test_a_derived_column_that_the_file_has_too_is_named_as_well() -> None:
    frame = raw()
    frame["salvage_months"] = frame["salvage_days"] / 30.4375
    frame.loc[0, ["salvage_days", "salvage_months"]] = [30.0, 30.0 / 30.4375]
    with pytest.raises(DataError, match=r"(?s)2 problems.*'salvage_days'.*'salvage_months' has"):
        read_cohort(frame, codebook="duan2024")


def test_numbers_that_break_a_rule_do_not_read_alike() -> None:
    frame = changed(dfs_months=(1, 19.800002))
    with pytest.raises(DataError, match=r"there dfs_months = 19\.800002, os_months = 19\.8\)"):
        read_cohort(frame, codebook="duan2024")


def test_time_zero_is_allowed() -> None:
    cohort = read_cohort(changed(dfs_months=(3, 0), os_months=(3, 0)), codebook="duan2024")
    assert cohort["os_months"].iloc[2] == 0


def test_enrolment_dates_bound_the_follow_up() -> None:
    frame = raw()
    frame["enrolment_date"] = "2013-01-15"
    assert read_cohort(frame, codebook="duan2024")["enrolment_date"].dtype.kind == "M"
    frame.loc[2, "enrolment_date"] = "2023-06-01"  # 113.1 months of follow-up
    with pytest.raises(DataError, match=r"last date 2024-12-31 \(enrolment_date plus os_months"):
        read_cohort(frame, codebook="duan2024")
    frame.loc[2, "enrolment_date"] = "2012-11-30"
    with pytest.raises(DataError, match="before the codebook's first date 2012-12-01 in row 3"):
        read_cohort(frame, codebook="duan2024")
    frame.loc[2, "enrolment_date"] = "15.01.2013"
    with pytest.raises(DataError, match=r"'15.01.2013' in row 3 is not a date"):
        read_cohort(frame, codebook="duan2024")


def test_all_problems_come_at_once() -> None:
    frame = changed(age=(1, "sixty"), nlr=(2, -1), sex=(3, "W"), death=(4, 9))
    with pytest.raises(DataError, match="4 problems:") as caught:
        read_cohort(frame, codebook="duan2024")
    assert str(caught.value).count("\n  - ") == 4


def test_missing_and_empty_columns() -> None:
    with pytest.raises(ColumnError, match=r"no column 'size_mm'. Did you mean 'size'"):
        read_cohort(raw().rename(columns={"size_mm": "size"}), codebook="duan2024")
    with pytest.raises(ColumnError, match="'nlr' has no value at all"):
        read_cohort(raw().assign(nlr=np.nan), codebook="duan2024")
    cohort = read_cohort(raw().assign(grade=None), codebook="duan2024")
    assert "grade" in cohort.attrs["rnetstats"]["absent"]


def test_other_names_and_codings_are_a_matter_of_the_codebook() -> None:
    frame = raw()[["age", "sex"]].rename(columns={"sex": "Geschlecht"})
    frame["Geschlecht"] = frame["Geschlecht"].map({"M": 1, "F": 2})
    frame["ward"] = "B"
    from rnetstats.data.codebook import Codebook

    text = (
        'type = "category"\nsource = "Geschlecht"\nlevels = ["F", "M"]\n'
        'recode = { 1 = "M", 2 = "F" }\n'
    )
    cohort = read_cohort(frame, codebook=Codebook.from_text(f"[columns.sex]\n{text}"))
    assert list(cohort["sex"].astype(object)) == list(raw()["sex"])
    notes = " ".join(cohort.attrs["rnetstats"]["notes"])
    males = int((raw()["sex"] == "M").sum())
    assert f"'1' to 'M' ({males})" in notes
    assert "'ward'" in notes


def test_unknown_studies() -> None:
    with pytest.raises(CodebookError, match="Did you mean 'duan2024'"):
        read_cohort(raw(), codebook="duan2023")
    with pytest.raises(CodebookError, match="Did you mean 'duan2024'"):
        builtin_codebook("duan2023")
