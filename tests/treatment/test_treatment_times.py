"""Times of treatment are read as they stand, and refused where they cannot be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rnetstats.errors import ColumnError, DataError
from rnetstats.treatment.treatment_times import patients_text, treatment_times

STOP = np.array([10.0, 20.0, 30.0, 40.0])
ALL = np.arange(4)


def frame(times: list[float | None], **columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"salvage": np.array(times, dtype=float), **columns})


def test_missing_times_stand_for_the_never_treated() -> None:
    read = treatment_times(frame([None, 0.0, 30.0, 3.5]), "salvage", STOP, ALL)
    assert read.time.tolist() == [np.inf, 0.0, 30.0, 3.5]
    assert read.treated.tolist() == [False, True, True, True]
    assert read.at_end.tolist() == [False, False, True, False]


def test_only_the_rows_used_are_read() -> None:
    data = frame([99.0, None, 5.0, -1.0])
    read = treatment_times(data, "salvage", STOP[1:3], np.array([1, 2]))
    assert read.time.tolist() == [np.inf, 5.0]


def test_treatment_after_the_end_names_the_patients() -> None:
    data = frame([11.0, None, 31.0, 3.0], patient_id=["P1", "P2", "P3", "P4"])
    with pytest.raises(DataError, match=r"later than the event or last visit in patients P1, P3;"):
        treatment_times(data, "salvage", STOP, ALL)


def test_rows_are_counted_from_one_without_identifiers() -> None:
    with pytest.raises(DataError, match="negative in row 4;"):
        treatment_times(frame([1.0, None, 2.0, -0.1]), "salvage", STOP, ALL)
    assert patients_text(frame([None] * 4), ALL) == "rows 1, 2, 3, 4"
    many = frame([None] * 8, patient_id=list("abcdefgh"))
    assert patients_text(many, np.arange(8)) == "patients a, b, c, d, e (and 3 more)"


def test_unusable_columns_are_refused() -> None:
    with pytest.raises(DataError, match="Nobody is treated"):
        treatment_times(frame([None] * 4), "salvage", STOP, ALL)
    with pytest.raises(ColumnError, match="no column 'salvge'"):
        treatment_times(frame([1.0] * 4), "salvge", STOP, ALL)
    with pytest.raises(DataError, match="nfinite"):
        treatment_times(frame([1.0, np.inf, 1.0, 1.0]), "salvage", STOP, ALL)
    words = pd.DataFrame({"salvage": ["none", "radical", "none", "none"]})
    with pytest.raises(ColumnError, match="time of treatment"):
        treatment_times(words, "salvage", STOP, ALL)
