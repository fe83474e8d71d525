"""Cases of the reference topic ``tests_table1``, and their rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from support import case, golden, read

CASES = {c["id"]: c["values"] for c in golden("tests_table1")}
TWO = [name for name, values in CASES.items() if "t_welch" in values]
MANY = [name for name, values in CASES.items() if "kruskal_chi2" in values]
TABLES = [name for name, values in CASES.items() if "cramers_v" in values]


def frame(name: str) -> pd.DataFrame:
    """The rows of a case, its group as text and levels in the reference's order."""
    found = case("tests_table1", name)
    group, outcome = found["spec"]["group"], found["spec"]["outcome"]
    data = read(found["data"])[[group, outcome]].dropna()
    if "method other dropped" in found["settings"]:
        column = group if group == "method" else outcome
        data = data[data[column] != "other"]
    return data.rename(columns={group: "group", outcome: "outcome"})


def groups(name: str) -> list[np.ndarray]:
    """The outcome's values by group, in the reference's order of groups."""
    data = frame(name)
    names = CASES[name]["groups"]
    found = [data.loc[data["group"].astype(str) == level, "outcome"].to_numpy() for level in names]
    assert [len(values) for values in found] == CASES[name]["n"]
    return found
