"""Counts behind a printed percentage."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

import rnetstats as rn
from rnetstats.errors import BudgetError, DataError, FactsError, OptionError
from rnetstats.evidence.facts import read_facts

RULES = {"half-up": ROUND_HALF_UP, "half-even": ROUND_HALF_EVEN, "truncate": ROUND_DOWN}


def printed(events: int, n: int, decimals: int, rule: str) -> str:
    """A percentage as print has it, from the fraction itself."""
    scaled = Fraction(100 * events, n) * 10**decimals
    whole = int(scaled)
    rest = scaled - whole
    if rule != "truncate":
        up = rest > Fraction(1, 2) or (
            rest == Fraction(1, 2) and (rule == "half-up" or whole % 2 == 1)
        )
        whole += up
    return f"{Decimal(whole).scaleb(-decimals):.{decimals}f}"


def pairs(found: rn.evidence.worlds_counts.MatchingCountsResult) -> set[tuple[int, int]]:
    return set(map(tuple, found.pairs()[["events", "n"]].to_numpy().tolist()))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("decimals", [0, 1, 2])
def test_every_table_up_to_thirty_patients(rule: str, decimals: int) -> None:
    by_print: dict[str, set[tuple[int, int]]] = {}
    for n in range(1, 31):
        for events in range(n + 1):
            text = printed(events, n, decimals, rule)
            by_print.setdefault(text, set()).add((events, n))
    for text in [*sorted(by_print)[::17], min(by_print), max(by_print, key=Decimal)]:
        found = rn.matching_counts(text, at_most=30, rounding=rule)
        assert pairs(found) == by_print[text]
        assert int(found.glance()["pairs"].iloc[0]) == len(by_print[text])


def test_halves_are_told_apart() -> None:
    for text, rule, hit in [
        ("12.5", "half-up", True),
        ("13", "half-up", True),
        ("12", "half-up", False),
        ("12", "half-even", True),
        ("13", "half-even", False),
        ("12", "truncate", True),
        ("38", "half-even", True),
        ("37", "truncate", True),
    ]:
        n, events = 8, 3 if text in ("38", "37") else 1
        found = rn.matching_counts(text, n=n, rounding=rule).to_frame()
        assert (events in set(found["events"])) == hit, (text, rule)


def test_a_share_of_few_patients_has_one_reading_with_wide_limits() -> None:
    facts = read_facts("rnetstats.studies.nelm2024")
    most = max(int(f.value) for f in facts.facts.values() if f.value == "12")
    found = rn.matching_counts("71.4 %", at_most=most)
    row = found.to_frame().iloc[0]
    assert len(found.to_frame()) == 1
    assert (row["events"], row["n_low"], row["n_high"]) == (5, 7, 7)
    exact = binomtest(5, 7).proportion_ci(method="exact")
    assert row["conf_low"] == pytest.approx(exact.low, rel=1e-8)
    assert row["conf_high"] == pytest.approx(exact.high, rel=1e-8)
    assert (round(100 * row["conf_low"]), round(100 * row["conf_high"])) == (29, 96)
    assert "Only 5 of 7" in found.notes[0]


def test_a_cut_off_percentage_is_recognised() -> None:
    found = rn.matching_counts("2.2", n=527)
    row = found.to_frame().iloc[0]
    assert (row["events"], row["half_up"], row["half_even"], row["truncate"]) == (12, 0, 0, 1)
    assert "was not rounded" in found.notes[0]
    rounded = rn.matching_counts("2.2", n=527, rounding=("half-up", "half-even"))
    assert rounded.to_frame().empty
    assert rounded.conflict == "No count has 2.2 % and n = 527 together."


@given(
    n=st.integers(1, 5000),
    share=st.floats(0.0, 1.0),
    decimals=st.integers(0, 4),
    rule=st.sampled_from(sorted(RULES)),
)
def test_the_count_that_was_printed_is_found(
    n: int, share: float, decimals: int, rule: str
) -> None:
    events = round(share * n)
    found = rn.matching_counts(printed(events, n, decimals, rule), n=n, rounding=rule)
    assert events in set(found.to_frame()["events"])


@settings(max_examples=12)
@given(text=st.sampled_from(["0.0", "3.7", "33.3", "50", "99.95", "100"]), n=st.integers(1, 60))
def test_worlds_shrink_when_a_figure_is_added(text: str, n: int) -> None:
    every = pairs(rn.matching_counts(text, at_most=60))
    of_n = pairs(rn.matching_counts(text, n=n))
    assert of_n == {pair for pair in every if pair[1] == n}
    for events, _ in list(of_n)[:2]:
        one = pairs(rn.matching_counts(text, at_most=60, events=events))
        assert one == {pair for pair in every if pair[0] == events}
    strict = pairs(rn.matching_counts(text, at_most=60, rounding="half-up"))
    assert strict <= every


def test_the_smallest_conflict_is_named() -> None:
    assert rn.matching_counts("33.3", n=50, events=7).conflict.startswith(
        "No count has 33.3 % and n = 50 together."
    )
    assert rn.matching_counts("50", at_most=6, events=7).conflict == (
        "No count has at most 6 patients and 7 events together."
    )
    with_zero = rn.matching_counts("50", at_most=6, events=0)
    assert with_zero.conflict == "No count has 50 % and 0 events together."
    huge = rn.matching_counts("33.3", n=2, events=10**30)
    assert "n = 2 and 1,000" in huge.conflict
    three = rn.matching_counts("33.3", n=100, events=33)
    assert "33.3 % and n = 100" in three.conflict


def test_relations_are_read() -> None:
    found = rn.matching_counts("< 1", n=250)
    assert found.to_frame()["events"].tolist() == [0, 1, 2]
    assert rn.matching_counts("> 99", n=100).to_frame()["events"].tolist() == [100]
    assert rn.matching_counts("\u2265 99", n=100).to_frame()["events"].tolist() == [99, 100]


@pytest.mark.parametrize(
    ("text", "options", "error", "words"),
    [
        ("abc", {"n": 10}, FactsError, "not one number"),
        ("n.s.", {"n": 10}, DataError, "no number"),
        ("", {"n": 10}, FactsError, "not one number"),
        ("101", {"n": 10}, DataError, "at most 100"),
        ("-3", {"n": 10}, DataError, "cannot be negative"),
        ("-0.0", {"n": 10}, DataError, "cannot be negative"),
        ("2,2", {"n": 10}, FactsError, "point for decimals"),
        ("1e1", {"n": 10}, DataError, "all its digits"),
        ("0.1234567891", {"n": 10}, DataError, "decimals"),
        (71.4, {"n": 10}, OptionError, "text as printed"),
        (None, {"n": 10}, OptionError, "text as printed"),
        ("71.4", {}, OptionError, "n .* or at_most"),
        ("71.4", {"n": 7, "at_most": 12}, OptionError, "n .* or at_most"),
        ("71.4", {"n": 0}, OptionError, "n must be a whole number"),
        ("71.4", {"n": 7.5}, OptionError, "whole number"),
        ("71.4", {"at_most": True}, OptionError, "at_most must be a whole number"),
        ("71.4", {"n": 7, "events": -1}, OptionError, "events"),
        ("71.4", {"n": 7, "rounding": "up"}, OptionError, "rounding"),
        ("71.4", {"n": 7, "rounding": ()}, OptionError, "names no rule"),
        ("71.4", {"n": 7, "conf_level": 95}, OptionError, "0.95 for 95"),
        ("50", {"at_most": 10**8}, BudgetError, "smaller limit"),
    ],
)
def test_bad_input(text: str, options: dict, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        rn.matching_counts(text, **options)


def test_too_many_pairs_are_counted_but_not_listed() -> None:
    found = rn.matching_counts("50", at_most=30_000)
    row = found.glance().iloc[0]
    assert row["pairs"] > 2_000_000
    assert row["n_high"] == 30_000
    with pytest.raises(BudgetError, match="at most 2,000,000"):
        found.pairs()


def test_nothing_possible_is_shown_and_drawn() -> None:
    found = rn.matching_counts("33.3", n=100)
    assert found.to_frame().empty
    assert found.display().iloc[0, 0] == found.conflict
    assert np.isnan(found.glance()["n_low"].iloc[0])
    words = " ".join(text.get_text() for text in found.plot().texts)
    assert "No possible world" in words
    assert "33.3 %" in words


@pytest.mark.parametrize("text", ["", "abc", "\u00bd"])
def test_what_is_no_number_is_not_answered_with_advice_for_a_facts_file(text):
    for call in (
        lambda: rn.matching_counts(text, at_most=10),
        lambda: rn.matching_tables("20", "30", p=text, at_most=10),
        lambda: rn.tables_from_odds_ratio(text, n=20),
    ):
        with pytest.raises(FactsError, match="not one number; write it as printed") as caught:
            call()
        assert "value" not in str(caught.value)
    with pytest.raises(FactsError, match="Write a point for decimals"):
        rn.matching_counts("1,5", at_most=10)
