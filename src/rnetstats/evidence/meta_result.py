"""The result of a meta-analysis, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.errors import DataNotKeptError
from rnetstats.evidence.meta_display import display_rows
from rnetstats.evidence.meta_measures import MEASURES, Measure
from rnetstats.evidence.meta_options import PoolOptions

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rnetstats.evidence.meta_influence import InfluenceResult
    from rnetstats.evidence.meta_regression import MetaRegressionResult
    from rnetstats.evidence.meta_sets import CumulativeResult, LeaveOneOutResult
    from rnetstats.evidence.meta_subgroups import SubgroupsResult
    from rnetstats.evidence.rare_events import RareEventsResult
    from rnetstats.evidence.small_study import SmallStudyResult
    from rnetstats.evidence.trim_and_fill import TrimAndFillResult

__all__ = ["MetaAnalysisResult"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MetaAnalysisResult(Result):
    """Pooled effects of studies; see :func:`rnetstats.meta_analysis`.

    Attributes
    ----------
    measure : str
    studies : DataFrame
        One row a study: its data as given, ``estimate`` with Wald limits on the scale of the
        measure, ``coef`` and ``std_error`` on that of analysis, ``weight`` and ``weight_common``
        in per cent, ``used``, ``note``.
    pooled : DataFrame
        Two rows, ``random effects`` and ``common effect``: estimate, limits, prediction interval,
        ``coef``, ``std_error`` (that of the limits), ``std_error_wald``, ``statistic, df,
        p_value, method``.
    heterogeneity : DataFrame
        One row: ``tau2`` with standard error and limits, ``q, q_df, q_p``, ``i2`` from Q with
        limits (``i2_untruncated`` may be negative) and ``i2_tau2`` from tau2, ``h, h2, h2_tau2``.
        Shares are of 1.
    rare : bool
        Whether a cell is zero or a rate below 5 %.
    moderators : DataFrame or None
        The studies' other columns, as given; not written to JSON.
    """

    measure: str
    studies: pd.DataFrame
    pooled: pd.DataFrame
    heterogeneity: pd.DataFrame
    rare: bool
    moderators: pd.DataFrame | None = field(default=None, metadata={"rows": True})

    def _value(self, name: str, model: int = 0) -> float:
        return float(self.pooled[name].iloc[model])

    @property
    def estimate(self) -> float:
        """The pooled effect, with random effects, on the measure's scale."""
        return self._value("estimate")

    @property
    def conf_low(self) -> float:
        """Lower limit of the pooled effect."""
        return self._value("conf_low")

    @property
    def conf_high(self) -> float:
        """Upper limit of the pooled effect."""
        return self._value("conf_high")

    @property
    def tau2(self) -> float:
        """Variance between studies, on the scale of analysis."""
        return float(self.heterogeneity["tau2"].iloc[0])

    @property
    def k_used(self) -> int:
        """Studies that were pooled."""
        return int(self.studies["used"].sum())

    @property
    def kind(self) -> Measure:
        """The measure with its scale."""
        return MEASURES[self.measure]

    @property
    def pooling(self) -> PoolOptions:
        """How the studies were pooled."""
        names = ("tau2", "ci", "prediction", "conf_level")
        return PoolOptions(**{name: self.options[name] for name in names})

    def used_studies(self) -> pd.DataFrame:
        """Return the rows of the studies that were pooled."""
        return self.studies[self.studies["used"]]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a study (a copy)."""
        return self.studies.copy()

    def glance(self) -> pd.DataFrame:
        """Return one row: the pooled effect, its prediction interval, and heterogeneity.

        ``i2`` is (Q - df) / Q, ``i2_tau2`` the share of tau2 in tau2 and the typical variance of
        a study, which R's metafor calls I^2; both are shares of 1.
        """
        spread = self.heterogeneity.iloc[0]
        names = ("estimate", "conf_low", "conf_high", "p_value", "pi_low", "pi_high")
        tail = ("i2", "i2_tau2", "h2", "q", "q_df", "q_p")
        return pd.DataFrame(
            {
                "measure": [self.measure],
                "k": len(self.studies),
                "k_used": self.k_used,
                **{name: self._value(name) for name in names},
                **{name: float(spread[name]) for name in ("tau2", "tau2_low", "tau2_high", *tail)},
                "method": self.pooled["method"].iloc[0],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return studies and pooled effects as text; of rare events also the models for them."""
        return display_rows(self, self._beside())

    def _beside(self) -> pd.DataFrame:
        """The models for rare events, where they are called for."""
        if not self.rare:
            return pd.DataFrame()
        from rnetstats.evidence.meta_beside import rare_rows

        return rare_rows(self)

    def subgroups(self, by: str, *, common_tau2: bool = False) -> SubgroupsResult:
        """Pool each group of studies, and test whether the groups differ.

        Parameters
        ----------
        by : str
            A column of the data.
        common_tau2 : bool
            One variance between studies for all groups, rather than one each.

        Raises
        ------
        ColumnError
            If a column is not among the studies'.
        DataNotKeptError
            After reading back from JSON.
        """
        from rnetstats.evidence.meta_subgroups import subgroups

        return subgroups(self, by, common_tau2=common_tau2)

    def meta_regression(self, formula: str) -> MetaRegressionResult:
        """Regress the effects on columns of the data, e.g. ``"latitude + C(allocation)"``.

        Raises
        ------
        FormulaError, ColumnError
            If the moderators cannot be used.
        DataNotKeptError
            After reading back from JSON.
        """
        from rnetstats.evidence.meta_regression import meta_regression

        return meta_regression(self, formula)

    def leave_one_out(self) -> LeaveOneOutResult:
        """Pool again without each study in turn."""
        from rnetstats.evidence.meta_sets import leave_one_out

        return leave_one_out(self)

    def cumulative(
        self, order: str | Sequence[Any] | None = None, *, ascending: bool = True
    ) -> CumulativeResult:
        """Pool the first study, the first two, and so on.

        Parameters
        ----------
        order : str or sequence, optional
            A column of the data to sort by, or one value a study; as given by default.
        ascending : bool

        Raises
        ------
        ColumnError
            If a column is not among the studies'.
        OptionError
            If the order has not one value a study.
        DataNotKeptError
            After reading back from JSON.
        """
        from rnetstats.evidence.meta_sets import cumulative

        return cumulative(self, order, ascending=ascending)

    def influence(self) -> InfluenceResult:
        """Return each study's residual without it, and what leaving it out changes."""
        from rnetstats.evidence.meta_influence import influence

        return influence(self)

    def rare_events(self) -> RareEventsResult:
        """Pool by models for rare events: Mantel-Haenszel, Peto, binomial-normal, beta-binomial."""
        from rnetstats.evidence.meta_calls import rare_events_of

        return rare_events_of(self)

    def small_study_tests(self, *, force: bool = False) -> SmallStudyResult:
        """Test whether small studies show other effects: Egger, Peters, Harbord and others.

        Parameters
        ----------
        force : bool
            Test also below 10 studies.

        Raises
        ------
        OptionError
            If ``force`` is neither True nor False.
        """
        from rnetstats.evidence.meta_calls import small_study_tests_of

        return small_study_tests_of(self, force=force)

    def trim_and_fill(self, *, estimator: str = "L0", side: str | None = None) -> TrimAndFillResult:
        """Fill in studies that a symmetrical funnel would have; a sensitivity analysis.

        Parameters
        ----------
        estimator : {"L0", "R0", "Q0"}
        side : {"left", "right"}, optional
            Where studies are missing; found from the data by default.

        Raises
        ------
        OptionError
            If there is no such estimator or side.
        """
        from rnetstats.evidence.meta_calls import trim_and_fill_of

        return trim_and_fill_of(self, estimator=estimator, side=side)

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the forest plot; ``options`` go to :func:`rnetstats.plots.meta_forest.meta_forest`.

        Among them ``arms``, the names of the two arms, and ``favours``.
        """
        from rnetstats.evidence.meta_calls import forest_of

        return forest_of(self, ax, options)

    def plot_funnel(self, ax: Axes | None = None, *, contours: bool = True) -> Axes:
        """Draw effects against their standard errors, with contours of significance."""
        from rnetstats.evidence.meta_calls import funnel_of

        return funnel_of(self, ax, contours=contours)

    def columns_for(self, purpose: str) -> pd.DataFrame:
        """Return the caller's columns, or say that they were not kept.

        Raises
        ------
        DataNotKeptError
        """
        if self.moderators is None:
            raise DataNotKeptError(
                f"{purpose} needs the studies' other columns, which are not written to JSON. "
                "Run the meta-analysis again from the data."
            )
        return self.moderators
