"""The parser: recursive descent over the tokens; nothing is ever evaluated.

Grammar of the right side, ':' binding closer than '*', and '*' closer than '+'::

    sum     = product {"+" product}
    product = inter {"*" inter}
    inter   = item {":" item}
    item    = "1" | name | call | "(" sum ")"

``a*b`` is ``a + b + a:b``. Repeated terms are merged; main effects come first, then
interactions by their order, otherwise as written.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from rnetstats.errors import FormulaError
from rnetstats.formula.calls import Special, left_side, right_call
from rnetstats.formula.cursor import Cursor
from rnetstats.formula.terms import Atom, Formula, LeftSide, Plain, TermAtoms, term_text
from rnetstats.formula.tokens import tokenize

__all__ = ["MAX_ORDER", "MAX_TERMS", "as_formula", "parse_formula"]

MAX_TERMS: Final = 200
MAX_ORDER: Final = 3
_MAX_DEPTH: Final = 40

# An expression is an ordered set of terms and of what stands among them.
_Expression = dict[TermAtoms | Special, None]


def as_formula(formula: str | Formula) -> Formula:
    """Return the parsed formula of a text; a parsed one is returned as it is."""
    if isinstance(formula, Formula):
        return formula
    if not isinstance(formula, str):
        tokenize(formula)  # raises, saying what a formula is
    return parse_formula(formula)


@lru_cache(maxsize=1024)
def parse_formula(text: str) -> Formula:
    """Parse a formula such as ``"Surv(time, event) ~ a*b + strata(c)"``.

    Parameters
    ----------
    text
        At most 2,000 characters, 200 terms and interactions of three columns.

    Raises
    ------
    FormulaError
        The text is outside the language; the message names the token, its place and what may
        stand there.
    """
    cursor = Cursor(text)
    if not any(token.text == "~" and token.kind == "mark" for token in cursor.tokens):
        raise FormulaError(f"The formula {text[:80]!r} has no '~'; its form is 'outcome ~ terms'.")
    outcome = None if cursor.at("~") else left_side(cursor)
    cursor.expect("~", "a formula has the form 'outcome ~ terms'")
    expression = _RightSide(cursor).sum(0)
    if cursor.token.kind != "end":
        cursor.unexpected("terms are joined by '+', ':' or '*'")
    terms = [part for part in expression if not isinstance(part, Special)]
    _check_outcome_apart(outcome, terms)
    specials = [part for part in expression if isinstance(part, Special)]
    clusters = [part.columns[0] for part in specials if part.kind == "cluster"]
    if len(clusters) > 1:
        raise FormulaError(f"The formula {text[:80]!r} has more than one cluster().")
    strata = (name for part in specials if part.kind == "strata" for name in part.columns)
    return Formula(
        outcome=outcome,
        terms=_in_order(terms),
        offsets=tuple(part.source for part in specials if part.source is not None),
        strata=tuple(dict.fromkeys(strata)),
        cluster=clusters[0] if clusters else None,
        source=text,
    )


class _RightSide:
    """The right side being read; each method returns the terms of one rule of the grammar."""

    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor

    def sum(self, depth: int) -> _Expression:
        terms = self.product(depth)
        while self.cursor.take("+"):
            terms = self._limited(terms | self.product(depth))
        return terms

    def product(self, depth: int) -> _Expression:
        return self._joined("*", self.inter, depth)

    def inter(self, depth: int) -> _Expression:
        return self._joined(":", self.item, depth)

    def item(self, depth: int) -> _Expression:
        cursor, token = self.cursor, self.cursor.token
        if cursor.at("("):
            if depth >= _MAX_DEPTH:
                cursor.unexpected(f"at most {_MAX_DEPTH} parentheses stand within each other")
            cursor.advance()
            terms = self.sum(depth + 1)
            cursor.expect(")", "a parenthesis is not closed")
            return terms
        if token.kind == "number":
            if token.text != "1":
                cursor.unexpected("the only number among the terms is 1; the intercept stays")
            cursor.advance()
            return {Special("intercept"): None}
        part = (
            right_call(cursor)
            if cursor.at_call()
            else Plain(cursor.column("a term is a column, a call such as log(x), or 1"))
        )
        return {part if isinstance(part, Special) else (part,): None}

    def _joined(self, mark: str, part: Callable[[int], _Expression], depth: int) -> _Expression:
        terms = part(depth)
        while self.cursor.at(mark):
            sign = self.cursor.advance()
            right = part(depth)
            for special in (*terms, *right):
                if isinstance(special, Special):
                    name = "1" if special.kind == "intercept" else f"{special.kind}()"
                    self.cursor.refuse(f"{name} is no term", f"{mark!r} cannot join it", sign)
            crossed = self._crossed(terms, right)
            terms = self._limited(terms | right | crossed) if mark == "*" else crossed
        return terms

    def _crossed(self, left: _Expression, right: _Expression) -> _Expression:
        crossed: _Expression = {}
        for a in left:
            for b in right:
                atoms: dict[Atom, None] = dict.fromkeys((*_atoms(a), *_atoms(b)))
                if len(atoms) > MAX_ORDER:
                    self.cursor.unexpected(f"interactions hold at most {MAX_ORDER} columns")
                crossed[tuple(atoms)] = None
            self._limited(crossed)
        return crossed

    def _limited(self, terms: _Expression) -> _Expression:
        if len(terms) > MAX_TERMS:
            self.cursor.unexpected(f"a formula has at most {MAX_TERMS} terms")
        return terms


def _check_outcome_apart(outcome: LeftSide | None, terms: list[TermAtoms]) -> None:
    left = set() if outcome is None else set(outcome.columns)
    for term in terms:
        for atom in term:
            if not left.isdisjoint(atom.columns):
                raise FormulaError(
                    f"{atom.text} stands on the right side, but its column is the outcome's."
                )


def _atoms(part: TermAtoms | Special) -> TermAtoms:
    return () if isinstance(part, Special) else part


def _in_order(terms: list[TermAtoms]) -> tuple[TermAtoms, ...]:
    """Put main effects first, name the parts of interactions in their order, merge repeats."""
    present = {frozenset(term) for term in terms}
    for term in terms:
        for atom in term if len(term) > 1 else ():
            if frozenset(term) - {atom} not in present:
                part = term_text(tuple(other for other in term if other != atom))
                raise FormulaError(
                    f"The interaction {term_text(term)} stands without its part {part}; "
                    f"write {'*'.join(a.text for a in term)}."
                )
    mains = dict.fromkeys(term[0] for term in terms if len(term) == 1)
    rank = {atom: place for place, atom in enumerate(mains)}
    tidy = dict.fromkeys(tuple(sorted(term, key=rank.__getitem__)) for term in terms)
    return tuple(sorted(tidy, key=len))
