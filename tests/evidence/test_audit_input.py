"""Audits of odd names, odd prints and very large tables."""

from __future__ import annotations

import pytest

import rnetstats as rn
from audit_sheets import content, lines
from rnetstats.errors import FactsError
from rnetstats.evidence.facts_words import with_minus

COUNTS = ("events_1", "n_1", "events_2", "n_2")
TEST = {"kind": "test", **{name: name for name in COUNTS}}


@pytest.mark.parametrize("name", ["\0", "a" * 5000, "a" * 5000 + ".toml", "\0.toml", "b.\0"])
def test_names_that_no_file_can_have_are_refused_in_few_words(name: str) -> None:
    for read in (rn.audit, rn.read_facts):
        with pytest.raises(FactsError) as caught:
            read(name)
        assert len(str(caught.value)) < 400


def test_a_unit_is_not_said_twice() -> None:
    values = {"percent": "10 %", "count": "1", "total": "10"}
    check = {"kind": "percentage", "percent": "percent", "count": "count", "total": "total"}
    found = lines(values, {"percent": "%"}, **check)[0]
    assert found.printed == "1 of 10, 10 %"
    assert "% %" not in found.sentence


def test_what_is_to_be_written_does_not_hold_the_name_of_the_file() -> None:
    facts = content({"a": "1"})
    with pytest.raises(FactsError, match=r"; write \[reporting\.strobe\] and below it"):
        rn.audit({**facts, "reporting": {"strobe": 4}})


def test_a_minus_is_written_for_a_hyphen_before_digits_only() -> None:
    assert with_minus("-6.3 (-7 to -.5)") == "\u22126.3 (\u22127 to \u2212.5)"
    assert with_minus("3-5, 4.2e-5") == "3-5, 4.2e-5"


def test_exact_methods_are_left_out_of_millions_and_the_line_says_so() -> None:
    values = dict(zip(COUNTS, ("300000", "1000000", "200000", "1000000"), strict=True))
    found = lines({**values, "p": "< 0.001"}, **TEST, p="p")[0]
    assert found.verdict == "consistent"
    assert "Fisher" not in found.sentence
    assert found.sentence.endswith("more than 100,000 counts are possible in a group.")


def test_exact_methods_stay_with_few_events_of_millions() -> None:
    values = dict(zip(COUNTS, ("3", "1000000", "0", "1000000"), strict=True))
    found = lines({**values, "p": "0.25"}, **TEST, p="p")[0]
    assert found.verdict == "consistent"
    assert found.recomputed == "Fisher 0.2500"


def test_a_long_text_is_cut_off_in_messages() -> None:
    with pytest.raises(FactsError, match=r"^p is '1\.1{38}\.\.\.', more digits") as caught:
        rn.matching_tables("3", "12", p="1." + "1" * 5000, at_most=50)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("name", ["percent", "count", "total"])
def test_only_a_p_can_be_not_significant(name: str) -> None:
    values = {"percent": "10", "count": "1", "total": "10", name: "n.s."}
    check = {"kind": "percentage", "percent": "percent", "count": "count", "total": "total"}
    with pytest.raises(FactsError, match=rf"\[facts\.{name}\], value is 'n\.s\.', no number"):
        lines(values, {"percent": "%"}, **check)
