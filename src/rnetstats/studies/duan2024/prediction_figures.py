"""The figures of the prediction chapter, drawn from a study's result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rnetstats.plots.cutpoint import cut_distribution
from rnetstats.plots.style import INK, PALETTE, title_above
from rnetstats.plots.validation import draw_benefit, draw_curve
from rnetstats.prediction.validation_result import ValidationResult
from rnetstats.studies.duan2024.cutoff_search import halfway
from rnetstats.studies.figure import StudyFigure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from rnetstats.studies.study_result import StudyResult

__all__ = ["prediction_figures"]

_PANELS = {
    "printed": "Printed cut-offs, fixed",
    "repeated": "The study’s steps repeated",
    "before": "Known before the resection",
}


def prediction_figures(result: StudyResult) -> Iterator[StudyFigure]:
    """Yield the figures that the result has the numbers for."""
    made = {}
    for way in _PANELS:
        found = result.analysis(f"model_{way}_validation")
        if isinstance(found, ValidationResult):
            made[way] = found
    count = _counts(result)
    curves = {
        _PANELS[way]: validation.calibration_curve()
        for way, validation in made.items()
        if len(validation.calibration_curve())
    }
    if curves:
        yield _calibration(curves, count)
    benefit = {
        _PANELS[way]: made[way].decision_curve()
        for way in ("printed", "before")
        if way in made and len(made[way].decision_curve())
    }
    if benefit:
        yield _benefit(benefit, count)
    model = result.analysis("model")
    if model is not None:
        yield _nomogram(model, count)
    yield from _cutoffs(result, count)
    unstable = result.analysis("model_instability")
    if unstable is not None and getattr(unstable, "patient_table", None) is not None:
        yield _instability(unstable, count)


def _counts(result: StudyResult) -> str:
    facts = result.facts.get("model") or {"n": 0, "n_events": 0}
    return f"{facts['n_events']} positive margins among {facts['n']} patients."


def _panels(figure: Figure, parts: dict[str, pd.DataFrame], draw: Any) -> None:
    axes = figure.subplots(1, len(parts), squeeze=False)[0]
    for place, (ax, (name, frame)) in enumerate(zip(axes, parts.items(), strict=True)):
        draw(frame, ax=ax)
        title_above(ax, name, fontsize=11, color=INK)
        legend = ax.get_legend()
        if place and legend is not None:
            legend.remove()


def _calibration(curves: dict[str, pd.DataFrame], count: str) -> StudyFigure:
    return StudyFigure(
        name="model_calibration",
        title="Predicted and observed risk",
        caption="Observed against predicted risk of a positive margin, smoothed: on the patients "
        "that the model was made from, and corrected for optimism. On the dashed line they agree; "
        f"a flatter line means that high risks are too high and low ones too low. {count}",
        alt="Calibration curves, apparent and corrected; the table of performance holds the "
        "calibration slope and index.",
        size=(4.4 * len(curves), 4.5),
        draw=lambda figure: _panels(figure, curves, draw_curve),
    )


def _benefit(curves: dict[str, pd.DataFrame], count: str) -> StudyFigure:
    return StudyFigure(
        name="model_net_benefit",
        title="Net benefit of referring before the resection by the model’s risk",
        caption="“Treat” is to refer to a centre that resects wider. A model is of use where its "
        "corrected line lies above both referring all and referring none. Left, the model that "
        "contains the method, for comparison: before the referral the method is not yet chosen. "
        f"{count}"
        if len(curves) > 1
        else f"“Treat” is to refer to a centre that resects wider. {count}",
        alt="Decision curves, apparent and corrected, beside treating all and none; the table of "
        "net benefit holds the numbers.",
        size=(4.6 * len(curves), 4.2),
        draw=lambda figure: _panels(figure, curves, draw_benefit),
    )


def _nomogram(model: Any, count: str) -> StudyFigure:
    rows = len(model.nomogram().axes)
    return StudyFigure(
        name="model_nomogram",
        title="Nomogram of the printed model",
        caption="Points for each value, and the risk of their total, with the coefficients of this "
        f"cohort. {count} It describes these patients and is no tool for the choice of a method.",
        alt="Nomogram; the table of the written-out model holds its coefficients.",
        size=(7.6, 1.9 + 0.75 * rows),
        draw=lambda figure: model.nomogram().plot(ax=figure.subplots()),
    )


def _cutoffs(result: StudyResult, count: str) -> Iterator[StudyFigure]:
    spreads = {}
    for column, unit in (("nlr", "NLR"), ("size_mm", "size, mm")):
        found = result.analysis(f"cutoff_{column}_youden")
        spread = result.analysis(f"cutoff_{column}_youden_spread")
        if found is not None and spread is not None and len(spread.to_frame()):
            spreads[column] = (found, spread, unit)
    if spreads:
        printed = _printed(result)
        yield StudyFigure(
            name="cutoff_distribution",
            title="The best cut-off in other samples of the same patients",
            caption="Cut-offs with the largest Youden index in 1,000 bootstrap samples; dashed, "
            f"the best in this cohort; dotted, the printed one. {count}",
            alt="Bars of how often each cut-off was the best; the table of searched cut-offs holds "
            "the spread.",
            size=(4.6 * len(spreads), 3.6),
            draw=lambda figure: _draw_cutoffs(figure, spreads, printed),
        )


def _printed(result: StudyResult) -> dict[str, float]:
    table = result.table("cutoff_search").to_frame()
    return dict(zip(table["marker"], table["printed"].astype(float), strict=True))


def _draw_cutoffs(figure: Figure, spreads: dict[str, Any], printed: dict[str, float]) -> None:
    axes = figure.subplots(1, len(spreads), squeeze=False)[0]
    for ax, (column, (found, spread, unit)) in zip(axes, spreads.items(), strict=True):
        table = spread.to_frame()
        table["cut"] = halfway(found, table["cut"])
        table = table.groupby("cut", as_index=False)["share"].sum()  # what divides alike is one
        (chosen,) = halfway(found, [found.estimate])
        cut_distribution(table, chosen=chosen, label=unit, ax=ax)
        ax.axvline(printed[column], color=PALETTE[6], linewidth=1.4, linestyle=(0, (1, 2)))
        ax.set_xlabel(f"Cut-off of {unit}")


def _instability(unstable: Any, count: str) -> StudyFigure:
    models = int(unstable.summary["resamples"] - unstable.summary["n_failed"])
    return StudyFigure(
        name="model_instability",
        title="One patient’s risk by models of other samples",
        caption=f"Each line is a patient: the central 95 % of the risks that {models:,} models, "
        "made by the study’s steps in bootstrap samples, give the same patient. On the diagonal "
        f"they agree with the model of this cohort. {count}",
        alt="Instability plot: spread of predicted risks by the model’s own risk.",
        size=(5.6, 5.0),
        draw=lambda figure: unstable.plot(ax=figure.subplots()),
    )
