"""Turnbull's curves: survival and quantiles with what the data leave undetermined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.options import draw_count
from rnetstats._core.random import resolve_seed
from rnetstats._core.result import Result
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number
from rnetstats.kernels.turnbull import survival_bounds
from rnetstats.survival.curve_tables import probabilities, time_points
from rnetstats.survival.interval_limits import limits_at
from rnetstats.survival.interval_rows import IntervalRows
from rnetstats.survival.interval_test import IntervalTestResult, score_test

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TurnbullResult"]

_FLAT = 1e-8


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TurnbullResult(Result):
    """Survival curves from interval-censored times, one a group; see :func:`rnetstats.turnbull`.

    Attributes
    ----------
    intervals : DataFrame
        ``group, left, right, mass, survival_before, survival_after``, a row an innermost interval
        with mass: survival falls from one value to the other somewhere in (left, right], at
        ``right`` where both are equal. It is determined everywhere else.
    groups : DataFrame
        ``group, n, n_events, n_exact, n_left, n_interval, n_right, n_intervals, log_likelihood,
        excess, unique``. ``excess`` is the certificate of the maximum: the gradient's largest
        excess over 1, a patient.
    limits : DataFrame
        Bootstrap limits: ``group, time, conf_low, conf_low_after, conf_high``.
    labels : dict
        ``time``, ``event`` and ``group`` as shown.
    n_missing : int
        Rows left out because a value was missing.
    rows : IntervalRows or None
        Patient rows, for :meth:`test`; never written.
    """

    intervals: pd.DataFrame
    groups: pd.DataFrame
    limits: pd.DataFrame
    labels: dict[str, str]
    n_missing: int = 0
    rows: IntervalRows | None = field(default=None, metadata={"rows": True})

    def to_frame(self) -> pd.DataFrame:
        """Return the innermost intervals with their mass, and survival on both sides of each."""
        return self.intervals.copy()

    def _of(self, frame: pd.DataFrame, group: str) -> pd.DataFrame:
        return frame[frame["group"] == group]

    def at(self, times: float | Sequence[float]) -> pd.DataFrame:
        """Return survival S(t) = P(event after t) at given times.

        Parameters
        ----------
        times : float or sequence of float
            In the unit of the data.

        Returns
        -------
        DataFrame
            ``group, time, survival_low, survival_high, determined, conf_low, conf_high``. Within
            an innermost interval the data say only that survival lies between ``survival_low`` and
            ``survival_high``; they are equal where it is ``determined``. ``conf_low`` is a
            bootstrap limit of the first, ``conf_high`` of the second.

        Raises
        ------
        OptionError
            If a time is no number, or below 0.
        """
        points = time_points(times)
        parts = []
        for group in self.groups["group"]:
            inner = self._of(self.intervals, group)
            left, right, mass = inner[["left", "right", "mass"]].to_numpy(float).T
            low, high = survival_bounds(left, right, mass, points)
            conf_low, conf_high = limits_at(self._of(self.limits, group), points)
            parts.append(
                pd.DataFrame(
                    {
                        "group": group,
                        "time": points,
                        "survival_low": low,
                        "survival_high": high,
                        "determined": low >= high - 1e-12,
                        "conf_low": conf_low,
                        "conf_high": conf_high,
                    }
                )
            )
        return pd.concat(parts, ignore_index=True)

    def quantile(self, q: float | Sequence[float] = (0.25, 0.5, 0.75)) -> pd.DataFrame:
        """Return the span of time in which shares ``q`` have had the event.

        Parameters
        ----------
        q : float or sequence of float
            Shares between 0 and 1, both left out.

        Returns
        -------
        DataFrame
            ``group, q, low, high``: the quantile lies in (low, high]; missing when it is not
            reached. ``low`` equals ``high`` for a time that was seen.

        Raises
        ------
        OptionError
            If a share does not lie between 0 and 1.
        """
        found = []
        for group in self.groups["group"]:
            inner = self._of(self.intervals, group)
            for share in probabilities(q):
                span = _quantile(inner, 1.0 - float(share))
                found.append({"group": group, "q": float(share), "low": span[0], "high": span[1]})
        return pd.DataFrame(found)

    def test(self, *, resamples: int = 9999, seed: int | None = None) -> IntervalTestResult:
        """Compare the groups by the score test of proportional hazards, by permutation.

        The scores are Finkelstein's (1986): for two groups without interval censoring nearly the
        log-rank test's. P counts relabellings of the patients, which supposes that all groups
        have the same visits and the same follow-up; where one is looked at more often, use
        ``interval_regression(model="cox")`` and its likelihood-ratio test.

        Parameters
        ----------
        resamples : int
            Number of permutations B; P is (1 + b) / (1 + B).
        seed : int, optional

        Raises
        ------
        DataError
            With one group only.
        DataNotKeptError
            After reading back from JSON.
        OptionError
            If an option is not allowed.

        References
        ----------
        Finkelstein DM (1986). Biometrics 42:845-854. Fay MP, Shaw PA (2010). Exact and asymptotic
        weighted logrank tests for interval censored data: the interval R package. J Stat Softw
        36(2):1-34.
        """
        rows: IntervalRows = self._need("rows", "A test of groups")
        return score_test(
            rows,
            labels=self.labels,
            resamples=draw_count("resamples", resamples),
            seed=resolve_seed(seed),
            synthetic=self.synthetic,
            formula=self.options["formula"],
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, and the worst certificate among the groups."""
        groups = self.groups
        return pd.DataFrame(
            {
                "n": [groups["n"].sum()],
                "n_missing": self.n_missing,
                "n_events": groups["n_events"].sum(),
                "n_right": groups["n_right"].sum(),
                "n_groups": len(groups),
                "log_likelihood": groups["log_likelihood"].sum(),
                "excess": groups["excess"].max(),
                "unique": bool(groups["unique"].all()),
                "resamples": self.options["resamples"],
                "conf_level": self.options["conf_level"],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return a row per group: counts, the span of the median, survival at round times."""
        from rnetstats.survival.ticks import round_times

        median = self.quantile(0.5)
        table = pd.DataFrame(
            {
                self.labels["group"] or "Group": self.groups["group"],
                "N": [fmt_count(n) for n in self.groups["n"]],
                "Events": [fmt_count(n) for n in self.groups["n_events"]],
                "of them seen": [fmt_count(n) for n in self.groups["n_exact"]],
                "Median within": [
                    fmt_interval(low, high, 1) if np.isfinite(high) else "not reached"
                    for low, high in zip(median["low"], median["high"], strict=True)
                ],
            }
        )
        percent = f"{100 * self.options['conf_level']:g} % limits"
        for time in round_times(_last_time(self.intervals), 4, self.labels["time"])[1:]:
            rows = self.at(time).to_dict("records")
            table[f"Survival at {time:g} ({percent})"] = [_shown(row) for row in rows]
        return table

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the curves; where survival is undetermined, a shaded rectangle.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; by default on a new figure.
        **options
            Those of :func:`rnetstats.plots.innermost.innermost_curves`.
        """
        from rnetstats.plots.innermost import innermost_curves
        from rnetstats.plots.style import marked

        axes = innermost_curves(
            self.intervals,
            self.groups,
            self.limits,
            labels=self.labels,
            conf_level=self.options["conf_level"],
            ax=ax,
            **options,
        )
        return marked(axes, self.synthetic)


def _shown(row: dict[Any, Any]) -> str:
    value = fmt_number(row["survival_high"], 3)
    if not row["determined"]:
        value = fmt_interval(row["survival_low"], row["survival_high"], 3)
    limits = fmt_interval(row["conf_low"], row["conf_high"], 3)
    return value if limits == "–" else f"{value} ({limits})"


def _last_time(intervals: pd.DataFrame) -> float:
    ends = intervals[["left", "right"]].to_numpy(float)
    return float(ends[np.isfinite(ends)].max())


def _quantile(inner: pd.DataFrame, at: float) -> tuple[float, float]:
    """Return where one group's survival falls to a level; the flat piece if it lies on it."""
    after = inner["survival_after"].to_numpy(float)
    reached = np.flatnonzero(after <= at + _FLAT)
    if not reached.size or np.isinf(inner["right"].iloc[reached[0]]):
        return np.nan, np.nan
    first = int(reached[0])
    low, high = float(inner["left"].iloc[first]), float(inner["right"].iloc[first])
    if after[first] < at - _FLAT or first + 1 == len(inner):
        return low, high
    following = inner.iloc[first + 1]
    end = following["right"] if np.isfinite(following["right"]) else following["left"]
    return low, float(end)
