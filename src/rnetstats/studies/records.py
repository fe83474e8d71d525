"""Rows of a frame as plain dictionaries."""

from __future__ import annotations

from typing import Any

import pandas as pd

__all__ = ["records"]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one dictionary a row, keyed by column name."""
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]
