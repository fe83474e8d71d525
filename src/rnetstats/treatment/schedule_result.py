"""Results on schedules of visits: simulated biases, and a cohort on another schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p, fmt_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ScheduleRegridResult", "ScheduleSimulationResult"]

_RATIO = "HR"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScheduleSimulationResult(Result):
    """What unequal visits do to a comparison, by simulation; see :func:`schedule_sensitivity`.

    Attributes
    ----------
    table : DataFrame
        ``analysis, measure, truth, estimate, mcse, q025, q975, rejected, n_replicates``: the mean
        over the replicates (of logarithms, for hazard ratios), its Monte Carlo error (a factor
        less 1 for hazard ratios), the middle 95 % of replicates, and the share of replicates that
        find a difference at the 5 % level.
    arms : DataFrame
        ``arm, n, visits, hazard, events, detected, mean_delay``: visits by the longest follow-up;
        expected events by the end of follow-up and detections, a patient; mean months from the
        event to its detection. These are exact, not simulated.
    lead_time : float
        How much later the second arm's events are detected, on average.
    """

    table: pd.DataFrame
    arms: pd.DataFrame
    lead_time: float

    def to_frame(self) -> pd.DataFrame:
        """Return a row an analysis and measure."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the arms, the true hazard ratio and what is found as if exact."""
        ratio = self.table[self.table["measure"] == _RATIO].iloc[0]
        return pd.DataFrame(
            {
                "arms": [" / ".join(self.arms["arm"])],
                "true_hazard_ratio": ratio["truth"],
                "hazard_ratio_as_exact": ratio["estimate"],
                "lead_time": self.lead_time,
                "horizon": self.options["horizon"],
                "replicates": self.options["replicates"],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text."""
        rows = self.table.to_dict("records")
        return pd.DataFrame(
            {
                "Analysis": [row["analysis"] for row in rows],
                "Measure": [row["measure"] for row in rows],
                "Truth": [fmt_number(row["truth"], 3) for row in rows],
                "Estimate": [fmt_number(row["estimate"], 3) for row in rows],
                "Monte Carlo error": [fmt_number(row["mcse"], 4) for row in rows],
                "95 % of cohorts": [fmt_interval(row["q025"], row["q975"], 3) for row in rows],
                "Finds a difference": [fmt_percent(row["rejected"]) for row in rows],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the hazard ratios: the mean and the middle 95 % of cohorts, with the truth."""
        from rnetstats.plots.intervals import draw_intervals
        from rnetstats.plots.style import marked

        rows = self.table[self.table["measure"] == _RATIO]
        shown = rows.rename(columns={"analysis": "label", "q025": "conf_low", "q975": "conf_high"})
        label = (
            f"Hazard ratio, {self.arms['arm'].iloc[1]} against {self.arms['arm'].iloc[0]}\n"
            "(mean and 95 % of cohorts; dashed: truth)"
        )
        truth = float(rows["truth"].iloc[0])
        wide = bool(rows["q975"].max() > 2.0 * rows["q025"].min())  # else a log axis has one tick
        return marked(draw_intervals(shown, ax=ax, xlabel=label, log=wide, reference=truth), True)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScheduleRegridResult(Result):
    """A cohort as it would be on a sparser schedule; see :func:`schedule_sensitivity`.

    Attributes
    ----------
    table : DataFrame
        ``analysis, level, reference, n, n_events, reference_n, reference_events, measure,
        estimate, conf_low, conf_high, p_value, method``, a row an analysis and level.
    shifts : DataFrame
        ``group, n_events, n_moved, mean_shift, largest_shift, n_lost``: how many detections move to
        a later visit, by how much, and how many fall after the end of follow-up.
    labels : dict
    n_missing : int
    """

    table: pd.DataFrame
    shifts: pd.DataFrame
    labels: dict[str, str]
    n_missing: int = 0

    def to_frame(self) -> pd.DataFrame:
        """Return a row an analysis and level."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, and the estimate before and after."""
        first, after = self.table.iloc[0], self.table[self.table["analysis"] != "as observed"]
        return pd.DataFrame(
            {
                "n_missing": [self.n_missing],
                "n_events": int(self.shifts["n_events"].sum()),
                "n_moved": int(self.shifts["n_moved"].sum()),
                "n_lost": int(self.shifts["n_lost"].sum()),
                "level": first["level"],
                "estimate": first["estimate"],
                "estimate_regridded": after["estimate"].iloc[0],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text."""
        rows: list[dict[Any, Any]] = self.table.to_dict("records")
        percent = f"{100 * self.options['conf_level']:g} % CI"
        return pd.DataFrame(
            {
                "Analysis": [row["analysis"] for row in rows],
                "Level": [f"{row['level']} (vs {row['reference']})" for row in rows],
                "Events / N": [
                    f"{fmt_count(row['n_events'])}/{fmt_count(row['n'])} vs "
                    f"{fmt_count(row['reference_events'])}/{fmt_count(row['reference_n'])}"
                    for row in rows
                ],
                "HR": [fmt_number(row["estimate"]) for row in rows],
                percent: [fmt_interval(row["conf_low"], row["conf_high"]) for row in rows],
                "P": [fmt_p(row["p_value"]) for row in rows],
                "Method": [row["method"] for row in rows],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the hazard ratios of each analysis."""
        from rnetstats.plots.intervals import draw_intervals
        from rnetstats.plots.style import marked

        several = self.table["level"].nunique() > 1
        labels = [
            f"{row['analysis']}: {row['level']}" if several else row["analysis"]
            for row in self.table.to_dict("records")
        ]
        rows = self.table.assign(label=labels)
        label = f"Hazard ratio, {self.labels['group']}"
        axes = draw_intervals(rows, ax=ax, xlabel=label, log=True, reference=1.0)
        return marked(axes, self.synthetic)
