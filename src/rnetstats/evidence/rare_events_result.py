"""Pooled rare events by several models, side by side."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.options import choice
from rnetstats._core.result import Result
from rnetstats.evidence.meta_measures import MEASURES
from rnetstats.evidence.rare_tests import table_tests
from rnetstats.evidence.rare_words import METHODS
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p
from rnetstats.kernels.mantel_haenszel import Tables

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RareEventsResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RareEventsResult(Result):
    """One effect by each model for rare events; see ``MetaAnalysisResult.rare_events()``.

    Attributes
    ----------
    measure : {"OR", "RR", "RD"}
    rows : DataFrame
        One row a method: ``method, label, estimand, kind, k`` (studies it rests on),
        ``double_zeros``, ``estimate`` with Wald or exact limits and P, ``profile_low,
        profile_high, p_lr`` by the likelihood, ``coef, std_error`` on the scale of analysis,
        ``tau2`` or ``rho``, the test of equal effects ``q, q_df, q_p``, and a ``note``.
    studies : DataFrame
        ``study, events_1, n_1, events_2, n_2``.
    """

    measure: str
    rows: pd.DataFrame
    studies: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return one row a method (a copy)."""
        return self.rows.copy()

    def method(self, name: str) -> pd.Series:
        """Return the row of one method, named as in the column ``method``.

        Raises
        ------
        OptionError
            If there is no such method.
        """
        choice("method", name, tuple(self.rows["method"]))
        return self.rows[self.rows["method"] == name].iloc[0]

    def assumptions(self) -> pd.DataFrame:
        """Return of each method what it estimates and assumes, and where it fails."""
        words = [METHODS[name] for name in self.rows["method"]]
        return pd.DataFrame(
            {
                "Method": self.rows["label"],
                "Estimand": self.rows["estimand"],
                "Studies without events": self.rows["double_zeros"],
                "Assumes": [each.assumptions for each in words],
                "Fails": [each.fails for each in words],
            }
        )

    def table_tests(self) -> pd.DataFrame:
        """Return the tests of Cochran, Mantel and Haenszel, of Breslow and Day, and of Tarone.

        Returns
        -------
        DataFrame
            ``test, hypothesis, statistic, df, p_value, note``: chi-square tests of no effect in
            any study, and of one odds ratio in all, that of Mantel and Haenszel. Nothing is added
            to a cell; studies without an event, or without a patient free of it, say nothing.
            Where a test has no value the note says why.

        References
        ----------
        Mantel N, Haenszel W (1959) Statistical aspects of the analysis of data from retrospective
        studies of disease. J Natl Cancer Inst 22:719-748. Breslow NE, Day NE (1980) Statistical
        methods in cancer research I, 142-143. Tarone RE (1985) On heterogeneity tests based on
        efficient scores. Biometrika 72:91-95.
        """
        counts = self.studies[["events_1", "n_1", "events_2", "n_2"]].to_numpy(float)
        return table_tests(Tables.of(*counts.T))

    def glance(self) -> pd.DataFrame:
        """Return one row: studies, events, and how far the methods are apart."""
        events = self.studies["events_1"] + self.studies["events_2"]
        within = self.rows[self.rows["kind"] != "crude"]["estimate"]
        return pd.DataFrame(
            {
                "measure": [self.measure],
                "k": len(self.studies),
                "k_without_events": int((events == 0).sum()),
                **{name: int(self.studies[name].sum()) for name in self.studies.columns[1:]},
                "methods": len(self.rows),
                "estimate_lowest": float(within.min()),
                "estimate_highest": float(within.max()),
                "conf_level": self.options["conf_level"],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return one row a method as text."""
        digits = 4 if self.measure == "RD" else 2
        rows = self.rows.to_dict("records")
        return pd.DataFrame(
            {
                "Method": self.rows["label"],
                "Estimand": self.rows["estimand"],
                self.measure: [fmt_number(row["estimate"], digits) for row in rows],
                f"{100 * self.options['conf_level']:g} % CI": [
                    fmt_interval(row["conf_low"], row["conf_high"], digits) for row in rows
                ],
                "P": [fmt_p(row["p_value"]) for row in rows],
                "Profile limits": [
                    fmt_interval(row["profile_low"], row["profile_high"], digits) for row in rows
                ],
                "P of likelihood ratio": [fmt_p(row["p_lr"]) for row in rows],
                "tau² or ρ": [_spread(row, 3 if digits == 2 else 6) for row in rows],
                "P of equal effects": [fmt_p(row["q_p"]) for row in rows],
                "Studies": [fmt_count(row["k"]) for row in rows],
                "Without events": self.rows["double_zeros"],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw one line a method, by what it estimates; profile limits stand under Wald's."""
        from rnetstats.plots.rare_events import draw_rare_events
        from rnetstats.plots.style import marked

        measure = MEASURES[self.measure]
        axes = draw_rare_events(
            self.rows,
            measure=self.measure,
            name=measure.words,
            log=measure.log,
            conf_level=self.options["conf_level"],
            ax=ax,
        )
        return marked(axes, self.synthetic)


def _spread(row: dict[Hashable, Any], digits: int) -> str:
    """The variance between studies, or the intraclass correlation."""
    if math.isnan(row["rho"]):
        return fmt_number(row["tau2"], digits)
    return f"ρ {fmt_number(row['rho'], 3)}"
