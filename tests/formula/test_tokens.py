"""What the tokenizer takes and what it refuses before any parser sees the text."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnetstats.errors import FormulaError
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.tokens import MAX_LENGTH, tokenize
from support import at_once

PIECES = [
    *["y", "x", "Surv", "C", "I", "rcs", "ns", "log", "offset", "strata", "cluster", "ref"],
    *["~", "+", ":", "*", "(", ")", ",", "=", "==", "!=", "<", "<=", ">", ">=", "[", "]"],
    *["1", "0", "-1", "2.5", "1e9", '"a"', "'b'", "`a b`", "True", " ", "-", ".", "^", "{", "@"],
]


def test_kinds_values_and_places() -> None:
    tokens = tokenize("y == -1.5 ~ `a b`:C(x, ref='u')")
    assert [token.kind for token in tokens[:5]] == ["name", "mark", "number", "mark", "name"]
    assert [token.value for token in tokens[:5]] == ["y", "==", -1.5, "~", "a b"]
    assert [token.position for token in tokens[:5]] == [1, 3, 6, 11, 13]
    assert tokens[-1].kind == "end"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("y ~ x.y", 6),
        ("y ~ x .y", 7),
        ("y ~ .", 5),
        ("y ~ x - 1", 7),
        ("y ~ -1", 5),
        ("y ~ x^2", 6),
        ("y ~ (a+b+c+d+e+f+g)**8", 20),
        ("y ~ {x}", 5),
        ("y ~ x %in% z", 7),
        ("y ~ x / z", 7),
        ("y ~ x | z", 7),
        ("y ~ x; import os", 6),
        ("y ~ a\\b", 6),
        ("y ~ 2x", 5),
        ("y ~ 1.2.3", 5),
        ("y ~ `x", 5),
        ("y ~ ``", 5),
        ("y == 'x ~ 1", 6),
        ("y ~ I(x > 1e999)", 11),
        ("y ~ x@z", 6),
        ("y ~ x\x00", 6),
        ("y ~ lambda: x!", 14),
    ],
)
def test_refused_on_the_token_with_its_place(text: str, place: int) -> None:
    with pytest.raises(FormulaError, match=f"position {place}:"):
        tokenize(text)


@pytest.mark.parametrize(
    "text", ["y ~ x.__class__", "y ~ `x`.__class__.__mro__", "y ~ {open('f')}"]
)
def test_attributes_and_braces_never_become_tokens(text: str) -> None:
    with pytest.raises(FormulaError, match="is not allowed"):
        tokenize(text)


def test_length_and_type() -> None:
    assert tokenize("y ~ " + "x" * (MAX_LENGTH - 4))
    with pytest.raises(FormulaError, match="2,001 characters; at most 2,000"):
        tokenize("y ~ " + "x" * (MAX_LENGTH - 3))
    with pytest.raises(FormulaError, match="is of type int"):
        tokenize(3)  # type: ignore[arg-type]


@given(st.text(max_size=400) | st.lists(st.sampled_from(PIECES), max_size=300).map("".join))
def test_any_text_is_parsed_or_refused_in_time(text: str) -> None:
    with at_once(1.0):
        try:
            formula = parse_formula.__wrapped__(text)
        except FormulaError as refusal:
            assert str(refusal)
        else:
            assert parse_formula(str(formula)) == formula


@pytest.mark.parametrize(
    "text",
    [
        "y ~ " + "(" * 1990,
        "y ~ " + "(" * 900 + "x" + ")" * 900,
        "y ~ " + "*".join("abcdefgh" * 120),
        "y ~ (" + "+".join(f"v{i}" for i in range(190)) + "):(" + "+".join("abcdefgh") + ")",
        "y ~ " + "*".join(["(a+b+c)"] * 200),
        "y ~ " + ":".join(["(a+b+c)"] * 200),
        "y ~ " + "+".join(["a"] * 990),
        "y ~ " + "+".join(f"a{i}" for i in range(350)),
        "Surv(" * 390,
        "y ~ rcs(x, knots=[" + ",".join(["1"] * 900) + "])",
        "y == " + "9" * 1900 + " ~ x",
    ],
)
def test_heavy_formulas_end_at_once(text: str) -> None:
    with at_once(1.0), contextlib.suppress(FormulaError):
        assert len(parse_formula.__wrapped__(text).terms) <= 200
