"""Writing imputed values into a copy of the data, in the types that the columns have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionDtype

from rnetstats.formula.variables import Floats, read_variable
from rnetstats.missing.columns import Column
from rnetstats.missing.passive import Passive

__all__ = ["written"]


def written(
    frame: pd.DataFrame,
    targets: Sequence[Column],
    values: Mapping[str, Floats],
    passive: Sequence[Passive] = (),
) -> pd.DataFrame:
    """Return a copy with the missing cells of the targets filled.

    Parameters
    ----------
    frame : DataFrame
    targets : sequence of Column
    values : mapping
        For each target the values, or codes of levels, of its missing rows.
    passive : sequence of Passive
        Computed from the completed columns, where the data do not hold them.

    Returns
    -------
    DataFrame
        Row labels, the order of rows and columns, types, categories and attrs are kept.
    """
    out = frame.copy()
    for column in targets:
        if column.name in values:
            out[column.name] = _filled(frame[column.name], column, values[column.name])
    for part in passive:
        made = part.values({name: read_variable(out, name) for name in part.sources})
        if part.name in out.columns:
            found = out[part.name].isna().to_numpy()
            made = np.where(found, made, out[part.name].to_numpy(dtype=float, na_value=np.nan))
        out[part.name] = made
    return out


def _filled(series: pd.Series[Any], column: Column, drawn: Floats) -> pd.Series[Any]:
    """Return one column with its missing cells filled."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        codes = series.cat.codes.to_numpy().copy()
        codes[column.missing] = column.codes[drawn.astype(np.intp)]
        made: Any = pd.Categorical.from_codes(codes, dtype=dtype)
        return pd.Series(made, index=series.index, name=series.name)
    if isinstance(dtype, pd.SparseDtype):  # whose cells cannot be set
        return _filled(series.astype(dtype.subtype), column, drawn).astype(dtype)
    whole = bool((drawn == np.round(drawn)).all())
    if isinstance(dtype, ExtensionDtype) and dtype.kind in "iu" and not whole:
        series = series.astype("float64")  # nullable integers take no fractions
    filled = series.copy()
    filled.iloc[np.flatnonzero(column.missing)] = _cells(series, column, drawn)
    return filled


def _cells(series: pd.Series[Any], column: Column, drawn: Floats) -> Any:
    """Return the drawn values as cells of the column's type."""
    if column.levels:
        return np.array([column.levels[int(code)] for code in drawn], dtype=object)
    kind = getattr(series.dtype, "kind", "O")
    if kind == "f":
        return drawn
    if kind in "iu":
        return drawn.astype(np.int64) if bool((drawn == np.round(drawn)).all()) else drawn
    if kind == "b":
        return drawn.astype(bool)
    known = [cell for cell in series[~column.missing].tolist() if not pd.isna(cell)]
    cells = np.empty(len(drawn), dtype=object)
    if all(isinstance(cell, (bool, np.bool_)) for cell in known):
        cells[:] = [bool(value) for value in drawn]
    elif all(isinstance(cell, (int, np.integer)) for cell in known):
        cells[:] = [int(value) if value.is_integer() else float(value) for value in drawn]
    else:
        cells[:] = [float(value) for value in drawn]
    return cells
