"""The parts of a parsed formula: frozen, hashable, and able to write themselves out again.

A term of the right side is a tuple of atoms (one for a main effect, two or three for an
interaction). Every part has ``text``, its canonical writing in the language, and ``columns``,
the names of the columns it reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from rnetstats.formula.tokens import MAX_LENGTH, Literal

__all__ = [
    "Atom",
    "Condition",
    "Factor",
    "Formula",
    "LeftSide",
    "Log",
    "Plain",
    "Source",
    "Spline",
    "TermAtoms",
    "literal_text",
    "quote",
    "term_text",
]

_RESERVED = frozenset({"True", "False"})


@lru_cache(maxsize=4096)
def quote(column: str) -> str:
    """Write a column's name as the language reads it: backquoted unless it is a plain word."""
    plain = column.replace("_", "a").isalnum() and column.isidentifier()
    return column if plain and column not in _RESERVED else f"`{column}`"


def literal_text(value: Literal) -> str:
    """Write a number, a truth value or a text as the language reads it."""
    if isinstance(value, str):
        return f"'{value}'" if '"' in value else f'"{value}"'
    return repr(value)


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class _OneColumn:
    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return (self.column,)


@dataclass(frozen=True, slots=True)
class Plain(_OneColumn):
    """A column as it stands: ``x``."""

    @property
    def text(self) -> str:
        """The canonical writing."""
        return quote(self.column)


@dataclass(frozen=True, slots=True)
class Log(_OneColumn):
    """The natural logarithm of a column: ``log(x)``."""

    @property
    def text(self) -> str:
        """The canonical writing."""
        return f"log({quote(self.column)})"


Source = Plain | Log


@dataclass(frozen=True, slots=True)
class Factor(_OneColumn):
    """A column read as categories: ``C(x)`` or ``C(x, ref="a")``."""

    ref: Literal | None = None

    @property
    def text(self) -> str:
        """The canonical writing."""
        ref = "" if self.ref is None else f", ref={literal_text(self.ref)}"
        return f"C({quote(self.column)}{ref})"


@dataclass(frozen=True, slots=True)
class Condition(_OneColumn):
    """A column compared with a literal: ``I(x > 3)`` on the right, ``x == 2`` on the left."""

    operator: str
    literal: Literal

    @property
    def comparison(self) -> str:
        """The condition alone, without ``I()``."""
        return f"{quote(self.column)} {self.operator} {literal_text(self.literal)}"

    @property
    def text(self) -> str:
        """The canonical writing."""
        return f"I({self.comparison})"


@dataclass(frozen=True, slots=True)
class Spline:
    """``rcs(x, size)`` (size knots) or ``ns(x, size)`` (size degrees of freedom), or by knots."""

    basis: str
    source: Source
    size: int | None = None
    knots: tuple[float, ...] = ()
    boundary: tuple[float, ...] = ()

    @property
    def text(self) -> str:
        """The canonical writing."""
        parts = [self.source.text]
        if self.size is not None:
            parts.append(str(self.size))
        if self.knots:
            parts.append(f"knots=[{', '.join(map(literal_text, self.knots))}]")
        if self.boundary:
            parts.append(f"boundary=[{', '.join(map(literal_text, self.boundary))}]")
        return f"{self.basis}({', '.join(parts)})"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return self.source.columns


Atom = Plain | Log | Factor | Condition | Spline
TermAtoms = tuple[Atom, ...]


def term_text(atoms: TermAtoms) -> str:
    """Write a term: its atoms joined by colons."""
    return ":".join(atom.text for atom in atoms)


@dataclass(frozen=True, slots=True)
class LeftSide:
    """The outcome: a column or a condition (no times), or ``Surv`` with one or two times.

    For ``Interval(left, right)`` the only time is ``left``, and ``event`` is the column ``right``.
    """

    event: Plain | Condition
    times: tuple[str, ...] = ()
    interval: bool = False

    @property
    def text(self) -> str:
        """The canonical writing."""
        event = self.event.comparison if isinstance(self.event, Condition) else self.event.text
        if not self.times:
            return event
        call = "Interval" if self.interval else "Surv"
        return f"{call}({', '.join([*map(quote, self.times), event])})"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        return _unique((*self.times, self.event.column))


@dataclass(frozen=True)
class Formula:
    """A parsed formula.

    Attributes
    ----------
    outcome
        The left side, or None for a one-sided formula.
    terms
        The terms of the right side in order, main effects first, without repetition.
    offsets, strata, cluster
        What ``offset()``, ``strata()`` and ``cluster()`` name.
    source
        The text as it was given.
    """

    outcome: LeftSide | None
    terms: tuple[TermAtoms, ...] = ()
    offsets: tuple[Source, ...] = ()
    strata: tuple[str, ...] = ()
    cluster: str | None = None
    source: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        left = "" if self.outcome is None else f"{self.outcome.text} "
        text = f"{left}~ {' + '.join(self._right()) or '1'}"
        # Written out, a formula of many interactions may be longer than what can be read again.
        return self.source if self.source and len(text) > MAX_LENGTH else text

    def _right(self) -> Iterator[str]:
        yield from map(term_text, self.terms)
        for source in self.offsets:
            yield f"offset({source.text})"
        if self.strata:
            yield f"strata({', '.join(map(quote, self.strata))})"
        if self.cluster is not None:
            yield f"cluster({quote(self.cluster)})"

    @cached_property
    def outcome_columns(self) -> tuple[str, ...]:
        """Names of the columns that the left side reads."""
        return () if self.outcome is None else self.outcome.columns

    @cached_property
    def term_columns(self) -> tuple[str, ...]:
        """Names of the columns that the terms read, in order."""
        return _unique(name for term in self.terms for atom in term for name in atom.columns)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns that the formula reads, in order."""
        cluster = () if self.cluster is None else (self.cluster,)
        offsets = (source.column for source in self.offsets)
        return _unique(
            (*self.outcome_columns, *self.term_columns, *offsets, *self.strata, *cluster)
        )

    def open_ended(self, kind: str) -> str | None:
        """Name the column of right ends that an outcome of this kind reads, or None."""
        left = self.outcome
        return left.event.column if left is not None and kind == "interval" else None

    def with_terms(self, terms: Iterable[TermAtoms]) -> Formula:
        """Return the same formula with other terms; outcome, strata, cluster, offset stay."""
        return replace(self, terms=tuple(terms), source="")
