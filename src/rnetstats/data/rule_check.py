"""Whether a rule makes sense for the columns of a codebook, before any data are seen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rnetstats.data.rules import (
    Combination,
    Comparison,
    Difference,
    Literal,
    Name,
    Node,
    Rule,
    Value,
)
from rnetstats.errors import CodebookError, closest

__all__ = ["check_rule", "date_of", "kind_of"]


def kind_of(type_: str) -> str:
    """Return how values of a column type compare: as ``number``, ``text`` or ``date``."""
    if type_ in {"numeric", "integer", "binary"}:
        return "number"
    return "date" if type_ == "date" else "text"


def date_of(text: str, rule: Rule) -> np.datetime64:
    """Read a date that a rule writes as text."""
    try:
        return np.datetime64(dt.date.fromisoformat(text))
    except ValueError:
        raise CodebookError(
            f"the rule {rule.text!r} compares a date with {text!r}; dates are written 2023-06-30."
        ) from None


def check_rule(rule: Rule, kinds: Mapping[str, str], levels: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse a rule that names an unknown column, or compares what cannot be compared.

    Parameters
    ----------
    rule
        The rule.
    kinds
        Per column ``number``, ``text`` or ``date``.
    levels
        Per categorical column its declared levels, if any.

    Raises
    ------
    CodebookError
    """
    for name in rule.columns:
        if name not in kinds:
            raise CodebookError(
                f"the rule {rule.text!r} names the column {name!r}, which the codebook "
                f"does not have.{closest(name, kinds)}"
            )
    _Checker(rule, kinds, levels).check(rule.tree)


@dataclass(frozen=True)
class _Checker:
    rule: Rule
    kinds: Mapping[str, str]
    levels: Mapping[str, tuple[str, ...]]

    def check(self, node: Node) -> None:
        match node:
            case Combination(_, parts):
                for part in parts:
                    self.check(part)
            case Comparison():
                self._check_comparison(node)
            case Difference():
                self._kind(node)

    def _check_comparison(self, node: Comparison) -> None:
        sides = (node.left, node.right)
        found = {self._kind(side) for side in sides}
        if found == {"date", "text"}:
            for side in sides:
                if isinstance(side, Literal):
                    date_of(str(side.value), self.rule)
                    found = {"date"}
        if len(found) > 1:
            pair = " with a ".join(sorted(found))
            raise CodebookError(f"the rule {self.rule.text!r} compares a {pair}.")
        if found == {"text"} and node.sign not in {"==", "!="}:
            raise CodebookError(f"the rule {self.rule.text!r} orders texts; only == and != can be.")
        for name, literal in (sides, sides[::-1]):
            if isinstance(name, Name) and isinstance(literal, Literal):
                self._check_level(name.name, str(literal.value))

    def _check_level(self, name: str, text: str) -> None:
        known = self.levels.get(name, ())
        if known and text not in known:
            raise CodebookError(
                f"the rule {self.rule.text!r} compares {name!r} with {text!r}, which is not "
                f"among its levels.{closest(text, known)}"
            )

    def _kind(self, node: Value) -> str:
        match node:
            case Name(name):
                return self.kinds[name]
            case Literal(value):
                return "text" if isinstance(value, str) else "number"
            case Difference(left, right):
                if {self._kind(left), self._kind(right)} not in ({"number"}, {"date"}):
                    raise CodebookError(
                        f"the rule {self.rule.text!r} subtracts what is not two numbers or two "
                        "dates."
                    )
                return "number"
