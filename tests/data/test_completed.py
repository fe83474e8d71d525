"""A codebook for one file, completed by the study's: what it leaves out still holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import rnetstats as rn
from rnetstats.data.builtin import builtin_codebook, builtin_names
from rnetstats.data.codebook import Codebook
from rnetstats.data.completed import completed
from rnetstats.data.read import read_cohort
from rnetstats.data.template import write_codebook
from rnetstats.errors import CodebookError, ColumnError, DataError
from rnetstats.studies.cha2019.cohort import prepare as prepare_cha
from rnetstats.studies.duan2024.cohort import prepare
from support import data_path

FILE = data_path("rnet_like_a.csv")
STUDY = builtin_codebook("duan2024")


def with_columns(text: str) -> Codebook:
    return completed(Codebook.from_text(text), STUDY)


def edited(tmp_path: Path, **changes: object) -> tuple[Path, Codebook]:
    """A file with changed columns, and its first codebook, unedited."""
    path = tmp_path / "mine.csv"
    pd.read_csv(FILE).assign(**changes).to_csv(path, index=False)
    return path, Codebook.from_text(write_codebook(path), name="mine.toml")


@pytest.mark.parametrize("name", builtin_names())
def test_a_study_is_complete_in_itself(name: str) -> None:
    study = builtin_codebook(name)
    again = completed(study, study)
    assert again.columns == study.columns
    assert again.checks == study.checks


def test_an_unedited_first_codebook_reads_what_the_study_reads() -> None:
    book = completed(Codebook.from_text(write_codebook(FILE)), STUDY)
    expected = read_cohort(FILE, codebook="duan2024")
    found = read_cohort(FILE, codebook=book)
    assert list(found.columns) == list(expected.columns)
    for name in expected:
        assert found[name].astype(str).tolist() == expected[name].astype(str).tolist(), name
    assert found["method"].cat.categories.tolist() == ["ESD", "cEMR", "mEMR", "other"]


def test_a_short_codebook_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    frame = pd.read_csv(FILE).rename(columns={"size_mm": "Size (mm)", "sex": "Geschlecht"})
    frame["Geschlecht"] = frame["Geschlecht"].map({"F": "w", "M": "m"})
    frame["dfs_months"] *= 30.4375
    frame.to_csv(path, index=False)
    book = with_columns(
        '[columns.size_mm]\ntype = "numeric"\nsource = "Size (mm)"\n'
        '[columns.sex]\ntype = "category"\nsource = "Geschlecht"\nrecode = { w = "F", m = "M" }\n'
        '[columns.dfs_months]\ntype = "numeric"\nunit = "days"\n'
    )
    found, expected = read_cohort(path, codebook=book), read_cohort(FILE, codebook="duan2024")
    assert found["sex"].tolist() == expected["sex"].tolist()
    assert found["size_mm"].tolist() == expected["size_mm"].tolist()
    assert found["dfs_months"].to_numpy() == pytest.approx(expected["dfs_months"].to_numpy())
    assert found["dfs_event"].tolist() == expected["dfs_event"].tolist()


def test_the_ranges_and_rules_of_the_study_hold(tmp_path: Path) -> None:
    times = pd.read_csv(FILE)["dfs_months"]
    path, book = edited(tmp_path, dfs_months=times.where(times.index != 4, -3.0))
    assert read_cohort(path, codebook=book)["dfs_months"].min() == -3.0
    with pytest.raises(DataError, match=r"'dfs_months': '-3.0' in row 5 \(line 6\) is negative"):
        read_cohort(path, codebook=completed(book, STUDY))
    path, book = edited(tmp_path, dfs_months=times * 30.4375)
    with pytest.raises(DataError, match='If these are days, write unit_in = "days"'):
        read_cohort(path, codebook=completed(book, STUDY))
    # the advice, followed to the letter, is enough
    says_days = Codebook.from_text('[columns.dfs_months]\ntype = "numeric"\nunit_in = "days"\n')
    months = read_cohort(path, codebook=completed(says_days, STUDY))["dfs_months"]
    assert months.to_numpy() == pytest.approx(times.to_numpy())
    path, book = edited(tmp_path, dfs_months=times.where(times.index != 4, 599.0))
    with pytest.raises(DataError, match="dfs_months <= os_months"):
        read_cohort(path, codebook=completed(book, STUDY))


def test_what_the_caller_says_goes_first() -> None:
    book = with_columns(
        '[columns.size_mm]\ntype = "numeric"\nrange = [0, 50]\nlabel = "Size"\n'
        '[[checks]]\nrule = "size_mm > 1"\n[calendar]\nfirst_date = 2001-01-01\n'
    )
    assert book.column("size_mm").range == (0.0, 50.0)
    assert book.column("size_mm").label == "Size"
    assert [check.rule.text for check in book.checks] == ["size_mm > 1"]
    assert book.calendar is not None
    assert str(book.calendar.first_date) == "2001-01-01"
    assert with_columns('[columns.age]\ntype = "numeric"\n').calendar is None
    assert not book.column("sex").required  # not named by the caller


def test_all_that_cannot_be_the_study_s_is_told_at_once(tmp_path: Path) -> None:
    frame = pd.read_csv(FILE)
    words = frame["margin_positive"].map({1: "Ja", 0: "Nein"})
    sizes = frame["size_mm"].map(lambda size: f"{size:g} mm")
    path, book = edited(
        tmp_path, margin_positive=words, size_mm=sizes, location=frame["location"].str.upper()
    )
    assert len(read_cohort(path, codebook=book)) == len(frame)
    with pytest.raises(CodebookError) as caught:
        completed(book, STUDY)
    said = str(caught.value)
    assert said.startswith("codebook 'mine': 3 problems:\n  - [columns.size_mm]: the study needs")
    assert 'type = "binary"; and recode = { "Nein" = 0, "Ja" = 1 } to translate' in said
    assert "none of the levels 'LOWER', 'MIDDLE', 'UPPER' is one of the study's" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[columns.enrolment_date]\ntype = "text"\n', 'type = "date"; and date_format'),
        ('[columns.size_mm]\ntype = "numeric"\nunit = "inch"\n', "no conversion from 'inch'"),
        (
            '[columns.recurrence]\ntype = "numeric"\n',
            "needs the type binary \\(0/1\\), not numeric",
        ),
    ],
)
def test_types_and_units_that_do_not_fit(text: str, said: str) -> None:
    with pytest.raises(CodebookError, match=said):
        with_columns(text)


def test_levels_of_other_names_are_not_counted_as_something_else() -> None:
    cohort = read_cohort(FILE, codebook="duan2024")
    for name, old, new in (("salvage", "none", "keine"), ("location", "lower", "unten")):
        other = cohort.assign(**{name: cohort[name].cat.rename_categories({old: new})})
        with pytest.raises(ColumnError, match=f"'{name}' has the values '{new}', which the analys"):
            prepare(other)
    none_lower = cohort[cohort["location"] != "lower"]
    assert len(prepare(none_lower).everyone) == len(none_lower)
    cha = rn.load_cohort("cha2019")
    renamed = cha["additional_treatment"].cat.rename_categories({"none": "keine"})
    with pytest.raises(ColumnError, match="'additional_treatment' has the values 'keine'"):
        prepare_cha(cha.assign(additional_treatment=renamed))


def test_reproduce_completes_the_codebook(tmp_path: Path) -> None:
    path, _ = edited(tmp_path, death=pd.read_csv(FILE)["death"].map({1: "dead", 0: "alive"}))
    book = tmp_path / "mine.toml"
    book.write_text(write_codebook(path), encoding="utf-8")
    with pytest.raises(CodebookError, match=r'recode = \{ "alive" = 0, "dead" = 1 \} to translate'):
        rn.reproduce("duan2024", data=path, codebook=book, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_column_that_is_not_there_may_be_left_out_by_the_codebook() -> None:
    frame = pd.read_csv(FILE).drop(columns="sex")
    with pytest.raises(ColumnError, match=r"or required = false if there is none"):
        read_cohort(frame, codebook="duan2024")
    spec = [replace(c, required=False) if c.name == "sex" else c for c in STUDY.columns]
    assert "sex" not in read_cohort(frame, codebook=replace(STUDY, columns=tuple(spec)))


def test_all_that_the_analyses_cannot_do_without_is_asked_for_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    pd.read_csv(FILE).rename(columns=lambda name: f"my {name}").to_csv(path, index=False)
    first = Codebook.from_text(write_codebook(path), name="mine.toml")
    with pytest.raises(ColumnError) as caught:
        rn.reproduce("duan2024", data=path, codebook=first)
    text = str(caught.value)
    assert "'margin_positive', 'method', 'location', 'nlr', 'size_mm', 'dfs_months'" in text
    assert "'recurrence', 'os_months' and 'death'" in text  # and not dfs_event, which follows
    assert 'write [columns.margin_positive] with its type and source = "NAME"' in text


def test_one_column_that_is_not_named_is_asked_for_alone() -> None:
    frame = read_cohort(FILE, codebook="duan2024").drop(columns="nlr")
    with pytest.raises(ColumnError, match=r"no column 'nlr', .*\[columns\.nlr\] .* codebook\.$"):
        prepare(frame)


@pytest.mark.parametrize("study", ["cha2019", "nelm2024"])
def test_other_studies_ask_for_their_columns_at_once(study: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    pd.DataFrame({"Alter": range(40, 70)}).to_csv(path, index=False)
    first = Codebook.from_text(write_codebook(path), name="mine.toml")
    with pytest.raises(ColumnError, match=r"There are no columns '\w+', .* and '\w+', which"):
        rn.reproduce(study, data=path, codebook=first)
