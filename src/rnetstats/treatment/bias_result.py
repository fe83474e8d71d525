"""The result of a probabilistic bias analysis."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BIAS_NAMES", "BiasAnalysisResult"]

BIAS_NAMES = {
    "or": "odds ratio",
    "rr": "risk ratio",
    "risk difference": "risk difference",
    "hr": "hazard ratio",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BiasAnalysisResult(Result):
    """An estimate under misclassification; see :func:`rnetstats.bias_analysis`.

    Attributes
    ----------
    summary : DataFrame
        ``measure, analysis, estimate, conf_low, conf_high, n_draws, method``, a row each for the
        conventional estimate, systematic error and total error (the median of the draws, and the
        interval that holds ``conf_level`` of them).
    parameters : DataFrame
        ``parameter, group, prior, mean_drawn, mean_kept``: of all draws, and of the possible ones.
    cells : DataFrame
        ``group, n_events, n_others`` as observed.
    histogram : DataFrame
        ``low, high, systematic, total``: density of the draws in bins of the measure (of its
        logarithm, for a ratio).
    draws, impossible, impossible_total, undefined : int
        Draws in all; those left out for a negative cell or a classification no better than chance,
        under systematic and under total error; those whose estimate is not defined.
    measure, misclassified, label, endpoint : str
    values : DataFrame or None
        The draws themselves: ``sensitivity_1, sensitivity_2, specificity_1, specificity_2,
        systematic, total``; not written.
    """

    summary: pd.DataFrame
    parameters: pd.DataFrame
    cells: pd.DataFrame
    histogram: pd.DataFrame
    draws: int
    impossible: int
    impossible_total: int
    undefined: int
    measure: str
    misclassified: str
    label: str
    endpoint: str
    values: pd.DataFrame | None = field(default=None, metadata={"rows": True})

    def to_frame(self) -> pd.DataFrame:
        """Return the three estimates with their intervals (a copy)."""
        return self.summary.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, draws, and the three estimates."""
        events, others = self.cells["n_events"], self.cells["n_others"]
        found = {
            "measure": [self.measure],
            "misclassified": self.misclassified,
            "endpoint": self.endpoint,
            "events_exposed": events[0],
            "n_exposed": events[0] + others[0],
            "events_unexposed": events[1],
            "n_unexposed": events[1] + others[1],
            "draws": self.draws,
            "impossible": self.impossible,
            "impossible_total": self.impossible_total,
            "undefined": self.undefined,
        }
        for row in self.summary.to_dict("records"):
            name = str(row["analysis"]).split(maxsplit=1)[0]
            found |= {name: row["estimate"]}
            found |= {f"{name}_low": row["conf_low"], f"{name}_high": row["conf_high"]}
        return pd.DataFrame(found)

    def display(self) -> pd.DataFrame:
        """Return the table as text."""
        share = self.measure == "risk difference"
        scale, digits, unit = (100.0, 1, " %") if share else (1.0, 2, "")
        level = f"{100 * self.options['conf_level']:g} % interval"
        rows = []
        for row in self.summary.to_dict("records"):
            low, high = scale * row["conf_low"], scale * row["conf_high"]
            known = not math.isnan(low)
            rows.append(
                {
                    "Analysis": str(row["analysis"]),
                    BIAS_NAMES[self.measure].capitalize(): fmt_number(
                        scale * row["estimate"], digits
                    )
                    + unit,
                    level: fmt_interval(low, high, digits) + (unit if known else ""),
                    "Draws": fmt_count(row["n_draws"]) if row["n_draws"] else "",
                }
            )
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the distributions under systematic and total error beside the conventional one."""
        from rnetstats.plots.bias import bias_distribution
        from rnetstats.plots.style import marked

        scale = 100.0 if self.measure == "risk difference" else 1.0
        histogram = self.histogram.copy()
        histogram[["low", "high"]] *= scale
        first = self.summary.iloc[0]
        unit = " (percentage points)" if scale > 1.0 else ""
        axes = bias_distribution(
            histogram,
            conventional=(
                scale * first["estimate"],
                scale * first["conf_low"],
                scale * first["conf_high"],
            ),
            xlabel=f"{BIAS_NAMES[self.measure].capitalize()}{unit}",
            title=f"{self.label}: misclassified {self.misclassified}",
            log=scale == 1.0,
            ax=ax,
        )
        return marked(axes, self.synthetic)
