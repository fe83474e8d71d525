"""The logistic log-likelihood of many replicates: value, score and information."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from rnetstats.kernels.blocks import pieces
from rnetstats.kernels.firth import (
    half_log_det,
    inverse_information,
    observed_information,
    without,
)
from rnetstats.kernels.log_f import LogF
from rnetstats.kernels.newton import BoolArray, FloatArray, Found, IntArray, rows_of
from rnetstats.kernels.packing import column_products, packing
from rnetstats.kernels.rank import orthonormal

__all__ = ["LogisticDesign", "LogisticLikelihood"]

# From a hat value of this much on, X'WX is too far from the second derivatives of the penalised
# likelihood: Newton's steps with it shrink the error by about this factor.
_STEEP = 0.2


class LogisticDesign:
    """Columns and outcomes of B replicates, made ready once for all blocks that share them.

    Attributes
    ----------
    X : array of shape (n, p) or (B, n, p)
        The columns divided by their root mean square, ``scale``; shared ones with one outcome
        carry its sign.
    scale : array of shape (1, p) or (B, p)
    sign : array of shape (1, 1), (1, n) or (B, n)
        1 for an outcome of 1, -1 for one of 0; 1 where the columns carry it.
    outcome_sign : array of shape (1, n) or (B, n)
    products : array of shape (n, p (p + 1) / 2) or None
        Of the columns of a shared design.
    """

    def __init__(self, X: FloatArray, y: FloatArray) -> None:
        self.outcome_sign = self.sign = np.atleast_2d(2.0 * y - 1.0)
        length = np.sqrt(np.einsum("...ij,...ij->...j", X, X) / X.shape[-2])
        self.scale = np.atleast_2d(np.where(length > 0, length, 1.0))
        self.shared = X.ndim == 2
        self.X = X / (self.scale if self.shared else self.scale[:, None, :])
        self.products = column_products(self.X) if self.shared else None
        if self.shared and len(self.sign) == 1:
            # The outcome is the same in every replicate: its sign goes into the design.
            self.X = self.X * self.sign.T
            self.sign = np.ones((1, 1))
        self.against = np.ascontiguousarray(-self.X.T) if self.shared else None

    @cached_property
    def log_scale(self) -> FloatArray:
        """Logarithms of the scale, (1, p) or (B, p)."""
        return np.asarray(np.log(self.scale))

    @cached_property
    def basis(self) -> FloatArray | None:
        """What turns the columns of a shared design into orthonormal ones."""
        return orthonormal(self.X) if self.shared else None


class LogisticLikelihood:
    """Log-likelihood, score and information of B replicates; an ``Evaluate`` for Newton.

    Calling it takes coefficients of the columns as given; :meth:`scaled` those of the columns
    divided by their root mean square, ``scale``, in which Newton's method works. The information
    is X'WX, and with the penalty minus the second derivatives of the sum where single rows
    determine much of it (as long as these are definite).

    Parameters
    ----------
    X : array of shape (n, p), shared, or (B, n, p)
        The intercept is a column.
    y : array of shape (n,) or (B, n)
        0 or 1.
    weights : array of shape (n,) or (B, n), optional
    offset : array of shape (n,) or (B, n), optional
    firth : bool
        Add Firth's penalty, half the log-determinant of X'WX of all columns.
    lost : bool array of shape (B, p), optional
        Columns that the penalty leaves out.
    prior : LogF, optional
        Added to the log-likelihood, on the coefficients of the columns as given.
    design : LogisticDesign, optional
        That of X and y, where it is known.

    References
    ----------
    Firth D (1993). Bias reduction of maximum likelihood estimates. Biometrika 80:27-38.
    Heinze G, Schemper M (2002). A solution to the problem of separation in logistic regression.
    Statistics in Medicine 21:2409-2419.
    """

    def __init__(
        self,
        X: FloatArray,
        y: FloatArray,
        *,
        weights: FloatArray | None = None,
        offset: FloatArray | None = None,
        firth: bool = False,
        lost: BoolArray | None = None,
        prior: LogF | None = None,
        design: LogisticDesign | None = None,
    ) -> None:
        design = LogisticDesign(X, y) if design is None else design
        self.firth = firth
        self.lost = lost
        self.prior = prior
        self.weights = None if weights is None else np.atleast_2d(weights)
        self.offset = None if offset is None else np.atleast_2d(offset) * design.outcome_sign
        self.design = design
        self.X, self.scale, self.sign = design.X, design.scale, design.sign
        self.shared, self.products = design.shared, design.products
        self.n, self.p = self.X.shape[-2:]
        self._packing = packing(self.p)

    def __call__(
        self, beta: FloatArray, index: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Evaluate at coefficients (A, p) of the columns as given."""
        scale = rows_of(self.scale, index)
        value, score, information = self.scaled(beta * scale, index)
        if self.firth:
            value = value + self.log_scale(index)
        return value, score * scale, information * (scale[:, :, None] * scale[:, None, :])

    def scaled(
        self, gamma: FloatArray, index: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Evaluate at coefficients (A, p) of the scaled columns, or (1, p) for all replicates."""
        return self._in_pieces(gamma, index, steep=_STEEP)

    def scaled_expected(
        self, gamma: FloatArray, index: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Do the same with X'WX throughout: cheaper for a large block."""
        return self._in_pieces(gamma, index, steep=np.inf)

    def scaled_observed(
        self, gamma: FloatArray, index: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Do the same with second derivatives throughout: converges in the fewest steps."""
        return self._in_pieces(gamma, index, steep=0.0)

    def scaled_both(
        self, gamma: FloatArray, index: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Do the same with the penalty, and X'WX besides: for a few replicates."""
        return self._evaluate(gamma, index, steep=0.0)

    def expected(self, gamma: FloatArray, index: IntArray) -> FloatArray:
        """X'WX of the scaled columns (A, p, p)."""
        parts = []
        for rows in pieces(len(index), self.n):
            with np.errstate(over="ignore", invalid="ignore"):
                fitted, residual, _ = self._fitted(gamma[rows], index[rows], None)
            spread = fitted * residual
            if self.weights is not None:
                spread *= rows_of(self.weights, index[rows])
            parts.append(self._information(spread, index[rows]))
        return np.concatenate(parts)

    def at_one_point(self, gamma: FloatArray) -> Found:
        """Do the same at one point (1, p) for all replicates of a shared design.

        These differ by their weights alone, and there is no penalty: everything is a sum over
        the rows of what is found once.
        """
        assert self.weights is not None
        assert self.products is not None
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            fitted, residual, _ = self._fitted(gamma, np.zeros(1, dtype=np.int64), None)
            parts = np.log(fitted).T, self.X * residual.T, self.products * (fitted * residual).T
            found = self.weights @ np.hstack(parts)
        return found[:, 0], found[:, 1 : self.p + 1], found[:, self.p + 1 :][:, self._packing.place]

    def third_along(self, gamma: FloatArray, step: FloatArray) -> FloatArray:
        """Third derivatives of a single log-likelihood at a point (1, p), along a step twice.

        (1, p); without the penalty.
        """
        fitted, residual, _ = self._fitted(gamma, np.zeros(1, dtype=np.int64), None)
        away = (step @ self.X.T) ** 2 * fitted * residual * (fitted - residual)
        return np.asarray((away if self.weights is None else away * self.weights) @ self.X)

    def _in_pieces(
        self, gamma: FloatArray, index: IntArray, *, steep: float
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        rows = pieces(len(index), self.n)
        if len(rows) < 2:
            return self._evaluate(gamma, index, steep=steep)[:3]
        parts = [
            self._evaluate(gamma if len(gamma) == 1 else gamma[own], index[own], steep=steep)[:3]
            for own in rows
        ]
        value, score, information = map(np.concatenate, zip(*parts, strict=True))
        return value, score, information

    def _evaluate(
        self, gamma: FloatArray, index: IntArray, *, steep: float
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        weights = None if self.weights is None else rows_of(self.weights, index)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            fitted, residual, value = self._fitted(gamma, index, weights)
            # Without the penalty nothing else asks for the arrays at hand.
            spare = not self.firth and len(fitted) == len(index)
            weighted = residual
            if weights is not None:
                weighted = np.multiply(residual, weights, out=residual if spare else None)
            spread = np.multiply(weighted, fitted, out=fitted if spare else None)
            information = kept = self._information(spread, index)
            if self.firth:
                lost = None if self.lost is None else rows_of(self.lost, index)
                kept = without(information, lost)
                inverse = without(inverse_information(kept), lost, 0.0)
                value = value + half_log_det(kept)
                hat = self._quadratic(inverse, index)
                rows = None
                if steep < np.inf:  # the hat value of one replicated row, without its weight
                    rows = (hat * (fitted * residual)).max(axis=1) > steep
                hat *= spread
                pull = hat * (0.5 - fitted)
                weighted = np.add(pull, weighted, out=pull)
                if rows is not None and rows.any():
                    information = np.array(kept)
                    parts = (part[rows] for part in (fitted, spread, hat, kept, inverse))
                    information[rows] = self._observed(
                        *parts, index=index[rows], lost=None if lost is None else lost[rows]
                    )
            score = self._score(weighted, index)
        if self.prior is None:
            return value, score, information, kept
        scale = rows_of(self.scale, index)
        return *self.prior.add((value, score, information), gamma, scale), kept

    def _observed(
        self,
        fitted: FloatArray,
        spread: FloatArray,
        hat: FloatArray,
        information: FloatArray,
        inverse: FloatArray,
        *,
        index: IntArray,
        lost: BoolArray | None,
    ) -> FloatArray:
        """Minus the second derivatives of the penalised log-likelihood."""
        second = self._information(hat * (1.0 - 6.0 * fitted * (1.0 - fitted)), index)
        thirds = self._thirds(spread * (1.0 - 2.0 * fitted), index)
        return observed_information(information, second, thirds, inverse, lost)

    def _fitted(
        self, gamma: FloatArray, index: IntArray, weights: FloatArray | None
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Probability of the outcome seen and of the other (A, n), and the log-likelihood (A,).

        The smaller one keeps its digits: far out, the penalty hangs on it.
        """
        other = self._against_outcome(gamma, index)
        np.exp(other, out=other)
        fitted = other + 1.0
        logs = np.log(fitted)
        value: FloatArray = logs.sum(axis=1) if weights is None else np.vecdot(logs, weights)
        np.reciprocal(fitted, out=fitted)
        other *= fitted
        if not np.isfinite(value).all():  # infinite odds times nil
            other[np.isnan(other)] = 1.0
        return fitted, other, -value

    def log_scale(self, index: IntArray) -> FloatArray:
        """Return what the scaling takes from a penalised log-likelihood."""
        logs = self.design.log_scale
        if self.lost is None:
            return rows_of(logs.sum(axis=1), index)
        return np.asarray((rows_of(logs, index) * ~rows_of(self.lost, index)).sum(axis=1))

    def _against_outcome(self, gamma: FloatArray, index: IntArray) -> FloatArray:
        """Linear predictor of the outcome that was not seen."""
        margin: FloatArray
        if self.design.against is not None:
            margin = gamma @ self.design.against
        else:
            margin = (rows_of(self.X, index) @ -gamma[:, :, None])[:, :, 0]
        if self.sign.size > 1:
            margin = margin * rows_of(self.sign, index)
        return margin if self.offset is None else margin - rows_of(self.offset, index)

    def _score(self, residual: FloatArray, index: IntArray) -> FloatArray:
        if self.sign.size > 1:
            residual = residual * rows_of(self.sign, index)
        score: FloatArray
        if self.shared:
            score = residual @ self.X
        else:
            score = (residual[:, None, :] @ rows_of(self.X, index))[:, 0, :]
        return score

    def _information(self, weights: FloatArray, index: IntArray) -> FloatArray:
        information: FloatArray
        if self.products is not None:
            information = (weights @ self.products)[:, self._packing.place]
        else:
            X = rows_of(self.X, index)
            information = (X * weights[:, :, None]).swapaxes(1, 2) @ X
        return information

    def _thirds(self, weights: FloatArray, index: IntArray) -> FloatArray:
        """Derivatives of X'WX, (A, p, p, p): sums of w x_j x_a x_b over the rows."""
        if self.sign.size > 1:
            weights = weights * rows_of(self.sign, index)
        thirds = np.empty((len(weights), self.p, self.p, self.p))
        if self.products is not None and len(weights) > self.p:  # fewer products, of larger ones
            for j, column in enumerate(self.X.T):
                thirds[:, j] = ((weights * column) @ self.products)[:, self._packing.place]
            return thirds
        for one, (weight, replicate) in enumerate(zip(weights, index, strict=True)):
            X = self.X if self.shared else self.X[replicate if len(self.X) > 1 else 0]
            products = column_products(X) if self.products is None else self.products
            thirds[one] = ((X.T * weight) @ products)[:, self._packing.place]
        return thirds

    def _quadratic(self, matrices: FloatArray, index: IntArray) -> FloatArray:
        """Value of each row's quadratic form, x'Mx (A, n)."""
        if self.products is not None:
            packed = matrices.reshape(len(matrices), -1)[:, self._packing.upper]
            return np.asarray((packed * self._packing.times) @ self.products.T)
        X = rows_of(self.X, index)
        return np.asarray(np.einsum("bij,bij->bi", X @ matrices, X))
