"""Table 1: the characteristics of a cohort, overall and by group."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rnetstats._core.frame import Data, as_frame, column, is_synthetic, label_of
from rnetstats._core.options import items_of, level, positive_int, real
from rnetstats._core.random import resolve_seed
from rnetstats._core.result import Result
from rnetstats.errors import OptionError
from rnetstats.tables.table_one_balance import difference_notes, pairwise_differences
from rnetstats.tables.table_one_comparisons import compare_variables, empty_notes, with_smd
from rnetstats.tables.table_one_display import Layout, table_text
from rnetstats.tables.table_one_summary import (
    chosen_styles,
    chosen_variables,
    make_groups,
    summarise,
)
from rnetstats.tables.table_one_tests import plan_tests

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["TableOneResult", "table_one"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TableOneResult(Result):
    """Characteristics by group.

    Attributes
    ----------
    summary : DataFrame
        Columns variable, level, group, statistic, value. Statistics of a continuous variable: n,
        n_missing, mean, sd, median, q1, q3, min, max; of a level: count and share (of those with a
        value); n and n_missing of every variable stand at level "".
    comparisons : DataFrame
        One row a variable: variable, label, kind, n_missing, n_not_applicable, test, statistic,
        df_1, df_2, p_value, effect, estimate, conf_low, conf_high, smd. n_missing counts the rows
        without a value, n_not_applicable those of them that by the codebook can have none. P is
        missing where no test was asked for. The effect is the one that goes with the test, first
        group less second: mean difference, location shift (exact Wilcoxon; its limits are missing
        with ties), ratio of variances, or Cramer's V, without limits; other tests have none. smd is
        that of the two groups, or the mean of the absolute pairwise ones.
    pairwise : DataFrame
        Columns variable, group_1, group_2, smd: every pair of groups.
    group_sizes : dict
        Rows of each group, "Overall" among them if shown.
    by, by_label : str or None
        The grouping column and its label.
    synthetic : bool
        Whether the cohort was drawn; figures say so.
    """

    summary: pd.DataFrame
    comparisons: pd.DataFrame
    pairwise: pd.DataFrame
    group_sizes: dict[str, int]
    by: str | None
    by_label: str | None
    synthetic: bool = False

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers, one row a variable, level, group and statistic."""
        return self.summary.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: rows, groups, variables, missing values, the largest difference."""
        differences = self.pairwise["smd"].abs()
        return pd.DataFrame(
            {
                "n": [self.options["n"]],
                "n_missing_group": [self.options["n_missing_group"]],
                "n_groups": [len(self.options["groups"])],
                "n_variables": [len(self.comparisons)],
                "n_missing": [int(self.comparisons["n_missing"].sum())],
                "n_not_applicable": [int(self.comparisons["n_not_applicable"].sum())],
                "n_tests": [int(self.comparisons["p_value"].notna().sum())],
                "max_smd": [float(differences.max()) if len(differences) else math.nan],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the table as it would be printed in a paper."""
        return table_text(self.summary, self.comparisons, self._layout())

    def plot(self, ax: Axes | None = None, *, threshold: float | None = 0.1) -> Axes:
        """Draw the absolute standardised differences, largest at the top.

        Parameters
        ----------
        ax : Axes, optional
            Where to draw.
        threshold : float or None
            Where to draw a dashed line.

        Raises
        ------
        OptionError
            If there are no differences: ``by=`` and ``smd=True`` make them; or the threshold is no
            number.
        """
        from rnetstats.plots.balance import draw_balance
        from rnetstats.plots.style import marked

        if len(self.pairwise) == 0:
            raise OptionError("There are no differences to draw: give table_one by= and smd=True.")
        if threshold is not None:
            real("threshold", threshold, low=0.0)
        labels = self.comparisons.set_index("variable")["label"]
        rows = self.pairwise.assign(
            label=[str(labels[name]) for name in self.pairwise["variable"]],
            pair=[f"{a} – {b}" for a, b in self.pairwise[["group_1", "group_2"]].to_numpy()],
        )
        return marked(draw_balance(rows, ax=ax, threshold=threshold), self.synthetic)

    def _layout(self) -> Layout:
        prefix = f"{self.by_label}: " if self.by_label else ""
        headers = tuple(
            f"{name if name == self.options['overall'] else prefix + name} (n = {size})"
            for name, size in self.group_sizes.items()
        )
        return Layout(
            groups=tuple(self.group_sizes),
            headers=headers,
            styles=self.options["summaries"],
            digits=self.options["digits"],
            missing=self.options["missing"],
            smd=len(self.pairwise) > 0,
            tests=self.options["tests"] is not None,
        )


def table_one(
    data: Data,
    by: str | None = None,
    *,
    columns: Sequence[str] | None = None,
    summaries: str | Mapping[str, str] = "both",
    categorical: Sequence[str] = (),
    tests: str | Mapping[str, str] | None = None,
    continuity: bool = False,
    pairs: str | None = None,
    conf_level: float = 0.95,
    smd: bool = True,
    overall: bool = True,
    missing: bool = True,
    digits: int = 1,
    seed: int | None = 0,
) -> TableOneResult:
    """Describe a cohort, overall and by group.

    Continuous columns get mean (SD) and/or median [IQR], 0/1 columns and levels counts and
    percentages (of those with a value); missing values are always counted. A numeric column is
    taken for codes of levels if a codebook names its codes, or if it has at most five different
    values, all whole, and at least five rows for each. No P values unless
    asked for: in a randomised trial they test a hypothesis known to be true, and elsewhere the
    standardised difference answers the question better.

    Parameters
    ----------
    data : DataFrame or mapping
        One row a patient.
    by : str, optional
        The grouping column: 0/1, bool, text or category, or numeric with two values.
    columns : sequence of str, optional
        Columns to describe, in this order; all that can be described by default.
    summaries : {"mean", "median", "both"} or mapping
        How continuous columns are printed, for all or by column; a column named here is continuous
        whatever its values.
    categorical : sequence of str
        Numeric columns whose values are codes of levels.
    tests : None, "auto" or mapping
        A test by column, or by the words ``"continuous"`` and ``"categorical"``: ``welch``, ``t``,
        ``wilcoxon``, ``wilcoxon-uncorrected``, ``wilcoxon-exact``, ``variance-f`` (of equal
        variances), ``anova``, ``welch-anova``, ``kruskal``, of pairs ``paired-t``,
        ``signed-rank``, ``signed-rank-exact``; ``chi-square``, ``fisher``,
        ``fisher-monte-carlo``. ``"auto"``: Welch (or ranks where the median alone is printed);
        chi-square if every expected count is at least 5, else Fisher.
    continuity : bool
        Yates' correction of the chi-square test of 2x2 tables.
    pairs : str, optional
        For the paired tests: a column whose equal values mark the two rows of a pair, one in each
        group. It is not described unless `columns` name it.
    conf_level : float
        Of the limits of the effects in :attr:`TableOneResult.comparisons`.
    smd : bool
        Standardised mean differences.
    overall : bool
        A column for all rows (always there without groups).
    missing : bool
        Show the column of missing counts (they are in :meth:`TableOneResult.to_frame` in any case).
    digits : int
        Decimals of means and medians.
    seed : int or None
        Seed of Monte Carlo tests.

    Returns
    -------
    TableOneResult

    Raises
    ------
    ColumnError
        If a column does not exist, has no values, or cannot make groups.
    DataError
        If the data cannot be used.
    OptionError
        If a test or a summary is unknown, or a paired test is asked for without `pairs` (or these
        without a paired test).

    References
    ----------
    Altman DG (1985) Comparability of randomised groups. Statistician 34:125-136. Austin PC (2009)
    Stat Med 28:3083-3107.

    Examples
    --------
    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024")
    >>> table = rn.table_one(cohort, by="margin_positive", columns=["age", "lvi"], summaries="mean")
    >>> table.display().iloc[:, :2]
                       Characteristic  Overall (n = 527)
    0          Age (years), mean (SD)        51.3 (11.6)
    1  Lymphovascular invasion, n (%)         47 (8.9 %)
    """
    frame = as_frame(data)
    digits = positive_int("digits", digits, minimum=0)
    if tests is not None and by is None:
        raise OptionError("tests= compares groups: give by= too.")
    groups = make_groups(frame, by)
    measured = tuple(summaries) if isinstance(summaries, Mapping) else ()
    pair = None if pairs is None else pd.factorize(column(frame, pairs))[0]
    described = frame if pairs is None or columns is not None else frame.drop(columns=pairs)
    variables, notes = chosen_variables(
        described, columns, by, categorical=items_of(categorical), continuous=measured
    )
    styles = chosen_styles(summaries, variables)
    drawn = resolve_seed(seed)
    plan = plan_tests(
        tests,
        variables,
        continuity=continuity,
        conf_level=level(conf_level),
        seed=drawn,
        pairs=pair,
    )
    comparisons, failed = compare_variables(variables, groups, plan, styles)
    between = pairwise_differences(variables if smd else [], groups.rows)
    shown = {groups.overall: groups.everyone} if overall or by is None else {}
    shown |= groups.rows
    adjusted = () if tests is None else ("P values are not adjusted for multiple comparisons.",)
    return TableOneResult(
        summary=summarise(variables, shown),
        comparisons=with_smd(comparisons, between),
        pairwise=between,
        group_sizes={name: int(rows.sum()) for name, rows in shown.items()},
        by=by,
        by_label=None if by is None else label_of(frame, by),
        synthetic=is_synthetic(frame),
        notes=(
            *groups.notes,
            *notes,
            *empty_notes(comparisons),
            *difference_notes(variables, between),
            *failed,
            *adjusted,
        ),
        seed=drawn,
        options={
            "n": int(groups.everyone.sum()),
            "n_missing_group": int((~groups.everyone).sum()),
            "groups": list(groups.rows),
            "overall": groups.overall,
            "summaries": styles,
            "tests": dict(tests) if isinstance(tests, Mapping) else tests,
            "continuity": continuity,
            "pairs": pairs,
            "conf_level": conf_level,
            "missing": missing,
            "digits": digits,
        },
    )
