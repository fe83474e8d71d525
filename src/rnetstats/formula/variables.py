"""Columns as a formula sees them: numbers, or categories with their levels in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from numbers import Real
from typing import Any, Final, NoReturn, TypeAlias

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
    "read_open_ended",
    "read_variable",
    "row_numbers",
]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.intp]
Flags: TypeAlias = NDArray[np.bool_]

_CELLS: Final = (str, Real, Decimal, np.bool_, type(None), type(pd.NA), type(pd.NaT))
_TAKEN: Final = "a formula takes numbers, truth values, text or categories."
_MONTH: Final = "pandas.Timedelta(days=30.4375)"


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
    rows
        Places (n,) of these rows in the data as given, or None for all of them.
    """

    name: str
    values: Floats | None
    codes: Integers | None
    levels: tuple[Literal, ...]
    ordered_by_data: bool
    missing: Flags | None
    rows: Integers | None = None

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
            rows,
        )

    def where(self, flagged: Flags) -> str:
        """Name flagged rows by their number in the data as given."""
        return row_numbers(flagged, self.rows)

    def numbers(self, use: str) -> Floats:
        """Return the numbers (n,), or raise for a column of categories."""
        if self.values is None:
            _not_numbers(self, np.asarray(self.codes), use)
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
        texts = [level_text(level) for level in known]
        hint = closest(level_text(literal), texts)
        if level_text(literal) in texts:  # of the other type
            other = known[texts.index(level_text(literal))]
            hint = f" Write {other!r}, {'in' if isinstance(other, str) else 'without'} quotes."
        raise DataError(
            f"Column {self.name!r} has no level {literal!r}; it has {shown}{more}.{hint}"
        )


def read_variable(frame: pd.DataFrame, name: str) -> Variable:
    """Read one column of the data.

    Numbers and truth values become floats. Categoricals keep the order of their levels, intervals
    (of `pandas.cut`) by their text; text becomes categories sorted by code point.

    Raises
    ------
    ColumnError
        The column is absent, all missing, or neither numbers, text nor categories.
    DataError
        Infinite or blank values, or numbers mixed with text.
    """
    series = column(frame, name)
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _from_categories(name, series.array)
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        return _from_numbers(name, series.to_numpy())
    if isinstance(dtype, pd.ArrowDtype) and dtype.type is pd.CategoricalDtype.type:
        arrow = series.array.__arrow_array__().unify_dictionaries()
        return _from_categories(name, arrow.to_pandas().array)
    if _holds_numbers(dtype):
        return _from_numbers(name, series.to_numpy(dtype=np.float64, na_value=np.nan))
    if pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype):
        return _from_objects(name, series.to_numpy(dtype=object))
    if series.isna().all():
        raise _no_values(name, len(series))
    raise ColumnError(f"Column {name!r} is of type {dtype}; {_TAKEN}{_in_time(name, dtype.type)}")


def _holds_numbers(dtype: Any) -> bool:
    """Say whether an extension type is one of numbers or truth values (Arrow's are none there)."""
    of = pd.api.types
    return of.is_bool_dtype(dtype) or (
        of.is_numeric_dtype(dtype) and not of.is_complex_dtype(dtype)
    )


def _in_time(name: str, kind: type) -> str:
    """Say how dates and durations become a number."""
    if issubclass(kind, np.timedelta64 | timedelta):
        return f" A duration becomes months first: data[{name!r}] / {_MONTH}."
    if issubclass(kind, np.datetime64 | date | pd.Period):
        return (
            " Dates are turned into months of follow-up first: "
            f"(data['later'] - data['earlier']) / {_MONTH}."
        )
    return ""


def _no_values(name: str, count: int) -> ColumnError:
    return ColumnError(f"Column {name!r} holds no values: all {count} are missing.")


def read_open_ended(frame: pd.DataFrame, name: str) -> Variable:
    """Read the right ends of intervals: what is missing or infinite is infinite, and kept.

    Raises
    ------
    ColumnError, DataError
        As for :func:`read_variable`, for what is neither a number nor open.
    """
    series = column(frame, name)
    if series.dtype == object or pd.api.types.is_numeric_dtype(series.dtype):
        is_open = (series.isna() | (series == np.inf)).to_numpy(dtype=bool)
        if is_open.all():
            return Variable(name, np.full(len(series), np.inf), None, (), False, None)
        frame = pd.DataFrame({name: series.mask(is_open)})
    found = read_variable(frame, name)
    if found.values is None:
        return found
    ends = found.values.copy()
    ends[np.isnan(ends)] = np.inf
    return Variable(name, ends, None, (), False, None)


def _from_numbers(name: str, values: NDArray[Any]) -> Variable:
    numbers = values.astype(np.float64)
    if np.isfinite(numbers).all():
        return Variable(name, numbers, None, (), False, None)
    infinite, missing = np.isinf(numbers), np.isnan(numbers)
    if infinite.any():
        raise DataError(f"Column {name!r} has infinite values in {row_numbers(infinite)}.")
    if missing.all():
        raise _no_values(name, len(numbers))
    return Variable(name, numbers, None, (), False, missing)


def _from_categories(name: str, array: Any) -> Variable:
    levels = [str(v) if isinstance(v, pd.Interval) else v for v in array.categories.tolist()]
    odd = next((v for v in levels if not isinstance(v, (str, int, float))), None)
    if odd is not None:
        raise ColumnError(
            f"Column {name!r} has levels that are neither text nor numbers, such as {odd!r}; give "
            "each a name with .cat.rename_categories(str)."
        )
    # Truth values and 1.0 are the numbers 0 and 1 everywhere, among levels too.
    plain = [str(v) if isinstance(v, str) else int(v) if v == v // 1 else v for v in levels]
    codes = array.codes.astype(np.intp)
    blank = [place for place, v in enumerate(plain) if isinstance(v, str) and not v.strip()]
    if blank and np.isin(codes, blank).any():
        _refuse_blank(name, np.isin(codes, blank))
    return _categories(name, codes, plain, ordered_by_data=True)


def _from_objects(name: str, values: NDArray[np.object_]) -> Variable:
    """Read a column of Python objects: all text, or all numbers, with missing values among them."""
    kinds = set(map(type, values))
    for kind in kinds:
        if not issubclass(kind, _CELLS):
            raise ColumnError(
                f"Column {name!r} holds values of type {kind.__name__}; "
                f"{_TAKEN}{_in_time(name, kind)}"
            )
    if any(issubclass(kind, str) for kind in kinds):
        return _from_text(name, values)
    gaps = np.asarray(pd.isna(values))
    try:
        numbers = np.where(gaps, np.nan, values).astype(np.float64)
    except (ValueError, OverflowError):
        raise DataError(f"Column {name!r} holds a number that is too large.") from None
    return _from_numbers(name, numbers)


def _from_text(name: str, values: NDArray[np.object_]) -> Variable:
    texts: list[str] = []
    place: dict[Any, int] = {}  # missing values are found by identity, NaN too
    for value in dict.fromkeys(values):
        if isinstance(value, str):
            texts.append(str(value))  # NumPy's text would show its type in messages
        elif pd.isna(value):
            place[value] = -1
        else:
            _refuse_mixture(name, values)
    texts.sort()
    place.update((text, code) for code, text in enumerate(texts))
    if not all(map(str.strip, texts)):
        _refuse_blank(name, np.array([isinstance(v, str) and not v.strip() for v in values]))
    codes = np.fromiter(map(place.__getitem__, values), dtype=np.intp, count=len(values))
    return _categories(name, codes, texts, ordered_by_data=False)


def _refuse_blank(name: str, blank: Flags) -> NoReturn:
    raise DataError(
        f"Column {name!r} has blank text in {row_numbers(blank)}; "
        "make it missing (None), or give it a name."
    )


def _categories(
    name: str, codes: Integers, levels: Sequence[Any], *, ordered_by_data: bool
) -> Variable:
    missing = codes < 0
    if missing.all():
        raise _no_values(name, len(codes))
    lacking = bool(missing.any())
    return Variable(name, None, codes, tuple(levels), ordered_by_data, missing if lacking else None)


def _not_numbers(variable: Variable, codes: Integers, use: str) -> NoReturn:
    shown = ", ".join(repr(level) for level in variable.levels[:5])
    more = ", ..." if len(variable.levels) > 5 else ""
    if all(looks_numeric(str(level)) for level in variable.levels):
        hint = " They look like numbers: convert the column with pandas.to_numeric."
    else:
        odd = [i for i, v in enumerate(variable.levels) if not looks_numeric(str(v))]
        hint = ""
        if 2 * len(odd) < len(variable.levels):
            hint = f" Not a number: {variable.where(np.isin(codes, odd))}."
    raise ColumnError(
        f"Column {variable.name!r} holds categories ({shown}{more}), but {use} takes numbers.{hint}"
    )


def looks_numeric(text: str) -> bool:
    """Say whether a text reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _refuse_mixture(name: str, values: NDArray[np.object_]) -> NoReturn:
    is_text = np.array([isinstance(value, str) for value in values])
    is_number = ~is_text & ~np.asarray(pd.isna(values))
    odd = is_text if is_text.sum() <= is_number.sum() else is_number
    raise DataError(
        f"Column {name!r} mixes numbers and text: {values[odd][0]!r} and the like in "
        f"{row_numbers(odd)}. Make it all numbers or all text; missing values are None or NaN."
    )
