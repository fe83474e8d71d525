"""The result of a log-rank test, and what can be asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.options import choice
from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_count, fmt_number, fmt_p
from rnetstats.survival.logrank_methods import (
    MethodOptions,
    chi2_p,
    logrank_rows,
    p_text,
)
from rnetstats.survival.rows import SurvivalRows
from rnetstats.tables.p_adjust import p_adjust

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["LogrankResult", "method_options"]

ADJUST = ("holm", "bonferroni", "BH", "none")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LogrankResult(Result):
    """A log-rank test of two or more groups.

    Attributes
    ----------
    table : DataFrame
        ``group, n, observed, expected``, weighted by S(t-)^rho (1 - S(t-))^gamma.
    variance : array, shape (k, k)
        Hypergeometric variance of observed less expected events.
    statistic, df, p_value, p_value_mcse, p_value_slack : float
        ``p_value_mcse`` is the Monte Carlo standard error; the exact P value lies at most
        ``p_value_slack`` below ``p_value``. Each is missing where it has no meaning. Of
        ``"max-combo"`` the statistic is the largest |z|.
    censoring_p_value : float
        P of the log-rank comparison of censoring (reverse Kaplan-Meier).
    n_events : float
    labels : dict
    n_missing : int
    synthetic : bool
    components : DataFrame or None
        Of ``"max-combo"``: ``rho, gamma, z, p_value``, the tests that it takes the largest of.
    rows : SurvivalRows or None
        Patient rows, for :meth:`pairwise`; never written.
    """

    table: pd.DataFrame
    variance: NDArray[np.float64]
    statistic: float
    df: int
    p_value: float
    p_value_mcse: float
    p_value_slack: float
    censoring_p_value: float
    n_events: float
    labels: dict[str, str]
    n_missing: int = 0
    synthetic: bool = False
    components: pd.DataFrame | None = None
    rows: SurvivalRows | None = field(default=None, metadata={"rows": True})

    def to_frame(self) -> pd.DataFrame:
        """Return ``group, n, observed, expected``."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the test, its counts, and the comparison of censoring."""
        return pd.DataFrame(
            {
                "n": [int(self.table["n"].sum())],
                "n_missing": self.n_missing,
                "n_events": self.n_events,
                "n_groups": len(self.table),
                "statistic": self.statistic,
                "df": self.df,
                "p_value": self.p_value,
                "p_value_mcse": self.p_value_mcse,
                "method": self.options["method"],
                "rho": self.options["rho"],
                "gamma": self.options.get("gamma", 0.0),
                "censoring_p_value": self.censoring_p_value,
            }
        )

    def display(self) -> pd.DataFrame:
        """Return observed and expected events by group; the test stands in the first row."""
        blank = [""] * (len(self.table) - 1)
        frame = pd.DataFrame(
            {
                self.labels["group"]: self.table["group"],
                "N": [fmt_count(n) for n in self.table["n"]],
                "Observed": [fmt_number(x, 1) for x in self.table["observed"]],
                "Expected": [fmt_number(x, 2) for x in self.table["expected"]],
            }
        )
        name = "Largest |z|" if self.options["method"] == "max-combo" else "Chi-square"
        frame[name] = [fmt_number(self.statistic, 2), *blank]
        frame[f"P ({self.options['method']})"] = [fmt_p(self.p_value), *blank]
        return frame

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw observed against expected events by group."""
        from rnetstats.plots.observed import observed_expected
        from rnetstats.plots.style import marked

        axes = observed_expected(self.table, title=f"Log-rank {p_text(self.p_value)}", ax=ax)
        return marked(axes, self.synthetic)

    def pairwise(self, adjust: str = "holm") -> pd.DataFrame:
        """Return the test of each pair of groups, by the same method.

        Parameters
        ----------
        adjust : {"holm", "bonferroni", "BH", "none"}
            How P values are adjusted for the number of pairs. Every pair counts, one without
            an event too, whose own P is missing.

        Returns
        -------
        DataFrame
            ``group_1, group_2, statistic, p_value, p_adjusted``.

        Raises
        ------
        DataNotKeptError
            After reading the result back from JSON.
        OptionError
            If there is no such adjustment.
        """
        choice("adjust", adjust, ADJUST)
        rows = self._need("rows", "pairwise()")
        options = method_options(self.options, self.seed)
        found = []
        for one, two in combinations(range(len(rows.labels)), 2):
            pair = rows.take((rows.group == one) | (rows.group == two))
            outcome = logrank_rows(pair.relabelled((one, two)), options)
            found.append((rows.labels[one], rows.labels[two], outcome.statistic, outcome.p_value))
        frame = pd.DataFrame(found, columns=["group_1", "group_2", "statistic", "p_value"])
        adjusted = p_adjust(frame["p_value"].fillna(1.0), adjust)
        frame["p_adjusted"] = np.where(frame["p_value"].isna(), np.nan, adjusted)
        return frame

    def trend(self, scores: Sequence[float] | None = None) -> pd.DataFrame:
        """Return the asymptotic test for a trend over ordered groups (one degree of freedom).

        Parameters
        ----------
        scores : sequence of float, optional
            One a group, in the order of the table; 0, 1, 2, ... by default.

        Returns
        -------
        DataFrame
            ``statistic, df, p_value``, one row.

        Raises
        ------
        OptionError
            If the scores are not as many finite numbers as groups, or all the same.

        References
        ----------
        Tarone RE. Tests for trend in life table analysis. Biometrika 1975;62:679-82.
        """
        k = len(self.table)
        try:
            weights = np.asarray(range(k) if scores is None else scores, dtype=float)
        except (TypeError, ValueError):
            weights = np.empty(0)
        if weights.shape != (k,) or not np.all(np.isfinite(weights)) or np.ptp(weights) == 0.0:
            raise OptionError(f"scores must be {k} finite numbers that are not all the same.")
        difference = (self.table["observed"] - self.table["expected"]).to_numpy(float)
        # half the sum over pairs, exactly 0 where groups that are compared have the same score
        apart = (weights[:, None] - weights) ** 2
        spread = -0.5 * float((self.variance * apart).sum())
        statistic = float(weights @ difference) ** 2 / spread if spread > 0.0 else float("nan")
        return pd.DataFrame({"statistic": [statistic], "df": 1, "p_value": chi2_p(statistic, 1)})


def method_options(options: dict[str, Any], seed: int | None) -> MethodOptions:
    """Return a result's options as the methods take them."""
    # a result that was written before gamma was an option has none
    powers = {"rho": options["rho"], "gamma": options.get("gamma", 0.0)}
    return MethodOptions(
        method=options["method"], draws=options["resamples"], seed=seed or 0, **powers
    )
