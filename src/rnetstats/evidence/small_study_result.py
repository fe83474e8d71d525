"""Tests for small-study effects, read and drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.evidence.meta_measures import MEASURES
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SmallStudyResult"]

NAMES = {
    "egger": "Egger",
    "begg": "Begg (rank correlation)",
    "harbord": "Harbord (score)",
    "peters": "Peters (1/n)",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SmallStudyResult(Result):
    """Tests for small-study effects; see :func:`rnetstats.evidence.small_study.small_study_tests`.

    Attributes
    ----------
    measure : str
    tests : DataFrame
        ``test, k, estimate, conf_low, conf_high, std_error, statistic, df, p_value,
        limit_estimate, limit_std_error, method, reason``. ``estimate`` is the slope on the
        standard error (Egger), on that of the score (Harbord) or on 1/n (Peters), or Kendall's
        tau; ``limit_estimate`` the effect that the line gives for an infinitely large study;
        ``reason`` says why a test was refused.
    ranks : DataFrame
        The rank correlation in full: score, z with and without continuity correction, exact P.
    studies : DataFrame
        ``study, coef, std_error`` of the studies used.
    common : float
        Their common effect by inverse variance, on the scale of analysis.
    forced : bool
        Whether there were fewer than 10 studies and the tests were asked for all the same.
    """

    measure: str
    tests: pd.DataFrame
    ranks: pd.DataFrame
    studies: pd.DataFrame
    common: float
    forced: bool

    def to_frame(self) -> pd.DataFrame:
        """Return one row a test."""
        return self.tests.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the studies and the P value of each test."""
        p = self.tests.set_index("test")["p_value"]
        return pd.DataFrame(
            {
                "measure": [self.measure],
                "k": [len(self.studies)],
                "forced": [self.forced],
                **{f"{name}_p": [float(p.get(name, math.nan))] for name in NAMES},
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the tests as text; a refused one with its reason."""
        percent = f"{100 * self.options['conf_level']:g} % CI"
        rows = []
        for row in self.tests.to_dict("records"):
            value = fmt_number(row["estimate"])
            if not math.isnan(row["conf_low"]):
                value += f" ({fmt_interval(row['conf_low'], row['conf_high'])})"
            refused = f"refused: {row['reason']}" if row["reason"] else ""
            rows.append(
                {
                    "Test": NAMES[row["test"]],
                    "Studies": str(row["k"]),
                    f"Small-study effect ({percent})": value,
                    "P": fmt_p(row["p_value"]),
                    "Remark": refused or ("fewer than 10 studies" if self.forced else ""),
                }
            )
        return pd.DataFrame(rows)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the funnel of the studies, with Egger's line where the test was done."""
        from rnetstats.plots.funnel import funnel
        from rnetstats.plots.style import marked

        egger = self.tests[self.tests["test"] == "egger"].iloc[0]
        line = None
        if not egger["reason"]:
            line = (float(egger["limit_estimate"]), float(egger["estimate"]))
        known = MEASURES.get(self.measure)
        axes = funnel(
            self.studies,
            estimate=float(known.back(self.common)) if known else self.common,
            measure=self.measure if known else "effect on the scale of analysis",
            regression=line,
            conf_level=self.options["conf_level"],
            null=None if known is None else "auto",
            ax=ax,
        )
        return marked(axes, self.synthetic)
