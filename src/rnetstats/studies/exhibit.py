"""A titled table of a study: its numbers, its text for print, and its notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rnetstats._core.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Exhibit"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Exhibit(Result):
    """A table for the report.

    Attributes
    ----------
    name : str
        File name without its ending, e.g. ``"table_one"``.
    title, caption : str
    numbers : DataFrame
        What is written to CSV.
    shown : DataFrame
        The same as text, what is printed.
    from_print : bool
        Made from printed numbers alone: no data in it.
    """

    name: str
    title: str
    caption: str = ""
    numbers: pd.DataFrame
    shown: pd.DataFrame
    from_print: bool = False

    def to_frame(self) -> pd.DataFrame:
        """Return the numbers (a copy)."""
        return self.numbers.copy()

    def glance(self) -> pd.DataFrame:
        """Return the table's name, title and size."""
        return pd.DataFrame(
            {
                "name": [self.name],
                "title": [self.title],
                "rows": [len(self.numbers)],
                "columns": [self.numbers.shape[1]],
            }
        )

    def display(self) -> pd.DataFrame:
        """Return the table as text (a copy)."""
        return self.shown.copy()

    def plot(self, ax: Axes | None = None) -> Axes:
        """Write the table on axes, for slides."""
        from rnetstats.plots.style import marked
        from rnetstats.plots.text_table import text_table

        return marked(text_table(self.shown, title=self.title, ax=ax), self.synthetic)
