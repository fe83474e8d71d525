"""The printed crude rates beside the printed odds ratio within studies, without any counts."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from rnetstats.evidence.facts import FactSheet

__all__ = ["printed_decomposition"]


def printed_decomposition(sheet: FactSheet) -> pd.DataFrame:
    """Split the printed crude rates into the printed odds ratio within studies and the rest.

    Counts by study are unknown, so that the part between studies cannot be split further. The
    limits of ``crude`` and ``between`` are those of rounding alone (rates and odds ratio as
    printed); those of ``within`` are the printed confidence limits, and ``between_uncertain`` is
    the rest if the effect within studies lies at either of them.

    Parameters
    ----------
    sheet : FactSheet
        Of the meta-analysis.

    Returns
    -------
    DataFrame
        ``part, odds_ratio, low, high, share``.
    """
    crude = [_odds_ratio(sheet, shift) for shift in (0.0, -0.5, 0.5)]
    fact = sheet["comparative_or"]
    half = 0.5 * 10.0**-fact.decimals
    within = [fact.number, fact.number - half, fact.number + half]
    limits = sheet["comparative_low"].number, sheet["comparative_high"].number
    total = math.log(crude[0])
    rows = [
        ("crude", crude[0], crude[1], crude[2]),
        ("within", within[0], *limits),
        ("between", crude[0] / within[0], crude[1] / within[2], crude[2] / within[1]),
        ("between_uncertain", crude[0] / within[0], crude[1] / limits[1], crude[2] / limits[0]),
    ]
    table = pd.DataFrame(rows, columns=["part", "odds_ratio", "low", "high"])
    return table.assign(share=np.log(table["odds_ratio"]) / total)


def _odds_ratio(sheet: FactSheet, shift: float) -> float:
    """Odds ratio of the printed rates; shifted by so many of the last digit, to either end."""
    low, high = sheet["crude_salvage"], sheet["crude_observation"]
    p1 = (low.number + shift * 10.0**-low.decimals) / 100.0
    p2 = (high.number - shift * 10.0**-high.decimals) / 100.0
    return p1 / (1.0 - p1) / (p2 / (1.0 - p2))
