"""The log-rank test: asymptotic, by permutation, for unequal follow-up, and exact."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats._core.options import choice, positive_int, real
from rnetstats._core.random import resolve_seed
from rnetstats._core.result import Result
from rnetstats.errors import DataError, FormulaError, OptionError
from rnetstats.formatting import fmt_count, fmt_number, fmt_p
from rnetstats.survival.logrank_methods import (
    METHODS,
    MethodOptions,
    Outcome,
    chi2_p,
    logrank_rows,
    p_text,
)
from rnetstats.survival.rows import SurvivalRows, group_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

__all__ = ["LogrankResult", "logrank"]

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

        return observed_expected(
            self.table, title=f"Log-rank {p_text(self.p_value)}", synthetic=self.synthetic, ax=ax
        )

    def pairwise(self, adjust: str = "holm") -> pd.DataFrame:
        """Return the test of each pair of groups, by the same method.

        Parameters
        ----------
        adjust : {"holm", "bonferroni", "BH", "none"}
            How P values are adjusted for the number of pairs.

        Returns
        -------
        DataFrame
            ``group_1, group_2, statistic, p_value, p_adjusted``.

        Raises
        ------
        DataNotKeptError
            After reading the result back from JSON.
        """
        choice("adjust", adjust, ADJUST)
        rows = self._need("rows", "pairwise()")
        options = _method_options(self.options, self.seed)
        found = []
        for one, two in combinations(range(len(rows.labels)), 2):
            pair = rows.take((rows.group == one) | (rows.group == two))
            outcome = logrank_rows(pair.relabelled((one, two)), options)
            found.append((rows.labels[one], rows.labels[two], outcome.statistic, outcome.p_value))
        frame = pd.DataFrame(found, columns=["group_1", "group_2", "statistic", "p_value"])
        frame["p_adjusted"] = _adjusted(frame["p_value"].to_numpy(float), adjust)
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

        References
        ----------
        Tarone RE. Tests for trend in life table analysis. Biometrika 1975;62:679-82.
        """
        k = len(self.table)
        weights = np.arange(k, dtype=float) if scores is None else np.asarray(scores, dtype=float)
        if weights.shape != (k,) or not np.all(np.isfinite(weights)) or np.ptp(weights) == 0.0:
            raise OptionError(f"scores must be {k} finite numbers that are not all the same.")
        difference = (self.table["observed"] - self.table["expected"]).to_numpy(float)
        spread = float(weights @ self.variance @ weights)
        statistic = float(weights @ difference) ** 2 / spread if spread > 0.0 else float("nan")
        return pd.DataFrame({"statistic": [statistic], "df": 1, "p_value": chi2_p(statistic, 1)})


def _adjusted(p_values: NDArray[np.float64], adjust: str) -> NDArray[np.float64]:
    if adjust == "none":
        return p_values
    from statsmodels.stats.multitest import multipletests

    known = np.isfinite(p_values)
    adjusted = np.full(len(p_values), np.nan)
    if known.any():
        name = {"BH": "fdr_bh"}.get(adjust, adjust)
        adjusted[known] = multipletests(p_values[known], method=name)[1]
    return adjusted


def _method_options(options: dict[str, Any], seed: int | None) -> MethodOptions:
    # a result that was written before gamma was an option has none
    powers = {"rho": options["rho"], "gamma": options.get("gamma", 0.0)}
    return MethodOptions(
        method=options["method"], draws=options["resamples"], seed=seed or 0, **powers
    )


def logrank(
    data: Data,
    formula: str,
    *,
    rho: float = 0.0,
    gamma: float = 0.0,
    method: str = "asymptotic",
    resamples: int = 10_000,
    seed: int | None = None,
    freq_weights: str | ArrayLike | None = None,
    missing: str = "drop",
) -> LogrankResult:
    """Compare survival between groups by the log-rank test.

    Parameters
    ----------
    data : DataFrame or mapping
    formula : str
        ``"Surv(time, event) ~ group"``, with ``+ strata(column)`` for a stratified test and
        ``Surv(start, stop, event)`` for late entry (``"asymptotic"`` only).
    rho, gamma : float
        Event times have the weight S(t-)^rho (1 - S(t-))^gamma, S the curve of all groups together.
        (0, 0) is the log-rank test, (1, 0) that of Peto and Peto, (0, 1) looks for late
        differences. gamma is not negative. The weight is to be chosen before the data are seen.
    method : {"asymptotic", "permutation", "permutation-unequal", "exact", "max-combo"}
        Chi-square approximation; Monte Carlo permutation of labels (within strata);
        the permutation of Heinze, Gnant and Schemper (2003), which keeps each group's follow-up;
        or the exact permutation P of two groups. ``"permutation"`` and ``"exact"`` assume equal
        censoring in the groups, so that the comparison of censoring stands in the notes.
        ``"max-combo"`` takes the largest of the four tests with rho and gamma 0 or 1 in two groups,
        with the P that their joint normal distribution gives.
    resamples : int
        Number of permutations B; P is (1 + b) / (1 + B).
    seed : int, optional
        Drawn and recorded if not given.
    freq_weights : str or array, optional
        Whole numbers that stand for replicated rows.
    missing : {"drop", "raise"}

    Returns
    -------
    LogrankResult
        Without events the P value is missing, with a note.

    Raises
    ------
    OptionError
        For an option that is not allowed, or that does not go with the data.
    DataError
        With one group only.
    BudgetError
        If ``"exact"`` would take too long; ``"permutation"`` will not.

    References
    ----------
    Mantel N. Evaluation of survival data and two new rank order statistics arising in its
    consideration. Cancer Chemother Rep 1966;50:163-70. Harrington DP, Fleming TR. A class of rank
    test procedures for censored survival data. Biometrika 1982;69:553-66. Fleming TR, Harrington
    DP. Counting Processes and Survival Analysis. Wiley 1991 (gamma). Karrison TG. Versatile tests
    for comparing survival curves based on weighted log-rank statistics. Stata J 2016;16:678-90
    (max-combo).

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> test = rn.logrank(cohort, "Surv(dfs_months, recurrence) ~ margin_positive")
    >>> test.to_frame().round(2)
      group    n  observed  expected
    0     0  346       1.0      7.75
    1     1  181      11.0      4.25
    >>> round(test.statistic, 2)
    16.6

    With few patients P is that of all relabellings:

    >>> small = {"time": [1, 2, 3, 4, 5, 6], "event": [1, 1, 1, 1, 0, 0], "group": list("aabbbb")}
    >>> round(rn.logrank(small, "Surv(time, event) ~ group", method="exact").p_value, 4)
    0.1333
    """
    choice("method", method, METHODS)
    rho, gamma = real("rho", rho), real("gamma", gamma, low=0.0)
    if method == "max-combo" and (rho or gamma):
        raise OptionError("method='max-combo' has its own weights; leave rho and gamma out.")
    draws = positive_int("resamples", resamples)
    drawn = resolve_seed(seed) if method.startswith("permutation") else None
    frame = as_frame(data)
    rows, info = group_rows(frame, formula, freq_weights=freq_weights, missing=missing)
    _check(rows, method)
    rows = rows.expanded()
    options = {"formula": formula, "rho": rho, "gamma": gamma}
    options |= {"method": method, "resamples": draws}
    outcome = logrank_rows(rows, _method_options(options, drawn))
    return LogrankResult(
        table=_table(rows, outcome),
        variance=outcome.variance,
        statistic=outcome.statistic,
        df=outcome.df,
        p_value=outcome.p_value,
        p_value_mcse=outcome.mcse,
        p_value_slack=outcome.slack,
        censoring_p_value=outcome.censoring_p_value,
        n_events=float(np.count_nonzero(rows.event)),
        labels=info.labels,
        n_missing=info.n_missing,
        synthetic=is_synthetic(frame),
        components=outcome.components,
        rows=rows,
        notes=(*info.notes, *outcome.notes),
        seed=drawn,
        options={**options, "missing": missing},
    )


def _check(rows: SurvivalRows, method: str) -> None:
    if len(rows.labels) < 2:
        raise DataError(
            "The log-rank test compares at least two groups; the formula gives one. "
            "Write the groups on the right, as in 'Surv(time, event) ~ group'."
        )
    if rows.cluster is not None:
        raise FormulaError("The log-rank test takes no cluster(); use cox() for clustered rows.")
    if rows.start is not None and method not in ("asymptotic", "max-combo"):
        raise OptionError(
            f"method={method!r} is not defined with late entry, Surv(start, stop, event); "
            "choose 'asymptotic'."
        )
    if method in ("exact", "max-combo") and len(rows.labels) != 2:
        raise OptionError(
            f"method={method!r} compares two groups, and there are {len(rows.labels)}; "
            "choose 'permutation', or pick two groups."
        )


def _table(rows: SurvivalRows, outcome: Outcome) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": list(rows.labels),
            "n": np.bincount(rows.group, minlength=len(rows.labels)),
            "observed": outcome.observed,
            "expected": outcome.expected,
        }
    )
