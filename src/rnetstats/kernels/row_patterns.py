"""Rows that are alike: written once with their counts, and predicted alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rnetstats.kernels.newton import FloatArray

__all__ = ["LikeRows", "collapsed"]

_MOST_COLUMNS = 9


def collapsed(
    X: FloatArray, y: FloatArray, freq: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Collapse the rows of B replicates that are alike in all columns and the outcome.

    A logistic likelihood of few columns that hold 0 and 1 has few rows that differ, whatever the
    number of patients; and where the columns differ between the replicates (a cut-off searched in
    each), it is only their counts that do.

    Parameters
    ----------
    X : array of shape (n, p), shared by the replicates, or (B, n, p)
    y : array of shape (n,)
        0 or 1.
    freq : array of shape (B, n)
        How often each row stands in the replicate.

    Returns
    -------
    X : array of shape (g, p)
    y : array of shape (g,)
    freq : array of shape (B, g)
        All three as given where a column holds other numbers, or too little would be saved.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [1.0], [1.0], [0.0], [1.0], [0.0], [1.0]])
    >>> y = np.array([0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0])
    >>> columns, outcome, counts = collapsed(X, y, np.ones((1, 8)))
    >>> print(columns[:, 0], outcome, counts[0])
    [0. 1. 1.] [0. 0. 1.] [3. 1. 4.]
    """
    p, n = X.shape[-1], len(y)
    if p > _MOST_COLUMNS or not ((X == 0.0) | (X == 1.0)).all():
        return X, y, freq
    bits = 2 ** np.arange(1, p + 1)
    code = (X @ bits + y).astype(np.intp)
    size = 2 ** (p + 1)
    if code.ndim == 1:
        table = freq @ (code[:, None] == np.arange(size)).astype(np.float64)
    else:
        cell = code + size * np.arange(len(code))[:, None]
        table = np.bincount(cell.ravel(), freq.ravel(), size * len(code)).reshape(-1, size)
    found = np.flatnonzero(table.any(axis=0))
    if 2 * len(found) > n:
        return X, y, freq
    columns = (found[:, None] & bits) > 0
    return columns.astype(np.float64), (found & 1).astype(np.float64), table[:, found]


class LikeRows:
    """Linear predictors in which rows that are alike have the same number, to the last bit.

    A product of matrices rounds by where a row stands and by how many threads there are; measures
    of ranks would take the last bit for an order.

    Parameters
    ----------
    X : array of shape (n, p)

    Examples
    --------
    >>> import numpy as np
    >>> LikeRows([[1.0, 2.0], [1.0, 3.0], [1.0, 2.0]]).predictor(np.array([[0.5, 2.0]]))
    array([[4.5, 6.5, 4.5]])
    """

    def __init__(self, X: ArrayLike) -> None:
        X = np.asarray(X, dtype=float)
        rows, self._place = np.unique(X, axis=0, return_inverse=True)
        self._all_differ = len(rows) == len(X)
        self._rows = X if self._all_differ else rows

    def predictor(self, coef: FloatArray) -> FloatArray:
        """Return coefficients (B, p) times rows, of shape (B, n)."""
        found: FloatArray = coef @ self._rows.T
        return found if self._all_differ else found[:, self._place]
