"""The grammar: expansion, order, merging, refusals, and writing formulas out again."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rnetstats.errors import FormulaError
from rnetstats.formula.parser import as_formula, parse_formula
from rnetstats.formula.terms import Condition, Factor, Log, Plain, Spline, quote
from rnetstats.formula.tokens import MAX_LENGTH


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("y~a*b", "y ~ a + b + a:b"),
        ("y ~ a:b + b + a", "y ~ b + a + b:a"),
        ("y ~ a + a + (a)", "y ~ a"),
        ("y ~ a:a + a", "y ~ a"),
        ("y ~ a*b*c", "y ~ a + b + c + a:b + a:c + b:c + a:b:c"),
        ("y ~ (a + b)*c", "y ~ a + b + c + a:c + b:c"),
        ("y ~ a + b:c + c*b", "y ~ a + c + b + c:b"),
        ("y ~ 1", "y ~ 1"),
        ("y ~ 1 + a", "y ~ a"),
        ("~ a", "~ a"),
        ("y == -2 ~ a", "y == -2 ~ a"),
        ("y == 'u' ~ a", 'y == "u" ~ a'),
        ("Surv(t,e)~a", "Surv(t, e) ~ a"),
        ("Surv(s, t, e == True) ~ 1", "Surv(s, t, e == True) ~ 1"),
        ("y ~ C(x,ref='it is \"it\"')", "y ~ C(x, ref='it is \"it\"')"),
        ("y ~ rcs(x, k=4) + ns(log(z), df=3)", "y ~ rcs(x, 4) + ns(log(z), 3)"),
        (
            "y ~ ns(x, knots=[1,2.5], boundary=[0,3])",
            "y ~ ns(x, knots=[1.0, 2.5], boundary=[0.0, 3.0])",
        ),
        (
            "y ~ strata(a,b) + x + cluster(`p id`) + offset(log(t))",
            "y ~ x + offset(log(t)) + strata(a, b) + cluster(`p id`)",
        ),
        ("y ~ log + log(log) + C + C(C) + Surv", "y ~ log + log(log) + C + C(C) + Surv"),
        ("y ~ `ph.ecog` + größe + `True`", "y ~ `ph.ecog` + größe + `True`"),
        ("y ~ `a` + a", "y ~ a"),
        ("y\n ~ a\t+ b", "y ~ a + b"),
    ],
)
def test_canonical_writing(text: str, canonical: str) -> None:
    assert str(parse_formula(text)) == canonical
    assert str(parse_formula(canonical)) == canonical


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("y", "has no '~'"),
        ("", "has no '~'"),
        ("y ~", "expected a column's name, not the end"),
        ("y ~ a ~ b", "'~' cannot stand here"),
        ("y ~ a b", "position 7: 'b' cannot stand here"),
        ("y ~ 0 + a", "position 5: '0' cannot stand here; the only number"),
        ("y ~ 2", "'2' cannot stand here"),
        ("y ~ a + y", "y stands on the right side, but its column is the outcome's"),
        ("Surv(t, e) ~ a*log(t)", "log\\(t\\) stands on the right side"),
        ("y ~ (a", "expected '\\)', not the end; a parenthesis is not closed"),
        ("y ~ a:b + a", "a:b stands without its part b; write a\\*b"),
        ("y ~ a*b + a:b:c", "a:b:c stands without its part b:c; write a\\*b\\*c"),
        ("y ~ a*b*c*d", "at most 3 columns"),
        ("y ~ a*1", "1 is no term"),
        ("y ~ a:strata(b)", "strata\\(\\) is no term; ':' cannot join it"),
        ("y ~ cluster(a) + cluster(b)", "more than one cluster"),
        ("y ~ factor(a)", "unknown function 'factor'.* Did you mean 'C'"),
        ("y ~ as.factor(a)", "'\\.' is not allowed; a factor is written C\\(x\\)"),
        ("y ~ cut(a, 3)", "unknown function 'cut'.* Did you mean 'I'"),
        ("y ~ a + I(a^2)", "'\\^' is not allowed; .*make a column of a square first"),
        ("y ~ a + a**2", "'\\*\\*' is not allowed; .*make a column of a square first"),
        ("y ~ Log(a)", "unknown function 'Log'.* Did you mean 'log'"),
        ("y ~ __import__('os')", "position 5: unknown function '__import__'"),
        ("y ~ exec(a)", "unknown function 'exec'; the functions are C, rcs"),
        ("surv(t, e) ~ a", "unknown function 'surv'.*Did you mean 'Surv'"),
        ("log(y) ~ a", "unknown function 'log'"),
        ("y > 2 ~ a", "on the left side only '=='"),
        ("Surv(t) ~ a", "expected ',', not '\\)'"),
        ("Surv(t, e == 1, f) ~ a", "expected '\\)', not ','"),
        ("Surv(a, b, c, d) ~ a", "expected '\\)', not ','"),
        ("y + z ~ a", "expected '~', not '\\+'"),
        ("y ~ True", "the column is written `True`"),
        ("y ~ C(a, 'x')", "cannot stand here; C\\(x\\)"),
        ("y ~ C(a, reference='x')", "'reference' is no option here"),
        ("y ~ C(a, ref=x)", 'a text is quoted: "x"'),
        ("y ~ C(log(a))", "log\\(...\\) cannot stand here"),
        ("y ~ log(a, 2)", "expected '\\)', not ','"),
        ("y ~ I(a)", "cannot stand here; I\\(x > 3\\)"),
        ("y ~ I(a > b)", "expected a number, a quoted text"),
        ("y ~ I(a > 1 > 2)", "expected '\\)', not '>'"),
        ("y ~ rcs(a)", "needs either a number or knots"),
        ("y ~ rcs(a, 2)", "k is 2; it is a whole number from 3 to 10"),
        ("y ~ rcs(a, 3.5)", "k is 3.5"),
        ("y ~ rcs(a, 4, knots=[1,2,3])", "needs either a number or knots"),
        ("y ~ rcs(a, 4, 5)", "an option too many"),
        ("y ~ rcs(a, knots=[1,2])", "there are 2 knots; 3 to 10"),
        ("y ~ rcs(a, knots=[1,3,2])", "the knots do not increase"),
        ("y ~ rcs(a, knots=[1,1,2])", "the knots do not increase"),
        ("y ~ rcs(a, knots=[])", "expected a number"),
        ("y ~ rcs(a, knots=3)", "knots stand in brackets"),
        ("y ~ rcs(a, '3')", "is not a number"),
        ("y ~ rcs(a, k=True)", "True is not a number"),
        ("y ~ rcs(a, 3, boundary=[0,1])", "'boundary' is no option here"),
        ("y ~ ns(a, 3, boundary=[0,1,2])", "boundary does not hold two numbers"),
        ("y ~ ns(a, knots=[5], boundary=[0,1])", "the knots do not increase"),
        ("y ~ strata()", "strata\\(\\) takes columns"),
        ("y ~ strata(log(a))", "log\\(...\\) cannot stand here"),
        ("y ~ offset(3)", "offset\\(\\) takes a column"),
    ],
)
def test_refusals_name_the_token_and_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        parse_formula(text)


def test_limits() -> None:
    names = [f"a{i}" for i in range(200)]
    assert len(parse_formula("y ~ " + " + ".join(names)).terms) == 200
    with pytest.raises(FormulaError, match="at most 200 terms"):
        parse_formula("y ~ " + " + ".join([*names, "b"]))
    with pytest.raises(FormulaError, match="at most 200 terms"):
        parse_formula("y ~ (" + "+".join("abcdefghijklmno") + ")*(" + "+".join(names[:14]) + ")")
    nested = "y ~ " + "(" * 40 + "a" + ")" * 40
    assert str(parse_formula(nested)) == "y ~ a"
    with pytest.raises(FormulaError, match="at most 40 parentheses"):
        parse_formula(nested.replace("a", "(a)"))


def test_a_formula_too_long_when_written_out_keeps_its_own_text() -> None:
    names = [f"a_rather_long_name_{i}" for i in range(20)]
    text = f"y ~ ({' + '.join(names)})*b*c"
    formula = parse_formula(text)
    assert len(formula.terms) == 4 * 20 + 3
    assert str(formula) == text
    assert len(str(formula.with_terms(formula.terms))) > MAX_LENGTH


def test_columns_that_a_formula_reads() -> None:
    formula = parse_formula(
        "Surv(t, e == 1) ~ a*log(b) + C(c) + rcs(log(d), 3) + I(f > 2) + offset(o)"
        " + strata(s, a) + cluster(id)"
    )
    assert formula.outcome_columns == ("t", "e")
    assert formula.term_columns == ("a", "b", "c", "d", "f")
    assert formula.columns == ("t", "e", "a", "b", "c", "d", "f", "o", "s", "id")
    assert [len(term) for term in formula.terms][:5] == [1] * 5
    assert formula.with_terms([(Plain("z"),)]).terms == ((Plain("z"),),)
    assert str(formula.with_terms([])) == (
        "Surv(t, e == 1) ~ offset(o) + strata(s, a) + cluster(id)"
    )


def test_a_parsed_formula_is_taken_as_it_is() -> None:
    formula = parse_formula("y ~ a")
    assert as_formula(formula) is formula
    with pytest.raises(FormulaError, match="is of type NoneType"):
        as_formula(None)  # type: ignore[arg-type]


NAMES = st.sampled_from(
    ["x", "patient_id", "log", "C", "I", "size mm", "größe", "True", "a:b", "1"]
)
LITERALS = (
    st.integers(-(10**6), 10**6)
    | st.floats(-1e6, 1e6, allow_nan=False)
    | st.booleans()
    | st.sampled_from(["u", "it's", 'a "b"', "", "~ + ("])
)
KNOTS = (
    st.lists(st.floats(-99, 99, width=16), min_size=3, max_size=6, unique=True)
    .map(sorted)
    .map(tuple)
)
SOURCES = st.builds(Plain, NAMES) | st.builds(Log, NAMES)
ATOMS = (
    SOURCES
    | st.builds(Factor, NAMES, st.none() | LITERALS)
    | st.builds(Condition, NAMES, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), LITERALS)
    | st.builds(Spline, st.just("rcs"), SOURCES, st.integers(3, 7))
    | st.builds(Spline, st.sampled_from(["rcs", "ns"]), SOURCES, st.none(), KNOTS)
)


@given(
    st.lists(st.lists(ATOMS, min_size=1, max_size=3, unique=True), min_size=1, max_size=4),
    LITERALS,
    st.lists(NAMES, max_size=3, unique=True),
)
def test_valid_formulas_are_written_and_read_again(
    products: list[list[Plain]], value: int, strata: list[str]
) -> None:
    text = f"{Condition('y', '==', value).comparison} ~ "
    text += " + ".join("*".join(atom.text for atom in product) for product in products)
    if strata:
        text += f" + strata({', '.join(map(quote, strata))})"
    assume(len(text) <= MAX_LENGTH)
    formula = parse_formula(text)
    assert parse_formula(str(formula)) == formula
    orders = [len(term) for term in formula.terms]
    assert orders == sorted(orders)
    assert len({frozenset(term) for term in formula.terms}) == len(formula.terms)
    written = {frozenset(product) for product in products}
    assert written <= {frozenset(term) for term in formula.terms}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("r1 ~ age + Tumour size", "Tumour size"),
        ("r1 ~ log(Tumour size)", "Tumour size"),
        ("Surv(follow up, dead) ~ 1", "follow up"),
        ("lymph nodes ~ age", "lymph nodes"),
    ],
)
def test_a_name_with_spaces_is_told_how_to_stand(text: str, name: str) -> None:
    with pytest.raises(FormulaError, match=f"a name with spaces stands in backquotes: `{name}`"):
        parse_formula(text)
    parse_formula(text.replace(name, f"`{name}`"))


def test_a_question_ends_a_message_by_itself() -> None:
    with pytest.raises(FormulaError, match=r"Did you mean 'C'\?$"):
        parse_formula("y ~ factor(a)")
    with pytest.raises(FormulaError, match=r"cannot stand here[^`]*\.$"):
        parse_formula("y ~ 2")
