"""The frozen description of a design matrix: it makes X again for any data, and goes to JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import Any

import numpy as np

from rnetstats._core.frame import Data, as_frame
from rnetstats.errors import DataError, OptionError, closest
from rnetstats.formula.encoders import Encoder, FactorEncoder, NumberEncoder, SplineEncoder
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.terms import Atom, Factor, Plain, quote
from rnetstats.formula.variables import Floats, Variable, level_text, read_variable

__all__ = ["INTERCEPT", "Column", "Spec", "Term", "atom_name", "make_spec"]

INTERCEPT = "(Intercept)"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of X.

    ``level`` is "" for a number, the level for a factor, "1", "2", ... for a spline, and those
    of the parts joined by ":" for an interaction (parts without a level left out). ``name`` is
    unique within the design, such as ``size_mm``, ``method[ESD]`` or ``a:b[x:y]``.
    """

    term: str
    level: str
    name: str


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the right side.

    Attributes
    ----------
    name
        As in the coefficient tables: ``size_mm``, ``log(nlr)``, ``rcs(age, 4)``, ``a:b``.
    kind
        numeric, factor, spline or interaction.
    start, stop
        Its columns of X.
    variables
        The columns of the data that it reads.
    parts
        Names of the main effects that it joins; itself if it is one.
    levels
        All levels of a factor, the reference first; empty otherwise.
    """

    name: str
    kind: str
    start: int
    stop: int
    variables: tuple[str, ...]
    parts: tuple[str, ...]
    levels: tuple[str, ...] = ()

    @property
    def columns(self) -> slice:
        """The term's columns of X."""
        return slice(self.start, self.stop)

    @property
    def df(self) -> int:
        """Degrees of freedom: the number of columns."""
        return self.stop - self.start

    @property
    def reference(self) -> str | None:
        """The reference level of a factor."""
        return self.levels[0] if self.levels else None


def term_name(encoder: Encoder) -> str:
    """Name a main effect as in the tables."""
    return atom_name(encoder.atom)


def atom_name(atom: Atom) -> str:
    """Name a part of a term: a column by its bare name if that is clear, ``C(x, ref=)`` as C(x)."""
    if isinstance(atom, Plain) and not set(atom.column) & set("`:()+*~[]"):
        return atom.column
    if isinstance(atom, Factor):
        return f"C({quote(atom.column)})"
    return atom.text


@lru_cache(maxsize=256)
def make_spec(formula: str, intercept: bool, encoders: tuple[tuple[Encoder, ...], ...]) -> Spec:
    """Return the description of a design, the same object for the same description."""
    return Spec(formula, intercept, encoders)


@dataclass(frozen=True)
class Spec:
    """What makes X: the formula, whether it has an intercept, and the encoders of each term."""

    formula: str
    intercept: bool
    encoders: tuple[tuple[Encoder, ...], ...]

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The terms in order, without the intercept."""
        terms, start = [], int(self.intercept)
        for parts in self.encoders:
            stop = start + int(np.prod([len(encoder.labels) for encoder in parts]))
            names = tuple(map(term_name, parts))
            single = parts[0] if len(parts) == 1 else None
            levels = single.levels if isinstance(single, FactorEncoder) else ()
            terms.append(
                Term(
                    name=":".join(names),
                    kind="interaction" if single is None else single.kind,
                    start=start,
                    stop=stop,
                    variables=tuple(dict.fromkeys(c for e in parts for c in e.atom.columns)),
                    parts=names,
                    levels=tuple(map(level_text, levels)),
                )
            )
            start = stop
        return tuple(terms)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns of X in order; within an interaction the first part runs fastest."""
        columns = [Column(INTERCEPT, "", INTERCEPT)] if self.intercept else []
        for term, parts in zip(self.terms, self.encoders, strict=True):
            for combination in product(*(encoder.labels for encoder in reversed(parts))):
                level = ":".join(label for label in reversed(combination) if label)
                columns.append(
                    Column(term.name, level, f"{term.name}[{level}]" if level else term.name)
                )
        return tuple(columns)

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """The columns of the data that X is made of."""
        return tuple(dict.fromkeys(name for term in self.terms for name in term.variables))

    def term(self, name: str) -> Term:
        """Return a term by its name, or raise naming the nearest."""
        for term in self.terms:
            if term.name == name:
                return term
        names = [term.name for term in self.terms]
        raise OptionError(
            f"There is no term {name!r}; the terms are {', '.join(names)}.{closest(name, names)}"
        )

    def matrix(self, data: Data) -> Floats:
        """Make X (n, p) for other data.

        Parameters
        ----------
        data
            A DataFrame or a mapping of columns that holds the variables.

        Raises
        ------
        ColumnError
            A variable is absent or of another type.
        DataError
            A level that the model has never seen, or missing values.
        """
        frame = as_frame(data)
        variables = {name: read_variable(frame, name) for name in self.variables}
        for name, variable in variables.items():
            if variable.missing is not None:
                raise DataError(
                    f"Column {name!r} is missing in {variable.where(variable.missing)}; "
                    "fill or leave out these rows."
                )
        return self.build(variables, len(frame))

    def build(self, variables: Mapping[str, Variable], n: int) -> Floats:
        """Make X (n, p) from columns that have been read."""
        X = np.empty((n, len(self.columns)))
        if self.intercept:
            X[:, 0] = 1.0
        blocks: dict[Encoder, Floats] = {}
        for term, parts in zip(self.terms, self.encoders, strict=True):
            for encoder in parts:
                if encoder not in blocks:
                    blocks[encoder] = encoder.encode(variables[encoder.atom.columns[0]])
            block = blocks[parts[0]]
            for encoder in parts[1:]:
                block = (blocks[encoder][:, :, None] * block[:, None, :]).reshape(n, -1)
            X[:, term.columns] = block
        return X

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dict for JSON: the formula, and the levels and knots that it learnt."""
        learnt: dict[str, dict[str, Any]] = {}
        for encoder in dict.fromkeys(e for parts in self.encoders for e in parts):
            if isinstance(encoder, FactorEncoder):
                learnt[encoder.atom.text] = {"levels": list(encoder.levels)}
            elif isinstance(encoder, SplineEncoder):
                learnt[encoder.atom.text] = {
                    "knots": list(encoder.knots),
                    "boundary": list(encoder.boundary),
                }
        return {
            "formula": self.formula,
            "intercept": self.intercept,
            "terms": [[encoder.atom.text for encoder in parts] for parts in self.encoders],
            "learnt": learnt,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Spec:
        """Return the description that :meth:`to_dict` wrote."""
        learnt = stored["learnt"]

        def encoder(text: str) -> Encoder:
            atom: Any = parse_formula(f"~ {text}").terms[0][0]
            known = learnt.get(text)
            if known is None:
                return NumberEncoder(atom)
            if "levels" in known:
                return FactorEncoder(atom, tuple(known["levels"]))
            return SplineEncoder(atom, tuple(known["knots"]), tuple(known["boundary"]))

        encoders = tuple(tuple(map(encoder, texts)) for texts in stored["terms"])
        return make_spec(stored["formula"], bool(stored["intercept"]), encoders)
