"""Figures as inline SVG and as files: text stays text, synthetic data is marked."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rnetstats.plots.style import MARK, mark_synthetic
from rnetstats.studies.figure import StudyFigure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["RenderedFigure", "render", "write_figures"]

_DPI = 130
_PIXELS = 100.0  # CSS pixels an inch on a page
_MARK_ROOM = 0.22  # inches kept free at the top for the mark
_FROM_PRINT = "Printed numbers only (in a report on synthetic data)"
_FONTS = ["DejaVu Sans", "Verdana", "Arial", "sans-serif"]


@dataclass(frozen=True)
class RenderedFigure:
    """A figure, drawn.

    Attributes
    ----------
    name, title, caption : str
    from_print : bool
        Made from printed numbers alone.
    svg : str
        A complete ``<svg>`` element for a page.
    svg_file : bytes
        The same as a file.
    png : bytes
    """

    name: str
    title: str
    caption: str
    from_print: bool
    svg: str
    svg_file: bytes
    png: bytes


def render(figure: StudyFigure, *, synthetic: bool) -> RenderedFigure:
    """Draw a figure once and save it in both formats.

    Parameters
    ----------
    figure : StudyFigure
    synthetic : bool
        Mark it as synthetic data, unless it is made from printed numbers alone or marks itself.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    settings: dict[str, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": f"rnetstats-{figure.name}",
        "font.family": "sans-serif",
        "font.sans-serif": _FONTS,
        "axes.unicode_minus": True,
        "text.hinting": "none",  # letters as wide as a browser sets them; and it takes less time
    }
    with mpl.rc_context():
        mpl.rcdefaults()  # whatever style the reader has chosen, the page is the same
        mpl.rcParams.update(settings)  # type: ignore[arg-type]
        room = _MARK_ROOM / figure.size[1] if synthetic else 0.0
        layout = ConstrainedLayoutEngine(rect=(0.0, 0.0, 1.0, 1.0 - room))
        canvas = Figure(figsize=figure.size, layout=layout)
        FigureCanvasAgg(canvas)
        figure.draw(canvas)
        if synthetic:
            _mark(canvas, figure)
            _number_marks(canvas)
        layout.execute(canvas)
        canvas.set_layout_engine("none")  # laid out once, for both formats
        text = io.StringIO()
        words = {"Title": figure.title, "Creator": "rnetstats", "Date": None}
        # straight to the backends: savefig would draw each twice, for a layout that stands
        vectors: Any = FigureCanvasSVG(canvas)
        vectors.print_svg(text, metadata=words)
        png = _png(canvas, figure.title)
    svg = text.getvalue()
    return RenderedFigure(
        figure.name,
        figure.title,
        figure.caption,
        figure.from_print,
        _inline(svg, figure),
        svg.encode("utf-8"),
        png,
    )


def write_figures(folder: Path, figures: Mapping[str, RenderedFigure]) -> None:
    """Write ``figures/NAME.svg`` and ``figures/NAME.png`` in a new folder."""
    target = folder / "figures"
    target.mkdir()
    for name, figure in figures.items():
        (target / f"{name}.svg").write_bytes(figure.svg_file)
        (target / f"{name}.png").write_bytes(figure.png)


def _png(canvas: Figure, title: str) -> bytes:
    """Return the figure as a PNG file, without the alpha channel, which is opaque throughout."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL.Image import fromarray
    from PIL.PngImagePlugin import PngInfo

    canvas.dpi = _DPI
    pixels: Any = FigureCanvasAgg(canvas)
    pixels.draw()
    opaque = fromarray(np.asarray(pixels.buffer_rgba())[..., :3].copy())
    words = PngInfo()
    words.add_text("Title", title)
    file = io.BytesIO()
    opaque.save(file, format="png", pnginfo=words, dpi=(_DPI, _DPI), compress_level=3)
    return file.getvalue()


def _mark(canvas: Any, figure: StudyFigure) -> None:
    """Write the mark into the figure itself, so that it stays when the figure is copied."""
    if not (figure.from_print or _bears_mark(canvas)):
        mark_synthetic(canvas)
    words = _FROM_PRINT if figure.from_print else "Synthetic data"
    canvas.text(0.004, 0.997, words, ha="left", va="top", fontsize=8, color="#7a1f1f")


def _bears_mark(canvas: Any) -> bool:
    """Say whether the result that was drawn has marked itself."""
    return any(text.get_gid() == MARK for axes in canvas.axes for text in axes.texts)


def _number_marks(canvas: Any) -> None:
    """Tell the marks of several panels apart: each becomes an id of the page."""
    marks = [text for axes in canvas.axes for text in axes.texts if text.get_gid() == MARK]
    for number, mark in enumerate(marks[1:], start=2):
        mark.set_gid(f"{MARK}-{number}")


def _inline(text: str, figure: StudyFigure) -> str:
    """Return the ``<svg>`` element: no prolog, ids of its own, a title for those who listen."""
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, count=1, flags=re.DOTALL)
    body = re.sub(r"<title>.*?</title>\s*", "", body, count=1, flags=re.DOTALL)
    for before in (' id="', 'xlink:href="#', "url(#"):
        body = body.replace(before, f"{before}{figure.name}-")
    start = body.index(">")
    opening = re.sub(r'\s(width|height)="[^"]*"', "", body[:start])
    label = _escape(f"{figure.title}. {figure.alt}")
    widest = f"max-width: {_PIXELS * figure.size[0]:.0f}px"
    return f'{opening} role="img" style="{widest}" aria-label="{label}">{body[start + 1 :]}'


def _escape(text: str) -> str:
    import html

    return html.escape(text, quote=True)
