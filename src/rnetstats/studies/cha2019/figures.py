"""The figures of the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats.plots.forest import forest
from rnetstats.plots.style import PALETTE, plain_axes
from rnetstats.studies.cha2019.treatment_model import METHODS
from rnetstats.studies.figure import StudyFigure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rnetstats.studies.study_result import StudyResult

__all__ = ["figures"]


def figures(result: StudyResult) -> tuple[StudyFigure, ...]:
    """Return the figures that the result can fill."""
    return tuple(_made(result))


def _made(result: StudyResult) -> Iterator[StudyFigure]:
    if len(result.estimates):
        rows = result.estimates.rename(columns={"contrast": "label"})
        yield StudyFigure(
            "claims",
            "The estimates behind the claims",
            "Odds ratios with 95 % intervals (Firth’s penalty). An interval that ends in an arrow "
            "goes on beyond the axis.",
            "Forest plot: one row a claim, odds ratio with its interval.",
            (8.0, 1.2 + 0.42 * len(rows)),
            lambda figure: forest(rows, measure="OR", ax=figure.subplots()),
        )
    if "treatment_model" in result.tables:
        yield _methods(result.tables["treatment_model"])
    score = result.analysis("treatment_score")
    if score is not None:
        yield StudyFigure(
            "overlap",
            "Probability of additional treatment in the treated and the untreated",
            "Where the two do not overlap there is nobody to compare with.",
            "Mirrored histograms of the probability of treatment by arm.",
            (7.6, 4.2),
            lambda figure: score.plot_overlap(ax=figure.subplots()),  # type: ignore[attr-defined]
        )
    yield _conflict(result.tables["conflict"])


def _methods(table: pd.DataFrame) -> StudyFigure:
    known = table.dropna(subset=["estimate"])
    rows = known.assign(label=known["factor"] + ": " + known["fit"].map(METHODS))
    return StudyFigure(
        "treatment_methods",
        "One model, four ways of estimating it",
        f"With sparse cells the method decides on the size of an odds ratio, {_sides(table)}.",
        "Forest plot: for each factor the odds ratio by each of four methods.",
        (8.4, 1.2 + 0.36 * len(rows)),
        lambda figure: forest(rows, measure="OR", ax=figure.subplots()),
    )


def _sides(table: pd.DataFrame) -> str:
    """Say whether the methods put each factor on one side of no effect."""
    known = table.dropna(subset=["estimate"])
    above, below = (
        known.loc[side, "factor"] for side in (known["estimate"] > 1.0, known["estimate"] < 1.0)
    )
    return "here even on its side" if set(above) & set(below) else "not on its side"


def _conflict(table: pd.DataFrame) -> StudyFigure:
    def draw(figure: Figure) -> Any:
        from matplotlib.patches import Patch

        ax = plain_axes(figure.subplots(), grid="y")
        colours = [PALETTE[1] if seen else PALETTE[0] for seen in table["seen"]]
        ax.bar(table["recurrences"], 100.0 * table["probability"], color=colours, width=0.75)
        at = float(table.loc[table["seen"], "probability"].iloc[0])
        seen = Patch(color=PALETTE[1], label=f"seen: none (probability {at:.3f})")
        ax.legend(handles=[seen], loc="upper right", frameon=False)
        ax.set_xlabel("Recurrences among these patients")
        ax.set_ylabel("Probability (%)")
        ax.set_xticks(table["recurrences"])
        return ax

    return StudyFigure(
        "conflict",
        "How many recurrences the other study’s rate predicts here",
        "Poisson law with the other study’s rate; printed figures only.",
        "Bars: the probability of 0 to 12 recurrences; the bar at 0, what was seen, is marked.",
        (7.2, 3.8),
        draw,
        from_print=True,
    )
