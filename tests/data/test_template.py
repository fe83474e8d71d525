"""A written codebook reads its file as it is read without one."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.data.codebook import Codebook
from rnetstats.data.read import read_cohort
from rnetstats.data.template import write_codebook
from rnetstats.errors import DataError
from support import data_path

FILES = ("rnet_like_a.csv", "rnet_like_a_missing.csv", "rnet_like_b.csv", "rnet_zero_events.csv")


@pytest.mark.parametrize("name", FILES)
def test_round_trip(name: str) -> None:
    path = data_path(name)
    book = Codebook.from_text(write_codebook(path))
    pd.testing.assert_frame_equal(read_cohort(path, codebook=book), read_cohort(path))


def test_it_says_what_to_check(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("id,age,sex,empty\na,50,F,\nb,999,M,\nc,60,F,\nd,,F,\n")
    text = write_codebook(path)
    sex = '[columns.sex]\ntype = "category"\n# label = ""\n'
    sex += '# alphabetical: the first, "F", is the reference; put yours first\nlevels = ["F", "M"]'
    assert sex in text
    assert "# rows: F (3), M (1)" in text
    assert "# range = [50, 999]  # as found" in text
    assert "# missing = [999]  # if these mean no value" in text
    assert "# 1 of 4 cells are empty" in text
    assert "required = false" in text


def test_how_the_file_is_written_goes_into_it(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("größe;name\n1,5;ä\n2,5;b\n".encode("cp1252"))
    text = write_codebook(path, encoding="cp1252", decimal=",", delimiter=";")
    cohort = read_cohort(path, codebook=Codebook.from_text(text))
    assert list(cohort["größe"]) == [1.5, 2.5]


def test_a_file_that_is_not_read_without_one_gets_one_all_the_same() -> None:
    frame = pd.DataFrame({"size": [f"{i}.5" for i in range(10)] + ["unknown\n[columns.x]"]})
    with pytest.raises(DataError):
        read_cohort(frame)
    text = write_codebook(frame)
    assert "holds numbers, but also" in text
    assert len(read_cohort(frame, codebook=Codebook.from_text(text))) == 11
    edited = 'type = "numeric"\nmissing = ["unknown\\n[columns.x]"]'
    numeric = text.replace('\ntype = "text"', f"\n{edited}")
    cohort = read_cohort(frame, codebook=Codebook.from_text(numeric))
    assert cohort["size"].sum() == 50.0


ODD = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
    lambda text: bool(text.strip())
)


@given(
    names=st.lists(
        st.one_of(
            st.sampled_from(["<b>x</b>", 'a"b', "a'b", "a\\b", "ü.ß", "a=b # c", "[x]"])
            | ODD,
        ),
        min_size=1,
        max_size=4,
        unique_by=str.strip,
    ),
    values=st.lists(st.one_of(ODD, st.none(), st.sampled_from(['"', "<i>", "\\u0041", "]"])),
                    min_size=4, max_size=12),
)  # fmt: skip
def test_odd_names_and_values(names: list[str], values: list[str | None]) -> None:
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name in names})
    book = Codebook.from_text(write_codebook(frame))
    assert [spec.name for spec in book.columns] == [name.strip() for name in names]
    cohort = read_cohort(frame, codebook=book)
    assert len(cohort) == len(values)
    try:
        expected = read_cohort(frame)
    except DataError:
        return  # numbers among texts: not read without a codebook
    pd.testing.assert_frame_equal(cohort, expected)


def test_a_cohort_with_the_columns_of_a_study_is_told_of_its_codebook() -> None:
    cohort = pd.read_csv(data_path("rnet_like_b.csv"), dtype=str)
    text = write_codebook(cohort)
    assert text.startswith("# These columns are those of the built-in codebook duan2024")
    assert "--codebook duan2024" in text
    assert "built-in" not in write_codebook(cohort.drop(columns="nlr"))
    wide = cohort.assign(**{f"x{i}": "1.5" for i in range(len(cohort.columns) + 1)})
    assert "built-in" not in write_codebook(wide), "mostly another table"


def test_an_order_of_levels_that_the_data_give_is_not_called_alphabetical() -> None:
    frame = pd.DataFrame({"dose": pd.Categorical(["low", "high"] * 3, categories=["low", "high"])})
    text = write_codebook(frame)
    assert 'levels = ["low", "high"]' in text
    assert "alphabetical" not in text


def test_dates_of_other_forms_and_decimal_commas_are_told() -> None:
    days = range(1, 31)
    table = {
        "seen": [f"{day}.05.2018" for day in days],
        "us": [f"{1 + day % 12}/{1 + day % 9}/2018" for day in days],
        "size": [f"{day},5" for day in days],
        "version": [f"1.2.{day}" for day in days],
    }
    text = write_codebook(table)
    seen = '[columns.seen]\ntype = "text"\n# label = ""\n# 30 different values\n'
    form = 'date_format = "%d.%m.%Y"'
    assert seen + f'# type = "date", {form}  # if these are dates\n' in text
    assert 'date_format = "%d/%m/%Y" or date_format = "%m/%d/%Y"  # if' in text
    assert text.count("# if these are dates") == 2
    assert 'say decimal = ","; if it is text, leave it so.' in text
    book = text.replace(seen, f'[columns.seen]\ntype = "date"\n{form}\n')
    cohort = read_cohort(table, codebook=Codebook.from_text(book))
    assert list(cohort["seen"].dt.day) == [*days]


def test_what_was_noted_while_reading_stands_in_it(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("age;size\n50;1.5\n\n60;2.5\n")
    text = write_codebook(path)
    assert "# Read: The columns are separated by a semicolon.\n" in text
    assert "# Read: Blank lines, left out: 1 (line 3).\n\n[codebook]" in text
    assert len(read_cohort(path, codebook=Codebook.from_text(text))) == 2


def test_the_head_names_the_keys_that_an_editor_needs() -> None:
    head = write_codebook({"a": [1, 2]}).split("[codebook]")[0]
    for key in ("source", "levels", "recode", "missing", "range", "unit_in", "derive"):
        assert f"#   {key}" in head


@pytest.mark.parametrize(
    ("days", "form"),
    [
        (["05.01.12", "17.11.15"], "%d.%m.%y"),
        (["2019年3月5日", "2018年11月15日"], "%Y年%m月%d日"),
    ],
)
def test_dates_as_hospitals_write_them_are_told(days: list[str], form: str) -> None:
    assert f'date_format = "{form}"  # if these are dates' in write_codebook({"operated": days})
