"""Areas under ROC curves: the estimate, DeLong's covariance and the points of the curve.

The AUC is the share of pairs of a case and a control in which the case has the higher score, a
tie counting one half. A row's placement value is the share of the rows of the other outcome that
it is rightly ordered with; the AUC is the mean placement, and DeLong's variance that of two means
of placements, over cases and over controls.

References
----------
DeLong ER, DeLong DM, Clarke-Pearson DL (1988). Comparing the areas under two or more correlated
receiver operating characteristic curves: a nonparametric approach. Biometrics 44, 837-845.
Sun X, Xu W (2014). Fast implementation of DeLong's algorithm for comparing the areas under
correlated receiver operating characteristic curves. IEEE Signal Processing Letters 21, 1389-1393.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.memory import keep_freed_memory
from rnetstats.kernels.newton import BoolArray, FloatArray, IntArray
from rnetstats.kernels.ordered import Ordered, in_order
from rnetstats.kernels.sorted_keys import at_levels, delong_of_one

__all__ = ["RocPoints", "area_of", "auc", "delong", "order_shares", "roc_points"]

_CELLS = 1 << 16  # numbers of an array of a block, so that they stay in cache


def auc(y: ArrayLike, score: ArrayLike, freq: ArrayLike | None = None) -> FloatArray:
    """Area under the ROC curve of B replicates.

    Parameters
    ----------
    y
        (n,) outcome, 0 or 1.
    score
        (n,), shared by all replicates, or (B, n).
    freq
        None, (n,) or (B, n) whole numbers that stand for replicated rows; zero is allowed.

    Returns
    -------
    array of shape (B,)
        NaN for a replicate without both outcomes.
    """
    case = np.asarray(y, dtype=np.float64) > 0.5
    scores = np.atleast_2d(np.asarray(score, dtype=np.float64))
    copies = None if freq is None else np.atleast_2d(np.asarray(freq))
    if not case.size:
        return np.full(max(len(scores), 1 if copies is None else len(copies)), np.nan)
    if len(scores) == 1 and copies is not None:
        return _shared_scores(case, scores[0], copies)
    keep_freed_memory()
    if not np.isfinite(scores).all():  # by their ranks
        scores = np.unique(scores, return_inverse=True)[1].reshape(scores.shape).astype(np.float64)
    size, total = max(1, _CELLS // max(case.size, 1)), len(scores)
    found = np.empty(total)
    for begin in range(0, total, size):
        block = slice(begin, begin + size)
        weights = copies if copies is None or len(copies) == 1 else copies[block]
        found[block] = area_of(in_order(case, scores[block], weights))
    return found


def _shared_scores(case: BoolArray, score: FloatArray, copies: ArrayLike) -> FloatArray:
    """AUC of one score under many frequencies (B, n): one sort serves all."""
    keep_freed_memory()
    order = np.argsort(score, kind="stable")
    levels = _level_starts(score[order])
    sorted_case = case[order]
    total = np.asarray(copies)
    size = max(1, _CELLS // max(case.size, 1))
    found = np.empty(len(total))
    for begin in range(0, len(total), size):
        weight = total[begin : begin + size, order].astype(np.float64)
        of_cases, of_controls = weight * sorted_case, weight * ~sorted_case
        if levels.size < case.size:
            of_cases = np.add.reduceat(of_cases, levels, axis=1)
            of_controls = np.add.reduceat(of_controls, levels, axis=1)
        below = np.cumsum(of_controls, axis=1)
        controls = below[:, -1].copy()
        below -= 0.5 * of_controls
        ordered = np.einsum("bk,bk->b", of_cases, below)
        found[begin : begin + size] = _ratio(ordered, of_cases.sum(axis=1) * controls)
    return found


def area_of(rows: Ordered) -> FloatArray:
    """Area under the ROC curve of replicates in order of their scores, outcomes 0 or 1, (B,)."""
    if rows.alike and not rows.tied:
        cases, count = rows.y.sum(axis=1), rows.x.shape[1]
        places = rows.y @ np.arange(float(count))
        return _ratio(places - 0.5 * cases * (cases - 1.0), cases * (count - cases))
    of_cases = rows.w * rows.y
    of_controls = rows.w - of_cases
    below = np.cumsum(of_controls, axis=1)
    pairs = of_cases.sum(axis=1) * below[:, -1]
    ordered = np.vecdot(of_cases, below)
    ties = rows.ties() if rows.tied else np.zeros((0, 0), dtype=bool)
    if ties.any():
        # controls below the first row of a level, and up to its last: half way between them
        first, last = below - of_controls, below.copy()
        np.putmask(first[:, 1:], ties, 0.0)
        np.putmask(last[:, :-1], ties, np.inf)
        np.maximum.accumulate(first, axis=1, out=first)
        last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
        ordered = 0.5 * np.vecdot(of_cases, first + last)
    return _ratio(ordered, pairs)


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    found = np.full(above.shape, np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found


def _level_starts(values: FloatArray) -> IntArray:
    """Where each run of equal sorted values begins."""
    return np.flatnonzero(np.append(True, values[1:] != values[:-1]))[: values.size]


def delong(
    y: ArrayLike, scores: ArrayLike, freq: ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    """AUC of m scores on the same rows, with DeLong's covariance.

    Parameters
    ----------
    y
        (n,) outcome, 0 or 1.
    scores
        (n,) or (m, n).
    freq
        None or (n,) frequencies of the rows.

    Returns
    -------
    auc : array of shape (m,)
    covariance : array of shape (m, m)
        NaN with fewer than two cases or two controls.
    """
    case = np.asarray(y, dtype=np.float64) > 0.5
    many = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    if freq is None and len(many) == 1:
        found = delong_of_one(case, many[0])
        if found is not None:
            return found
    copies = None if freq is None else np.asarray(freq, dtype=np.float64)
    places = np.array([_placements(case, score, copies) for score in many])
    areas, of_cases = _mean_covariance(places, case, copies)
    return areas, of_cases + _mean_covariance(places, ~case, copies)[1]


def _mean_covariance(
    places: FloatArray, rows: BoolArray, copies: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Mean placements (m,) of some of the rows, and the covariance (m, m) of these means."""
    kept = np.flatnonzero(rows)
    values = places.take(kept, axis=1)
    weight = None if copies is None else copies[kept]
    number = float(kept.size if weight is None else weight.sum())
    m = len(places)
    if not number:
        return np.full(m, np.nan), np.full((m, m), np.nan)
    mean = values.sum(axis=1) if weight is None else values @ weight
    mean = mean / number
    values -= mean[:, None]
    if number < 2:
        return mean, np.full((m, m), np.nan)
    weighted = values if weight is None else values * weight
    return mean, weighted @ values.T / (number * (number - 1.0))


def _placements(case: BoolArray, score: FloatArray, copies: FloatArray | None) -> FloatArray:
    """Share of the rows of the other outcome that each row is rightly ordered with, (n,)."""
    order = np.argsort(score)
    values, label = score[order], case[order]
    starts = _level_starts(values)
    weight = None if copies is None else copies[order]
    of_cases, of_controls = at_levels(label, starts, weight)
    cases, controls = of_cases.sum(), of_controls.sum()
    if not cases or not controls:
        return np.full(case.size, np.nan)
    below = (np.cumsum(of_controls) - 0.5 * of_controls) / controls
    above = (np.cumsum(of_cases[::-1])[::-1] - 0.5 * of_cases) / cases
    if starts.size < case.size:
        level = np.repeat(np.arange(starts.size), np.diff(np.append(starts, case.size)))
        below, above = below[level], above[level]
    places = np.empty(case.size)
    places[order] = np.where(label, below, above)
    return places


def order_shares(
    score: FloatArray, of_cases: FloatArray, of_controls: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Weight of the controls below each row, and of the cases above it, a tie counting half.

    Parameters
    ----------
    score
        (n,).
    of_cases, of_controls
        (n,) weights of the rows as cases and as controls.
    """
    level = np.unique(score, return_inverse=True)[1]
    case = np.bincount(level, of_cases)
    control = np.bincount(level, of_controls)
    below = np.cumsum(control) - 0.5 * control
    above = np.cumsum(case[::-1])[::-1] - 0.5 * case
    return below[level], above[level]


@dataclass(frozen=True, eq=False)
class RocPoints:
    """The points of a ROC curve, thresholds ascending; a row is positive above the threshold.

    Attributes
    ----------
    threshold
        (k + 1,) -inf, the midpoints between k neighbouring values, and +inf.
    true_positive, false_positive
        (k + 1,) cases and controls above the threshold.
    cases, controls
        Totals.
    """

    threshold: FloatArray
    true_positive: FloatArray
    false_positive: FloatArray
    cases: float
    controls: float


def roc_points(y: ArrayLike, score: ArrayLike, freq: ArrayLike | None = None) -> RocPoints:
    """Cases and controls above each threshold between neighbouring values of a score.

    Parameters
    ----------
    y
        (n,) outcome, 0 or 1.
    score
        (n,).
    freq
        None or (n,) frequencies; rows with 0 are left out.
    """
    case = np.asarray(y, dtype=np.float64) > 0.5
    values = np.asarray(score, dtype=np.float64)
    copies = np.ones(case.size) if freq is None else np.asarray(freq, dtype=np.float64)
    held = copies > 0
    case, values, copies = case[held], values[held], copies[held]
    order = np.argsort(values, kind="stable")
    values, case, copies = values[order], case[order], copies[order]
    starts = _level_starts(values)
    levels = values[starts]
    middle = levels[:-1] + 0.5 * (levels[1:] - levels[:-1])
    above = [
        np.append(np.cumsum(part[::-1])[::-1][starts], 0.0)
        for part in (copies * case, copies * ~case)
    ]
    threshold = np.concatenate(([-np.inf], middle, [np.inf]))
    return RocPoints(threshold, above[0], above[1], float(above[0][0]), float(above[1][0]))
