"""Columns that a study's analyses cannot do without."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from rnetstats.errors import ColumnError
from rnetstats.formatting import listed

__all__ = ["require_columns"]


def require_columns(frame: pd.DataFrame, needed: Sequence[str]) -> None:
    """Ask for all columns at once that are needed and not there.

    Parameters
    ----------
    frame : DataFrame
        A cohort as read: its columns are those that the codebook names.
    needed : sequence of str
        Names that no analysis can do without.

    Raises
    ------
    ColumnError
        With every missing name, and what to write in the codebook.
    """
    missing = [name for name in needed if name not in frame.columns]
    if not missing:
        return
    one = len(missing) == 1
    shown = ", ".join(str(name) for name in list(frame.columns)[:12])
    more = ", ..." if len(frame.columns) > 12 else ""
    raise ColumnError(
        f"There {'is no column' if one else 'are no columns'} "
        f"{listed([repr(name) for name in missing])}, which the analyses cannot do without. "
        f"The columns are: {shown}{more}. If your file has {'it' if one else 'them'} under other "
        f'names, write [columns.{missing[0]}] with its type and source = "NAME" in the codebook'
        + ("." if one else ", and so for each.")
    )
