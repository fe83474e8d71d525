"""Levels that an analysis knows by name: under another name they would count as something else."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from rnetstats.errors import ColumnError

__all__ = ["require_levels"]


def require_levels(frame: pd.DataFrame, name: str, known: Sequence[str]) -> None:
    """Refuse a column whose values are not called as the analysis knows them.

    Parameters
    ----------
    frame : DataFrame
    name : str
        Nothing is asked of a column that is not there.
    known : sequence of str
        Names that the analysis knows.

    Raises
    ------
    ColumnError
        With the names found and those that are known.
    """
    if name not in frame.columns:
        return
    unknown = sorted({str(value) for value in frame[name].dropna().unique()} - set(known))
    if not unknown:
        return
    shown = ", ".join(repr(value) for value in unknown[:6])
    raise ColumnError(
        f"Column {name!r} has the values {shown}, which the analyses do not know: they ask for "
        f"{', '.join(repr(level) for level in known)}. Translate them by `recode` in "
        f"[columns.{name}] of the codebook."
    )
