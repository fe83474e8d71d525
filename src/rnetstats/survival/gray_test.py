"""Gray's test: cumulative incidence compared between groups, with competing risks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats._core.options import real
from rnetstats._core.result import Result
from rnetstats.errors import DataError, FormulaError
from rnetstats.formatting import fmt_count, fmt_number, fmt_p
from rnetstats.kernels.ranks import LogrankTable, logrank_chi2
from rnetstats.survival.competing_rows import CompetingRows, competing_rows
from rnetstats.survival.gray_tables import cause_notes, frame_by_group, one_cause
from rnetstats.survival.logrank_methods import chi2_p, p_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from rnetstats.formula.tokens import Literal

__all__ = ["GrayTestResult", "gray_test"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GrayTestResult(Result):
    """Gray's test of two or more groups, for each cause.

    Attributes
    ----------
    table : DataFrame
        ``cause, group, n, n_events, observed, expected``; the last two are weighted by
        (1 - F0(t-)) ** rho, F0 the incidence of all groups together.
    tests : DataFrame
        ``cause, statistic, df, p_value``.
    variances : dict
        For each cause, the covariance (k, k) of observed less expected events.
    labels : dict
        ``time``, ``event`` and ``group`` as shown.
    meaning : dict
        What each cause means.
    n_missing : int
    synthetic : bool
    """

    table: pd.DataFrame
    tests: pd.DataFrame
    variances: dict[str, np.ndarray]
    labels: dict[str, str]
    meaning: dict[str, str]
    n_missing: int = 0
    synthetic: bool = False

    def to_frame(self) -> pd.DataFrame:
        """Return one row a cause: ``cause, statistic, df, p_value``."""
        return self.tests.copy()

    def by_group(self) -> pd.DataFrame:
        """Return ``cause, group, n, n_events, observed, expected``."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: counts, and P of each cause."""
        first = self.table["cause"] == self.table["cause"].iloc[0]
        return pd.DataFrame(
            {
                "n": [self.table.loc[first, "n"].sum()],
                "n_missing": self.n_missing,
                "n_events": self.table["n_events"].sum(),
                "n_groups": int(first.sum()),
                "n_causes": len(self.tests),
                "rho": self.options["rho"],
                **{
                    f"p_value_{cause}": p_value
                    for cause, p_value in zip(
                        self.tests["cause"], self.tests["p_value"], strict=True
                    )
                },
            }
        )

    def display(self) -> pd.DataFrame:
        """Return events by cause and group; each test stands in its cause's first row."""
        first = ~self.table["cause"].duplicated()
        tests = self.tests.set_index("cause")
        test = [tests.loc[cause] for cause in self.table["cause"]]
        return pd.DataFrame(
            {
                self.labels["event"]: [self.meaning[cause] for cause in self.table["cause"]],
                self.labels["group"]: self.table["group"],
                "N": [fmt_count(n) for n in self.table["n"]],
                "Events": [fmt_count(n) for n in self.table["n_events"]],
                "Expected": [fmt_number(x, 2) for x in self.table["expected"]],
                "Chi-square": [
                    fmt_number(t["statistic"], 2) if shown else ""
                    for t, shown in zip(test, first, strict=True)
                ],
                "P (Gray)": [
                    fmt_p(t["p_value"]) if shown else ""
                    for t, shown in zip(test, first, strict=True)
                ],
            }
        )

    def plot(self, ax: Axes | None = None, cause: Any = None) -> Axes:
        """Draw observed against expected events by group.

        Parameters
        ----------
        ax : Axes, optional
        cause : int or str, optional
            By default the first cause tested.
        """
        from rnetstats._core.options import choice
        from rnetstats.plots.observed import observed_expected
        from rnetstats.plots.style import marked

        known = list(self.tests["cause"])
        shown = known[0] if cause is None else choice("cause", str(cause), known)
        p_value = self.tests.loc[self.tests["cause"] == shown, "p_value"].item()
        axes = observed_expected(
            self.table[self.table["cause"] == shown],
            title=f"{self.meaning[shown]}: Gray {p_text(p_value)}",
            ax=ax,
        )
        return marked(axes, self.synthetic)


def gray_test(
    data: Data,
    formula: str,
    *,
    cause: Literal | None = None,
    censor: Literal = 0,
    rho: float = 0.0,
    freq_weights: str | ArrayLike | None = None,
    missing: str = "drop",
) -> GrayTestResult:
    """Compare cumulative incidence between groups by Gray's test.

    The subdistribution hazards are compared: what a group's patients come to, whether through the
    cause's own hazard or through fewer competing events. The log-rank test (other events
    censored) compares the cause-specific hazards.

    Parameters
    ----------
    data : DataFrame or mapping
    formula : str
        ``"Surv(time, code) ~ group"``, with ``+ strata(column)`` for a stratified test.
    cause : int or str, optional
        The cause to test; by default each of them.
    censor : int or str
        The code of censoring.
    rho : float
        Events have the weight (1 - F0(t-)) ** rho, F0 the incidence of all groups together.
    freq_weights : str or array, optional
        Whole numbers that stand for replicated rows.
    missing : {"drop", "raise"}

    Returns
    -------
    GrayTestResult
        P is missing, with a note, where no event was seen while two groups were at risk.

    Raises
    ------
    ColumnError, DataError
        For data that cannot be used, such as one group only.
    OptionError
        For an option that is not allowed, or a cause that does not occur.
    FormulaError
        With late entry or ``cluster()``, for which the test is not defined.

    Notes
    -----
    Without competing events observed and expected numbers are those of the log-rank test; the
    variance is another estimator of the same quantity.

    References
    ----------
    Gray RJ (1988). A class of K-sample tests for comparing the cumulative incidence of a competing
    risk. Ann Stat 16:1141-1154.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> test = rn.gray_test(cohort, "Surv(dfs_months, event_type) ~ margin_positive")
    >>> test.to_frame().round(4)
      cause  statistic  df  p_value
    0     1    16.5145   1   0.0000
    1     2     0.1456   1   0.7028
    """
    rho = real("rho", rho)
    frame = as_frame(data)
    rows = competing_rows(
        frame, formula, censor=censor, cause=cause, freq_weights=freq_weights, missing=missing
    )
    _check(rows)
    found = {code: one_cause(rows, code, rho) for code in rows.asked}
    tests, notes = [], list(rows.notes)
    for code, table in found.items():
        statistic, df = logrank_chi2(LogrankTable(*table))
        tests.append((rows.causes[code - 1], statistic, df, chi2_p(statistic, df)))
        notes += cause_notes(rows, code, df)
    return GrayTestResult(
        table=frame_by_group(rows, found),
        tests=pd.DataFrame(tests, columns=["cause", "statistic", "df", "p_value"]),
        variances={rows.causes[code - 1]: table.variance for code, table in found.items()},
        labels=rows.names,
        meaning=rows.meaning,
        n_missing=rows.n_missing,
        synthetic=is_synthetic(frame),
        notes=tuple(notes),
        options={
            "formula": formula,
            "cause": cause,
            "censor": censor,
            "rho": rho,
            "missing": missing,
        },
    )


def _check(rows: CompetingRows) -> None:
    if len(rows.labels) < 2:
        raise DataError(
            "Gray's test compares at least two groups; the formula gives one. "
            "Write the groups on the right, as in 'Surv(time, code) ~ group'."
        )
    if rows.cluster is not None:
        raise FormulaError("Gray's test takes no cluster(); fine_gray() does.")
    if rows.start is not None:
        raise FormulaError(
            "Gray's test is not defined with late entry, Surv(start, stop, code); cox() with "
            "cause= compares cause-specific hazards."
        )
