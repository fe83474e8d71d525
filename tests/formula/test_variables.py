"""Columns as a formula sees them: numbers, levels, missing values, and what is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.errors import ColumnError, DataError, RnetError
from rnetstats.formula.variables import Variable, level_text, read_variable


def read(values: Any) -> Variable:
    return read_variable(pd.DataFrame({"x": values}), "x")


@pytest.mark.parametrize(
    "values",
    [
        [0, 1, 1],
        [False, True, True],
        np.array([0, 1, 1], dtype=np.uint8),
        pd.array([0, 1, 1], dtype="Int64"),
        pd.array([False, True, True], dtype="boolean"),
        pd.Series([0, 1, 1], dtype=object),
        pd.Series([False, True, True], dtype=object),
        pd.Series([Decimal(0), Decimal(1), 1.0], dtype=object),
        np.array([0, 1, 1], dtype=np.float32),
    ],
)
def test_numbers_of_any_type(values: Any) -> None:
    variable = read(values)
    assert variable.is_numeric
    assert variable.missing is None
    np.testing.assert_array_equal(variable.numbers("this"), [0.0, 1.0, 1.0])
    assert variable.as_factor()[1] == (0, 1)


@pytest.mark.parametrize(
    "values",
    [
        [1.5, np.nan, 2],
        pd.array([1.5, None, 2], dtype="Float64"),
        pd.Series([1.5, None, 2], dtype=object),
        pd.Series([1.5, pd.NA, 2], dtype=object),
    ],
)
def test_missing_numbers(values: Any) -> None:
    variable = read(values)
    np.testing.assert_array_equal(variable.missing, [False, True, False])
    codes, levels = variable.as_factor()
    assert codes.tolist() == [0, -1, 1]
    assert levels == (1.5, 2)


@pytest.mark.parametrize(
    "values",
    [
        ["b", None, "B", "b"],
        ["b", np.nan, "B", "b"],
        pd.array(["b", None, "B", "b"], dtype="string"),
        pd.Series(["b", pd.NA, "B", "b"], dtype=object),
    ],
)
def test_text_sorts_by_code_point(values: Any) -> None:
    variable = read(values)
    assert variable.levels == ("B", "b")
    assert variable.codes is not None
    assert variable.codes.tolist() == [1, -1, 0, 1]
    assert not variable.ordered_by_data


def test_categories_keep_their_order() -> None:
    values = pd.Categorical(["low", "high", None], categories=["low", "mid", "high"])
    variable = read(values)
    assert variable.levels == ("low", "mid", "high")
    assert variable.codes is not None
    assert variable.codes.tolist() == [0, 2, -1]
    assert variable.ordered_by_data
    taken = variable.take(np.array([1, 2]))
    assert taken.codes is not None
    assert taken.codes.tolist() == [2, -1]
    assert taken.where(np.array([False, True])) == "row 3"


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([1.0, np.inf, 2, -np.inf], DataError, "infinite values in rows 2, 4"),
        ([np.nan] * 3, ColumnError, "all 3 are missing"),
        ([None] * 3, ColumnError, "all 3 are missing"),
        (pd.Categorical([None, None]), ColumnError, "all 2 are missing"),
        ([1, "n/a", 3.5], DataError, "mixes numbers and text: 'n/a' and the like in row 2"),
        (["a", 2, "b"], DataError, "mixes numbers and text: 2 and the like in row 2"),
        (["a", "", " "], DataError, "blank text in rows 2, 3"),
        (["a", "\t", "b"], DataError, "blank text in row 2"),
        (pd.to_datetime(["2020-01-01", "2021-01-01"]), ColumnError, "Dates are turned into months"),
        (
            pd.to_timedelta([1, 2], unit="D"),
            ColumnError,
            r"A duration becomes months first: data\['x'\] / pandas.Timedelta\(days=30.4375\)",
        ),
        (
            pd.Series([date(2020, 1, 1), None], dtype=object),
            ColumnError,
            r"type date; .*first: \(data\['later'\] - data\['earlier'\]\) / pandas.Timedelta",
        ),
        (pd.to_datetime([None, None]), ColumnError, "all 2 are missing"),
        (pd.Categorical(["a", "", " "]), DataError, "blank text in rows 2, 3; make it missing"),
        ([1 + 2j, 3], ColumnError, "a formula takes numbers"),
        ([[1], [2]], ColumnError, "values of type list"),
        (pd.Series([10**400, 1], dtype=object), DataError, "too large"),
        ([(1,), (2,)], ColumnError, "values of type tuple"),
    ],
)
def test_columns_that_are_refused(values: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read(values)


def test_an_absent_column_names_the_nearest() -> None:
    with pytest.raises(ColumnError, match=r"no column 'agee'.*Did you mean 'age'"):
        read_variable(pd.DataFrame({"age": [1, 2]}), "agee")


def test_text_where_numbers_are_wanted() -> None:
    with pytest.raises(ColumnError, match=r"categories \('1', '2'\).*pandas.to_numeric"):
        read(["1", "2"]).numbers("log(x)")
    with pytest.raises(ColumnError, match=r"but a time takes numbers. Not a number: row 3"):
        read(["1", "2", "n/a"]).numbers("a time")


def test_levels_are_matched_by_type() -> None:
    variable = read(["1", "2"])
    assert variable.check_level("2") == 1
    with pytest.raises(DataError, match=r"no level 2; it has '1', '2'\. Write '2', in quotes"):
        variable.check_level(2)
    with pytest.raises(DataError, match=r"no level '3'; .* Write 3, without quotes"):
        read([1, 2, 3]).check_level("3", (1, 2, 3))
    with pytest.raises(DataError, match="Did you mean 'ESD'"):
        read(["ESD", "EMR"]).check_level("esd")


def test_level_text() -> None:
    assert [level_text(v) for v in (2.0, 2.5, 2, "2", True)] == ["2", "2.5", "2", "2", "True"]


def test_levels_that_are_truth_values_or_floats_are_numbers() -> None:
    assert read(pd.Categorical([True, False, True])).levels == (0, 1)
    assert [type(v) for v in read(pd.Categorical([2.0, 0.5])).levels] == [float, int]
    assert read(pd.Categorical([True, False, True])).levels[0] is not False


CELLS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.binary(max_size=2)
    | st.tuples(st.integers())
    | st.lists(st.integers(), max_size=1)
    | st.complex_numbers()
    | st.just(pd.NA)
    | st.just(pd.NaT)
)


@given(st.lists(CELLS, min_size=1, max_size=6))
def test_any_cells_are_read_or_refused(cells: list[Any]) -> None:
    frame = pd.DataFrame({"x": pd.Series(cells, dtype=object)})
    try:
        variable = read_variable(frame, "x")
    except RnetError as refusal:
        assert "'x'" in str(refusal)
    else:
        codes, levels = variable.as_factor()
        assert codes.max() == len(levels) - 1


@given(st.lists(st.none() | st.text("abAB é", min_size=1).filter(str.strip), min_size=1))
def test_text_codes_give_the_text_back(values: list[str | None]) -> None:
    if all(value is None for value in values):
        return
    variable = read(pd.Series(values, dtype=object))
    assert variable.codes is not None
    assert list(variable.levels) == sorted(set(values) - {None})
    back = [None if code < 0 else variable.levels[code] for code in variable.codes]
    assert back == values


def test_intervals_are_levels_by_their_text() -> None:
    variable = read(pd.cut(np.array([12.0, 3.0, np.nan, 18.0]), [0, 5, 10, 20]))
    assert variable.levels == ("(0, 5]", "(5, 10]", "(10, 20]")
    assert variable.codes is not None
    assert variable.codes.tolist() == [2, 0, -1, 2]
    assert variable.ordered_by_data


def test_categories_of_arrow_keep_their_order() -> None:
    pa = pytest.importorskip("pyarrow")
    chunks = [pa.array(["b", None]).dictionary_encode(), pa.array(["a", "b"]).dictionary_encode()]
    stored = pd.arrays.ArrowExtensionArray(pa.chunked_array(chunks))
    variable = read(pd.Series(stored))
    assert variable.levels == ("b", "a")
    assert variable.codes is not None
    assert variable.codes.tolist() == [0, -1, 1, 0]


@pytest.mark.parametrize("kind", ["bool", "int64", "double"])
def test_numbers_and_truth_values_of_arrow(kind: str) -> None:
    pa = pytest.importorskip("pyarrow")
    stored = pa.array([False, None, True]).cast(kind)
    variable = read(pd.Series(pd.arrays.ArrowExtensionArray(stored)))
    np.testing.assert_array_equal(variable.numbers("this"), [0.0, np.nan, 1.0])


def test_a_column_of_arrow_s_nulls_holds_no_values() -> None:
    pa = pytest.importorskip("pyarrow")
    stored = pd.arrays.ArrowExtensionArray(pa.nulls(3))
    with pytest.raises(ColumnError, match="all 3 are missing"):
        read(pd.Series(stored))


def test_a_blank_level_without_rows_is_no_harm() -> None:
    assert read(pd.Categorical(["a", "b"], ["", "a", "b"])).levels == ("", "a", "b")


def test_text_of_numpy_is_text() -> None:
    cells = pd.Series([np.str_("b"), np.str_("a")], dtype=object)
    for values in (cells, pd.Categorical(cells)):
        variable = read(values)
        assert [type(level) for level in variable.levels] == [str, str]
        assert variable.codes is not None
        assert variable.codes.tolist() == [1, 0]


def test_other_levels_are_refused_with_what_to_do() -> None:
    with pytest.raises(ColumnError, match=r"such as \(1, 2\).*rename_categories\(str\)"):
        read(pd.Categorical([(1, 2), (3, 4)]))
