"""Reference cases of meta-analysis as the tests read them."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd

import rnetstats as rn
from support import case, golden, read

COUNTS = ("events_1", "n_1", "events_2", "n_2")

POOLED_CASES = [c["id"] for c in golden("meta") if "random" in c["values"] and "yi" in c["values"]]
POOLED_CASES = [name for name in POOLED_CASES if not name.endswith("_props")]


def studies(name: str) -> pd.DataFrame:
    """The studies of a case, with the patients of each arm."""
    found = case("meta", name)
    table = read(found["data"])
    if "tpos" in table.columns:
        table = table.assign(n1=table.tpos + table.tneg, n2=table.cpos + table.cneg)
    return table


@cache
def pooled(name: str, tau2: str | float = "REML", ci: str = "wald", **more: Any) -> Any:
    """The meta-analysis of a case."""
    spec = case("meta", name)["spec"]
    columns = {column: spec[column] for column in COUNTS}
    options = {"tau2": tau2, "ci": ci, "columns": columns, **more}
    return rn.meta_analysis(studies(name), measure=spec["measure"], **options)


@cache
def bcg(tau2: str | float = "REML", ci: str = "hartung-knapp") -> Any:
    """Odds ratios of the trials of BCG vaccination."""
    columns = {"study": "author", "events_1": "tpos", "n_1": "n1", "events_2": "cpos", "n_2": "n2"}
    return rn.meta_analysis(studies("bcg_OR"), measure="OR", tau2=tau2, ci=ci, columns=columns)
