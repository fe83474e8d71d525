"""Codebooks in TOML: what they say, and one precise error for each way to get them wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnetstats.data.codebook import Codebook, ColumnSpec
from rnetstats.data.codebook_toml import COLUMN_KEYS
from rnetstats.data.read import read_cohort
from rnetstats.errors import CodebookError

GOOD = """
[codebook]
name = "mine"
[file]
decimal = ","
missing = ["-", 999]
[columns.id]
type = "id"
[columns.sex]
type = "category"
source = "Geschlecht"
levels = ["F", "M"]
recode = { 1 = "M", 2 = "F" }
[columns.time]
type = "numeric"
unit = "months"
unit_in = "days"
range = [0, inf]
[columns.event]
type = "binary"
recode = { "Yes" = 1, "No" = 0 }
[columns.any]
type = "binary"
derive = "event == 1"
[[checks]]
rule = "time >= 0"
"""


def test_a_codebook_is_read() -> None:
    book = Codebook.from_text(GOOD)
    assert book.name == "mine"
    assert [spec.name for spec in book.columns] == ["id", "sex", "time", "event", "any"]
    sex = book.column("sex")
    assert (sex.in_file, sex.levels) == ("Geschlecht", ("F", "M"))
    assert dict(sex.recode) == {"1": "M", "2": "F"}
    assert book.file.missing == ("-", "999")
    assert book.column("time").range == (0.0, float("inf"))
    assert len(book.sha256) == 64


def test_the_name_is_that_of_the_file_unless_given(tmp_path: Path) -> None:
    path = tmp_path / "ward.toml"
    path.write_text('[columns.x]\ntype = "numeric"\n', encoding="utf-8")
    assert Codebook.from_toml(path).name == "ward"


def test_an_unknown_column_names_the_nearest() -> None:
    with pytest.raises(CodebookError, match="Did you mean 'event'"):
        Codebook.from_text(GOOD).column("evnet")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('type = "id"', "type = id", r"not valid TOML: .*line 8"),
        ('type = "id"', "", r"\[columns.id\]: the key 'type' is missing"),
        ('type = "id"', 'type = "idd"', r"\[columns.id\]: type 'idd'.*Did you mean 'id'"),
        ("unit_in", "unit_inn", r"\[columns.time\]: unknown key 'unit_inn'. Did you mean 'uni"),
        ("[columns.id]", "[column.id]", "unknown key 'column'. Did you mean 'columns'"),
        ("[[checks]]", "[checks]", "checks: must be a list"),
        ("range = [0, inf]", "range = [5, 1]", r"range \[5.0, 1.0\] is empty"),
        ("range = [0, inf]", "range = 5", "range: must be a list, not 5"),
        ("range = [0, inf]", "range = [0]", r"\[smallest, largest\]"),
        ("range = [0, inf]", 'range = [0, "x"]', "must be a number, not 'x'"),
        ('levels = ["F", "M"]', 'levels = ["F", "F", "M"]', "'F' twice"),
        ('levels = ["F", "M"]', 'levels = ["F", "Male"]', "turns '1' into 'M', .*levels"),
        ('levels = ["F", "M"]', 'levels = "F"', "levels: must be a list"),
        ('levels = ["F", "M"]', 'levels = ["F", "M"]\nmissing = ["M"]', "'M' is a level and a mi"),
        ('levels = ["F", "M"]', 'levels = ["F", "M"]\nmissing = [1]', "'1' is recoded and a miss"),
        ('levels = ["F", "M"]', 'levels = ["F", "M"]\nrange = [0, 1]', "'range' belongs to"),
        ('"Yes" = 1', '"Yes" = 2', "turns 'Yes' into 2.0, which is not 0 or 1"),
        ('"Yes" = 1', '"Yes" = true', "must be a number, not True"),
        ('unit_in = "days"', 'unit_in = "day"', "no conversion .*Did you mean 'days'"),
        ('unit = "months"', 'unit = "mm"', "possible: mm, cm"),
        ('decimal = ","', 'decimal = ";"', r"\[file\]: decimal: must be one of"),
        ("event == 1", "evnt == 1", r"\[columns.any\]: the rule .*Did you mean 'event'"),
        ("event == 1", "sex", "derive gives a text, but type is binary"),
        ("event == 1", "any == 1", "in a circle: any"),
        ("time >= 0", "time - 5", r"\[\[checks\]\] number 1: .*a condition is needed"),
        ('rule = "time >= 0"', "", "the key 'rule' is missing"),
        ('source = "Geschlecht"', 'source = "id"', "'id' is the source of two columns"),
        ('source = "Geschlecht"', "required = 1", "required: must be true or false"),
        ("[[checks]]", "[calendar]\nlast_date = '2020-01-01'\n[[checks]]", "a date without quotat"),
        ("[[checks]]", "[calendar]\nlast_date = 2020-01-01\nfirst_date = 2021-01-01\n[[checks]]",
         "first_date 2021-01-01 is not before"),
        ("[[checks]]", "[calendar]\nstart = 'time'\n[[checks]]", "'time' must be a column of"),
        ("[[checks]]", "[calendar]\ntimes = ['event']\n[[checks]]", 'unit = "months"'),
        ("[[checks]]", "[calendar]\ntimes = ['tim']\n[[checks]]", "Did you mean 'time'"),
    ],
)  # fmt: skip
def test_one_precise_error(old: str, new: str, message: str) -> None:
    assert GOOD.count(old) == 1 or old in {"unit_in", 'unit = "months"'}
    with pytest.raises(CodebookError, match=rf"(?s)codebook ward.toml: .*{message}"):
        Codebook.from_text(GOOD.replace(old, new, 1), name="ward.toml")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('type = "integer"\ncodes = { 0 = "no", 1 = "yes" }\nmissing = [1]', "1 is a code and a"),
        ('type = "integer"\ncodes = { a = "no" }', "'a' is not a whole number"),
        ('type = "integer"\ncodes = { 0 = "no" }\nrecode = { x = 3 }', "not among its codes"),
        ('type = "date"\nrecode = { x = 3 }', "dates cannot be recoded"),
        ('type = "text"\nderive = "y"', "type text cannot be derived"),
        ('type = "binary"\nderive = { 2 = "y == 1" }', "derive gives 2.0, which is none of"),
        ('type = "date"\nderive = { 2 = "y == 1" }', "derive gives a number, but type is date"),
        ('type = "numeric"\nderive = "y == 1"', "type must be binary"),
        ('type = "numeric"\nderive = { "y == 1" = "y == 1" }', "'y == 1' is a condition; a value"),
        ('type = "date"\nderive = { "y" = "y == 1" }', "derive gives a number, but type is date"),
        ('type = "numeric"\nderive = { "z - y" = "y == 1" }', "names the column 'z'"),
        ('type = "numeric"\nderive = { "y -" = "y == 1" }', "derive: .*'y -'"),
        ('type = "numeric"\nderive = []', "a rule, a list of rules, or a table"),
        ('type = "numeric"\nderive = "3"', "derive must name a column"),
        ('type = "numeric"\ntolerance = -1', "tolerance must be"),
    ],
)
def test_contradictions_within_a_column(keys: str, message: str) -> None:
    with pytest.raises(CodebookError, match=rf"(?s)\[columns.x\].*{message}"):
        Codebook.from_text(f"[columns.x]\n{keys}\n[columns.y]\ntype = 'binary'\n")


def test_an_empty_codebook_is_refused() -> None:
    with pytest.raises(CodebookError, match="at least one column"):
        Codebook.from_text("")


def test_a_missing_or_undecodable_file(tmp_path: Path) -> None:
    with pytest.raises(CodebookError, match="cannot be read"):
        Codebook.from_toml(tmp_path / "none.toml")
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(CodebookError, match="not UTF-8"):
        Codebook.from_toml(tmp_path / "x.toml")


def test_codebooks_built_in_code_are_held_to_the_same_rules() -> None:
    with pytest.raises(CodebookError, match="described twice"):
        Codebook(name="x", columns=(ColumnSpec(name="a", type="text"),) * 2)


def test_the_documentation_names_every_key() -> None:
    text = (Path(__file__).parents[2] / "docs" / "codebook.md").read_text(encoding="utf-8")
    assert not [key for key in COLUMN_KEYS if f"`{key}`" not in text]


def test_the_documentation_s_codebooks_are_valid() -> None:
    text = (Path(__file__).parents[2] / "docs" / "codebook.md").read_text(encoding="utf-8")
    blocks = text.split("```toml")[1:]
    assert blocks
    for block in blocks:
        Codebook.from_text(block.split("```")[0])


def test_a_unit_to_be_converted_needs_one_to_become() -> None:
    """A study's codebook may complete it; by itself it is refused when a file is read."""
    alone = Codebook.from_text('[columns.t]\ntype = "numeric"\nunit_in = "days"\n')
    with pytest.raises(CodebookError, match=r'\[columns.t\]: unit_in = .days. .*"months", "years"'):
        read_cohort({"t": [365.25]}, codebook=alone)
    with pytest.raises(CodebookError, match=r"no conversion from unit_in 'day' .*Did you mean 'd"):
        Codebook.from_text('[columns.t]\ntype = "numeric"\nunit_in = "day"\n')


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            'type = "category"\nlevels = ["1", "2"]\nmissing = ["01"]',
            "'1' is a level and a missing",
        ),
        (
            'type = "numeric"\nrecode = { "1.0" = 3 }\nmissing = [1]',
            "'1.0' is recoded and a missing",
        ),
        ('type = "category"\nlevels = ["a", ""]', "a level is empty"),
        ('type = "category"\nrecode = { "?" = "" }', r'write missing = \["\?"\] instead'),
        ('type = "category"\nrecode = { "" = "none" }', "an empty cell is no value"),
        (
            'type = "binary"\nrecode = { 1 = 0, "1.0" = 1 }',
            "'1' and '1.0', which are the same number",
        ),
        ('type = "integer"\ncodes = { 1 = "a", "01" = "b" }', "codes has 1 twice"),
        ('type = "integer"\ncodes = { "1_0" = "a" }', "'1_0' is not a whole number"),
    ],
)
def test_keys_that_collide(keys: str, said: str) -> None:
    with pytest.raises(CodebookError, match=r"\[columns.x\]: .*" + said):
        Codebook.from_text(f"[columns.x]\n{keys}\n")


def test_a_column_that_is_no_table_is_named() -> None:
    with pytest.raises(CodebookError, match=r"\[columns.x\]: must be a table of keys, not 3"):
        Codebook.from_text("[columns]\nx = 3\n")
