"""The printed figures: as printed, with a standing, and nothing typed elsewhere."""

from __future__ import annotations

import pytest

from rnetstats.errors import RnetError
from rnetstats.evidence.facts import STANDINGS, Fact, read_facts

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


def test_every_fact_is_labelled_and_says_where_it_stands() -> None:
    for key, fact in SHEET.facts.items():
        assert fact.key == key
        assert fact.label
        assert fact.standing in STANDINGS
        assert (fact.value == "") == (fact.standing == "unknown")
        assert (fact.where == "") == (fact.standing == "unknown")


def test_derived_and_inferred_counts_add_up() -> None:
    total = SHEET["patients"].count
    assert SHEET["positive_margin"].count + SHEET["negative_margin"].count == total
    assert sum(int(n) for n in SHEET["method_counts"].value.split("/")) == total
    share = 100 * SHEET["positive_margin"].count / total
    assert round(share, 1) == SHEET["positive_margin_percent"].number


def test_a_word_is_no_number_and_an_unknown_fact_is_named() -> None:
    with pytest.raises(RnetError, match="not a number"):
        _ = SHEET["dfs"].number
    with pytest.raises(RnetError, match="not a count"):
        _ = SHEET["nlr_cutoff"].count
    with pytest.raises(RnetError, match="Did you mean 'patients'"):
        _ = SHEET["patient"]
    assert Fact("k", "l", "14.89", "mm", "printed", "here").decimals == 2
