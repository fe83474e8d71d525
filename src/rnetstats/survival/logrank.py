"""The log-rank test: asymptotic, by permutation, for unequal follow-up, and exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, as_frame, is_synthetic
from rnetstats._core.options import choice, draw_count, real
from rnetstats._core.random import resolve_seed
from rnetstats.errors import DataError, FormulaError, OptionError
from rnetstats.survival.logrank_methods import (
    METHODS,
    Outcome,
    logrank_rows,
)
from rnetstats.survival.logrank_result import LogrankResult, method_options
from rnetstats.survival.rows import SurvivalRows, group_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["LogrankResult", "logrank"]

_STEEPEST = 20.0  # powers whose squares of 1/n stay within the range of numbers


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
        differences. gamma is not negative, neither is beyond 20. The weight is to be chosen before
        the data are seen.
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
    FormulaError, ColumnError, DataError
        For a formula or data that cannot be used, such as one group only.
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
    rho = real("rho", rho, low=-_STEEPEST, high=_STEEPEST)
    gamma = real("gamma", gamma, low=0.0, high=_STEEPEST)
    if method == "max-combo" and (rho or gamma):
        raise OptionError("method='max-combo' has its own weights; leave rho and gamma out.")
    draws = draw_count("resamples", resamples)
    drawn = resolve_seed(seed) if method.startswith("permutation") else None
    frame = as_frame(data)
    rows, info = group_rows(frame, formula, freq_weights=freq_weights, missing=missing)
    _check(rows, method)
    rows = rows.expanded()
    options = {"formula": formula, "rho": rho, "gamma": gamma}
    options |= {"method": method, "resamples": draws}
    outcome = logrank_rows(rows, method_options(options, drawn))
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
