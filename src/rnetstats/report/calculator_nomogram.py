"""The nomogram of a calculator's page: drawn as inline SVG, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rnetstats.errors import OptionError
from rnetstats.report.figures import render
from rnetstats.studies.figure import StudyFigure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rnetstats.prediction.model import RiskModel
    from rnetstats.prediction.nomogram import NomogramResult

__all__ = ["DrawnNomogram", "drawn_nomogram"]


@dataclass(frozen=True)
class DrawnNomogram:
    """A complete ``<svg>`` element, and whether an axis turns; or why there is no nomogram."""

    svg: str | None
    turning: bool = False
    reason: str = ""


def drawn_nomogram(model: RiskModel) -> DrawnNomogram:
    """Draw the nomogram in the size that its axes need."""
    try:
        nomogram = model.nomogram()
    except OptionError as error:
        return DrawnNomogram(None, reason=str(error).replace(" Use predict().", ""))

    def draw(canvas: Figure) -> None:
        nomogram.plot(canvas.subplots())

    figure = StudyFigure(
        name="nomogram",
        title=f"Nomogram: {model.label(model.outcome)}",
        caption="",
        alt="; ".join(axis["label"] for axis in nomogram.axes),
        size=_size(nomogram),
        draw=draw,
    )
    turns = False
    for place in range(len(nomogram.axes)):
        part = nomogram.table[nomogram.table["axis"] == place]
        steps = part["points"].diff().dropna()
        curved = (part["kind"] == "curve").all()
        turns = turns or bool(curved and (steps > 0).any() and (steps < 0).any())
    return DrawnNomogram(render(figure, synthetic=model.synthetic).svg, turns)


def _size(nomogram: NomogramResult) -> tuple[float, float]:
    """Width and height in inches of a figure of its own."""
    from matplotlib import pyplot as plt

    figure = nomogram.plot().get_figure(root=True)
    assert figure is not None
    width, height = figure.get_size_inches()
    plt.close(figure)
    return float(width), float(height)
