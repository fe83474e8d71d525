"""Exact methods for a table of counts: 2x2, and r x c by enumeration or by Monte Carlo."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnetstats._core.options import choice, draw_count, level, positive_int, real
from rnetstats._core.random import resolve_seed
from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.formatting import fmt_number, fmt_p
from rnetstats.tables.categorical_tests import chi_square, expected_counts
from rnetstats.tables.counts import CountTable, count_table
from rnetstats.tables.counts_from_rows import counts_from_rows
from rnetstats.tables.exact_two_by_two import ExactTableResult, two_by_two
from rnetstats.tables.freeman_halton import BUDGET, freeman_halton_p
from rnetstats.tables.random_tables import monte_carlo_p

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ExactContingencyResult", "exact_table"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ExactContingencyResult(Result):
    """The test of independence of an r x c table.

    Attributes
    ----------
    table : DataFrame
        Column group, then one column of counts an outcome.
    p_value : float
        P of the Freeman-Halton test.
    p_value_mcse : float
        Its Monte Carlo standard error; 0 when the tables were enumerated.
    method : str
        ``"exact"`` or ``"monte-carlo"``.
    chi_square, df, chi_square_p : float
        Pearson's test, for comparison.
    min_expected : float
        The smallest expected count, which says whether Pearson's test is usable.
    synthetic : bool
        Whether the counts come from a synthetic cohort; figures say so.
    """

    table: pd.DataFrame
    p_value: float
    p_value_mcse: float
    method: str
    chi_square: float
    df: int
    chi_square_p: float
    min_expected: float
    synthetic: bool = False

    def to_frame(self) -> pd.DataFrame:
        """Return one row a cell: group, outcome, count, share of the group, expected count."""
        counts = self.table.iloc[:, 1:].to_numpy()
        r, c = counts.shape
        return pd.DataFrame(
            {
                "group": np.repeat(self.table["group"].to_numpy(), c),
                "outcome": np.tile(self.table.columns[1:].to_numpy(), r),
                "n": counts.ravel(),
                "share": (counts / counts.sum(axis=1, keepdims=True)).ravel(),
                "expected": expected_counts(counts).ravel(),
            }
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: the exact P beside Pearson's."""
        return pd.DataFrame(
            {
                "n": [int(self.table.iloc[:, 1:].to_numpy().sum())],
                "p_value": [self.p_value],
                "p_value_mcse": [self.p_value_mcse],
                "method": [self.method],
                "chi_square": [self.chi_square],
                "df": [self.df],
                "chi_square_p": [self.chi_square_p],
                "min_expected": [self.min_expected],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text, counts with percentages of the group, P in the last column."""
        counts = self.table.iloc[:, 1:].to_numpy()
        shares = 100.0 * counts / counts.sum(axis=1, keepdims=True)
        shown: dict[str, list[str]] = {"Group": [str(name) for name in self.table["group"]]}
        for j, name in enumerate(self.table.columns[1:]):
            pairs = zip(counts[:, j], shares[:, j], strict=True)
            shown[str(name)] = [f"{n} ({fmt_number(share, 1)} %)" for n, share in pairs]
        shown[f"P ({self.method})"] = [fmt_p(self.p_value)] + [""] * (len(counts) - 1)
        return pd.DataFrame(shown)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each group's shares of the outcomes as a stacked bar."""
        from rnetstats.plots.balance import draw_shares
        from rnetstats.plots.style import marked

        return marked(draw_shares(self.to_frame(), ax=ax), self.synthetic)


def exact_table(
    data: Any,
    formula: str | None = None,
    *,
    null: float = 1.0,
    conf_level: float = 0.95,
    method: str = "exact",
    budget: int = BUDGET,
    resamples: int = 10_000,
    seed: int | None = None,
    missing: str = "drop",
) -> ExactTableResult | ExactContingencyResult:
    """Exact methods for a table of counts.

    Parameters
    ----------
    data : array-like or DataFrame of counts, or a cohort with ``formula``
        Without a formula a table of counts: rows are groups, columns outcomes, the event first.
    formula : str, optional
        ``"outcome ~ group"`` for one row a patient. With a 0/1 outcome the event comes first, and
        the group's later level is compared with its first, as a model would.
    null : float
        The odds ratio to test (2x2).
    conf_level : float
        Level of the limits, and of each one-sided limit (2x2).
    method : {"exact", "monte-carlo"}
        How P of a larger table is found.
    budget : int
        Most half tables to be listed by ``"exact"``.
    resamples : int
        Random tables of ``"monte-carlo"``.
    seed : int, optional
        Seed of ``"monte-carlo"``.
    missing : {"drop", "raise"}
        What to do with rows that miss the outcome or the group (with a formula).

    Returns
    -------
    ExactTableResult or ExactContingencyResult
        For a 2x2 table the odds ratio (conditional maximum likelihood; methods ``central``,
        ``mid-p``, ``minlike``, ``blaker``, one-sided; sample odds ratio), the risk difference and
        the risk ratio; for a larger one the Freeman-Halton test.

    Raises
    ------
    BudgetError
        If the exact test of a larger table would take too long; it names ``"monte-carlo"``.
    FormulaError, ColumnError, DataError
        If the formula or the data cannot be used, or the counts are not counts.
    OptionError
        If an option is not allowed, or ``"monte-carlo"`` is asked for of a 2x2 table.

    References
    ----------
    Fay MP (2010) Confidence intervals that match Fisher's exact or Blaker's exact tests.
    Biostatistics 11:373-374. Cornfield J (1956) A statistical problem arising from retrospective
    studies. Freeman GH, Halton JH (1951) Biometrika 38:141-149.

    Examples
    --------
    8 of 181 against 4 of 346 recurrences:

    >>> import rnetstats as rn
    >>> table = rn.exact_table([[8, 173], [4, 342]])
    >>> row = table.method("blaker")
    >>> [round(float(row[name]), 3) for name in ("estimate", "conf_low", "conf_high", "p_value")]
    [3.943, 1.106, 14.258, 0.027]
    """
    conf_level = level(conf_level)
    null = real("null", null, low=0.0, closed=False)
    choice("method", method, ("exact", "monte-carlo"))
    choice("missing", missing, ("drop", "raise"))
    budget = positive_int("budget", budget)
    resamples = draw_count("resamples", resamples, minimum=99)
    table = count_table(data) if formula is None else counts_from_rows(data, formula, missing)
    if table.counts.shape == (2, 2):
        if method != "exact":
            raise OptionError('A 2x2 table is always exact; leave method="monte-carlo" out.')
        return two_by_two(table, null, conf_level)
    return _contingency(table, method, budget, resamples, seed)


def _contingency(
    table: CountTable, method: str, budget: int, resamples: int, seed: int | None
) -> ExactContingencyResult:
    counts = table.counts[:, table.counts.sum(axis=0) > 0]
    notes = list(table.notes)
    if counts.shape[1] < table.counts.shape[1]:
        notes.append("Outcomes that nobody has do not enter the tests.")
    drawn: int | None = None
    error = 0.0
    if counts.shape[1] < 2:
        p = 1.0
        notes.append("Everybody has the same outcome: P is 1 by definition, nothing is compared.")
    elif method == "exact":
        p = freeman_halton_p(counts, budget=budget)
    else:
        drawn = resolve_seed(seed)
        p, error = monte_carlo_p(counts, resamples=resamples, seed=drawn)
        notes.append(f"P is (1 + b)/(1 + B) of B = {resamples:,} random tables.")
    pearson = chi_square(counts) if counts.shape[1] > 1 else None
    return ExactContingencyResult(
        table=table.frame(),
        p_value=p,
        p_value_mcse=error,
        method=method,
        chi_square=math.nan if pearson is None else pearson.statistic,
        df=0 if pearson is None else int(pearson.df[0]),
        chi_square_p=math.nan if pearson is None else pearson.p_value,
        min_expected=float(expected_counts(counts).min()),
        synthetic=table.synthetic,
        notes=tuple(notes),
        seed=drawn,
        options={"method": method, "budget": budget, "resamples": resamples},
    )
