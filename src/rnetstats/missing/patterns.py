"""Which values are missing, and which are missing together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame, column, is_synthetic_data, refuse_cells
from rnetstats._core.result import Result
from rnetstats.errors import ColumnError, OptionError
from rnetstats.formatting import fmt_count, fmt_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MissingPatterns", "missing_patterns"]

_MOST_GROUPS = 20
_SHOWN = 20  # rows of the figure


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MissingPatterns(Result):
    """Patterns of missing values; see :func:`missing_patterns`.

    Attributes
    ----------
    names : tuple of str
        The columns, the fewest missing first.
    observed : bool array of shape (patterns, columns)
    counts : int array of shape (patterns,)
        Rows of each pattern; complete rows first, then by falling count.
    columns_table : DataFrame
        Columns ``column, n, n_missing, share, structural``.
    group_table : DataFrame
        Columns ``column, group, n, n_missing, share``; empty without ``by``.
    """

    names: tuple[str, ...]
    observed: np.ndarray
    counts: np.ndarray
    columns_table: pd.DataFrame
    group_table: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return one row a pattern.

        Returns
        -------
        DataFrame
            A column for each column of the data (True where observed), then ``n``, ``share`` and
            ``n_missing`` (columns missing in the pattern).
        """
        frame = pd.DataFrame(self.observed, columns=list(self.names))
        tail = pd.DataFrame(
            {
                "n": self.counts,
                "share": self.counts / self.counts.sum(),
                "n_missing": (~self.observed).sum(axis=1),
            }
        )
        return pd.concat([frame, tail], axis=1)

    def by_column(self) -> pd.DataFrame:
        """Return ``column, n, n_missing, share, structural``, the fewest missing first.

        ``structural`` counts cells that are empty because nothing applies.
        """
        return self.columns_table.copy()

    def by_group(self) -> pd.DataFrame:
        """Return ``column, group, n, n_missing, share`` for each value of ``by``.

        Raises
        ------
        OptionError
            If ``by`` was not given.
        """
        if self.options["by"] is None:
            raise OptionError("Name a column in by=, such as the outcome.")
        return self.group_table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: rows, complete rows, patterns, missing cells."""
        full = self.observed.all(axis=1)
        return pd.DataFrame(
            [
                {
                    "n": int(self.counts.sum()),
                    "n_complete": int(self.counts[full].sum()),
                    "patterns": len(self.counts),
                    "cells_missing": int(((~self.observed).sum(axis=1) * self.counts).sum()),
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return the patterns as text: the columns missing together, and in how many rows."""
        total = self.counts.sum()
        rows = []
        for seen, count in zip(self.observed, self.counts, strict=True):
            absent = [name for name, there in zip(self.names, seen, strict=True) if not there]
            rows.append(
                {
                    "missing": ", ".join(absent) or "nothing",
                    "n": fmt_count(float(count)),
                    "share": fmt_percent(float(count / total)),
                }
            )
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the patterns, at most the 20 most frequent, of the columns that lack values."""
        from rnetstats.plots.imputed import missing_map
        from rnetstats.plots.style import marked

        shown = np.flatnonzero(~self.observed.all(axis=0))
        if not shown.size:
            shown = np.arange(len(self.names))
        axes = missing_map(
            self.observed[:_SHOWN][:, shown],
            self.counts[:_SHOWN],
            [self.names[j] for j in shown],
            self.columns_table["n_missing"].to_numpy()[shown],
            ax=ax,
        )
        return marked(axes, self.synthetic)


def missing_patterns(
    data: Data, columns: Sequence[str] | None = None, *, by: str | None = None
) -> MissingPatterns:
    """Count which values are missing, alone and together.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        Never changed.
    columns : sequence of str, optional
        By default all.
    by : str, optional
        A column of few values, such as the outcome: missing values are counted in each.

    Returns
    -------
    MissingPatterns
        ``to_frame()`` has a row a pattern, ``by_column()`` a row a column, ``by_group()`` a row a
        column and value of ``by``.

    Raises
    ------
    ColumnError
        If a column does not exist, or ``by`` has more than 20 values.
    DataError
        If the data cannot be used.
    OptionError
        If ``columns`` is no list of names, or empty.

    Examples
    --------
    >>> import rnetstats as rn
    >>> data = {"nlr": [2.1, None, 3.0, None], "ki67": [1, None, 2, 2], "event": [0, 1, 0, 0]}
    >>> found = rn.missing_patterns(data, ["nlr", "ki67"], by="event")
    >>> found.to_frame()[["nlr", "ki67", "n", "n_missing"]]  # True where the value is known
         nlr   ki67  n  n_missing
    0   True   True  2          0
    1  False   True  1          1
    2  False  False  1          2
    >>> found.by_group().round(2)
      column group  n  n_missing  share
    0   ki67     0  3          0   0.00
    1   ki67     1  1          1   1.00
    2    nlr     0  3          1   0.33
    3    nlr     1  1          1   1.00
    """
    frame = as_frame(data)
    if isinstance(columns, str) or not isinstance(columns, Iterable | None):
        raise OptionError(f"columns must be a list of names, not {columns!r}.")
    asked = list(frame.columns) if columns is None else list(dict.fromkeys(columns))
    if not asked:
        raise OptionError("columns is empty; name at least one column.")
    lacking = np.column_stack([column(frame, name).isna().to_numpy(dtype=bool) for name in asked])
    order = np.argsort(lacking.sum(axis=0), kind="stable")
    names, lacking = tuple(str(asked[j]) for j in order), lacking[:, order]
    observed, counts = _patterns(lacking)
    structural = frame.attrs.get("rnetstats", {}).get("structural", {})
    per_column = pd.DataFrame(
        {
            "column": list(names),
            "n": len(frame),
            "n_missing": lacking.sum(axis=0),
            "share": lacking.mean(axis=0),
            "structural": [int(structural.get(name, 0)) for name in names],
        }
    )
    return MissingPatterns(
        names=names,
        observed=observed,
        counts=counts,
        columns_table=per_column,
        group_table=_by_group(frame, by, names, lacking),
        synthetic=is_synthetic_data(data),
        notes=_notes(per_column),
        options={"columns": list(names), "by": by},
    )


def _patterns(lacking: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows and their counts: complete rows first, then the most frequent."""
    distinct, counts = np.unique(lacking, axis=0, return_counts=True)
    order = np.lexsort((distinct.sum(axis=1), -counts, distinct.any(axis=1)))
    return ~distinct[order], counts[order]


def _by_group(
    frame: pd.DataFrame, by: str | None, names: tuple[str, ...], lacking: np.ndarray
) -> pd.DataFrame:
    heads = ["column", "group", "n", "n_missing", "share"]
    if by is None:
        return pd.DataFrame({name: [] for name in heads})
    values = column(frame, by)
    refuse_cells(by, values)
    groups = values.dropna().unique().tolist()
    if len(groups) > _MOST_GROUPS:
        raise ColumnError(
            f"Column {by!r} has {len(groups)} values; by= takes at most {_MOST_GROUPS}. Group them."
        )
    if isinstance(values.dtype, pd.CategoricalDtype):
        groups = [level for level in values.cat.categories.tolist() if level in groups]
    else:
        groups = _in_order(groups)
    rows = []
    for j, name in enumerate(names):
        if name == by:
            continue
        for group in groups:
            inside = (values == group).to_numpy(dtype=bool, na_value=False)
            k = int(lacking[inside, j].sum())
            n = int(inside.sum())
            rows.append((name, str(group), n, k, k / n))
    return pd.DataFrame(rows, columns=heads)


def _in_order(values: list[Any]) -> list[Any]:
    """Sort numbers before text; values of other kinds beside them by their text."""
    try:
        return sorted(values, key=lambda v: (isinstance(v, str), v))
    except TypeError:
        return sorted(values, key=str)


def _notes(table: pd.DataFrame) -> tuple[str, ...]:
    notes = []
    if not table["n_missing"].any():
        notes.append("Nothing is missing in these columns.")
    empty = table.loc[table["n_missing"] == table["n"], "column"]
    notes += [f"{name}: holds no values at all." for name in empty]
    notes += [
        f"{row['column']}: {row['structural']} of the {row['n_missing']} cells are empty because "
        "nothing applies there; they are not missing values."
        for row in table[table["structural"] > 0].to_dict("records")
    ]
    return tuple(notes)
