"""Tokens of the formula language: what is not on the list is refused before any parsing.

The language has names, backquoted names, numbers, quoted strings and the marks in ``MARKS``.
Attribute access, braces, powers, arithmetic and everything else that could reach code never
become a token, so that no parser ever sees them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NoReturn

from rnetstats.errors import FormulaError

__all__ = ["MAX_LENGTH", "Literal", "Token", "refuse", "tokenize"]

Literal = bool | int | float | str

MAX_LENGTH: Final = 2000
ALLOWED: Final = (
    "Allowed are names, `backquoted names`, numbers, quoted strings and ~ + : * ( ) , = [ ] "
    "with the comparisons == != < <= > >=."
)
_TOKEN: Final = re.compile(
    r"""
      (?P<space>[ \t\r\n]+)
    | (?P<number>-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<name>[^\W\d]\w*)
    | (?P<quoted>`[^`]*`)
    | (?P<string>"[^"]*"|'[^']*')
    | (?P<power>\*\*|\^)
    | (?P<mark>==|!=|<=|>=|[~+:*(),=<>\[\]])
    """,
    re.VERBOSE,
)
# A minus sign belongs to a number only where a literal may stand.
_BEFORE_SIGN: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "=", ",", "["})
_POWERS: Final = (
    "there are no powers: write interactions out with ':' or '*', make a column of a square first"
)
_REASONS: Final = {
    ".": "names with a dot are written in backquotes, as in `ph.ecog`; "
    "there are no attributes and no 'all other columns'",
    "-": "terms are not taken away: leave them out; the intercept always stays",
    "/": "there is no arithmetic or nesting: make a column of it first",
    "^": _POWERS,
    "**": _POWERS,
    "%": "there are no operators between percent signs",
    "|": "conditions are not combined: make a column of it first",
    "&": "conditions are not combined: make a column of it first",
    "{": "braces are never read",
    "}": "braces are never read",
    "`": "a backquote is not closed",
    '"': "a quotation mark is not closed",
    "'": "a quotation mark is not closed",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its kind (name, number, string, mark or end), text, value and place.

    ``position`` counts characters from 1. ``value`` is the column name of a name, the number of
    a number, the text of a string.
    """

    kind: str
    text: str
    value: Literal
    position: int
    quoted: bool = False


def refuse(formula: str, position: int, what: str, reason: str) -> NoReturn:
    """Raise the :class:`FormulaError` that names the formula, the place and the offence."""
    shown = formula if len(formula) <= 80 else formula[:77] + "..."
    end = "" if reason.endswith("?") else "."
    raise FormulaError(f"In the formula {shown!r}, at position {position}: {what}; {reason}{end}")


def tokenize(formula: str) -> tuple[Token, ...]:
    """Cut a formula into tokens, ending with one of kind ``end``.

    Raises
    ------
    FormulaError
        The text is not a string, is longer than 2,000 characters, or holds anything that is not
        a token of the language.
    """
    if not isinstance(formula, str):
        raise FormulaError(
            f"A formula is text such as 'y ~ x'; this is of type {type(formula).__name__}."
        )
    if len(formula) > MAX_LENGTH:
        raise FormulaError(
            f"The formula has {len(formula):,} characters; at most {MAX_LENGTH:,} are read."
        )
    tokens: list[Token] = []
    place = 0
    while place < len(formula):
        match = _TOKEN.match(formula, place)
        if match is None or match.lastgroup is None:
            _refuse_character(formula, place)
        if match.lastgroup != "space":
            tokens.append(_token(formula, match.lastgroup, match.group(), place, tokens))
        place = match.end()
    tokens.append(Token("end", "", "", len(formula) + 1))
    return tuple(tokens)


def _token(formula: str, kind: str, text: str, place: int, before: list[Token]) -> Token:
    if kind == "power":
        refuse(formula, place + 1, f"{text!r} is not allowed", _REASONS[text])
    if kind == "number":
        return _number(formula, text, place, before)
    if kind == "quoted":
        if not text[1:-1].strip():
            refuse(formula, place + 1, "the backquotes are empty", "they hold a column's name")
        return Token("name", text, text[1:-1], place + 1, quoted=True)
    if kind == "string":
        return Token("string", text, text[1:-1], place + 1)
    return Token(kind, text, text, place + 1)


def _number(formula: str, text: str, place: int, before: list[Token]) -> Token:
    after_space = place == 0 or formula[place - 1] in " \t\r\n"
    if text.startswith("-") and (not before or before[-1].text not in _BEFORE_SIGN):
        refuse(formula, place + 1, "'-' is not allowed", _REASONS["-"])
    if text.startswith(".") and before and before[-1].kind != "mark" and not after_space:
        refuse(formula, place + 1, "'.' is not allowed", _REASONS["."])
    end = place + len(text)
    if end < len(formula) and (formula[end] == "." or formula[end].isalnum()):
        refuse(
            formula,
            place + 1,
            f"{formula[place : end + 1]!r} is neither a number nor a name",
            "a name that begins with a digit is written in backquotes",
        )
    value = float(text)
    if value in (float("inf"), float("-inf")):
        refuse(formula, place + 1, f"{text[:20]!r} is too large", "numbers are finite")
    whole = text.lstrip("-").isdigit() and len(text) <= 16
    return Token("number", text, int(text) if whole else value, place + 1)


def _refuse_character(formula: str, place: int) -> NoReturn:
    character = formula[place]
    reason = _REASONS.get(character, "it is not part of the formula language")
    if formula[:place].endswith("as") and formula.startswith(".factor", place):  # R's
        reason = "a factor is written C(x)"
    refuse(formula, place + 1, f"{character!r} is not allowed", f"{reason}. {ALLOWED[:-1]}")
