"""2x2 tables of the reference cases of meta-analysis, for several test modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from rnetstats.kernels.mantel_haenszel import Tables
from support import case, read

COLUMNS = ("events_1", "n_1", "events_2", "n_2")


def table_frame(name: str) -> pd.DataFrame:
    """The counts of a case, under the package's own names."""
    spec = case("meta", name)["spec"]
    data = read(case("meta", name)["data"])
    if "tpos" in data:
        data = data.assign(n1=data["tpos"] + data["tneg"], n2=data["cpos"] + data["cneg"])
    frame = data[[spec[c] for c in COLUMNS]].set_axis(list(COLUMNS), axis=1)
    return frame.assign(study=[f"study {i + 1}" for i in range(len(frame))])


def table_case(name: str) -> tuple[dict[str, Any], Tables]:
    """The values of a case, and its tables."""
    frame = table_frame(name)
    return case("meta", name)["values"], Tables.of(*(frame[c] for c in COLUMNS))


def tables_of(counts: Sequence[tuple[int, int, int, int]]) -> Tables:
    """Tables from events and non-events, with one patient more in each group."""
    return Tables.of(*zip(*((a, a + b + 1, c, c + d + 1) for a, b, c, d in counts), strict=True))
