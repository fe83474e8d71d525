"""Reading the columns of an imputation: which are imputed, which predict, which stay out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from rnetstats._core.frame import refuse_name
from rnetstats._core.options import choice
from rnetstats.errors import ColumnError, OptionError, closest
from rnetstats.formula.variables import Floats, Variable, level_text, read_variable

__all__ = ["METHODS", "Column", "Selection", "read_columns"]

METHODS: Final = ("pmm", "normal", "logistic", "nominal", "ordered")
_MOST_MISSING = 0.5
_MANY_LEVELS = 20
_LARGEST = 1e100
_ID_NAME = re.compile(r"(^|_)(id|ids|mrn|record|patient|subject|pat|nr|no|number|key)($|_)", re.I)


class _ConstantError(ColumnError):
    """A complete column of one value: useless, but no mistake of the caller's."""


@dataclass(frozen=True, eq=False)
class Column:
    """A column in the imputation.

    Attributes
    ----------
    name : str
    values : array of shape (n,)
        Numbers, or codes of levels from 0; NaN where missing.
    levels : tuple of str, float
        The observed levels in order; empty for a column of numbers.
    codes : int array
        For categories the place of each observed level among all levels of the data.
    missing : bool array of shape (n,)
    method : str
        One of `METHODS`; "" if nothing is imputed.
    source : Variable
        The column as read.
    """

    name: str
    values: Floats
    levels: tuple[str | float, ...]
    codes: np.ndarray
    missing: np.ndarray
    method: str
    source: Variable

    def variable(self, values: Floats) -> Variable:
        """Return the column as a formula reads it, with other values (n,)."""
        if not self.levels:
            gaps = np.isnan(values)
            return Variable(self.name, values, None, (), False, gaps if gaps.any() else None)
        known = ~np.isnan(values)
        codes = np.full(len(values), -1, dtype=np.intp)
        codes[known] = self.codes[values[known].astype(np.intp)]
        levels, own = self.source.levels, self.source.ordered_by_data
        return Variable(self.name, None, codes, levels, own, None if known.all() else ~known)

    @property
    def incomplete(self) -> bool:
        """Whether anything is to be imputed."""
        return bool(self.method)


@dataclass(frozen=True, eq=False)
class Selection:
    """The columns used, in the order of the data, and what was left out."""

    columns: tuple[Column, ...]
    notes: tuple[str, ...]


def read_columns(
    frame: pd.DataFrame,
    asked: Sequence[str] | None,
    needed: Sequence[str],
    excluded: Sequence[str],
    silent: Sequence[str],
    passive: Sequence[str],
    methods: dict[str, str],
) -> Selection:
    """Choose and read the columns.

    Parameters
    ----------
    frame : DataFrame
    asked : sequence of str or None
        Named by the caller: what cannot be used among them is an error. None takes all columns
        that can be used, and notes the others.
    needed : sequence of str
        Taken besides `asked` (the outcome's, and the sources of passive columns).
    excluded : sequence of str
        Named by the caller as never to be used.
    silent : sequence of str
        Not used either: times behind a hazard, derived columns.
    passive : sequence of str
        Computed from others; not read here.
    methods : dict
        Methods asked for.

    Raises
    ------
    ColumnError
        If a column asked for is an identifier, has one observed level or no values.
    OptionError
        If a method does not fit its column.
    """
    names = list(frame.columns)
    for name in names:
        refuse_name(name)
    for name in (*(asked or ()), *needed, *excluded):
        if name not in names:
            hint = closest(str(name), names)
            raise ColumnError(f"There is no column {name!r}.{hint}")
    explicit = set(needed) if asked is None else {*asked, *needed}
    found, notes = [], []
    for name in names:
        if name in excluded or name in silent or name in passive:
            continue
        if asked is not None and name not in explicit:
            continue
        try:
            column = _column(frame, name, methods.get(name), named=name in explicit)
        except ColumnError as error:
            if name in explicit and not isinstance(error, _ConstantError):
                raise
            notes.append(f"{name}: left out of the imputation. {error}")
            continue
        found.append(column)
    for name in methods:
        if name not in {column.name for column in found if column.incomplete}:
            raise OptionError(f"method names {name!r}, which is not imputed.{closest(name, names)}")
    return Selection(tuple(found), tuple(notes))


def _column(frame: pd.DataFrame, name: str, method: str | None, *, named: bool) -> Column:
    """Read one column, or say why it is of no use."""
    variable = read_variable(frame, name)
    n = len(frame)
    missing = np.zeros(n, dtype=bool) if variable.missing is None else variable.missing
    lacking = int(missing.sum())
    _refuse_identifier(variable, n - lacking)
    values, levels, codes = _coded(variable)
    distinct = len(levels) if levels else len(np.unique(values[~missing]))
    if not levels and np.abs(values[~missing]).max(initial=0.0) > _LARGEST:
        raise ColumnError(
            f"Column {name!r} holds numbers beyond {_LARGEST:g}, whose squares cannot be "
            "computed; choose another unit."
        )
    if distinct == 1:
        only = levels[0] if levels else values[~missing][0]
        kind = ColumnError if lacking else _ConstantError
        raise kind(
            f"Column {name!r} has a single observed value, {level_text(only)!r}: nothing can be "
            f"learnt from it{f', and it is missing in {lacking} rows' if lacking else ''}."
        )
    structural = frame.attrs.get("rnetstats", {}).get("structural", {}).get(name, 0)
    if lacking and structural:
        raise ColumnError(
            f"Column {name!r} is empty in {structural} rows because nothing applies there: a value "
            "that does not exist is not imputed."
        )
    if lacking > _MOST_MISSING * n and not named:
        raise ColumnError(
            f"Column {name!r} is missing in {lacking} of {n} rows; name it in columns= to impute "
            "it all the same."
        )
    dtype = frame[name].dtype
    ordered = isinstance(dtype, pd.CategoricalDtype) and bool(dtype.ordered)
    chosen = _method(name, values[~missing], levels, method, ordered=ordered) if lacking else ""
    return Column(name, values, levels, codes, missing, chosen, variable)


def _coded(variable: Variable) -> tuple[Floats, tuple[str | float, ...], np.ndarray]:
    """Return numbers, or codes of the observed levels; NaN where missing."""
    if variable.is_numeric:
        return np.array(variable.values, dtype=float), (), np.empty(0, dtype=np.intp)
    codes, levels = variable.as_factor()
    used = np.unique(codes[codes >= 0])
    values = np.searchsorted(used, codes).astype(float)
    values[codes < 0] = np.nan
    return values, tuple(levels[i] for i in used), used


def _refuse_identifier(variable: Variable, known: int) -> None:
    """Raise for what names patients instead of describing them."""
    name, refusal = variable.name, "an identifier predicts nothing and is not imputed."
    if variable.is_numeric:
        values = np.asarray(variable.values)
        values = values[~np.isnan(values)]
        whole = bool((values == np.floor(values)).all())
        if whole and known > 2 and len(np.unique(values)) == known:
            counts = bool((np.diff(values) == 1.0).all())
            if counts or _ID_NAME.search(name):
                raise ColumnError(f"Column {name!r} numbers the patients; {refusal}")
        return
    codes, _ = variable.as_factor()
    used = len(np.unique(codes[codes >= 0]))
    if known > 2 and used == known:
        raise ColumnError(f"Column {name!r} has a value of its own in each row; {refusal}")
    if used > _MANY_LEVELS and used > known / 5:
        raise ColumnError(
            f"Column {name!r} has {used} levels in {known} rows, too many to learn from; "
            "join the rare ones."
        )


def _method(
    name: str,
    known: Floats,
    levels: tuple[str | float, ...],
    asked: str | None,
    *,
    ordered: bool,
) -> str:
    """Return the method by the column's type, or the one asked for if it fits."""
    if asked is not None:
        choice(f"method[{name!r}]", asked, METHODS)
    allowed: tuple[str, ...] = ("nominal", "ordered")
    if not levels:
        binary = bool(np.isin(known, (0.0, 1.0)).all())
        allowed = ("logistic", "pmm") if binary else ("pmm", "normal")
    elif len(levels) == 2:
        allowed = ("logistic",)
    elif ordered:
        allowed = ("ordered", "nominal")
    if asked is not None and asked not in allowed:
        raise OptionError(
            f"method {asked!r} does not fit column {name!r}; it may be {' or '.join(allowed)}."
        )
    return asked or allowed[0]
