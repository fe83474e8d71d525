"""Imputation as a step of a recipe: values completed by the rows of each replicate."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rnetstats.formula.terms import LeftSide
from rnetstats.formula.variables import Variable, read_variable

__all__ = ["Completer", "completer", "variables_of"]

Completer = Callable[[NDArray[np.float64], int], pd.DataFrame]
"""``(counts (n,), seed) -> table``, completed by models of the rows that the counts hold."""


def completer(table: pd.DataFrame, left: LeftSide, predictors: tuple[str, ...]) -> Completer:
    """Return what completes a table by chained equations, the outcome among the predictors.

    Parameters
    ----------
    table : DataFrame
        Complete in the outcome.
    left : LeftSide
    predictors : tuple of str
        The columns of the candidate terms.
    """
    from rnetstats.missing.imputer import imputer

    made = imputer(table[[*left.columns, *predictors]], columns=predictors, outcome=left.text)

    def complete(counts: NDArray[np.float64], seed: int) -> pd.DataFrame:
        return made.once(np.random.default_rng(seed), counts)

    return complete


def variables_of(table: pd.DataFrame, names: tuple[str, ...]) -> Mapping[str, Variable]:
    """Read the columns of a completed table."""
    return {name: read_variable(table, name) for name in names}
