"""Encoders: an atom of a formula with what it learnt from the data, turning a column into X.

An encoder is frozen and plain (texts and numbers), so that a model can be stored and its design
matrix made again for new data with the same levels and the same knots.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np

from rnetstats.errors import ColumnError, DataError
from rnetstats.formula.splines import (
    natural_basis,
    natural_knots,
    restricted_basis,
    restricted_knots,
)
from rnetstats.formula.terms import Atom, Condition, Factor, Log, Plain, Spline
from rnetstats.formula.tokens import Literal
from rnetstats.formula.variables import Floats, Variable, level_text, looks_numeric

__all__ = [
    "Encoder",
    "FactorEncoder",
    "NumberEncoder",
    "SplineEncoder",
    "compare",
    "fit_encoder",
    "source_values",
]

_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class NumberEncoder:
    """A column, its logarithm, or a comparison as 0 and 1: one column of X."""

    kind: ClassVar[str] = "numeric"
    atom: Plain | Log | Condition

    @property
    def labels(self) -> tuple[str, ...]:
        """Levels of the columns of X: one without a name."""
        return ("",)

    def encode(self, variable: Variable) -> Floats:
        """Return the block (n, 1)."""
        if isinstance(self.atom, Condition):
            return compare(variable, self.atom, known=True)[:, None]
        return source_values(variable, self.atom)[:, None]


@dataclass(frozen=True, slots=True)
class FactorEncoder:
    """Categories against a reference level: one column of X for each other level."""

    kind: ClassVar[str] = "factor"
    atom: Plain | Factor
    levels: tuple[Literal, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Levels of the columns of X: all but the reference, which is the first."""
        return tuple(map(level_text, self.levels[1:]))

    def encode(self, variable: Variable) -> Floats:
        """Return the block (n, levels - 1); a level that was never seen raises DataError."""
        codes, levels = variable.as_factor()
        if levels == self.levels:
            place = codes
        else:
            known = {level: i for i, level in enumerate(self.levels)}
            lookup = np.array([known.get(level, -2) for level in levels] + [-1], dtype=np.intp)
            place = lookup[codes]
            self._check_known(place, codes, variable, levels)
        block = (place[:, None] == np.arange(1, len(self.levels))).astype(np.float64)
        if variable.missing is not None:
            block[variable.missing] = np.nan
        return np.asarray(block)

    def _check_known(
        self, place: Any, codes: Any, variable: Variable, levels: Sequence[Literal]
    ) -> None:
        unknown = place == -2
        if unknown.any():
            level = levels[int(codes[np.flatnonzero(unknown)[0]])]
            shown = ", ".join(repr(level) for level in self.levels)
            raise DataError(
                f"Column {variable.name!r} has the level {level!r} in {variable.where(unknown)}, "
                f"which the model has never seen; it knows {shown}."
            )


@dataclass(frozen=True, slots=True)
class SplineEncoder:
    """A cubic spline with its knots: one column of X for each degree of freedom."""

    kind: ClassVar[str] = "spline"
    atom: Spline
    knots: tuple[float, ...]
    boundary: tuple[float, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """Levels of the columns of X: numbered from 1."""
        count = len(self.knots) + (1 if self.boundary else -1)
        return tuple(str(i + 1) for i in range(count))

    def encode(self, variable: Variable) -> Floats:
        """Return the block (n, df)."""
        return self.basis(source_values(variable, self.atom.source))

    def basis(self, x: Floats) -> Floats:
        """Return the basis at any values x (n,), on the scale that the spline is in."""
        if self.boundary:
            return natural_basis(x, np.array(self.knots), np.array(self.boundary))
        return restricted_basis(x, np.array(self.knots))

    def linear(self) -> Floats:
        """Coefficients (df,) that make the spline a straight line of slope 1."""
        if not self.boundary:
            return np.asarray(np.eye(len(self.labels))[0])
        low, high = self.boundary
        x = np.array([*self.knots, high])  # a natural spline is determined by its knots
        return np.asarray(np.linalg.solve(self.basis(x), x - low))


Encoder = NumberEncoder | FactorEncoder | SplineEncoder


def source_values(variable: Variable, atom: Plain | Log) -> Floats:
    """Return a column's numbers or their logarithms (n,)."""
    values = variable.numbers(f"{atom.text} in the formula")
    if isinstance(atom, Plain):
        return values
    refused = values <= 0
    if refused.any():
        raise DataError(
            f"{atom.text}: column {variable.name!r} is zero or negative in "
            f"{variable.where(refused)}, where there is no logarithm."
        )
    return np.asarray(np.log(values))


def compare(variable: Variable, condition: Condition, *, known: bool = False) -> Floats:
    """Return 1 where the condition holds, 0 where not, NaN where the column is missing (n,).

    A level that no row has is refused, unless it is `known` from the data of the fit.
    """
    literal = condition.literal
    if variable.is_numeric:
        if isinstance(literal, str):
            raise ColumnError(
                f"Column {variable.name!r} holds numbers, but {condition.comparison} compares "
                "with text; write the number without quotes."
            )
        result = _COMPARE[condition.operator](variable.values, literal).astype(np.float64)
    else:
        if condition.operator not in ("==", "!="):
            raise ColumnError(
                f"Column {variable.name!r} holds categories; {condition.comparison} compares "
                "sizes. Only == and != compare levels."
            )
        place = _place(variable, literal, known=known)
        result = _COMPARE[condition.operator](variable.codes, place).astype(np.float64)
    if variable.missing is not None:
        result[variable.missing] = np.nan
    return np.asarray(result, dtype=np.float64)


def _place(variable: Variable, literal: Literal, *, known: bool) -> int:
    if known and isinstance(literal, str) and literal not in variable.levels:
        return len(variable.levels)  # new patients need not have every level
    return variable.check_level(literal)


def fit_encoder(atom: Atom, variable: Variable, freq: Floats | None, notes: list[str]) -> Encoder:
    """Learn levels or knots from a column without missing values; what was decided is noted."""
    if isinstance(atom, Spline):
        return _fit_spline(atom, variable, freq)
    if isinstance(atom, Factor) or (isinstance(atom, Plain) and not variable.is_numeric):
        return _fit_factor(atom, variable, freq, notes)
    if isinstance(atom, Condition):
        compare(variable, atom)  # refuses a level that is not there
    return NumberEncoder(atom)


def _fit_factor(
    atom: Plain | Factor, variable: Variable, freq: Floats | None, notes: list[str]
) -> FactorEncoder:
    codes, levels = variable.as_factor()
    counts = np.bincount(codes, minlength=len(levels))
    used = [level for level, count in zip(levels, counts, strict=True) if count]
    name = variable.name
    if len(used) < len(levels):
        lost = ", ".join(repr(v) for v, count in zip(levels, counts, strict=True) if not count)
        notes.append(f"{name}: no row has the level {lost}, which is left out.")
    if len(used) == 1:
        raise ColumnError(
            f"Column {name!r} has a single level, {used[0]!r}, in the rows used; "
            "leave it out of the formula."
        )
    if freq is None and len(used) == len(codes) > 2:
        raise ColumnError(
            f"Column {name!r} has a level of its own in each of the {len(codes)} rows used; "
            "an identifier is no term of a model."
        )
    if isinstance(atom, Plain) and not variable.ordered_by_data:
        if all(isinstance(level, str) and looks_numeric(level) for level in used):
            raise ColumnError(
                f"Column {name!r} holds numbers written as text ({used[0]!r}); convert it with "
                f"pandas.to_numeric, or write C({atom.text}) if they are categories."
            )
        notes.append(
            f"{name}: the reference level is {used[0]!r}, the first of its levels by code point."
        )
    if isinstance(atom, Factor) and atom.ref is not None:
        reference = used[variable.check_level(atom.ref, tuple(used))]
        used = [reference, *(level for level in used if level != reference)]
    return FactorEncoder(atom, tuple(used))


def _fit_spline(atom: Spline, variable: Variable, freq: Floats | None) -> SplineEncoder:
    x = source_values(variable, atom.source)
    boundary = np.array(atom.boundary)
    if atom.basis == "rcs":
        knots = np.array(atom.knots) if atom.knots else restricted_knots(x, atom.size or 0, freq)
    else:
        knots, limits = natural_knots(x, atom.size or 1, freq)
        knots = np.array(atom.knots) if atom.knots else knots
        boundary = boundary if len(boundary) else limits
    ends = (*boundary[:1], *knots, *boundary[1:])
    if np.any(np.diff(ends) <= 0):
        shown = ", ".join(f"{knot:g}" for knot in ends)
        raise DataError(
            f"{atom.text}: the knots ({shown}) do not increase, because too many rows share "
            "values or lie outside them; ask for fewer, or name knots inside the range."
        )
    return SplineEncoder(atom, tuple(knots.tolist()), tuple(boundary.tolist()))
