"""Tests of means of two or more groups, on arrays.

Differences are first group less second. Missing values are refused here: what was left out is for
the caller to count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import fdtr, fdtrc, fdtri, stdtr, stdtrit

from rnetstats._core.distributions import f_p
from rnetstats._core.options import level
from rnetstats.errors import DataError
from rnetstats.tables.test_result import TestResult

__all__ = ["anova", "finite_values", "paired_t_test", "t_test", "variance_f_test", "welch_anova"]


def finite_values(values: ArrayLike, name: str, least: int = 2) -> np.ndarray:
    """Return a 1-D float array, or say why it cannot be tested."""
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or len(array) < least:
        raise DataError(f"{name} needs at least {least} values in one dimension.")
    if not np.isfinite(array).all():
        raise DataError(f"{name} holds missing or infinite values; leave those rows out first.")
    return array


def _varying(groups: Sequence[np.ndarray]) -> None:
    if all(np.ptp(group) == 0 for group in groups):
        raise DataError("Every group is constant: there is no variation to test against.")


def _t_result(
    name: str, difference: float, std_error: float, df: float, conf_level: float
) -> TestResult:
    t = difference / std_error
    half = float(stdtrit(df, 0.5 + level(conf_level) / 2.0)) * std_error
    p = float(2.0 * stdtr(df, -abs(t)))
    limits = (difference - half, difference + half)
    return TestResult(name, t, (df,), p, "mean difference", difference, *limits)


def t_test(
    x: ArrayLike, y: ArrayLike, *, equal_variance: bool = False, conf_level: float = 0.95
) -> TestResult:
    """Welch's t test, or Student's with ``equal_variance``.

    References
    ----------
    Welch BL (1947) Biometrika 34:28-35.
    """
    a, b = finite_values(x, "The first group"), finite_values(y, "The second group")
    _varying([a, b])
    m, n = len(a), len(b)
    va, vb = float(a.var(ddof=1)), float(b.var(ddof=1))
    if equal_variance:
        df = float(m + n - 2)
        std_error = math.sqrt(((m - 1) * va + (n - 1) * vb) / df * (1 / m + 1 / n))
        name = "t test, equal variances"
    else:
        std_error = math.sqrt(va / m + vb / n)
        df = std_error**4 / ((va / m) ** 2 / (m - 1) + (vb / n) ** 2 / (n - 1))
        name = "Welch t test"
    return _t_result(name, float(a.mean() - b.mean()), std_error, df, conf_level)


def paired_t_test(x: ArrayLike, y: ArrayLike, *, conf_level: float = 0.95) -> TestResult:
    """Paired t test of ``x - y``."""
    a, b = finite_values(x, "The first column"), finite_values(y, "The second column")
    if len(a) != len(b):
        raise DataError(f"Paired values need equal lengths, not {len(a)} and {len(b)}.")
    difference = a - b
    _varying([difference])
    std_error = float(difference.std(ddof=1)) / math.sqrt(len(difference))
    return _t_result(
        "paired t test", float(difference.mean()), std_error, len(difference) - 1.0, conf_level
    )


def variance_f_test(x: ArrayLike, y: ArrayLike, *, conf_level: float = 0.95) -> TestResult:
    """F test of equal variances; the estimate is the ratio of the variances."""
    a, b = finite_values(x, "The first group"), finite_values(y, "The second group")
    if np.ptp(b) == 0:
        raise DataError("The second group is constant: the ratio of variances is infinite.")
    ratio = float(a.var(ddof=1) / b.var(ddof=1))
    df = (float(len(a) - 1), float(len(b) - 1))
    p = 2.0 * min(float(fdtr(*df, ratio)), float(fdtrc(*df, ratio)))
    tail = 0.5 - level(conf_level) / 2.0
    limits = (ratio / float(fdtri(*df, 1.0 - tail)), ratio / float(fdtri(*df, tail)))
    return TestResult(
        "F test of variances", ratio, df, min(1.0, p), "ratio of variances", ratio, *limits
    )


def _groups(groups: Sequence[ArrayLike]) -> list[np.ndarray]:
    if len(groups) < 2:
        raise DataError("At least two groups are needed.")
    return [finite_values(group, f"Group {i + 1}") for i, group in enumerate(groups)]


def anova(groups: Sequence[ArrayLike]) -> TestResult:
    """One-way analysis of variance, equal variances."""
    arrays = _groups(groups)
    _varying(arrays)
    pooled = np.concatenate(arrays)
    k, n = len(arrays), len(pooled)
    between = sum(len(a) * (a.mean() - pooled.mean()) ** 2 for a in arrays) / (k - 1)
    within = sum(((a - a.mean()) ** 2).sum() for a in arrays) / (n - k)
    f = float(between / within)
    df = (float(k - 1), float(n - k))
    return TestResult("analysis of variance", f, df, f_p(f, *df))


def welch_anova(groups: Sequence[ArrayLike]) -> TestResult:
    """Welch's analysis of variance, unequal variances.

    References
    ----------
    Welch BL (1951) On the comparison of several mean values. Biometrika 38:330-336.
    """
    arrays = _groups(groups)
    if any(np.ptp(a) == 0 for a in arrays):
        raise DataError("Welch's analysis of variance needs variation in every group.")
    n = np.array([len(a) for a in arrays], dtype=float)
    weight = n / np.array([a.var(ddof=1) for a in arrays])
    means = np.array([a.mean() for a in arrays])
    k = len(arrays)
    centre = (weight * means).sum() / weight.sum()
    spread = (((1.0 - weight / weight.sum()) ** 2) / (n - 1)).sum() / (k * k - 1.0)
    top = (weight * (means - centre) ** 2).sum() / (k - 1)
    f = float(top / (1.0 + 2.0 * (k - 2) * spread))
    df = (float(k - 1), float(1.0 / (3.0 * spread)))
    return TestResult("Welch analysis of variance", f, df, f_p(f, *df))
