"""Excel, Parquet, Stata and SPSS give the same cohort as CSV."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pandas as pd
import pytest

from rnetstats.data.codebook import Codebook
from rnetstats.data.read import read_cohort
from rnetstats.errors import DataError, OptionError, ReadError
from support import data_path

openpyxl = pytest.importorskip("openpyxl")
chart = pytest.importorskip("openpyxl.chart")
pyreadstat = pytest.importorskip("pyreadstat")
pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def plain() -> pd.DataFrame:
    return pd.read_csv(data_path("rnet_like_a_missing.csv"))


def write(frame: pd.DataFrame, path: Path) -> Path:
    match path.suffix:
        case ".xlsx":
            frame.to_excel(path, index=False)
        case ".parquet":
            frame.to_parquet(path, index=False)
        case ".dta":
            pyreadstat.write_dta(frame, str(path))
        case ".sav":
            pyreadstat.write_sav(frame, str(path))
    return path


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet", ".dta", ".sav"])
def test_every_format_gives_the_same_cohort(
    tmp_path: Path, plain: pd.DataFrame, suffix: str
) -> None:
    path = write(plain, tmp_path / f"cohort{suffix}")
    expected = read_cohort(data_path("rnet_like_a_missing.csv"), codebook="duan2024")
    found = read_cohort(path, codebook="duan2024")
    pd.testing.assert_frame_equal(found, expected)
    assert found.attrs["rnetstats"]["missing"] == {"nlr": 21}
    assert found.attrs["rnetstats"]["provenance"]["source"] == path.name


def test_content_goes_before_the_name(tmp_path: Path, plain: pd.DataFrame) -> None:
    path = write(plain, tmp_path / "cohort.parquet").rename(tmp_path / "cohort.csv")
    assert len(read_cohort(path, codebook="duan2024")) == len(plain)
    text = tmp_path / "x.xlsx"
    text.write_text("a,b\n1,2\n")
    with pytest.raises(ReadError, match="named like Excel, but its content is not"):
        read_cohort(text)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.xlsx", b"PK\x03\x04 not a workbook"),
        ("x.parquet", b"PAR1 not parquet PAR1"),
        ("x.dta", b"<stata_dta> not Stata"),
        ("x.dta", b"a,b\n1,2\n"),
        ("x.sav", b"$FL2 not SPSS"),
    ],
)
def test_damaged_files(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ReadError, match="cannot be read as"):
        read_cohort(path)


@pytest.mark.parametrize(
    ("inside", "message"),
    [("x.csv", "a compressed file; unpack it"), ("content.xml", "OpenDocument file; save it as")],
)
def test_an_archive_that_is_no_workbook(tmp_path: Path, inside: str, message: str) -> None:
    path = tmp_path / "x.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr(inside, "a,b\n1,2\n")
    with pytest.raises(ReadError, match=message):
        read_cohort(path)


def test_sheets_and_rows_of_a_workbook(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"a": [1, 2]}).to_excel(book, sheet_name="first", index=False)
        pd.DataFrame({"b": [1.5, None, "x"]}).to_excel(book, sheet_name="second", index=False)
    first = read_cohort(path)
    assert list(first["a"]) == [1, 2]
    assert "the workbook also has second" in " ".join(first.attrs["rnetstats"]["notes"])
    book = Codebook.from_text("[file]\nsheet = 'second'\n[columns.b]\ntype = 'numeric'\n")
    with pytest.raises(DataError, match=r"'x' in row 3 \(sheet row 4\) is not a number"):
        read_cohort(path, codebook=book)
    assert len(read_cohort(path, sheet=2)) == 3
    with pytest.raises(OptionError, match=r"no sheet 'secnd'. Did you mean 'second'"):
        read_cohort(path, sheet="secnd")
    with pytest.raises(OptionError, match="no sheet 0"):
        read_cohort(path, sheet=0)


def test_empty_rows_and_formulas_without_results(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["id", "age", "twice"], ["a", 50, "=2*B2"], [None] * 3, ["b", 60, "=2*B4"]):
        book.active.append(row)
    book.active.append(["c", 70, "=2*B5"])
    book.save(tmp_path / "x.xlsx")
    cohort = read_cohort(tmp_path / "x.xlsx")
    assert cohort["age"].tolist() == [50, 60, 70]
    notes = " ".join(cohort.attrs["rnetstats"]["notes"])
    assert "twice: formulas without stored results" in notes
    assert "left out: 1 (sheet row 3)" in notes


def test_some_formulas_without_results_and_hidden_rows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["id", "age", "twice"], ["a", 50, 1], ["b", 60, "=2*B3"], ["c", 70, 3]):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    sheet.row_dimensions[9].hidden = True  # below the table
    sheet.column_dimensions["B"].hidden = True
    book.save(tmp_path / "x.xlsx")
    cohort = read_cohort(tmp_path / "x.xlsx")
    assert len(cohort) == 3
    notes = " ".join(cohort.attrs["rnetstats"]["notes"])
    assert "twice: formulas without stored results in 1 of 3 cells, read as empty." in notes
    assert "by a filter, were read as the others: 1 (sheet row 3)." in notes
    assert "Columns hidden in the sheet were read as the others, such as age." in notes


def test_a_sheet_that_is_a_chart_holds_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "Data"
    for row in [("id", "size"), ("a", 1.5), ("b", 2.5)]:
        book.active.append(row)
    bars = chart.BarChart()
    bars.add_data(chart.Reference(book.active, min_col=2, min_row=1, max_row=3))
    book.create_chartsheet("Chart", 0).add_chart(bars)
    book.save(path)
    for sheet in (None, "Data", 1, "1"):
        assert read_cohort(path, sheet=sheet)["size"].tolist() == [1.5, 2.5]
    with pytest.raises(OptionError, match=r"no sheet 'Chart'.*It has 'Data' \(or count"):
        read_cohort(path, sheet="Chart")


def test_a_sheet_without_rows_is_named(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path) as book:
        pd.DataFrame({"Our ward": []}).to_excel(book, sheet_name="About", index=False)
        pd.DataFrame({"id": ["a", "b"], "x": [1, 5]}).to_excel(book, sheet_name="Data", index=False)
    with pytest.raises(
        ReadError, match=r"the sheet 'About' has a header but no row.* also has Data"
    ):
        read_cohort(path)
    with pytest.raises(ReadError, match=r"the sheet 'About' has a header but no row of .* it\.$"):
        read_cohort(path, sheet=1)


def test_a_sheet_is_its_name_before_its_number(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path) as book:
        for i, name in enumerate(("3", "2", "1")):
            pd.DataFrame({"id": ["a", "b"], "x": [i, 5]}).to_excel(book, sheet_name=name)
    read = {sheet: read_cohort(path, sheet=sheet)["x"].iloc[0] for sheet in ("3", 3, "1", 1)}
    assert read == {"3": 0, 3: 2, "1": 2, 1: 0}


def test_a_sheet_of_explanations_first(tmp_path: Path, plain: pd.DataFrame) -> None:
    path = tmp_path / "x.xlsx"
    with pd.ExcelWriter(path) as writer:
        pd.DataFrame({"column": ["age"], "meaning": ["years"]}).to_excel(
            writer, sheet_name="About", index=False
        )
        plain.to_excel(writer, sheet_name="Data", index=False)
    with pytest.raises(DataError, match="The sheet 'About' was read; the workbook also has Data"):
        read_cohort(path, codebook="duan2024")
    assert len(read_cohort(path, codebook="duan2024", sheet="Data")) == len(plain)


def test_a_title_above_the_names(tmp_path: Path, plain: pd.DataFrame) -> None:
    path = tmp_path / "x.xlsx"
    plain.to_excel(path, index=False, startrow=2)
    book = openpyxl.load_workbook(path)
    book.active["A1"] = "Our ward"
    book.save(path)
    with pytest.raises(ReadError, match="the first row holds 'Our ward' alone"):
        read_cohort(path)


def test_what_a_file_calls_0_and_1_is_told(tmp_path: Path) -> None:
    frame = pd.DataFrame({"sex": [0, 1, 1, 0], "n": [1, 2, 3, 4]})
    labels = {"sex": {0: "female", 1: "male"}}
    pyreadstat.write_sav(frame, str(tmp_path / "x.sav"), variable_value_labels=labels)
    cohort = read_cohort(tmp_path / "x.sav")
    assert cohort["sex"].tolist() == [0, 1, 1, 0]
    told = cohort.attrs["rnetstats"]["notes"]
    assert "sex: the file calls 0 = female, 1 = male." in told


def test_an_empty_workbook(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    openpyxl.Workbook().save(path)
    with pytest.raises(ReadError, match="is empty"):
        read_cohort(path)


def test_a_parquet_index_is_left_out_with_a_note(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, 2]}, index=[7, 9]).to_parquet(tmp_path / "x.parquet")
    cohort = read_cohort(tmp_path / "x.parquet")
    assert list(cohort.columns) == ["a"]
    assert "index" in " ".join(cohort.attrs["rnetstats"]["notes"])


@pytest.mark.parametrize("suffix", [".dta", ".sav"])
def test_labels_of_stata_and_spss(tmp_path: Path, suffix: str) -> None:
    frame = pd.DataFrame({"sex": [1.0, 2.0, 2.0], "death": [0.0, 1.0, 0.0]})
    path = tmp_path / f"x{suffix}"
    save = pyreadstat.write_dta if suffix == ".dta" else pyreadstat.write_sav
    save(
        frame,
        str(path),
        column_labels=["Sex at birth", "Death"],
        variable_value_labels={"sex": {1: "male", 2: "female"}, "death": {0: "no", 1: "yes"}},
    )
    cohort = read_cohort(path)
    assert list(cohort["sex"]) == ["male", "female", "female"]
    assert list(cohort["sex"].cat.categories) == ["male", "female"]
    assert list(cohort["death"]) == [0, 1, 0]
    assert cohort.attrs["rnetstats"]["labels"]["sex"] == "Sex at birth"
    by_label = '[columns.sex]\ntype = "category"\nlevels = ["female", "male"]\n'
    by_code = (
        '[columns.sex]\ntype = "category"\nlevels = ["F", "M"]\nrecode = { male = "M", female = '
        '"F" }\n'
    )
    for text, expected in ((by_label, "male"), (by_code, "M")):
        read = read_cohort(path, codebook=Codebook.from_text(text))
        assert read["sex"].iloc[0] == expected


@pytest.mark.parametrize(("name", "package"), [("x.xlsx", "openpyxl"), ("x.dta", "pyreadstat")])
def test_a_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    path = write(pd.DataFrame({"a": [1.0, 2.0]}), tmp_path / name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ReadError, match=rf"needs the package {package}: .*rnetstats\[formats\]"):
        read_cohort(path)


def saved(path: Path, rows: list[list[object]]) -> Any:
    """A workbook with one sheet of these rows, and the sheet, to be changed and saved."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return book


ROWS: list[list[object]] = [
    ["id", "site", "ki67"],
    ["a", "x", 0.03],
    ["b", "y", 0.2],
    ["c", "x", 0],
]


def test_a_hidden_sheet_is_not_the_first(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    book = saved(path, ROWS)
    codes = book.create_sheet("codes", 0)
    codes.append(["code", "meaning"])
    codes.append([1, "yes"])
    codes.append([0, "no"])
    codes.sheet_state = "hidden"
    book.save(path)
    cohort = read_cohort(path)
    assert list(cohort.columns) == ["id", "site", "ki67"]
    assert "The sheet 'Sheet' was read; the workbook also has codes (hidden)" in told(cohort)
    assert list(read_cohort(path, sheet=1).columns) == ["id", "site", "ki67"]
    assert list(read_cohort(path, sheet="codes").columns) == ["code", "meaning"]
    with pytest.raises(OptionError, match=r"'Sheet', 'codes' \(or count from 1, without hidden on"):
        read_cohort(path, sheet=2)


def test_merged_cells_are_told(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    book = saved(path, ROWS)
    book.active.merge_cells("B3:B4")
    book.active.merge_cells("A9:B9")  # below the table
    book.save(path)
    cohort = read_cohort(path)
    assert cohort["site"].isna().tolist() == [False, False, True]
    assert "Merged cells: B3:B4. Only the first cell of each holds its value" in told(cohort)
    assert "A9:B9" not in told(cohort)


def test_numbers_shown_as_per_cent_are_told(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    book = saved(path, ROWS)
    for row, form in ((2, "0%"), (3, "0.00%"), (4, "General")):
        book.active.cell(row, 3).number_format = form
    book.save(path)
    cohort = read_cohort(path)
    assert cohort["ki67"].tolist() == [0.03, 0.2, 0.0]
    assert (
        "ki67: 2 cells shown as per cent in the sheet, read as the number behind: 3% as 0.03."
        in told(cohort)
    )
    saved(path, ROWS)
    assert "per cent" not in told(read_cohort(path))


def told(cohort: pd.DataFrame) -> str:
    return " ".join(cohort.attrs["rnetstats"]["notes"])


def test_codes_that_spss_declares_as_missing_are_told(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"sex": [1.0, 2.0, 9.0, 1.0], "grade": [1.0, 97.0, 99.0, 2.0], "arm": ["a", "XX", "b", "a"]}
    )
    pyreadstat.write_sav(
        frame,
        str(tmp_path / "x.sav"),
        variable_value_labels={"sex": {1: "m", 2: "f", 9: "refused"}},
        missing_ranges={"sex": [9], "grade": [{"lo": 90, "hi": 99}], "arm": ["XX"]},
    )
    cohort = read_cohort(tmp_path / "x.sav")
    assert cohort["sex"].tolist()[:2] == ["m", "f"]
    assert cohort.isna().sum().to_dict() == {"sex": 1, "grade": 2, "arm": 1}
    said = told(cohort)
    assert (
        "sex: codes that the file declares as missing, read so, with their number: '9' = refus"
        in said
    )
    assert (
        "grade: codes that the file declares as missing, read so, with their number: "
        "'97' (1), '99' (1)." in said
    )
    assert "'XX' (1)" in said


def test_codes_that_stata_declares_as_missing_are_told(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1.0, 2.0, 3.0], "grade": [1.0, "a", 3.0]})
    path = tmp_path / "x.dta"
    pyreadstat.write_dta(frame, str(path), missing_user_values={"grade": ["a"]})
    cohort = read_cohort(path)
    assert cohort["grade"].isna().tolist() == [False, True, False]
    assert cohort["grade"].sum() == 4.0
    assert (
        "grade: codes that the file declares as missing, read so, with their number: '.a' (1)."
        in (told(cohort))
    )


def test_long_whole_numbers_with_gaps_keep_their_digits(tmp_path: Path) -> None:
    numbers = pd.array([2**53, 2**53 + 1, None], dtype="Int64")  # equal as floats
    pd.DataFrame({"case": numbers, "age": [1, 2, 3]}).to_parquet(tmp_path / "x.parquet")
    book = Codebook.from_text('[columns.case]\ntype = "text"')
    found = read_cohort(tmp_path / "x.parquet", codebook=book)["case"].tolist()
    assert found == ["9007199254740992", "9007199254740993", None]
