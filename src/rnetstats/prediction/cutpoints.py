"""A cut-off found on the data, with the P value that its search deserves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from rnetstats._core.frame import Data
from rnetstats._core.options import choice, draw_count, level
from rnetstats._core.random import resolve_seed
from rnetstats._core.result import Result
from rnetstats.formatting import fmt_count, fmt_number, fmt_p
from rnetstats.prediction.cutpoint_notes import notes_of
from rnetstats.prediction.cutpoint_options import (
    METHODS,
    check_plan,
    checked_direction,
    checked_horizon,
    checked_p_method,
    checked_shares,
)
from rnetstats.prediction.cutpoint_rows import CutpointRows, cutpoint_rows
from rnetstats.prediction.cutpoint_search import Plan, adjusted_p, search
from rnetstats.prediction.cutpoint_table import result_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

    from rnetstats.prediction.cutpoint_resampling import CutpointDistribution
    from rnetstats.prediction.resolution import CutResolution

__all__ = ["CutpointResult", "cutpoint"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CutpointResult(Result):
    """A cut-off that was found on the data.

    Attributes
    ----------
    table : DataFrame
        One row: ``marker, method, rule, estimate, midpoint, statistic, p_value, p_method, n,
        n_events, n_below, n_above, events_below, events_above``; with ``time=`` the events are
        those by then. ``p_value`` is that of the largest statistic over the whole search. By
        permutation ``p_value_mcse`` stands beside it; by "hothorn-lausen" ``p_hothorn_lausen``
        and ``statistic_whole``; for Youden's index ``sensitivity,
        specificity`` (of a binary outcome also ``accuracy, auc, prevalence``); for "minimum-p"
        ``p_unadjusted`` (wrong, shown as a demonstration), ``type_one_error`` and
        ``type_one_error_mcse``.
    splits : DataFrame
        See :meth:`curve`.
    optimal : DataFrame
        All equally good cut-offs: ``cut, midpoint, statistic``.
    labels : dict
    n_missing : int
    rows : CutpointRows or None
        Patient rows, for :meth:`resampling` and :meth:`resolution`; never written.
    """

    table: pd.DataFrame
    splits: pd.DataFrame
    optimal: pd.DataFrame
    labels: dict[str, str]
    n_missing: int = 0
    rows: CutpointRows | None = field(default=None, metadata={"rows": True})

    @property
    def estimate(self) -> float:
        """The chosen cut-off."""
        return float(self.table["estimate"].iloc[0])

    def to_frame(self) -> pd.DataFrame:
        """Return the chosen cut-off, one row."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the search, its counts and its P value."""
        columns = ["marker", "method", "estimate", "statistic", "p_value", "p_method"]
        frame = self.table[[*columns, "n", "n_events"]].copy()
        frame["n_missing"] = self.n_missing
        frame["n_cuts"] = len(self.splits)
        frame["n_optimal"] = len(self.optimal)
        return frame

    def curve(self) -> pd.DataFrame:
        """Return every cut-off that was searched.

        Returns
        -------
        DataFrame
            ``cut, midpoint, statistic, n_below, n_above, events_below, events_above``, and for
            Youden's index ``sensitivity, specificity``. The statistic of "maxstat" and
            "minimum-p" is without its sign; Youden's index is that of the chosen direction.
        """
        return self.splits.copy()

    def display(self) -> pd.DataFrame:
        """Return the chosen cut-off as text."""
        row = self.table.iloc[0]
        shown = {
            "Cut-off": row["rule"],
            "N above": fmt_count(row["n_above"]),
            "Events above": fmt_count(row["events_above"]),
            "N below": fmt_count(row["n_below"]),
            "Events below": fmt_count(row["events_below"]),
            _STATISTIC[row["method"]]: fmt_number(row["statistic"], 2),
            f"P, adjusted ({row['p_method']})": fmt_p(min(row["p_value"], 1.0)),
        }
        if row["method"] == "minimum-p":
            shown["P, unadjusted (wrong)"] = fmt_p(row["p_unadjusted"])
        return pd.DataFrame([shown])

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the statistic of every cut-off, the chosen one marked."""
        from rnetstats.plots.cutpoint import statistic_curve
        from rnetstats.plots.style import marked

        row = self.table.iloc[0]
        axes = statistic_curve(
            self.splits,
            chosen=self.estimate,
            label=self.labels["marker"],
            statistic=_STATISTIC[row["method"]],
            title=f"{row['rule']}; adjusted P {fmt_p(min(row['p_value'], 1.0))}",
            ax=ax,
        )
        return marked(axes, self.synthetic)

    def resampling(
        self, *, resamples: int = 1000, fraction: float | None = None, seed: int | None = None
    ) -> CutpointDistribution:
        """Search the cut-off again in resamples.

        Parameters
        ----------
        resamples : int
        fraction : float, optional
            None draws bootstrap samples, which show how the chosen cut-off moves but give no
            limits. A share of the rows draws subsamples without replacement, which do.
        seed : int, optional

        Raises
        ------
        DataNotKeptError
            After reading the result back from JSON.
        OptionError
            If an option is not allowed.
        """
        from rnetstats.prediction.cutpoint_resampling import resampled_cuts

        rows = self._need("rows", "resampling()")
        return resampled_cuts(self, rows, resamples=resamples, fraction=fraction, seed=seed)

    def resolution(
        self, cut: float | str | None = None, *, step: float | None = None
    ) -> CutResolution:
        """Say whether a cut-off can come from values recorded as these are.

        Parameters
        ----------
        cut : float or str, optional
            Such as "14.89"; by default the estimate.
        step : float, optional
            The smallest step of the measurement; by default that of the values.

        Raises
        ------
        DataNotKeptError
            After reading the result back from JSON.
        OptionError
            If the cut-off is no number, or the step is not above 0.
        DataError
            If not all values are multiples of the stated step.
        """
        from rnetstats.prediction.resolution import cut_resolution

        rows = self._need("rows", "resolution()")
        found = cut_resolution(rows.x, self.estimate if cut is None else cut, step=step)
        return found.labelled(self.labels["marker"], self.synthetic)


_STATISTIC = {
    "youden": "Youden's index",
    "maxstat": "Maximal statistic",
    "minimum-p": "Maximal statistic",
}


def cutpoint(
    data: Data,
    formula: str,
    *,
    method: str = "youden",
    direction: str | None = None,
    time: float | None = None,
    minprop: float | None = None,
    maxprop: float | None = None,
    p_method: str | None = None,
    permutations: int = 9999,
    freq_weights: str | ArrayLike | None = None,
    seed: int | None = None,
    conf_level: float = 0.95,
    missing: str = "drop",
) -> CutpointResult:
    """Find the cut-off of a marker that separates an outcome best.

    Parameters
    ----------
    data : DataFrame or mapping of columns
        Never changed.
    formula : str
        ``"y ~ x"`` or ``"Surv(time, event) ~ x"``, x one column of numbers.
    method : {"youden", "maxstat", "minimum-p"}
        The largest sensitivity + specificity - 1 (of equally good cut-offs the median; for a
        time, of an event by ``time``, weighted by the inverse probability of censoring); the
        largest standardised rank statistic (log-rank scores for a time; of equally good
        cut-offs the smallest); or the smallest P value of a two-sample test, which picks the
        same cut-off as "maxstat" and is there to demonstrate how wrong that P value is.
    direction : {">=", "<="}, optional
        For Youden's index: which side counts as positive. By default whichever separates better.
    time : float, optional
        Horizon of Youden's index of a time.
    minprop, maxprop : float, optional
        Smallest and largest share of the rows at or below the cut-off, rounded down to whole
        rows: 0.1 and 0.9, but all of them for Youden's index.
    p_method : {"lau94", "lau92", "exact-gauss", "hothorn-lausen", "permutation"}, optional
        How P is adjusted for the search. For "maxstat" (default "lau94") the bound of Lausen et
        al. (1994), the approximation of Lausen and Schumacher (1992), the Gaussian limit
        integrated exactly, the bound of Hothorn and Lausen (2003), or permutation; the others
        take permutation only. The bound of Hothorn and Lausen is never below the permutation P
        of the scores rounded to whole numbers (0 to n), whose largest statistic is
        ``statistic_whole``. ``p_hothorn_lausen`` beside it is the number of the R package
        maxstat, which counts larger statistics only and leaves some of those out.
    permutations : int
        P is (1 + b) / (1 + permutations).
    freq_weights : str or array, optional
        Whole numbers that stand for replicated rows.
    seed : int, optional
        Drawn and recorded if not given; for permutations.
    conf_level : float
        1 less the nominal level at which "minimum-p" counts its wrong rejections.
    missing : {"drop", "raise"}

    Returns
    -------
    CutpointResult
        The estimate is an observed value: x <= estimate against x > estimate for "maxstat" and
        "minimum-p"; positive if x >= estimate (or <=) for Youden's index, whose median of
        equally good cut-offs need be none of them, nor an observed value (a note says so).

    Raises
    ------
    OptionError
        For an option that is not allowed or does not go with the method.
    FormulaError, ColumnError, DataError
        For a formula or data on which no cut-off can be searched.
    BudgetError
        If "exact-gauss" or "hothorn-lausen" would take more than some ten seconds.

    References
    ----------
    Youden WJ (1950). Index for rating diagnostic tests. Cancer 3, 32-35.
    Lausen B, Schumacher M (1992). Maximally selected rank statistics. Biometrics 48, 73-85.
    Hothorn T, Lausen B (2003). On the exact distribution of maximally selected rank statistics.
    Computational Statistics & Data Analysis 43, 121-137.
    Altman DG, Lausen B, Sauerbrei W, Schumacher M (1994). Dangers of using "optimal" cutpoints in
    the evaluation of prognostic factors. J Natl Cancer Inst 86, 829-835.

    Examples
    --------
    The truth behind this cohort has no threshold; a cut-off is found all the same.

    >>> import rnetstats as rn
    >>> cohort = rn.load_cohort("duan2024", truth="smooth")
    >>> found = rn.cutpoint(cohort, "margin_positive ~ size_mm", method="maxstat")
    >>> found.glance()[["estimate", "statistic", "p_value", "p_method", "n_cuts"]].round(4)
       estimate  statistic  p_value p_method  n_cuts
    0       9.5     4.1452   0.0004    lau94      17
    """
    choice("method", method, METHODS)
    p_method = checked_p_method(method, p_method)
    draws = draw_count("permutations", permutations, minimum=19)
    alpha = 1.0 - level(conf_level)
    low, high = checked_shares(minprop, maxprop)
    read = cutpoint_rows(data, formula, freq_weights=freq_weights, missing=missing)
    plan = Plan.of(
        method, checked_direction(method, direction), low, high, checked_horizon(read, method, time)
    )
    check_plan(plan)
    drawn = resolve_seed(seed) if p_method == "permutation" else None
    found = search(read.rows, plan)
    tested = adjusted_p(
        read.rows, plan, found, p_method, permutations=draws, seed=drawn, alpha=alpha
    )
    table = result_table(read, plan, found, p_method, tested)
    return CutpointResult(
        table=table,
        splits=found.curve,
        optimal=found.curve.loc[found.best, ["cut", "midpoint", "statistic"]].reset_index(
            drop=True
        ),
        labels=read.labels,
        n_missing=read.n_missing,
        rows=read.rows,
        synthetic=read.synthetic,
        seed=drawn,
        notes=(*read.notes, *notes_of(table.to_dict("records")[0], plan, found, alpha)),
        options={
            "formula": read.formula,
            "method": method,
            "direction": plan.direction,
            "minprop": plan.minprop,
            "maxprop": plan.maxprop,
            "time": plan.horizon,
            "p_method": p_method,
            "permutations": draws,
            "conf_level": conf_level,
            "missing": missing,
        },
    )
