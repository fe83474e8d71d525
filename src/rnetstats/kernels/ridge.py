"""Ridge logistic regression of many replicates and penalties at once.

What is maximised is log L - (penalty / 2) sum_j (s_j b_j)^2, s_j the standard deviation of column j
in the replicate's own rows (divisor n - 1): columns are penalised as if they had been divided by
their standard deviation, so that units do not matter. The intercept is not penalised, and the mean
risk is therefore the observed share.

References
----------
le Cessie S, van Houwelingen JC (1992). Ridge estimators in logistic regression. Appl Stat
41:191-201.
Gray RJ (1992). Flexible methods for analyzing survival data using splines. JASA 87:942-951
(effective degrees of freedom).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.blocks import block_size, part_of
from rnetstats.kernels.logistic_likelihood import LogisticLikelihood
from rnetstats.kernels.memory import keep_freed_memory
from rnetstats.kernels.newton import OK, BoolArray, FloatArray, IntArray, maximise, rows_of

__all__ = [
    "PENALTIES",
    "PenalisedBlock",
    "RidgeFit",
    "along_penalties",
    "best",
    "column_variances",
    "held_out",
    "ridge_deviance",
    "ridge_logistic",
]

PENALTIES: FloatArray = np.append(0.0, 10.0 ** np.linspace(-1.0, 4.0, 26))


@dataclass(frozen=True, eq=False)
class RidgeFit:
    """Ridge fits of B replicates at K penalties, p columns each.

    Attributes
    ----------
    coef : array of shape (B, K, p)
        Of the columns as given; a column that is constant in a replicate has 0. NaN where there
        is no estimate (penalty 0 and separated data, or one outcome only).
    log_likelihood : array of shape (B, K)
        Without the penalty.
    df : array of shape (B, K)
        Effective degrees of freedom without the intercept, trace of I (I + P)^-1.
    status : int array of shape (B, K)
        See :data:`rnetstats.kernels.newton.STATUS_TEXT`.
    unpenalised : int
        Parameters beside the slopes: the intercept, or 0 of a Cox model.
    """

    coef: FloatArray
    log_likelihood: FloatArray
    df: FloatArray
    status: IntArray
    unpenalised: int = 1

    @property
    def aic(self) -> FloatArray:
        """-2 log L + 2 (effective df + unpenalised), (B, K)."""
        return np.asarray(-2.0 * self.log_likelihood + 2.0 * (self.df + self.unpenalised))

    def by_aic(self) -> IntArray:
        """Place of the penalty with the smallest AIC in each replicate (B,)."""
        return best(self.aic)

    def at(self, place: IntArray) -> FloatArray:
        """Coefficients (B, p) at one penalty a replicate."""
        return np.asarray(self.coef[np.arange(len(self.coef)), place])


class PenalisedBlock(Protocol):
    """A block of replicates that can be fitted at one penalty after the other."""

    def fit(
        self, penalty: float, start: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, IntArray, FloatArray]:
        """Return coefficients, log-likelihood, effective df, status, and the next start."""


def best(criterion: FloatArray) -> IntArray:
    """Place of the smallest finite value of each row (B,); 0 where there is none."""
    return np.asarray(np.argmin(np.where(np.isnan(criterion), np.inf, criterion), axis=1))


def ridge_logistic(
    X: ArrayLike,
    y: ArrayLike,
    penalties: ArrayLike = PENALTIES,
    *,
    freq: ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> RidgeFit:
    """Fit B ridge logistic regressions at each of K penalties.

    Parameters
    ----------
    X : array of shape (n, p), shared by the replicates, or (B, n, p)
        The first column is the constant 1.
    y : array of shape (n,)
        0 or 1.
    penalties : array of shape (K,)
        At least 0.
    freq : array of shape (n,) or (B, n), optional
        Whole numbers: how often each row stands in the replicate.
    offset : array of shape (n,), optional
    """
    keep_freed_memory()
    design, outcome = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    levels = np.asarray(penalties, dtype=float)
    n, p = design.shape[-2:]
    counts = np.atleast_2d(np.ones(n) if freq is None else np.asarray(freq, dtype=float))
    size = max(len(counts), len(design) if design.ndim == 3 else 1)
    shift = None if offset is None else np.asarray(offset, dtype=float)

    # Neither estimate nor penalty knows where a column begins, but far from zero it costs digits.
    middle = design.mean(axis=-2, keepdims=True)
    middle[..., 0] = 0.0

    def block_of(rows: slice) -> PenalisedBlock:
        part = (design[rows] - middle[rows]) if design.ndim == 3 else design - middle
        own = part_of(counts, rows)
        return _Block(part, outcome, own, shift, rows.stop - rows.start)

    fit = along_penalties(levels, (size, n, p), block_of)
    fit.coef[..., 0] -= (fit.coef * middle).sum(axis=-1)
    return fit


def along_penalties(
    levels: FloatArray,
    shape: tuple[int, int, int],
    block_of: Callable[[slice], PenalisedBlock],
    *,
    unpenalised: int = 1,
) -> RidgeFit:
    """Fit all replicates block by block, from the largest penalty down.

    Parameters
    ----------
    levels : array of shape (K,)
    shape : tuple of int
        Replicates, rows and columns.
    block_of : callable
        Returns the block of a slice of the replicates.
    unpenalised : int
        Parameters beside the slopes.
    """
    size, n, p = shape
    coef = np.full((size, levels.size, p), np.nan)
    value, df = np.full((size, levels.size), np.nan), np.full((size, levels.size), np.nan)
    status = np.zeros((size, levels.size), dtype=np.int64)
    for at in range(0, size, block_size(n)):
        rows = slice(at, min(at + block_size(n), size))
        block = block_of(rows)
        start = np.zeros((rows.stop - rows.start, p))
        for k in np.argsort(-levels, kind="stable"):  # each is a start for the next
            found = block.fit(float(levels[k]), start)
            coef[rows, k], value[rows, k], df[rows, k], status[rows, k], start = found
    return RidgeFit(coef, value, df, status, unpenalised)


def ridge_deviance(
    X: ArrayLike,
    y: ArrayLike,
    folds: ArrayLike,
    penalties: ArrayLike = PENALTIES,
    *,
    freq: ArrayLike | None = None,
    offset: ArrayLike | None = None,
) -> FloatArray:
    """Return the cross-validated deviance of each replicate at each penalty, (B, K).

    Parameters
    ----------
    X, y, penalties, freq, offset
        As in :func:`ridge_logistic`; X is shared.
    folds : array of shape (n,), (B, n) or (F, B, n)
        See :func:`held_out`. A penalty without an estimate in some fold has no deviance.
    """
    design, outcome = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    n = len(outcome)
    counts = np.atleast_2d(np.ones(n) if freq is None else np.asarray(freq, dtype=float))
    shift = np.zeros(n) if offset is None else np.asarray(offset, dtype=float)
    total = np.zeros((len(counts), np.size(penalties)))
    sign = 2.0 * outcome - 1.0
    for held in held_out(folds, counts):
        some = held.any(axis=0)
        fit = ridge_logistic(design, outcome, penalties, freq=counts - held, offset=offset)
        eta = fit.coef @ design[some].T + shift[some]
        with np.errstate(invalid="ignore"):  # a penalty without an estimate stays missing
            lost = np.logaddexp(0.0, -sign[some] * eta)
        total += 2.0 * np.einsum("bkn,bn->bk", lost, held[:, some])
    return total


def held_out(folds: ArrayLike, counts: FloatArray) -> Iterator[FloatArray]:
    """Yield how often each row of B replicates is left out with each of F folds, (B, n).

    Parameters
    ----------
    folds : int array of shape (n,) or (B, n), or array of shape (F, B, n)
        The fold of each row, whose copies stay together; or how many copies of it lie in each
        fold, one replicate's for all if B is 1.
    counts : array of shape (B, n)
        How often each row stands in each replicate.
    """
    place = np.asarray(folds)
    if place.ndim == 3:
        for part in place:
            yield np.broadcast_to(part, counts.shape)
        return
    for fold in np.unique(place):
        yield counts * (np.atleast_2d(place) == fold)


class _Block:
    """The likelihood of a block of replicates, and the spread of their columns."""

    def __init__(
        self,
        X: FloatArray,
        y: FloatArray,
        counts: FloatArray,
        offset: FloatArray | None,
        size: int,
    ) -> None:
        self.size = size
        self.likelihood = LogisticLikelihood(X, y, weights=counts, offset=offset)
        self.scale = self.likelihood.scale
        spread = column_variances(X, counts)
        self.constant: BoolArray = np.broadcast_to(spread <= 0.0, (size, spread.shape[1])).copy()
        self.constant[:, 0] = False
        spread[:, 0] = 0.0
        self.ridge = np.broadcast_to(spread / self.scale**2, (size, spread.shape[1]))
        events = counts @ y
        lacking = (events <= 0.0) | (events >= counts.sum(axis=1))
        self.lacking: BoolArray = np.broadcast_to(lacking, (size,))

    def fit(
        self, penalty: float, start: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, IntArray, FloatArray]:
        """Return coefficients, log-likelihood, effective df, status, and the next start."""
        weight = penalty * self.ridge

        def evaluate(
            gamma: FloatArray, index: IntArray
        ) -> tuple[FloatArray, FloatArray, FloatArray]:
            value, score, information = self.likelihood.scaled(gamma, index)
            part = rows_of(weight, index)
            value = value - 0.5 * (part * gamma * gamma).sum(axis=1)
            return value, score - part * gamma, information + part[:, :, None] * np.eye(self.p)

        fit = maximise(evaluate, start, free=~self.constant)
        lost = (fit.status != OK) | self.lacking
        penalised = (weight * fit.coef * fit.coef).sum(axis=1)
        free = ~self.constant
        both = free[:, :, None] & free[:, None, :]
        matrix = np.where(both, fit.information, np.eye(self.p))
        matrix[lost] = np.eye(self.p)
        taken = np.einsum("bj,bjj->b", np.where(free, weight, 0.0), np.linalg.inv(matrix))
        df = free.sum(axis=1) - 1.0 - taken
        coef = np.where(lost[:, None], np.nan, fit.coef / self.scale)
        value = np.where(lost, np.nan, fit.log_likelihood + 0.5 * penalised)
        following = np.where(lost[:, None], 0.0, fit.coef)
        return coef, value, np.where(lost, np.nan, df), fit.status, following

    @property
    def p(self) -> int:
        """Columns."""
        return int(self.ridge.shape[1])


def column_variances(X: FloatArray, counts: FloatArray) -> FloatArray:
    """Variance of each column in each replicate's rows, (B, p) or (1, p)."""
    total = np.maximum(counts.sum(axis=1), 1.0)[:, None]  # of a replicate without rows too
    if X.ndim == 2:
        centred = X - X.mean(axis=0)
        mean = counts @ centred / total
        square = counts @ (centred * centred)
    else:
        centred = X - X.mean(axis=1, keepdims=True)
        mean = np.einsum("bn,bnp->bp", np.broadcast_to(counts, X.shape[:2]), centred) / total
        square = np.einsum("bn,bnp->bp", np.broadcast_to(counts, X.shape[:2]), centred**2)
    variance = (square - total * mean * mean) / np.maximum(total - 1.0, 1.0)
    size = np.maximum(square / np.maximum(total, 1.0), np.finfo(float).tiny)
    return np.asarray(np.where(variance <= 1e-12 * size, 0.0, variance))
