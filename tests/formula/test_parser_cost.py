"""What a formula can cost: any text is parsed or refused in no time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnetstats.errors import FormulaError
from rnetstats.formula.parser import MAX_ORDER, MAX_TERMS, parse_formula
from support import at_once

SECONDS = 0.5  # of processor time; each takes a few hundredths


def check_cost(text: str) -> None:
    """Parse or refuse at once; whatever is returned keeps to the limits."""
    parse_formula.cache_clear()
    with at_once(SECONDS):
        try:
            formula = parse_formula(text)
        except FormulaError:
            return
        assert len(formula.terms) <= MAX_TERMS
        assert all(len(term) <= MAX_ORDER for term in formula.terms)
        assert len(set(map(frozenset, formula.terms))) == len(formula.terms)


def total(names: int, letter: str = "a") -> str:
    return "(" + "+".join(f"{letter}{i}" for i in range(names)) + ")"


@pytest.mark.parametrize(
    "right",
    [
        "+".join(["a"] * 990),
        "*".join(["a"] * 990),
        ":".join(["a"] * 990),
        "+".join(["a*b*c"] * 330),
        "*".join(["(a+b+c)"] * 240),
        ":".join(["(a+b)"] * 300),
        f"{total(190)}:{total(190)}",
        f"{total(190)}*{total(130, 'b')}",
        "*".join([total(13)] * 30),
        ":".join([total(19)] * 18),
        "+".join([f"{total(13)}*{total(13)}"] * 14),
        "*".join(["(a*b*c)"] * 240),
        "(" * 39 + "+".join(["a*b"] * 300) + ")" * 39,
    ],
)
def test_repeats_and_products_cost_no_time(right: str) -> None:
    """Terms are counted after repeats are merged; the work before that is bounded, too."""
    text = f"y ~ {right}"
    assert len(text) <= 2000
    check_cost(text)


sums = st.recursive(
    st.sampled_from([*"abcdef", "1", "log(a)", 'C(b, ref="x")', "rcs(c, 4)", "I(d > 2)"]),
    lambda inner: st.tuples(
        st.lists(inner, min_size=1, max_size=6), st.sampled_from(["+", "*", ":"]), st.booleans()
    ).map(lambda made: made[1].join(made[0]) if made[2] else f"({made[1].join(made[0])})"),
    max_leaves=60,
)


@pytest.mark.slow
@settings(max_examples=200)
@given(sums, st.sampled_from(["+", "*", ":"]), st.integers(1, 40))
def test_any_formula_is_parsed_or_refused_in_no_time(part: str, mark: str, repeats: int) -> None:
    text = f"y ~ {mark.join([part] * repeats)}"
    check_cost(text[:2000])
