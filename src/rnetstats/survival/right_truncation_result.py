"""The law of right-truncated intervals: shares, quantiles, the naive answer beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p, group_names
from rnetstats.survival.curve_tables import probabilities, quantile_row, time_points
from rnetstats.survival.right_truncation_fit import as_survival

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RightTruncatedResult"]

_VALUES = ["probability", "std_error", "conf_low", "conf_high"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RightTruncatedResult(Result):
    """The law of an interval among those who had the event; see :func:`right_truncated`.

    Attributes
    ----------
    curves : DataFrame
        ``group, time, n_risk, n_event, probability, std_error, conf_low, conf_high``, a row for
        each group's distinct intervals: P(interval <= time | interval <= ``within``), and the
        number whose interval is at most, and whose window at least, this long.
    naive : DataFrame
        ``group, time, probability``: the shares of those seen, truncation ignored.
    groups : DataFrame
        ``group, n, longest_interval, longest_window, naive_median, naive_low, naive_high, median,
        conf_low, conf_high, bias`` (naive median less median).
    within : float
        The condition: the longest window, or what was asked for.
    statistic, df, p_value : float
        Log-rank test of the groups in reverse time; missing for one group.
    tau, tau_p_value : float
        Conditional Kendall's tau of interval and window, and P of the test that they are
        independent, which the method supposes.
    labels : dict
        ``time``, ``window`` and ``group`` as shown.
    n_missing, n_beyond : int
        Rows left out because a value was missing; with an interval longer than ``within``.
    """

    curves: pd.DataFrame
    naive: pd.DataFrame
    groups: pd.DataFrame
    within: float
    statistic: float
    df: int
    p_value: float
    tau: float
    tau_p_value: float
    labels: dict[str, str]
    n_missing: int = 0
    n_beyond: int = 0

    def to_frame(self) -> pd.DataFrame:
        """Return the curves."""
        return self.curves.copy()

    def _curve(self, group: str) -> pd.DataFrame:
        return self.curves[self.curves["group"] == group]

    def at(self, times: float | Sequence[float]) -> pd.DataFrame:
        """Return the share with the event by given times, of those who have it in the window.

        Parameters
        ----------
        times : float or sequence of float
            In the unit of the data.

        Returns
        -------
        DataFrame
            ``group, time, probability, std_error, conf_low, conf_high``; from the group's longest
            interval on the share is 1 by the condition, without limits, and beyond ``within``
            nothing is known: missing.

        Raises
        ------
        OptionError
            If a time is no number, or below 0.
        """
        points = time_points(times)
        parts = []
        for group in self.groups["group"]:
            curve = self._curve(group)
            start = np.array([[0.0, np.nan, np.nan, np.nan]])
            values = np.vstack([start, curve[_VALUES].to_numpy(float)])
            index = np.searchsorted(curve["time"], points, side="right")
            part = pd.DataFrame(values[index], columns=_VALUES)
            part.loc[points > self.within, _VALUES] = np.nan
            part.insert(0, "time", points)
            part.insert(0, "group", group)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def quantile(self, q: float | Sequence[float] = (0.25, 0.5, 0.75)) -> pd.DataFrame:
        """Return the intervals within which shares ``q`` of the conditional law lie.

        Limits are read off the pointwise limits (Brookmeyer & Crowley 1982); a limit that is not
        reached within the window is missing.

        Parameters
        ----------
        q : float or sequence of float
            Shares between 0 and 1, both left out.

        Returns
        -------
        DataFrame
            ``group, q, estimate, conf_low, conf_high``.

        Raises
        ------
        OptionError
            If a share does not lie between 0 and 1.
        """
        rows = [
            {"group": group, **quantile_row(as_survival(self._curve(group)), float(p))}
            for group in self.groups["group"]
            for p in probabilities(q)
        ]
        return pd.DataFrame(rows)

    @property
    def median(self) -> pd.DataFrame:
        """The median of each group's conditional law, as :meth:`quantile` gives it."""
        return self.quantile(0.5)

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, the condition, and both tests."""
        return pd.DataFrame(
            {
                "n": [int(self.groups["n"].sum())],
                "n_missing": self.n_missing,
                "n_beyond": self.n_beyond,
                "n_groups": len(self.groups),
                "within": self.within,
                "statistic": self.statistic,
                "df": self.df,
                "p_value": self.p_value,
                "tau": self.tau,
                "tau_p_value": self.tau_p_value,
                "ci": self.options["ci"],
                "conf_level": self.options["conf_level"],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return a row a group: the median with and without truncation, and their difference."""
        percent = f"{100 * self.options['conf_level']:g} % CI"
        table = pd.DataFrame(
            {
                self.labels["group"] or "Group": self.groups["group"],
                "N": [fmt_count(n) for n in self.groups["n"]],
                f"Median within {self.within:.4g} ({percent})": self._medians(
                    "median", "conf_low", "conf_high"
                ),
                f"Naive median ({percent})": self._medians(
                    "naive_median", "naive_low", "naive_high"
                ),
                "Naive less corrected": [fmt_number(bias, 1) for bias in self.groups["bias"]],
            }
        )
        if len(self.groups) > 1:
            table["P (reverse log-rank)"] = [fmt_p(self.p_value), *[""] * (len(self.groups) - 1)]
        return table

    def _medians(self, name: str, low: str, high: str) -> list[str]:
        return [
            f"{fmt_number(row[name], 1)} ({fmt_interval(row[low], row[high], 1)})"
            for row in self.groups.to_dict("records")
        ]

    def plot(self, ax: Axes | None = None, *, band: bool | None = None) -> Axes:
        """Draw the conditional law, the naive one dashed beside it.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; a new figure without.
        band : bool, optional
            Draw the limits; by default for up to two groups.
        """
        from rnetstats.plots.right_truncation import truncated_law
        from rnetstats.plots.style import marked

        axes = truncated_law(
            self.curves,
            self.naive,
            within=self.within,
            labels=self.labels,
            names=group_names(self.groups["group"]),
            conf_level=self.options["conf_level"],
            band=band,
            ax=ax,
        )
        return marked(axes, self.synthetic)
