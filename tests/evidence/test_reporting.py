"""Items of reporting: every item stands there, answered from figures or open."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import pytest

import rnetstats as rn
from guides import DOCS, beside
from rnetstats.errors import FactsError
from rnetstats.evidence.facts import FactSheet
from rnetstats.evidence.facts_kinds import KINDS
from rnetstats.evidence.facts_schema import STANDINGS
from rnetstats.evidence.reporting import instruments, reporting_items

GUIDE = DOCS / "facts.md"
ANSWER = {"answer": "yes", "facts": ["patients"], "basis": "It says so."}


def sheet(reporting: Any) -> FactSheet:
    patients = {
        "label": "Patients",
        "value": "10",
        "unit": "patients",
        "standing": "printed",
        "where": "abstract",
    }
    return rn.read_facts(
        {
            "schema": 1,
            "study": {"name": "mine", "title": "Mine"},
            "facts": {"patients": patients},
            "reporting": reporting,
        }
    )


def items(reporting: Mapping[str, Any]) -> Any:
    return reporting_items(sheet(reporting)).set_index(["instrument", "item"])


def test_every_item_of_every_instrument_is_listed_and_open_without_answers() -> None:
    table = reporting_items(sheet({}))
    assert list(table.columns) == ["instrument", "item", "question", "answer", "basis", "facts"]
    counts = table["instrument"].value_counts(sort=False).to_dict()
    assert list(counts.items()) == [("strobe", 22), ("probast_ai", 34), ("robins_i", 7)]
    assert set(table["answer"]) == {"open"}
    assert set(table["basis"]) == {"not in the facts"}
    assert set(table["facts"]) == {""}


def test_items_are_numbered_and_worded_once() -> None:
    strobe, probast, robins = (list(instrument.questions) for instrument in instruments())
    assert strobe == [str(number) for number in range(1, 23)]
    assert robins == [str(number) for number in range(1, 8)]
    sizes = {"D1": 3, "D2": 4, "D3": 4, "D4": 5, "E1": 3, "E2": 4, "E3": 4, "E4": 7}
    assert probast == [f"{part}.{k}" for part, n in sizes.items() for k in range(1, n + 1)]
    for instrument in instruments():
        asked = list(instrument.questions.values())
        assert len(set(asked)) == len(asked)
        assert all(": " in question and question.endswith("?") for question in asked)


def test_an_answer_stands_in_its_row_and_nowhere_else() -> None:
    table = items({"robins_i": {"1": {**ANSWER, "answer": "serious"}}})
    assert table.loc[("robins_i", "1"), ["answer", "basis", "facts"]].tolist() == [
        "serious",
        "It says so.",
        "patients",
    ]
    assert table["answer"].value_counts().to_dict() == {"open": 62, "serious": 1}


def test_an_instrument_that_does_not_apply_has_one_row_with_the_reason() -> None:
    table = items({"probast_ai": {"applies": False, "basis": "No model."}})
    assert table.loc[("probast_ai", "all"), ["answer", "basis"]].tolist() == [
        "not applicable",
        "No model.",
    ]
    assert len(table) == 22 + 1 + 7
    assert len(items({"probast_ai": {"applies": True}})) == 63


@pytest.mark.parametrize(
    ("reporting", "said"),
    [
        ({"strob": {}}, "no instrument 'strob'.*Did you mean 'strobe'"),
        ({"strobe": 3}, r"\[reporting.strobe\] is not a table"),
        ({"strobe": {"23": ANSWER}}, "'23', which is none of its items"),
        ({"probast_ai": {"D4.11": ANSWER}}, "Did you mean 'D4.1'"),
        ({"strobe": {"1": "yes"}}, "item 1 is not a table"),
        ({"strobe": {"1": {**ANSWER, "anwser": "yes"}}}, "Did you mean 'answer'"),
        ({"strobe": {"1": {**ANSWER, "answer": "partially"}}}, "no answer of strobe.*'partly'"),
        ({"strobe": {"1": {**ANSWER, "answer": "low"}}}, "no answer of strobe"),
        ({"robins_i": {"1": ANSWER}}, "no answer of robins_i"),
        ({"strobe": {"1": {**ANSWER, "answer": True}}}, "answer is missing or empty"),
        ({"strobe": {"1": {**ANSWER, "basis": " "}}}, "basis is missing or empty"),
        ({"strobe": {"1": {**ANSWER, "facts": []}}}, "list the figures"),
        ({"strobe": {"1": {**ANSWER, "facts": "patients"}}}, "list the figures"),
        ({"strobe": {"1": {**ANSWER, "facts": ["patient"]}}}, "Did you mean 'patients'"),
        ({"strobe": {"applies": False}}, "basis is missing"),
        ({"strobe": {"applies": "no"}}, "applies is 'no'"),
        ({"strobe": {"applies": False, "basis": "x", "1": ANSWER}}, "does not apply"),
        ({"strobe": {"basis": "x"}}, "'basis', which is none of its items"),
    ],
)
def test_what_is_wrong_in_an_answer_is_named(reporting: Any, said: str) -> None:
    with pytest.raises(FactsError, match=said):
        reporting_items(sheet(reporting))


def test_a_reporting_table_that_is_none_is_refused() -> None:
    with pytest.raises(FactsError, match="reporting"):
        reporting_items(sheet("strobe"))


def blocks() -> list[str]:
    text = GUIDE.read_text(encoding="utf-8")
    return [part.partition("```")[0] for part in text.split("```toml\n")[1:]]


@beside(GUIDE)
def test_the_example_of_the_guide_reads_and_its_verdicts_are_as_told() -> None:
    example = rn.read_facts(tomllib.loads(blocks()[0]))
    checked = rn.audit(example)
    assert checked.to_frame()["verdict"].tolist() == [
        "rounding",
        "inconsistent",
        "consistent",
        "consistent",
    ]
    table = reporting_items(example)
    assert table["answer"].value_counts().to_dict() == {
        "open": 27,
        "yes": 1,
        "partly": 1,
        "not applicable": 1,
    }
    assert checked.reporting.equals(table)
    assert (example["deaths"].standing, example["deaths"].value) == ("unknown", "")


@beside(GUIDE)
def test_the_guide_names_every_kind_field_standing_and_answer() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    rows = {
        line.split("|")[1].strip().strip("`"): line for line in text.splitlines() if "|" in line
    }
    for kind, fields in KINDS.items():
        assert all(f"`{name}`" in rows[kind] for name in fields), kind
    assert all(standing in rows for standing in STANDINGS)
    for instrument in instruments():
        assert all(f"`{answer}`" in rows["answer"] for answer in instrument.answers)
        assert f"[reporting.{instrument.key}]" in text


@beside(GUIDE)
def test_the_line_of_an_item_in_the_guide_is_an_answer() -> None:
    body = tomllib.loads(blocks()[1])
    body["5"]["facts"] = ["patients"]
    assert items({"strobe": body}).loc[("strobe", "5"), "answer"] == "partly"
