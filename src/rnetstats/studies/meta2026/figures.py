"""The figures of the report."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnetstats.plots.forest import forest
from rnetstats.studies.figure import StudyFigure
from rnetstats.studies.meta2026.drawings import (
    draw_gap,
    draw_methods,
    draw_mixes,
    draw_parts,
    draw_simulation,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rnetstats._core.result import Result
    from rnetstats.studies.study_result import StudyResult

__all__ = ["figures"]

ARMS = ("Salvage", "Observation")
_OVERVIEW = ("mantel-haenszel", "exact", "beta-binomial", "inverse-variance")


def figures(result: StudyResult) -> tuple[StudyFigure, ...]:
    """Return the figures that the result can fill."""
    return tuple(_made(result))


def _made(result: StudyResult) -> Iterator[StudyFigure]:
    yield _overview(result)
    yield from _crude(result)
    yield from _pooled(result)
    yield _gap(result)
    yield from _by_method(result)
    size = result.analysis("information_size")
    if size is not None:
        yield _drawn(
            size,
            "information_size",
            "Patients required to settle the effect",
            "The dashed line: all cases of incomplete resection, comparative or not.",
            "Patients required over the risk of the controls, a line each diversity.",
            (7.4, 4.6),
            from_print=True,
        )


def _crude(result: StudyResult) -> Iterator[StudyFigure]:
    """What the crude odds ratio is made of, and which tables agree with the print."""
    tables = result.tables
    yield StudyFigure(
        "parts",
        "The crude odds ratio is a product",
        "Printed figures only. Grey line: the printed limits within studies; the crude odds ratio "
        "is the product of the two factors above it.",
        "Bars on a log axis: from no effect to the odds ratio within studies, and on to the crude "
        "one.",
        (7.6, 2.9),
        lambda figure: draw_parts(figure.subplots(), tables["crude"]),
        from_print=True,
    )
    yield StudyFigure(
        "simulation",
        "Salvage does nothing, and summed patients say otherwise",
        "Simulated meta-analyses in which no study has an effect: median and middle 95 % of the "
        "crude odds ratio, median within studies, and how often the crude P is below 0.05.",
        "One row a scene: crude odds ratio with its spread, and the one within studies near 1.",
        (8.2, 4.1),
        lambda figure: draw_simulation(figure.subplots(), tables["simulation"], tables["crude"]),
    )
    worlds = result.analysis("worlds")
    if worlds is not None:
        yield _drawn(
            worlds,
            "worlds",
            "Sizes of the two arms that agree with the print",
            "Each region holds all tables that print both percentages and the P value. Group 1: "
            "the salvaged, their recurrences above; group 2: the observed.",
            "Patients observed against patients salvaged: the possible pairs.",
            (7.6, 5.2),
            from_print=True,
        )


def _gap(result: StudyResult) -> StudyFigure:
    """What agrees with much residual tumour and few recurrences."""
    return StudyFigure(
        "gap",
        "What agrees with residual tumour in a quarter and recurrence in few",
        "Left: pairs of growth and finding that give the printed recurrence under observation, for "
        "the printed share of residual tumour and its limits. Right: recurrence that salvage could "
        "prevent at most, if only a share of it is found. Assumptions: see the table.",
        "A curved band of pairs of probabilities; beside it a falling curve of the largest "
        "possible benefit.",
        (9.6, 4.4),
        lambda figure: draw_gap(figure, result.facts),
        from_print=True,
    )


def _by_method(result: StudyResult) -> Iterator[StudyFigure]:
    """Incomplete resection by method, and by a study's mix of methods."""
    tables = result.tables
    yield StudyFigure(
        "methods",
        "Incomplete resection by method",
        "Printed rates have no limits. Ours are pooled from other, few series; single series as "
        "small circles.",
        "By method: the printed rate as a diamond, ours with its interval, single series.",
        (7.8, 3.9),
        lambda figure: draw_methods(figure.subplots(), tables["methods"], tables["method_counts"]),
        from_print=True,
    )
    yield StudyFigure(
        "mixes",
        "What pooled rates give on a study’s mix of methods, and what was seen",
        "Definitions of incomplete differ between the studies.",
        "Six studies: expected and seen shares joined by a line.",
        (7.8, 3.6),
        lambda figure: draw_mixes(figure.subplots(), tables["mixes"]),
        from_print=True,
    )


def _drawn(
    fit: Result,
    name: str,
    title: str,
    caption: str,
    alt: str,
    size: tuple[float, float],
    *,
    from_print: bool,
) -> StudyFigure:
    """A figure that a result draws itself."""
    return StudyFigure(
        name,
        title,
        caption,
        alt,
        size,
        lambda figure: fit.plot(ax=figure.subplots()),
        from_print=from_print,
    )


def _overview(result: StudyResult) -> StudyFigure:
    rows = _ratio_rows(result)
    return StudyFigure(
        "odds_ratios",
        "Recurrence: salvage against observation",
        "Odds ratios; below 1 speaks for salvage. An interval that ends in an arrow goes on beyond "
        "the axis.",
        "Forest plot: the crude odds ratio, the printed one within studies, and ours.",
        (8.4, 1.2 + 0.46 * len(rows)),
        lambda figure: forest(rows, measure="OR", ax=figure.subplots()),
    )


def _ratio_rows(result: StudyResult) -> pd.DataFrame:
    parts = result.tables["crude"].set_index("part")
    names = {
        "crude": "Crude, patients summed (printed; limits of rounding)",
        "within": "Within studies (printed)",
    }
    columns = {"odds_ratio": "estimate", "low": "conf_low", "high": "conf_high"}
    rows = parts.loc[list(names)].rename(columns=columns)
    rows["label"] = list(names.values())
    kept = ["label", "estimate", "conf_low", "conf_high"]
    made = [rows[kept]]
    whose = "your table" if result.facts["own"] else "ours"
    if "rare_methods" in result.tables:
        ours = result.tables["rare_methods"]
        ours = ours[ours["method"].isin(_OVERVIEW) & ours["conf_high"].notna()]
        made.append(ours.assign(label=ours["label"] + f" ({whose})")[kept])
    elif "comparison" in result.tables:
        row = result.analysis("comparison").glance()  # type: ignore[union-attr]
        made.append(row.assign(label=f"Inverse variance ({whose})")[kept])
    return pd.concat(made, ignore_index=True)


def _pooled(result: StudyResult) -> Iterator[StudyFigure]:
    """The forest plot of the studies at hand, the methods, and the other choices."""
    fit, rare = result.analysis("comparison"), result.analysis("rare_events")
    from_print = not result.facts["own"]
    if fit is not None:
        count = len(result.tables["comparison"])

        def draw(figure: Figure) -> Axes:
            return fit.plot(  # type: ignore[call-arg]
                ax=figure.subplots(), arms=ARMS, favours=("salvage", "observation")
            )

        yield StudyFigure(
            "comparison",
            "Studies with both arms",
            "Your table."
            if result.facts["own"]
            else "Counts put together by us from the primary studies; the pooled diamond is ours.",
            "Forest plot: events, odds ratio and weight of each study, pooled below.",
            (12.6, 3.0 + 0.3 * count),
            draw,
            from_print=from_print,
        )
    if rare is not None:
        yield _drawn(
            rare,
            "rare_methods",
            "One odds ratio by every method",
            "Nothing is added to a cell except under inverse variance.",
            "One line a method: odds ratio with limits.",
            (10.6, 5.4),
            from_print=from_print,
        )
    if "sensitivity" in result.tables:
        rows = result.tables["sensitivity"].dropna(subset=["estimate"])
        rows = rows.rename(columns={"analysis": "label"})
        yield StudyFigure(
            "sensitivity",
            "What other choices give",
            "Inverse variance. An interval that ends in an arrow goes on beyond the axis.",
            "Forest plot: one row a choice of limits, correction or studies.",
            (9.2, 1.3 + 0.52 * len(rows)),
            _forest(rows),
            from_print=from_print,
        )


def _forest(rows: pd.DataFrame) -> Callable[[Figure], Any]:
    return lambda figure: forest(rows, measure="OR", ax=figure.subplots())
