"""The result of the search for two percentages and their P."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.result import Result
from rnetstats.evidence.worlds_display import first_rows
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MatchingTablesResult"]

_SPANS = {
    "events_1_low": ("events_1", "min"),
    "events_1_high": ("events_1", "max"),
    "n_1_low": ("n_1_low", "min"),
    "n_1_high": ("n_1_high", "max"),
    "events_2_low": ("events_2", "min"),
    "events_2_high": ("events_2", "max"),
    "n_2_low": ("n_2_low", "min"),
    "n_2_high": ("n_2_high", "max"),
    "odds_ratio_low": ("odds_ratio_low", "min"),
    "odds_ratio_high": ("odds_ratio_high", "max"),
    "odds_ratio_conf_low": ("odds_ratio_conf_low", "min"),
    "odds_ratio_conf_high": ("odds_ratio_conf_high", "max"),
    "difference_low": ("difference_low", "min"),
    "difference_high": ("difference_high", "max"),
    "difference_conf_low": ("difference_conf_low", "min"),
    "difference_conf_high": ("difference_conf_high", "max"),
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MatchingTablesResult(Result):
    """Every 2x2 table that prints two percentages and a P; see :func:`rnetstats.matching_tables`.

    Attributes
    ----------
    worlds : DataFrame
        One row a pair of event numbers: ``events_1, events_2, tables`` and how many of them print
        the P by each test (``tables_pearson`` and so on); ranges over these tables:
        ``n_1_low, n_1_high, n_2_low, n_2_high``, ``odds_ratio_low, odds_ratio_high,
        difference_low, difference_high`` (group 1 over, or less, group 2), and the outermost limits
        ``odds_ratio_conf_low, difference_conf_low, odds_ratio_conf_high, difference_conf_high``
        (Woolf, Newcombe). Of a bound only the counts and sizes are known.
    tables : DataFrame
        The first 20,000 tables, one by one, with odds ratio, risk difference, their limits and P by
        each test.
    searched : int
        Tables that print both percentages (and, near the limit of the patients, some beyond it).
    exhaustive : bool
        Whether every table was worked out; else the ranges are a bound.
    conflict : str
        The smallest set of figures that conflict, in words; empty when there are worlds.
    """

    worlds: pd.DataFrame
    tables: pd.DataFrame
    searched: int
    exhaustive: bool = True
    conflict: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return one row a pair of event numbers."""
        return self.worlds.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: how many tables there are, by which test, and their ranges."""
        rows = self.worlds
        row: dict[str, object] = {
            "percent_1": self.options["percent_1"],
            "percent_2": self.options["percent_2"],
            "p": self.options["p"] or "",
            "at_most": self.options["at_most"],
            "searched": self.searched,
            "exhaustive": self.exhaustive,
            "tables": int(rows["tables"].sum()),
        }
        for name in rows.columns:
            if name.startswith("tables_"):
                row[name] = rows[name].sum() if self.exhaustive else np.nan
        for name, (column, end) in _SPANS.items():
            row[name] = rows[column].agg(end) if len(rows) else np.nan
        return pd.DataFrame([row])

    def display(self) -> pd.DataFrame:
        """Return one row a number of events in group 1, as text, of more than 100 the first 20."""
        if self.worlds.empty:
            return pd.DataFrame({"No possible world": [self.conflict]})
        rows = []
        shown = first_rows(self.worlds[["events_1"]].drop_duplicates())["events_1"]
        some = self.worlds[self.worlds["events_1"].isin(shown)]
        for events, part in some.groupby("events_1"):
            row = {
                "Events, group 1": fmt_count(float(events)),  # type: ignore[arg-type]
                "Of patients": _range(part["n_1_low"].min(), part["n_1_high"].max()),
                "Events, group 2": _range(part["events_2"].min(), part["events_2"].max()),
                "of patients": _range(part["n_2_low"].min(), part["n_2_high"].max()),
                "Tables": fmt_count(int(part["tables"].sum())),
            }
            if self.exhaustive:
                row |= {
                    f"by {name.removeprefix('tables_')}": fmt_count(int(part[name].sum()))
                    for name in part.columns
                    if name.startswith("tables_")
                }
                row["Odds ratio"] = _ratios(part)
            rows.append(row)
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the region of possible sizes of the two groups."""
        from rnetstats.plots.worlds_region import draw_region

        return draw_region(
            self.worlds, at_most=self.options["at_most"], nothing=self.conflict, ax=ax
        )


def _ratios(part: pd.DataFrame) -> str:
    """The range of odds ratios, one number where both ends read alike."""
    low, high = part["odds_ratio_low"].min(), part["odds_ratio_high"].max()
    alike = fmt_number(low) == fmt_number(high)
    return fmt_number(low) if alike else fmt_interval(low, high)


def _range(low: float, high: float) -> str:
    return fmt_count(low) if low == high else f"{fmt_count(low)} to {fmt_count(high)}"
