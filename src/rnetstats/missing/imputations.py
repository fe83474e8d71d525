"""The completed data sets: a frozen sequence of DataFrames, drawn once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import pandas as pd

from rnetstats._core.frame import label_of
from rnetstats._core.result import Result
from rnetstats.errors import OptionError, closest
from rnetstats.formatting import fmt_count, fmt_number, fmt_percent
from rnetstats.missing.imputer import Imputer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Imputations", "summary_table"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Imputations(Result, Sequence[pd.DataFrame]):
    """Completed data sets; see :func:`rnetstats.impute`.

    A sequence: ``len(imputed)``, ``imputed[0]``, ``for d in imputed``. Each access makes a fresh
    DataFrame, so that changing one changes nothing here. Written to JSON are the counts and the
    means and SDs of the chains; patients' values, observed or imputed, never.

    Attributes
    ----------
    m : int
        Number of data sets.
    n : int
        Rows.
    table : DataFrame
        Columns ``column, label, method, n_missing, share, observed_mean, observed_sd,
        imputed_mean, imputed_sd``, one row a column imputed; for factors the codes of the levels
        from 0.
    chains : array of shape (m, iterations, columns, 2)
        Mean and SD of the imputed values.
    imputer : Imputer or None
    values : tuple of dict or None
        The drawn values of each data set; never written.
    """

    m: int
    n: int
    table: pd.DataFrame
    chains: np.ndarray
    imputer: Imputer | None = field(default=None, metadata={"rows": True})
    values: tuple[dict[str, Any], ...] | None = field(default=None, metadata={"rows": True})

    def __len__(self) -> int:
        return self.m

    @overload
    def __getitem__(self, index: int) -> pd.DataFrame: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[pd.DataFrame, ...]: ...

    def __getitem__(self, index: int | slice) -> pd.DataFrame | tuple[pd.DataFrame, ...]:
        if isinstance(index, slice):
            return tuple(self[k] for k in range(*index.indices(self.m)))
        made: Imputer = self._need("imputer", "A completed data set")
        values = self._need("values", "A completed data set")
        if not -self.m <= index < self.m:
            raise IndexError(f"There are {self.m} data sets, numbered from 0; not {index}.")
        return made.completed(values[index])

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return (self[k] for k in range(self.m))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a column imputed: counts, and means of observed and imputed values."""
        return self.table.copy()

    def trace(self) -> pd.DataFrame:
        """Return the chains.

        Returns
        -------
        DataFrame
            Columns ``column, imputation, iteration, mean, sd`` of the imputed values; for factors
            of the codes of the levels from 0.
        """
        m, rounds, width = self.chains.shape[:3]
        names = self.table["column"].tolist()
        return pd.DataFrame(
            {
                "column": np.tile(np.array(names, dtype=object), m * rounds),
                "imputation": np.repeat(np.arange(1, m + 1), rounds * width),
                "iteration": np.tile(np.repeat(np.arange(1, rounds + 1), width), m),
                "mean": self.chains[..., 0].ravel(),
                "sd": self.chains[..., 1].ravel(),
            }
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: data sets, iterations, rows, columns imputed, cells imputed."""
        return pd.DataFrame(
            [
                {
                    "imputations": self.m,
                    "iterations": self.chains.shape[1],
                    "n": self.n,
                    "n_incomplete": self.options.get("n_incomplete", 0),
                    "columns_imputed": len(self.table),
                    "cells_imputed": int(self.table["n_missing"].sum()) if len(self.table) else 0,
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text."""
        rows = [
            {
                "column": row["label"],
                "method": row["method"],
                "missing": f"{fmt_count(row['n_missing'])} ({fmt_percent(row['share'])})",
                "observed mean (SD)": _mean_sd(row["observed_mean"], row["observed_sd"]),
                "imputed mean (SD)": _mean_sd(row["imputed_mean"], row["imputed_sd"]),
            }
            for row in self.table.to_dict("records")
        ]
        if not rows:
            rows = [dict.fromkeys(("column", "method", "missing"), "–")]
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None, *, column: str | None = None) -> Axes:
        """Draw the chains of one column, by default the one with the most missing values.

        Lines that mix and do not drift speak for convergence.
        """
        from rnetstats.plots.imputed import chain_lines
        from rnetstats.plots.style import marked

        names = self.table["column"].tolist()
        if not names:
            raise OptionError("Nothing was imputed: there is no chain to draw.")
        chosen = names[-1] if column is None else column
        if chosen not in names:
            raise OptionError(f"{chosen!r} was not imputed.{closest(str(chosen), names)}")
        label = str(self.table["label"].iloc[names.index(chosen)])
        axes = chain_lines(self.trace(), column=chosen, label=label, ax=ax)
        return marked(axes, self.synthetic)


def _mean_sd(mean: float, sd: float) -> str:
    return f"{fmt_number(mean)} ({fmt_number(sd)})"


def summary_table(made: Imputer, values: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return the rows of :meth:`Imputations.to_frame`."""
    about = made.frame.head(0)
    about.attrs = made.attrs
    rows = []
    for column in made.targets:
        known = column.values[~column.missing]
        drawn = np.concatenate([part[column.name] for part in values])
        rows.append(
            {
                "column": column.name,
                "label": label_of(about, column.name),
                "method": column.method,
                "n_missing": int(column.missing.sum()),
                "share": float(column.missing.mean()),
                "observed_mean": float(known.mean()),
                "observed_sd": float(known.std(ddof=1)) if len(known) > 1 else 0.0,
                "imputed_mean": float(drawn.mean()),
                "imputed_sd": float(drawn.std(ddof=1)) if len(drawn) > 1 else 0.0,
            }
        )
    names = ("column", "label", "method", "n_missing", "share")
    more = ("observed_mean", "observed_sd", "imputed_mean", "imputed_sd")
    return pd.DataFrame(rows, columns=[*names, *more])
