"""Adjusted survival curves: measures, contrasts, the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p, fmt_percent, group_names, inside
from rnetstats.regression.cox_result import CoxResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["AdjustedSurvivalResult"]

_SHARES = ("risk", "risk difference")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AdjustedSurvivalResult(Result):
    """Adjusted survival curves; see :func:`rnetstats.adjusted_survival`.

    Attributes
    ----------
    curves : DataFrame
        ``group, time, n_event, survival, std_error, conf_low, conf_high``; events as observed.
    table : DataFrame
        ``measure, group, reference, time, estimate, conf_low, conf_high, std_error, p_value,
        method``: risks and RMST of each group, then their contrasts. The standard error of a
        ratio is that of its logarithm.
    groups : DataFrame
        ``group, n, n_events``; the first is the reference.
    at_risk : DataFrame
        ``group, time, n_risk`` as observed, at round times.
    model : CoxResult
    labels : dict
        ``time``, ``event`` and ``group`` as shown.
    counted : dict
        ``resamples, n_failed, n_lost_level, n_without_events`` of the bootstrap.
    reason : str
        Why there are no limits, or "".
    """

    curves: pd.DataFrame
    table: pd.DataFrame
    groups: pd.DataFrame
    at_risk: pd.DataFrame
    model: CoxResult
    labels: dict[str, str]
    counted: dict[str, int]
    reason: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return the curves with their pointwise limits (a copy)."""
        return self.curves.copy()

    def contrasts(self) -> pd.DataFrame:
        """Return risk differences and ratios at the times asked for, and RMST differences."""
        return self.table[self.table["reference"] != ""].reset_index(drop=True)

    def measures(self) -> pd.DataFrame:
        """Return the risks and RMST of each group and their contrasts (a copy)."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, times, what the bootstrap met, why limits are missing."""
        return pd.DataFrame(
            [
                {
                    "n": int(self.groups["n"].sum()),
                    "n_missing": self.model.summary["n_missing"],
                    "n_events": int(self.groups["n_events"].sum()),
                    "n_groups": len(self.groups),
                    "fewest_events": int(self.groups["n_events"].min()),
                    "tau": self.options["tau"],
                    **self.counted,
                    "reason": self.reason,
                }
            ]
        )

    def display(self) -> pd.DataFrame:
        """Return the measures as text, with the events of both groups in each row."""
        percent = f"{100 * self.options['conf_level']:g} % CI"
        counts = {
            row["group"]: f"{row['n_events']:g}/{row['n']:g}"
            for row in self.groups.to_dict("records")
        }
        rows = []
        for row in self.table.to_dict("records"):
            share = row["measure"] in _SHARES
            scale, digits = (100.0, 1) if share else (1.0, 2)
            versus = f" vs {row['reference']}" if row["reference"] else ""
            events = [counts[name] for name in (row["group"], row["reference"]) if name]
            rows.append(
                {
                    "Measure": row["measure"],
                    self.labels["group"]: f"{row['group']}{versus}",
                    "Time": f"{row['time']:g}",
                    "Estimate": (fmt_percent if share else fmt_number)(row["estimate"]),
                    percent: fmt_interval(
                        scale * row["conf_low"], scale * row["conf_high"], digits
                    ),
                    "P": fmt_p(row["p_value"]),
                    "Events": " vs ".join(events),
                }
            )
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the adjusted curves with pointwise bands, and the numbers at risk as observed.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw; by default on a new figure.
        **options
            Those of :func:`rnetstats.plots.curves.survival_curves`.

        Returns
        -------
        Axes
        """
        from rnetstats.plots.curves import survival_curves
        from rnetstats.plots.style import marked

        options.setdefault("y_label", f"Free of {inside(self.labels['event'])} (adjusted)")
        names = group_names(self.groups["group"])
        if names and "names" not in options:
            options |= {"names": names, "title": self.labels["group"]}
        axes = survival_curves(
            self.curves.assign(n_censor=0),
            self.at_risk,
            labels=self.labels,
            conf_level=self.options["conf_level"],
            censor=False,
            ax=ax,
            **options,
        )
        return marked(axes, self.synthetic)
