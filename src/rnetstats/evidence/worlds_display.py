"""How much of a long list of possible worlds is shown."""

from __future__ import annotations

import pandas as pd

__all__ = ["first_rows", "rest_note"]

_MOST = 100  # rows that are all shown
_HEAD = 20  # rows that are shown of more


def first_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows to show: all of them, or the first 20 where they are above 100."""
    return frame if len(frame) <= _MOST else frame.head(_HEAD)


def rest_note(rows: int) -> tuple[str, ...]:
    """Say how many rows are not shown; nothing when all are."""
    if rows <= _MOST:
        return ()
    return (
        f"The table shows the first {_HEAD} of {rows:,} rows; the other {rows - _HEAD:,} are in "
        "to_frame().",
    )
