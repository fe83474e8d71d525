"""Delimited text: what is read as it is, and one clear error for what is no table."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rnetstats.data.codebook import Codebook
from rnetstats.data.read import read_cohort
from rnetstats.data.template import write_codebook
from rnetstats.errors import CodebookError, ColumnError, DataError, OptionError, ReadError

TABLE = "id,size,sex\na,1.5,F\nb,2.5,M\nc,3.5,F\n"


def written(folder: Path, text: str | bytes, name: str = "x.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (TABLE, "x.csv"),
        (TABLE, "x.dat"),
        (TABLE.replace("\n", "\r\n"), "x.csv"),
        (TABLE.replace("\n", "\r"), "x.csv"),
        (TABLE.rstrip(), "x.csv"),
        (TABLE + "\n\n", "x.csv"),
        (TABLE + ",,\n,,\n", "x.csv"),
        ("\ufeff" + TABLE, "x.csv"),
        ("\ufeff\ufeff" + TABLE, "x.csv"),
        (TABLE.replace("size", "\u200bsize").replace("2.5", "2.5\u200e"), "x.csv"),
        (TABLE + "\x1a", "x.csv"),
        (TABLE + "   \n\f", "x.csv"),
        (TABLE.encode("utf-32"), "x.csv"),
        ('id, "size", "sex"\na, "1.5", "F"\nb,  "2.5", "M"\nc, 3.5, "F"\n', "x.csv"),
        ('id, size, sex\na, "1.5", "F"\nb, 2.5, "M"\nc, 3.5, "F"\n', "x.csv"),
        ('id; size; sex\r\na; 1.5; "F"\r\nb; 2.5; "M"\r\nc; 3.5; "F"\r\n', "x.csv"),
        (TABLE.encode("utf-16"), "x.csv"),
        (TABLE.replace(",", ";"), "x.csv"),
        (TABLE.replace(",", "\t"), "x.tsv"),
        (TABLE.replace(",", "|"), "x.txt"),
        (TABLE.replace("a,1.5,F", '"a", 1.5 ,"F"').replace("id,", " id ,"), "x.csv"),
        ('"","id","size","sex"\n"1","a",1.5,"F"\n"2","b",2.5,"M"\n"3","c",3.5,"F"\n', "x.csv"),
        ("id,size,sex,\na,1.5,F,\nb,2.5,M,\nc,3.5,F,\n", "x.csv"),
    ],
)
def test_the_same_table_in_many_dresses(tmp_path: Path, text: str | bytes, name: str) -> None:
    cohort = read_cohort(written(tmp_path, text, name))
    assert list(cohort.columns) == ["id", "size", "sex"]
    assert list(cohort["id"]) == ["a", "b", "c"]
    assert list(cohort["size"]) == [1.5, 2.5, 3.5]
    assert list(cohort["sex"]) == ["F", "M", "F"]


def test_quoted_text_keeps_delimiters_lines_and_html(tmp_path: Path) -> None:
    text = 'note,n\n"a, b",1\n"<b>""x""</b>",2\n"two\nlines",3\n'
    cohort = read_cohort(written(tmp_path, text))
    assert set(cohort["note"]) == {"a, b", '<b>"x"</b>', "two\nlines"}


def test_cells_quoted_after_a_space_keep_delimiters(tmp_path: Path) -> None:
    text = 'n, note\n1, "a, b"\n2, 5" wide\n3, say ""x""\n'
    cohort = read_cohort(written(tmp_path, text))
    assert set(cohort["note"]) == {"a, b", '5" wide', 'say ""x""'}


def test_a_name_quoted_after_a_space_may_go_on_in_the_next_line(tmp_path: Path) -> None:
    cohort = read_cohort(written(tmp_path, 'n, "age\n(years)", sex\n1, 2, m\n2, 3, f\n3, 4, m\n'))
    assert list(cohort.columns) == ["n", "age\n(years)", "sex"]


def test_rows_are_named_with_their_lines(tmp_path: Path) -> None:
    text = 'note,size\n"two\nlines",1.5\n\nx,inf\ny,2\n'
    with pytest.raises(DataError, match=r"x.csv: column 'size': 'inf' in row 2 \(line 5\) is inf"):
        read_cohort(written(tmp_path, text))


def test_what_was_left_out_is_noted(tmp_path: Path) -> None:
    notes = read_cohort(written(tmp_path, "a,b\n1,2\n\n3,4\n5,6\n,\n")).attrs["rnetstats"]["notes"]
    assert "Blank lines, left out: 1 (line 3)." in notes
    assert "Empty rows at the end, left out: 1." in notes


def test_an_empty_row_is_no_patient(tmp_path: Path) -> None:
    cohort = read_cohort(written(tmp_path, "id,b\n1,2\n,\n3,4\n5,6\n"))
    assert cohort["id"].tolist() == ["1", "3", "5"]
    notes = cohort.attrs["rnetstats"]["notes"]
    assert "Empty rows between others, left out: 1 (line 3)." in notes
    one_column = read_cohort(written(tmp_path, 'a\n1\n""\n3\n'))
    assert one_column["a"].isna().sum() == 1


def test_a_first_line_may_name_the_delimiter(tmp_path: Path) -> None:
    cohort = read_cohort(written(tmp_path, "sep=|\na|b\n1|2;3\n4|5;6\n7|8;9\n"))
    assert cohort["b"].tolist() == ["2;3", "5;6", "8;9"]
    assert "The first line, 'sep=|', names the delimiter." in cohort.attrs["rnetstats"]["notes"]
    with pytest.raises(ReadError, match="line 5 has 3"):
        read_cohort(written(tmp_path, "sep=;\na;b\n1;2\n3;4\n5;6;7\n"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b" \n\n ", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"a,b\n", "no row of data"),
        (b"a,b\n1,\x00\n", "binary file"),
        (bytes(range(32)) * 4, "binary file"),
        (b"\x1f\x8b\x08abc", "compressed file; unpack"),
        (b"\xd0\xcf\x11\xe0abc", "save it as .xlsx"),
        (b"%PDF-1.7", "PDF"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"<table><tr><th>a</th></tr>\n<tr><td>1</td></tr></table>", "is a web page"),
        (b'{"a": [1, 2]}', "is JSON"),
        (b"\xff\xfea", "cannot be read as utf-16"),
        ("name,n\nMüller,1\n".encode("latin-1"), "byte 8 .line 2. is 0xfc.*'Müller,1'.*cp1252"),
        (b"a,b\n1,2\n1,2,3\n1\n", "header has 2 fields .*line 3 has 3; line 4 has 1"),
        (b'a,b\n1,"2\n3,4\n', "begins on line 2 .*not closed"),
        (b'a,b\n1,"2"x\n', "begins on line 2"),
        (b"1,2\n3,4\n", "first line holds numbers .1, 2."),
        (b"a,b,c\n" + b"1,2,3,4\n" * 30, "Nearly all rows have 4: is a name missing"),
        (b"a;b\n1,5;2;3\n1;2\n", "separated by semicolon"),
    ],
)
def test_what_is_no_table(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ReadError, match=f"(?s)x.csv.*{message}"):
        read_cohort(written(tmp_path, content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b,a\n1,2,3\n", "'a' as columns 1, 3"),
        ("a, a\n1,2\n", "'a' as columns 1, 2"),
        ("a,\n1,2\n", "column 2 has values but no name"),
        (",a\nx,2\ny,3\n", "column 1 has values but no name"),
    ],
)
def test_names_must_be_there_and_differ(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(ColumnError, match=message):
        read_cohort(written(tmp_path, content))


def test_more_columns_than_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"3 columns but only 2 rows.*transposed"):
        read_cohort(written(tmp_path, "a,b,c\n1,2,3\n4,5,6\n"))


def test_paths(tmp_path: Path) -> None:
    written(tmp_path, TABLE, "cohort.csv")
    with pytest.raises(ReadError, match=r"no file .*cohrt.csv. Did you mean 'cohort.csv'"):
        read_cohort(tmp_path / "cohrt.csv")
    with pytest.raises(ReadError, match="is a folder"):
        read_cohort(tmp_path)
    with pytest.raises(ReadError, match=r"folder .* does not exist"):
        read_cohort(str(tmp_path / "none" / "x.csv"))
    with pytest.raises(ReadError, match="not list"):
        read_cohort([1, 2])  # type: ignore[arg-type]
    with pytest.raises(ReadError, match="cannot be read"):
        read_cohort("a\x00b.csv")
    with pytest.raises(ReadError, match=r"cannot be read: File name too long\.$"):
        read_cohort("x" * 300)
    for lines in (2, 3000):
        with pytest.raises(ReadError, match=r"^'id,size' and the lines after it are the text of a"):
            read_cohort("id,size\n" + "a,1\n" * lines)


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(36, "long")])
def test_a_folder_that_nobody_may_enter(monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(ReadError, match=f"cannot be read: {error.strerror}"):
        read_cohort("ward/mine.csv")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(CodebookError, match=f"cannot be read: {error.strerror}"):
        read_cohort({"a": [1, 2]}, codebook="ward/mine.toml")


def test_encodings(tmp_path: Path) -> None:
    path = written(tmp_path, "name,n\nMüller,1\nMeier,2\n".encode("cp1252"))
    assert "Müller" in set(read_cohort(path, encoding="cp1252")["name"])
    with pytest.raises(OptionError, match="encoding 'klingon' is unknown"):
        read_cohort(path, encoding="klingon")
    with pytest.raises(OptionError, match=r"does not give text|is unknown"):
        read_cohort(path, encoding="hex")
    with pytest.raises(ReadError, match="cannot be read as ascii"):
        read_cohort(path, encoding="ascii")
    with pytest.raises(ReadError, match=r"not UTF-8: byte 8 \(line 2\) is 0xfc.* say 'Müller,1'"):
        read_cohort(path, encoding="utf-8")


def test_an_encoding_that_is_not_the_files(tmp_path: Path) -> None:
    text = "name,n\nMüller,1\nMeier,2\n"
    path = written(tmp_path, text.encode("utf-8"))
    notes = read_cohort(path, encoding="latin-1").attrs["rnetstats"]["notes"]
    said = [note for note in notes if note.startswith("Please check: the file was read as latin-1")]
    assert len(said) == 1
    assert "'Müller' became 'MÃ¼ller'" in said[0]
    for same in ("utf-8", "utf8", "utf-8-sig", None):
        notes = read_cohort(path, encoding=same).attrs["rnetstats"]["notes"]
        assert not [note for note in notes if "Please check" in note]
    with pytest.raises(ReadError, match=r"cannot be read as ascii.* It is UTF-8: leave the enc"):
        read_cohort(path, encoding="ascii")
    for odd in ("", "\n"):  # as UTF-16 an odd number of bytes cannot be read, an even one can
        path = written(tmp_path, text.replace("ü", "u") + odd)
        for given in ("utf-16", "utf-16-le", "UTF-32", "u16"):
            with pytest.raises(ReadError, match=r"x.csv: .* It is UTF-8: leave the encoding out"):
                read_cohort(path, encoding=given)
    for given in (None, "utf-8", "cp1252"):
        path = written(tmp_path, text.encode("utf-16-le"))
        with pytest.raises(ReadError, match='It looks like UTF-16: say encoding = "utf-16-le"'):
            read_cohort(path, encoding=given)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, "name;x\nMüller;1,5\nΩmeier;2\n".encode(encoding))
    cohort = read_cohort(path, encoding=encoding, decimal=",")
    assert sorted(cohort["name"]) == ["Müller", "Ωmeier"]
    assert cohort["x"].tolist() == [1.5, 2.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decimal": ";"}, r"decimal=';' is not allowed; choose one of '.', ','"),
        ({"decimal": ""}, r"decimal='' is not allowed"),
        ({"encoding": 5}, "encoding must be text, not 5"),
        ({"encoding": ""}, "encoding '' is unknown"),
        ({"delimiter": 5}, "delimiter must be text, not 5"),
        ({"delimiter": ""}, "delimiter must be a single character"),
        ({"sheet": True}, "sheet must be the name of a sheet, or its number from 1, not True"),
        ({"sheet": 1.5}, "sheet must be the name of a sheet"),
        ({"sheet": 1}, "sheet is for Excel workbooks; x.csv is read as text. Leave 1 out"),
    ],
)
@pytest.mark.parametrize("reader", [read_cohort, write_codebook])
def test_options_that_no_file_can_have(
    tmp_path: Path, reader: Callable[..., object], options: dict[str, Any], message: str
) -> None:
    path = written(tmp_path, "a,b\n1,2\n3,4\n")
    with pytest.raises(OptionError, match=message):
        reader(path, **options)


@pytest.mark.parametrize("option", ["delimiter", "encoding", "sheet"])
def test_a_table_in_memory_is_not_written_in_any_way(option: str) -> None:
    with pytest.raises(OptionError, match=f"{option} is for a file; the data is a table in memory"):
        read_cohort({"a": [1, 2]}, **{option: ";"})
    assert read_cohort({"a": ["1,5", "2"]}, decimal=",")["a"].tolist() == [1.5, 2.0]


def test_delimiters_and_decimals(tmp_path: Path) -> None:
    path = written(tmp_path, "a;b\n1,5;x\n2,25;y\n")
    cohort = read_cohort(path, decimal=",")
    assert list(cohort["a"]) == [1.5, 2.25]
    assert "The columns are separated by a semicolon." in cohort.attrs["rnetstats"]["notes"]
    with pytest.raises(DataError, match='say decimal = ","'):
        read_cohort(path)
    with pytest.raises(OptionError, match="single character"):
        read_cohort(path, delimiter=";;")
    with pytest.raises(OptionError, match="sheet is for Excel"):
        read_cohort(path, sheet=1)


def test_a_wrong_delimiter_is_suspected(tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match="is the delimiter right"):
        read_cohort(written(tmp_path, "patient_id:age\na:1\nb:2\n"), codebook="duan2024")


PROSE = "Dear colleague, this is a letter.\nNothing in it, I fear, is a table,\nand it ends here.\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (PROSE.replace(",", ""), "Found one column: 'Dear colleague this is a letter.'."),
        ("Dear all, a letter\nof two, parts\n", "Found 2 columns: 'Dear all', 'a letter'."),
    ],
)
def test_prose_is_said_to_be_no_such_table_in_one_line(
    tmp_path: Path, text: str, found: str
) -> None:
    with pytest.raises(ColumnError, match="does not look like a table") as caught:
        read_cohort(written(tmp_path, text), codebook="duan2024")
    message = str(caught.value)
    assert "\n" not in message
    assert found in message
    assert "none of its 13 required columns (patient_id, age, sex, size_mm, location, ...)" in (
        message
    )
    assert "'duan2024'" in message


def test_a_table_under_other_names_still_gets_a_line_a_column(tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match=r"Did you mean 'AGE'\?"):
        read_cohort(written(tmp_path, "PID,AGE,SEX\n1,2,F\n2,3,M\n"), codebook="duan2024")


def test_lines_of_title_above_the_names(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("Export of March\n\nid;a;b\n1;2;3\n2;3;4\n3;4;5\n")
    with pytest.raises(
        ReadError, match=r"'Export of March', stands alone, .* 3 fields .*semicolon"
    ):
        read_cohort(path)
    path.write_text("remark\nsmall, flat\nlarge, raised\nsmall, red\n")  # one column of text
    assert read_cohort(path).shape == (3, 1)


@pytest.mark.parametrize(
    "total",
    ["Summe", "total", "N = 3", "Gesamt: 3 Patienten", "Mean", "Promedio", "Moyenne", "合计"],
)
def test_a_row_of_totals_is_no_patient(tmp_path: Path, total: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"id,age,size\na,50,3\nb,60,4\nc,70,5\n{total},,\n")
    with pytest.raises(DataError, match=r"row 4 \(line 5\) looks like a row of totals"):
        read_cohort(path)


def test_a_row_of_remarks_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("id,age,size\na,50,3\nb,60,4\nc,70,5\n* see above,,\n")
    notes = " ".join(read_cohort(path).attrs["rnetstats"]["notes"])
    assert "counted as patients: 1 ('* see above'), row 4 (line 5)." in notes


def test_names_that_differ_in_white_space(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('id,"size\n(mm)",nlr\u00a0before\na,3,1\nb,4,2\nc,5,3\n', encoding="utf-8")
    book = Codebook.from_text(
        '[columns.size]\ntype = "numeric"\nsource = "size (mm)"\n'
        '[columns.nlr]\ntype = "numeric"\nsource = "nlr before"\n'
    )
    cohort = read_cohort(path, codebook=book)
    assert (cohort["size"].tolist(), cohort["nlr"].tolist()) == ([3, 4, 5], [1, 2, 3])


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("codebook_form", ["NFC", "NFD"])
def test_letters_and_accents_as_one_character_or_two(
    tmp_path: Path, form: str, codebook_form: str
) -> None:
    # both forms look the same on the screen: the message was "no column 'Größe'. Did you mean
    # 'Größe'?"
    path = written(tmp_path, unicodedata.normalize(form, "Größe,Ort\n12,ÄRÖ\n8,Å\n"))
    text = """
    [columns.size_mm]
    type = "numeric"
    source = "Größe"
    [columns.place]
    type = "category"
    source = "Ort"
    levels = ["Å", "Ä"]
    recode = { "ÄRÖ" = "Ä" }
    """
    book = Codebook.from_text(unicodedata.normalize(codebook_form, text))
    cohort = read_cohort(path, codebook=book)
    assert cohort["size_mm"].tolist() == [12.0, 8.0]
    assert cohort["place"].tolist() == ["Ä", "Å"]
    assert read_cohort(path).columns.tolist() == ["Größe", "Ort"]


def test_a_mark_of_no_width_makes_no_other_patient(tmp_path: Path) -> None:
    """One file put behind another: its byte-order mark stood before the first patient's name."""
    text = "id,sex\na,F\nb,M\n\ufeffa,F\n"
    book = Codebook.from_text('[columns.id]\ntype = "id"\n')
    with pytest.raises(DataError, match="'a'"):
        read_cohort(written(tmp_path, text), codebook=book)


@pytest.mark.parametrize("types", ["", "[columns.sex]\ntype = 'category'\n"])
def test_a_header_that_stands_again_is_no_patient(tmp_path: Path, types: str) -> None:
    """Files put together: in a table of text alone it would be read as one more patient."""
    path = written(tmp_path, "site,sex\nA,F\nB,M\n site ,sex\nC,F\n")
    book = Codebook.from_text(types) if types else None
    with pytest.raises(
        ReadError, match=r"x\.csv: the names of the columns stand again in line 4\."
    ):
        read_cohort(path, codebook=book)
    assert len(read_cohort(written(tmp_path, "sex\nF\nsex\nM\n"))) == 3  # one column: who knows
