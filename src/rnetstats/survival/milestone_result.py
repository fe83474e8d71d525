"""Survival or risk at fixed times: contrasts, pseudo-values, the table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p
from rnetstats.kernels.pseudo_values import pseudo_values
from rnetstats.survival.rows import SurvivalRows, refuse_pseudo_values

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MilestoneResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MilestoneResult(Result):
    """Survival (or risk) at fixed times; see :func:`rnetstats.milestone`.

    Attributes
    ----------
    estimates : DataFrame
        ``group, time, n, n_risk, n_events, measure, estimate, std_error, conf_low, conf_high,
        method``; ``n_risk`` is counted just before the time, ``n_events`` up to it.
    contrast_table : DataFrame
    labels : dict
    n_missing : int
    rows : SurvivalRows or None
        Patient rows; never written.
    positions : array (n,) or None
        Their places in the data.
    """

    estimates: pd.DataFrame
    contrast_table: pd.DataFrame
    labels: dict[str, str]
    n_missing: int = 0
    rows: SurvivalRows | None = field(default=None, metadata={"rows": True})
    positions: np.ndarray | None = field(default=None, metadata={"rows": True})

    def to_frame(self) -> pd.DataFrame:
        """Return a row a group and time."""
        return self.estimates.copy()

    def contrasts(self) -> pd.DataFrame:
        """Return each group against the first at each time.

        Returns
        -------
        DataFrame
            ``group, reference, time, measure, estimate, conf_low, conf_high, p_value, method``;
            the difference, the ratio and, with log-log limits, the ratio of cumulative hazards.
        """
        return self.contrast_table.copy()

    def pseudo_values(self) -> pd.DataFrame:
        """Return each patient's jack-knife pseudo-value at each time, from the curve of all.

        Returns
        -------
        DataFrame
            ``row, group, time, pseudo_value``, of survival or of the risk; ``row`` counts the rows
            of the data from 0.

        Raises
        ------
        DataNotKeptError
            After reading the result back from JSON.
        OptionError
            With late entry or weights of sampling, for which they are not defined.

        References
        ----------
        Andersen PK, Klein JP, Rosthoj S. Biometrika 2003;90:15-27.
        """
        rows = self._need("rows", "pseudo_values()")
        refuse_pseudo_values(rows)
        parts = []
        for time in self.estimates["time"].unique():
            risk = pseudo_values(rows.stop, rows.event, float(time), rows.weights)
            value = risk if self.options["scale"] == "risk" else 1.0 - risk
            group = np.asarray(rows.labels, dtype=object)[rows.group]
            columns = {"row": self.positions, "group": group, "time": time, "pseudo_value": value}
            parts.append(pd.DataFrame(columns))
        return pd.concat(parts, ignore_index=True)

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, the number of times, the endpoint."""
        first = self.estimates[self.estimates["time"] == self.estimates["time"].iloc[0]]
        last = self.estimates[self.estimates["time"] == self.estimates["time"].max()]
        return pd.DataFrame(
            {
                "n": [first["n"].sum()],
                "n_missing": self.n_missing,
                "n_events": last["n_events"].sum(),
                "n_groups": len(first),
                "n_times": self.estimates["time"].nunique(),
                "endpoint": self.labels["event"],
                "scale": self.options["scale"],
                "conf_level": self.options["conf_level"],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return a row a time and group, with the difference from the first group."""
        percent = f"{100 * self.options['conf_level']:g} % CI"
        table, scale = self.estimates, self.options["scale"]
        shown = pd.DataFrame(
            {
                "Time": [f"{time:g}" for time in table["time"]],
                self.labels["group"] or "Group": table["group"].astype(str),
                "N": [fmt_count(n) for n in table["n"]],
                "At risk": [fmt_count(n) for n in table["n_risk"]],
                "Events": [fmt_count(n) for n in table["n_events"]],
                f"{scale.capitalize()} ({percent})": [_cell(row) for row in _records(table)],
            }
        )
        if len(self.contrast_table):
            rows = self.contrast_table
            rows = rows[rows["measure"] == f"{scale} difference"]
            found = {(row["time"], row["group"]): row for row in _records(rows)}
            keys = list(zip(table["time"], table["group"], strict=True))
            shown[f"Difference ({percent})"] = [
                _cell(found[key]) if key in found else "reference" for key in keys
            ]
            shown["P"] = [fmt_p(found[key]["p_value"]) if key in found else "" for key in keys]
        return shown

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw estimates with limits, a colour a group."""
        from rnetstats.plots.milestone import points_over_time
        from rnetstats.plots.style import marked

        axes = points_over_time(
            self.estimates,
            labels=self.labels,
            conf_level=self.options["conf_level"],
            ax=ax,
        )
        return marked(axes, self.synthetic)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def _cell(row: dict[str, Any]) -> str:
    limits = fmt_interval(row["conf_low"], row["conf_high"], 3)
    return f"{fmt_number(row['estimate'], 3)} ({limits})"
