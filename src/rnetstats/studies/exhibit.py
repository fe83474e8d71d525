"""A titled table of a study: its numbers, its text for print, and its notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from rnetstats._core.result import Result
from rnetstats.errors import RnetError

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
        """Return the numbers."""
        return self.numbers

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
        """Return the table as text."""
        return self.shown

    def plot(self, ax: Axes | None = None) -> Axes:
        """Refuse: a table has no figure of its own."""
        raise RnetError(f"{self.title!r} is a table; its figures are drawn by the study.")
