"""The standardised differences of Table 1, and why some are infinite or do not exist."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from rnetstats.tables.smd import smd_categorical, smd_numeric
from rnetstats.tables.table_one_tests import known_values, level_counts
from rnetstats.tables.variables import Variable

__all__ = ["difference_notes", "pairwise_differences", "summary_difference"]


def pairwise_differences(
    variables: list[Variable], groups: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """The standardised difference of every variable between every pair of groups.

    Parameters
    ----------
    variables : list of Variable
        What is described.
    groups : mapping of str to ndarray of bool
        Rows of each group.

    Returns
    -------
    DataFrame
        Columns variable, group_1, group_2, smd.
    """
    names = list(groups)
    records = [
        (item.name, names[i], names[j], _difference(item, groups[names[i]], groups[names[j]]))
        for item in variables
        for i in range(len(names))
        for j in range(i + 1, len(names))
    ]
    return pd.DataFrame(records, columns=["variable", "group_1", "group_2", "smd"])


def _difference(item: Variable, first: np.ndarray, second: np.ndarray) -> float:
    if item.kind == "continuous":
        x, y = known_values(item, [first, second])
        return smd_numeric(x, y)
    return smd_categorical(level_counts(item, first), level_counts(item, second))


def summary_difference(values: list[float]) -> float:
    """The value itself for one pair of groups, else the mean of the absolute values."""
    known = [value for value in values if not math.isnan(value)]
    if len(values) == 1 or not known:
        return values[0]
    return float(np.mean(np.abs(known)))


def difference_notes(variables: list[Variable], pairs: pd.DataFrame) -> list[str]:
    """A note for the variables without a difference, and for those where it is infinite."""
    labels = {item.name: item.label for item in variables}
    smd = pairs["smd"].to_numpy(float)

    def named(rows: np.ndarray) -> str:
        return ", ".join(labels[name] for name in pairs.loc[rows, "variable"].unique())

    notes = []
    if np.isnan(smd).any():
        notes.append(
            "The standardised difference (SMD) is not defined where a group has too few values: "
            f"{named(np.isnan(smd))}."
        )
    if np.isinf(smd).any():
        notes.append(
            "The standardised difference (SMD) is infinite by its definition where the groups do "
            "not overlap at all, as there is no spread to measure the distance by: "
            f"{named(np.isinf(smd))}."
        )
    return notes
