"""Printed numbers: what each may stand for, and how it may have been rounded."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.errors import FactsError
from rnetstats.evidence.checks_printed import ROUNDINGS, read_printed
from rnetstats.evidence.checks_spans import Span, outward

MODES = {"half-up": "ROUND_HALF_UP", "half-even": "ROUND_HALF_EVEN", "truncate": "ROUND_DOWN"}


@pytest.mark.parametrize(
    ("text", "relation", "value"),
    [
        ("2.2", "", "2.2"),
        ("25.0", "", "25.0"),
        (" 527 ", "", "527"),
        ("< 0.001", "<", "0.001"),
        ("<0.001", "<", "0.001"),
        ("P < 0.001", "<", "0.001"),
        ("p=0.05", "", "0.05"),
        ("= 0.003", "", "0.003"),
        ("P ≤ .05", "≤", "0.05"),
        (">= 3", "≥", "3"),
        ("n.s.", ">", "0.05"),
        ("NS", ">", "0.05"),
        ("P NS", ">", "0.05"),
        ("not significant", ">", "0.05"),
        ("\u22120.5", "", "-0.5"),
        ("0\u00b7003", "", "0.003"),
        ("4.2e-5", "", "0.000042"),
        ("34.3 %", "", "34.3"),
        ("5.", "", "5"),
        ("\uff1c0.001", "<", "0.001"),  # signs as wide as a Chinese character
        ("P \u2a7d 0.05", "\u2264", "0.05"),  # slanted
        ("\u20120.5", "", "-0.5"),  # a dash as wide as a digit
        ("<\u202f0.001", "<", "0.001"),
        ("1.2e-30", "", "1.2e-30"),
        ("\u221e", ">", "1e30"),
        ("+Inf", ">", "1e30"),
        ("\u2212\u221e", "<", "-1e30"),
    ],
)
def test_printed_numbers_are_read(text: str, relation: str, value: str) -> None:
    found = read_printed(text, "it")
    assert (found.relation, found.value) == (relation, Decimal(value))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("worse", "needs a figure with a number"),
        ("", "needs a figure with a number"),
        ("1,234", "a point for decimals"),
        ("8.7 ± 7.5", "a figure of its own"),
        ("0.40 to 2.02", "a figure of its own"),
        ("5/67", "a figure of its own"),
        ("nan", "needs a figure with a number"),
        ("NR", 'where none is printed \\("not reached"\\), value = ""'),
        ("1e400", "beyond what checks reach"),
        ("1.2e-67", "a P as small is written '< 1e-30'"),
        ("1.2 \u00d7 10\u22125", "power of ten with an e: 1.2e-5"),
        ("1.2x10^-5", "power of ten with an e: 1.2e-5"),
        ("1e9999", "a figure of its own"),
        ("1" * 40, "more digits"),
    ],
)
def test_what_is_no_number_is_refused(text: str, told: str) -> None:
    with pytest.raises(FactsError, match=told) as refusal:
        read_printed(text, "paper.toml, [facts.n], value")
    assert str(refusal.value).startswith("paper.toml, [facts.n], value is ")


def test_spans_by_hand() -> None:
    number = read_printed("2.2", "it")
    assert number.nearest.low == pytest.approx(2.15, rel=1e-14)
    assert number.nearest.high == pytest.approx(2.25, rel=1e-14)
    assert (number.truncated.low, number.truncated.high) == pytest.approx((2.2, 2.3))
    assert (number.loose.low, number.loose.high) == pytest.approx((2.15, 2.3))
    below = read_printed("-2.2", "it")
    assert (below.truncated.low, below.truncated.high) == pytest.approx((-2.3, -2.2))
    bound = read_printed("< 0.001", "it")
    assert (bound.nearest.low, bound.nearest.high) == (-math.inf, 0.001)
    assert bound.loose == bound.nearest
    assert (number.decimals, number.whole) == (1, False)
    assert read_printed("527", "it").whole


@pytest.mark.parametrize(
    ("text", "shorter"), [("25.0", "25"), ("0.40", "0.4"), ("20", None), ("0.25", None)]
)
def test_trailing_zeros_can_be_dropped(text: str, shorter: str | None) -> None:
    found = read_printed(text, "it").coarser()
    assert (found.text if found else None) == shorter


@pytest.mark.parametrize(
    ("exact", "text", "modes"),
    [
        (Fraction(1200, 527), "2.2", {"truncate"}),
        (Fraction(1200, 527), "2.3", {"half-up", "half-even"}),
        (Fraction(100, 8), "12", {"half-even", "truncate"}),
        (Fraction(100, 8), "13", {"half-up"}),
        (Fraction(300, 8), "38", {"half-up", "half-even"}),
        (Fraction(1), "< 1", set()),
        (Fraction(1), "≤ 1", {"half-up", "half-even"}),
        (Fraction(9, 10), "< 1", {"half-up", "half-even"}),
        (Fraction(-5, 2), "-3", {"half-up"}),
        (Fraction(-5, 2), "-2", {"half-even", "truncate"}),
    ],
)
def test_roundings_by_hand(exact: Fraction, text: str, modes: set[str]) -> None:
    assert set(read_printed(text, "it").roundings(exact)) == modes


@given(
    value=st.decimals(-1000, 1000, places=4),
    decimals=st.integers(0, 3),
    mode=st.sampled_from(ROUNDINGS),
)
def test_what_is_printed_is_recognised(value: Decimal, decimals: int, mode: str) -> None:
    step = Decimal(1).scaleb(-decimals)
    printed = read_printed(str(value.quantize(step, rounding=MODES[mode])), "it")
    assert mode in printed.roundings(Fraction(value)) or printed.value == 0
    span = printed.truncated if mode == "truncate" and printed.value else printed.loose
    assert span.low <= float(value) <= span.high or printed.value == 0


@given(a=st.floats(-1e6, 1e6), b=st.floats(-1e6, 1e6), c=st.floats(0.001, 1e6), d=st.floats(0, 1e6))
def test_spans_hold_what_they_stand_for(a: float, b: float, c: float, d: float) -> None:
    exact = Fraction(a) + Fraction(b)
    total = outward(a, a) + outward(b, b)
    assert Fraction(total.low) <= exact <= Fraction(total.high)
    less = outward(a, a) - outward(b, b)
    assert Fraction(less.low) <= Fraction(a) - Fraction(b) <= Fraction(less.high)
    ratio = Span(d, d + 1.0).over(Span(c, c + 1.0))
    assert ratio.low <= d / (c + 1.0)
    assert ratio.high >= (d + 1.0) / c
    size = Span(min(a, b), max(a, b)).size
    assert size.low <= min(abs(a), abs(b))
    assert size.high >= max(abs(a), abs(b))


def test_spans_at_the_edges() -> None:
    zero = Span(0.0, 0.0)
    assert zero.over(zero) == Span(0.0, math.inf)
    assert Span(1.0, 2.0).over(Span(0.0, 0.0)).high == math.inf
    everything = Span(-math.inf, math.inf)
    assert (everything - everything) == everything
    assert Span(-5.0, -4.0).within(0.0, 1.0) == Span(0.0, 0.0)
    assert not Span(0.0, 1.0).meets(Span(1.1, 2.0))


def test_spans_beside_an_interval_shrink_to_its_end() -> None:
    assert Span(7.0, 9.0).within(0.0, 5.0) == Span(5.0, 5.0)
    assert Span(-9.0, -7.0).within(0.0, 5.0) == Span(0.0, 0.0)
    assert Span(-1.0, 9.0).within(0.0, 5.0) == Span(0.0, 5.0)
    assert Span(-3.0, -1.0).size == Span(1.0, 3.0)
