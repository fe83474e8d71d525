"""Subgroups by the first method of resection, where a table of studies names it."""

from __future__ import annotations

import pandas as pd

from rnetstats.evidence.meta import meta_analysis
from rnetstats.formatting import fmt_interval, fmt_number, fmt_p
from rnetstats.studies.attempt import Attempts
from rnetstats.studies.exhibit import Exhibit
from rnetstats.studies.meta2026.comparison import Comparison
from rnetstats.studies.meta2026.table import COUNTS, StudyTable

__all__ = ["strata_table"]


def strata_table(table: StudyTable, found: Comparison, attempts: Attempts) -> Exhibit | None:
    """Pool the odds ratio by method; None where no methods are named, or only one is."""
    rows = table.both
    if "method" not in rows or found.pooled is None or rows["method"].nunique() < 2:
        return None
    pooled = meta_analysis(rows[["study", *COUNTS, "method"]], measure="OR")
    groups = attempts.run("Subgroups by method", lambda: pooled.subgroups("method"))
    if groups is None:
        return None
    numbers = groups.to_frame()
    test = groups.test.iloc[0]
    return Exhibit(
        name="by_method",
        title="Recurrence by the first method of resection",
        caption="Odds ratio of salvage against observation, by inverse variance, REML.",
        numbers=numbers,
        shown=pd.DataFrame(
            {
                "Method": numbers["group"],
                "Studies": [str(int(k)) for k in numbers["k"]],
                "OR": [fmt_number(x) for x in numbers["estimate"]],
                "95 % CI": [
                    fmt_interval(low, high)
                    for low, high in zip(numbers["conf_low"], numbers["conf_high"], strict=True)
                ],
            }
        ),
        notes=(
            f"Test of a difference between methods: P {fmt_p(float(test['p_value']))}. Few studies "
            "a method show a difference only when it is very large.",
        ),
    )
