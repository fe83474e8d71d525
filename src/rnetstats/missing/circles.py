"""Columns that follow from each other and are missing together: what must not predict what.

A total and its parts, a size in mm and in cm, a grade and "high grade": where both are missing,
each would be imputed from the other's last draw, and the chain would never leave the values drawn
at its start, whatever other columns tell. The one that is visited first is therefore imputed
without the other, and the other from it.

References
----------
van Buuren S (2018). Flexible Imputation of Missing Data, 2nd ed., section 6.4. Chapman & Hall.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Visit", "without_circles"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

_DETERMINED = 0.98  # of the variance, adjusted: beyond it ten rounds no longer forget the start
_LEAST_DF = 5


@dataclass(frozen=True, eq=False)
class Visit:
    """A column to impute.

    Attributes
    ----------
    name : str
    outcome : array of shape (n, q)
        Its numbers, or an indicator of each level; NaN where missing.
    missing : bool array of shape (n,)
    columns : int array
        Of the design: its own, and those that are computed from it.
    predictors : int array
        Of the design: those that predict it.
    """

    name: str
    outcome: Floats
    missing: NDArray[np.bool_]
    columns: Integers
    predictors: Integers


def without_circles(
    visits: Sequence[Visit], design: Floats
) -> tuple[list[Integers], tuple[str, ...]]:
    """Return the predictors of each column, without those that would close a circle, and notes.

    Parameters
    ----------
    visits : sequence of Visit
        In the order in which they are imputed.
    design : array of shape (n, P)
        NaN where a value is missing.
    """
    predictors, dropped, apart = [], dict[str, list[str]](), []
    for k, visit in enumerate(visits):
        later = [v for v in visits[k + 1 :] if (v.missing & visit.missing).any()]
        inside = [v for v in later if v.missing[visit.missing].all()]
        kept, without = _kept(visit, inside, design)
        predictors.append(kept)
        for other in without:
            dropped.setdefault(other.name, []).append(visit.name)
        apart += [
            (visit.name, other.name)
            for other in later
            if other not in inside and _follow(visit, other, design)
        ]
    notes = [
        f"{name} does not predict {', '.join(others)}: missing together, they follow from each "
        "other nearly or wholly, and would keep the values drawn at the start. "
        f"{name} is imputed from what is drawn for {', '.join(others)}."
        for name, others in dropped.items()
    ]
    notes += [
        f"{first} and {second} follow from each other nearly or wholly, but are not missing in the "
        "same rows: where both are, they hardly leave the values drawn at the start. Leave one out "
        "(exclude=), or compute it from the other (passive=)."
        for first, second in apart
    ]
    return predictors, tuple(notes)


def _kept(visit: Visit, inside: Sequence[Visit], design: Floats) -> tuple[Integers, list[Visit]]:
    """Return the predictors that close no circle, and the columns left out for it."""
    if not inside or not _determined(visit.outcome, design[:, visit.predictors]):
        return visit.predictors, []
    others = np.concatenate([other.columns for other in inside])
    kept = np.setdiff1d(visit.predictors, others)
    settled = _determined(visit.outcome, design[:, kept])
    without = []
    for other in inside:
        own = np.intersect1d(visit.predictors, other.columns)
        more = np.union1d(kept, own)
        alone = _determined(visit.outcome, design[:, own])
        if alone or (not settled and _determined(visit.outcome, design[:, more])):
            without.append(other)
        else:
            kept = more
    return kept, without


def _follow(one: Visit, other: Visit, design: Floats) -> bool:
    """Whether one of two columns follows from the other."""
    return _determined(one.outcome, design[:, other.columns]) or _determined(
        other.outcome, design[:, one.columns]
    )


def _determined(outcome: Floats, predictors: Floats) -> bool:
    """Whether a column of the outcome follows nearly or wholly from the predictors, linearly."""
    if not predictors.shape[1]:
        return False
    full = ~(np.isnan(outcome).any(axis=1) | np.isnan(predictors).any(axis=1))
    y, X = outcome[full], predictors[full]
    n = len(y)
    if n < _LEAST_DF + 2:
        return False
    y, X = y - y.mean(axis=0), X - X.mean(axis=0)
    fitted, _, rank, _ = np.linalg.lstsq(X, y, rcond=1e-9)
    df = n - 1 - int(rank)
    total = (y**2).sum(axis=0)
    varies = total > 0.0
    if df < _LEAST_DF or not varies.any():
        return False
    left = ((y - X @ fitted) ** 2).sum(axis=0)[varies] / total[varies]
    return bool((1.0 - left * (n - 1) / df >= _DETERMINED).any())
