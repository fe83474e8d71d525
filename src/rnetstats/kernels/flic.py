"""FLIC and FLAC: Firth's logistic regression with risks that are right on average.

Firth's penalty draws predicted risks towards one half. FLIC keeps its slopes and re-estimates the
intercept by maximum likelihood. FLAC estimates all by maximum likelihood on the data augmented
with the pseudo-observations that the penalty stands for, told apart by an indicator.

References
----------
Puhr R, Heinze G, Nold M, Lusa L, Geroldinger A (2017). Firth's logistic regression with rare
events: accurate effect estimates and predictions? Statistics in Medicine 36:2302-2317.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.blocks import block_size, joined, part_of
from rnetstats.kernels.bracketed import bracketed_root
from rnetstats.kernels.logistic import LogisticFit, fit_logistic
from rnetstats.kernels.newton import DIVERGED, LOST_TERM, OK, FloatArray, IntArray

__all__ = ["FlacFit", "fit_flac", "flic_intercept"]


@dataclass(frozen=True)
class FlacFit:
    """FLAC fits of B replicates, p columns each.

    Attributes
    ----------
    coef : array of shape (B, p)
        NaN where there is no estimate; a lost column has coefficient 0.
    covariance : array of shape (B, p, p)
        Inverse information of the augmented data, the indicator included in the inversion.
    indicator : array of shape (B,)
        Coefficient of the indicator of pseudo-observations.
    status : int array of shape (B,)
        See :data:`rnetstats.kernels.newton.STATUS_TEXT`.
    """

    coef: FloatArray
    covariance: FloatArray
    indicator: FloatArray
    status: IntArray


def flic_intercept(
    X: ArrayLike,
    y: ArrayLike,
    coef: ArrayLike,
    *,
    freq: ArrayLike | None = None,
    case: ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> FloatArray:
    """Return the intercepts that make the mean predicted risk the observed share of events.

    Parameters
    ----------
    X : array of shape (n, p), shared by the replicates, or (B, n, p)
        The first column is the constant 1.
    y : array of shape (n,)
        0 or 1.
    coef : array of shape (B, p)
        Of any estimator; the slopes stay, the intercept is where the search begins.
    freq, case : arrays of shape (n,) or (B, n), optional
        Frequency and sampling weights.
    offset : array of shape (n,), optional

    Returns
    -------
    array of shape (B,)
        NaN for a replicate without both outcomes, or without finite coefficients.
    """
    design, outcome = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    begin = np.atleast_2d(np.asarray(coef, dtype=float))
    counts, sampling = _optional(freq), _optional(case)
    n = design.shape[-2]
    found = np.full(len(begin), np.nan)
    usable = np.isfinite(begin).all(axis=1)
    for at in range(0, len(begin), block_size(n)):
        rows = slice(at, at + block_size(n))
        start = np.where(usable[rows, None], begin[rows], 0.0)
        slopes = np.column_stack([np.zeros(len(start)), start[:, 1:]])
        shift = _predictor(_part_design(design, rows), slopes)
        if offset is not None:
            shift = shift + np.asarray(offset, dtype=float)
        of_rows = part_of(counts, rows), part_of(sampling, rows)
        fit = fit_logistic(
            np.ones((n, 1)),
            outcome,
            freq=of_rows[0],
            case=of_rows[1],
            offset=shift,
            start=start[:, :1],
        )
        found[rows] = np.where((fit.status == OK) & usable[rows], fit.coef[:, 0], np.nan)
        far = np.flatnonzero((fit.status != OK) & usable[rows])
        if far.size:
            weight = np.broadcast_to(_weight(*of_rows, n), shift.shape)
            found[at + far] = [_balanced(shift[i], outcome, weight[i]) for i in far]
    return found


def _balanced(shift: FloatArray, y: FloatArray, weight: FloatArray) -> float:
    """The intercept of one replicate, however far from it a search by derivatives would begin.

    Slopes that were shrunken, of a year say, move all risks to 0 or 1, where there are none.
    """
    share = float(weight @ y / weight.sum())
    if not 0.0 < share < 1.0:
        return np.nan
    middle, held = np.log(share / (1.0 - share)), shift[weight > 0.0]

    def excess(intercept: float) -> float:
        risk = 0.5 + 0.5 * np.tanh(0.5 * (intercept + shift))
        return float(weight @ (risk - y))

    return bracketed_root(excess, middle - held.max() - 1.0, middle - held.min() + 1.0)


def fit_flac(
    X: ArrayLike,
    y: ArrayLike,
    firth: LogisticFit,
    *,
    freq: ArrayLike | None = None,
    case: ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> FlacFit:
    """Fit FLAC to B replicates whose Firth fits are given.

    Parameters
    ----------
    X : array of shape (n, p), shared by the replicates, or (B, n, p)
        The first column is the constant 1.
    y : array of shape (n,)
        0 or 1.
    firth : LogisticFit
        From :func:`fit_logistic` with ``firth=True`` and the same weights and offset.
    freq, case : arrays of shape (n,) or (B, n), optional
        Frequency and sampling weights.
    offset : array of shape (n,), optional

    Returns
    -------
    FlacFit
        Each row stands three times: with its weight, and, marked by the indicator, with either
        outcome at half its hat value. Replicates without both outcomes are left without an
        estimate.
    """
    design, outcome = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    n, size = len(outcome), len(firth.coef)
    counts, sampling = _optional(freq), _optional(case)
    shift = None if offset is None else np.asarray(offset, dtype=float)
    mark = np.repeat([0.0, 1.0, 1.0], n)
    tripled = np.concatenate([design] * 3, axis=-2)
    marks = np.broadcast_to(mark[:, None], (*tripled.shape[:-1], 1))
    stacked = np.concatenate([tripled, marks], axis=-1)
    both = np.concatenate([outcome, outcome, 1.0 - outcome])
    covariance, step = firth.covariance, block_size(3 * n)
    parts = []
    for at in range(0, size, step):
        rows = slice(at, min(at + step, size))
        weight = _weight(part_of(counts, rows), part_of(sampling, rows), n)
        half = (
            0.5
            * weight
            * _hat(_part_design(design, rows), firth.coef[rows], covariance[rows], shift)
        )
        weight = np.broadcast_to(weight, half.shape)
        start = np.column_stack([firth.coef[rows], np.zeros(len(half))])
        fit = fit_logistic(
            _part_design(stacked, rows),
            both,
            case=np.concatenate([weight, half, half], axis=1),
            offset=None if shift is None else np.tile(shift, 3),
            start=start,
        )
        parts.append(_without_indicator(fit, _one_outcome(weight, outcome)))
    return joined(parts)


def _hat(
    X: FloatArray, coef: FloatArray, covariance: FloatArray, offset: FloatArray | None
) -> FloatArray:
    """Hat values (B, n) of one replicated row each."""
    eta = _predictor(X, coef)
    if offset is not None:
        eta = eta + offset
    quadratic = ((X @ covariance) * X).sum(axis=-1)
    odds = np.exp(-np.abs(eta))  # p (1 - p) is the same on either side
    return np.asarray(odds / (1.0 + odds) ** 2 * quadratic)


def _without_indicator(fit: LogisticFit, lacking: np.ndarray) -> FlacFit:
    lost = lacking | ~np.isin(fit.status, (OK, LOST_TERM))
    return FlacFit(
        coef=np.where(lost[:, None], np.nan, fit.coef[:, :-1]),
        covariance=np.where(lost[:, None, None], np.nan, fit.covariance[:, :-1, :-1]),
        indicator=np.where(lost, np.nan, fit.coef[:, -1]),
        status=np.where(lacking, DIVERGED, fit.status),
    )


def _one_outcome(weight: FloatArray, y: FloatArray) -> np.ndarray:
    total, events = weight.sum(axis=1), weight @ y
    return np.asarray((events <= 0.0) | (events >= total))


def _predictor(X: FloatArray, coef: FloatArray) -> FloatArray:
    if X.ndim == 2:
        return np.asarray(coef @ X.T)
    return np.asarray(np.matmul(X, coef[:, :, None])[:, :, 0])


def _part_design(X: FloatArray, rows: slice) -> FloatArray:
    """Return the designs of a block of replicates; a shared one as it is."""
    return X[rows] if X.ndim == 3 and len(X) > 1 else X


def _weight(freq: FloatArray | None, case: FloatArray | None, n: int) -> FloatArray:
    weight = np.ones((1, n))
    for part in (freq, case):
        if part is not None:
            weight = weight * np.atleast_2d(part)
    return weight


def _optional(values: ArrayLike | None) -> FloatArray | None:
    return None if values is None else np.asarray(values, dtype=float)
