"""The result of Kaplan and Meier's curves, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, group_names, inside
from rnetstats.kernels.same_times import as_observed
from rnetstats.survival.curve_fit import CURVE_COLUMNS
from rnetstats.survival.curve_tables import (
    curve_at,
    probabilities,
    quantile_row,
    risk_before,
    time_points,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["KaplanMeierResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class KaplanMeierResult(Result):
    """Kaplan-Meier curves, one a group.

    Attributes
    ----------
    curves : DataFrame
        ``group, time, n_risk, n_event, n_censor, survival, std_error, conf_low, conf_high,
        hazard, hazard_std_error``; ``std_error`` is on the survival scale.
    groups : DataFrame
        ``group, n, n_events`` and the limits before the first time.
    entries : DataFrame or None
        ``group, time, n_enter`` for late entry.
    labels : dict
        ``time``, ``event`` and ``group`` as shown.
    n_missing : int
        Rows left out because a value was missing.
    synthetic : bool
        Whether the data say that they were drawn.
    """

    curves: pd.DataFrame
    groups: pd.DataFrame
    entries: pd.DataFrame | None = None
    labels: dict[str, str]
    n_missing: int = 0
    synthetic: bool = False

    def _curve(self, group: str) -> pd.DataFrame:
        return self.curves[self.curves["group"] == group]

    def _entries(self, group: str) -> pd.DataFrame | None:
        if self.entries is None:
            return None
        return self.entries[self.entries["group"] == group]

    def to_frame(self) -> pd.DataFrame:
        """Return the curves; ``std_error`` is that of the survival probability itself."""
        return self.curves.loc[:, list(CURVE_COLUMNS)].copy()

    def cumulative_hazard(self) -> pd.DataFrame:
        """Return the Nelson-Aalen estimate: ``group, time, hazard, std_error``."""
        frame = self.curves[["group", "time", "hazard", "hazard_std_error"]]
        return frame.rename(columns={"hazard_std_error": "std_error"})

    def at(self, times: float | Sequence[float], *, extend: bool = False) -> pd.DataFrame:
        """Return survival at given times.

        Parameters
        ----------
        times : float or sequence of float
            In the unit of the data.
        extend : bool
            Carry the last value past a group's last time; by default it is missing there.

        Returns
        -------
        DataFrame
            ``group, time, n_risk, survival, std_error, conf_low, conf_high, beyond``, with
            ``n_risk`` counted just before the time and ``beyond`` marking times past the group's
            last one.

        Raises
        ------
        OptionError
            If a time is no number, or below 0.
        """
        points = time_points(times)
        parts = []
        for row in self.groups.to_dict("records"):
            group, curve = row["group"], self._curve(row["group"])
            part = curve_at(curve, (row["first_low"], row["first_high"]), points)
            part.insert(1, "n_risk", risk_before(curve, self._entries(group), points))
            part.insert(0, "group", group)
            parts.append(part)
        found = pd.concat(parts, ignore_index=True)
        if not extend:
            values = ["survival", "std_error", "conf_low", "conf_high"]
            found.loc[found["beyond"], values] = np.nan
        return found

    def quantile(self, q: float | Sequence[float] = (0.25, 0.5, 0.75)) -> pd.DataFrame:
        """Return the times by which shares ``q`` have had the event.

        Where the curve lies on the level (to 1e-8), the middle of the flat piece is taken. Limits
        are read off the pointwise limits (Brookmeyer & Crowley 1982). What is not reached is
        missing.

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
            {"group": group, **quantile_row(self._curve(group), float(p))}
            for group in self.groups["group"]
            for p in probabilities(q)
        ]
        return pd.DataFrame(rows)

    @property
    def median(self) -> pd.DataFrame:
        """The median time of each group with its limits, as :meth:`quantile` gives it."""
        return self.quantile(0.5)

    def risk_table(self, times: float | Sequence[float]) -> pd.DataFrame:
        """Return numbers at risk just before each time, with events and censorings up to it.

        Parameters
        ----------
        times : float or sequence of float
            In the unit of the data.

        Returns
        -------
        DataFrame
            ``group, time, n_risk, n_event, n_censor``; the last two are cumulative and count what
            happened before the time.

        Raises
        ------
        OptionError
            If a time is no number, or below 0.
        """
        points = time_points(times)
        parts = []
        for group in self.groups["group"]:
            curve = self._curve(group)
            seen = as_observed(points, curve["time"])
            before = np.searchsorted(curve["time"], seen, side="left")
            part = pd.DataFrame({"time": points})
            part.insert(0, "group", group)
            part["n_risk"] = risk_before(curve, self._entries(group), points)
            for name in ("n_event", "n_censor"):
                part[name] = np.append(0.0, np.cumsum(curve[name].to_numpy(float)))[before]
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, the kind of limits and the last time."""
        return pd.DataFrame(
            {
                "n": [self.groups["n"].sum()],
                "n_missing": self.n_missing,
                "n_events": self.groups["n_events"].sum(),
                "n_groups": len(self.groups),
                "last_time": self.curves["time"].max(),
                "ci": self.options["ci"],
                "conf_level": self.options["conf_level"],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return a row per group: counts, median, and survival at three round times."""
        from rnetstats.survival.ticks import round_times

        percent = f"{100 * self.options['conf_level']:g} % CI"
        table = pd.DataFrame(
            {
                self.labels["group"] or "Group": self.groups["group"],
                "N": [fmt_count(n) for n in self.groups["n"]],
                "Events": [fmt_count(n) for n in self.groups["n_events"]],
            }
        )
        table[f"Median ({percent})"] = [
            _with_limits(row, "estimate", 1) if np.isfinite(row["estimate"]) else "not reached"
            for row in self.median.to_dict("records")
        ]
        for time in round_times(self.curves["time"].max(), 4, self.labels["time"])[1:]:
            table[f"At {time:g} ({percent})"] = [
                _with_limits(row, "survival", 3) for row in self.at(time).to_dict("records")
            ]
        return table

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the curves.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; by default on a new figure.
        **options
            Those of :func:`rnetstats.plots.curves.survival_curves`, such as ``band``, ``y_low``,
            ``x_label`` or ``names``, and ``times`` for the ticks and the numbers at risk.

        Returns
        -------
        Axes
        """
        from rnetstats.plots.curves import survival_curves
        from rnetstats.plots.style import marked
        from rnetstats.survival.ticks import round_times

        reverse = self.options["reverse"]
        name = "Still followed up" if reverse else f"Free of {inside(self.labels['event'])}"
        options.setdefault("y_label", name)
        options.setdefault("first", self.groups[["group", "first_low", "first_high"]])
        options.setdefault("counted", "censored" if reverse else "events")
        names = group_names(self.groups["group"])
        if names and "names" not in options:
            options |= {"names": names, "title": self.labels["group"]}
        times = options.pop("times", None)
        if times is None:
            times = round_times(self.curves["time"].max(), 8, self.labels["time"])
        axes = survival_curves(
            self.to_frame(),
            self.risk_table(times),
            labels=self.labels,
            conf_level=self.options["conf_level"],
            ax=ax,
            **options,
        )
        return marked(axes, self.synthetic)


def _with_limits(row: Mapping[Hashable, Any], name: str, digits: int) -> str:
    if not np.isfinite(row[name]):
        return fmt_number(row[name])
    limits = fmt_interval(row["conf_low"], row["conf_high"], digits)
    return f"{fmt_number(row[name], digits)} ({limits})"
