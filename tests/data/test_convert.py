"""What a codebook does to a column: missing codes, recoding, units, levels, dates, checks."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from rnetstats.data.codebook import Codebook
from rnetstats.data.read import read_cohort
from rnetstats.data.units import conversion
from rnetstats.errors import ColumnError, DataError


def read(columns: dict[str, list[object]], toml: str) -> pd.DataFrame:
    return read_cohort(columns, codebook=Codebook.from_text(toml))


def column(values: list[object], keys: str) -> pd.DataFrame:
    return read({"x": values}, f"[columns.x]\n{keys}\n")


def notes(frame: pd.DataFrame) -> str:
    return " ".join(frame.attrs["rnetstats"]["notes"])


@pytest.mark.parametrize(
    ("values", "keys", "expected"),
    [
        (["1.5", "-2", "3e1"], 'type = "numeric"', [1.5, -2.0, 30.0]),
        (["1,5", "-2", "30"], 'type = "numeric"\ndecimal = ","', [1.5, -2.0, 30.0]),
        ([1.5, "2,5", 3], 'type = "numeric"\ndecimal = ","', [1.5, 2.5, 3.0]),
        (["5", "<1", "2"], 'type = "numeric"\nrecode = { "<1" = 0.5 }', [5.0, 0.5, 2.0]),
        (["5", "999", "2"], 'type = "numeric"\nmissing = [999]', [5.0, np.nan, 2.0]),
        ([5.0, 999.0, 2.0], 'type = "numeric"\nmissing = ["999"]', [5.0, np.nan, 2.0]),
        (["5", "999.0", "2"], 'type = "integer"\nmissing = [999]', [5.0, np.nan, 2.0]),
        (["365.25", "0"], 'type = "numeric"\nunit = "months"\nunit_in = "days"', [12.0, 0.0]),
        (["2", "0.5"], 'type = "numeric"\nunit = "months"\nunit_in = "years"', [24.0, 6.0]),
        (["1.24"], 'type = "numeric"\nunit = "mm"\nunit_in = "cm"', [12.4]),
        (["Yes", "No", ""], 'type = "binary"\nrecode = { Yes = 1, No = 0 }', [1.0, 0.0, np.nan]),
        (["1", "2", "2"], 'type = "binary"\nrecode = { 1 = 0, 2 = 1 }', [0, 1, 1]),
        (["TRUE", "false", "1"], 'type = "binary"', [1, 0, 1]),
        (["relapse", "2", "0"], 'type = "integer"\nrecode = { relapse = 1 }', [1, 2, 0]),
    ],
)
def test_numbers(values: list[object], keys: str, expected: list[float]) -> None:
    np.testing.assert_allclose(column(values, keys)["x"].to_numpy(float), expected, rtol=1e-15)


def test_a_month_is_one_constant() -> None:
    times, per = conversion("days", "months")
    assert 30.4375 * times / per == 1.0
    assert conversion("years", "months")[0] / conversion("years", "months")[1] == 12.0


@pytest.mark.parametrize(
    ("values", "keys", "message"),
    [
        (["1", "1_0"], 'type = "numeric"', "'1_0' in row 2 is not a number"),
        (["1", "1,0"], 'type = "numeric"', 'decimal = ","'),
        (["1", "1.0"], 'type = "numeric"\ndecimal = ","', 'decimal = "."'),
        (["1", "1.000,5"], 'type = "numeric"\ndecimal = ","', "'1.000,5' in row 2 is not a num"),
        (["1", "-Infinity"], 'type = "numeric"', "is infinite"),
        (["1", "1.5"], 'type = "integer"', "is not a whole number"),
        (["1", "3"], 'type = "integer"\ncodes = { 1 = "a" }', r"The codes are 1 \(a\)"),
        (["Yes", "No"], 'type = "binary"', r'recode = { "No" = 0, "Yes" = 1 }'),
        (["1", "2"], 'type = "binary"', r'recode = { "1" = 0, "2" = 1 }'),
        (["1", "2", "0"], 'type = "binary"\nrecode = { 1 = 0, 2 = 1 }', "'0' in row 3 is not in"),
        (["a", "b"], 'type = "category"\nlevels = ["A", "b"]', "Did you mean 'A'"),
        (["01.02.2020", "31.02.2020"], 'type = "date"\ndate_format = "%d.%m.%Y"', "'31.02.2020'"),
        (["2020-01-01", "0001-01-01"], 'type = "date"', "'0001-01-01' in row 2 is not a date"),
        (["a", ""], 'type = "id"', "no identifier in row 2"),
        (["a", "a"], 'type = "id"', "'a' occurs again, in rows 1, 2"),
        (["-1", "400"], 'type = "numeric"\nunit = "days"\nrange = [0, 365]', "0 to 365 days"),
        (["-1", "4"], 'type = "numeric"\nrange = [0, 365]', "'-1' in row 1 is negative"),
        (
            ["400"] * 2,
            'type = "numeric"\nunit = "months"\nunit_in = "days"\nrange = [0, 12]',
            "'400' in rows 1, 2 is outside the range 0 to 12 months",
        ),
    ],
)
def test_refusals(values: list[object], keys: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        column(values, keys)


def test_many_rows_and_values_are_summed_up() -> None:
    with pytest.raises(DataError, match=r"rows 1, 2, 3, 4, 5 \(and 15 more\)") as caught:
        column([f"v{i}" for i in range(20)], 'type = "numeric"')
    assert "and 16 other values" in str(caught.value)


def test_ten_problems_are_listed() -> None:
    names = [f"c{i}" for i in range(12)]
    toml = "".join(f'[columns.{name}]\ntype = "numeric"\n' for name in names)
    with pytest.raises(DataError, match="12 problems") as caught:
        read({name: ["x"] * 12 for name in names}, toml)
    assert str(caught.value).count("\n  - ") == 10
    assert "and 2 more" in str(caught.value)


def test_levels_codes_and_the_reference() -> None:
    frame = column(["b", "a", ""], 'type = "category"\nlevels = ["c", "b", "a"]')
    assert list(frame["x"].cat.categories) == ["c", "b", "a"]
    assert list(frame["x"].astype(object).dropna()) == ["b", "a"]
    assert not frame["x"].cat.ordered
    assert "x: no row has the level c." in notes(frame)
    coded = column([1.0, 2.0, 1.0], 'type = "category"\nlevels = [1, 2]')
    assert list(coded["x"]) == ["1", "2", "1"]


def test_a_level_is_never_taken_for_a_missing_code() -> None:
    frame = column(["NA", "EU", "NA"], 'type = "category"\nlevels = ["EU", "NA"]')
    assert frame["x"].isna().sum() == 0


def test_recodings_and_codes_are_counted() -> None:
    frame = column(
        ["ja", "nein", "ja", "?"],
        'type = "binary"\nmissing = ["?"]\nrecode = { ja = 1, nein = 0 }',
    )
    assert "x: codes read as missing, with their number: '?' (1)." in notes(frame)
    assert "x: recoded, with their number: 'ja' to '1' (2), 'nein' to '0' (1)." in notes(frame)


def test_dates() -> None:
    frame = column(["31.01.2020", ""], 'type = "date"\ndate_format = "%d.%m.%Y"')
    assert frame["x"].iloc[0] == pd.Timestamp(2020, 1, 31)
    assert frame["x"].isna().iloc[1]
    typed = column([dt.date(2020, 1, 31), pd.Timestamp(2020, 2, 1, 13, 5)], 'type = "date"')
    assert list(typed["x"]) == [pd.Timestamp(2020, 1, 31), pd.Timestamp(2020, 2, 1)]


def test_derived_columns() -> None:
    toml = """
    [columns.a]
    type = "date"
    [columns.b]
    type = "date"
    [columns.rec]
    type = "binary"
    [columns.dead]
    type = "binary"
    [columns.months]
    type = "numeric"
    unit = "months"
    unit_in = "days"
    derive = "b - a"
    [columns.first]
    type = "category"
    levels = ["none", "rec", "death"]
    derive = { rec = "rec == 1", death = "dead == 1", none = "dead == 0" }
    [columns.event]
    type = "binary"
    derive = ["nothing == 1", "rec == 1 or dead == 1"]
    [columns.nothing]
    type = "binary"
    required = false
    needed_for = "a test"
    """
    data: dict[str, list[object]] = {
        "a": ["2020-01-01", "2020-01-01", "2020-01-01", "2020-01-01", ""],
        "b": ["2020-01-02", "2021-01-01", "2020-01-01", "2020-03-01", "2020-03-01"],
        "rec": [0, 1, 0, None, None],
        "dead": [0, 1, 1, 1, 0],
    }
    frame = read(data, toml)
    np.testing.assert_allclose(
        frame["months"], np.array([1, 366, 0, 60, np.nan]) / 30.4375, rtol=1e-15
    )
    assert list(frame["first"].astype(object).where(frame["first"].notna(), None)) == [
        "none",
        "rec",
        "death",
        None,  # whether it recurred before the death is unknown
        None,
    ]
    np.testing.assert_array_equal(frame["event"], [0, 1, 1, 1, np.nan])
    assert "The optional column 'nothing' is not in the file; skipped without it: a test." in notes(
        frame
    )
    with pytest.raises(DataError, match=r"'event' contradicts .*in row 1: there it is 1, by the"):
        read({**data, "event": [1, 1, 1, 1, 0]}, toml)


LAST_SEEN = {
    "start": ["2020-01-01"] * 4,
    "rec": [1, 0, 1, None],
    "rec_date": ["2020-02-01", "", "", "2020-02-01"],
    "seen": ["2020-03-01"] * 4,
}
LAST_SEEN_BOOK = """
    [columns.start]
    type = "date"
    [columns.rec]
    type = "binary"
    [columns.rec_date]
    type = "date"
    [columns.seen]
    type = "date"
    [columns.months]
    type = "numeric"
    unit = "months"
    unit_in = "days"
"""


def test_a_time_that_ends_with_one_date_or_another() -> None:
    """A recurrence without its date has no time: its last visit is not taken for it."""
    rules = '{ "rec_date - start" = "rec == 1", "seen - start" = "rec == 0" }'
    frame = read(LAST_SEEN, LAST_SEEN_BOOK + f"    derive = {rules}\n")
    np.testing.assert_allclose(
        frame["months"], np.array([31, 60, np.nan, np.nan]) / 30.4375, rtol=1e-15
    )
    said = "months: derived: rec_date - start if rec == 1; seen - start if rec == 0, from days to"
    assert f"{said} months." in notes(frame)


def test_a_date_and_a_whole_number_by_the_first_rule_that_holds() -> None:
    ends = '[columns.end]\ntype = "date"\nderive = { rec_date = "rec == 1", seen = "rec == 0" }\n'
    days = (
        '[columns.days]\ntype = "integer"\nderive = { "end - start" = "rec == 0", 0 = "rec == 1" }'
    )
    frame = read(LAST_SEEN, LAST_SEEN_BOOK.split("    [columns.months]")[0] + ends + days)
    assert [str(end)[:10] for end in frame["end"]] == ["2020-02-01", "2020-03-01", "NaT", "NaT"]
    np.testing.assert_array_equal(frame["days"], [0, 60, 0, np.nan])


def test_a_list_of_rules_that_leaves_rows_to_another_rule_says_so() -> None:
    rules = '["rec_date - start", "seen - start"]'
    frame = read(LAST_SEEN, LAST_SEEN_BOOK + f"    derive = {rules}\n")
    np.testing.assert_allclose(frame["months"].isna(), [False, True, True, False])
    assert (
        "months: rec_date - start gives no value in 2 of 4 rows in which seen - start would. One "
        "rule of a list serves the whole file; a table rule = condition chooses row by row."
    ) in notes(frame)


def test_a_column_that_applies_to_nobody_may_be_empty() -> None:
    """A cohort without a recurrence has no dates of recurrence."""
    rules = '{ "rec_date - start" = "rec == 1", "seen - start" = "rec == 0" }'
    data = {**LAST_SEEN, "rec": [0] * 4, "rec_date": [""] * 4}
    book = LAST_SEEN_BOOK + f"    derive = {rules}\n"
    with pytest.raises(ColumnError, match="'rec_date' has no value at all"):
        read(data, book)
    rec_date = '[columns.rec_date]\n    type = "date"\n'
    frame = read(data, book.replace(rec_date, rec_date + '    applies_when = "rec == 1"\n'))
    np.testing.assert_allclose(frame["months"], np.full(4, 60 / 30.4375), rtol=1e-15)
    assert "Column 'rec_date' has no values: it applies to nobody." in notes(frame)
    keys = "    applies_when = 'rec == 1'\n    needed_for = 'the curve'\n"
    frame = read(data, book.replace(rec_date, rec_date + keys))
    assert "it applies to nobody; skipped without it: the curve." in notes(frame)


def test_gaps_of_a_column_that_the_file_and_a_rule_both_have_are_told() -> None:
    book = LAST_SEEN_BOOK + '    derive = "seen - start"\n'
    own = [60 / 30.4375, None, None, None]
    frame = read(
        {**LAST_SEEN, "months": own}, book.replace("derive", "tolerance = 0.1\n    derive")
    )
    assert frame["months"].isna().tolist() == [False, True, True, True]
    assert (
        "months: empty in rows 2, 3, 4, where the rule it follows from (seen - start) gives a value"
    ) in notes(frame)
    applies = '    tolerance = 0.1\n    applies_when = "rec == 1"\n'
    frame = read({**LAST_SEEN, "months": own}, book + applies)
    assert "months: empty in rows 3, 4, where the rule" in notes(frame)  # in row 2 it must be


def test_a_table_of_plain_numbers_and_of_many_conditions() -> None:
    many = ", ".join(f'"visit - {i}" = "visit == {2 * i}"' for i in range(70))
    book = f"""
    [columns.visit]
    type = "integer"
    [columns.planned]
    type = "numeric"
    unit = "months"
    derive = {{ 0 = "visit == 0", "1.5" = "visit == 1", 6 = "visit >= 2" }}
    [columns.whole]
    type = "numeric"
    derive = {{ 0 = "visit < 2", 6 = "visit >= 2" }}
    [columns.left]
    type = "numeric"
    derive = {{ {many} }}
    """
    frame = read({"visit": [0, 1, 2, 138, 140]}, book)
    np.testing.assert_array_equal(frame["planned"], [0, 1.5, 6, 6, 6])
    np.testing.assert_array_equal(frame["whole"], [0, 0, 6, 6, 6])
    np.testing.assert_array_equal(frame["left"], [0, np.nan, 1, 69, np.nan])


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('type = "binary"\nderive = "a"', r"\(a\), is not 0 or 1 in rows 2, 3: there it is 2\."),
        (
            'type = "integer"\nderive = "a"',
            'is no whole number in row 3: .* 3.5.* type = "numeric"',
        ),
        (
            'type = "integer"\ncodes = { 1 = "x", 3 = "y" }\n'
            'derive = { a = "a < 3", 1 = "a >= 3" }',
            r"\(a if a < 3; 1 if a >= 3\), is none of the codes 1 \(x\), 3 \(y\) in row 2: .* 2\.",
        ),
    ],
)
def test_derived_numbers_are_what_the_column_is(keys: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read({"a": [1, 2, 3.5, None]}, f'[columns.a]\ntype = "numeric"\n[columns.b]\n{keys}\n')


def test_of_what_follows_from_a_wrong_derived_column_nothing_is_said() -> None:
    book = "[columns.a]\ntype='numeric'\n[columns.b]\ntype='binary'\nderive='a'\n"
    book += "[columns.c]\ntype='binary'\nderive='b == 1'\n[columns.d]\ntype='binary'\nderive='c'\n"
    with pytest.raises(DataError, match=r"'b', derived \(a\), is not 0 or 1") as refused:
        read({"a": [0, 2], "c": [0, 1]}, book)
    assert "contradicts" not in str(refused.value)


def test_a_derived_whole_number_is_free_of_rounding() -> None:
    book = "[columns.a]\ntype='numeric'\n[columns.b]\ntype='integer'\nderive='a - c'\n"
    frame = read({"a": [3.3, 2.3], "c": [1.3, 0.3]}, book + "[columns.c]\ntype='numeric'\n")
    assert frame["b"].tolist() == [2, 2]


def test_derived_numbers_are_held_against_their_range() -> None:
    book = (
        "[columns.a]\ntype = 'date'\n[columns.b]\ntype = 'date'\n"
        "[columns.t]\ntype = 'numeric'\nunit = 'months'\nunit_in = 'days'\nrange = [0, 600]\n"
        "derive = 'b - a'\n"
    )
    data = {"a": ["2020-03-01", "2020-03-01", None], "b": ["2020-04-01", "2020-02-01", None]}
    with pytest.raises(DataError, match=r"'t', derived \(b - a\), is outside .* in row 2: there"):
        read(data, book)


def test_a_spreadsheets_day_number_is_no_date() -> None:
    with pytest.raises(
        DataError, match=r"'43831', '43832' in rows 1, 2 .*format the column as a date there"
    ):
        read({"a": [43831, 43832]}, "[columns.a]\ntype = 'date'\n")


def test_a_column_that_cannot_be_derived() -> None:
    toml = (
        "[columns.x]\ntype = 'numeric'\n[columns.y]\ntype = 'binary'\nrequired = false\n"
        "[columns.z]\ntype = 'binary'\nderive = 'y == 1'\n"
    )
    with pytest.raises(ColumnError, match="'z' is not in the file and cannot be derived: y == 1"):
        read({"x": [1, 2]}, toml)


def test_checks_of_both_severities() -> None:
    toml = """
    [columns.a]
    type = "numeric"
    [columns.b]
    type = "numeric"
    [[checks]]
    when = "b > 1"
    rule = "a <= b"
    tolerance = 0.5
    message = "a comes first"
    severity = "SEVERITY"
    """
    data: dict[str, list[object]] = {"a": [5, 2.5, 3, None], "b": [1, 2, 2, 2]}
    with pytest.raises(
        DataError, match=r"a comes first: this does not hold in row 3 \(there a = 3, b = 2\)"
    ):
        read(data, toml.replace("SEVERITY", "error"))
    noted = read(data, toml.replace("SEVERITY", "note"))
    assert "A comes first: this does not hold in row 3 (there a = 3, b = 2)." in notes(noted)
    bare = toml.replace("SEVERITY", "note").replace('message = "a comes first"', "")
    # the rule's columns keep their small letters
    assert "The rule 'a <= b' must hold when b > 1: this does not" in notes(read(data, bare))


def test_extra_columns() -> None:
    data: dict[str, list[object]] = {"x": [1, 2, 3], "y": ["a", "b", "a"], "z": [0, 1, 0]}
    toml = "[file]\nextra_columns = 'KIND'\n[columns.x]\ntype = 'numeric'\n"
    ignored = read(data, toml.replace("KIND", "ignore"))
    assert list(ignored.columns) == ["x"]
    assert "left out: 'y', 'z'" in notes(ignored)
    kept = read(data, toml.replace("KIND", "keep"))
    assert list(kept.columns) == ["x", "y", "z"]
    assert "y (category), z (binary)" in notes(kept)
    with pytest.raises(ColumnError, match="does not have: 'y', 'z'"):
        read(data, toml.replace("KIND", "error"))


def test_a_cohort_s_width_counts_what_is_read() -> None:
    wide: dict[str, list[object]] = {f"c{i}": [1.5, 2.5] for i in range(9)}
    assert len(read(wide, "[columns.c1]\ntype = 'numeric'\n")) == 2


def test_thousands_are_no_whole_numbers_where_the_comma_is_the_decimal_mark() -> None:
    """1.000 is a thousand there, never 1."""
    toml = '[file]\ndecimal = ","\n[columns.x]\ntype = "integer"\n'
    assert read({"x": ["1,0", "20"]}, toml)["x"].tolist() == [1, 20]
    with pytest.raises(DataError, match=r"'1\.000' in row 1 is not a number.*parts thousands"):
        read({"x": ["1.000", "20"]}, toml)


def test_a_level_goes_before_a_missing_code_of_the_file_that_is_the_same_number() -> None:
    toml = "[file]\nmissing = [-9]\n[columns.x]\ntype = 'category'\nlevels = ['1', '-9.0']\n"
    assert read({"x": ["1", "-9.0", "1"]}, toml)["x"].tolist() == ["1", "-9.0", "1"]
