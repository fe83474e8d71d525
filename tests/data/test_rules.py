"""The language of rules: what it takes, what it refuses, and three-valued truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.data.rule_check import check_rule
from rnetstats.data.rule_values import holds, value
from rnetstats.data.rules import parse_rule
from rnetstats.errors import CodebookError

FRAME = pd.DataFrame(
    {
        "a": [1.0, 2.0, np.nan],
        "b": [1.5, 2.0, 3.0],
        "kind": pd.Categorical(["x", None, "y"], categories=["x", "y"]),
        "odd name": [0, 1, 1],
        "start": pd.to_datetime(["2020-01-01", "2020-03-01", None]),
        "end": pd.to_datetime(["2020-01-31", "2020-03-01", "2020-05-01"]),
    }
)
KINDS = {
    "a": "number",
    "b": "number",
    "kind": "text",
    "odd name": "number",
    "start": "date",
    "end": "date",
}


def said(text: str, *, slack: float = 0.0) -> list[bool | None]:
    true, false = holds(parse_rule(text), FRAME, slack=slack)
    assert not (true & false).any()
    return [True if t else False if f else None for t, f in zip(true, false, strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a < b", [True, False, None]),
        ("a <= b", [True, True, None]),
        ("a != b", [True, False, None]),
        ("a == 1 or b == 3", [True, False, True]),  # unknown or true is true
        ("a == 1 and b == 3", [False, False, None]),
        ("a == 1 and b == 1", [False, False, False]),  # unknown and false is false
        ("a is missing", [False, False, True]),
        ("a is present and b >= -1.5", [True, True, False]),
        ("kind == 'x'", [True, None, False]),
        ('kind != "y"', [True, None, False]),
        ("`odd name` > 0", [False, True, True]),
        ("b - a > 0.25", [True, False, None]),
        ("end - start == 30", [True, False, None]),
        ("start >= '2020-02-01'", [False, True, None]),
        ("(a == 1 or a == 2) and (b == 2)", [False, True, False]),
        ("a == 1 or a == 2 and b == 7", [True, False, None]),  # `and` binds tighter
    ],
)
def test_conditions(text: str, expected: list[bool | None]) -> None:
    check_rule(parse_rule(text), KINDS, {"kind": ("x", "y")})
    assert said(text) == expected


def test_slack_widens_equality_and_orders() -> None:
    assert said("a == b", slack=0.5) == [True, True, None]
    assert said("b <= a", slack=0.5) == [True, True, None]
    assert said("b <= a", slack=0.4) == [False, True, None]


def test_decimal_fractions_compare_as_written() -> None:
    frame = pd.DataFrame({"x": [0.3], "y": [0.1], "z": [0.2]})
    true, _ = holds(parse_rule("x - y == z"), frame)
    assert true.all()  # 0.3 - 0.1 is not 0.2 in binary


def test_values() -> None:
    np.testing.assert_array_equal(value(parse_rule("b - a"), FRAME), [0.5, 0.0, np.nan])
    np.testing.assert_array_equal(value(parse_rule("end - start"), FRAME), [30.0, 0.0, np.nan])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = 1", '"=="'),
        ("a ==", "at its end"),
        ("a == 1 b", "at 'b'"),
        ("__import__('os')", "cannot be read"),
        ("a.b == 1", r"at '\.b"),
        ("a == {1}", r"at .\{1\}"),
        ("(a == 1", "at its end"),
        ("a and b == 1", "joins a value"),
        ("a is gone", "at 'gone'"),
        ("", "at its end"),
        ("a == 1" + " or a == 1" * 60, "500 characters"),
        ("(" * 40 + "a", "20 brackets"),
        ("a + b == 1", r"at '\+ b"),
    ],
)
def test_refusals_of_text(text: str, message: str) -> None:
    with pytest.raises(CodebookError, match=message):
        parse_rule(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("aa == 1", "names the column 'aa'"),
        ("kindd == 'x'", "Did you mean 'kind'"),
        ("kind == 1", "compares a number with a text"),
        ("kind < 'y'", "orders texts"),
        ("kind == 'z'", "not among its levels"),
        ("start == a", "compares a date with a number"),
        ("start > 'soon'", "dates are written"),
        ("start - a == 1", "two numbers or two dates"),
    ],
)
def test_refusals_of_meaning(text: str, message: str) -> None:
    with pytest.raises(CodebookError, match=message):
        check_rule(parse_rule(text), KINDS, {"kind": ("x", "y")})


@given(st.text(alphabet="ab01.'\"`()<>=!- \tandoris" + "é{", max_size=60))
def test_any_text_is_a_rule_or_one_error(text: str) -> None:
    try:
        rule = parse_rule(text)
    except CodebookError:
        return
    assert all(isinstance(name, str) for name in rule.columns)
