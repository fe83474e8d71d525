"""Which rows of the data an analysis uses, and with what weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from rnetstats._core.options import choice
from rnetstats.errors import DataError, OptionError
from rnetstats.formula.variables import (
    Floats,
    Integers,
    Variable,
    read_open_ended,
    read_variable,
    row_numbers,
)
from rnetstats.kernels.same_times import merged_times

__all__ = ["Rows", "Weights", "select_rows"]

Weights: TypeAlias = Mapping[str, Any]
_WEIGHTS = ("freq_weights", "sampling_weights")


@dataclass(slots=True, eq=False)
class Rows:
    """The rows used, their columns and weights.

    Attributes
    ----------
    variables
        The columns, without the rows that were left out.
    positions
        Places (n,) of the rows used in the data as given, from 0.
    n_missing
        How many rows were left out for a missing value.
    missing_columns
        For each column with missing values, how many.
    """

    variables: dict[str, Variable]
    positions: Integers
    n_missing: int = 0
    missing_columns: dict[str, int] = field(default_factory=dict)
    freq_weights: Floats | None = None
    sampling_weights: Floats | None = None
    notes: list[str] = field(default_factory=list)

    def merged(self, times: list[Floats]) -> list[Floats]:
        """Return times (n,), those that differ by rounding alone as the earliest; a note says so.

        Infinite times stay as they are.
        """
        finite = [np.isfinite(values) for values in times]
        given = [values[known] for values, known in zip(times, finite, strict=True)]
        found = merged_times(given)
        if found is given:
            return times
        self.notes.append("Times that differ by rounding alone (a share of 1e-10) count as ties.")
        merged = [values.copy() for values in times]
        for values, known, part in zip(merged, finite, found, strict=True):
            values[known] = part
        return merged


def select_rows(
    frame: pd.DataFrame,
    columns: Iterable[str],
    weights: Weights | None,
    missing: str,
    *,
    open_ended: str | None = None,
) -> Rows:
    """Read columns and weights, and leave out rows with missing values.

    Rows of frequency weight 0 stand for no patient and are left out too, with a note. In the
    column ``open_ended``, the right ends of intervals, a missing value means no right end
    (infinite), and nothing is left out for it.

    Raises
    ------
    DataError
        Missing values under ``missing="raise"``, no complete row, or weights that are missing,
        negative, or (frequency weights) fractional.
    """
    choice("missing", missing, ("drop", "raise"))
    n = len(frame)
    variables = {
        name: read_open_ended(frame, name) if name == open_ended else read_variable(frame, name)
        for name in columns
    }
    rows = Rows(variables, np.arange(n))
    read = {name: _weights(frame, name, value) for name, value in _asked(weights).items()}
    keep = _complete(rows, n, missing)
    freq = read.get("freq_weights")
    if freq is not None and not freq.all():
        zero = int(np.count_nonzero(freq == 0))
        rows.notes.append(f"{zero} of {n} rows left out for a frequency weight of 0.")
        keep = freq > 0 if keep is None else keep & (freq > 0)
    if keep is not None:
        rows.positions = np.flatnonzero(keep)
        if not len(rows.positions):
            listed = ", ".join(f"{name} ({k})" for name, k in rows.missing_columns.items())
            raise DataError(f"No complete row is left of {n}; missing values are in {listed}.")
        rows.variables = {name: v.take(rows.positions) for name, v in variables.items()}
        read = {name: values[rows.positions] for name, values in read.items()}
    rows.freq_weights = read.get("freq_weights")
    rows.sampling_weights = read.get("sampling_weights")
    return rows


def _complete(rows: Rows, n: int, missing: str) -> Any:
    """Return which rows are complete (None if all are) and count what is missing."""
    lacking = {name: v.missing for name, v in rows.variables.items() if v.missing is not None}
    if not lacking:
        return None
    rows.missing_columns = {name: int(flags.sum()) for name, flags in lacking.items()}
    if missing == "raise":
        listed = "; ".join(f"{name}: {row_numbers(flags)}" for name, flags in lacking.items())
        raise DataError(f"Values are missing ({listed}). missing='drop' leaves these rows out.")
    dropped = np.logical_or.reduce(list(lacking.values()))
    rows.n_missing = int(dropped.sum())
    listed = ", ".join(f"{name} ({k})" for name, k in rows.missing_columns.items())
    rows.notes.append(f"{rows.n_missing} of {n} rows left out for missing values: {listed}.")
    return ~dropped


def _asked(weights: Weights | None) -> dict[str, Any]:
    given = {} if weights is None else dict(weights)
    for name in given:
        if name not in _WEIGHTS:
            raise OptionError(f"{name!r} are no weights; they are {' or '.join(_WEIGHTS)}.")
    return {name: value for name, value in given.items() if value is not None}


def _weights(frame: pd.DataFrame, kind: str, value: Any) -> Floats:
    if isinstance(value, str):
        variable = read_variable(frame, value)
        values, name = variable.numbers(kind), f"{kind} (column {value!r})"
    else:
        values, name = _weight_array(frame, kind, value), kind
    for flags, what in ((np.isnan(values), "missing"), (np.isinf(values), "infinite")):
        if flags.any():
            raise DataError(f"The {name} are {what} in {row_numbers(flags)}.")
    if (values < 0).any():
        raise DataError(f"The {name} are negative in {row_numbers(values < 0)}.")
    if kind == "freq_weights":
        fractional = values != np.floor(values)
        if fractional.any():
            raise DataError(
                f"The {name} count rows, but are no whole numbers in {row_numbers(fractional)}; "
                "weights of sampling are sampling_weights=, where a verb takes them."
            )
    if not values.any():
        raise DataError(f"The {name} are all 0.")
    return values


def _weight_array(frame: pd.DataFrame, kind: str, value: Any) -> Floats:
    if isinstance(value, pd.Series) and not value.index.equals(frame.index):
        raise DataError(
            f"The {kind} and the data have different row labels (index); "
            "give an array to go by position."
        )
    try:
        values = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"The {kind} must be a column's name or numbers, one a row.") from None
    if values.shape != (len(frame),):
        raise DataError(f"The {kind} have shape {values.shape}; the data have {len(frame)} rows.")
    return values
