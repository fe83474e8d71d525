"""Tests on sets of 2x2 tables: of no effect, and of one odds ratio for all studies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnetstats.kernels.mantel_haenszel import Tables, excess_events

__all__ = ["HomogeneityTests", "cochran_mantel_haenszel", "homogeneity_tests"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HomogeneityTests:
    """Tests that all studies have one odds ratio.

    Attributes
    ----------
    breslow_day, tarone : (...)
        Chi-square statistics; Tarone's corrects for the Mantel-Haenszel estimate not being the
        most likely one.
    df : (...)
        Studies that have an expected count with a variance, less one.
    """

    breslow_day: Floats
    tarone: Floats
    df: Floats


def cochran_mantel_haenszel(tables: Tables, *, continuity: bool = False) -> Floats:
    """Return the chi-square statistic (1 degree of freedom) of no effect in any study.

    Parameters
    ----------
    tables : Tables
    continuity : bool
        Take 0.5 from the difference between observed and expected.

    Returns
    -------
    (...)
        Missing where no study says anything.
    """
    excess, v = excess_events(tables)
    distance = np.abs(excess.sum(axis=-1))
    if continuity:
        distance = np.maximum(distance - 0.5, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(distance**2 / v.sum(axis=-1))


def homogeneity_tests(tables: Tables, log_odds_ratio: ArrayLike) -> HomogeneityTests:
    """Test that all studies have the odds ratio given: that of Mantel and Haenszel.

    Parameters
    ----------
    tables : Tables
    log_odds_ratio : (...)

    Returns
    -------
    HomogeneityTests
        Missing where the odds ratio is infinite or missing.

    References
    ----------
    Breslow NE, Day NE (1980) Statistical methods in cancer research I, 142-143. Tarone RE (1985)
    On heterogeneity tests based on efficient scores. Biometrika 72:91-95.
    """
    ratio = np.exp(np.asarray(log_odds_ratio, dtype=float))[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        a = _expected_at(tables, ratio)
        cells = np.stack([a, tables.n1 - a, tables.a + tables.c - a])
        last = tables.n2 - (tables.a + tables.c) + a
        counts = (cells > 0.0).all(axis=0) & (last > 0.0)
        v = np.where(counts, 1.0 / ((1.0 / cells).sum(axis=0) + 1.0 / last), 0.0)
        excess = np.where(counts, tables.a - a, 0.0)
        total = v.sum(axis=-1)
        breslow_day = (excess**2 / np.where(counts, v, 1.0)).sum(axis=-1)
        tarone = breslow_day - excess.sum(axis=-1) ** 2 / total
    held = counts.sum(axis=-1)
    known = np.isfinite(ratio[..., 0]) & (ratio[..., 0] > 0.0) & (held > 0)
    return HomogeneityTests(
        breslow_day=np.where(known, breslow_day, np.nan),
        tarone=np.where(known, tarone, np.nan),
        df=np.where(known, held - 1.0, np.nan),
    )


def _expected_at(t: Tables, ratio: Floats) -> Floats:
    """Events in group 1 at which the table with these margins has the odds ratio."""
    events = t.a + t.c
    square = ratio - 1.0
    linear = ratio * (t.n1 + events) + t.n2 - events
    constant = ratio * t.n1 * events
    root = np.sqrt(np.maximum(linear**2 - 4.0 * square * constant, 0.0))
    # A negative linear term needs a ratio below 1: there the other form loses no digits.
    return np.where(linear > 0.0, 2.0 * constant / (linear + root), (linear - root) / (2 * square))
