"""Ridge Cox regression of many replicates and penalties at once.

What is maximised is log L - (penalty / 2) sum_j (s_j b_j)^2, L the partial likelihood and s_j the
standard deviation of column j in the replicate's own rows (divisor n - 1), as for logistic
regression in :mod:`rnetstats.kernels.ridge`.

References
----------
Verweij PJM, van Houwelingen HC (1994). Penalized likelihood in Cox regression. Statistics in
Medicine 13:2427-2436.
Verweij PJM, van Houwelingen HC (1993). Cross-validation in survival analysis. Statistics in
Medicine 12:2305-2314.
Gray RJ (1992). Flexible methods for analyzing survival data using splines. JASA 87:942-951
(effective degrees of freedom).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.blocks import block_size, part_of
from rnetstats.kernels.cox import cox_likelihood
from rnetstats.kernels.cox_lost import lost_columns
from rnetstats.kernels.memory import keep_freed_memory
from rnetstats.kernels.newton import OK, FloatArray, IntArray, maximise, rows_of
from rnetstats.kernels.ridge import (
    PENALTIES,
    PenalisedBlock,
    RidgeFit,
    along_penalties,
    column_variances,
    held_out,
)
from rnetstats.kernels.risksets import RiskSets

__all__ = ["ridge_cox", "ridge_cox_deviance"]


def ridge_cox(
    X: ArrayLike,
    sets: RiskSets,
    penalties: ArrayLike = PENALTIES,
    *,
    freq: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    ties: str = "efron",
) -> RidgeFit:
    """Fit B ridge Cox regressions at each of K penalties.

    Parameters
    ----------
    X : array of shape (n, p), shared by the replicates, or (B, n, p)
        No intercept.
    sets : RiskSets
        With at least one event.
    penalties : array of shape (K,)
        At least 0.
    freq : array of shape (n,) or (B, n), optional
        Whole numbers: how often each row stands in the replicate.
    offset : array of shape (n,), optional
    ties : {"efron", "breslow"}

    Returns
    -------
    RidgeFit
        A column on which a replicate's risk sets say nothing has 0. A replicate without events,
        and one of a monotone likelihood at penalty 0, has no estimate.
    """
    keep_freed_memory()
    design, levels = np.asarray(X, dtype=float), np.asarray(penalties, dtype=float)
    n, p = design.shape[-2:]
    counts = np.atleast_2d(np.ones(n) if freq is None else np.asarray(freq, dtype=float))
    size = max(len(counts), len(design) if design.ndim == 3 else 1)

    def block_of(rows: slice) -> PenalisedBlock:
        part = design[rows] if design.ndim == 3 else design
        own = part_of(counts, rows)
        return _Block(part, sets, own, offset, ties, rows.stop - rows.start)

    return along_penalties(levels, (size, n, p), block_of, unpenalised=0)


def ridge_cox_deviance(
    X: ArrayLike,
    sets: RiskSets,
    folds: ArrayLike,
    penalties: ArrayLike = PENALTIES,
    *,
    freq: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    ties: str = "efron",
) -> FloatArray:
    """Return -2 times the cross-validated partial log-likelihood, (B, K).

    The contribution of a fold is what it adds to the partial likelihood of all rows, at the
    coefficients that were estimated without it (Verweij and van Houwelingen 1993).

    Parameters
    ----------
    X, sets, penalties, freq, offset, ties
        As in :func:`ridge_cox`; X is shared.
    folds : array of shape (n,), (B, n) or (F, B, n)
        See :func:`rnetstats.kernels.ridge.held_out`. A penalty without an estimate in some fold
        has no deviance.
    """
    design, place = np.asarray(X, dtype=float), np.atleast_2d(np.asarray(folds))
    counts = np.ones(place.shape[-1]) if freq is None else np.asarray(freq, dtype=float)
    shape = np.broadcast_shapes(np.atleast_2d(counts).shape, place.shape[-2:])
    whole = np.broadcast_to(counts, shape)
    # every fold of every replicate is a replicate of its own
    rests = [whole - held for held in held_out(place, whole)]
    rest = np.concatenate(rests)
    fit = ridge_cox(design, sets, penalties, freq=rest, offset=offset, ties=ties)
    everything = np.tile(whole, (len(rests), 1))
    gain = _log_likelihoods(design, sets, fit.coef, everything, offset, ties)
    gain -= _log_likelihoods(design, sets, fit.coef, rest, offset, ties)
    return np.asarray(-2.0 * gain.reshape(len(rests), shape[0], -1).sum(axis=0))


def _log_likelihoods(
    X: FloatArray,
    sets: RiskSets,
    coef: FloatArray,
    counts: FloatArray,
    offset: ArrayLike | None,
    ties: str,
) -> FloatArray:
    """Log partial likelihood at coefficients (B, K, p); missing where they are."""
    found = np.full(coef.shape[:2], np.nan)
    for at in range(0, len(counts), block_size(X.shape[0])):
        rows = slice(at, at + block_size(X.shape[0]))
        part = counts[rows]
        likelihood = cox_likelihood(X, sets, freq=part, offset=offset, ties=ties)
        everyone = np.arange(len(part))
        for k in range(coef.shape[1]):
            there = np.asarray(np.isfinite(coef[rows, k]).all(axis=1))
            beta = np.where(there[:, None], coef[rows, k], 0.0)
            value = likelihood.unpenalised(beta * likelihood.scale, everyone)[0]
            found[rows, k] = np.where(there, value, np.nan)
    return found


class _Block:
    """The likelihood of a block of replicates, and the spread of their columns."""

    def __init__(
        self,
        X: FloatArray,
        sets: RiskSets,
        counts: FloatArray,
        offset: ArrayLike | None,
        ties: str,
        size: int,
    ) -> None:
        self.size, p = size, X.shape[-1]
        self.likelihood = cox_likelihood(X, sets, freq=counts, offset=offset, ties=ties)
        self.scale = self.likelihood.scale
        spread = np.broadcast_to(column_variances(X, counts), (size, p))
        self.ridge = spread / self.scale**2
        first = self.likelihood.unpenalised(np.zeros((size, p)), np.arange(size))
        events = np.asarray(counts[:, sets.rows[sets.deaths]].sum(axis=1))
        self.lacking = np.broadcast_to(events <= 0.0, (size,))
        diagonal = np.diagonal(first[2], axis1=1, axis2=2)
        # columns that repeat others are told apart by a penalty; without one they are lost
        self.constant = (spread <= 0.0) | ~(diagonal > 0.0) | self.lacking[:, None]
        self.dependent = lost_columns(self.likelihood, first[2])

    def fit(
        self, penalty: float, start: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, IntArray, FloatArray]:
        """Return coefficients, log-likelihood, effective df, status, and the next start."""
        weight, p = penalty * self.ridge, self.ridge.shape[1]
        lost = self.constant
        if penalty == 0.0 and self.dependent is not None:
            lost = lost | self.dependent
        free = ~lost

        def evaluate(
            gamma: FloatArray, index: IntArray
        ) -> tuple[FloatArray, FloatArray, FloatArray]:
            value, score, information = self.likelihood.unpenalised(gamma, index)
            part = rows_of(weight, index)
            value = value - 0.5 * (part * gamma * gamma).sum(axis=1)
            return value, score - part * gamma, information + part[:, :, None] * np.eye(p)

        fit = maximise(evaluate, np.where(free, start, 0.0), free=free)
        failed = (fit.status != OK) | self.lacking
        matrix = np.where(free[:, :, None] & free[:, None, :], fit.information, np.eye(p))
        matrix[failed] = np.eye(p)
        taken = np.einsum("bj,bjj->b", np.where(free, weight, 0.0), np.linalg.inv(matrix))
        coef = np.where(failed[:, None], np.nan, fit.coef / self.scale)
        penalised = 0.5 * (weight * fit.coef * fit.coef).sum(axis=1)
        value = np.where(failed, np.nan, fit.log_likelihood + penalised)
        df = np.where(failed, np.nan, free.sum(axis=1) - taken)
        return coef, value, df, fit.status, np.where(failed[:, None], 0.0, fit.coef)
