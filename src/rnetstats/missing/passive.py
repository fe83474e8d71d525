"""Passive columns: computed from imputed ones by the formula language, never drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnetstats.errors import DataError, FormulaError
from rnetstats.formula.encoders import compare, source_values
from rnetstats.formula.parser import parse_formula
from rnetstats.formula.terms import Condition, Log, Plain
from rnetstats.formula.variables import Floats, Variable, row_numbers

__all__ = ["Passive", "check_agrees", "read_passive"]

_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Passive:
    """A column that is a term of the formula language.

    Attributes
    ----------
    name : str
    text : str
        The term as written.
    atoms : tuple
        Its value is their product.
    """

    name: str
    text: str
    atoms: tuple[Plain | Log | Condition, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns that it is computed from."""
        return tuple(dict.fromkeys(c for atom in self.atoms for c in atom.columns))

    def values(self, variables: Mapping[str, Variable]) -> Floats:
        """Return the values (n,), NaN where a source is missing."""
        product: Floats | None = None
        for atom in self.atoms:
            variable = variables[atom.columns[0]]
            if isinstance(atom, Condition):
                part = compare(variable, atom, known=True)
            else:
                part = source_values(variable, atom)
            product = part if product is None else product * part
        assert product is not None
        return product


def read_passive(given: Mapping[str, str]) -> tuple[Passive, ...]:
    """Parse passive columns, each after those it is computed from.

    Raises
    ------
    FormulaError
        If an expression is not one numeric term, or columns are computed from each other in a
        circle.
    """
    waiting = {str(name): _parsed(str(name), text) for name, text in given.items()}
    ordered: list[Passive] = []
    while waiting:
        ready = [p for p in waiting.values() if not set(p.sources) & set(waiting)]
        if not ready:
            raise FormulaError(
                f"Passive columns are computed in a circle: {', '.join(sorted(waiting))}."
            )
        ordered += ready
        for part in ready:
            del waiting[part.name]
    return tuple(ordered)


def _parsed(name: str, text: str) -> Passive:
    parsed = parse_formula(f"~ {text}")
    special = parsed.offsets or parsed.strata or parsed.cluster
    atoms = parsed.terms[-1] if parsed.terms else ()
    product = len(parsed.terms) == 2 ** len(atoms) - 1  # a*b is read as a + b + a:b
    if not atoms or not product or special:
        raise FormulaError(
            f"passive[{name!r}] must be one term, such as 'log(nlr)', 'I(size_mm > 10)', or a "
            f"product such as 'a*b'; not {text!r}."
        )
    for atom in atoms:
        if not isinstance(atom, (Plain, Log, Condition)):
            raise FormulaError(
                f"passive[{name!r}]: {atom.text} has several columns; write it in the model's "
                "formula instead."
            )
    return Passive(name, text, tuple(a for a in atoms if isinstance(a, (Plain, Log, Condition))))


def check_agrees(passive: Passive, found: Floats, made: Floats) -> None:
    """Refuse a column of the data that is not what the caller says it is.

    Raises
    ------
    DataError
    """
    gap = np.abs(found - made)
    wrong = gap > _TOLERANCE * np.maximum(1.0, np.abs(made))  # False where either is missing
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise DataError(
            f"Column {passive.name!r} is not {passive.text} in {row_numbers(wrong)}: there it is "
            f"{found[first]:g}, by the expression {made[first]:g}."
        )
