"""The result of the search for counts behind a percentage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.result import Result
from rnetstats.errors import BudgetError
from rnetstats.evidence.checks_printed import ROUNDINGS
from rnetstats.evidence.worlds_display import first_rows
from rnetstats.formatting import fmt_count, fmt_interval
from rnetstats.tables.proportion_limits import clopper_pearson_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RULE_COLUMNS", "MatchingCountsResult"]

RULE_COLUMNS = {rule: rule.replace("-", "_") for rule in ROUNDINGS}
_MOST_PAIRS = 2_000_000


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MatchingCountsResult(Result):
    """Every count that prints a percentage; see :func:`rnetstats.matching_counts`.

    Attributes
    ----------
    worlds : DataFrame
        One row a number of events: ``events, n_low, n_high`` (every n between them prints the
        percentage), ``pairs`` of them, how many pairs print so by each rule that was asked for
        (``half_up, half_even, truncate``), ``conf_low, conf_high`` (exact limits of the share,
        the outermost over the row).
    percent : str
        As printed.
    conflict : str
        The smallest set of figures that conflict, in words; empty when there are worlds.
    """

    worlds: pd.DataFrame
    percent: str
    conflict: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return one row a number of events."""
        return self.worlds.copy()

    def pairs(self) -> pd.DataFrame:
        """Return every pair of events and patients: ``events, n, share, conf_low, conf_high``.

        Raises
        ------
        BudgetError
            Above two million pairs.
        """
        rows = self.worlds
        total = int(rows["pairs"].sum())
        if total > _MOST_PAIRS:
            raise BudgetError(f"There are {total:,} pairs; at most {_MOST_PAIRS:,} are listed.")
        events, n = _expanded(rows)
        low, high = clopper_pearson_limits(events, n, self.options["conf_level"])
        frame = pd.DataFrame({"events": events, "n": n, "share": events / n})
        listed = frame.assign(conf_low=low, conf_high=high).sort_values(["n", "events"])
        return listed.reset_index(drop=True)

    @property
    def _by_rule(self) -> dict[str, str]:
        """Column of each rule of rounding that was asked for."""
        return {rule: RULE_COLUMNS[rule] for rule in self.options["rounding"]}

    def glance(self) -> pd.DataFrame:
        """Return one row: how many pairs there are, and their ranges."""
        rows = self.worlds
        some = len(rows) > 0
        ends = {
            "events_low": rows["events"].min() if some else np.nan,
            "events_high": rows["events"].max() if some else np.nan,
            "n_low": rows["n_low"].min() if some else np.nan,
            "n_high": rows["n_high"].max() if some else np.nan,
            "conf_low": rows["conf_low"].min() if some else np.nan,
            "conf_high": rows["conf_high"].max() if some else np.nan,
        }
        counts = {name: int(rows[name].sum()) for name in ("pairs", *self._by_rule.values())}
        return pd.DataFrame([{"percent": self.percent, **counts, **ends}])

    def display(self) -> pd.DataFrame:
        """Return the counts as text, of more than 100 the first 20."""
        if self.worlds.empty:
            return pd.DataFrame({"No possible world": [self.conflict]})
        limits = f"{100 * self.options['conf_level']:g} % limits, %"
        rows = [
            {
                "Events": fmt_count(row["events"]),
                "Of patients": _range(row["n_low"], row["n_high"]),
                "Pairs": fmt_count(row["pairs"]),
                **{rule: fmt_count(row[column]) for rule, column in self._by_rule.items()},
                limits: fmt_interval(100 * row["conf_low"], 100 * row["conf_high"], 1),
            }
            for _, row in first_rows(self.worlds).iterrows()
        ]
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the exact limits of each possible count."""
        from rnetstats.plots.worlds_counts import draw_counts

        return draw_counts(
            self.worlds,
            percent=float(self.options["value"]),
            conf_level=self.options["conf_level"],
            nothing=self.conflict,
            ax=ax,
        )


def _expanded(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    sizes = rows["pairs"].to_numpy()
    start = np.repeat(np.cumsum(sizes) - sizes, sizes)
    n = np.repeat(rows["n_low"].to_numpy(), sizes) + np.arange(int(sizes.sum())) - start
    return np.repeat(rows["events"].to_numpy(), sizes), n


def _range(low: float, high: float) -> str:
    return fmt_count(low) if low == high else f"{fmt_count(low)} to {fmt_count(high)}"
