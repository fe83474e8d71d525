"""Strict JSON for results: frames, arrays and missing numbers survive a round trip.

JSON has no NaN, no infinity, no tuple and no array. A non-finite number is written as
``{"$number": "NaN"}``, an array as ``{"$array": ...}`` and a frame as ``{"$frame": ...}``; all
else is plain. The text is therefore valid for every strict parser.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from rnetstats.errors import RnetError

__all__ = ["decode", "encode"]

_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def _number(value: float) -> float | dict[str, str]:
    if math.isfinite(value):
        return value
    name = "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return {"$number": name}


def _array(values: np.ndarray) -> dict[str, Any]:
    kind = values.dtype.kind
    if kind not in "biufOUT":
        raise RnetError(f"An array of type {values.dtype} cannot be written as JSON.")
    dtype = "object" if kind in "OUT" else values.dtype.str
    data = _items(values.ravel())
    return {"$array": {"dtype": dtype, "shape": list(values.shape), "data": data}}


def _items(values: np.ndarray | pd.Series) -> list[Any]:
    """Return each item encoded; what is plain already, nearly all of it, at once."""
    items: list[Any] = values.tolist()
    if isinstance(values.dtype, np.dtype):
        kind = values.dtype.kind
        if kind in "biu" or (kind == "f" and all(map(math.isfinite, items))):
            return items
    return [encode(item) for item in items]


def _column(values: pd.Series) -> dict[str, Any]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return {
            "dtype": "category",
            "levels": [encode(level) for level in values.cat.categories.tolist()],
            "ordered": bool(values.cat.ordered),
            "data": values.cat.codes.tolist(),
        }
    # "str" is the text column of pandas 3; pandas 2 reads the name as object, its own
    named = getattr(values.dtype, "kind", "O") in "biuf" or values.dtype == "str"
    dtype = str(values.dtype) if named else "object"
    return {"dtype": dtype, "data": _items(values)}


def encode(value: Any) -> Any:
    """Turn ``value`` into plain JSON types.

    Parameters
    ----------
    value : bool, int, float, str, None, mapping, sequence, ndarray or DataFrame
        Mappings need text keys.

    Returns
    -------
    object
        Dictionaries, lists, text, finite numbers, booleans and None only.

    Raises
    ------
    RnetError
        If a value has no form in JSON.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.longdouble):  # its item is itself
        return _number(float(value))
    if isinstance(value, np.generic):
        return encode(value.item())
    if isinstance(value, int):
        return value
    if isinstance(value, (Real, Decimal)):  # fractions too
        return _number(float(value))
    if isinstance(value, Mapping):
        if any(not isinstance(key, str) for key in value):
            raise RnetError("A dictionary needs text keys to be written as JSON.")
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, pd.DataFrame):
        columns = [[str(name), _column(value[name])] for name in value.columns]
        return {"$frame": {"rows": len(value), "columns": columns}}
    raise RnetError(f"A value of type {type(value).__name__} cannot be written as JSON.")


def _decode_frame(body: Mapping[str, Any]) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name, stored in body["columns"]:
        if stored["dtype"] == "category":
            levels = pd.Index([decode(level) for level in stored["levels"]])
            columns[name] = pd.Categorical.from_codes(
                np.asarray(stored["data"], dtype=np.int64),
                categories=levels,
                ordered=stored["ordered"],
            )
        else:
            data = [decode(item) for item in stored["data"]]
            columns[name] = pd.Series(data, dtype=stored["dtype"])
    return pd.DataFrame(columns, index=pd.RangeIndex(body["rows"]))


def decode(value: Any) -> Any:
    """Reverse :func:`encode`; sequences come back as tuples."""
    if isinstance(value, dict):
        if "$number" in value:
            return _NON_FINITE[value["$number"]]
        if "$array" in value:
            body = value["$array"]
            data = [decode(item) for item in body["data"]]
            flat = np.empty(len(data), dtype=object)
            flat[:] = data
            return flat.astype(np.dtype(body["dtype"])).reshape(body["shape"])
        if "$frame" in value:
            return _decode_frame(value["$frame"])
        return {key: decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(decode(item) for item in value)
    return value
