"""The figures of the report, drawn from a study's result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.formatting import fmt_p
from rnetstats.plots.forest import forest
from rnetstats.plots.style import INK, MUTED, PALETTE, plain_axes, title_above
from rnetstats.studies.duan2024.arithmetic import (
    LEVEL,
    PrintedNumbers,
    at_most,
    event_splits,
    first_significant,
    share_at_which,
    share_curve,
)
from rnetstats.studies.duan2024.prediction_figures import prediction_figures
from rnetstats.studies.duan2024.salvage_figures import salvage_figures
from rnetstats.studies.figure import StudyFigure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rnetstats.studies.study_result import StudyResult

__all__ = ["figures"]

_CURVES = {
    "margin_recurrence_km": (
        "km_recurrence",
        "Time to recurrence by margin",
        "Free of recurrence; deaths without recurrence are censored.",
        "Months to recurrence (deaths censored)",
    ),
    "margin_dfs_km": (
        "km_dfs",
        "Disease-free survival by margin",
        "Alive and free of recurrence: the second reading of disease-free survival.",
        "Months to recurrence or death",
    ),
    "margin_os_km": (
        "km_os",
        "Overall survival by margin",
        "Alive, whatever became of the tumour.",
        "Months to death",
    ),
    "naive_salvage_km": (
        "km_salvage_naive",
        "Positive margins by salvage: naive comparison from time zero",
        "Naive: patients are grouped from the first day by a salvage that came later. Not a basis "
        "for a verdict.",
        "Months to recurrence (deaths censored)",
    ),
}


def figures(result: StudyResult) -> Iterator[StudyFigure]:
    """Yield the figures that the result has the numbers for."""
    if len(result.estimates):
        yield _overview(result)
    printed = PrintedNumbers(**result.facts["printed"])
    yield _splits(printed)
    yield _shares(printed, result.facts.get("share_positive"))
    spline = result.analysis("spline_firth")
    if spline is not None:
        yield from _effects(spline)
    yield from prediction_figures(result)
    yield from salvage_figures(result)
    incidence = result.analysis("margin_incidence")
    if incidence is not None:
        yield _incidence(incidence)
    for key, (name, title, caption, x_label) in _CURVES.items():
        curve = result.analysis(key)
        if curve is not None:
            yield _curve(curve, name, title, caption, x_label)


def _overview(result: StudyResult) -> StudyFigure:
    rows = result.estimates.rename(columns={"contrast": "label"})
    return StudyFigure(
        name="claims",
        title="The estimates behind the claims",
        caption="Hazard ratios (outcome) and adjusted odds ratios (positive margin), each with its "
        "95 % interval; right of 1 is worse.",
        alt="Forest plot of the ratios behind each claim; the same numbers stand in the table.",
        size=(9.0, 1.3 + 0.36 * len(rows)),
        draw=lambda figure: _forest(figure, rows),
    )


def _forest(figure: Figure, rows: Any) -> None:
    forest(rows, measure="Ratio", ax=figure.subplots())


def _incidence(curves: Any) -> StudyFigure:
    return StudyFigure(
        name="incidence_by_margin",
        title="What happened first, by margin",
        caption="Of all patients: recurrence, death without it, or neither (Aalen-Johansen). The "
        "parts add up to 100 %.",
        alt="Stacked shares of patients over time by margin; the table holds the numbers.",
        size=(9.6, 4.6),
        draw=lambda figure: _draw_stacked(figure, curves),
    )


def _draw_stacked(figure: Figure, curves: Any) -> None:
    groups = list(dict.fromkeys(curves.counts["group"]))
    axes = figure.subplots(1, len(groups), squeeze=False)[0]
    for ax, group in zip(axes, groups, strict=True):
        curves.plot_stacked(ax, group=group)
        title_above(ax, group, fontsize=11, color=INK)
        ax.set_xlabel("Months since the first resection")
        legend = ax.get_legend()
        if legend is not None and ax is not axes[-1]:
            legend.remove()


def _curve(curve: Any, name: str, title: str, caption: str, x_label: str) -> StudyFigure:
    low = _axis_start(float(curve.to_frame()["survival"].min()))
    return StudyFigure(
        name=name,
        title=title,
        caption=caption + " The numbers below the axis are the patients at risk.",
        alt=f"Kaplan-Meier curves: {title.lower()}; the table of outcomes holds the numbers.",
        size=(7.6, 5.2),
        draw=lambda figure: _draw_curve(
            curve.plot(ax=figure.subplots(), y_low=low, x_label=x_label), name
        ),
    )


def _draw_curve(axes: Axes, name: str) -> None:
    """Say "naive" in the figure itself, where it is, so that it stays when the figure is copied."""
    if name.endswith("naive"):
        words = "Naive: grouped from time zero by later salvage"
        title_above(axes, words, fontsize=10, color=INK)


def _axis_start(lowest: float) -> float:
    """Return where the axis starts: a tenth or two below curves that stay high, else 0."""
    start = np.floor(10.0 * lowest - 1.0) / 10.0
    return float(start) if start >= 0.5 else 0.0


def _effects(spline: Any) -> Iterator[StudyFigure]:
    for variable, label in (("size_mm", "tumour size"), ("nlr", "NLR")):
        if variable in spline.design.variables:
            yield StudyFigure(
                name=f"effect_{variable}",
                title=f"A positive margin by {label}, without a cut-off",
                caption="Adjusted odds ratio against the median, restricted cubic spline with "
                "Firth’s penalty and a pointwise 95 % band.",
                alt=f"Curve of the adjusted odds ratio of a positive margin over {label}.",
                size=(6.6, 4.2),
                draw=lambda figure, v=variable: spline.plot_effect(v, ax=figure.subplots()),  # type: ignore[misc]
            )


def _splits(printed: PrintedNumbers) -> StudyFigure:
    least = first_significant(event_splits(printed))
    return StudyFigure(
        name="event_splits",
        title="One patient decides",
        caption=f"Fisher’s P for every way in which {printed.recurrences} recurrences can fall on "
        f"{printed.positive} positive and {printed.negative} negative margins. From {least} among "
        "the positives the difference is significant.",
        alt=f"Bars of P by recurrences among positives; P falls below 0.05 at {least}.",
        size=(7.6, 3.8),
        draw=lambda figure: _draw_splits(figure.subplots(), printed),
        from_print=True,
    )


def _draw_splits(axes: Axes, printed: PrintedNumbers) -> None:
    splits = event_splits(printed)
    worse = splits["risk_positive"] > splits["risk_negative"]
    strong = worse & (splits["fisher_p"] < LEVEL)
    colours = [PALETTE[1] if s else "#C3CAD3" for s in strong]
    p = splits["fisher_p"].to_numpy(dtype=float)
    axes.bar(splits["positive_events"], p, color=colours, width=0.72)
    for a, value in zip(splits["positive_events"], p, strict=True):
        height = max(value, LEVEL) + 0.015
        axes.text(a, height, fmt_p(value), ha="center", va="bottom", fontsize=9, color=INK)
    axes.axhline(LEVEL, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.text(
        printed.recurrences + 0.75, LEVEL, f"P = {LEVEL:g}", fontsize=9, color=INK, va="center"
    )
    axes.set_xticks(splits["positive_events"])
    axes.set_ylim(0.0, 1.12)
    axes.set_xlim(-0.7, printed.recurrences + 0.7)
    axes.set_xlabel(f"Recurrences among positive margins (of {printed.recurrences})")
    axes.set_ylabel("P (Fisher, two-sided)")
    plain_axes(axes)


def _shares(printed: PrintedNumbers, own: float | None) -> StudyFigure:
    least = first_significant(event_splits(printed))
    limit = at_most(share_at_which(least - 1, printed.recurrences))
    return StudyFigure(
        name="share_of_follow_up",
        title="The same recurrences, another test",
        caption="P of the log-rank test by the share of all follow-up time that the positive "
        f"margins hold. With {least - 1} of {printed.recurrences} recurrences among the positives "
        f"it is below {LEVEL:g} only if they hold {limit} or less."
        + " “This cohort”: were they followed, on average, as in this cohort."
        * (own is not None),
        alt="Curves of the log-rank P over the share of follow-up, one a split of recurrences.",
        size=(7.6, 4.0),
        draw=lambda figure: _draw_shares(figure.subplots(), printed, least, own),
        from_print=own is None,
    )


def _draw_shares(axes: Axes, printed: PrintedNumbers, least: int, own: float | None) -> None:
    shares = np.linspace(0.15, 0.45, 241)
    for index, events in enumerate((least - 2, least - 1, least)):
        p = share_curve(printed, events, shares)
        label = f"{events} of {printed.recurrences} among positives"
        axes.plot(100.0 * shares, p, color=PALETTE[index], linewidth=2.0, label=label)
        limit = share_at_which(events, printed.recurrences)
        if shares[0] < limit < shares[-1]:
            axes.plot([100.0 * limit], [LEVEL], "o", color=PALETTE[index], markersize=6)
    axes.axhline(LEVEL, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    equal = 100.0 * printed.positive / printed.patients
    mine = None if own is None or not shares[0] < own < shares[-1] else 100.0 * own
    left = mine is not None and mine >= equal
    _vertical(axes, equal, f"equal follow-up: {equal:.1f} % ", MUTED, "right" if left else "left")
    if mine is not None:
        _vertical(axes, mine, f" this cohort: {mine:.1f} %", INK, "left" if left else "right")
    axes.set_yscale("log")
    axes.set_ylim(0.0005, 1.0)
    axes.set_yticks(
        [0.001, 0.01, 0.05, 0.1, 0.5, 1.0], ["0.001", "0.01", "0.05", "0.1", "0.5", "1"]
    )
    axes.minorticks_off()
    axes.set_xlim(15.0, 45.0)
    axes.set_xlabel("Share of all follow-up time held by positive margins, %")
    axes.set_ylabel("P (log-rank, two-sided)")
    axes.legend(frameon=False, loc="lower right", fontsize=9.5)
    plain_axes(axes)


def _vertical(axes: Axes, x: float, text: str, tint: str, side: str) -> None:
    axes.axvline(x, color=tint, linewidth=0.9, linestyle=(0, (1, 2)))
    axes.text(x, 1.03, text, transform=axes.get_xaxis_transform(), ha=side, fontsize=9, color=tint)
