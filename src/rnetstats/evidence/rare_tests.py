"""Tests on sets of 2x2 tables: of no effect in any study, and of one odds ratio in all."""

from __future__ import annotations

import math

import pandas as pd

from rnetstats._core.distributions import chi_square_p
from rnetstats.evidence.rare_rows import NOTHING, why_not_finite
from rnetstats.kernels.mantel_haenszel import Tables, mantel_haenszel
from rnetstats.kernels.table_tests import cochran_mantel_haenszel, homogeneity_tests

__all__ = ["table_tests"]

_ALONE = "fewer than two studies with an event and a patient without: none to compare with"


def table_tests(t: Tables) -> pd.DataFrame:
    """Return one row a test; see ``RareEventsResult.table_tests()``."""
    ratio = float(mantel_haenszel(t, "OR").coef)
    equal = homogeneity_tests(t, ratio)
    empty = why_not_finite(t)
    alone = empty or (_ALONE if float(equal.df) < 1.0 else "")
    effect, same = "no effect in any study", "one odds ratio in all studies"
    plain = float(cochran_mantel_haenszel(t))
    corrected = float(cochran_mantel_haenszel(t, continuity=True))
    lacks = NOTHING if math.isnan(plain) else ""
    rows = [
        ("Cochran-Mantel-Haenszel", effect, plain, 1.0, lacks),
        ("Cochran-Mantel-Haenszel, continuity correction", effect, corrected, 1.0, lacks),
        ("Breslow-Day", same, float(equal.breslow_day), float(equal.df), alone),
        ("Tarone", same, float(equal.tarone), float(equal.df), alone),
    ]
    table = pd.DataFrame(rows, columns=["test", "hypothesis", "statistic", "df", "note"])
    table.loc[table["note"] != "", ["statistic", "df"]] = math.nan
    table.insert(4, "p_value", chi_square_p(table["statistic"], table["df"]))
    return table
