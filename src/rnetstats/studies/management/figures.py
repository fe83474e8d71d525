"""The figures of the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from rnetstats.plots.threshold import threshold_contours
from rnetstats.studies.figure import StudyFigure
from rnetstats.studies.management.disagreement_result import DisagreementResult
from rnetstats.studies.management.threshold_model import threshold_probability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rnetstats.studies.study_result import StudyResult

__all__ = ["figures", "threshold_map"]

_WORDS = {
    "primary": "Before any resection",
    "after resection": "After endoscopic resection",
    "1-2 cm": "Five guidelines on tumours of 1 to 2 cm",
}


def figures(result: StudyResult) -> tuple[StudyFigure, ...]:
    """Return the figures of the result."""
    return tuple(_made(result))


def _made(result: StudyResult) -> Iterator[StudyFigure]:
    for situation, title in _WORDS.items():
        told = result.analysis(f"disagreement, {situation}")
        if isinstance(told, DisagreementResult):
            yield _comparison(told, title)
    yield StudyFigure(
        "threshold_map",
        "How probable a residual must be before surgery is better than surveillance",
        "A formula, no data: the threshold by what surgery costs a patient without a residual "
        "(deaths and lasting morbidity) and what a residual under surveillance costs one who has "
        "it. Surgery is taken to remove every residual, the best case for it. The older the "
        "patient, the smaller the second share, since other deaths come first.",
        "Contours of the threshold probability, rising with the harm of surgery and falling with "
        "the share of remaining years that a residual costs.",
        (7.4, 5.0),
        lambda figure: threshold_map(figure.subplots()),
        from_print=True,
    )


def _comparison(told: DisagreementResult, title: str) -> StudyFigure:
    bars = told.bars()[["group", "label"]].drop_duplicates()
    height = 2.1 + 0.34 * (len(bars) + 1.7 * bars["group"].nunique())
    return StudyFigure(
        f"answers_{told.situation.replace(' ', '_').replace('-', '_')}",
        title,
        "Each bar is all patients of a band of size; beside it their number. “Cannot be applied”: "
        "something that the rule asks for is not recorded.",
        "Stacked bars: the share of patients with each next step, a bar a guideline, grouped by "
        "size of the tumour.",
        (8.2, height),
        lambda figure: told.plot(ax=figure.subplots()),
    )


def threshold_map(ax: Axes | None = None) -> Axes:
    """Draw the threshold by the harm of surgery and the years that a residual costs."""
    harm, lost = np.linspace(0.005, 0.25, 500), np.linspace(0.02, 1.0, 500)
    # a death rate of 1 - lost and a residual's of lost make up the share of years that is lost
    surface = threshold_probability(
        death_rate=1.0 - lost[:, None] + 1e-12,
        residual_rate=lost[:, None],
        efficacy=1.0,
        operative_mortality=harm[None, :],
        utility_loss=0.0,
    )
    return threshold_contours(
        harm,
        lost,
        surface,
        x_label="Harm of surgery (share of the value of remaining years)",
        y_label="Share of remaining years that a residual costs",
        levels=(0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75),
        ax=ax,
    )
