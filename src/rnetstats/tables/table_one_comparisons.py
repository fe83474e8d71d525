"""One row a variable of Table 1: what is missing, the test, the standardised difference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from rnetstats.tables.table_one_balance import summary_difference
from rnetstats.tables.table_one_summary import Groups
from rnetstats.tables.table_one_tests import TestPlan, compare
from rnetstats.tables.variables import Variable

__all__ = ["compare_variables", "empty_notes", "with_smd"]


def compare_variables(
    variables: list[Variable], groups: Groups, plan: TestPlan, styles: dict[str, str]
) -> tuple[pd.DataFrame, list[str]]:
    """One row a variable, and a note for each test that does not exist."""
    records: list[dict[str, Any]] = []
    notes: list[str] = []
    for item in variables:
        ranked = styles.get(item.name) == "median"
        test, note = compare(item, groups.rows, plan, ranked=ranked)
        if note:
            notes.append(note)
        df = (*test.df, math.nan, math.nan) if test else (math.nan, math.nan)
        records.append(
            {
                "variable": item.name,
                "label": item.label,
                "kind": item.kind,
                "n_missing": int(np.isnan(item.values[groups.everyone]).sum()),
                "n_not_applicable": _not_applicable(item, groups.everyone),
                "test": test.name if test else "",
                "statistic": test.statistic if test else math.nan,
                "df_1": df[0],
                "df_2": df[1],
                "p_value": test.p_value if test else math.nan,
                "effect": test.effect if test else "",
                "estimate": test.estimate if test else math.nan,
                "conf_low": test.conf_low if test else math.nan,
                "conf_high": test.conf_high if test else math.nan,
            }
        )
    return pd.DataFrame(records), notes


def _not_applicable(item: Variable, rows: np.ndarray) -> int:
    """Rows of the table where no value can exist; 0 if they cannot be told from missing ones."""
    empty = np.isnan(item.values)
    if item.not_applicable == int(empty.sum()):
        return int(empty[rows].sum())
    return item.not_applicable if rows.all() else 0


def empty_notes(comparisons: pd.DataFrame) -> list[str]:
    """A note for the variables that do not exist for everybody."""
    rows = comparisons[comparisons["n_not_applicable"] > 0]
    if rows.empty:
        return []
    named = ", ".join(
        f"{label} ({n})" for label, n in rows[["label", "n_not_applicable"]].to_numpy()
    )
    return [f"Not applicable, and so not missing, in some rows: {named}."]


def with_smd(comparisons: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Add one difference a variable: of the pair, or the mean absolute one of all pairs."""
    values = {
        name: summary_difference(part["smd"].astype(float).tolist())
        for name, part in pairs.groupby("variable", sort=False)
    }
    return comparisons.assign(smd=[values.get(name, math.nan) for name in comparisons["variable"]])
