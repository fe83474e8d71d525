"""Rules in a codebook: a small language of conditions and differences, never evaluated as code.

    rule       := both ("or" both)*
    both       := atom ("and" atom)*
    atom       := "(" rule ")" | value comparison value | name "is" ("missing" | "present") | value
    value      := operand ["-" operand]
    operand    := name | `any name` | number | 'text'
    comparison := "==" | "!=" | "<" | "<=" | ">" | ">="

A rule is a *condition* (it holds, does not hold, or is unknown because a value is missing) or a
*value* (a column, or the difference of two). The difference of two dates is in days.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from rnetstats.errors import CodebookError

__all__ = [
    "Combination",
    "Comparison",
    "Difference",
    "Literal",
    "Name",
    "Node",
    "Presence",
    "Rule",
    "Value",
    "parse_rule",
]

MAX_LENGTH = 500
MAX_BRACKETS = 20
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d*)?|\.\d+)
      | (?P<word>[^\W\d]\w*)
      | `(?P<name>[^`]+)`
      | '(?P<single>[^']*)' | "(?P<double>[^"]*)"
      | (?P<sign><=|>=|==|!=|<|>|\(|\)|-))""",
    re.VERBOSE,
)
_COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")


@dataclass(frozen=True)
class Name:
    """A column."""

    name: str


@dataclass(frozen=True)
class Literal:
    """A number, or a text (also a date, in ISO form)."""

    value: float | str


@dataclass(frozen=True)
class Difference:
    """One operand less another."""

    left: Name | Literal
    right: Name | Literal


Value: TypeAlias = Name | Literal | Difference


@dataclass(frozen=True)
class Comparison:
    """Two values compared."""

    left: Value
    sign: str
    right: Value


@dataclass(frozen=True)
class Presence:
    """Whether a column has a value."""

    column: Name
    present: bool


@dataclass(frozen=True)
class Combination:
    """Conditions joined by one word, ``and`` or ``or``."""

    word: str
    parts: tuple[Comparison | Presence | Combination, ...]


Node: TypeAlias = Value | Comparison | Presence | Combination


@dataclass(frozen=True)
class Rule:
    """A parsed rule with the text it came from."""

    text: str
    tree: Node

    @property
    def is_condition(self) -> bool:
        """Whether it holds or not, rather than having a value."""
        return isinstance(self.tree, Comparison | Presence | Combination)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that the rule reads, each once, in order."""
        return tuple(dict.fromkeys(_names(self.tree)))


def _names(node: Node) -> Iterator[str]:
    match node:
        case Name(name):
            yield name
        case Difference(left, right) | Comparison(left, _, right):
            yield from _names(left)
            yield from _names(right)
        case Presence(column, _):
            yield column.name
        case Combination(_, parts):
            for part in parts:
                yield from _names(part)
        case Literal():
            return


def parse_rule(text: str) -> Rule:
    """Parse a rule.

    Raises
    ------
    CodebookError
        With the text and the place where it stops making sense.
    """
    if len(text) > MAX_LENGTH:
        raise CodebookError(f"a rule may have at most {MAX_LENGTH} characters, not {len(text)}.")
    if text.count("(") > MAX_BRACKETS:
        raise CodebookError(f"a rule may have at most {MAX_BRACKETS} brackets: {text[:40]!r}...")
    return Rule(text, _Parser(text).whole())


class _Parser:
    """Recursive descent over the tokens of one rule."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split(text)
        self._next = 0

    def _split(self, text: str) -> list[tuple[str, str, int]]:
        tokens = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise self._error(at + len(text[at:]) - len(text[at:].lstrip()))
            kind = str(match.lastgroup)
            tokens.append((kind, match[kind], match.start(kind)))
            at = match.end()
        return tokens

    def _error(self, at: int) -> CodebookError:
        rest = self._text[at : at + 20]
        place = f"at {rest!r}" if rest.strip() else "at its end"
        hint = ' Equality is written "==".' if rest.startswith("=") else ""
        return CodebookError(
            f"the rule {self._text!r} cannot be read {place}.{hint} A rule compares columns, "
            "numbers and 'texts' (a <= b, a == 'x', a is missing), joined by and, or, ( )."
        )

    def _peek(self) -> tuple[str, str]:
        if self._next < len(self._tokens):
            kind, text, _ = self._tokens[self._next]
            return kind, text
        return "end", ""

    def _fail(self) -> CodebookError:
        at = self._tokens[self._next][2] if self._next < len(self._tokens) else len(self._text)
        return self._error(at)

    def _take(self, kind: str, *texts: str) -> str | None:
        found, text = self._peek()
        if found == kind and (not texts or text in texts):
            self._next += 1
            return text
        return None

    def whole(self) -> Node:
        node = self._joined("or")
        if self._next < len(self._tokens):
            raise self._fail()
        return node

    def _joined(self, word: str) -> Node:
        inner = self._atom if word == "and" else lambda: self._joined("and")
        parts = [inner()]
        while self._take("word", word):
            parts.append(inner())
        if len(parts) == 1:
            return parts[0]
        conditions = [p for p in parts if isinstance(p, Comparison | Presence | Combination)]
        if len(conditions) < len(parts):
            raise CodebookError(f"the rule {self._text!r} joins a value by {word!r}: compare it.")
        return Combination(word, tuple(conditions))

    def _atom(self) -> Node:
        if self._take("sign", "("):
            node = self._joined("or")
            if not self._take("sign", ")"):
                raise self._fail()
            return node
        left = self._value()
        if isinstance(left, Name) and self._take("word", "is"):
            word = self._take("word", "missing", "present")
            if word is None:
                raise self._fail()
            return Presence(left, word == "present")
        sign = self._take("sign", *_COMPARISONS)
        return left if sign is None else Comparison(left, sign, self._value())

    def _value(self) -> Value:
        left = self._operand()
        return Difference(left, self._operand()) if self._take("sign", "-") else left

    def _operand(self) -> Name | Literal:
        minus = self._take("sign", "-") is not None
        if (number := self._take("number")) is not None:
            return Literal(-float(number) if minus else float(number))
        if minus:
            raise self._fail()
        kind, text = self._peek()
        if kind in {"single", "double"}:
            self._next += 1
            return Literal(text)
        if kind == "name" or (kind == "word" and text not in {"and", "or", "is"}):
            self._next += 1
            return Name(text)
        raise self._fail()
