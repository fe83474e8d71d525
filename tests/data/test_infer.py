"""What is inferred without a codebook, and that it is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rnetstats._core.frame import is_synthetic
from rnetstats.data.infer import infer_codebook
from rnetstats.data.raw import from_frame
from rnetstats.data.read import read_cohort
from rnetstats.errors import ColumnError, DataError, ReadError


@pytest.mark.parametrize(
    ("name", "values", "type_"),
    [
        ("x", ["0", "1", "0"], "binary"),
        ("x", ["0", "0", "0"], "binary"),
        ("x", [0.0, None, 1.0], "binary"),
        ("x", [True, False, True], "binary"),
        ("x", ["TRUE", "FALSE", "NA"], "binary"),
        ("x", ["Yes", "No", "No"], "category"),
        ("x", ["1", "2", "-3"], "integer"),
        ("x", ["1", "2.0", "3"], "numeric"),
        ("x", [1.0, 2.0, 3.0], "numeric"),
        ("x", ["1e3", ".5", "-2."], "numeric"),
        ("x", ["1", "", "2"], "integer"),
        ("x", ["007", "012", "100"], "category"),
        ("x", ["1_000", "2", "3"], "category"),
        ("x", ["٣", "٤", "٥"], "category"),
        ("x", ["2020-01-31", "2021-02-28", ""], "date"),
        ("x", ["2020-02-30", "2021-02-28", "2021-03-01"], "category"),
        ("x", ["31.01.2020", "28.02.2021", "01.03.2021"], "category"),
        ("patient_id", ["a", "b", "c"], "id"),
        ("Patient No", ["3", "1", "2"], "id"),
        ("patient_id", ["a", "b", "b"], "category"),
        ("id", [1.5, 2.5, 3.5], "numeric"),
        ("x", [None, None, None], "numeric"),
        ("x", ["1234567890123456789", "2", "3"], "category"),
    ],
)
def test_types(name: str, values: list[object], type_: str) -> None:
    table = from_frame(pd.DataFrame({name: pd.Series(values, dtype=object)}))
    assert infer_codebook(table).codebook.column(name).type == type_


def test_many_values_are_text() -> None:
    table = from_frame(pd.DataFrame({"x": [f"v{i}" for i in range(21)]}))
    assert infer_codebook(table).codebook.column("x").type == "text"


def test_all_is_said() -> None:
    frame = pd.DataFrame(
        {
            "patient_id": ["p1", "p2", "p3", "p4", "p5"],
            "treated": ["Yes", "No", "No", "Yes", "No"],
            "size": [1.5, 2.5, np.nan, 3.5, 4.5],
            "dead": [0, 1, 0, 1, 0],
            "same": ["a"] * 5,
        },
    )
    notes = read_cohort(frame).attrs["rnetstats"]["notes"]
    assert notes[0].startswith("No codebook")
    assert "Inferred as identifiers: patient_id." in notes
    assert "Inferred as 0/1: dead." in notes
    assert "treated: levels No, Yes; the first is the reference." in notes
    assert "size: missing in 1 of 5 rows." in notes
    assert "same: all values are the same (a)." in notes


def test_levels_sort_by_code_point_and_categories_keep_their_order() -> None:
    frame = pd.DataFrame(
        {
            "a": ["b", "B", "a"],
            "kept": pd.Categorical(["lo", "hi", "lo"], categories=["lo", "mid", "hi"]),
        }
    )
    cohort = read_cohort(frame)
    assert list(cohort["a"].cat.categories) == ["B", "a", "b"]
    assert list(cohort["kept"].cat.categories) == ["lo", "mid", "hi"]
    assert "kept: no row has the level mid." in cohort.attrs["rnetstats"]["notes"]


def test_numbers_mixed_with_text_are_a_question_not_a_guess() -> None:
    mixed = [f"{i}.5" for i in range(10)] + ["unknown", "12"]
    with pytest.raises(DataError, match=r"holds numbers, but also 'unknown' \(row 11\).*codebook"):
        read_cohort(pd.DataFrame({"size": mixed}))
    with pytest.raises(DataError, match='decimal = ","'):
        read_cohort(pd.DataFrame({"size": ["1,5", "2,5", "3"]}))
    stages = read_cohort(pd.DataFrame({"stage": ["1", "2", "2a", "3"]}))
    assert list(stages["stage"].cat.categories) == ["1", "2", "2a", "3"]


def test_codes_with_leading_zeros_stay_text() -> None:
    codes = [f"{i:03d}" for i in range(1, 31)]
    assert list(read_cohort(pd.DataFrame({"case": codes, "x": range(30)}))["case"]) == codes


def test_missing_codes_are_counted_and_none_is_a_word() -> None:
    cohort = read_cohort(pd.DataFrame({"x": ["n/a", "1.5", "NA", "NA"], "y": ["none"] * 4}))
    assert (
        "x: codes read as missing, with their number: 'NA' (2), 'n/a' (1)."
        in (cohort.attrs["rnetstats"]["notes"])
    )
    assert cohort["x"].isna().sum() == 3
    assert list(cohort["y"]) == ["none"] * 4


def test_frames_and_mappings() -> None:
    assert list(read_cohort({"y": [0, 1], "p": [0.25, 0.75]})["p"]) == [0.25, 0.75]
    indexed = pd.DataFrame({"y": [0, 1]}, index=pd.Index(["a", "b"], name="who"))
    cohort = read_cohort(indexed)
    assert list(cohort.index) == [0, 1]
    assert "The index (who) is not a column" in cohort.attrs["rnetstats"]["notes"][0]
    with pytest.raises(ColumnError, match="'a' as columns 1, 2"):
        read_cohort(pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]))
    with pytest.raises(ColumnError, match="lists or other compound"):
        read_cohort(pd.DataFrame({"a": [[1], [2]]}))
    pyarrow = pytest.importorskip("pyarrow")
    nested = pd.ArrowDtype(pyarrow.list_(pyarrow.int64()))
    with pytest.raises(ColumnError, match="lists or other compound"):
        read_cohort(pd.DataFrame({"a": pd.Series([[1], [2]], dtype=nested)}))
    with pytest.raises(ReadError, match="no rows"):
        read_cohort(pd.DataFrame({"a": []}))
    with pytest.raises(ReadError, match="no columns"):
        read_cohort(pd.DataFrame(index=[0, 1]))
    with pytest.raises(ReadError, match="several levels"):
        read_cohort(pd.DataFrame([[1], [2]], columns=pd.MultiIndex.from_tuples([("a", "b")])))


def test_dtypes_of_pandas_are_taken() -> None:
    frame = pd.DataFrame(
        {
            "i": pd.array([1, 2, None], dtype="Int64"),
            "b": pd.array([True, None, False], dtype="boolean"),
            "s": pd.array(["x", None, "y"], dtype="string"),
            "d": pd.to_datetime(["2020-01-01", None, "2020-01-03"]),
            "f": np.array([1.5, 2.5, 3.5], dtype=np.float32),
        }
    )
    cohort = read_cohort(pd.concat([frame, frame], ignore_index=True)).iloc[:3]
    assert cohort["i"].dropna().tolist() == [1.0, 2.0]
    assert cohort["b"].dropna().tolist() == [1.0, 0.0]
    assert cohort["s"].dropna().tolist() == ["x", "y"]
    assert cohort["d"].dtype == "datetime64[ns]"
    assert cohort["f"].tolist() == [1.5, 2.5, 3.5]


def test_the_mark_of_a_synthetic_cohort_stays() -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    frame.attrs["rnetstats"] = {"synthetic": True, "truth": "null", "notes": ["old"]}
    cohort = read_cohort(frame)
    assert is_synthetic(cohort)
    assert cohort.attrs["rnetstats"]["truth"] == "null"
    assert "old" not in cohort.attrs["rnetstats"]["notes"]
    assert not is_synthetic(read_cohort(pd.DataFrame({"a": [1, 2]})))


@pytest.mark.parametrize("values", [["1,234.5", "7", "2,000"], ["1.234,5", "2.000.000"], ["1 200"]])
def test_numbers_with_thousands_marks_are_refused(values: list[str]) -> None:
    with pytest.raises(DataError, match="thousands are parted"):
        read_cohort({"id": list("abc")[: len(values)], "cells": values})


def test_a_comma_before_three_digits_may_part_thousands() -> None:
    with pytest.raises(DataError, match='say decimal = ",", unless it parts thousands'):
        read_cohort({"cells": ["1,234", "5,678"]})


def test_durations_are_refused_in_words() -> None:
    days = pd.to_timedelta([30, 60, 90], unit="D")
    with pytest.raises(DataError, match="'time' holds durations such as '30 days"):
        read_cohort(pd.DataFrame({"time": days, "event": [0, 1, 1]}))
