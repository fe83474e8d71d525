"""The standardised columns that a column of the data makes in an imputation model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnetstats.formula.variables import Floats

__all__ = ["Block", "standardised"]


@dataclass(frozen=True, eq=False)
class Block:
    """The standardised columns of the design that a column of the data makes.

    A number is centred and divided by its SD; a factor has an indicator for each level but the
    first, treated likewise: ``table`` holds them for each level.
    """

    columns: np.ndarray
    centre: float
    scale: float
    table: Floats | None

    def encode(self, values: Floats) -> Floats:
        """Return the block (n, width); NaN where a value is missing."""
        if self.table is None:
            return ((values - self.centre) / self.scale)[:, None]
        known = ~np.isnan(values)
        coded = np.full((len(values), self.table.shape[1]), np.nan)
        coded[known] = self.table[values[known].astype(np.intp)]
        return coded


def standardised(values: Floats, levels: int, start: int) -> Block:
    """Learn a block from a column.

    Parameters
    ----------
    values : array of shape (n,)
        Numbers, or codes of levels; NaN where missing.
    levels : int
        0 for numbers.
    start : int
        The first column of the design that is free.
    """
    known = values[~np.isnan(values)]
    if not levels:
        scale = float(known.std()) if known.size else 0.0
        centre = float(known.mean()) if known.size else 0.0
        return Block(np.array([start]), centre, scale if scale > 0.0 else 1.0, None)
    share = np.bincount(known.astype(np.intp), minlength=levels)[1:] / len(known)
    table = (np.eye(levels)[:, 1:] - share) / np.sqrt(share * (1.0 - share))
    return Block(np.arange(start, start + levels - 1), 0.0, 1.0, table)
