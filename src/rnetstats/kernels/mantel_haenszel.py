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
    "TablePooled",
    "Tables",
    "excess_events",
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
    excess, v = excess_events(tables)
    total = v.sum(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        coef = excess.sum(axis=-1) / total
        std_error = np.where(total > 0.0, 1.0 / np.sqrt(total), np.nan)
    return TablePooled(np.asarray(coef), std_error, v)


def excess_events(t: Tables) -> tuple[Floats, Floats]:
    """Return events in group 1 less those expected under no effect, and their variance."""
    events = t.a + t.c
    expected = t.n1 * events / t.n
    v = t.n1 * t.n2 * events * (t.n - events) / (t.n**2 * np.maximum(t.n - 1.0, 1.0))
    return t.a - expected, v
