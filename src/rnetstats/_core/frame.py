"""Columns of the caller's data: a DataFrame or any mapping, never changed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from rnetstats.errors import ColumnError, DataError, closest

__all__ = [
    "Data",
    "as_frame",
    "codes_of",
    "column",
    "is_synthetic",
    "is_synthetic_data",
    "label_of",
    "refuse_cells",
    "refuse_name",
    "time_unit",
]

Data: TypeAlias = pd.DataFrame | Mapping[str, Any]

_SEVERAL = (list, tuple, dict, set, frozenset, np.ndarray, pd.Series, pd.DataFrame)


def as_frame(data: Data) -> pd.DataFrame:
    """Return ``data`` as a DataFrame (the same object if it is one already).

    Raises
    ------
    DataError
        If it is no table, has no rows, its columns differ in length, or one of a mapping's columns
        is no list of single values.
    ColumnError
        If a column's name occurs twice or has several levels.
    """
    if isinstance(data, pd.DataFrame):
        frame = data
    elif isinstance(data, Mapping):
        frame = _from_mapping(data)
    else:
        kind = f"{type(data).__module__}.{type(data).__qualname__}".removeprefix("builtins.")
        hint = " Give its .to_pandas()." if hasattr(data, "to_pandas") else ""
        raise DataError(f"data must be a DataFrame or a mapping of columns, not {kind}.{hint}")
    if frame.columns.nlevels > 1:
        raise ColumnError(
            f"The columns have names of {frame.columns.nlevels} levels, such as "
            f"{frame.columns[0]!r}; join them into one name a column."
        )
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()].unique().tolist()
        raise ColumnError(f"The column name {twice[0]!r} occurs more than once; rename one.")
    if len(frame) == 0:
        raise DataError("The data have no rows.")
    return frame


def _from_mapping(data: Mapping[str, Any]) -> pd.DataFrame:
    columns: dict[str, pd.Series] = {}
    for key, values in data.items():
        name = str(key)
        if name in columns:
            raise ColumnError(f"The column name {name!r} occurs more than once; rename one.")
        columns[name] = _series(name, values)
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name}: {n}" for name, n in lengths.items())
        raise DataError(f"The columns differ in length ({listed}).")
    return pd.DataFrame(columns)


def _series(name: str, values: object) -> pd.Series:
    """Return one column of a mapping, one value a row, by position."""
    _refuse_shape(name, values)
    try:
        if isinstance(values, pd.Series):  # an index of its own must not realign it
            series = values.reset_index(drop=True)
        else:
            series = pd.Series(values)
    except (NotImplementedError, TypeError, ValueError) as error:
        raise DataError(f"Column {name!r} cannot be read as a column of data ({error}).") from error
    if series.dtype == object:
        refuse_cells(name, series)
    return series


def _refuse_shape(name: str, values: object) -> None:
    """Refuse what is no column at all: one value, a table, values in no order."""
    kind = type(values).__name__
    shape = getattr(values, "shape", None)
    if isinstance(values, str | bytes) or shape == () or not isinstance(values, Iterable):
        raise DataError(f"Column {name!r} is a single value ({kind}); give one value a row.")
    if shape is not None and len(shape) > 1:
        size = " x ".join(str(n) for n in shape)
        raise DataError(
            f"Column {name!r} is a table ({size}); columns are one-dimensional: "
            "give each of its columns a name of its own."
        )
    if isinstance(values, Mapping) or not hasattr(values, "__getitem__"):
        raise DataError(
            f"Column {name!r} is a {kind}, whose values stand in no rows; give a list or an array."
        )


def refuse_cells(name: str, series: pd.Series) -> None:
    """Refuse a column of which a row (counted from 1) holds several values.

    Raises
    ------
    DataError
    """
    for row, value in enumerate(series, start=1):
        if isinstance(value, _SEVERAL):
            raise DataError(
                f"Column {name!r} holds several values in row {row} "
                f"({type(value).__name__}); give one value a row."
            )


def refuse_name(name: object) -> None:
    """Refuse a column's name that is a number or the like: no formula could name it.

    Raises
    ------
    ColumnError
    """
    _refuse_values(name)
    if not isinstance(name, str):
        raise ColumnError(
            f"The column name {name!r} is no text; rename the column, or all of them with "
            "data.columns = data.columns.astype(str)."
        )


def _refuse_values(name: object) -> None:
    """Refuse what holds a column's values where its name is asked for."""
    if isinstance(name, (pd.Series, pd.DataFrame, pd.Index, np.ndarray)):
        kind = "array" if isinstance(name, np.ndarray) else type(name).__name__
        article = "An" if kind[0] in "aI" else "A"
        raise ColumnError(f"{article} {kind} names no column: give the column's name.")


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return one column, or a :class:`ColumnError` that names the nearest one."""
    _refuse_values(name)
    if not isinstance(name, Hashable) or name not in frame.columns:
        for there in frame.columns:
            if isinstance(name, str) and str(there) == name:
                refuse_name(there)
        hint = closest(str(name), (str(c) for c in frame.columns))
        shown = ", ".join(str(c) for c in list(frame.columns)[:12])
        more = ", ..." if len(frame.columns) > 12 else ""
        raise ColumnError(f"There is no column {name!r}.{hint} The columns are: {shown}{more}.")
    return frame[name]


def _attrs(frame: pd.DataFrame) -> Mapping[str, Any]:
    stored = frame.attrs.get("rnetstats", {})
    return stored if isinstance(stored, Mapping) else {}


def label_of(frame: pd.DataFrame, name: str) -> str:
    """Return the column's label with its unit, e.g. ``'Tumour size (mm)'``, or its name.

    Labels live in ``frame.attrs["rnetstats"]["labels"]`` and ``["units"]``; losing them changes
    what is printed, never a number.
    """
    attrs = _attrs(frame)
    text = str(attrs.get("labels", {}).get(name, name))
    unit = attrs.get("units", {}).get(name)
    return f"{text} ({unit})" if unit else text


def time_unit(frame: pd.DataFrame, name: str) -> str:
    """Return the unit of a column of times, as its label or name says it; empty if neither does."""
    near = f"{label_of(frame, name)} {name}".casefold()
    return next((unit for unit in ("months", "days", "years", "weeks") if unit in near), "")


def codes_of(frame: pd.DataFrame, name: str) -> dict[str, str]:
    """Return what each code of a column means, as its codebook says; nothing without one."""
    known = _attrs(frame).get("codes", {}).get(name, {})
    return {str(code): str(text) for code, text in known.items()}


def is_synthetic(frame: pd.DataFrame) -> bool:
    """Say whether the cohort was drawn rather than observed."""
    return bool(_attrs(frame).get("synthetic", False))


def is_synthetic_data(data: Data) -> bool:
    """Say whether a frame is a drawn cohort; a mapping carries no such mark."""
    return isinstance(data, pd.DataFrame) and is_synthetic(data)
