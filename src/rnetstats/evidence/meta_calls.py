"""What a meta-analysis asks of other methods and figures, with its own studies and options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rnetstats.errors import OptionError
from rnetstats.evidence.meta_display import pooled_rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rnetstats.evidence.meta_result import MetaAnalysisResult
    from rnetstats.evidence.rare_events import RareEventsResult
    from rnetstats.evidence.small_study import SmallStudyResult
    from rnetstats.evidence.trim_and_fill import TrimAndFillResult

__all__ = ["forest_of", "funnel_of", "rare_events_of", "small_study_tests_of", "trim_and_fill_of"]

_TABLE = ["study", "events_1", "n_1", "events_2", "n_2"]


def rare_events_of(result: MetaAnalysisResult) -> RareEventsResult:
    """Pool by the models for rare events, studies without an event among them.

    Raises
    ------
    OptionError
        If the studies did not come as counts of two arms.
    """
    from rnetstats.evidence.rare_events import rare_events

    if result.kind.arms != "table" or "events_1" not in result.studies.columns:
        raise OptionError(
            "rare_events() takes odds ratios, risk ratios and risk differences of studies with "
            "events_1, n_1, events_2 and n_2."
        )
    return rare_events(
        result.studies.dropna(subset=_TABLE)[_TABLE],
        measure=result.measure,
        conf_level=result.options["conf_level"],
    )


def small_study_tests_of(result: MetaAnalysisResult, *, force: bool) -> SmallStudyResult:
    """Test the studies used for small-study effects."""
    from rnetstats.evidence.small_study import small_study_tests

    return small_study_tests(
        result.used_studies(),
        measure=result.measure,
        conf_level=result.options["conf_level"],
        force=force,
        synthetic=result.synthetic,
    )


def trim_and_fill_of(
    result: MetaAnalysisResult, *, estimator: str, side: str | None
) -> TrimAndFillResult:
    """Fill in what a symmetrical funnel lacks, and pool as before."""
    from rnetstats.evidence.trim_and_fill import trim_and_fill

    return trim_and_fill(
        result.used_studies(),
        estimator=estimator,
        side=side,
        measure=result.measure,
        synthetic=result.synthetic,
        **{name: result.options[name] for name in ("tau2", "ci", "conf_level")},
    )


def forest_of(result: MetaAnalysisResult, ax: Axes | None, options: dict[str, Any]) -> Axes:
    """Draw the forest plot."""
    from rnetstats.plots.meta_forest import meta_forest
    from rnetstats.plots.style import marked

    axes = meta_forest(
        result.studies,
        pooled_rows(result),
        measure=result.measure,
        conf_level=result.options["conf_level"],
        ax=ax,
        **options,
    )
    return marked(axes, result.synthetic)


def funnel_of(result: MetaAnalysisResult, ax: Axes | None, *, contours: bool) -> Axes:
    """Draw the funnel."""
    from rnetstats.plots.funnel import funnel
    from rnetstats.plots.style import marked

    axes = funnel(
        result.used_studies(),
        estimate=result.estimate,
        measure=result.measure,
        contours=contours,
        conf_level=result.options["conf_level"],
        ax=ax,
    )
    return marked(axes, result.synthetic)
