"""Dates: each text is read in one way only, and what a form leaves open is told."""

from __future__ import annotations

import pandas as pd
import pytest

from rnetstats.data.codebook import Codebook
from rnetstats.data.read import read_cohort
from rnetstats.errors import CodebookError, DataError


def read(values: list[object], form: str) -> pd.DataFrame:
    book = Codebook.from_text(f'[columns.d]\ntype = "date"\ndate_format = "{form}"\n')
    return read_cohort({"d": values}, codebook=book)


def notes(frame: pd.DataFrame) -> str:
    return " ".join(frame.attrs["rnetstats"]["notes"])


@pytest.mark.parametrize(
    ("form", "text", "day"),
    [
        ("%d%m%Y", "01022024", "2024-02-01"),
        ("%Y%m%d", 20240112, "2024-01-12"),
        ("%d%b%Y", "1Jan2020", "2020-01-01"),
        ("%d.%m.%Y", "1.2.2024", "2024-02-01"),
        ("%Y-%m-%d %H:%M%z", "2024-02-01 23:30+0000", "2024-02-01"),
        ("%G-W%V-%u", "2024-W01-3", "2024-01-03"),
    ],
)
def test_a_form_is_read(form: str, text: object, day: str) -> None:
    found = read([text, text], form)
    assert found["d"].tolist() == [pd.Timestamp(day)] * 2
    assert "leaves the day open" not in notes(found)


@pytest.mark.parametrize(("form", "number"), [("%d%m%Y", 1022024), ("%Y%m%d", 2024112)])
def test_numbers_side_by_side_need_all_their_digits(form: str, number: int) -> None:
    """1022024 lost the zero of 01.02.2024, and would be read as 10.2.2024."""
    with pytest.raises(DataError, match=rf"'{number}' in row 2 .*a zero may have been lost"):
        read(["01022024" if form == "%d%m%Y" else "20240112", number], form)


@pytest.mark.parametrize("form", ["%Q", "%", "%d %"])
def test_a_form_must_be_one(form: str) -> None:
    with pytest.raises(CodebookError, match=r"\[columns.d\]: date_format .* is no form of a date"):
        read(["2020"], form)


@pytest.mark.parametrize("form", ["%H:%M", "%d.%m.", "%j", "day"])
def test_a_form_must_have_a_year(form: str) -> None:
    with pytest.raises(CodebookError, match="has no year"):
        read(["20"], form)


def test_what_a_form_leaves_open_is_told() -> None:
    months = read(["02/2024", "12/2020"], "%m/%Y")
    assert months["d"].tolist() == [pd.Timestamp("2024-02-01"), pd.Timestamp("2020-12-01")]
    assert "d: the form %m/%Y leaves the day open; the first was taken, as 2020-12-01." in notes(
        months
    )
    births = read(["12.03.45", "01.01.70"], "%d.%m.%y")
    assert (
        "d: years of two digits were read as 1969 to 2068; the dates run from 1970-01-01 to "
        in (notes(births))
    )
