"""Tests of independence for a table of counts."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import chdtrc

from rnetstats.errors import DataError
from rnetstats.tables.fisher import fisher_p
from rnetstats.tables.freeman_halton import freeman_halton_p
from rnetstats.tables.random_tables import monte_carlo_p
from rnetstats.tables.test_result import TestResult

__all__ = ["chi_square", "cramers_v", "expected_counts", "fisher_test"]


def _counts(table: np.ndarray) -> np.ndarray:
    """The counts without empty rows and columns, which carry no information."""
    counts = np.asarray(table)
    kept: np.ndarray = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(kept.shape) < 2:
        raise DataError("There is nothing to compare: a single group or a single level is present.")
    return kept


def expected_counts(table: np.ndarray) -> np.ndarray:
    """Counts expected under independence, shape (r, c)."""
    counts = np.asarray(table, dtype=float)
    expected: np.ndarray = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    return expected


def chi_square(table: np.ndarray, *, continuity: bool = False) -> TestResult:
    """Pearson's chi-square test; with ``continuity`` Yates' correction of a 2x2 table.

    The correction is ``min(1/2, |observed - expected|)`` and does not exist for larger tables,
    where it is not applied (the name says which was used).

    References
    ----------
    Yates F (1934) Suppl J R Stat Soc 1:217-235.
    """
    counts = _counts(table)
    expected = expected_counts(counts)
    distance = np.abs(counts - expected)
    corrected = continuity and counts.shape == (2, 2)
    if corrected:
        distance = distance - min(0.5, float(distance.min()))
    statistic = float((distance**2 / expected).sum())
    df = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    name = "chi-square, Yates' correction" if corrected else "chi-square, no correction"
    p = float(chdtrc(df, statistic))
    return TestResult(name, statistic, (float(df),), p, "Cramer's V", cramers_v(counts))


def cramers_v(table: np.ndarray) -> float:
    """Cramer's V: 0 for independence, 1 for a perfect association."""
    counts = _counts(table)
    expected = expected_counts(counts)
    plain = float(((counts - expected) ** 2 / expected).sum())
    return math.sqrt(plain / (counts.sum() * (min(counts.shape) - 1)))


def fisher_test(table: np.ndarray, *, resamples: int = 0, seed: int = 0) -> TestResult:
    """Fisher's exact test (Freeman-Halton above 2x2), two-sided by probability.

    Parameters
    ----------
    table : ndarray of int, shape (r, c)
        Counts.
    resamples : int
        With a positive number P comes from so many random tables instead.
    seed : int
        Their seed.

    Raises
    ------
    BudgetError
        If the enumeration would take too long.
    """
    counts = _counts(table)
    if resamples:
        p, error = monte_carlo_p(counts, resamples=resamples, seed=seed)
        name = f"Fisher, {resamples:,} random tables (Monte Carlo error {error:.2g})"
    elif counts.shape == (2, 2):
        p = float(fisher_p(*counts.ravel()))
        name = "Fisher exact"
    else:
        p = freeman_halton_p(counts)
        name = "Fisher-Freeman-Halton exact"
    return TestResult(name, math.nan, (), p)
