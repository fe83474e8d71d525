"""Other columns for the same model where the columns as given nearly determine each other.

A year is nearly a constant, and its product with an indicator nearly the indicator: of the digits
of X'WX then only those beyond the common part tell the columns apart, and the log-determinant of
Firth's penalty loses as many. Taking the common part off the columns leaves the model as it is.

The new columns are X T with a unit triangular T (in some order of the columns), so that the
determinant of the information, and with it the penalty, is the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from rnetstats.kernels.newton import BoolArray, FloatArray

__all__ = ["LIMIT", "Turned", "conditioned"]

LIMIT = 1e-7
"""What is left of a column beside those before it, of its length, for its digits to be its own."""

_ENOUGH = 1 / 30  # of a column's length


@dataclass(frozen=True, eq=False)
class Turned:
    """The same model in other columns.

    Attributes
    ----------
    X : array of shape (..., n, p)
        The columns as given times `turn`.
    turn, back : arrays of shape (p, p)
        The coefficients of the columns as given are `turn` times those of the new ones, which are
        `back` times those of the columns as given.
    """

    X: FloatArray
    turn: FloatArray
    back: FloatArray

    def inward(self, coef: FloatArray) -> FloatArray:
        """Coefficients (..., p) of the new columns."""
        return np.asarray(coef @ self.back.T)

    def outward(self, coef: FloatArray) -> FloatArray:
        """Coefficients (..., p) of the columns as given."""
        return np.asarray(coef @ self.turn.T)

    def information(self, information: FloatArray) -> FloatArray:
        """Information (..., p, p) on the coefficients of the columns as given."""
        return np.asarray(self.back.T @ information @ self.back)

    def covariance(self, covariance: FloatArray) -> FloatArray:
        """Covariance (..., p, p) of the coefficients of the columns as given."""
        return np.asarray(self.turn @ covariance @ self.turn.T)

    def mixes(self, lost: BoolArray, held: Collection[int] = ()) -> BoolArray:
        """Replicates (B,) whose lost columns (B, p) have their share in what is not lost.

        The coefficients of the columns as given are then not those of the new ones turned back;
        nor, where some are held, is what the lost columns add to the others zero.
        """
        if len(held):
            return np.asarray(lost.any(axis=1))
        share = np.triu(self.turn, 1) + np.tril(self.turn, -1) != 0
        return np.asarray(((lost @ share) & ~lost).any(axis=1))

    def keeps(self, columns: Iterable[int]) -> bool:
        """Whether holding these coefficients fixed means the same in the new columns."""
        held = np.zeros(len(self.turn), dtype=bool)
        held[list(columns)] = True
        return not self.turn[np.ix_(held, ~held)].any()


def conditioned(
    X: FloatArray, held: Collection[int] = (), *, project: bool = True
) -> Turned | None:
    """Take off each column what it nearly shares with the others.

    A column that hardly varies beside its size loses its mean, if there is an intercept; one that
    is nearly a sum of others its projection on them.

    Parameters
    ----------
    X : array of shape (n, p) or (B, n, p)
    held : collection of int
        Coefficients that are to be held fixed: a coefficient of the columns as given is fixed
        when the same one of the new columns is.
    project : bool
        Whether to take off projections too. Without them only the intercept changes its meaning.

    Returns
    -------
    Turned or None
        None where the columns are apart enough as they are. A column of which less than `LIMIT`
        is left stays as it is.
    """
    rows = X.reshape(-1, X.shape[-1])
    if not _near(rows):
        return None
    p = rows.shape[1]
    order = sorted(range(p), key=lambda j: j in held)  # free ones first
    if len(rows) < p:
        return None
    columns, turn = rows.copy(), np.eye(p)
    R: FloatArray = np.asarray(np.linalg.qr(rows[:, order], mode="r"))
    left = np.abs(R.diagonal())
    constant = (rows == rows[0]).all(axis=0) & (rows[0] != 0)
    for place, k in enumerate(order):
        length = float(np.linalg.norm(rows[:, k]))
        if not LIMIT * length < left[place] < _ENOUGH * length:
            continue
        before = order[:place]
        for j in [j for j in before if constant[j]][:1]:
            _take_off(columns, turn, k, [j], np.array([rows[:, k].mean() / rows[0, j]]))
        if project and left[place] < _ENOUGH * float(np.linalg.norm(columns[:, k])):
            for _ in range(2):  # once more, against rounding
                _take_off(columns, turn, k, before, _projection(columns[:, before], columns[:, k]))
    if not np.triu(turn, 1).any() and not np.tril(turn, -1).any():
        return None
    return Turned(columns.reshape(X.shape), turn, np.asarray(np.linalg.inv(turn), dtype=float))


def _projection(others: FloatArray, column: FloatArray) -> FloatArray:
    """Share of each of some columns in another."""
    length = np.linalg.norm(others, axis=0)
    length = np.where(length > 0, length, 1.0)
    return np.asarray(np.linalg.lstsq(others / length, column, rcond=None)[0] / length)


def _take_off(
    columns: FloatArray, turn: FloatArray, k: int, others: list[int], share: FloatArray
) -> None:
    """Subtract a share of other columns from column k, in the columns and in what made them."""
    columns[:, k] -= columns[:, others] @ share
    turn[:, k] -= turn[:, others] @ share


def _near(X: FloatArray) -> bool:
    """Whether some column is nearly a sum of those before it."""
    gram = X.T @ X
    length = np.sqrt(gram.diagonal())
    length = np.where(length > 0, length, 1.0)
    try:
        factor = np.linalg.cholesky(gram / np.outer(length, length))
    except np.linalg.LinAlgError:
        return True
    return bool(factor.diagonal().min(initial=1.0) < _ENOUGH)
