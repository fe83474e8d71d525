"""Whatever the input, reading returns a table or raises one of the package's own errors."""

from __future__ import annotations

import string
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnetstats.data.codebook import Codebook
from rnetstats.data.read import read_cohort
from rnetstats.data.template import write_codebook
from rnetstats.errors import RnetError

CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
shared_folder = settings(suppress_health_check=CHECKS)
MAGIC = (b"", b"PK\x03\x04", b"PAR1", b"<stata_dta>", b"$FL2", b"\xff\xfe", b"\xef\xbb\xbf")
SUFFIXES = (".csv", ".tsv", ".xlsx", ".parquet", ".sav", ".txt")


def survives(path: Path) -> None:
    for codebook in (None, "duan2024"):
        try:
            frame = read_cohort(path, codebook=codebook)
        except RnetError as error:
            assert str(error)
        else:
            assert len(frame) >= 1
            assert frame.columns.is_unique


@shared_folder
@given(st.sampled_from(MAGIC), st.binary(max_size=300), st.sampled_from(SUFFIXES))
def test_arbitrary_bytes(tmp_path: Path, magic: bytes, content: bytes, suffix: str) -> None:
    path = tmp_path / f"fuzz{suffix}"
    path.write_bytes(magic + content)
    survives(path)


CELLS = st.one_of(
    st.sampled_from(["", "0", "1", "2.5", "1,5", "NA", "inf", "-1", "999", "Yes", "x", '"', "\n"]),
    st.text(string.printable, max_size=6),
)


@shared_folder
@given(
    st.lists(st.lists(CELLS, min_size=1, max_size=5), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_arbitrary_tables_of_text(
    tmp_path: Path, rows: list[list[str]], delimiter: str, newline: str
) -> None:
    path = tmp_path / "fuzz.csv"
    text = newline.join(delimiter.join(row) for row in rows)
    path.write_bytes(text.encode("utf-8", "replace"))
    survives(path)


@given(st.text(max_size=200))
def test_arbitrary_codebooks(text: str) -> None:
    try:
        Codebook.from_text(text)
    except RnetError as error:
        assert "codebook" in str(error)


KEYS = st.sampled_from(["type", "levels", "range", "recode", "derive", "missing", "codes", "uni"])
VALUES = st.sampled_from(
    ['"numeric"', '"category"', '"binary"', '["a"]', "[0, 1]", "{ a = 1 }", "1", '"x == 1"', "true"]
)


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.lists(CELLS, min_size=2, max_size=6))
def test_codebooks_that_are_nearly_right(keys: dict[str, str], cells: list[str]) -> None:
    lines = "\n".join(f"{key} = {value}" for key, value in keys.items())
    try:
        read_cohort({"x": cells}, codebook=Codebook.from_text(f"[columns.x]\n{lines}\n"))
    except RnetError as error:
        assert str(error)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """Clean frames: an identifier and columns of every kind, some values missing."""
    n = draw(st.integers(6, 15))

    def column(values: st.SearchStrategy[object]) -> list[object]:
        return draw(st.lists(st.one_of(st.none(), values), min_size=n, max_size=n))

    days = st.dates(pd.Timestamp(1950, 1, 1).date(), pd.Timestamp(2050, 1, 1).date())
    reals = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 6) + 0.0)
    return pd.DataFrame(
        {
            "patient_id": [f"p{i}" for i in range(n)],
            "real": pd.Series(column(reals), dtype="float64"),
            "flag": pd.Series(column(st.integers(0, 1)), dtype="float64"),
            "word": pd.Series(column(st.sampled_from(["cEMR", "<b>", 'a "q"', "ü"])), dtype=object),
            "day": pd.to_datetime(pd.Series(column(days.map(str)), dtype=object)),
        }
    )


@pytest.mark.slow
@settings(max_examples=12, suppress_health_check=CHECKS)
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
@given(frame=frames())
def test_round_trip_with_a_written_codebook(
    tmp_path: Path, suffix: str, frame: pd.DataFrame
) -> None:
    path = tmp_path / f"frame{suffix}"
    match suffix:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".parquet":
            pytest.importorskip("pyarrow")
            frame.to_parquet(path, index=False)
        case _:
            pytest.importorskip("openpyxl")
            frame.to_excel(path, index=False)
    cohort = read_cohort(path, codebook=Codebook.from_text(write_codebook(path)))
    pd.testing.assert_frame_equal(cohort, read_cohort(path))
    assert list(cohort["patient_id"]) == list(frame["patient_id"])
    for name in ("real", "flag"):
        np.testing.assert_array_equal(cohort[name].to_numpy(float), frame[name].to_numpy(float))
    words = cohort["word"].astype(object)
    given_words = frame["word"].astype(object)
    assert list(words[words.notna()]) == list(given_words[given_words.notna()])
    if frame["day"].notna().any():
        pd.testing.assert_series_equal(
            cohort["day"], frame["day"].astype("datetime64[ns]"), check_names=False
        )
