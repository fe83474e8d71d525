"""The result of going through every split of the events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.options import positive_int
from rnetstats._core.result import Result
from rnetstats.errors import DataError
from rnetstats.evidence.worlds_deaths import logrank_of, made_cohort
from rnetstats.evidence.worlds_display import first_rows
from rnetstats.evidence.worlds_shares import logrank_z, two_sided_z
from rnetstats.formatting import fmt_count, fmt_p, fmt_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["EventSplitsResult", "first_worse"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class EventSplitsResult(Result):
    """Every split of the events; see :func:`rnetstats.event_splits`.

    Attributes
    ----------
    splits : DataFrame
        One row a split: ``events_1, events_2, risk_1, risk_2, risk_difference, fisher_p, mid_p``;
        ``side`` (whether group 1 fares worse or better) and ``verdict`` (the same where Fisher's P
        is below the level, else "not significant"); ``logrank_p, binomial_p`` at the share of time
        in the options; ``share_logrank, share_exact``, the largest share of the time at risk that
        group 1 may hold for its events to be significantly too many (0 when none is small enough),
        ``share_better_logrank, share_better_exact``, the smallest for significantly too few (1
        when none is large enough). With ``deaths=True`` also ``deaths_to_worse,
        deaths_to_not_worse``: the fewest deaths, all in group 1 or all in group 2, after which the
        log-rank test does or does not say worse, missing where the patients are too few. With a
        number of deaths ``deaths_1_worse_from, deaths_1_better_to``: how many of them must have
        been in group 1.
    """

    splits: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return one row a split."""
        return self.splits.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: where significance begins, and what the next split would need.

        ``worse_from`` and ``better_to`` are by Fisher's test, those with a suffix by mid-P and by
        the log-rank test; ``next_split`` has one event less than ``worse_from``, and
        ``next_share_logrank``, ``next_share_exact`` the shares of time at which it would do.
        """
        rows, alpha = self.splits, self.options["alpha"]
        least = first_worse(rows)
        before = rows[rows["events_1"] == least - 1.0]
        known = len(before) > 0
        return pd.DataFrame(
            {
                "events": [self.options["events"]],
                "n_1": [self.options["n_1"]],
                "n_2": [self.options["n_2"]],
                "alpha": [alpha],
                "share_of_time": [self.options["share_of_time"]],
                "worse_from": [least],
                "better_to": [_last_better(rows, "fisher_p", alpha)],
                "worse_from_mid_p": [_least(rows, "mid_p", alpha)],
                "better_to_mid_p": [_last_better(rows, "mid_p", alpha)],
                "worse_from_logrank": [self._first_by_logrank()],
                "next_split": [float(before["events_1"].iloc[0]) if known else np.nan],
                "next_share_logrank": [before["share_logrank"].iloc[0] if known else np.nan],
                "next_share_exact": [before["share_exact"].iloc[0] if known else np.nan],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the splits as text, of more than 100 the first 20."""
        rows = [
            {
                "Split": f"{int(row['events_1'])} : {int(row['events_2'])}",
                "Risk, group 1": fmt_percent(row["risk_1"]),
                "Risk, group 2": fmt_percent(row["risk_2"]),
                "Fisher P": fmt_p(row["fisher_p"]),
                "mid-P": fmt_p(row["mid_p"]),
                "Group 1 is": row["verdict"],
                "Log-rank P": fmt_p(row["logrank_p"]),
                "Worse by log-rank up to a share of time of": _share(row["share_logrank"]),
                "Exact": _share(row["share_exact"]),
                **_death_words(row),
            }
            for _, row in first_rows(self.splits).iterrows()
        ]
        return pd.DataFrame(rows)

    def made_cohort(self, events_1: int, *, worse: bool = True) -> pd.DataFrame:
        """Build a cohort with this split whose log-rank test, deaths counted, does as asked.

        Deaths are added one by one, all in group 1 to make it worse or all in group 2 to make it
        not worse, until the test of the cohort itself agrees. Nobody is lost before the end.

        Parameters
        ----------
        events_1 : int
            Events of group 1.
        worse : bool
            Whether group 1 is to fare significantly worse.

        Returns
        -------
        DataFrame
            ``time`` (months), ``event`` (1 the event, 2 death without it, 0 neither), ``group``.

        Raises
        ------
        DataError
            If there is no such split, or the patients are too few.
        OptionError
            If ``events_1`` is no whole number.
        """
        a = positive_int("events_1", events_1, minimum=0)
        if a not in set(self.splits["events_1"]):
            raise DataError(f"No split has {a:,} events in group 1.")
        total, level = self.options["events"], self.options["alpha"]
        sizes = self.options["n_1"], self.options["n_2"]
        room = sizes[0] - a if worse else sizes[1] - (total - a)
        for deaths in range(room + 1):
            cohort = made_cohort(a, total, sizes, (deaths, 0) if worse else (0, deaths))
            z, p = logrank_of(cohort)
            if (z > 0.0 and p < level) == worse:
                return cohort
        raise DataError(f"With {a:,} events in group 1 no number of deaths makes it so.")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw Fisher's P of every split, and the level."""
        from rnetstats.plots.worlds_splits import draw_splits

        return draw_splits(self.splits, level=self.options["alpha"], ax=ax)

    def plot_shares(self, ax: Axes | None = None, *, events_1: int | None = None) -> Axes:
        """Draw the log-rank P of some splits over group 1's share of the time at risk.

        Three splits are shown: ``events_1`` (by default the last that Fisher's test does not call
        worse) and its neighbours.

        Raises
        ------
        OptionError
            If ``events_1`` is no whole number.
        DataError
            If there is no such split.
        """
        from rnetstats.plots.worlds_splits import draw_shares

        least = first_worse(self.splits)
        last = float(self.splits["events_1"].max())
        if events_1 is not None:
            middle = float(positive_int("events_1", events_1, minimum=0))
        else:
            middle = last if np.isnan(least) else least - 1.0
        shown = self.splits[(self.splits["events_1"] - middle).abs() <= 1]
        if shown.empty:
            raise DataError(f"No split has {middle:,.0f} events in group 1.")
        return draw_shares(
            shown,
            level=self.options["alpha"],
            patients=self.options["n_1"] / (self.options["n_1"] + self.options["n_2"]),
            ax=ax,
        )

    def _first_by_logrank(self) -> float:
        rows = self.splits
        z = logrank_z(rows["events_1"], self.options["events"], self.options["share_of_time"])
        found = rows.loc[z >= two_sided_z(self.options["alpha"]), "events_1"]
        return float(found.min()) if len(found) else np.nan


def first_worse(splits: pd.DataFrame) -> float:
    """Return the fewest events with which Fisher's test calls group 1 worse; missing if none."""
    found = splits.loc[splits["verdict"] == "worse", "events_1"]
    return float(found.min()) if len(found) else np.nan


def _least(rows: pd.DataFrame, column: str, alpha: float) -> float:
    found = rows.loc[(rows["side"] == "worse") & (rows[column] < alpha), "events_1"]
    return float(found.min()) if len(found) else np.nan


def _last_better(rows: pd.DataFrame, column: str, alpha: float) -> float:
    found = rows.loc[(rows["side"] == "better") & (rows[column] < alpha), "events_1"]
    return float(found.max()) if len(found) else np.nan


def _share(value: float) -> str:
    """A bound, cut off and not rounded."""
    return "never" if value <= 0.0 else f"{np.floor(1000.0 * value) / 10.0:.1f} %"


def _death_words(row: pd.Series) -> dict[str, str]:
    words = {
        "deaths_to_worse": "Deaths in group 1 for worse",
        "deaths_to_not_worse": "Deaths in group 2 for not worse",
        "deaths_1_worse_from": "Worse from deaths in group 1",
        "deaths_1_better_to": "Better up to deaths in group 1",
    }
    return {
        title: "never" if np.isnan(row[name]) else fmt_count(row[name])
        for name, title in words.items()
        if name in row.index
    }
