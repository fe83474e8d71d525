"""The figures of the salvage chapter, drawn from a study's result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rnetstats.formatting import fmt_percent
from rnetstats.plots.style import INK, title_above
from rnetstats.studies.duan2024.salvage_words import counted
from rnetstats.studies.figure import StudyFigure
from rnetstats.treatment.detectable_effect import DetectableEffectResult
from rnetstats.treatment.effect import TreatmentEffectResult
from rnetstats.treatment.immortal_biases import ImmortalBiases
from rnetstats.treatment.swimmer import SwimmerResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rnetstats.studies.study_result import StudyResult

__all__ = ["salvage_figures"]

_PANELS = {"recurrence": "Time to recurrence", "dfs": "Disease-free survival"}


def salvage_figures(result: StudyResult) -> Iterator[StudyFigure]:
    """Yield the figures that the result has the numbers for."""
    lanes = result.analysis("salvage_lanes")
    if isinstance(lanes, SwimmerResult) and lanes.lanes is not None:
        yield _lanes(lanes)
    effects = {
        title: effect
        for key, title in _PANELS.items()
        if isinstance(effect := result.analysis(f"salvage_effect_{key}"), TreatmentEffectResult)
    }
    changing = {title: effect for title, effect in effects.items() if effect.simon is not None}
    if changing:
        yield _changing(changing)
    both = {title: effect for title, effect in effects.items() if len(effect.strategies)}
    if both:
        yield _strategies(both)
    biases = result.analysis("salvage_biases")
    if isinstance(biases, ImmortalBiases):
        yield _biases(biases)
    detectable = result.analysis("salvage_detectable")
    if isinstance(detectable, DetectableEffectResult):
        yield _detectable(detectable)


def _lanes(lanes: SwimmerResult) -> StudyFigure:
    count = lanes.glance().iloc[0]
    return StudyFigure(
        name="salvage_lanes",
        title="The course of each patient with a positive margin",
        caption="A lane a patient, from the first resection to recurrence, death or the last "
        f"visit: {count['n']:g} {'patient' if count['n'] == 1 else 'patients'}, "
        f"{count['n_treated']:g} of them salvaged.",
        alt="Swimmer plot of the patients with a positive margin; their sums stand in the tables.",
        size=(7.6, 7.6),
        draw=lambda figure: lanes.plot(ax=figure.subplots()),
    )


def _changing(effects: dict[str, TreatmentEffectResult]) -> StudyFigure:
    return StudyFigure(
        name="salvage_changing",
        title="Salvage as it changes: from not yet salvaged to salvaged",
        caption="Simon-Makuch curves: a patient is at risk in the lower row of numbers from the "
        "day of salvage on, and in the upper one until then. They show the comparison that the "
        "time-dependent hazard ratio makes, not the course of any patient.",
        alt="Curves of patients not yet salvaged and salvaged; the table holds the hazard ratios.",
        size=_stacked(effects),
        draw=lambda figure: _one_below_the_other(figure, effects, kind="simon-makuch"),
    )


def _strategies(effects: dict[str, TreatmentEffectResult]) -> StudyFigure:
    first = next(iter(effects.values())).glance().iloc[0]
    return StudyFigure(
        name="salvage_strategies",
        title="Two strategies: all are salvaged, nobody is",
        caption="Weighted curves (clone-censor-weight) of two strategies that every patient could "
        f"have followed: salvage within {first['grace']:g} months, and none at all. Everybody "
        "begins under both and leaves the one that the course departs from. Events are those of "
        "the whole follow-up. Without a band there are too few events for one.",
        alt="Weighted curves of both strategies; the table holds the risks.",
        size=_stacked(effects),
        draw=lambda figure: _one_below_the_other(figure, effects, kind="clone-censor-weight"),
    )


def _one_below_the_other(
    figure: Figure, effects: dict[str, TreatmentEffectResult], **options: Any
) -> None:
    axes = figure.subplots(len(effects), 1, squeeze=False)[:, 0]
    for ax, (title, effect) in zip(axes, effects.items(), strict=True):
        effect.plot(ax=ax, x_label="Months since the first resection", **options)
        title_above(ax, title, fontsize=11, color=INK)


def _stacked(effects: dict[str, TreatmentEffectResult]) -> tuple[float, float]:
    return (7.6, 4.8 * len(effects))


def _biases(biases: ImmortalBiases) -> StudyFigure:
    return StudyFigure(
        name="salvage_biases",
        title="What a useless salvage would look like",
        caption="Simulated under no effect of salvage: the hazard ratio that each bias alone would "
        "show. Every number rests on the assumptions in the table.",
        alt="Bars of the hazard ratio under each bias; the table holds the numbers.",
        size=(8.4, 4.4),
        draw=lambda figure: biases.plot(ax=figure.subplots()),
    )


def _detectable(found: DetectableEffectResult) -> StudyFigure:
    share = fmt_percent(found.share, 0)
    title = f"{counted(found.events, 'recurrence')}, {share} of the time at risk after salvage"
    return StudyFigure(
        name="salvage_detectable",
        title="Which effects these recurrences could have shown",
        caption="The chance of a significant result for hazard ratios supposed beforehand.",
        alt="Power over the supposed hazard ratio; the table holds the numbers.",
        size=(7.6, 4.4),
        draw=lambda figure: title_above(
            found.plot(ax=figure.subplots()), title, loc="left", fontsize=11
        ),
    )
