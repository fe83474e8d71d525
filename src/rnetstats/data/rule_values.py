"""What a rule says on a table: three-valued conditions (true, false, unknown) and values."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from rnetstats.data.rule_check import date_of
from rnetstats.data.rules import (
    Combination,
    Comparison,
    Difference,
    Literal,
    Name,
    Node,
    Presence,
    Rule,
    Value,
)
from rnetstats.errors import CodebookError

__all__ = ["holds", "value"]

Flags: TypeAlias = npt.NDArray[np.bool_]
Array: TypeAlias = npt.NDArray[Any]

_DAY = np.timedelta64(1, "D")
_COMPARE = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}


def holds(rule: Rule, frame: pd.DataFrame, *, slack: float = 0.0) -> tuple[Flags, Flags]:
    """Evaluate a condition row by row.

    Parameters
    ----------
    rule
        A condition.
    frame
        A table with all columns of the rule, n rows.
    slack
        Numbers that differ by no more count as equal.

    Returns
    -------
    tuple of bool arrays (n,)
        Where the rule holds, and where it fails. Elsewhere a missing value leaves it unknown.
    """
    return _Evaluator(rule, frame, slack).holds(rule.tree)


def value(rule: Rule, frame: pd.DataFrame) -> Array:
    """Evaluate a value row by row: an (n,) array, missing where an operand is."""
    tree = rule.tree
    if not isinstance(tree, Name | Literal | Difference):
        raise CodebookError(f"the rule {rule.text!r} is a condition, not a value.")
    return _Evaluator(rule, frame, 0.0).operand(tree)


@dataclass(frozen=True)
class _Evaluator:
    rule: Rule
    frame: pd.DataFrame
    slack: float

    def holds(self, node: Node) -> tuple[Flags, Flags]:
        match node:
            case Presence(column, present):
                there = self.frame[column.name].notna().to_numpy(dtype=bool)
                return (there, ~there) if present else (~there, there)
            case Combination(word, parts):
                pairs = [self.holds(part) for part in parts]
                true = np.array([pair[0] for pair in pairs])
                false = np.array([pair[1] for pair in pairs])
                if word == "and":
                    return np.all(true, axis=0), np.any(false, axis=0)
                return np.any(true, axis=0), np.all(false, axis=0)
            case Comparison():
                return self._compared(node)
            case _:
                raise CodebookError(f"the rule {self.rule.text!r} is a value, not a condition.")

    def _compared(self, node: Comparison) -> tuple[Flags, Flags]:
        left, right = self.operand(node.left), self.operand(node.right)
        if left.dtype.kind == "M":
            right = self._as_dates(right, node.right)
        elif right.dtype.kind == "M":
            left = self._as_dates(left, node.left)
        known = np.asarray(~(pd.isna(left) | pd.isna(right)))
        result = np.zeros(len(self.frame), dtype=bool)
        x, y = left[known], right[known]
        if x.dtype.kind == "f":
            result[known] = _compare_numbers(x, node.sign, y, self.slack)
        else:
            result[known] = np.asarray(_COMPARE[node.sign](x, y), dtype=bool)
        return result, known & ~result

    def _as_dates(self, array: Array, node: Value) -> Array:
        if isinstance(node, Literal):
            return np.full(len(array), date_of(str(node.value), self.rule))
        return array

    def operand(self, node: Value) -> Array:
        match node:
            case Literal(constant):
                kind = object if isinstance(constant, str) else np.float64
                return np.full(len(self.frame), constant, dtype=kind)
            case Difference(left, right):
                difference = np.asarray(self.operand(left) - self.operand(right))
                return difference / _DAY if difference.dtype.kind == "m" else difference
            case Name(name):
                return _array(self.frame[name])


def _array(column: pd.Series[Any]) -> Array:
    if pd.api.types.is_datetime64_any_dtype(column):
        return np.asarray(column.to_numpy())
    if pd.api.types.is_numeric_dtype(column):
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.asarray(column.astype(object).to_numpy())


def _compare_numbers(x: Array, sign: str, y: Array, slack: float) -> Flags:
    # 1e-9 absorbs the binary rounding of decimal fractions such as 0.3 - 0.1
    close = np.abs(x - y) <= slack + 1e-9 * np.maximum(1.0, np.maximum(np.abs(x), np.abs(y)))
    if sign in {"==", "!="}:
        return np.asarray(close if sign == "==" else ~close)
    strict = _COMPARE[sign[0]](x, y)
    return np.asarray(strict | close) if sign.endswith("=") else np.asarray(strict & ~close)
