"""Tables of counts as the exact verbs take them: checked, with names of rows and columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rnetstats.errors import DataError

__all__ = ["CountTable", "count_table"]


@dataclass(frozen=True)
class CountTable:
    """Counts with names.

    Attributes
    ----------
    counts : ndarray of int, shape (r, c)
        Rows are groups, columns outcomes.
    rows, columns : tuple of str
        Their names.
    notes : tuple of str
        What the reader should know about how the table was made.
    synthetic : bool
        Whether they were counted in a synthetic cohort.
    """

    counts: np.ndarray
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    def frame(self) -> pd.DataFrame:
        """The counts, one row a group, the group's name in the first column."""
        body = {name: self.counts[:, j] for j, name in enumerate(self.columns)}
        return pd.DataFrame({"group": list(self.rows), **body})


def count_table(table: Any) -> CountTable:
    """Check a 2-D table of counts.

    Parameters
    ----------
    table : DataFrame or array-like, shape (r, c)
        Whole, non-negative counts; a DataFrame's index and columns are the names.

    Raises
    ------
    DataError
        If it has another shape, a count that is negative, missing or not whole, or a group without
        anybody.
    """
    if isinstance(table, pd.DataFrame):
        rows = tuple(str(name) for name in table.index)
        columns = tuple(str(name) for name in table.columns)
    else:
        shape = np.shape(table)
        if len(shape) != 2:
            raise DataError(
                "A table of counts must have rows and columns, e.g. [[9, 172], [3, 343]]; for one "
                'row a patient give a formula too, e.g. "recurrence ~ margin_positive".'
            )
        rows = tuple(f"group {i + 1}" for i in range(shape[0]))
        columns = _outcome_names(shape[1])
    try:
        values = np.asarray(table, dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(
            "The table must hold counts only. For one row a patient give a formula too, e.g. "
            '"recurrence ~ margin_positive".'
        ) from error
    return CountTable(_whole(values, rows), rows, columns)


def _outcome_names(number: int) -> tuple[str, ...]:
    if number == 2:
        return ("event", "no event")
    return tuple(f"outcome {j + 1}" for j in range(number))


def _whole(values: np.ndarray, rows: tuple[str, ...]) -> np.ndarray:
    if values.shape[0] < 2 or values.shape[1] < 2:
        raise DataError(
            f"A table needs at least two groups and two outcomes, not {values.shape[0]} x "
            f"{values.shape[1]}."
        )
    wrong = ~np.isfinite(values) | (values < 0) | (values != np.floor(values))
    if wrong.any():
        i, j = np.argwhere(wrong)[0]
        raise DataError(
            f"Counts must be whole and not negative; row {i + 1}, column {j + 1} holds "
            f"{values[i, j]:g}."
        )
    counts = values.astype(np.int64)
    empty = np.flatnonzero(counts.sum(axis=1) == 0)
    if empty.size:
        raise DataError(f"Nobody is in {rows[int(empty[0])]!r}; leave that row out.")
    return counts
