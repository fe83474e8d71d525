from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rnetstats as rn
from rnetstats.errors import ColumnError, DataError, OptionError
from support import data_path

TOY = {
    "a": [1.0, 2.0, 3.0, 4.0, 5.0],
    "b": [1.0, None, None, 4.0, None],
    "c": ["x", None, "y", "x", None],
    "y": [0, 0, 1, 1, 1],
}


def test_patterns_worked_by_hand():
    result = rn.missing_patterns(TOY, ["a", "b", "c"], by="y")
    frame = result.to_frame()
    assert frame.columns.tolist() == ["a", "c", "b", "n", "share", "n_missing"]
    assert frame["n"].tolist() == [2, 2, 1]
    assert frame["n_missing"].tolist() == [0, 2, 1]
    assert frame.loc[1, ["a", "c", "b"]].tolist() == [True, False, False]
    assert frame["share"].tolist() == [0.4, 0.4, 0.2]
    columns = result.by_column().set_index("column")
    assert columns["n_missing"].to_dict() == {"a": 0, "c": 2, "b": 3}
    groups = result.by_group().set_index(["column", "group"])
    assert groups.loc[("b", "0"), "n_missing"] == 1
    assert groups.loc[("b", "1"), "share"] == pytest.approx(2 / 3)
    glance = result.glance().iloc[0]
    assert glance.tolist() == [5, 2, 3, 5]
    assert result.display()["missing"].tolist() == ["nothing", "c, b", "b"]


@given(st.integers(0, 1000), st.integers(1, 5))
def test_counts_add_up_in_any_order_of_rows(seed, width):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(30, width)), columns=[f"v{j}" for j in range(width)])
    frame = frame.mask(rng.random(frame.shape) < 0.3)
    result = rn.missing_patterns(frame)
    table = result.to_frame()
    assert table["n"].sum() == 30
    for name in frame.columns:
        assert table.loc[~table[name], "n"].sum() == frame[name].isna().sum()
    shuffled = rn.missing_patterns(frame.iloc[rng.permutation(30)])
    pd.testing.assert_frame_equal(shuffled.to_frame(), table)


def test_cells_that_do_not_apply_are_told_apart():
    cohort = rn.read_cohort(data_path("rnet_like_a_missing.csv"), codebook="duan2024")
    result = rn.missing_patterns(cohort)
    columns = result.by_column().set_index("column")
    assert columns.loc["salvage_days", "structural"] == 438
    assert columns.loc["nlr", ["n_missing", "structural"]].tolist() == [21, 0]
    assert any("nothing applies" in note for note in result.notes)


def test_notes_and_refusals():
    complete = rn.missing_patterns({"a": [1, 2], "b": [3, 4]})
    assert complete.notes == ("Nothing is missing in these columns.",)
    assert complete.plot().has_data()
    numbered = rn.missing_patterns(pd.DataFrame({0: [1.0, None]}))
    assert numbered.by_column()["n_missing"].tolist() == [1]
    empty = rn.missing_patterns({"a": [1, 2], "b": [None, None]})
    assert "b: holds no values at all." in empty.notes
    with pytest.raises(ColumnError, match="no column 'z'"):
        rn.missing_patterns(TOY, ["z"])
    with pytest.raises(OptionError, match="list of names"):
        rn.missing_patterns(TOY, "a")
    with pytest.raises(OptionError, match="list of names"):
        rn.missing_patterns(TOY, 2)
    with pytest.raises(ColumnError, match="no column 2"):
        rn.missing_patterns(TOY, by=2)
    with pytest.raises(OptionError, match="empty"):
        rn.missing_patterns(TOY, [])
    with pytest.raises(OptionError, match="by="):
        rn.missing_patterns(TOY).by_group()
    with pytest.raises(ColumnError, match="40 values"):
        rn.missing_patterns({"a": list(range(40))}, by="a")


def test_groups_are_single_values_of_one_kind():
    for values in ([[1], [2], None], [{1: 2}, {}, None]):
        with pytest.raises(DataError, match="'g' holds several values in row 1"):
            rn.missing_patterns(pd.DataFrame({"a": [1, None, 2], "g": values}), by="g")
    mixture = pd.DataFrame({"a": [1, None, 2], "g": [pd.Timestamp("2020-01-01"), 1, "x"]})
    counted = rn.missing_patterns(mixture, by="g").by_group().set_index("group")
    assert counted["n_missing"].to_dict() == {"2020-01-01 00:00:00": 0, "1": 1, "x": 0}
