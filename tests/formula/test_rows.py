"""Missing values and weights: every row that is left out is counted and named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnetstats.errors import ColumnError, DataError, OptionError
from rnetstats.formula.rows import select_rows

FRAME = pd.DataFrame(
    {"a": [1.0, np.nan, 3, 4, 5], "b": ["u", "v", None, "v", "u"], "w": [1, 2, 0, 1, 3]},
    index=list("pqrst"),
)


def test_rows_with_missing_values_are_dropped_and_counted() -> None:
    rows = select_rows(FRAME, ["a", "b"], None, "drop")
    assert rows.positions.tolist() == [0, 3, 4]
    assert rows.n_missing == 2
    assert rows.missing_columns == {"a": 1, "b": 1}
    assert rows.notes == ["2 of 5 rows left out for missing values: a (1), b (1)."]
    np.testing.assert_array_equal(rows.variables["a"].values, [1, 4, 5])


def test_only_the_columns_used_count() -> None:
    rows = select_rows(FRAME, ["a"], None, "drop")
    assert rows.positions.tolist() == [0, 2, 3, 4]
    assert select_rows(FRAME, ["w"], None, "raise").n_missing == 0


def test_missing_values_can_be_refused() -> None:
    with pytest.raises(DataError, match=r"\(a: row 2; b: row 3\).*missing='drop'"):
        select_rows(FRAME, ["a", "b"], None, "raise")
    with pytest.raises(OptionError, match="missing='ignore'"):
        select_rows(FRAME, ["a"], None, "ignore")


def test_no_complete_row() -> None:
    frame = pd.DataFrame({"a": [1, np.nan], "b": [np.nan, 1]})
    with pytest.raises(DataError, match=r"No complete row is left of 2.*a \(1\), b \(1\)"):
        select_rows(frame, ["a", "b"], None, "drop")


@pytest.mark.parametrize("weights", ["w", [1, 2, 0, 1, 3], FRAME["w"], np.array([1, 2, 0, 1, 3])])
def test_frequency_weights(weights: Any) -> None:
    rows = select_rows(FRAME, ["b"], {"freq_weights": weights, "sampling_weights": None}, "drop")
    assert rows.positions.tolist() == [0, 1, 3, 4]
    np.testing.assert_array_equal(rows.freq_weights, [1, 2, 1, 3])
    assert rows.sampling_weights is None
    assert rows.n_missing == 1
    assert "1 of 5 rows left out for a frequency weight of 0." in rows.notes


def test_sampling_weights_may_be_fractions_and_zero() -> None:
    rows = select_rows(FRAME, ["a"], {"sampling_weights": [0.5, 1, 0, 2.5, 1]}, "drop")
    np.testing.assert_array_equal(rows.sampling_weights, [0.5, 0, 2.5, 1])


@pytest.mark.parametrize(
    ("kind", "weights", "error", "message"),
    [
        (
            "freq_weights",
            [1, 2.5, 1, 0.1, 1],
            DataError,
            "no whole numbers in rows 2, 4; weights of sampling are sampling_weights=, where",
        ),
        ("freq_weights", [1, -1, 1, 1, 1], DataError, "negative in row 2"),
        ("sampling_weights", [1, 1, 1, -0.5, 1], DataError, "negative in row 4"),
        ("sampling_weights", [1, 1, np.nan, 1, 1], DataError, "missing in row 3"),
        ("sampling_weights", [1, 1, np.inf, 1, 1], DataError, "infinite in row 3"),
        ("freq_weights", [0] * 5, DataError, "are all 0"),
        ("freq_weights", [1, 2], DataError, r"shape \(2,\); the data have 5 rows"),
        ("freq_weights", 3, DataError, r"shape \(\)"),
        ("freq_weights", ["a"] * 5, DataError, "must be a column's name or numbers"),
        ("freq_weights", "b", ColumnError, "freq_weights takes numbers"),
        ("freq_weights", "ww", ColumnError, "no column 'ww'"),
        ("sampling_weights", "a", DataError, r"\(column 'a'\) are missing in row 2"),
        ("sampling_weights", pd.Series([1.0] * 5), DataError, "different row labels"),
        ("weights", "w", OptionError, "they are freq_weights or sampling_weights"),
    ],
)
def test_weights_that_are_refused(
    kind: str, weights: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        select_rows(FRAME, ["b"], {kind: weights}, "drop")
