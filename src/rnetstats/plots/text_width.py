"""How wide a text will be, before there is a figure to measure it on."""

from __future__ import annotations

from functools import lru_cache

__all__ = ["text_points"]


@lru_cache(maxsize=4096)
def text_points(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width in points of the widest line of a text at this font size."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(size=size, weight="bold" if bold else "normal")
    lines = text.split("\n")
    widths = [text_to_path.get_text_width_height_descent(line, font, False)[0] for line in lines]
    return float(max(widths))
