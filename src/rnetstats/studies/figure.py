"""A figure of a study: how to draw it, and what to say about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["StudyFigure"]


@dataclass(frozen=True)
class StudyFigure:
    """A figure to be drawn.

    Attributes
    ----------
    name : str
        File name without its ending.
    title, caption, alt : str
        ``alt`` describes the figure to those who do not see it.
    size : (float, float)
        Inches.
    draw : callable
        Draws on an empty figure.
    from_print : bool
        Made from printed numbers alone: no data in it.
    """

    name: str
    title: str
    caption: str
    alt: str
    size: tuple[float, float]
    draw: Callable[[Figure], Any]
    from_print: bool = False
