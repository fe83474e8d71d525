"""P values adjusted for multiple testing.

References
----------
Holm S (1979) Scand J Stat 6:65-70. Hochberg Y (1988) Biometrika 75:800-802. Benjamini Y, Hochberg Y
(1995) J R Stat Soc B 57:289-300. Benjamini Y, Yekutieli D (2001) Ann Stat 29:1165-1188.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnetstats._core.options import choice
from rnetstats.errors import DataError

__all__ = ["P_ADJUST_METHODS", "p_adjust"]

P_ADJUST_METHODS = ("holm", "hochberg", "bonferroni", "BH", "BY", "none")


def p_adjust(p: ArrayLike, method: str = "holm") -> np.ndarray:
    """Adjust P values.

    Parameters
    ----------
    p : array-like
        P values; missing ones stay missing and do not count as tests.
    method : {"holm", "hochberg", "bonferroni", "BH", "BY", "none"}
        ``holm`` (any dependence), ``hochberg`` (independence or positive dependence) and
        ``bonferroni`` bound the chance of one false positive; ``BH`` and ``BY`` (any dependence)
        the share of false ones among the positives.

    Returns
    -------
    ndarray
        Adjusted P values in the order given, at most 1.

    Raises
    ------
    DataError
        If a P value does not lie between 0 and 1.
    """
    choice("method", method, P_ADJUST_METHODS)
    given = np.asarray(p, dtype=float)
    known = ~np.isnan(given)
    values = given[known]
    if ((values < 0.0) | (values > 1.0)).any():
        raise DataError("P values must lie between 0 and 1.")
    adjusted = given.copy()
    adjusted[known] = _adjust(values, method)
    return adjusted


def _adjust(values: np.ndarray, method: str) -> np.ndarray:
    n = len(values)
    if method == "none" or n == 0:
        return values
    if method == "bonferroni":
        return np.asarray(np.minimum(1.0, n * values))
    order = np.argsort(values, kind="stable")
    rank = np.arange(1, n + 1)
    factor = {
        "holm": n + 1.0 - rank,
        "hochberg": n + 1.0 - rank,
        "BH": n / rank,
        "BY": n / rank * (1.0 / rank).sum(),
    }[method]
    scaled = factor * values[order]
    if method == "holm":
        monotone = np.maximum.accumulate(scaled)
    else:
        monotone = np.minimum.accumulate(scaled[::-1])[::-1]
    adjusted = np.empty(n)
    adjusted[order] = np.minimum(1.0, monotone)
    return adjusted
