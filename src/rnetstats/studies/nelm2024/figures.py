"""The figures of the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats.plots.style import INK, MUTED, PALETTE, plain_axes
from rnetstats.studies.figure import StudyFigure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rnetstats.studies.study_result import StudyResult

__all__ = ["figures"]

_SURVIVAL = {
    "os_primary": (
        "Overall survival by resection of the primary",
        "Metastases found with the primary. A patient moves to the curve of the resected on the "
        "day of the resection (Simon and Makuch).",
    ),
    "os_liver": (
        "Overall survival by resection of the liver metastases",
        "A patient moves to the curve of the resected on the day of the resection (Simon and "
        "Makuch).",
    ),
}


def figures(result: StudyResult) -> tuple[StudyFigure, ...]:
    """Return the figures that the result can fill."""
    return tuple(_made(result))


def _made(result: StudyResult) -> Iterator[StudyFigure]:
    for name, (title, caption) in _SURVIVAL.items():
        effect: Any = result.analysis(name)
        if effect is not None and effect.simon is not None:
            yield StudyFigure(
                name,
                title,
                caption,
                "Two survival curves with the number at risk below.",
                (7.6, 5.0),
                lambda figure, e=effect: e.plot(  # type: ignore[misc]
                    ax=figure.subplots(), x_label="Months since diagnosis of the metastases"
                ),
            )
    interval = result.analysis("interval")
    if interval is not None:
        yield StudyFigure(
            "interval",
            "Interval from the primary to the metastasis",
            "Share of intervals up to a month, given that they lie within the window: as seen, and "
            "corrected for truncation.",
            "Rising curves of the interval by primary, as seen and corrected.",
            (7.6, 4.6),
            lambda figure: interval.plot(ax=figure.subplots()),
        )
    yield _truncation(result.tables["truncation"])
    after = result.analysis("after_hepatectomy")
    if after is not None:
        yield StudyFigure(
            "after_hepatectomy",
            "After hepatectomy, by observation rules",
            "One country; relapse is dated by the visit at which it is found.",
            "Kaplan-Meier curves by whether the rules were followed.",
            (7.6, 5.0),
            lambda figure: after.plot(  # type: ignore[call-arg]
                ax=figure.subplots(), x_label="Months since hepatectomy"
            ),
        )


def _truncation(table: pd.DataFrame) -> StudyFigure:
    def draw(figure: Figure) -> Any:
        ax = plain_axes(figure.subplots(), grid="y")
        x = table["longest_window"]
        ax.plot(x, table["naive_median"], "o-", color=PALETTE[1], label="median as seen")
        ax.plot(x, table["corrected_median"], "s-", color=PALETTE[0], label="corrected")
        within = table["true_median_within"]
        ax.plot(x, within, "--", color=INK, label="truth, within the window")
        ax.axhline(table["true_median"].iloc[0], color=MUTED, linewidth=0.9)
        ax.text(x.iloc[0], table["true_median"].iloc[0], "truth, of all", va="bottom", color=MUTED)
        ax.set_xlabel("Longest time from primary to end of data collection (months)")
        ax.set_ylabel("Median interval (months)")
        ax.set_ylim(0.0, 1.25 * float(table["true_median"].iloc[0]))
        ax.legend(frameon=False, loc="lower right")
        return ax

    return StudyFigure(
        "truncation",
        "The median as seen grows with the time that the series was watched",
        "Simulated with a known law: the same tumours, watched for longer.",
        "Lines: median as seen, corrected, and true, by the longest window.",
        (7.2, 4.2),
        draw,
    )
