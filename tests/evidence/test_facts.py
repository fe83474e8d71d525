"""Facts files: as printed, with a standing, and refused with the right word when malformed."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

import rnetstats as rn
from audit_sheets import content
from rnetstats.errors import FactsError, RnetError
from rnetstats.evidence.facts import STANDINGS, Fact, read_facts
from rnetstats.evidence.facts_file import studies_with_facts
from rnetstats.evidence.facts_template import facts_template

SHEET = read_facts("rnetstats.studies.duan2024")


@pytest.mark.parametrize(
    ("key", "value", "standing"),
    [
        ("patients", "527", "printed"),
        ("positive_margin", "181", "printed"),
        ("negative_margin", "346", "derived"),
        ("recurrences", "12", "printed"),
        ("recurrence_percent", "2.2", "printed"),
        ("median_follow_up", "72", "printed"),
        ("nlr_cutoff", "4.44", "printed"),
        ("size_cutoff", "14.89", "printed"),
        ("method_counts", "213 / 199 / 113 / 2", "inferred"),
        ("recurrences_by_margin", "", "unknown"),
    ],
)
def test_figures_stand_as_printed(key: str, value: str, standing: str) -> None:
    assert (SHEET[key].value, SHEET[key].standing) == (value, standing)


@pytest.mark.parametrize("name", studies_with_facts())
def test_every_fact_of_the_studies_is_labelled_and_says_where_it_stands(name: str) -> None:
    sheet = read_facts(name)
    assert sheet.name == name
    for key, fact in sheet.facts.items():
        assert fact.key == key
        assert fact.label
        assert fact.standing in STANDINGS
        assert (fact.value == "") == (fact.standing == "unknown")
        assert fact.where or fact.standing == "unknown"
        assert fact.depends_on or fact.standing != "derived"


def test_derived_and_inferred_counts_add_up() -> None:
    total = SHEET["patients"].count
    assert SHEET["positive_margin"].count + SHEET["negative_margin"].count == total
    assert sum(SHEET["method_counts"].counts) == total
    share = 100 * SHEET["positive_margin"].count / total
    assert round(share, 1) == SHEET["positive_margin_percent"].number


def test_a_word_is_no_number_and_an_unknown_fact_is_named() -> None:
    with pytest.raises(RnetError, match="not a number"):
        _ = SHEET["dfs"].number
    with pytest.raises(FactsError, match="unknown, so it is not a number"):
        _ = SHEET["recurrences_by_margin"].number
    with pytest.raises(RnetError, match="not a count"):
        _ = SHEET["nlr_cutoff"].count
    with pytest.raises(FactsError, match="parted by"):
        _ = SHEET["dfs"].counts
    with pytest.raises(RnetError, match="Did you mean 'patients'"):
        _ = SHEET["patient"]
    fact = Fact("k", "l", "14.89", "mm", "printed", "here")
    assert (fact.decimals, fact.text, fact.known) == (2, "14.89 mm", True)
    texts = [Fact("k", "l", n, "patients", "printed", "here").text for n in ("1", "11")]
    assert texts == ["1 patient", "11 patients"]


def test_a_sheet_is_read_from_a_name_a_file_a_mapping_or_itself(tmp_path: Path) -> None:
    path = tmp_path / "paper.toml"
    path.write_text("\ufeff" + facts_template(), encoding="utf-8")
    assert read_facts(path).facts == read_facts(str(path)).facts
    assert read_facts(path).source == "paper.toml"
    assert rn.read_facts("duan2024").facts == SHEET.facts
    assert read_facts(SHEET) is SHEET
    sheet = read_facts(content({"n": "5"}))
    assert (sheet["n"].count, sheet.short_title, sheet.checks) == (5, "A test", ())


GOOD = content(
    {"n": "12", "events": "5", "percent": "41.7"},
    {"kind": "percentage", "percent": "percent", "count": "events", "total": "n"},
    units={"percent": "%"},
)


def changed(*path: Any, to: Any = None, drop: bool = False) -> dict[str, Any]:
    """The good file with one thing changed."""
    made = copy.deepcopy(GOOD)
    place: Any = made
    for step in path[:-1]:
        place = place[step]
    if drop:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return made


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (changed("fact", to={}), r"has 'fact', which is none of its tables .*Did you mean 'facts'"),
        (changed("schema", drop=True), "does not say its schema. Write 'schema = 1'"),
        (changed("schema", to=2), "schema = 2 is not known here"),
        (changed("schema", to=True), "schema = True is not known"),
        (changed("study", drop=True), r"\[study\] is missing"),
        (changed("study", "titel", to="x"), r"\[study\] has 'titel'.*Did you mean 'title'"),
        (changed("study", "title", to=" "), "title is missing"),
        (changed("study", "title", to=5), r"\[study\], title is 5, not a text"),
        (changed("facts", to={}), "states no figures"),
        (changed("facts", to=[1]), "states no figures"),
        (changed("facts", "N", to={}), r"\[facts.N\]: a key is made of small letters"),
        (changed("facts", "m", to="5"), r"\[facts.m\] is not a table"),
        (
            changed("facts", "n", "lable", to="x"),
            r"\[facts.n\] has 'lable', .*Did you mean 'label'",
        ),
        (changed("facts", "n", "value", drop=True), r"\[facts.n\]: value is missing; write value"),
        (changed("facts", "n", "unit", drop=True), r"\[facts.n\]: unit is missing"),
        (changed("facts", "n", "value", to=12), r"\[facts.n\], value is 12, not a text"),
        (changed("facts", "n", "value", to=2.5), "loses its trailing zeros"),
        (changed("facts", "n", "label", to=""), "label is empty"),
        (changed("facts", "n", "where", to=""), "where is empty"),
        (changed("facts", "n", "value", to=""), "value is empty but standing is 'printed'"),
        (
            changed("facts", "n", "standing", to="printd"),
            "'printd' is none of printed, .*Did you mean 'printed'",
        ),
        (changed("facts", "n", "standing", to="unknown"), "unknown but value is '12'"),
        (changed("facts", "n", "standing", to="derived"), "must say what it follows from"),
        (changed("facts", "n", "depends_on", to="events"), "must be a list of keys"),
        (
            changed("facts", "n", "depends_on", to=["event"]),
            r"\[facts.n\], depends_on: there is no figure 'event'. Did you mean 'events'",
        ),
        (changed("facts", "n", "depends_on", to=["n"]), "in a circle: n -> n"),
        (changed("checks", to={}), "with two brackets"),
        (changed("checks", 0, to="x"), r"\[\[checks\]\] number 1 is not a table"),
        (changed("checks", 0, "kind", drop=True), "number 1: kind is missing"),
        (
            changed("checks", 0, "kind", to="percentages"),
            "'percentages' is none of .*Did you mean 'percentage'",
        ),
        (
            changed("checks", 0, "percents", to="n"),
            r"number 1 \(percentage\) has 'percents'.*Did you mean 'percent'",
        ),
        (changed("checks", 0, "percent", drop=True), "percent is missing; name the figure"),
        (
            changed("checks", 0, "count", to="event"),
            r"\(percentage\), count: there is no figure 'event'. Did you mean 'events'",
        ),
        (changed("checks", 0, "count", to=5), "5 is not the key of a figure"),
        (changed("checks", 0, "label", to=5), "label is 5, not a text"),
        (changed("checks", 0, "candidates", to=[]), "candidates is empty"),
        (changed("checks", 0, "candidates", to="n"), "must be a list of keys"),
        (
            changed("checks", 0, to={"kind": "mean", "mean": "n", "n": "n", "items": "1"}),
            "items: '1' must be a whole number",
        ),
        (
            changed("checks", 0, to={"kind": "mean", "mean": "n", "n": "n", "items": 0}),
            "items: 0 must be a whole number of at least 1",
        ),
        (
            changed("checks", 0, to={"kind": "interval", "low": "n", "high": "n", "scale": "ln"}),
            "scale: 'ln' is none of log, identity",
        ),
        (
            changed(
                "checks",
                0,
                to={"kind": "odds_ratio_tables", "odds_ratio": "n", "n": "n", "adjusted": 1},
            ),
            "adjusted: 1 must be true or false",
        ),
        (changed("reporting", to=[1]), "reporting is no table"),
    ],
)
def test_a_malformed_file_is_refused_by_name(made: dict[str, Any], told: str) -> None:
    with pytest.raises(FactsError, match=told) as refusal:
        read_facts(made)
    assert str(refusal.value).startswith("the facts given")


def test_a_circle_of_figures_is_shown() -> None:
    made = content({"a": "1", "b": "2", "c": "3", "d": "4"})
    for key, others in {"a": ["d", "b"], "b": ["c"], "c": ["a"], "d": []}.items():
        made["facts"][key]["depends_on"] = others
    with pytest.raises(FactsError, match=re.escape("in a circle: a -> b -> c -> a.")):
        read_facts(made)
    made["facts"]["c"]["depends_on"] = ["d"]
    assert read_facts(made)["c"].depends_on == ("d",)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("duan2025", "Did you mean 'duan2024'"),
        ("rnetstats.plots", "no study of the package"),
        ("nowhere.nothing", "no study of the package"),
        ("missing.toml", "There is no file 'missing.toml'. 'rnetstats audit --template"),
        ("", "not from ''"),
        (None, "not from None"),
        (5, "not from 5"),
    ],
)
def test_what_cannot_be_found_is_refused(source: Any, told: str) -> None:
    with pytest.raises(FactsError, match=told):
        read_facts(source)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "paper.toml"
    path.write_text("schema = 1\nvalue = 2.2 %", encoding="utf-8")
    with pytest.raises(FactsError, match=r"paper.toml is not TOML: .*line 2"):
        read_facts(path)
    path.write_bytes(b"title = '\xff\xfe'")
    with pytest.raises(FactsError, match="not text in UTF-8"):
        read_facts(path)
    path.write_text("x = " + "[" * 100_000, encoding="utf-8")
    with pytest.raises(FactsError, match="nested too deeply"):
        read_facts(path)
    with pytest.raises(FactsError, match="cannot be read"):
        read_facts(tmp_path)
    with pytest.raises(FactsError, match=r"^\. cannot be read"):
        read_facts(".")
