"""Columns as a formula sees them: numbers, or categories with their levels in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import column
from rnetstats.errors import ColumnError, DataError, closest, rows_text
from rnetstats.formula.tokens import Literal

__all__ = [
    "Floats",
    "Integers",
    "Variable",
    "level_text",
    "looks_numeric",
    "read_variable",
    "row_numbers",
]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.intp]
Flags: TypeAlias = NDArray[np.bool_]

_NUMBERS = frozenset({"integer", "floating", "mixed-integer-float", "boolean", "decimal"})


def row_numbers(flagged: Flags, rows: Integers | None = None) -> str:
    """Name flagged rows by their number in the data as given, counted from 1."""
    places = np.flatnonzero(flagged)
    return rows_text((places if rows is None else rows[places]) + 1)  # type: ignore[arg-type]


def level_text(value: Literal) -> str:
    """Write a level: whole numbers without a decimal point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """One column, read once.

    Attributes
    ----------
    values
        Numbers (n,), NaN where missing; None for a column of categories.
    codes, levels
        For categories: the code of each row (n,), -1 where missing, and the levels in order.
    ordered_by_data
        The levels carry their own order (a pandas categorical); otherwise they are sorted by
        code point.
    missing
        Flags (n,), or None if nothing is missing.
    """

    name: str
    values: Floats | None
    codes: Integers | None
    levels: tuple[Literal, ...]
    ordered_by_data: bool
    missing: Flags | None

    @property
    def is_numeric(self) -> bool:
        """Say whether the column holds numbers (0/1 and truth values are numbers)."""
        return self.values is not None

    def take(self, rows: Integers) -> Variable:
        """Return the chosen rows; the levels stay."""
        return Variable(
            self.name,
            None if self.values is None else self.values[rows],
            None if self.codes is None else self.codes[rows],
            self.levels,
            self.ordered_by_data,
            None if self.missing is None else self.missing[rows],
        )

    def numbers(self, use: str) -> Floats:
        """Return the numbers (n,), or raise for a column of categories."""
        if self.values is None:
            _not_numbers(self, use)
        return self.values

    def as_factor(self) -> tuple[Integers, tuple[Literal, ...]]:
        """Return codes (n,), -1 where missing, and levels; numbers become levels in order."""
        if self.codes is not None:
            return self.codes, self.levels
        values = self.numbers("a factor")
        known = values if self.missing is None else values[~self.missing]
        distinct = np.unique(known)
        codes = np.searchsorted(distinct, values).astype(np.intp)
        if self.missing is not None:
            codes[self.missing] = -1
        return codes, tuple(int(v) if v.is_integer() else v for v in distinct.tolist())

    def check_level(self, literal: Literal, levels: tuple[Literal, ...] | None = None) -> int:
        """Return the place of a literal among the levels, or say which ones there are."""
        known = self.levels if levels is None else levels
        for place, level in enumerate(known):
            if level == literal and isinstance(level, str) == isinstance(literal, str):
                return place
        shown = ", ".join(repr(level) for level in known[:8])
        more = ", ..." if len(known) > 8 else ""
        hint = closest(str(literal), map(level_text, known))
        raise DataError(
            f"Column {self.name!r} has no level {literal!r}; it has {shown}{more}.{hint}"
        )


def read_variable(frame: pd.DataFrame, name: str) -> Variable:
    """Read one column of the data.

    Numbers and truth values become floats. Categoricals keep the order of their levels; text
    becomes categories sorted by code point.

    Raises
    ------
    ColumnError
        The column is absent, all missing, or of a type that is neither numbers nor categories.
    DataError
        Infinite or blank values, or numbers mixed with text.
    """
    series = column(frame, name)
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _from_categories(name, series)
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        return _from_numbers(name, series.to_numpy())
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        return _from_numbers(name, series.to_numpy(dtype=np.float64, na_value=np.nan))
    kind = pd.api.types.infer_dtype(series, skipna=True)
    if kind == "empty":
        raise ColumnError(f"Column {name!r} holds no values: all {len(series)} are missing.")
    if kind in _NUMBERS:
        numbers = pd.to_numeric(series.astype(object), errors="coerce")
        return _from_numbers(name, numbers.to_numpy(dtype=np.float64, na_value=np.nan))
    if kind == "string":
        return _from_text(name, series)
    if kind.startswith("mixed"):
        _mixed(name, series)
    raise ColumnError(
        f"Column {name!r} holds values of type {kind}; a formula takes numbers, truth values or "
        "categories. Dates are turned into months of follow-up first."
    )


def _from_numbers(name: str, values: NDArray[Any]) -> Variable:
    numbers = values.astype(np.float64)
    missing = np.isnan(numbers)
    lacking = bool(missing.any())
    if not np.isfinite(numbers).all():
        infinite = np.isinf(numbers)
        if infinite.any():
            raise DataError(f"Column {name!r} has infinite values in {row_numbers(infinite)}.")
        if missing.all():
            raise ColumnError(f"Column {name!r} holds no values: all {len(numbers)} are missing.")
    return Variable(name, numbers, None, (), False, missing if lacking else None)


def _from_categories(name: str, series: pd.Series[Any]) -> Variable:
    levels = series.cat.categories.tolist()
    if not all(isinstance(level, (str, int, float, bool)) for level in levels):
        raise ColumnError(f"Column {name!r} has levels that are neither text nor numbers.")
    codes = series.cat.codes.to_numpy().astype(np.intp)
    return _categories(name, codes, levels, ordered_by_data=True)


def _from_text(name: str, series: pd.Series[Any]) -> Variable:
    raw, distinct = pd.factorize(series.to_numpy(dtype=object, na_value=np.nan))
    texts = [str(text) for text in distinct]
    order = sorted(range(len(texts)), key=texts.__getitem__)
    place = np.empty(len(texts) + 1, dtype=np.intp)
    place[order] = np.arange(len(texts))
    place[-1] = -1  # where factorize says -1, missing
    codes = place[raw]
    for text in texts:
        if not text.strip():
            blank = codes == sorted(texts).index(text)
            raise DataError(
                f"Column {name!r} has blank text in {row_numbers(blank)}; "
                "make it missing (None), or give it a name."
            )
    return _categories(name, codes, [texts[i] for i in order], ordered_by_data=False)


def _categories(
    name: str, codes: Integers, levels: Sequence[Any], *, ordered_by_data: bool
) -> Variable:
    missing = codes < 0
    if missing.all():
        raise ColumnError(f"Column {name!r} holds no values: all {len(codes)} are missing.")
    lacking = bool(missing.any())
    return Variable(name, None, codes, tuple(levels), ordered_by_data, missing if lacking else None)


def _not_numbers(variable: Variable, use: str) -> NoReturn:
    first = int(np.flatnonzero(variable.codes != -1)[0]) if variable.codes is not None else 0
    value = variable.levels[int(variable.codes[first])] if variable.codes is not None else ""
    text = [str(level) for level in variable.levels]
    hint = ""
    if all(looks_numeric(level) for level in text):
        hint = " They look like numbers: convert the column with pandas.to_numeric."
    raise ColumnError(
        f"Column {variable.name!r} holds categories (row {first + 1}: {value!r}), but {use} "
        f"takes numbers.{hint}"
    )


def looks_numeric(text: str) -> bool:
    """Say whether a text reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _mixed(name: str, series: pd.Series[Any]) -> NoReturn:
    is_text = np.array([isinstance(value, str) for value in series])
    is_number = ~is_text & ~np.asarray(series.isna())
    odd = is_text if is_text.sum() <= is_number.sum() else is_number
    first = series.iloc[int(np.flatnonzero(odd)[0])] if odd.any() else series.iloc[0]
    raise DataError(
        f"Column {name!r} mixes numbers and text: {first!r} and the like in {row_numbers(odd)}. "
        "Make it all numbers or all text; missing values are None or NaN."
    )
