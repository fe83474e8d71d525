"""Mantel-Haenszel and Peto pooling of 2x2 tables, many sets of studies at once.

Nothing is added to any cell. Studies without events give no weight to odds and risk ratios; the
risk difference counts them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "HomogeneityTests",
    "TablePooled",
    "Tables",
    "cochran_mantel_haenszel",
    "homogeneity_tests",
    "mantel_haenszel",
    "peto",
]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tables:
    """Sets of k 2x2 tables.

    Attributes
    ----------
    a, c : (..., k)
        Events in groups 1 and 2.
    n1, n2 : (..., k)
        Sizes of the groups, positive.
    """

    a: Floats
    n1: Floats
    c: Floats
    n2: Floats

    @classmethod
    def of(cls, a: ArrayLike, n1: ArrayLike, c: ArrayLike, n2: ArrayLike) -> Tables:
        """Bring counts to one shape."""
        parts = np.broadcast_arrays(*(np.asarray(part, dtype=float) for part in (a, n1, c, n2)))
        return cls(*parts)

    @property
    def b(self) -> Floats:
        """Non-events in group 1."""
        return self.n1 - self.a

    @property
    def d(self) -> Floats:
        """Non-events in group 2."""
        return self.n2 - self.c

    @property
    def n(self) -> Floats:
        """Both groups."""
        return self.n1 + self.n2


@dataclass(frozen=True, eq=False)
class TablePooled:
    """A pooled effect: the log of a ratio, or a difference.

    Attributes
    ----------
    coef, std_error : (...)
        Infinite and missing where one group has no event (or no non-event) in any study; missing
        where no study says anything.
    weights : (..., k)
        Of the studies' own effects, not scaled.
    """

    coef: Floats
    std_error: Floats
    weights: Floats


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


def mantel_haenszel(tables: Tables, measure: str = "OR", *, variance: str = "sato") -> TablePooled:
    """Pool by the weights of Mantel and Haenszel, without a correction.

    Parameters
    ----------
    tables : Tables
    measure : {"OR", "RR", "RD"}
    variance : {"sato", "greenland-robins"}
        Of the risk difference: the one that holds both for few large and for many small studies,
        or the older one, which is for few large studies.

    Returns
    -------
    TablePooled

    References
    ----------
    Mantel N, Haenszel W (1959) J Natl Cancer Inst 22:719-748. Robins J, Breslow N, Greenland S
    (1986) Estimators of the Mantel-Haenszel variance consistent in both sparse data and
    large-strata limiting models. Biometrics 42:311-323. Greenland S, Robins JM (1985) Estimation
    of a common effect parameter from sparse follow-up data. Biometrics 41:55-68. Sato T, Greenland
    S, Robins JM (1989) On the variance estimator for the Mantel-Haenszel risk difference.
    Biometrics 45:1323-1324.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "OR":
            return _odds_ratio(tables)
        if measure == "RR":
            return _risk_ratio(tables)
        if measure == "RD":
            return _risk_difference(tables, variance)
    raise ValueError(f"measure must be OR, RR or RD, not {measure!r}")


def _odds_ratio(t: Tables) -> TablePooled:
    r, s = t.a * t.d / t.n, t.b * t.c / t.n
    p, q = (t.a + t.d) / t.n, (t.b + t.c) / t.n
    top, bottom = r.sum(axis=-1), s.sum(axis=-1)
    square = 0.5 * (
        (p * r).sum(axis=-1) / top**2
        + (p * s + q * r).sum(axis=-1) / (top * bottom)
        + (q * s).sum(axis=-1) / bottom**2
    )
    return _finished(np.log(top / bottom), square, s)


def _risk_ratio(t: Tables) -> TablePooled:
    r, s = t.a * t.n2 / t.n, t.c * t.n1 / t.n
    top, bottom = r.sum(axis=-1), s.sum(axis=-1)
    spread = (t.n1 * t.n2 * (t.a + t.c) - t.a * t.c * t.n) / t.n**2
    return _finished(np.log(top / bottom), spread.sum(axis=-1) / (top * bottom), s)


def _risk_difference(t: Tables, variance: str) -> TablePooled:
    w = t.n1 * t.n2 / t.n
    total = w.sum(axis=-1)
    coef = (t.a * t.n2 / t.n - t.c * t.n1 / t.n).sum(axis=-1) / total
    if variance == "greenland-robins":
        own = (t.a * t.b * t.n2**3 + t.c * t.d * t.n1**3) / (t.n1 * t.n2 * t.n**2)
        square = own.sum(axis=-1) / total**2
    else:
        f1, f2 = t.n1 / t.n, t.n2 / t.n
        p = f1**2 * t.c - f2**2 * t.a + 0.5 * f1 * f2 * (t.n2 - t.n1)
        q = 0.5 * (t.a * t.d + t.c * t.b) / t.n
        square = (coef * p.sum(axis=-1) + q.sum(axis=-1)) / total**2
    return TablePooled(np.asarray(coef), np.asarray(np.sqrt(square)), w)


def _finished(coef: Floats, square: Floats, weights: Floats) -> TablePooled:
    """A log ratio, whose standard error is missing where it is infinite."""
    std_error = np.where(np.isfinite(coef), np.sqrt(square), np.nan)
    return TablePooled(np.asarray(coef), std_error, weights)


def peto(tables: Tables) -> TablePooled:
    """Pool observed less expected events: the one-step log odds ratio, without a correction.

    Parameters
    ----------
    tables : Tables

    Returns
    -------
    TablePooled
        Studies without events (or without non-events) weigh nothing.

    References
    ----------
    Yusuf S, Peto R, Lewis J, Collins R, Sleight P (1985) Beta blockade during and after myocardial
    infarction: an overview of the randomized trials. Prog Cardiovasc Dis 27:335-371.
    """
    excess, v = _excess(tables)
    total = v.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        coef = excess.sum(axis=-1) / total
        std_error = np.where(total > 0.0, 1.0 / np.sqrt(total), np.nan)
    return TablePooled(np.asarray(coef), std_error, v)


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
    excess, v = _excess(tables)
    distance = np.abs(excess.sum(axis=-1))
    if continuity:
        distance = np.maximum(distance - 0.5, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(distance**2 / v.sum(axis=-1))


def _excess(t: Tables) -> tuple[Floats, Floats]:
    """Events in group 1 less those expected under no effect, and their variance."""
    events = t.a + t.c
    expected = t.n1 * events / t.n
    v = t.n1 * t.n2 * events * (t.n - events) / (t.n**2 * np.maximum(t.n - 1.0, 1.0))
    return t.a - expected, v


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
