"""The file's own best cut-off of a number, beside the printed one.

A cut-off chosen because it separates best in the same data looks better than it is (Altman et al.
1994), so its odds ratio is shown without a P value or an interval.

References
----------
Youden WJ (1950) Cancer 3:32-35. Altman DG, Lausen B, Sauerbrei W, Schumacher M (1994) J Natl
Cancer Inst 86:829-835.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

__all__ = ["cutoff_row", "half_millimetres", "youden_cutoff"]

_ROUNDING = 1e-12


def youden_cutoff(values: np.ndarray, outcome: np.ndarray) -> float:
    """Return the cut-off c for which ``values > c`` has the largest Youden index.

    Parameters
    ----------
    values : array of shape (n,)
        Finite numbers.
    outcome : array of shape (n,)
        0 or 1.

    Returns
    -------
    float
        Halfway between two neighbouring values, the lowest of cut-offs that are equally good;
        missing when there is only one value or one outcome.
    """
    distinct = np.unique(values)
    if distinct.size < 2 or not 0 < outcome.sum() < outcome.size:
        return math.nan
    order = np.argsort(values, kind="stable")
    last = np.searchsorted(values[order], distinct[:-1], side="right")
    missed = np.cumsum(outcome[order])[last - 1] / outcome.sum()
    spared = np.cumsum(1 - outcome[order])[last - 1] / (outcome.size - outcome.sum())
    index = spared - missed
    best = int(np.argmax(index >= index.max() - _ROUNDING))  # the lowest of equally good ones
    return float((distinct[best] + distinct[best + 1]) / 2.0)


def cutoff_row(frame: pd.DataFrame, variable: str, cutoff: float) -> dict[str, float]:
    """Count the outcome above and at or below a cut-off, with its Youden index and odds ratio.

    The odds ratio is that of the table with a half added to each cell (Haldane 1956, Anscombe
    1956), which is Firth's estimate for one binary term; missing where nobody is on one side.
    """
    known = frame[[variable, "margin_positive"]].dropna()
    above = (known[variable] > cutoff).to_numpy(dtype=bool)
    positive = (known["margin_positive"] == 1).to_numpy(dtype=bool)
    a, b = int((above & positive).sum()), int((above & ~positive).sum())
    c, d = int((~above & positive).sum()), int((~above & ~positive).sum())
    both = positive.any() and not positive.all()
    youden = a / (a + c) + d / (b + d) - 1.0 if both else math.nan
    return {
        "cutoff": cutoff,
        "n_above": a + b,
        "positive_above": a,
        "n_below": c + d,
        "positive_below": c,
        "youden": youden,
        "odds_ratio": (a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5))
        if a + b and c + d
        else math.nan,
    }


def half_millimetres(values: pd.Series) -> bool:
    """Say whether every size is a whole or half millimetre, as pathologists record it."""
    doubled = 2.0 * values.dropna().to_numpy(dtype=float)
    return bool(doubled.size and np.allclose(doubled, np.round(doubled), atol=1e-9))
