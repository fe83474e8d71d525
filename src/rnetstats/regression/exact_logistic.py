"""Exact conditional logistic regression: odds ratios that need no large sample, and no penalty."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.frame import Data, is_synthetic_data
from rnetstats._core.options import choice, level, positive_int
from rnetstats._core.result import Result
from rnetstats._core.schema import coefficient_frame
from rnetstats.errors import BudgetError, ColumnError, FormulaError, TooFewEventsError
from rnetstats.formatting import fmt_count, fmt_interval, fmt_number, fmt_p
from rnetstats.formula.design import ModelFrame, model_frame
from rnetstats.formula.terms import Formula
from rnetstats.kernels.exact_logistic import conditional_weights, patterns
from rnetstats.regression.conditional import exp_or_infinite, infer_conditionally
from rnetstats.regression.fitting import refuse_strata
from rnetstats.tables.exact_family import CountFamily

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BUDGET", "ExactLogisticResult", "exact_logistic"]

BUDGET = 2_000_000
"""Sums kept at once: about a gigabyte at most, and seconds."""

_LARGEST = 10**9  # sums over any number of patients then stay exact

_NO_ERROR = "Exact inference has no standard error; limits and P come from the distribution."

_METHODS = {"central": "exact conditional", "mid-p": "exact conditional, mid-P"}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ExactLogisticResult(Result):
    """An exact conditional logistic regression.

    Attributes
    ----------
    coefficients : DataFrame
        In the shared schema: ``estimate`` is the conditional maximum-likelihood odds ratio (0 or
        infinite at the end of what is possible), ``statistic`` the observed sufficient statistic;
        there is no standard error.
    unbiased : DataFrame
        ``term, level, estimate``: median unbiased odds ratios, finite at the ends, too.
    n, n_missing, n_events : int
    """

    coefficients: pd.DataFrame
    unbiased: pd.DataFrame
    n: int
    n_missing: int
    n_events: int

    def to_frame(self) -> pd.DataFrame:
        """Return the coefficients in the shared schema (a copy)."""
        return self.coefficients.copy()

    def median_unbiased(self) -> pd.DataFrame:
        """Return ``term, level, estimate``: odds ratios as likely too high as too low."""
        return self.unbiased.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: counts and how many estimates are infinite."""
        estimate = self.coefficients["estimate"]
        return pd.DataFrame(
            {
                "n": [self.n],
                "n_missing": [self.n_missing],
                "n_events": [self.n_events],
                "n_infinite": [int(((estimate == 0.0) | np.isinf(estimate)).sum())],
                "method": [self.options["method"]],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text."""
        table = self.coefficients
        interval = f"{100 * self.options['conf_level']:g} % CI"
        pairs = zip(table["conf_low"], table["conf_high"], strict=True)
        return pd.DataFrame(
            {
                "term": table["term"],
                "level": table["level"],
                "n": [fmt_count(n) for n in table["n"]],
                "events": [fmt_count(n) for n in table["n_events"]],
                "OR": [fmt_number(value) for value in table["estimate"]],
                "median unbiased": [fmt_number(value) for value in self.unbiased["estimate"]],
                interval: [fmt_interval(low, high) for low, high in pairs],
                "P": [fmt_p(p) for p in table["p_value"]],
            }
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the odds ratios as a forest plot."""
        from rnetstats.plots.forest import forest
        from rnetstats.plots.style import marked

        rows = self.coefficients
        names = [f"{t}: {s}" if s else t for t, s in zip(rows["term"], rows["level"], strict=True)]
        level_used = float(self.options["conf_level"])
        axes = forest(rows.assign(label=names), measure="OR", conf_level=level_used, ax=ax)
        return marked(axes, self.synthetic)


def exact_logistic(
    data: Data,
    formula: str | Formula,
    *,
    method: str = "central",
    freq_weights: Any = None,
    conf_level: float = 0.95,
    budget: int = BUDGET,
    missing: str = "drop",
) -> ExactLogisticResult:
    """Fit a logistic model by exact conditional inference, one coefficient after the other.

    Each odds ratio is judged by the distribution of its sufficient statistic given those of all
    other terms and the number of events. Nothing is approximated, so that level and coverage hold
    with a handful of events and under separation; ``"central"`` is conservative, ``"mid-p"`` less.

    Parameters
    ----------
    data : DataFrame or mapping of columns
    formula : str
        ``"y ~ a + b"``: factors and whole numbers. What is measured on a finer scale makes nearly
        every patient a pattern of their own; use :func:`rnetstats.logistic` there.
    method : {"central", "mid-p"}
        Twice the smaller tail, or the same with half the probability of what was seen; limits
        and P value alike.
    freq_weights : str or array of shape (n,), optional
    conf_level : float
    budget : int
        Sums kept at once, at most; twice as many may be formed on the way.
    missing : {"drop", "raise"}

    Returns
    -------
    ExactLogisticResult

    Raises
    ------
    BudgetError
        If the distribution has too many values to be counted; Firth's penalty is the alternative.
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used; if a term is not of whole numbers.
    TooFewEventsError
        If the outcome does not vary.
    OptionError
        If an option is not allowed.

    References
    ----------
    Cox DR, Snell EJ (1989) Analysis of Binary Data, 2nd ed. Hirji KF, Mehta CR, Patel NR (1987)
    Computing distributions for exact logistic regression. JASA 82:1110-1117. Hirji KF, Tsiatis AA,
    Mehta CR (1989) Median unbiased estimation for binary data. Am Stat 43:7-11.

    Examples
    --------
    >>> import rnetstats as rn
    >>> data = {"y": [0, 0, 0, 0, 1, 1, 1], "x": [0, 0, 0, 1, 1, 1, 1]}
    >>> rn.exact_logistic(data, "y ~ x").to_frame()[["term", "estimate", "conf_low", "p_value"]]
      term  estimate  conf_low   p_value
    0    x       inf   0.37006  0.228571
    """
    choice("method", method, tuple(_METHODS))
    conf_level = level(conf_level)
    budget = positive_int("budget", budget, minimum=1000)
    frame = model_frame(
        data, formula, kind="binary", weights={"freq_weights": freq_weights}, missing=missing
    )
    refuse_strata(frame)
    X, y, count = _whole_numbers(frame)
    distinct, size, observed = patterns(X, y, count)
    n, n_events = int(count.sum()), int((y * count).sum())
    if not 0 < n_events < n:
        raise TooFewEventsError(
            f"Every patient has the same outcome ({n_events} of {n} events); there is no odds "
            "ratio to estimate."
        )
    rows, unbiased, notes = [], [], []
    for j in range(1, X.shape[1]):
        column = frame.design.columns[j]
        counted = conditional_weights(distinct, size, observed, j, budget)
        if counted is None:
            raise BudgetError(
                f"The exact distribution of {column.name} has more than {budget:,} parts. Use "
                'logistic(..., penalty="firth"), leave terms out, or raise budget=.'
            )
        found = infer_conditionally(CountFamily(*counted), int(observed[j]), method, conf_level)
        if found["fixed"]:
            notes.append(
                f"Given the other terms, {column.name} could not have come out otherwise: the data "
                "say nothing on its odds ratio, so that it has no estimate and no limits."
            )
        inside = X[:, j] != 0 if column.level else np.ones(len(y), dtype=bool)
        rows.append(
            {
                "term": column.term,
                "level": column.level,
                "n": int(count[inside].sum()),
                "n_events": int((y * count)[inside].sum()),
                "statistic": float(observed[j]),
                **found,
            }
        )
        unbiased.append({"term": column.term, "level": column.level, "estimate": found["median"]})
    return ExactLogisticResult(
        coefficients=_coefficients(rows, method),
        unbiased=pd.DataFrame(unbiased),
        n=n,
        n_missing=frame.n_missing,
        n_events=n_events,
        synthetic=is_synthetic_data(data),
        notes=(*frame.notes, *notes, _NO_ERROR),
        options={
            "formula": frame.formula,
            "method": method,
            "conf_level": conf_level,
            "budget": budget,
            "missing": missing,
        },
    )


def _whole_numbers(frame: ModelFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return design, outcome and counts as integers, or say which term is not of whole numbers."""
    if frame.offset is not None:
        raise FormulaError("An exact conditional model takes no offset().")
    if len(frame.design.columns) < 2:
        raise FormulaError("The formula has no term; name at least one after '~'.")
    design = frame.design.X
    rounded = np.rint(design)
    for column, values, whole in zip(frame.design.columns, design.T, rounded.T, strict=True):
        if not np.array_equal(values, whole):
            raise ColumnError(
                f"{column.term} is not of whole numbers, and an exact conditional model needs "
                "them. Group it, or use logistic(...), which takes any number."
            )
        if np.abs(values).max(initial=0.0) > _LARGEST:
            raise ColumnError(
                f"{column.term} has values beyond {_LARGEST:,}, too large for sums to be counted. "
                "Group it, or use logistic(...), which takes any number."
            )
    outcome = frame.outcome
    assert outcome is not None
    assert outcome.y is not None
    count = np.ones(frame.n) if frame.freq_weights is None else frame.freq_weights
    return rounded.astype(np.int64), outcome.y.astype(np.int64), count.astype(np.int64)


def _coefficients(rows: list[dict[str, Any]], method: str) -> pd.DataFrame:
    found = {name: [row[name] for row in rows] for name in rows[0]}
    return coefficient_frame(
        {
            **{name: found[name] for name in ("term", "level", "n", "n_events", "statistic")},
            "measure": "OR",
            "estimate": [exp_or_infinite(value) for value in found["coef"]],
            "conf_low": [exp_or_infinite(value) for value in found["low"]],
            "conf_high": [exp_or_infinite(value) for value in found["high"]],
            "coef": found["coef"],
            "std_error": math.nan,
            "p_value": found["p_value"],
            "method": _METHODS[method],
        }
    )
